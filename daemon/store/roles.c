/* The roles of least privilege (sql/roles.sql), for `lodewatch migrate --roles`. */
#include "daemon/store/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/embed.h"
#include "daemon/store/migrate.h"
#include "daemon/store/pg_sync.h"
#include "daemon/store/store.h"

EMBED(sql_roles, "daemon/store/sql/roles.sql");

const char *
roles_sql(void)
{
    return sql_roles;
}

/* Tables change hands while the daemon writes to them: it waits, and so do we. */
static const char make[] = "BEGIN; SET LOCAL lock_timeout = '1min';"
                           "SET LOCAL statement_timeout = '10min';" MIGRATE_LOCK
                           "SET LOCAL lodewatch.roles = 'make';";

static const char grants[] =
    "ROLLBACK; SELECT format('GRANT lodewatch_owner TO %I; GRANT USAGE, CREATE ON SCHEMA %I"
    " TO lodewatch_owner;', current_user, current_schema())";

/* What somebody else has to do first. */
static void
advise(struct pg_sync *pg, struct lw_faults *faults)
{
    static const char who[] = "a superuser has to run, once";

    lw_fault_add(faults, who, 0, 0,
                 "CREATE ROLE lodewatch_owner; CREATE ROLE lodewatch_ingest;"
                 " CREATE ROLE lodewatch_api; CREATE ROLE lodewatch_analyst;");
    if (pg_sync_run(pg, grants) == 0 && pg->value)
        lw_fault_add(faults, who, 0, 0, "%s", pg->value);
}

int
store_roles(const char *conninfo, struct lw_faults *faults)
{
    size_t cap = sizeof(make) + EMBED_SIZE(sql_roles) + 16;
    char *sql = malloc(cap);
    struct pg_sync pg;
    int rc;

    if (!sql) {
        lw_fault_add(faults, "lodewatch", 0, 0, "%s", lw_result_text(LW_ENOMEM));
        return LW_ENOMEM;
    }
    snprintf(sql, cap, "%s%s; COMMIT", make, sql_roles);
    rc = pg_sync_open(&pg, conninfo);
    if (rc == 0)
        rc = pg_sync_run(&pg, sql);
    if (rc < 0)
        lw_fault_add(faults, "PostgreSQL", 0, 0, "%s",
                     pg.error[0] ? pg.error : lw_result_text(rc));
    if (rc < 0 && strcmp(pg.sqlstate, "42501") == 0) {
        rc = LW_EDENIED;
        advise(&pg, faults);
    }
    pg_sync_close(&pg);
    free(sql);
    return rc;
}
