/* Reading back for the API: one question at a time, a short line of those that wait, and
 * an error at once while the database is away. Readings take several queries: where they
 * begin, then for each day its rows and its block, as little of it in one callback as a
 * block has. */
#include "daemon/store/reader.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include <lodewatch/codec.h>

#include "daemon/log.h"
#include "daemon/store/pg_bytes.h"
#include "daemon/store/pg_conn.h"
#include "daemon/store/window.h"

enum {
    WAITING = 32,
    LIMIT_MOST = 1000,
    DAYS_MOST = 31, /* that a page of readings looks into */
};

static const char sql_alerts[] =
    "SELECT coalesce(jsonb_agg(body ORDER BY at, event_id), '[]')::text FROM"
    " (SELECT at, event_id, body FROM alert WHERE at >= $1 AND at < $2"
    "  ORDER BY at DESC, event_id DESC LIMIT $3) AS newest";

/* The meter's integer, and the first time from $2 on at which it has a reading, or the
 * day of which it has a block; no row where there is none. */
static const char sql_begin[] =
    "SELECT meter_id, (extract(epoch FROM begins) * 1000)::int8 FROM"
    " (SELECT meter_id, least((SELECT min(ts) FROM reading AS r"
    "   WHERE r.meter_id = k.meter_id AND ts >= $2),"
    "  (SELECT min(day)::timestamptz FROM reading_day AS d"
    "   WHERE d.meter_id = k.meter_id AND day >= $2::date)) AS begins"
    "  FROM meter_key AS k WHERE id = $1) AS meter WHERE begins IS NOT NULL";

struct reader;

struct question {
    void (*ask)(struct reader *r); /* the first query */
    union {
        struct store_alerts_query alerts;
        struct store_readings_query readings;
    };
    store_answer *answer;
    void *arg;
};

/* The readings that are asked for, as far as they are known. */
struct found {
    struct window *window;
    char meter[12]; /* its integer */
    lw_wall from;   /* what is still to be looked into */
    lw_wall end;    /* of the day that is looked into, or of the question */
    int days;
    int32_t n;
    FILE *json;
    char *text;
    size_t size;
};

struct reader {
    struct pg_conn *conn;
    struct event *refuse; /* answers from the loop, never from within the question */
    struct question line[WAITING];
    uint32_t first, n;
    bool asked; /* the first of the line is under way */
    struct found found;
    char error[200];
};

static void
answer_first(struct reader *r, const char *rows, const char *next, const char *error)
{
    struct question q = r->line[r->first];

    r->first = (r->first + 1) % WAITING;
    r->n--;
    r->asked = false;
    q.answer(q.arg, rows, next, error);
}

static void ask(struct reader *r);

/* ---- alerts ---- */

static void
on_alerts(void *arg, const struct pg_answer *answer)
{
    struct reader *r = arg;

    if (!answer->rows)
        log_warn("store: alerts could not be read: %s", answer->error);
    answer_first(r, answer->rows ? PQgetvalue(answer->rows, 0, 0) : NULL, "null",
                 answer->error);
    ask(r);
}

static int64_t
clamp(int64_t v, int64_t min, int64_t max)
{
    return v < min ? min : v > max ? max : v;
}

static void
ask_alerts(struct reader *r)
{
    const struct store_alerts_query *query = &r->line[r->first].alerts;
    uint8_t from[8], to[8], limit[8];

    pg_put(from, (uint64_t)pg_time(clamp(query->from.ms, LW_WALL_FIRST, LW_WALL_LAST)),
           8);
    pg_put(to, (uint64_t)pg_time(clamp(query->to.ms, LW_WALL_FIRST, LW_WALL_LAST)), 8);
    pg_put(limit, (uint64_t)clamp(query->limit, 1, LIMIT_MOST), 8);

    const struct pg_param params[] = {
        {PG_TIMESTAMPTZ, from, 8}, {PG_TIMESTAMPTZ, to, 8}, {PG_INT8, limit, 8}};

    pg_conn_send(r->conn, &(struct pg_query){.sql = sql_alerts,
                                             .params = params,
                                             .nparams = 3,
                                             .done = on_alerts,
                                             .arg = r});
}

