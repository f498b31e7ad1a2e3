/* A stream: one range of the journal, read into batches. Each lane has two: what is new,
 * and what an outage left behind. */
#ifndef DAEMON_STORE_STREAM_H
#define DAEMON_STORE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/journal.h"
#include "daemon/store/batch.h"

#define STREAM_OPEN                                                                      \
    ((uint64_t)INT64_MAX) /* as PostgreSQL has it: a range without end                   \
                           */

struct stream {
    struct journal *journal;
    struct journal_reader *reader; /* NULL: not under way */
    struct journal_record held;    /* read, but not in a batch yet */
    bool holding;
    struct batch *batch;  /* the one that is filled */
    uint64_t committed;   /* of the range, the database has everything before it */
    uint64_t recorded;    /* where the range begins in store_cursor */
    uint64_t until;       /* the range's end */
    uint64_t skip_before; /* the database refuses the rows before it */
    uint32_t limit;       /* of items in a batch; small while looking for a refused one */
    uint64_t refused;     /* records that cannot be rows */
    bool full;            /* the batch takes no more */
    bool dry;             /* the journal had nothing more */
    uint64_t dry_at;      /* when this much of it was durable */
};

LW_MUSTCHECK
int stream_init(struct stream *stream, struct journal *journal, uint32_t batch_rows);
void stream_clear(struct stream *stream);
/* Another range: read from `position` on, `recorded` in store_cursor. */
void stream_set(struct stream *stream, uint64_t recorded, uint64_t position,
                uint64_t until);
/* Reads on, or anew, from what the database has; `ready` as in journal_reader_new. */
LW_MUSTCHECK
int stream_begin(struct stream *stream, journal_ready *ready, void *arg);
void stream_end(struct stream *stream);
/* Reads some records. 0: there may be more; LW_EAGAIN: not now; LW_EFULL: the batch is to
 * be sent, since it is full or the range's end is reached; LW_EIO, LW_ENOMEM. */
LW_MUSTCHECK
int stream_fill(struct stream *stream, struct keys *keys, enum batch_share share);
/* Nothing durable waits, and nothing is in the batch. */
bool stream_settled(const struct stream *stream);
/* A range with an end that is not all stored. */
static inline bool
stream_waits(const struct stream *stream)
{
    return stream->until != STREAM_OPEN && stream->until != 0;
}

#endif
