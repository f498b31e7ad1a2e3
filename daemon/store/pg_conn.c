/* One connection to PostgreSQL on the event loop. What libpq asks for, found by running
 * it: PQconsumeInput is never called while PQconnectPoll is at work; its socket may be
 * another after each poll; a COPY is fed only while PQflush has nothing left, since
 * libpq's buffer would grow without end; PQcancel blocks, so the server's own time limits
 * end a query. */
#include "daemon/store/pg_conn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include <lodewatch/result.h>
#include <lodewatch/schedule.h>
#include <lodewatch/text.h>

#include "daemon/clock.h"
#include "daemon/log.h"

enum {
    CONNECT_MS = 10000,
    SILENT_MS = 35000, /* longer than the server's own limits */
    BACKOFF_MS = 1000,
    BACKOFF_MOST_MS = 60000,
    SLICES = 16, /* of a COPY in one callback, so that others get their turn */
    WHY = 200,
};

static const char settings[] = "SET statement_timeout = '30s';"
                               "SET lock_timeout = '2s';"
                               "SET idle_in_transaction_session_timeout = '30s';"
                               "SET client_min_messages = warning;"
                               "SET timezone = 'UTC'; SET datestyle = 'ISO'";

enum state {
    DOWN,
    CONNECTING,
    SETTING,
    IDLE,
    BUSY
};

struct pg_conn {
    struct event_base *base;
    struct pg_events events;
    void *arg;
    char *conninfo;
    char *program;

    enum state state;
    PGconn *pg;
    struct event *poll; /* while connecting: one socket event a poll */
    struct event *readable;
    struct event *writable;
    struct event *timer; /* the next attempt, or the limit of what is under way */
    uint32_t failures;

    struct pg_query query;
    bool feeding;
    bool taking;
    bool broken; /* to be given up from the loop, for the reason in `why` */
    PGresult *result;
    PGresult *error;
    char why[WHY];
    char slice[PG_SLICE];
};

/* libpq's messages have several lines and tabs, and end in a line feed. */
static void
one_line(char why[WHY], const char *message)
{
    struct lw_text t;
    bool gap = false;

    lw_text_init(&t, why, WHY);
    for (; *message; message++) {
        if (*message == '\n' || *message == '\t' || *message == ' ') {
            gap = t.len > 0;
            continue;
        }
        if (gap)
            lw_text_add(&t, " ");
        lw_text_addn(&t, message, 1);
        gap = false;
    }
}

static void
arm(struct pg_conn *c, int64_t ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    event_add(c->timer, &tv);
}

static void
event_drop(struct event **event)
{
    if (*event)
        event_free(*event);
    *event = NULL;
}

static void
disconnect(struct pg_conn *c)
{
    event_drop(&c->poll);
    event_drop(&c->readable);
    event_drop(&c->writable);
    PQclear(c->result);
    PQclear(c->error);
    PQfinish(c->pg);
    c->result = c->error = NULL;
    c->pg = NULL;
    c->feeding = c->taking = c->broken = false;
    c->state = DOWN;
}

/* The connection is gone: everything of it goes, and another attempt is set. */
static void
lose(struct pg_conn *c, const char *why)
{
    char text[WHY];

    one_line(text, why); /* before libpq's own text goes with the connection */
    disconnect(c);
    c->failures++;
    arm(c, lw_backoff(c->failures + 1, BACKOFF_MS, BACKOFF_MOST_MS,
                      (uint64_t)clock_io_us() ^ (uint64_t)getpid()));
    c->events.down(c->arg, text);
}

/* As lose(), where the caller is not the loop. */
static void
lose_soon(struct pg_conn *c, const char *why)
{
    one_line(c->why, why);
    c->broken = true;
    arm(c, 0);
}

static void
notice(void *arg, const char *message)
{
    char text[WHY];

    (void)arg;
    one_line(text, message);
    log_note("PostgreSQL: %s", text);
}

static void
finish(struct pg_conn *c)
{
    struct pg_query query = c->query;
    PGresult *result = c->error ? c->error : c->result;
    struct pg_answer answer = {.rows = result, .sqlstate = "", .error = ""};
    char why[WHY];

    if (c->error) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

        one_line(why, message ? message : PQresultErrorMessage(result));
        answer = (struct pg_answer){.sqlstate = state ? state : "XX000", .error = why};
        PQclear(c->result);
    }
    c->result = c->error = NULL;
    event_del(c->timer);
    c->state = IDLE;
    query.done(query.arg, &answer);
    PQclear(result);
}

