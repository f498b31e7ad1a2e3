-- Three connections fill the tables, each with cursors of its own; and what an outage left
-- behind is brought in beside what is new.

ALTER TABLE store_cursor
    DROP CONSTRAINT store_cursor_pkey,
    ADD COLUMN lane int2 NOT NULL DEFAULT 0,
    ADD COLUMN until int8 NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE store_cursor
    ALTER COLUMN lane DROP DEFAULT,
    ALTER COLUMN until DROP DEFAULT,
    ADD PRIMARY KEY (journal_id, lane, until);
INSERT INTO store_cursor(journal_id, position, at, lane, until)
    SELECT journal_id, position, at, l, until FROM store_cursor, generate_series(1, 2) AS l;
COMMENT ON TABLE store_cursor IS 'What each daemon''s journal still has to bring, in ranges of positions; written in the transaction of each batch';
COMMENT ON COLUMN store_cursor.lane IS '0 and 1: readings, by halves of the meters; 2: alerts';
COMMENT ON COLUMN store_cursor.position IS 'The range''s first position that is not in these tables';
COMMENT ON COLUMN store_cursor.until IS 'Where the range ends; 2^63 - 1: it has no end, it is what is new';

-- As before, but looked up in the catalogue's table after the wait: what to_regclass
-- remembers may be older than the partition that another connection has just made.
CREATE OR REPLACE FUNCTION reading_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := 'reading_' || to_char(day, 'YYYYMMDD');
    starts timestamptz := day::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('lodewatch.partition'));
    IF EXISTS (SELECT FROM pg_class AS c, pg_class AS parent
                WHERE parent.oid = 'reading'::regclass AND c.relname = name
                  AND c.relnamespace = parent.relnamespace) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE reading INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, starts, starts + interval '1 day');
END
$$;
