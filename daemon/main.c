/* lodewatchd: the rooms, wired together. Sockets become events, events go to the engine,
 * and whatever follows from them leaves by the journal. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/core.h>
#include <lodewatch/time.h>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/faults.h"
#include "daemon/http/http.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify/notify.h"
#include "daemon/notify/service.h"
#include "daemon/poll/poller.h"
#include "daemon/rooms.h"
#include "daemon/setup.h"
#include "daemon/store/store.h"

enum {
    EXIT_BAD = 2,
    TICK_REAL_MS = 50,     /* a fast simulated clock ticks no more often */
    SETTLE_MS = 20,        /* while stopping: how often to look */
    SETTLE_MOST_MS = 2000, /* for the journal, and again for PostgreSQL */
};

struct arguments {
    const char *config;
    const char *record;
    bool check;
    bool simulated;
    lw_wall start;
    double rate;
};

struct daemon {
    struct arguments arguments;
    struct setup setup;
    struct rooms rooms;
    struct service *service;
    struct clock_timer tick;
    struct event *settle;
    lw_mono settle_end;
};

/* --- events
 * ------------------------------------------------------------------------------- */

static void
on_poller_event(void *arg, const struct lw_event *event)
{
    struct daemon *d = arg;

    engine_event(d->rooms.engine, event);
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
    if (d->rooms.poller != NULL) {
        poller_clock_step(d->rooms.poller);
    }
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

/* --- rooms
 * -------------------------------------------------------------------------------- */

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
    };

    snprintf(dir, sizeof dir, "%s/journal", config->state_dir);
    int rc = journal_open(loop_base(d->rooms.loop), &options, &d->rooms.journal);
    if (rc != 0) {
        log_error("%s: %s", dir, rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
    }
    return rc;
}

