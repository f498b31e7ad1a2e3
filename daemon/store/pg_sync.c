/* A connection that is waited for. */
#include "daemon/store/pg_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "daemon/store/migrate.h"

enum {
    WAITING = 1,
    SILENT_MS = 11 * 60 * 1000, /* the server ends what takes longer than 10 min */
};

static void
end(struct pg_sync *sync, int rc, const char *error)
{
    sync->rc = rc;
    snprintf(sync->error, sizeof(sync->error), "%s", error);
    event_base_loopbreak(sync->base);
}

static void
on_up(void *arg)
{
    end(arg, 0, "");
}

static void
on_down(void *arg, const char *why)
{
    end(arg, LW_EIO, why);
}

static void
on_done(void *arg, const struct pg_answer *answer)
{
    struct pg_sync *sync = arg;

    if (answer->rows) {
        if (PQntuples(answer->rows) > 0)
            sync->value = strdup(PQgetvalue(answer->rows, 0, 0));
        sync->touched = strtoul(PQcmdTuples((PGresult *)answer->rows), NULL, 10);
    }
    snprintf(sync->sqlstate, sizeof(sync->sqlstate), "%s", answer->sqlstate);
    end(sync, answer->rows ? 0 : LW_EIO, answer->error);
}

static void
on_migrated(void *arg, int rc, const char *error)
{
    end(arg, rc, error);
}

static int
wait_for(struct pg_sync *sync)
{
    sync->rc = WAITING;
    while (sync->rc == WAITING) {
        if (event_base_dispatch(sync->base) != 0)
            end(sync, LW_EIO, "the event loop has failed");
    }
    return sync->rc;
}

int
pg_sync_open(struct pg_sync *sync, const char *conninfo)
{
    static const struct pg_events events = {on_up, on_down};
    int rc;

    *sync = (struct pg_sync){.base = event_base_new(), .silent_ms = SILENT_MS};
    if (!sync->base)
        return LW_ENOMEM;
    rc = pg_conn_new(sync->base, conninfo, "lodewatch", &events, sync, &sync->conn);
    if (rc < 0) {
        snprintf(sync->error, sizeof(sync->error), "%s",
                 rc == LW_EINVAL ? "the conninfo is not of libpq's form"
                                 : lw_result_text(rc));
        return rc;
    }
    pg_conn_open(sync->conn);
    return wait_for(sync);
}

void
pg_sync_close(struct pg_sync *sync)
{
    free(sync->value);
    pg_conn_free(sync->conn);
    if (sync->base)
        event_base_free(sync->base);
    *sync = (struct pg_sync){0};
}

static size_t
feed(void *arg, char *buf, size_t cap)
{
    struct pg_sync *sync = arg;
    size_t n = sync->in_n < cap ? sync->in_n : cap;

    memcpy(buf, sync->in, n);
    sync->in += n;
    sync->in_n -= n;
    return n;
}

static void
take(void *arg, const char *data, size_t n)
{
    struct pg_sync *sync = arg;

    fwrite(data, 1, n, sync->out); /* the stream keeps its error */
}

static void
pass_on(void *arg, const char *data, size_t n)
{
    struct pg_sync *sync = arg;

    sync->take(sync->take_arg, data, n);
}

static int
run(struct pg_sync *sync, struct pg_query query)
{
    if (!pg_conn_idle(sync->conn))
        return LW_EIO; /* lost before; the error says why */
    free(sync->value);
    sync->value = NULL;
    sync->sqlstate[0] = '\0';
    query.most_ms = sync->silent_ms;
    query.done = on_done;
    query.arg = sync;
    pg_conn_send(sync->conn, &query);
    return wait_for(sync);
}

int
pg_sync_run(struct pg_sync *sync, const char *sql)
{
    return run(sync, (struct pg_query){.sql = sql});
}

int
pg_sync_run_with(struct pg_sync *sync, const char *sql, const struct pg_param *params,
                 int nparams)
{
    return run(sync, (struct pg_query){.sql = sql, .params = params, .nparams = nparams});
}

int
pg_sync_copy_in(struct pg_sync *sync, const char *sql, const char *data, size_t n)
{
    sync->in = data;
    sync->in_n = n;
    return run(sync, (struct pg_query){.sql = sql, .feed = feed});
}

int
pg_sync_copy_out(struct pg_sync *sync, const char *sql, FILE *to)
{
    sync->out = to;
    return run(sync, (struct pg_query){.sql = sql, .take = take});
}

int
pg_sync_copy_rows(struct pg_sync *sync, const char *sql, pg_take *to, void *arg)
{
    sync->take = to;
    sync->take_arg = arg;
    return run(sync, (struct pg_query){.sql = sql, .take = pass_on});
}

void
pg_sync_give_up(struct pg_sync *sync, const char *why)
{
    pg_conn_drop(sync->conn, why);
}

int
pg_sync_migrate(struct pg_sync *sync)
{
    struct migrate migrate;
    int rc;

    migrate_start(&migrate, sync->conn, on_migrated, sync);
    rc = wait_for(sync);
    sync->from = migrate.from;
    sync->to = migrate.to;
    return rc;
}
