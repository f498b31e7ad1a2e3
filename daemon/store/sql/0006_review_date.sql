-- When a closed site's reference was reviewed.

ALTER TABLE site ADD COLUMN reference_reviewed_at timestamptz;
