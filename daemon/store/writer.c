/* The writer: three lanes bring the journal to PostgreSQL, readings over two by halves of
 * the meters, alerts over the third. Here is what they are together: one consumer of the
 * journal. */
#include "daemon/store/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/store/lane.h"

static const char consumer[] = STORE_CONSUMER;

struct writer {
    struct journal *journal;
    struct lane *lane[BATCH_SHARES];
    bool up;
    char why[200]; /* it is away, as it was logged */

    struct event *flush;
    store_done *flush_done;
    void *flush_arg;
};

/* The journal keeps what any lane still needs; as before, where one does not know yet. */
static void
acknowledge(struct writer *w)
{
    uint64_t needed = UINT64_MAX;

    for (int i = 0; i < BATCH_SHARES; i++) {
        uint64_t position;

        if (lane_needs(w->lane[i], &position) < 0)
            return;
        if (position < needed)
            needed = position;
    }
    journal_ack(w->journal, consumer, needed);
}

static bool
settled(const struct writer *w)
{
    for (int i = 0; i < BATCH_SHARES; i++) {
        if (!lane_settled(w->lane[i]))
            return false;
    }
    return true;
}

static void
on_changed(void *arg)
{
    struct writer *w = arg;
    const struct timeval now = {0, 0};
    struct store_stats stats;

    if (!w->lane[BATCH_SHARES - 1]) /* they are still being made */
        return;
    acknowledge(w);
    writer_stats(w, &stats);
    if (stats.state == STORE_UP && !w->up) {
        log_note("store: PostgreSQL is there, %" PRIu64
                 " bytes of the journal are to be stored",
                 stats.behind);
        w->why[0] = '\0';
    }
    w->up = stats.state == STORE_UP;
    if (w->flush_done && settled(w))
        event_add(w->flush, &now);
}

static void
on_away(void *arg, const char *why)
{
    struct writer *w = arg;

    if (strcmp(w->why, why) != 0)
        log_warn("store: PostgreSQL is away, the journal keeps what it lacks: %s", why);
    snprintf(w->why, sizeof(w->why), "%s", why);
}

/* After an outage the lanes' pauses differ. */
static void
on_up(void *arg)
{
    struct writer *w = arg;

    for (int i = 0; i < BATCH_SHARES; i++) {
        if (w->lane[i])
            lane_retry(w->lane[i]);
    }
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct writer *w = arg;
    store_done *done = w->flush_done;

    (void)fd, (void)what;
    event_del(w->flush);
    w->flush_done = NULL;
    if (done)
        done(w->flush_arg);
}

int
writer_new(struct event_base *base, struct clock *clock, struct journal *journal,
           const struct store_options *options, const char *journal_id,
           struct writer **ret_writer)
{
    struct writer *w = calloc(1, sizeof(*w));
    uint64_t acked;
    int rc = LW_ENOMEM;

    if (!w)
        return LW_ENOMEM;
    w->journal = journal;
    w->flush = event_new(base, -1, 0, on_flush, w);
    if (!w->flush)
        goto out;
    for (int i = 0; i < BATCH_SHARES; i++) {
        const struct lane_options lane = {.store = options,
                                          .journal_id = journal_id,
                                          .share = (enum batch_share)i,
                                          .changed = on_changed,
                                          .up = on_up,
                                          .away = on_away,
                                          .arg = w};

        rc = lane_new(base, clock, journal, &lane, &w->lane[i]);
        if (rc < 0)
            goto out;
    }
    /* From now on the journal keeps what the database lacks. */
    if (journal_acked(journal, consumer, &acked) == LW_ENOTFOUND)
        journal_ack(journal, consumer, journal_start(journal));
    *ret_writer = w;
    w = NULL;
out:
    writer_free(w);
    return rc;
}

void
writer_free(struct writer *writer)
{
    if (!writer)
        return;
    for (int i = 0; i < BATCH_SHARES; i++)
        lane_free(writer->lane[i]);
    if (writer->flush)
        event_free(writer->flush);
    free(writer);
}

void
writer_stats(const struct writer *writer, struct store_stats *ret_stats)
{
    struct store_stats sum = {.state = STORE_UP};
    uint64_t acked, needed;

    for (int i = 0; i < BATCH_SHARES; i++) {
        struct store_stats one;

        lane_stats(writer->lane[i], &one);
        sum.readings_stored += one.readings_stored;
        sum.alerts_stored += one.alerts_stored;
        sum.batches += one.batches;
        sum.failed += one.failed;
        sum.refused += one.refused;
        if (one.behind > sum.behind)
            sum.behind = one.behind;
        if (one.backlog > sum.backlog)
            sum.backlog = one.backlog;
        if (one.batch_us > sum.batch_us)
            sum.batch_us = one.batch_us;
        if (one.state < sum.state) /* as its worst lane */
            sum.state = one.state;
        if (one.state == STORE_AWAY && one.error[0])
            snprintf(sum.error, sizeof(sum.error), "%s", one.error);
        /* Before the first answer: what the journal knows. */
        if (lane_needs(writer->lane[i], &needed) < 0 &&
            journal_acked(writer->journal, consumer, &acked) == 0 &&
            journal_durable(writer->journal) - acked > sum.behind)
            sum.behind = journal_durable(writer->journal) - acked;
    }
    *ret_stats = sum;
}

void
writer_flush(struct writer *writer, int64_t most_ms, store_done *done, void *arg)
{
    const struct timeval most = {most_ms / 1000, (most_ms % 1000) * 1000};

    writer->flush_done = done;
    writer->flush_arg = arg;
    event_add(writer->flush, &most);
    for (int i = 0; i < BATCH_SHARES; i++)
        lane_flush(writer->lane[i]);
    on_changed(writer);
}