static int
start_clock(struct daemon *d)
{
    char socket[CONFIG_PATH + 16];
    struct clock_options options = {
        .simulated = d->arguments.simulated,
        .start = d->arguments.start,
        .rate = d->arguments.rate,
        .socket = d->arguments.simulated ? socket : NULL,
    };

    snprintf(socket, sizeof socket, "%s/clock.sock", d->setup.config.state_dir);
    int rc = clock_new(loop_base(d->rooms.loop), &options, &d->rooms.clock);
    if (rc != 0) {
        log_error("clock: %s", rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
    }
    return rc;
}

static int
start_notify(struct daemon *d, const struct config *config)
{
    struct notify_options options = {.ndjson = config->ndjson,
                                     .journald = config->journald};
    struct notify *notify;
    int rc = notify_new(loop_base(d->rooms.loop), d->rooms.journal, &options, &notify);

    if (rc != 0) {
        log_error("[alerts] ndjson %s: %s", config->ndjson,
                  rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
        return rc;
    }
    notify_free(d->rooms.notify);
    d->rooms.notify = notify;
    return 0;
}

static int
start_poller(struct daemon *d, struct lw_faults *faults)
{
    return poller_new(loop_base(d->rooms.loop), d->rooms.clock,
                      lw_core_ledger(engine_core(d->rooms.engine)), d->setup.profiles,
                      on_poller_event, d, faults, &d->rooms.poller);
}

static int
start_store(struct daemon *d, const struct config *config)
{
    struct store_options options = {
        .conninfo = config->conninfo,
        .state_dir = config->state_dir,
        .batch_rows = config->batch_rows,
        .batch_ms = config->batch_ms,
        .days_ahead = config->days_ahead,
    };

    if (config->conninfo[0] == '\0') {
        return 0;
    }
    int rc = store_new(loop_base(d->rooms.loop), d->rooms.clock, d->rooms.journal,
                       &options, &d->rooms.store);
    if (rc != 0) {
        log_error("[database] conninfo: %s", lw_result_text(rc));
    }
    return rc;
}

static int
start_http(struct daemon *d, const struct config *config, struct lw_faults *faults)
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
    if (d->rooms.http != NULL) {
        return http_reload(d->rooms.http, &options, faults);
    }
    return http_new(loop_base(d->rooms.loop), &options, &d->rooms, faults,
                    &d->rooms.http);
}

static int
start(struct daemon *d, struct lw_faults *faults)
{
    const struct setup *setup = &d->setup;
    size_t n;
    const char *rules = config_texts_rules(setup->texts, &n);
    int rc = start_clock(d);

    if (rc == 0) {
        rc = start_journal(d);
    }
    if (rc == 0) {
        rc = start_notify(d, &setup->config); /* before the first alert can come */
    }
    if (rc == 0) {
        rc = engine_new(d->rooms.journal, config_texts_ledger(setup->texts), rules, n,
                        faults, &d->rooms.engine);
    }
    if (rc == 0) {
        rc = start_poller(d, faults);
    }
    if (rc == 0) {
        rc = start_store(d, &setup->config);
    }
    if (rc == 0) {
        rc = start_http(d, &setup->config, faults);
    }
    if (rc == 0) {
        rc = service_new(loop_base(d->rooms.loop), &d->service);
    }
    if (rc == 0) {
        clock_on_step(d->rooms.clock, on_clock_step, d);
        clock_timer_init(&d->tick, d->rooms.clock, on_tick, d);
        plan_tick(d);
    }
    return rc;
}

static void
finish(struct daemon *d)
{
    struct rooms *rooms = &d->rooms;

    if (d->settle != NULL) {
        event_free(d->settle);
    }
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

/* --- SIGHUP
 * ------------------------------------------------------------------------------- */

static bool
journal_options_differ(const struct config *a, const struct config *b)
{
    return strcmp(a->state_dir, b->state_dir) != 0 || a->sync_ms != b->sync_ms ||
           a->segment_bytes != b->segment_bytes || a->segment_ms != b->segment_ms ||
           a->keep_ms != b->keep_ms || a->max_bytes != b->max_bytes;
}

static bool
store_options_differ(const struct config *a, const struct config *b)
{
    return strcmp(a->conninfo, b->conninfo) != 0 || a->batch_rows != b->batch_rows ||
           a->batch_ms != b->batch_ms || a->days_ahead != b->days_ahead;
}

static bool
alert_options_differ(const struct config *a, const struct config *b)
{
    return strcmp(a->ndjson, b->ndjson) != 0 || a->journald != b->journald;
}

/* The new ledger, rules and profiles; the poller keeps pointers into the ledger, so it
 * goes first and comes anew, whichever ledger holds then. */
static int
put_into_force(struct daemon *d, struct setup *fresh, struct lw_faults *faults)
{
    size_t n;
    const char *rules = config_texts_rules(fresh->texts, &n);

    poller_free(d->rooms.poller);
    d->rooms.poller = NULL;
    int rc = engine_setup(d->rooms.engine, config_texts_ledger(fresh->texts), rules, n,
                          faults);
    if (rc == 0) {
        struct setup old = d->setup;
        d->setup = *fresh;
        *fresh = old;
    }
    int poller_rc = start_poller(d, faults);
    return rc != 0 ? rc : poller_rc;
}

static int
reload(struct daemon *d, struct lw_faults *faults)
{
    struct setup fresh;
    int rc = setup_load(d->arguments.config, d->arguments.simulated, &fresh, faults);

    if (rc != 0) {
        return rc;
    }
    const struct config *config = &fresh.config;
    const struct config *old = &d->setup.config;
    if (journal_options_differ(config, old)) {
        log_note("state_dir and [journal] change with the next start only");
    }
    rc = start_http(d, config, faults);
    if (rc == 0 && alert_options_differ(config, old)) {
        rc = start_notify(d, config);
    } else if (rc == 0) {
        notify_reopen(d->rooms.notify);
    }
    if (rc == 0 && store_options_differ(config, old)) {
        store_free(d->rooms.store);
        d->rooms.store = NULL;
        rc = start_store(d, config);
    }
    if (rc == 0) {
        rc = put_into_force(d, &fresh, faults);
    }
    setup_free(&fresh);
    return rc;
}

static void
on_reload(void *arg)
{
    struct daemon *d = arg;
    struct lw_faults *faults = calloc(1, sizeof *faults);

    service_reloading();
    int rc = faults == NULL ? LW_ENOMEM : reload(d, faults);
    if (rc == 0) {
        log_note("reloaded %s", d->arguments.config);
    } else {
        if (faults != NULL) {
            faults_log(faults);
        }
        log_error("not reloaded (%s): everything stays as it was", lw_result_text(rc));
    }
    free(faults);
    service_ready();
}

/* --- SIGTERM
 * ------------------------------------------------------------------------------ */

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
        lw_mono_since(d->settle_end, clock_io()) > 0) {
        return;
    }
    event_del(d->settle);
    if (d->rooms.store == NULL) {
        loop_quit(d->rooms.loop);
    } else {
        store_flush(d->rooms.store, SETTLE_MOST_MS, on_flushed, d);
    }
}

static void
on_stop(void *arg)
{
    static const struct timeval interval = {0, SETTLE_MS * 1000};
    struct daemon *d = arg;

    log_note("stopping");
    service_stopping();
    clock_timer_stop(&d->tick);
    poller_free(d->rooms.poller);
    d->rooms.poller = NULL;
    d->settle_end = lw_mono_add(clock_io(), SETTLE_MOST_MS);
    event_add(d->settle, &interval);
}

/* --- start
 * -------------------------------------------------------------------------------- */

