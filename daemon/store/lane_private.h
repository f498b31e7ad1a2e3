/* What the files of a lane share: lane.c sends batches, lane_cursor.c knows what the
 * database lacks. */
#ifndef DAEMON_STORE_LANE_PRIVATE_H
#define DAEMON_STORE_LANE_PRIVATE_H

#include "daemon/journal.h"
#include "daemon/store/lane.h"
#include "daemon/store/migrate.h"
#include "daemon/store/pg_conn.h"
#include "daemon/store/send.h"
#include "daemon/store/stream.h"

struct event;

struct lane {
    struct clock *clock;
    struct journal *journal;
    struct lane_options options; /* without its strings */
    char journal_id[64 + 1];     /* letters, digits and hyphens */
    int64_t batch_ms;
    int32_t days_ahead;
    int64_t backlog_rate;

    struct pg_conn *conn;
    struct migrate migrate;
    struct send send;

    struct stream live, backlog;
    struct stream *of; /* which of them `sending` is from; NULL: nothing is sent */
    struct batch *sending;
    struct event *work;  /* read on, send */
    struct event *close; /* send what there is */
    bool due;            /* the live batch is to be sent */
    bool slow;           /* `close` waits for IDLE_MS */
    bool flushing;
    int64_t started_us;
    int64_t backlog_at_us; /* not sent before: its rate */

    bool fresh;            /* the cursor has not been read on this connection yet */
    bool known;            /* what the database lacks */
    int ranges;            /* in store_cursor */
    uint64_t later;        /* bytes of backlog behind the range that is under way */
    uint64_t merge_before; /* rows before it may be there already */
    bool remade;           /* partitions, for the batch that is under way */

    struct store_stats stats;
};

/* Asks what the database lacks, then goes on from there. */
void lane_read_cursor(struct lane *lane);
/* Reads the journal anew from what the database has. */
void lane_go_back(struct lane *lane);
void lane_changed(struct lane *lane);

#endif
