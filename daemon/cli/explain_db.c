/* An alarm from PostgreSQL: found by its id or subject, its alerts as they were stored,
 * and the readings of its meters around its window. */
#include "daemon/cli/explain_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/explain_alert.h"
#include "daemon/cli/stored.h"
#include "daemon/files.h"
#include "daemon/store/copy_rows.h"
#include "daemon/store/pg_bytes.h"
#include "daemon/store/pg_sync.h"

enum {
    ALARM_ID = 32 /* hexadecimal digits */
};

struct job {
    struct explained x;
    struct config config;
    struct pg_sync pg;
    struct window *window;
    struct lw_zone *zone;
    char id[ALARM_ID + 1];
    int32_t key[EXPLAIN_METERS]; /* the database's integers of x.meter; 0: it has none */
    struct lw_faults *faults;
};

static int
failed(const struct job *job)
{
    fprintf(stderr, "lodewatch explain: PostgreSQL: %s\n", job->pg.error);
    return CLI_FAILED;
}

/* --- the alarm */

/* The newest of those that are meant. */
static int
find(struct job *job, const char *want)
{
    static const char sql[] =
        "SELECT alarm_id FROM alarm WHERE length($1) >= 4 AND left(alarm_id, length($1)) = $1"
        " OR subject = $1 OR subject || ':' || rule = $1 ORDER BY onset DESC LIMIT 1";
    const struct pg_param param = {PG_TEXT, want, strlen(want)};
    const char *id;

    if (pg_sync_run_with(&job->pg, sql, &param, 1) < 0)
        return failed(job);
    id = job->pg.value ? job->pg.value : "";
    if (strlen(id) != ALARM_ID || strspn(id, "0123456789abcdef") != ALARM_ID) {
        fprintf(stderr, "lodewatch explain: no alarm %s in the database\n", want);
        return CLI_FAILED;
    }
    memcpy(job->id, id, sizeof job->id);
    return CLI_DONE;
}

static void
take_alert(void *arg, const char *data, size_t n)
{
    struct job *job = arg;
    struct copy_field body;

    if (copy_split(data, n, &body, 1) == 1 && body.data &&
        explain_take(&job->x, (const char *)body.data, (size_t)body.n) < 0)
        pg_sync_give_up(&job->pg, "a stored alert cannot be read");
}

static int
load_alerts(struct job *job)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "COPY (SELECT body::text FROM alert WHERE alarm_id = '%s' ORDER BY revision)"
             " TO STDOUT (FORMAT binary)",
             job->id);
    if (pg_sync_copy_rows(&job->pg, sql, take_alert, job) < 0)
        return failed(job);
    if (job->x.n > 0)
        return CLI_DONE;
    fprintf(stderr, "lodewatch explain: alarm %s has no alerts in the database\n",
            job->id);
    return CLI_FAILED;
}

/* --- its readings */

static int
find_keys(struct job *job, char list[EXPLAIN_METERS * 12 + 1])
{
    size_t n = 0;

    list[0] = '\0';
    for (int i = 0; i < job->x.nmeters; i++) {
        const char *id = job->x.meter[i].id;
        const struct pg_param param = {PG_TEXT, id, strlen(id)};

        if (pg_sync_run_with(&job->pg,
                             "SELECT meter_id::text FROM meter_key WHERE id = $1", &param,
                             1) < 0)
            return failed(job);
        job->key[i] = job->pg.value ? (int32_t)strtol(job->pg.value, NULL, 10) : 0;
        if (job->key[i] > 0)
            n += (size_t)snprintf(list + n, 12, "%s%d", n > 0 ? "," : "", job->key[i]);
    }
    return CLI_DONE;
}

static void
show_rows(struct job *job)
{
    for (size_t row = 0; row < job->window->n; row++) {
        const struct lw_reading *r = &job->window->row[row].reading;

        for (int i = 0; i < job->x.nmeters; i++)
            if (job->key[i] == (int32_t)r->meter)
                explain_reading(&job->x, job->x.meter[i].id, r, 0);
    }
}

static int
load_readings(struct job *job)
{
    char list[EXPLAIN_METERS * 12 + 1];
    lw_wall from, to;
    int status;

    if (!explain_span(&job->x, &from, &to))
        return CLI_DONE;
    status = find_keys(job, list);
    while (status == CLI_DONE && list[0] && from.ms < to.ms) {
        lw_wall day = {lw_floor_to(from.ms, LW_DAY) + LW_DAY};
        lw_wall end = day.ms < to.ms ? day : to;

        int rc = stored_load(&job->pg, job->window, list, from, end, job->faults);

        if (rc == LW_EFULL)
            lw_fault_add(job->faults, "explain", 0, 0,
                         "more readings in a day than can be looked at");
        if (rc < 0)
            return CLI_FAILED;
        show_rows(job);
        from = end;
    }
    return status;
}

/* --- */

static int
open_all(struct job *job)
{
    const struct config *c = &job->config;
    char *tzif = NULL;
    size_t n = 0;

    if (files_zone(c->timezone, &tzif, &n) < 0 || lw_zone_new(tzif, n, &job->zone) < 0) {
        lw_fault_add(job->faults, c->timezone, 0, 0, "no such time zone");
        free(tzif);
        return CLI_INPUT;
    }
    free(tzif);
    if (window_new(&job->window) < 0) {
        fputs("lodewatch explain: out of memory\n", stderr);
        return CLI_FAILED;
    }
    if (pg_sync_open(&job->pg, c->read_conninfo[0] ? c->read_conninfo : c->conninfo) < 0)
        return failed(job);
    return CLI_DONE;
}

int
explain_stored(const struct cli_database *database, const char *want,
               struct lw_faults *faults)
{
    static struct job job;
    int status = cli_database_load(database, &job.config, faults);

    job.faults = faults;
    explain_init(&job.x);
    if (status == CLI_DONE)
        status = open_all(&job);
    if (status == CLI_DONE)
        status = find(&job, want);
    if (status == CLI_DONE)
        status = load_alerts(&job);
    if (status == CLI_DONE)
        status = load_readings(&job);
    if (status == CLI_DONE)
        explain_print(&job.x, job.zone);
    pg_sync_close(&job.pg);
    window_free(job.window);
    lw_zone_free(job.zone);
    return status;
}
