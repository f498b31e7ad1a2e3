/* A connection that is waited for: for start-up and the operator's command, each with a
 * loop of its own. The same code below, so the same time limits. */
#ifndef DAEMON_STORE_PG_SYNC_H
#define DAEMON_STORE_PG_SYNC_H

#include <stdio.h>

#include <lodewatch/result.h>

#include "daemon/store/pg_conn.h"

struct pg_sync {
    struct event_base *base;
    struct pg_conn *conn;
    int rc;
    char error[256];       /* where a call failed; no secrets in it */
    char sqlstate[6];      /* why the server refused, or "" */
    int64_t silent_ms;     /* a query is given up after so long without a sign */
    char *value;           /* the last query's first value, or NULL */
    unsigned long touched; /* rows that the last command touched */
    int from, to;          /* the schema's versions, found by pg_sync_migrate */

    const char *in; /* what is copied in, and how much of it is left */
    size_t in_n;
    FILE *out;     /* where to a COPY goes: here, */
    pg_take *take; /* or here */
    void *take_arg;
};

/* Connects, once. LW_EIO, LW_EINVAL (not a conninfo), LW_ENOMEM; close it then too. */
LW_MUSTCHECK
int pg_sync_open(struct pg_sync *sync, const char *conninfo);
void pg_sync_close(struct pg_sync *sync);
/* LW_EIO. Several statements may be in it. */
LW_MUSTCHECK
int pg_sync_run(struct pg_sync *sync, const char *sql);
/* One statement with parameters. */
LW_MUSTCHECK
int pg_sync_run_with(struct pg_sync *sync, const char *sql, const struct pg_param *params,
                     int nparams);
/* COPY … FROM STDIN of `n` bytes. */
LW_MUSTCHECK
int pg_sync_copy_in(struct pg_sync *sync, const char *sql, const char *data, size_t n);
/* COPY … TO STDOUT */
LW_MUSTCHECK
int pg_sync_copy_out(struct pg_sync *sync, const char *sql, FILE *to);
/* The same, each row as it comes. `take` may use other connections; one that cannot go on
 * calls pg_sync_give_up, and rows that still come are none of its business. */
LW_MUSTCHECK
int pg_sync_copy_rows(struct pg_sync *sync, const char *sql, pg_take *take, void *arg);
/* Ends the connection, and what is under way on it, with this error. */
void pg_sync_give_up(struct pg_sync *sync, const char *why);
/* LW_EVERSION: the schema is newer than the program. */
LW_MUSTCHECK
int pg_sync_migrate(struct pg_sync *sync);

#endif