static const char help[] =
    "Usage: lodewatchd --config FILE [--check] [--record DIR]\n"
    "                  [--clock-start T] [--clock-rate N]\n"
    "\n"
    "Watches the load of places where nothing should be mined.\n"
    "监测关闭矿点等场所的用电负荷，发现无法解释的用电。\n"
    "\n"
    "  --config FILE    the configuration 配置文件 (docs/configuration.md)\n"
    "  --check          check everything that it names, then exit 仅检查配置和台账\n"
    "  --record DIR     also keep a checkpoint and the whole journal there 另存完整记录\n"
    "  --clock-start T  run on a simulated clock from this time (RFC 3339) 模拟时钟起点\n"
    "  --clock-rate N   simulated seconds a second 模拟时钟速率\n"
    "  --help, --version\n"
    "\n"
    "Signals: SIGHUP reloads everything or nothing; SIGTERM stops within 5 s.\n"
    "Exit: 0 done, 1 failed at run time, 2 bad usage or bad input.\n";

static int
usage_error(const char *text)
{
    fprintf(stderr, "lodewatchd: %s; see lodewatchd --help\n", text);
    return EXIT_BAD;
}

/* 0: go on; 1: done, leave with *ret_code. */
static int
parse_arguments(int argc, char **argv, struct arguments *a, int *ret_code)
{
    enum {
        CONFIG = 1,
        CHECK,
        RECORD,
        CLOCK_START,
        CLOCK_RATE,
        HELP,
        VERSION
    };
    static const struct option options[] = {
        {"config", required_argument, NULL, CONFIG},
        {"check", no_argument, NULL, CHECK},
        {"record", required_argument, NULL, RECORD},
        {"clock-start", required_argument, NULL, CLOCK_START},
        {"clock-rate", required_argument, NULL, CLOCK_RATE},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    char *end;
    int option;

    *a = (struct arguments){.start = clock_system(), .rate = 1};
    *ret_code = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case CONFIG:
            a->config = optarg;
            break;
        case CHECK:
            a->check = true;
            break;
        case RECORD:
            a->record = optarg;
            break;
        case CLOCK_START:
            a->simulated = true;
            if (lw_wall_parse(optarg, strlen(optarg), NULL, LW_DATE_START, &a->start) !=
                0) {
                *ret_code =
                    usage_error("--clock-start: 2025-03-12T18:00:00Z was expected");
                return 1;
            }
            break;
        case CLOCK_RATE:
            a->simulated = true;
            a->rate = strtod(optarg, &end);
            if (*end != '\0' || !(a->rate >= 0.001 && a->rate <= 1e6)) {
                *ret_code = usage_error("--clock-rate: 0.001 to 1000000 was expected");
                return 1;
            }
            break;
        case HELP:
            fputs(help, stdout);
            return 1;
        case VERSION:
            puts("lodewatchd " LODEWATCH_VERSION);
            return 1;
        default:
            *ret_code = EXIT_BAD;
            return 1;
        }
    }
    if (a->config == NULL || optind != argc) {
        *ret_code =
            usage_error(a->config == NULL ? "--config is missing" : "what is this?");
        return 1;
    }
    return 0;
}

static int
run(struct daemon *d, struct lw_faults *faults)
{
    const struct loop_hooks hooks = {.stop = on_stop, .reload = on_reload, .arg = d};
    int rc = loop_new(&hooks, &d->rooms.loop);

    if (rc == 0) {
        d->settle = event_new(loop_base(d->rooms.loop), -1, EV_PERSIST, on_settle, d);
        rc = d->settle == NULL ? LW_ENOMEM : start(d, faults);
    }
    if (rc != 0) {
        faults_print(stderr, faults);
        log_error("not started: %s", lw_result_text(rc));
        return rc == LW_EPARSE ? EXIT_BAD : EXIT_FAILURE;
    }
    log_note("lodewatchd %s runs%s", LODEWATCH_VERSION,
             d->arguments.simulated ? " on a simulated clock" : "");
    service_ready();
    rc = loop_run(d->rooms.loop);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    static struct daemon d;
    static struct lw_faults faults;
    int code;

    log_open("lodewatchd", LOG_NOTE);
    if (parse_arguments(argc, argv, &d.arguments, &code) != 0) {
        return code;
    }
    int rc = setup_load(d.arguments.config, d.arguments.simulated, &d.setup, &faults);
    if (rc != 0) {
        faults_print(stderr, &faults);
        if (faults.n == 0) {
            log_error("%s", lw_result_text(rc));
        }
        return rc == LW_EPARSE ? EXIT_BAD : EXIT_FAILURE;
    }
    if (d.arguments.check) {
        printf("%s: ok\n", d.arguments.config);
        setup_free(&d.setup);
        return EXIT_SUCCESS;
    }
    log_open("lodewatchd", (enum log_level)config_log_level(d.setup.config.log_level));
    code = run(&d, &faults);
    finish(&d);
    log_note("stopped");
    return code;
}
