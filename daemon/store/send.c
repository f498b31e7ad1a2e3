/* One batch into PostgreSQL. The ids of meters and the partitions come first, each in a
 * transaction of its own, since they hold locks; then one transaction has the rows, what
 * is newest of each meter, the alerts, and the journal's position behind it all. */
#include "daemon/store/send.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <lodewatch/time.h>

#include "daemon/store/pg_conn.h"

enum {
    MERGE_MS = 65000 /* the server's limit is 60 s then */
};

#define COLUMNS                                                                               \
    "ts,meter_id,q,imp_wh,exp_wh,p_w,i1_ma,i2_ma,i3_ma,v1_dv,v2_dv,v3_dv,pf_m,q_var,temp_mc," \
    "rain_um_h,level_mm" /* as batch_feed writes them */

/* A row that another daemon adds at the same time is seen in the next round. */
static const char sql_keys[] =
    "WITH made AS (INSERT INTO meter_key(id) SELECT want FROM unnest($1) AS want"
    "  WHERE NOT EXISTS (SELECT FROM meter_key WHERE id = want)"
    "  ON CONFLICT DO NOTHING RETURNING id, meter_id)"
    "SELECT id, meter_id FROM made"
    " UNION ALL SELECT id, meter_id FROM meter_key WHERE id = ANY($1)";

static const char sql_copy[] = "BEGIN; COPY %s(" COLUMNS ") FROM STDIN (FORMAT binary)";

static const char sql_stage[] =
    "BEGIN; SET LOCAL statement_timeout = '60s';"
    "CREATE TEMP TABLE IF NOT EXISTS reading_stage (LIKE reading) ON COMMIT DELETE ROWS;"
    "COPY reading_stage(" COLUMNS ") FROM STDIN (FORMAT binary)";

static const char sql_merge[] = "INSERT INTO reading(" COLUMNS ") SELECT " COLUMNS
                                " FROM reading_stage ON CONFLICT DO NOTHING";

/* Most meters are there: an update alone is the cheaper way, the rest come after. Neither
 * goes backwards, since what an outage left behind is older than what is there. */
static const char sql_newer[] =
    "UPDATE meter_last AS l SET ts = n.ts, imp_wh = n.imp_wh, p_w = n.p_w, q = n.q"
    " FROM unnest($1, $2, $3, $4, $5) AS n(meter_id, ts, imp_wh, p_w, q)"
    " WHERE l.meter_id = n.meter_id AND n.ts > l.ts";

static const char sql_last[] =
    "INSERT INTO meter_last AS l (meter_id, ts, imp_wh, p_w, q)"
    " SELECT * FROM unnest($1, $2, $3, $4, $5) AS n(meter_id, ts, imp_wh, p_w, q)"
    "  WHERE NOT EXISTS (SELECT FROM meter_last WHERE meter_id = n.meter_id)"
    " ON CONFLICT (meter_id) DO UPDATE SET ts = excluded.ts, imp_wh = excluded.imp_wh,"
    " p_w = excluded.p_w, q = excluded.q WHERE excluded.ts > l.ts";

static const char sql_alerts[] =
    "WITH body AS MATERIALIZED (SELECT b::jsonb AS b FROM unnest($1) AS b),"
    " event AS MATERIALIZED (SELECT b->>'id' AS event_id, b#>>'{data,alarm,id}' AS alarm_id,"
    "  (b#>>'{data,alarm,revision}')::int4 AS revision, (b->>'time')::timestamptz AS at,"
    "  (b#>>'{data,alarm,raised_at}')::timestamptz AS onset,"
    "  b->>'type' AS type, b->>'subject' AS subject, b#>>'{data,site,id}' AS site_id,"
    "  b#>>'{data,rule,id}' AS rule, b#>>'{data,alarm,priority}' AS priority,"
    "  b#>>'{data,alarm,state}' AS state, b AS body FROM body),"
    " new_alert AS (INSERT INTO alert(event_id, alarm_id, revision, kind, at, type, subject,"
    "  site_id, rule, priority, state, body)"
    "  SELECT event_id, alarm_id, revision, split_part(type, '.', 4), at, type, subject,"
    "  site_id, rule, priority, state, body FROM event ON CONFLICT DO NOTHING)"
    "INSERT INTO alarm AS a (alarm_id, revision, onset, at, subject, site_id, rule, priority,"
    "  state, event_id)"
    " SELECT DISTINCT ON (alarm_id) alarm_id, revision,"
    "  coalesce(onset, min(at) OVER (PARTITION BY alarm_id)), at, subject, site_id, rule, priority, state,"
    "  event_id FROM event ORDER BY alarm_id, revision DESC"
    " ON CONFLICT (alarm_id) DO UPDATE SET revision = excluded.revision, at = excluded.at,"
    "  priority = excluded.priority, state = excluded.state, event_id = excluded.event_id"
    " WHERE excluded.revision > a.revision";