/* Keeps the first error, else the last result. */
static void
keep(struct pg_conn *c, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        PQclear(c->error ? result : NULL);
        c->error = c->error ? c->error : result;
    } else {
        PQclear(c->result);
        c->result = result;
    }
}

/* Hands slices of a COPY to libpq for as long as the socket takes them. */
static void
feed(struct pg_conn *c, int *unsent)
{
    for (int i = 0; i < SLICES && *unsent == 0 && c->feeding; i++) {
        size_t n = c->query.feed(c->query.arg, c->slice, sizeof(c->slice));

        if (n > 0 && PQputCopyData(c->pg, c->slice, (int)n) == 1) {
            *unsent = PQflush(c->pg);
            continue;
        }
        /* At the end, or the server has refused it: its result says why. */
        c->feeding = false;
        if (PQputCopyEnd(c->pg, NULL) == 1)
            *unsent = PQflush(c->pg);
    }
}

/* False: more has to come in first. */
static bool
take(struct pg_conn *c)
{
    char *data;
    int n;

    while ((n = PQgetCopyData(c->pg, &data, 1)) > 0) {
        c->query.take(c->query.arg, data, (size_t)n);
        PQfreemem(data);
    }
    c->taking = n == 0;
    return !c->taking;
}

/* Moves the query on as far as it goes without waiting. */
static void
pump(struct pg_conn *c)
{
    int unsent = PQflush(c->pg);

    for (;;) {
        if (c->feeding)
            feed(c, &unsent);
        if (unsent < 0) {
            lose(c, PQerrorMessage(c->pg));
            return;
        }
        if (unsent > 0 || c->feeding)
            event_add(c->writable, NULL);
        if (c->feeding || (c->taking && !take(c)) || PQisBusy(c->pg))
            return;

        PGresult *result = PQgetResult(c->pg);

        if (!result) {
            if (PQstatus(c->pg) == CONNECTION_BAD)
                lose(c, PQerrorMessage(c->pg));
            else
                finish(c);
            return;
        }
        if (PQresultStatus(result) == PGRES_COPY_IN ||
            PQresultStatus(result) == PGRES_COPY_OUT) {
            c->feeding = PQresultStatus(result) == PGRES_COPY_IN;
            c->taking = !c->feeding;
            PQclear(result);
        } else {
            keep(c, result);
        }
    }
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct pg_conn *c = arg;

    (void)fd, (void)what;
    if (c->broken) {
        return;
    } else if (PQconsumeInput(c->pg) == 0) {
        lose(c, PQerrorMessage(c->pg));
    } else if (c->state == SETTING || c->state == BUSY) {
        arm(c, c->query.most_ms);
        pump(c);
    } else {
        PGnotify *unasked = PQnotifies(c->pg); /* has libpq parse what came by itself */

        PQfreemem(unasked);
        if (PQstatus(c->pg) == CONNECTION_BAD)
            lose(c, PQerrorMessage(c->pg));
    }
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct pg_conn *c = arg;

    (void)fd, (void)what;
    if (!c->broken && (c->state == SETTING || c->state == BUSY)) {
        arm(c, c->query.most_ms);
        pump(c);
    }
}

static void
on_set(void *arg, const struct pg_answer *answer)
{
    struct pg_conn *c = arg;

    if (!answer->rows)
        lose_soon(c, answer->error);
    else
        c->events.up(c->arg);
}

static void
send_query(struct pg_conn *c, const struct pg_query *query, enum state state)
{
    Oid types[PG_PARAMS];
    const char *values[PG_PARAMS];
    int lengths[PG_PARAMS];
    int formats[PG_PARAMS];
    int sent;

    c->query = *query;
    if (query->most_ms == 0)
        c->query.most_ms = SILENT_MS;
    c->state = state;
    for (int i = 0; i < query->nparams; i++) {
        types[i] = query->params[i].type;
        values[i] = query->params[i].data;
        lengths[i] = (int)query->params[i].n;
        formats[i] = 1;
    }
    if (query->nparams > 0)
        sent = PQsendQueryParams(c->pg, query->sql, query->nparams, types, values,
                                 lengths, formats, 0);
    else
        sent = PQsendQuery(c->pg, query->sql);
    if (!sent || PQflush(c->pg) < 0) {
        lose_soon(c, PQerrorMessage(c->pg));
        return;
    }
    arm(c, c->query.most_ms);
    event_add(c->writable, NULL); /* the rest is the loop's */
}

