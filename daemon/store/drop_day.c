/* The end of a day's partition: one transaction that adds it up and drops it. Writers
 * wait for as long as it is added up, but only those who write to this day; everybody
 * waits for the drop itself, which is short. */
#include "daemon/store/drop_day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SQL = 1024
};

/* What PostgreSQL finds, beside what was packed. */
static const char compare[] =
    "SELECT CASE WHEN (t.rows, t.p_w, t.imp_wh) = (c.rows, c.p_w, c.imp_wh) THEN 'same'"
    " WHEN t.rows > c.rows THEN 'grew' ELSE 'other' END"
    " FROM (SELECT count(*) AS rows, coalesce(sum(p_w), 0) AS p_w,"
    "  coalesce(sum(imp_wh & 4294967295), 0) AS imp_wh FROM %s) AS t,"
    " compaction AS c WHERE c.day = '%s'";

static int
close_and_compare(struct pg_sync *pg, const char *name, const char *day)
{
    char sql[SQL];
    int rc = pg_sync_run(pg, "BEGIN; SET LOCAL statement_timeout = '10min'");

    snprintf(sql, sizeof(sql), "LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE", name);
    if (rc == 0)
        rc = pg_sync_run(pg, sql);
    snprintf(sql, sizeof(sql), compare, name, day);
    return rc == 0 ? pg_sync_run(pg, sql) : rc;
}

enum drop
drop_day(struct pg_sync *pg, const char *name, const char *day)
{
    char sql[SQL];
    char why[sizeof(pg->error)];
    enum drop drop = DROP_FAILED;
    int rc = close_and_compare(pg, name, day);

    if (rc == 0 && pg->value && strcmp(pg->value, "grew") == 0)
        drop = DROP_GREW;
    else if (rc == 0 && pg->value && strcmp(pg->value, "same") != 0)
        drop = DROP_OTHER;
    else if (rc == 0) {
        snprintf(sql, sizeof(sql),
                 "DROP TABLE %s; DELETE FROM compaction WHERE day = '%s'; COMMIT", name,
                 day);
        if ((rc = pg_sync_run(pg, sql)) == 0)
            return DROP_DONE;
    }
    /* a lock was not to be had; or a deadlock, with a writer that came through the parent
     */
    if (rc < 0 &&
        (strcmp(pg->sqlstate, "55P03") == 0 || strcmp(pg->sqlstate, "40P01") == 0))
        drop = DROP_IN_USE;
    snprintf(why, sizeof(why), "%s", pg->error);
    if (pg_sync_run(pg, "ROLLBACK") < 0)
        return DROP_FAILED;
    snprintf(pg->error, sizeof(pg->error), "%s", why);
    return drop;
}
