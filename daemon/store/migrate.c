/* Migrations: the SQL files, embedded, each run once, in a transaction with its row in
 * schema_version, under a lock that keeps two programs from running the same one. */
#include "daemon/store/migrate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <lodewatch/result.h>

#include "daemon/embed.h"
#include "daemon/log.h"
#include "daemon/store/pg_conn.h"
#include "daemon/store/roles.h"

EMBED(sql_0001, "daemon/store/sql/0001_init.sql");
EMBED(sql_0002, "daemon/store/sql/0002_history.sql");
EMBED(sql_0003, "daemon/store/sql/0003_store_ranges.sql");
EMBED(sql_0004, "daemon/store/sql/0004_partitions.sql");
EMBED(sql_0005, "daemon/store/sql/0005_reference_review.sql");
EMBED(sql_0006, "daemon/store/sql/0006_review_date.sql");

static const char *const files[] = {
    sql_0001, sql_0002, sql_0003, sql_0004, sql_0005, sql_0006,
};
enum {
    NEWEST = sizeof(files) / sizeof(files[0])
};

static const char find[] = "SELECT max(version) FROM schema_version";

/* A migration may take longer than a batch. It runs as the role that owns the tables, so
 * that what is new is that role's too. */
static const char lock[] =
    "BEGIN;"
    "SET LOCAL lock_timeout = '10min'; SET LOCAL statement_timeout = '10min';" MIGRATE_LOCK
    "SELECT set_config('role', pg_get_userbyid(relowner), true) FROM pg_class"
    " WHERE oid = to_regclass('schema_version');"
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version int4 PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON TABLE schema_version IS 'The migrations that were run';"
    "SELECT max(version) FROM schema_version";
enum {
    FIND_MS = 10 * 1000, /* a reload waits for it */
    LOCK_MS = 11 * 60 * 1000
};

static void on_found(void *arg, const struct pg_answer *answer);
static void on_locked(void *arg, const struct pg_answer *answer);

static void
send(struct migrate *m, const char *sql, int64_t most_ms, pg_done *done)
{
    pg_conn_send(m->conn, &(struct pg_query){
                              .sql = sql, .most_ms = most_ms, .done = done, .arg = m});
}

static void
fail(struct migrate *m, const struct pg_answer *answer)
{
    char text[240];

    snprintf(text, sizeof(text), "migration to version %d: %s", m->to + 1, answer->error);
    m->done(m->arg, LW_EIO, text);
}

/* Once the lock was asked for: this user may not do it, another may. */
static void
refuse(struct migrate *m, const struct pg_answer *answer)
{
    char text[240];

    if (strcmp(answer->sqlstate, "42501") != 0) {
        fail(m, answer);
        return;
    }
    snprintf(text, sizeof(text),
             "run `lodewatch migrate` as the schema's owner: it is at version %d, this "
             "program needs %d and may not change it: %s",
             m->to, NEWEST, answer->error);
    m->done(m->arg, LW_EDENIED, text);
}

static void
on_applied(void *arg, const struct pg_answer *answer)
{
    struct migrate *m = arg;

    if (!answer->rows) {
        refuse(m, answer);
        return;
    }
    log_note("the database's schema is at version %d now", ++m->to);
    send(m, find, FIND_MS, on_found);
}

static void
on_unlocked(void *arg, const struct pg_answer *answer)
{
    (void)answer;
    struct migrate *m = arg;

    m->done(m->arg, 0, "");
}

/* Whether it is all there, or newer; done then. */
static bool
decided(struct migrate *m, const struct pg_answer *answer)
{
    m->to = atoi(PQgetvalue(answer->rows, 0, 0)); /* NULL reads as "" */
    if (m->from < 0)
        m->from = m->to;
    if (m->to <= NEWEST)
        return false;

    char text[240];

    snprintf(
        text, sizeof(text),
        "the database's schema is of version %d, this program knows versions up to %d: "
        "install a newer lodewatch",
        m->to, NEWEST);
    m->done(m->arg, LW_EVERSION, text);
    return true;
}

/* Holds the lock: another program may have been faster. */
static void
on_locked(void *arg, const struct pg_answer *answer)
{
    struct migrate *m = arg;

    if (!answer->rows) {
        refuse(m, answer);
        return;
    }
    if (decided(m, answer))
        return;
    if (m->to == NEWEST) {
        send(m, "COMMIT", FIND_MS, on_unlocked);
        return;
    }

    const char *file = files[m->to];
    const char *roles = m->to + 1 == NEWEST ? roles_sql() : "";
    char tail[96];

    snprintf(tail, sizeof(tail),
             ";INSERT INTO schema_version(version) VALUES (%d); COMMIT", m->to + 1);

    size_t cap = strlen(file) + strlen(roles) + sizeof(tail);
    char *sql = malloc(cap);

    if (!sql) {
        m->done(m->arg, LW_ENOMEM, "no memory for a migration");
        return;
    }
    snprintf(sql, cap, "%s%s%s", file, roles, tail);
    send(m, sql, LOCK_MS, on_applied);
    free(sql);
}

static void
on_found(void *arg, const struct pg_answer *answer)
{
    struct migrate *m = arg;

    if (!answer->rows &&
        strcmp(answer->sqlstate, "42P01") != 0) /* no such table: version 0 */
        fail(m, answer);
    else if (answer->rows && decided(m, answer))
        return;
    else if (answer->rows && m->to == NEWEST)
        m->done(m->arg, 0, "");
    else
        send(m, lock, LOCK_MS, on_locked);
}

int
migrate_newest(void)
{
    return NEWEST;
}

void
migrate_start(struct migrate *migrate, struct pg_conn *conn, migrate_done *done,
              void *arg)
{
    *migrate = (struct migrate){.conn = conn, .done = done, .arg = arg, .from = -1};
    send(migrate, find, FIND_MS, on_found);
}