static void
connected(struct pg_conn *c)
{
    event_drop(&c->poll);
    c->readable =
        event_new(c->base, PQsocket(c->pg), EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(c->base, PQsocket(c->pg), EV_WRITE, on_writable, c);
    if (!c->readable || !c->writable || PQsetnonblocking(c->pg, 1) != 0) {
        lose(c, "no memory for the connection");
        return;
    }
    event_add(c->readable, NULL);
    send_query(c,
               &(struct pg_query){
                   .sql = settings, .most_ms = CONNECT_MS, .done = on_set, .arg = c},
               SETTING);
}

static void watch(struct pg_conn *c, short what);

static void
on_poll(evutil_socket_t fd, short what, void *arg)
{
    struct pg_conn *c = arg;

    (void)fd, (void)what;
    switch (PQconnectPoll(c->pg)) {
    case PGRES_POLLING_READING:
        watch(c, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        watch(c, EV_WRITE);
        break;
    case PGRES_POLLING_OK:
        connected(c);
        break;
    default:
        lose(c, PQerrorMessage(c->pg));
        break;
    }
}

static void
watch(struct pg_conn *c, short what)
{
    event_drop(&c->poll);
    c->poll = event_new(c->base, PQsocket(c->pg), what, on_poll, c);
    if (c->poll)
        event_add(c->poll, NULL);
    else
        lose(c, "no memory for the connection");
}

static void
connect_start(struct pg_conn *c)
{
    /* What stands before dbname, the conninfo may say otherwise. */
    const char *keys[] = {"tcp_user_timeout", "dbname", "fallback_application_name",
                          "client_encoding", NULL};
    const char *values[] = {"30000", c->conninfo, c->program, "UTF8", NULL};

    c->pg = PQconnectStartParams(keys, values, 1);
    c->state = CONNECTING;
    if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
        lose(c, c->pg ? PQerrorMessage(c->pg) : "no memory for the connection");
        return;
    }
    PQsetNoticeProcessor(c->pg, notice, c);
    arm(c, CONNECT_MS);
    watch(c, EV_WRITE);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct pg_conn *c = arg;

    (void)fd, (void)what;
    if (c->broken)
        lose(c, c->why);
    else if (c->state == DOWN)
        connect_start(c);
    else
        lose(c,
             c->state == CONNECTING ? "no connection within 10 s" : "no answer in time");
}

int
pg_conn_new(struct event_base *base, const char *conninfo, const char *program,
            const struct pg_events *events, void *arg, struct pg_conn **ret_conn)
{
    struct pg_conn *c;

    if (pg_conninfo_check(conninfo) < 0)
        return LW_EINVAL;
    c = calloc(1, sizeof(*c));
    if (!c)
        return LW_ENOMEM;
    c->base = base;
    c->events = *events;
    c->arg = arg;
    c->conninfo = strdup(conninfo);
    c->program = strdup(program);
    c->timer = event_new(base, -1, 0, on_timer, c);
    if (!c->conninfo || !c->program || !c->timer) {
        pg_conn_free(c);
        return LW_ENOMEM;
    }
    *ret_conn = c;
    return 0;
}

void
pg_conn_free(struct pg_conn *conn)
{
    if (!conn)
        return;
    disconnect(conn);
    event_drop(&conn->timer);
    free(conn->conninfo);
    free(conn->program);
    free(conn);
}

void
pg_conn_open(struct pg_conn *conn)
{
    if (conn->state == DOWN)
        arm(conn, 0);
}

void
pg_conn_drop(struct pg_conn *conn, const char *why)
{
    if (conn->state != DOWN)
        lose_soon(conn, why);
}

void
pg_conn_good(struct pg_conn *conn)
{
    conn->failures = 0;
}

bool
pg_conn_idle(const struct pg_conn *conn)
{
    return conn->state == IDLE && !conn->broken;
}

void
pg_conn_send(struct pg_conn *conn, const struct pg_query *query)
{
    send_query(conn, query, BUSY);
}
