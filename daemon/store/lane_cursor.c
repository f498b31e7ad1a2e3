/* A lane's cursor: the ranges of the journal that the database lacks, as store_cursor has
 * them. Read at each connect, and whenever a range comes or goes. */
#include "daemon/store/lane_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>

#include "daemon/log.h"

enum {
    LIVE_MOST = 4 << 20, /* bytes: a longer stretch is left to the backlog */
    RANGES_MOST = 64,    /* more outages than that at a time are made up for in order */
};

static void
ask(struct lane *l, const char *sql, pg_done *done)
{
    pg_conn_send(l->conn, &(struct pg_query){.sql = sql, .done = done, .arg = l});
}

static void
on_range_made(void *arg, const struct pg_answer *answer)
{
    struct lane *l = arg;

    if (answer->rows)
        lane_read_cursor(l);
    else
        pg_conn_drop(l->conn, answer->error);
}

/* The database has more of this journal than there is: everything is brought again. */
static void
begin_anew(struct lane *l)
{
    char sql[sizeof(l->send.cursor) + 64];

    log_warn("store: the database has more of this journal than there is (an old "
             "state_dir?): merging all of it");
    l->merge_before = journal_durable(l->journal);
    snprintf(sql, sizeof(sql), "DELETE FROM store_cursor WHERE %s", l->send.cursor);
    ask(l, sql, on_range_made);
}

/* What is new goes first: the rest becomes a range of its own, to be brought beside it.
 */
static void
jump(struct lane *l, uint64_t position)
{
    uint64_t to = journal_durable(l->journal);
    char sql[2 * sizeof(l->send.cursor) + 320];

    snprintf(sql, sizeof(sql),
             "INSERT INTO store_cursor(journal_id, lane, position, until, at)"
             " SELECT journal_id, lane, position, %" PRIu64 ", now() FROM store_cursor"
             "  WHERE %s AND until = %" PRIu64 " AND position = %" PRIu64 ";"
             "UPDATE store_cursor SET position = %" PRIu64 ", at = now()"
             " WHERE %s AND until = %" PRIu64 " AND position = %" PRIu64,
             to, l->send.cursor, STREAM_OPEN, position, to, l->send.cursor, STREAM_OPEN,
             position);
    ask(l, sql, on_range_made);
}

struct range {
    uint64_t recorded, position, until; /* position: what the journal still has of it */
};

static struct range
range_at(const struct lane *l, const struct pg_result *rows, int row)
{
    uint64_t start = journal_start(l->journal);
    uint64_t recorded = strtoull(PQgetvalue(rows, row, 0), NULL, 10);
    struct range range = {recorded, recorded,
                          strtoull(PQgetvalue(rows, row, 1), NULL, 10)};

    if (range.position < start) {
        uint64_t lost_to = start < range.until ? start : range.until;

        if (l->fresh)
            log_error("store: the journal no longer has its positions %" PRIu64
                      " to %" PRIu64 ", which the database lacks",
                      range.position, lost_to);
        range.position = lost_to;
    }
    return range;
}

/* Where the database stands: ranges, ascending; the last one is what is new. */
static void
on_cursor(void *arg, const struct pg_answer *answer)
{
    struct lane *l = arg;
    int n = answer->rows ? PQntuples(answer->rows) : 0;
    uint64_t durable = journal_durable(l->journal);
    struct range first, last;

    if (!answer->rows || n == 0) {
        pg_conn_drop(l->conn, n == 0 && answer->rows ? "no cursor" : answer->error);
        return;
    }
    last = range_at(l, answer->rows, n - 1);
    first = n > 1 ? range_at(l, answer->rows, 0) : last;
    if (last.position > durable) {
        begin_anew(l);
        return;
    }
    if (l->fresh && l->options.share != BATCH_ALERTS &&
        durable - last.position > LIVE_MOST && n < RANGES_MOST) {
        l->fresh = false;
        jump(l, last.recorded);
        return;
    }
    l->fresh = false;
    l->known = true;
    l->ranges = n;
    l->later = 0;
    for (int i = 1; i < n - 1; i++) {
        struct range range = range_at(l, answer->rows, i);

        l->later += range.until - range.position;
    }
    stream_set(&l->live, last.recorded, last.position, STREAM_OPEN);
    stream_set(&l->backlog, first.recorded, first.position, n > 1 ? first.until : 0);
    l->stats.state = STORE_UP;
    l->stats.error[0] = '\0';
    lane_go_back(l);
    lane_changed(l);
}

/* Locked, should the last connection's COMMIT still be at work. */
void
lane_read_cursor(struct lane *l)
{
    char sql[2 * sizeof(l->send.cursor) + 384];

    snprintf(
        sql, sizeof(sql),
        "INSERT INTO store_cursor(journal_id, lane, position, until, at)"
        " VALUES ('%s', %d, %" PRIu64 ", %" PRIu64 ", now()) ON CONFLICT DO NOTHING;"
        "SELECT position, until FROM store_cursor WHERE %s ORDER BY until FOR UPDATE",
        l->journal_id, (int)l->options.share, journal_start(l->journal), STREAM_OPEN,
        l->send.cursor);
    ask(l, sql, on_cursor);
}