static void on_step(void *arg, const struct pg_answer *answer);
static void advance(struct send *s);

static int
query(struct send *s, const char *sql, const struct pg_param *params, int nparams)
{
    pg_conn_send(s->conn, &(struct pg_query){.sql = sql,
                                             .params = params,
                                             .nparams = nparams,
                                             .most_ms = s->merge ? MERGE_MS : 0,
                                             .done = on_step,
                                             .arg = s});
    return 1;
}

static uint64_t
touched(const struct pg_result *rows)
{
    return strtoull(PQcmdTuples((PGresult *)(uintptr_t)rows), NULL, 10);
}

/* The steps: start sends a query and returns 1, or has nothing to do and returns 0. ----
 */

static int
start_keys(struct send *s)
{
    int n = batch_unknown(s->batch, s->keys, &s->ids);

    if (n <= 0)
        return n;
    return query(s, sql_keys, &(struct pg_param){PG_TEXT_ARRAY, s->ids.data, s->ids.n},
                 1);
}

static bool
done_keys(struct send *s, const struct pg_result *rows)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *id = PQgetvalue(rows, i, 0);
        uint32_t slot;

        if (keys_slot(s->keys, id, strlen(id), &slot) == 0)
            keys_set(s->keys, slot, atoi(PQgetvalue(rows, i, 1)));
    }
    return false; /* once more, should any be missing */
}

static int
start_partitions(struct send *s)
{
    int n = partitions_missing(&s->partitions, s->batch, s->today, s->ahead);
    const struct pg_array *days = &s->partitions.missing;

    if (n <= 0)
        return n;
    return query(s, partitions_make,
                 &(struct pg_param){PG_INT4_ARRAY, days->data, days->n}, 1);
}

static bool
done_partitions(struct send *s, const struct pg_result *rows)
{
    (void)rows;
    partitions_made(&s->partitions);
    return true;
}

static size_t
feed(void *arg, char *buf, size_t cap)
{
    struct send *s = arg;

    return batch_feed(s->batch, buf, cap);
}

/* Rows of one day go straight into its partition: routing each of them costs a twentieth
 * of the whole. A role that may only write to the parent does not notice. */
static const char *
table_of(const struct send *s, char name[32])
{
    char time[LW_TIME_TEXT];

    if (s->batch->ndays != 1 || s->routed)
        return "reading";
    lw_wall_format((lw_wall){s->batch->day[0] * LW_DAY}, time);
    snprintf(name, 32, "reading_%.4s%.2s%.2s", time, time + 5, time + 8);
    return name;
}

static int
start_copy(struct send *s)
{
    int rc = s->batch->sorted ? 0 : batch_sort(s->batch, s->keys);
    char sql[sizeof(sql_copy) + 32];
    char name[32];

    if (rc < 0)
        return rc;
    if (s->batch->nrows == 0)
        return query(s, "BEGIN", NULL, 0);
    snprintf(sql, sizeof(sql), sql_copy, table_of(s, name));
    pg_conn_send(s->conn, &(struct pg_query){.sql = s->merge ? sql_stage : sql,
                                             .feed = feed,
                                             .most_ms = s->merge ? MERGE_MS : 0,
                                             .done = on_step,
                                             .arg = s});
    return 1;
}

static bool
done_copy(struct send *s, const struct pg_result *rows)
{
    (void)rows;
    s->rows = s->batch->nrows;
    return true;
}

static int
start_merge(struct send *s)
{
    return s->merge && s->batch->nrows > 0 ? query(s, sql_merge, NULL, 0) : 0;
}

static bool
done_merge(struct send *s, const struct pg_result *rows)
{
    s->rows = touched(rows);
    return true;
}

static int
query_last(struct send *s, const char *sql)
{
    static const uint32_t types[5] = {PG_INT4_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_INT8_ARRAY,
                                      PG_INT4_ARRAY, PG_INT2_ARRAY};
    struct pg_param params[5];

    for (int i = 0; i < 5; i++)
        params[i] =
            (struct pg_param){types[i], s->batch->last[i].data, s->batch->last[i].n};
    return query(s, sql, params, 5);
}

static int
start_newer(struct send *s)
{
    return s->batch->nrows > 0 ? query_last(s, sql_newer) : 0;
}

static bool
done_newer(struct send *s, const struct pg_result *rows)
{
    s->updated = touched(rows);
    return true;
}

static int
start_last(struct send *s)
{
    if (s->batch->nrows == 0 || s->updated == s->batch->last[0].count)
        return 0;
    return query_last(s, sql_last);
}

