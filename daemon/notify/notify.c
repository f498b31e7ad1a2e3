/* Sinks of alerts as consumers of the journal: each goes through the durable records at
 * its own pace and acknowledges what it has delivered, so that a sink that is stuck holds
 * nobody up and a crash loses nothing. */
#include "daemon/notify/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include <lodewatch/result.h>
#include <lodewatch/time.h>

#include "daemon/clock.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/notify/sink.h"

enum {
    ALERT_HEAD = 16 + 4 + 1 + 8, /* of a journal's alert record, before its JSON */
    RECORDS_A_TURN = 256,
    AGAIN_MS = 50, /* a pipe that is full */
    RETRY_MS = 1000,
    RETRY_MOST_MS = 30000,
    LAST_MS = 1000, /* for delivering what is left at the end */
};

#define NOT_COUNTED SIZE_MAX

static const struct {
    const struct sink_type *type;
    size_t delivered; /* which figure counts it */
} sinks[] = {
    {&sink_ndjson, offsetof(struct notify_stats, ndjson)},
    {&sink_journald, offsetof(struct notify_stats, journald)},
    {&sink_inspection, NOT_COUNTED},
};
enum {
    SINKS = sizeof sinks / sizeof sinks[0]
};

struct consumer {
    struct notify *notify;
    const struct sink_type *type;
    enum journal_kind kind; /* of the records that it is for */
    uint64_t *delivered;    /* NULL: it is not counted */
    void *sink;             /* NULL: not configured */
    struct journal_reader *reader;
    struct event *turn;           /* the next records, or the next try */
    struct journal_record record; /* in hand, where `holds` */
    bool holds;
    uint64_t position; /* all before it is delivered */
    uint64_t flushed;
    bool failing; /* and it has been logged */
    int64_t retry_ms;
};

struct notify {
    struct journal *journal;
    struct notify_stats stats;
    struct consumer consumer[SINKS];
};

static void
plan(struct consumer *c, int64_t ms)
{
    struct timeval after = {ms / 1000, (suseconds_t)(ms % 1000 * 1000)};

    event_add(c->turn, &after);
}

