/* The rooms, wired together at the start and taken down at the end. Sockets become
 * events, events go to the engine, and whatever follows from them leaves by the journal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/event.h>

#include <lodewatch/core.h>

#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/http/http.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify/notify.h"
#include "daemon/notify/service.h"
#include "daemon/poll/poller.h"
#include "daemon/store/store.h"

enum {
    TICK_REAL_MS = 50,     /* a fast simulated clock ticks no more often */
    SETTLE_MS = 20,        /* while stopping: how often to look */
    SETTLE_MOST_MS = 2000, /* for the journal, and again for PostgreSQL */
};

/* ---- events ---- */

static void
on_poller_event(void *arg, const struct lw_event *event)
{
    struct daemon *d = arg;
    uint16_t q = engine_event(d->rooms.engine, event);

    /* A register that goes on from elsewhere may be another meter's. */
    if (event->kind == LW_EVENT_READING && q & (LW_MARK_RESET | LW_MARK_JUMP))
        poller_ask(d->rooms.poller, event->reading.meter);
}

static void
on_clock_step(void *arg, int64_t by_ms)
{
    struct daemon *d = arg;
    struct lw_event event = {.kind = LW_EVENT_CLOCK_STEP,
                             .at = clock_now(d->rooms.clock).wall,
                             .step.by_ms = by_ms};

    log_note("the clock was set %s by %lld ms", by_ms < 0 ? "back" : "forward",
             (long long)llabs(by_ms));
    engine_event(d->rooms.engine, &event);
    if (d->rooms.poller != NULL)
        poller_clock_step(d->rooms.poller);
}

/* At each whole 10 s of the schedule's time; less often where that time flies. */
static void
plan_tick(struct daemon *d)
{
    struct clock_time now = clock_now(d->rooms.clock);
    int64_t flies = (int64_t)(TICK_REAL_MS * d->arguments.rate);
    int64_t every = LW_CORE_TICK * (1 + flies / LW_CORE_TICK);
    int64_t next = lw_floor_to(now.wall.ms, LW_CORE_TICK) + every;

    clock_timer_set(&d->tick, lw_mono_add(now.mono, next - now.wall.ms));
}

static void
on_tick(void *arg)
{
    struct daemon *d = arg;
    struct lw_event event = {.kind = LW_EVENT_TICK, .at = clock_now(d->rooms.clock).wall};

    engine_event(d->rooms.engine, &event);
    plan_tick(d);
}

/* ---- rooms ---- */

static void
journal_dir(const struct config *config, char dir[CONFIG_PATH + 16])
{
    snprintf(dir, CONFIG_PATH + 16, "%s/journal", config->state_dir);
}