static int
start_alerts(struct send *s)
{
    const struct pg_array *alerts = &s->batch->alerts;

    if (s->batch->nalerts == 0)
        return 0;
    return query(s, sql_alerts,
                 &(struct pg_param){PG_TEXT_ARRAY, alerts->data, alerts->n}, 1);
}

/* The position behind the batch, or the range's end. */
static int
start_cursor(struct send *s)
{
    char sql[2 * sizeof(s->cursor) + 256];
    char where[sizeof(s->cursor) + 80];

    snprintf(where, sizeof(where), "%s AND position = %" PRIu64 " AND until = %" PRIu64,
             s->cursor, s->recorded, s->until);
    if (s->batch->next < s->until)
        snprintf(sql, sizeof(sql),
                 "UPDATE store_cursor SET position = %" PRIu64 ", at = now() WHERE %s"
                 " RETURNING (SELECT count(*) FROM store_cursor WHERE %s)",
                 s->batch->next, where, s->cursor);
    else
        snprintf(sql, sizeof(sql),
                 "DELETE FROM store_cursor WHERE %s"
                 " RETURNING (SELECT count(*) FROM store_cursor WHERE %s) - 1",
                 where, s->cursor);
    return query(s, sql, NULL, 0);
}

static bool
done_cursor(struct send *s, const struct pg_result *rows)
{
    s->ranges = PQntuples(rows) == 1 ? atoi(PQgetvalue(rows, 0, 0)) : 0;
    return true;
}

/* Where somebody has taken the range away, nothing of it was ours to bring. */
static int
start_commit(struct send *s)
{
    if (s->ranges == 0)
        s->rows = 0;
    return query(s, s->ranges > 0 ? "COMMIT" : "ROLLBACK", NULL, 0);
}

static const struct {
    int (*start)(struct send *s);
    bool (*done)(struct send *s,
                 const struct pg_result *rows); /* false: start it again */
} steps[] = {
    {start_keys, done_keys},   {start_partitions, done_partitions},
    {start_copy, done_copy},   {start_merge, done_merge},
    {start_newer, done_newer}, {start_last, NULL},
    {start_alerts, NULL},      {start_cursor, done_cursor},
    {start_commit, NULL},
};
enum {
    COPY = 2,
    STEPS = sizeof(steps) / sizeof(steps[0])
};

static void
on_aborted(void *arg, const struct pg_answer *answer)
{
    struct send *s = arg;

    (void)answer;
    s->done(s->arg, &(struct pg_answer){.sqlstate = s->sqlstate, .error = s->error});
}

/* Remembers why, since the answer goes when its query does. */
static void
fail(struct send *s, const char *sqlstate, const char *error)
{
    snprintf(s->sqlstate, sizeof(s->sqlstate), "%s", sqlstate);
    snprintf(s->error, sizeof(s->error), "%s", error);
    if (s->step < COPY)
        on_aborted(s, NULL);
    else
        pg_conn_send(s->conn,
                     &(struct pg_query){.sql = "ROLLBACK", .done = on_aborted, .arg = s});
}

static void
on_step(void *arg, const struct pg_answer *answer)
{
    struct send *s = arg;

    if (!answer->rows) {
        fail(s, answer->sqlstate, answer->error);
        return;
    }
    if (!steps[s->step].done || steps[s->step].done(s, answer->rows))
        s->step++;
    advance(s);
}

static void
advance(struct send *s)
{
    int rc = 0;

    while (s->step < STEPS && (rc = steps[s->step].start(s)) == 0)
        s->step++;
    if (rc < 0)
        pg_conn_drop(s->conn, "no memory for a batch");
    else if (s->step == STEPS)
        s->done(s->arg, NULL);
}

int
send_init(struct send *send, struct pg_conn *conn, const char *cursor, send_done *done,
          void *arg)
{
    *send = (struct send){.conn = conn, .done = done, .arg = arg};
    snprintf(send->cursor, sizeof(send->cursor), "%s", cursor);
    return keys_new(&send->keys);
}

void
send_clear(struct send *send)
{
    keys_free(send->keys);
    free(send->partitions.missing.data);
    free(send->ids.data);
}

void
send_forget(struct send *send)
{
    keys_forget(send->keys);
    partitions_forget(&send->partitions);
    send->routed = false;
}

void
send_prepare(struct send *send, struct batch *batch)
{
    if (!batch->sorted && batch_unknown(batch, send->keys, &send->ids) == 0 &&
        batch_sort(batch, send->keys) < 0)
        batch->sorted = false; /* it is tried again when the batch is sent */
}

void
send_start(struct send *send, struct batch *batch, uint64_t recorded, uint64_t until,
           bool merge, int32_t today, int32_t ahead)
{
    send->recorded = recorded;
    send->batch = batch;
    send->until = until;
    send->merge = merge;
    send->today = today;
    send->ahead = ahead;
    send->step = 0;
    send->rows = 0;
    advance(send);
}
