/* Reading back for the API: one query at a time, a short line of those that wait, and an
 * error at once while the database is away. */
#include "daemon/store/reader.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "daemon/log.h"
#include "daemon/store/pg_bytes.h"
#include "daemon/store/pg_conn.h"

enum {
    WAITING = 32,
    LIMIT_MOST = 1000
};

static const char sql_alerts[] =
    "SELECT coalesce(jsonb_agg(body ORDER BY at, event_id), '[]')::text FROM"
    " (SELECT at, event_id, body FROM alert WHERE at >= $1 AND at < $2"
    "  ORDER BY at DESC, event_id DESC LIMIT $3) AS newest";

struct question {
    struct store_alerts_query query;
    store_answer *answer;
    void *arg;
};

struct reader {
    struct pg_conn *conn;
    struct event *refuse; /* answers from the loop, never from within the question */
    struct question line[WAITING];
    uint32_t first, n;
    bool asked; /* the first of the line is under way */
    char error[200];
};

static void
answer_first(struct reader *r, const char *rows, const char *error)
{
    struct question q = r->line[r->first];

    r->first = (r->first + 1) % WAITING;
    r->n--;
    r->asked = false;
    q.answer(q.arg, rows, error);
}

static void ask(struct reader *r);

static void
on_alerts(void *arg, const struct pg_answer *answer)
{
    struct reader *r = arg;

    if (!answer->rows)
        log_warn("store: alerts could not be read: %s", answer->error);
    answer_first(r, answer->rows ? PQgetvalue(answer->rows, 0, 0) : NULL, answer->error);
    ask(r);
}

static int64_t
clamp(int64_t v, int64_t min, int64_t max)
{
    return v < min ? min : v > max ? max : v;
}

static void
ask(struct reader *r)
{
    const struct store_alerts_query *query = &r->line[r->first].query;
    uint8_t from[8], to[8], limit[8];

    if (r->n == 0 || r->asked || !pg_conn_idle(r->conn))
        return;
    pg_put(from, (uint64_t)pg_time(clamp(query->from.ms, LW_WALL_FIRST, LW_WALL_LAST)),
           8);
    pg_put(to, (uint64_t)pg_time(clamp(query->to.ms, LW_WALL_FIRST, LW_WALL_LAST)), 8);
    pg_put(limit, (uint64_t)clamp(query->limit, 1, LIMIT_MOST), 8);

    const struct pg_param params[] = {
        {PG_TIMESTAMPTZ, from, 8}, {PG_TIMESTAMPTZ, to, 8}, {PG_INT8, limit, 8}};

    r->asked = true;
    pg_conn_send(r->conn, &(struct pg_query){.sql = sql_alerts,
                                             .params = params,
                                             .nparams = 3,
                                             .done = on_alerts,
                                             .arg = r});
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
        answer_first(r, NULL, why);
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
        answer_first(reader, NULL, "the daemon is stopping");
    if (reader->refuse)
        event_free(reader->refuse);
    free(reader);
}

void
reader_alerts(struct reader *reader, const struct store_alerts_query *query,
              store_answer *answer, void *arg)
{
    if (reader->n == WAITING) {
        answer(arg, NULL, "too many questions wait");
        return;
    }
    reader->line[(reader->first + reader->n++) % WAITING] =
        (struct question){*query, answer, arg};
    if (reader->error[0])
        event_active(reader->refuse, EV_TIMEOUT, 0);
    else
        ask(reader);
}