/* A failure is logged once, until the sink works again. */
static int64_t
note_failure(struct consumer *c, int rc)
{
    if (rc == LW_EAGAIN)
        return AGAIN_MS;
    if (!c->type->inspection)
        c->notify->stats.failed++;
    if (!c->failing) {
        if (!c->type->inspection)
            log_error("alerts: %s refuses: %s; they are kept and tried again",
                      c->type->name, rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
        c->failing = true;
        c->retry_ms = RETRY_MS;
    } else if (c->retry_ms < RETRY_MOST_MS) {
        c->retry_ms = 2 * c->retry_ms < RETRY_MOST_MS ? 2 * c->retry_ms : RETRY_MOST_MS;
    }
    return c->retry_ms;
}

/* The next record, where none is in hand. 1, 0, or an error. */
static int
take(struct consumer *c)
{
    while (!c->holds) {
        int rc = journal_next(c->reader, &c->record);
        if (rc == 0)
            return 0;
        if (rc < 0 && rc != LW_EPARSE) /* a damaged range is logged by the journal */
            return rc;
        c->holds = rc == 1;
    }
    return 1;
}

/* Delivers up to a turn's records. Returns 1: there may be more; 0: nothing is left; or
 * why the sink refused. */
static int
deliver(struct consumer *c)
{
    for (int i = 0; i < RECORDS_A_TURN; i++) {
        int rc = take(c);
        if (rc != 1)
            return rc;
        if (c->record.kind == c->kind && c->record.n > ALERT_HEAD) {
            rc = c->type->deliver(c->sink, (const char *)c->record.data + ALERT_HEAD,
                                  c->record.n - ALERT_HEAD);
            if (rc != 0)
                return rc;
            if (c->delivered != NULL)
                ++*c->delivered;
        }
        c->position = c->record.next;
        c->holds = false;
    }
    return 1;
}

static int
turn(struct consumer *c)
{
    int rc = deliver(c);

    if (c->position != c->flushed) {
        int flush_rc = c->type->flush == NULL ? 0 : c->type->flush(c->sink);
        if (flush_rc == 0) {
            c->flushed = c->position;
            journal_ack(c->notify->journal, c->type->name, c->position);
        } else if (rc >= 0) {
            rc = flush_rc;
        }
    }
    if (rc >= 0 && c->failing) {
        if (!c->type->inspection)
            log_note("alerts: %s works again", c->type->name);
        c->failing = false;
    }
    return rc;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct consumer *c = arg;

    (void)fd;
    (void)what;
    int rc = turn(c);
    if (rc != 0)
        plan(c, rc > 0 ? 0 : note_failure(c, rc));
}

static void
on_ready(void *arg)
{
    struct consumer *c = arg;

    if (!evtimer_pending(c->turn, NULL))
        plan(c, 0);
}

static int
consumer_new(struct event_base *base, const struct notify_options *options,
             struct consumer *c)
{
    struct journal *journal = c->notify->journal;
    int rc = c->type->open(options, &c->sink);

    if (rc == LW_ENOTFOUND) {
        /* Nothing is kept for it; when it comes back, it begins with what is new then. */
        uint64_t position;
        if (journal_acked(journal, c->type->name, &position) == 0)
            journal_ack(journal, c->type->name, UINT64_MAX);
        return 0;
    }
    if (rc != 0)
        return rc;
    if (journal_acked(journal, c->type->name, &c->position) != 0) {
        c->position = journal_end(journal);
        journal_ack(journal, c->type->name, c->position);
    }
    c->flushed = c->position;
    c->turn = event_new(base, -1, 0, on_turn, c);
    if (c->turn == NULL)
        return LW_ENOMEM;
    rc = journal_reader_new(journal, c->position, on_ready, c, &c->reader);
    if (rc == 0)
        plan(c, 0);
    return rc;
}

int
notify_new(struct event_base *base, struct journal *journal,
           const struct notify_options *options, struct notify **ret_notify)
{
    struct notify *notify = calloc(1, sizeof *notify);

    if (notify == NULL)
        return LW_ENOMEM;
    notify->journal = journal;
    for (size_t i = 0; i < SINKS; i++) {
        struct consumer *c = &notify->consumer[i];
        c->notify = notify;
        c->type = sinks[i].type;
        c->kind = c->type->inspection ? JOURNAL_INSPECTION : JOURNAL_ALERT;
        if (sinks[i].delivered != NOT_COUNTED)
            c->delivered = (uint64_t *)((char *)&notify->stats + sinks[i].delivered);
        int rc = consumer_new(base, options, c);
        if (rc != 0) {
            notify_free(notify);
            return rc;
        }
    }
    *ret_notify = notify;
    return 0;
}

void
notify_free(struct notify *notify)
{
    if (notify == NULL)
        return;
    lw_mono end = lw_mono_add(clock_io(), LAST_MS);
    for (size_t i = 0; i < SINKS; i++) {
        struct consumer *c = &notify->consumer[i];
        while (c->reader != NULL && lw_mono_since(end, clock_io()) > 0 && turn(c) > 0) {
        }
        journal_reader_free(c->reader);
        if (c->turn != NULL)
            event_free(c->turn);
        if (c->sink != NULL)
            c->type->close(c->sink);
    }
    free(notify);
}

void
notify_reopen(struct notify *notify)
{
    if (notify == NULL)
        return;
    for (size_t i = 0; i < SINKS; i++) {
        struct consumer *c = &notify->consumer[i];
        if (c->sink != NULL && c->type->reopen != NULL)
            c->type->reopen(c->sink);
    }
}

void
notify_stats(const struct notify *notify, struct notify_stats *ret_stats)
{
    *ret_stats = notify->stats;
}
