/* One connection to PostgreSQL on the event loop: connects, comes back after a loss, and
 * runs one query at a time. Nothing here blocks, but for the name of a host, which libpq
 * looks up itself: use hostaddr or a Unix socket. */
#ifndef DAEMON_STORE_PG_CONN_H
#define DAEMON_STORE_PG_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct pg_conn;
struct pg_result; /* libpq's PGresult */

enum {
    PG_SLICE = 65536
}; /* bytes of a COPY that are handed to libpq at a time */

/* What came of a query. Everything in it is valid during the call only. */
struct pg_answer {
    const struct pg_result *rows; /* of the last statement; NULL where it failed */
    const char *sqlstate;         /* "" where it succeeded */
    const char *error;
};
typedef void pg_done(void *arg, const struct pg_answer *answer);

/* COPY … FROM STDIN: writes the next bytes, at most `cap`; 0 says that it was all. */
typedef size_t pg_feed(void *arg, char *buf, size_t cap);
/* COPY … TO STDOUT: takes a piece. */
typedef void pg_take(void *arg, const char *data, size_t n);

/* A parameter in PostgreSQL's binary form; `data` NULL is NULL. */
struct pg_param {
    uint32_t type; /* its OID */
    const void *data;
    size_t n;
};
enum {
    PG_PARAMS = 8
};

struct pg_query {
    const char *sql; /* without parameters it may hold several statements */
    const struct pg_param *params;
    int nparams;
    int64_t most_ms; /* give the connection up after so long without progress; 0: 35 s */
    pg_feed *feed;
    pg_take *take;
    pg_done *done; /* not called where the connection is lost: `down` is */
    void *arg;
};

struct pg_events {
    void (*up)(void *arg);                    /* ready for queries */
    void (*down)(void *arg, const char *why); /* lost, or not reached; no secrets in it */
};

/* LW_EINVAL: libpq cannot read it. Says so where it names a host that has to be looked
 * up. */
int pg_conninfo_check(const char *conninfo);

/* Does nothing before pg_conn_open. The strings are copied. LW_EINVAL: not a conninfo. */
int pg_conn_new(struct event_base *base, const char *conninfo, const char *program,
                const struct pg_events *events, void *arg, struct pg_conn **ret_conn);
void pg_conn_free(struct pg_conn *conn);

/* Connects, and again whenever the connection is lost, ever more slowly (1 s to 60 s). */
void pg_conn_open(struct pg_conn *conn);
/* Gives the connection up because of what it answered; `down` is called from the loop. */
void pg_conn_drop(struct pg_conn *conn, const char *why);
/* All is well: the next attempt after a loss comes soon. */
void pg_conn_good(struct pg_conn *conn);
/* Up, and no query under way. */
bool pg_conn_idle(const struct pg_conn *conn);
/* Only while idle; sql and parameters are copied, feed's and take's arg are not. */
void pg_conn_send(struct pg_conn *conn, const struct pg_query *query);

#endif