/* ---- readings ---- */

static void
found_drop(struct found *f)
{
    if (f->json)
        fclose(f->json);
    free(f->text);
    f->json = NULL;
    f->text = NULL;
}

static void
readings_failed(struct reader *r, const char *error)
{
    log_warn("store: readings could not be read: %s", error);
    answer_first(r, NULL, NULL, error);
    ask(r);
}

/* `after`: of the page's last reading, or of what was looked into without finding any. */
static void
readings_end(struct reader *r, bool more, lw_wall after)
{
    struct found *f = &r->found;
    char time[LW_TIME_TEXT], next[LW_TIME_TEXT + 2] = "null";
    bool failed;

    if (more) {
        lw_wall_format(after, time);
        snprintf(next, sizeof(next), "\"%s\"", time);
    }
    fputc(']', f->json);
    failed = ferror(f->json) != 0;
    failed = fclose(f->json) != 0 || failed;
    f->json = NULL;
    if (failed) {
        readings_failed(r, "no memory for a page");
        return;
    }
    answer_first(r, f->text, next, NULL);
    ask(r);
}

static void ask_day(struct reader *r);

static void
put_day(struct reader *r)
{
    const struct store_readings_query *query = &r->line[r->first].readings;
    struct found *f = &r->found;
    char text[LW_READING_TEXT];
    lw_wall last = {f->end.ms - 1};

    for (size_t i = 0; i < f->window->n && f->n < query->limit; i++, f->n++) {
        struct lw_text t;

        last = f->window->row[i].reading.time;
        lw_text_init(&t, text, sizeof(text));
        lw_reading_json(&t, query->meter, &f->window->row[i].reading);
        fprintf(f->json, "%s%s", f->n > 0 ? "," : "", text);
    }
    if (f->n == query->limit || f->end.ms == query->to.ms || ++f->days == DAYS_MOST) {
        readings_end(r, last.ms + 1 < query->to.ms, last);
        return;
    }
    f->from = f->end;
    ask_day(r);
}

static void
on_block(void *arg, const struct pg_answer *answer)
{
    struct reader *r = arg;
    struct window *w = r->found.window;

    window_end(w);
    if (!answer->rows)
        readings_failed(r, answer->error);
    else if (w->rc < 0)
        readings_failed(r, lw_result_text(w->rc));
    else
        put_day(r);
}

static void
take_row(void *arg, const char *data, size_t n)
{
    window_take_row(((struct reader *)arg)->found.window, data, n);
}

static void
take_block(void *arg, const char *data, size_t n)
{
    window_take_block(((struct reader *)arg)->found.window, data, n);
}

static void
send_copy(struct reader *r, char *sql, pg_take *take, pg_done *done)
{
    if (!sql) {
        readings_failed(r, "no memory for a query");
        return;
    }
    pg_conn_send(r->conn,
                 &(struct pg_query){.sql = sql, .take = take, .done = done, .arg = r});
    free(sql);
}

static void
on_rows(void *arg, const struct pg_answer *answer)
{
    struct reader *r = arg;
    struct found *f = &r->found;

    if (answer->rows)
        send_copy(r, window_blocks_sql(f->window, f->meter), take_block, on_block);
    else
        readings_failed(r, answer->error);
}

static void
ask_day(struct reader *r)
{
    const struct store_readings_query *query = &r->line[r->first].readings;
    struct found *f = &r->found;

    f->end.ms = lw_floor_to(f->from.ms, LW_DAY) + LW_DAY;
    if (f->end.ms > query->to.ms)
        f->end = query->to;
    window_begin(f->window, f->from, f->end, (size_t)(query->limit - f->n));
    send_copy(r, window_rows_sql(f->window, f->meter), take_row, on_rows);
}

