/* One run over the history: packs the days that are closed, oldest first, then drops what
 * is older than it is to be kept. */
#include "daemon/store/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/compact.h"
#include "daemon/store/copy_rows.h"
#include "daemon/store/pg_sync.h"

enum {
    DAYS_MOST = 4096,             /* in one run */
    SORT_MS = 2 * 60 * 60 * 1000, /* PostgreSQL sorts a large day in silence */
};

static const char place[] = "PostgreSQL";

/* Two connections, as they are needed for packing: one has the run's lock. */
struct run {
    const char *conninfo;
    struct pg_sync from, to;
    const struct history_options *options;
    const struct history_report *report;
    struct lw_faults *faults;
    bool failed;
};

static int
fail(struct run *run, const char *what, const char *error)
{
    lw_fault_add(run->faults, what, 0, 0, "%s", error);
    run->failed = true;
    return LW_EIO;
}

static int
query(struct run *run, const char *sql)
{
    return pg_sync_run(&run->to, sql) < 0 ? fail(run, place, run->to.error) : 0;
}

static int
open_both(struct run *run)
{
    int rc = pg_sync_open(&run->to, run->conninfo);

    if (rc == 0)
        rc = pg_sync_migrate(&run->to);
    if (rc < 0) {
        fail(run, place, run->to.error);
        return rc;
    }
    rc = pg_sync_open(&run->from, run->conninfo);
    if (rc == 0)
        rc = pg_sync_run(&run->from, "SET statement_timeout = '6h'");
    if (rc < 0)
        return fail(run, place, run->from.error);
    run->from.silent_ms = SORT_MS;
    rc = query(run, "SET statement_timeout = '10min';"
                    "SELECT pg_try_advisory_lock(hashtext('lodewatch.compact'))");
    if (rc == 0 && run->to.value[0] != 't')
        rc = fail(run, place, "another compaction is under way");
    return rc;
}

static void
close_both(struct run *run)
{
    pg_sync_close(&run->from);
    pg_sync_close(&run->to);
}

/* A list that PostgreSQL gives as one text, its words separated by spaces; owned. */
static int
list(struct run *run, const char *sql, char **ret_text)
{
    if (query(run, sql) < 0)
        return LW_EIO;
    *ret_text = strdup(run->to.value ? run->to.value : "");
    return *ret_text ? 0 : LW_ENOMEM;
}

/* ---- packing ---- */

/* A connection that was given up takes the lock with it: both are made anew. */
static int
renew(struct run *run)
{
    close_both(run);
    return open_both(run);
}

static int
pack_days(struct run *run)
{
    struct compact *compact = NULL;
    char sql[512];
    char *days, *rest;
    int rc;

    snprintf(
        sql, sizeof(sql),
        "SELECT string_agg(to_char(day, 'YYYY-MM-DD'), ' ' ORDER BY day) FROM"
        " (SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day FROM pg_inherits"
        "   JOIN pg_class AS c ON c.oid = inhrelid"
        "  WHERE inhparent = 'reading'::regclass AND c.relname ~ '^reading_[0-9]{8}$'"
        "  ORDER BY 1 LIMIT %d) AS days"
        " WHERE day < (now() AT TIME ZONE 'UTC')::date - %" PRId64,
        DAYS_MOST, run->options->hot_days);
    if ((rc = list(run, sql, &days)) < 0)
        return rc;
    rc = compact_new(&run->from, &run->to, &compact);
    for (char *day = strtok_r(days, " ", &rest); day && rc == 0;
         day = strtok_r(NULL, " ", &rest)) {
        struct history_day done;
        char error[COMPACT_ERROR];

        if (compact_day(compact, day, &done, error) == 0) {
            run->report->day(run->report->arg, &done);
        } else {
            fail(run, day, error);
            rc = renew(run);
        }
    }
    compact_free(compact);
    free(days);
    return rc;
}

