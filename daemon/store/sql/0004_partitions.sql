-- Whoever may store readings makes partitions through these functions, which run as their
-- owner: so every partition is the owner's, and the writer needs no right to make tables.
-- A new partition of reading has the rights of its parent, since rows go straight into it.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE OR REPLACE FUNCTION reading_partition(day date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    name text := 'reading_' || to_char(day, 'YYYYMMDD');
    starts timestamptz := day::timestamp AT TIME ZONE 'UTC';
    granted record;
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
    FOR granted IN
        SELECT a.privilege_type AS may, a.grantee::regrole AS who
          FROM pg_class AS parent, aclexplode(parent.relacl) AS a
         WHERE parent.oid = 'reading'::regclass AND a.grantee NOT IN (0, parent.relowner)
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s', granted.may, name, granted.who);
    END LOOP;
    EXECUTE format('ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, starts, starts + interval '1 day');
END
$$;
REVOKE EXECUTE ON FUNCTION reading_partition FROM PUBLIC;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION reading_month SECURITY DEFINER SET search_path = %I, pg_temp',
                   current_schema());
END
$$;
REVOKE EXECUTE ON FUNCTION reading_month FROM PUBLIC;