static void
on_begin(void *arg, const struct pg_answer *answer)
{
    struct reader *r = arg;
    const struct store_readings_query *query = &r->line[r->first].readings;
    struct found *f = &r->found;

    if (!answer->rows) {
        readings_failed(r, answer->error);
        return;
    }
    found_drop(f);
    f->json = open_memstream(&f->text, &f->size);
    if (!f->json) {
        readings_failed(r, "no memory for a page");
        return;
    }
    fputc('[', f->json);
    f->n = f->days = 0;
    f->from = query->to;
    if (PQntuples(answer->rows) > 0) {
        snprintf(f->meter, sizeof(f->meter), "%s", PQgetvalue(answer->rows, 0, 0));
        f->from.ms = strtoll(PQgetvalue(answer->rows, 0, 1), NULL, 10);
        if (f->from.ms < query->from.ms) /* the block's day begins earlier */
            f->from = query->from;
    }
    if (f->from.ms < query->to.ms)
        ask_day(r);
    else
        readings_end(r, false, f->from);
}

static void
ask_readings(struct reader *r)
{
    const struct store_readings_query *query = &r->line[r->first].readings;
    uint8_t from[8];
    const struct pg_param params[] = {{PG_TEXT, query->meter, strlen(query->meter)},
                                      {PG_TIMESTAMPTZ, from, 8}};

    pg_put(from, (uint64_t)pg_time(query->from.ms), 8);
    pg_conn_send(r->conn, &(struct pg_query){.sql = sql_begin,
                                             .params = params,
                                             .nparams = 2,
                                             .done = on_begin,
                                             .arg = r});
}

/* ---- the line ---- */

static void
ask(struct reader *r)
{
    if (r->n == 0 || r->asked || !pg_conn_idle(r->conn))
        return;
    r->asked = true;
    r->line[r->first].ask(r);
}

static void
on_up(void *arg)
{
    struct reader *r = arg;

    pg_conn_good(r->conn);
    r->error[0] = '\0';
    ask(r);
}

/* Nobody waits for a database that is away. */
static void
on_down(void *arg, const char *why)
{
    struct reader *r = arg;

    snprintf(r->error, sizeof(r->error), "%s", why);
    for (uint32_t n = r->n; n > 0; n--)
        answer_first(r, NULL, NULL, why);
}

static void
on_refuse(evutil_socket_t fd, short what, void *arg)
{
    struct reader *r = arg;

    (void)fd, (void)what;
    if (r->error[0])
        on_down(r, r->error);
}

int
reader_new(struct event_base *base, const char *conninfo, struct reader **ret_reader)
{
    static const struct pg_events events = {on_up, on_down};
    struct reader *r = calloc(1, sizeof(*r));
    int rc = LW_ENOMEM;

    if (!r || !(r->refuse = event_new(base, -1, 0, on_refuse, r)) ||
        window_new(&r->found.window) < 0 ||
        (rc = pg_conn_new(base, conninfo, "lodewatchd-api", &events, r, &r->conn)) < 0) {
        reader_free(r);
        return rc;
    }
    pg_conn_open(r->conn);
    *ret_reader = r;
    return 0;
}

void
reader_free(struct reader *reader)
{
    if (!reader)
        return;
    pg_conn_free(reader->conn);
    for (uint32_t n = reader->n; n > 0; n--)
        answer_first(reader, NULL, NULL, "the daemon is stopping");
    found_drop(&reader->found);
    window_free(reader->found.window);
    if (reader->refuse)
        event_free(reader->refuse);
    free(reader);
}

static void
stand_in_line(struct reader *reader, const struct question *question)
{
    if (reader->n == WAITING) {
        question->answer(question->arg, NULL, NULL, "too many questions wait");
        return;
    }
    reader->line[(reader->first + reader->n++) % WAITING] = *question;
    if (reader->error[0])
        event_active(reader->refuse, EV_TIMEOUT, 0);
    else
        ask(reader);
}

void
reader_alerts(struct reader *reader, const struct store_alerts_query *query,
              store_answer *answer, void *arg)
{
    stand_in_line(reader,
                  &(struct question){
                      .ask = ask_alerts, .alerts = *query, .answer = answer, .arg = arg});
}

void
reader_readings(struct reader *reader, const struct store_readings_query *query,
                store_answer *answer, void *arg)
{
    stand_in_line(reader, &(struct question){.ask = ask_readings,
                                             .readings = *query,
                                             .answer = answer,
                                             .arg = arg});
}