/* ---- what is kept no longer ---- */

/* The tables of the history: what of a held meter's rows is held. */
static const struct {
    const char *name;
    const char *keep;
    const char *held;
} tables[] = {
    {"reading_day", "%" PRId64 " months",
     "t.day < (h.holds_to AT TIME ZONE 'UTC')::date + 1 AND"
     " t.day + 1 > (h.holds_from AT TIME ZONE 'UTC')::date"},
    {"reading_hour", "%" PRId64 " years",
     "t.hour < h.holds_to AND t.hour + interval '1 hour' > h.holds_from"},
};

/* One month of a table: dropped, or, where some of it is held, what is not held. New
 * holds wait until it is decided. */
static int
drop_month(struct run *run, size_t table, const char *name)
{
    char sql[1400];
    bool held;

    snprintf(sql, sizeof(sql),
             "BEGIN; LOCK TABLE evidence_hold IN SHARE MODE;"
             "SELECT count(*) FROM evidence_held("
             " to_date(right('%s', 6) || '01', 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC',"
             " (to_date(right('%s', 6) || '01', 'YYYYMMDD') + interval '1 month')"
             "  AT TIME ZONE 'UTC')",
             name, name);
    if (query(run, sql) < 0)
        return LW_EIO;
    held = run->to.value && strcmp(run->to.value, "0") != 0;
    if (held)
        snprintf(sql, sizeof(sql),
                 "DELETE FROM %s AS t WHERE NOT EXISTS (SELECT FROM"
                 " evidence_held('-infinity', 'infinity') AS h"
                 " WHERE h.meter_id = t.meter_id AND %s)",
                 name, tables[table].held);
    else
        snprintf(sql, sizeof(sql), "DROP TABLE %s", name);
    if (query(run, sql) < 0)
        return LW_EIO;

    int64_t rows = held ? (int64_t)run->to.touched : -1;

    if (query(run, "COMMIT") < 0)
        return LW_EIO;
    if (rows != 0)
        run->report->dropped(run->report->arg, name, rows);
    return 0;
}

/* From today, or from the newest month that there is: a clock that is set years ahead for
 * a night must not cost the history. */
static int
drop_months(struct run *run, size_t table, int64_t keep)
{
    char sql[800], age[32];
    char *names, *rest;
    int rc;

    if (keep == 0)
        return 0;
    snprintf(age, sizeof(age), tables[table].keep, keep);
    snprintf(
        sql, sizeof(sql),
        "WITH month AS (SELECT c.relname AS name,"
        "  to_date(right(c.relname, 6) || '01', 'YYYYMMDD') + interval '1 month' AS ends"
        "  FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid"
        "  WHERE inhparent = '%s'::regclass AND c.relname ~ '^%s_[0-9]{6}$')"
        "SELECT string_agg(name, ' ' ORDER BY name) FROM month WHERE ends <="
        " least((now() AT TIME ZONE 'UTC')::date, (SELECT max(ends) FROM month))"
        " - interval '%s'",
        tables[table].name, tables[table].name, age);
    if ((rc = list(run, sql, &names)) < 0)
        return rc;
    for (char *name = strtok_r(names, " ", &rest); name && rc == 0;
         name = strtok_r(NULL, " ", &rest))
        rc = drop_month(run, table, name);
    free(names);
    return rc;
}

int
history_compact(const char *conninfo, const struct history_options *options,
                const struct history_report *report, struct lw_faults *faults)
{
    struct run run = {
        .conninfo = conninfo, .options = options, .report = report, .faults = faults};
    int rc = open_both(&run);

    if (rc == 0)
        rc = pack_days(&run);
    if (rc == 0)
        rc = drop_months(&run, 0, options->day_months);
    if (rc == 0)
        rc = drop_months(&run, 1, options->hour_years);
    close_both(&run);
    return rc == 0 && run.failed ? LW_EIO : rc;
}
