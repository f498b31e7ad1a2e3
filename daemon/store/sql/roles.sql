-- The roles, and what each may do: no more than it needs. Run by `lodewatch migrate --roles`,
-- and with the last of the migrations where lodewatch_owner has the tables already. It says
-- what is to be, so it may be run again at any time.

DO $$
DECLARE
    schema text := quote_ident(current_schema());
    was text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'reading'::regclass);
    role text;
    rights record;
    relation record;
    function record;
BEGIN
    IF current_setting('lodewatch.roles', true) IS DISTINCT FROM 'make'
        AND was <> 'lodewatch_owner' THEN
        RETURN;
    END IF;

    FOREACH role IN ARRAY
        ARRAY['lodewatch_owner', 'lodewatch_ingest', 'lodewatch_api', 'lodewatch_analyst']
    LOOP
        IF to_regrole(role) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
        IF NOT has_database_privilege(role, current_database(), 'CONNECT') THEN
            EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
        END IF;
        IF NOT has_schema_privilege(role, current_schema(), 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', schema, role);
        END IF;
    END LOOP;
    -- for merging, and for the import of a ledger
    FOREACH role IN ARRAY ARRAY['lodewatch_owner', 'lodewatch_ingest'] LOOP
        IF NOT has_database_privilege(role, current_database(), 'TEMP') THEN
            EXECUTE format('GRANT TEMP ON DATABASE %I TO %I', current_database(), role);
        END IF;
    END LOOP;
    IF NOT has_schema_privilege('lodewatch_owner', current_schema(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON SCHEMA %s TO lodewatch_owner', schema);
    END IF;
    -- Who had the tables until now, and who runs this, may do all that they could before. (A
    -- superuser is a member of everything.)
    FOREACH role IN ARRAY ARRAY[was, current_user::text] LOOP
        IF NOT pg_has_role(role, 'lodewatch_owner', 'USAGE') THEN
            EXECUTE format('GRANT lodewatch_owner TO %I', role);
        END IF;
    END LOOP;

    FOR rights IN SELECT * FROM (VALUES
        ('reading', 'SELECT, INSERT', 'SELECT', 'SELECT'),
        ('meter_key', 'SELECT, INSERT', 'SELECT', 'SELECT'),
        ('meter_last', 'SELECT, INSERT, UPDATE', 'SELECT', 'SELECT'),
        ('alert', 'SELECT, INSERT', 'SELECT', 'SELECT'),
        ('alarm', 'SELECT, INSERT, UPDATE', 'SELECT', 'SELECT'),
        ('store_cursor', 'SELECT, INSERT, UPDATE, DELETE', '', ''),
        ('schema_version', 'SELECT', 'SELECT', 'SELECT'),
        ('reading_day', '', 'SELECT', 'SELECT'),
        ('reading_hour', '', 'SELECT', 'SELECT'),
        ('reading_hourly', '', 'SELECT', 'SELECT'),
        ('compaction', '', '', ''),
        ('evidence_hold', '', 'SELECT', 'SELECT'),
        ('area', 'SELECT', 'SELECT', 'SELECT'),
        ('site', 'SELECT', 'SELECT', 'SELECT'),
        ('licence', 'SELECT', 'SELECT', 'SELECT'),
        ('explanation', 'SELECT', 'SELECT', 'SELECT'),
        ('gateway', 'SELECT', 'SELECT', 'SELECT'),
        ('meter', 'SELECT', 'SELECT', 'SELECT'),
        -- not the telephone number, nor columns that may hold another one
        ('contact', 'SELECT', '', 'SELECT (contact_id, area_id, site_id, role, rank, name)')
    ) AS r(name, ingest, api, analyst)
    LOOP
        FOR relation IN -- the table, and its partitions
            SELECT c.oid::regclass AS id, pg_get_userbyid(c.relowner) AS owner FROM pg_class AS c
             WHERE c.oid = rights.name::regclass
                OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = rights.name::regclass)
        LOOP
            IF relation.owner <> 'lodewatch_owner' THEN
                EXECUTE format('ALTER TABLE %s OWNER TO lodewatch_owner', relation.id);
            END IF;
            EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, lodewatch_ingest, lodewatch_api,'
                           ' lodewatch_analyst', relation.id);
            IF rights.ingest <> '' THEN
                EXECUTE format('GRANT %s ON %s TO lodewatch_ingest', rights.ingest, relation.id);
            END IF;
            IF rights.api <> '' THEN
                EXECUTE format('GRANT %s ON %s TO lodewatch_api', rights.api, relation.id);
            END IF;
            IF rights.analyst <> '' THEN
                EXECUTE format('GRANT %s ON %s TO lodewatch_analyst', rights.analyst, relation.id);
            END IF;
        END LOOP;
    END LOOP;

    FOR function IN
        SELECT p.oid::regprocedure AS id, pg_get_userbyid(p.proowner) AS owner FROM pg_proc AS p
         WHERE p.pronamespace = current_schema()::regnamespace
           AND p.proname IN ('reading_partition', 'reading_month', 'evidence_held')
    LOOP
        IF function.owner <> 'lodewatch_owner' THEN
            EXECUTE format('ALTER FUNCTION %s OWNER TO lodewatch_owner', function.id);
        END IF;
    END LOOP;
    GRANT EXECUTE ON FUNCTION reading_partition TO lodewatch_ingest;
END
$$