static int
start_journal(struct daemon *d)
{
    const struct config *config = &d->setup.config;
    char dir[CONFIG_PATH + 16];
    struct journal_options options = {
        .dir = dir,
        .record_dir = d->arguments.record,
        .sync_ms = config->sync_ms,
        .segment_bytes = config->segment_bytes,
        .segment_ms = config->segment_ms,
        .keep_ms = config->keep_ms,
        .max_bytes = config->max_bytes,
        .max_age_ms = config->max_age_ms,
    };

    (void)mkdir(config->state_dir, 0750); /* where it fails, the journal says so */
    journal_dir(config, dir);
    int rc = journal_open(loop_base(d->rooms.loop), &options, &d->rooms.journal);
    if (rc != 0)
        log_error("%s: %s", dir, rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
    return rc;
}

/* After the engine: a simulated clock that was started before goes on where it stood. */
static int
start_clock(struct daemon *d)
{
    char socket[CONFIG_PATH + 16];
    lw_wall seen = lw_core_now(engine_core(d->rooms.engine));
    struct clock_options options = {
        .simulated = d->arguments.simulated,
        .start = seen.ms > d->arguments.start.ms ? seen : d->arguments.start,
        .rate = d->arguments.rate,
        .socket = d->arguments.simulated ? socket : NULL,
    };

    snprintf(socket, sizeof socket, "%s/clock.sock", d->setup.config.state_dir);
    int rc = clock_new(loop_base(d->rooms.loop), &options, &d->rooms.clock);
    if (rc != 0)
        log_error("clock: %s", rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
    return rc;
}

int
daemon_start_notify(struct daemon *d, const struct config *config)
{
    struct notify_options options = {.ndjson = config->ndjson,
                                     .journald = config->journald,
                                     .inspection = config->inspection};

    /* The old one first: both would be the same consumers of the journal. */
    notify_free(d->rooms.notify);
    d->rooms.notify = NULL;
    int rc = notify_new(loop_base(d->rooms.loop), d->rooms.journal, &options,
                        &d->rooms.notify);
    if (rc != 0 && rc != LW_EIO) /* which the sink has logged */
        log_error("alerts: %s", lw_result_text(rc));
    return rc;
}

int
daemon_start_poller(struct daemon *d, struct lw_faults *faults)
{
    return poller_new(loop_base(d->rooms.loop), d->rooms.clock,
                      lw_core_ledger(engine_core(d->rooms.engine)), d->setup.profiles,
                      on_poller_event, d, faults, &d->rooms.poller);
}

int
daemon_start_store(struct daemon *d, const struct config *config)
{
    char dir[CONFIG_PATH + 16];
    struct store_options options = {
        .conninfo = config->conninfo,
        .read_conninfo = config->read_conninfo,
        .journal_dir = dir,
        .batch_rows = config->batch_rows,
        .batch_ms = config->batch_ms,
        .days_ahead = config->days_ahead,
        .backlog_rate = config->backlog_rate,
    };

    if (config->conninfo[0] == '\0') {
        journal_ack(d->rooms.journal, STORE_CONSUMER, UINT64_MAX);
        return 0;
    }
    journal_dir(&d->setup.config, dir); /* a reload changes it with the next start only */
    int rc = store_new(loop_base(d->rooms.loop), d->rooms.clock, d->rooms.journal,
                       &options, &d->rooms.store);
    if (rc != 0)
        log_error("[database]: %s", lw_result_text(rc));
    return rc;
}

int
daemon_start_http(struct daemon *d, const struct config *config, struct lw_faults *faults)
{
    struct http_options options = {
        .listen = config->listen,
        .token_file = config->token_file,
        .max_connections = config->max_connections,
        .timeout_ms = config->header_timeout_ms,
    };

    if (config->listen[0] == '\0') {
        http_free(d->rooms.http);
        d->rooms.http = NULL;
        return 0;
    }
    if (d->rooms.http != NULL)
        return http_reload(d->rooms.http, &options, faults);
    return http_new(loop_base(d->rooms.loop), &options, &d->rooms, faults,
                    &d->rooms.http);
}

static void
on_flushed(void *arg)
{
    struct daemon *d = arg;

    loop_quit(d->rooms.loop);
}

/* Once the journal is on disk, PostgreSQL may take what it can. */
static void
on_settle(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    struct journal *journal = d->rooms.journal;

    (void)fd;
    (void)what;
    if (journal_durable(journal) < journal_end(journal) &&
        lw_mono_since(d->settle_end, clock_io()) > 0)
        return;
    event_del(d->settle);
    if (d->rooms.store == NULL)
        loop_quit(d->rooms.loop);
    else
        store_flush(d->rooms.store, SETTLE_MOST_MS, on_flushed, d);
}

int
daemon_start(struct daemon *d, struct lw_faults *faults)
{
    const struct setup *setup = &d->setup;
    size_t n;
    const char *rules = config_texts_rules(setup->texts, &n);
    int rc = start_journal(d);

    d->settle = event_new(loop_base(d->rooms.loop), -1, EV_PERSIST, on_settle, d);
    if (rc == 0 && d->settle == NULL)
        rc = LW_ENOMEM;
    if (rc == 0)
        rc = daemon_start_notify(d, &setup->config); /* before the first alert can come */
    if (rc == 0) {
        rc = engine_new(d->rooms.journal, config_texts_ledger(setup->texts), rules, n,
                        faults, &d->rooms.engine);
    }
    if (rc == 0)
        rc = start_clock(d);
    if (rc == 0)
        rc = daemon_start_poller(d, faults);
    if (rc == 0)
        rc = daemon_start_store(d, &setup->config);
    if (rc == 0)
        rc = daemon_start_http(d, &setup->config, faults);
    if (rc == 0)
        rc = service_new(loop_base(d->rooms.loop), &d->service);
    if (rc == 0) {
        config_texts_keep(&setup->config, setup->texts);
        clock_on_step(d->rooms.clock, on_clock_step, d);
        clock_timer_init(&d->tick, d->rooms.clock, on_tick, d);
        plan_tick(d);
    }
    return rc;
}

void
daemon_finish(struct daemon *d)
{
    struct rooms *rooms = &d->rooms;

    if (d->settle != NULL)
        event_free(d->settle);
    service_free(d->service);
    http_free(rooms->http);
    store_free(rooms->store);
    poller_free(rooms->poller);
    engine_free(rooms->engine);
    notify_free(rooms->notify);
    journal_close(rooms->journal);
    clock_free(rooms->clock);
    loop_free(rooms->loop);
    setup_free(&d->setup);
}

/* ---- the end ---- */

void
daemon_stop(struct daemon *d)
{
    static const struct timeval interval = {0, SETTLE_MS * 1000};

    log_note("stopping");
    service_stopping();
    clock_timer_stop(&d->tick);
    poller_free(d->rooms.poller);
    d->rooms.poller = NULL;
    d->settle_end = lw_mono_add(clock_io(), SETTLE_MOST_MS);
    event_add(d->settle, &interval);
}
