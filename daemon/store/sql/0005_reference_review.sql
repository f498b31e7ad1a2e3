-- Who has reviewed what was learned of a closed site, and from when on it is learned anew.

ALTER TABLE site
    ADD COLUMN reference_reviewed_by text,
    ADD COLUMN reference_from timestamptz;
