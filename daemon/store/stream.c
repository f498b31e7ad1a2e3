/* A stream: reads one range of the journal into batches. */
#include "daemon/store/stream.h"

#include <inttypes.h>

#include "daemon/log.h"

enum {
    FILL_RECORDS = 100, /* in one callback, so that others get their turn */
    STRETCH_BYTES =
        64 << 20, /* of the journal in one batch: what a kill has read again */
};

int
stream_init(struct stream *stream, struct journal *journal, uint32_t batch_rows)
{
    *stream = (struct stream){.journal = journal, .limit = batch_rows};
    return batch_new(batch_rows, &stream->batch);
}

void
stream_clear(struct stream *stream)
{
    stream_end(stream);
    batch_free(stream->batch);
}

void
stream_set(struct stream *stream, uint64_t recorded, uint64_t position, uint64_t until)
{
    stream->recorded = recorded;
    stream->committed = position;
    stream->until = until;
    stream->skip_before = 0;
    stream->limit = stream->batch->cap;
}

void
stream_end(struct stream *stream)
{
    journal_reader_free(stream->reader);
    stream->reader = NULL;
}

int
stream_begin(struct stream *stream, journal_ready *ready, void *arg)
{
    stream_end(stream);
    stream->holding = stream->dry = stream->full = false;
    batch_begin(stream->batch, stream->committed);
    return journal_reader_new(stream->journal, stream->committed, ready, arg,
                              &stream->reader);
}

/* Puts the record that is held into the batch. LW_EFULL: it is the next one's. */
static int
place(struct stream *s, struct keys *keys, enum batch_share share)
{
    int rc;

    if (batch_items(s->batch) >= s->limit ||
        (s->batch->next != s->batch->first &&
         s->held.next - s->batch->first > STRETCH_BYTES))
        return LW_EFULL;
    if (s->held.position < s->skip_before)
        batch_pass(s->batch, &s->held);
    else if ((rc = batch_add(s->batch, keys, share, &s->held)) == LW_EFULL ||
             rc == LW_ENOMEM)
        return rc;
    else if (rc < 0) {
        log_error("store: the record at position %" PRIu64
                  " of the journal cannot be stored: %s",
                  s->held.position, lw_result_text(rc));
        s->refused++;
        batch_pass(s->batch, &s->held);
    }
    s->holding = false;
    return 0;
}

static int
read_some(struct stream *s, struct keys *keys, enum batch_share share)
{
    for (int i = 0; i < FILL_RECORDS; i++) {
        uint64_t durable = journal_durable(s->journal);
        int rc = 1;

        if (!s->holding && (rc = journal_next(s->reader, &s->held)) == 1)
            s->holding = true;
        s->dry = rc == 0;
        s->dry_at = durable;
        if (rc == LW_EPARSE) /* the journal has logged it */
            continue;
        if (rc < 0)
            return rc;
        if (s->until != STREAM_OPEN && (rc == 0 || s->held.position >= s->until)) {
            s->batch->next = s->until;
            return LW_EFULL;
        }
        if (rc == 0)
            return LW_EAGAIN;
        if ((rc = place(s, keys, share)) < 0)
            return rc;
    }
    return 0;
}

int
stream_fill(struct stream *stream, struct keys *keys, enum batch_share share)
{
    int rc = stream->full ? LW_EFULL : read_some(stream, keys, share);

    stream->full = rc == LW_EFULL;
    return rc;
}

bool
stream_settled(const struct stream *stream)
{
    return stream->dry && stream->dry_at == journal_durable(stream->journal) &&
           batch_items(stream->batch) == 0;
}
