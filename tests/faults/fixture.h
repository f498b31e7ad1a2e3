/* A poller with a ledger of the test's own, its profiles, and the events that it feeds.
 */
#ifndef TESTS_FAULTS_FIXTURE_H
#define TESTS_FAULTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <lodewatch/event.h>
#include <lodewatch/ledger.h>
#include <lodewatch/profile.h>

#include "daemon/clock.h"
#include "daemon/poll/poller.h"
#include "daemon/poll/remember.h"
#include "tests/faults/fault_server.h"

enum {
    FIXTURE_EVENTS = 1 << 14,
    FIXTURE_START_S = 1700000000 / 3600 * 3600
};

struct fixture {
    struct event_base *base;
    struct clock *clock;
    char dir[64];
    struct profiles *profiles;
    struct lw_ledger *ledger;
    struct poller *poller;
    struct lw_faults faults;
    int64_t turn_us; /* processor time of the longest turn of the loop */
    int nevents;
    struct lw_event event[FIXTURE_EVENTS];
};

/* `time` and `unit` are in the first four registers of the fault server. */
static const struct {
    const char *file, *json;
} fixture_profiles[] = {
    {"one",
     "{\"vendor\":\"t\",\"model\":\"one\",\"source\":\"test\",\"points\":["
     "{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"missing\":\"0xffffffff\"},"
     "{\"quantity\":\"export_kwh\",\"function\":3,\"address\":\"0x0002\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"missing\":\"0xffffffff\"}]}"},
    {"two",
     "{\"vendor\":\"t\",\"model\":\"two\",\"source\":\"test\","
     "\"bus\":{\"max_registers\":2},\"points\":["
     "{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"missing\":\"0xffffffff\"},"
     "{\"quantity\":\"export_kwh\",\"function\":4,\"address\":\"0x0002\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"missing\":\"0xffffffff\"}]}"},
    {"same", /* two reads that differ in their address alone */
     "{\"vendor\":\"t\",\"model\":\"same\",\"source\":\"test\","
     "\"bus\":{\"max_registers\":2},\"points\":["
     "{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"missing\":\"0xffffffff\"},"
     "{\"quantity\":\"export_kwh\",\"function\":3,\"address\":\"0x0002\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"missing\":\"0xffffffff\"}]}"},
    {"slow",
     "{\"vendor\":\"t\",\"model\":\"slow\",\"source\":\"test\","
     "\"bus\":{\"min_gap_ms\":40,\"connect_pause_ms\":120},\"points\":["
     "{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\",\"type\":\"u32\","
     "\"unit\":\"Wh\"},"
     "{\"quantity\":\"export_kwh\",\"function\":3,\"address\":\"0x0002\",\"type\":\"u32\","
     "\"unit\":\"Wh\"}]}"},
    /* The unit is its serial number, the time its clock. */
    {"telling",
     "{\"vendor\":\"t\",\"model\":\"telling\",\"source\":\"test\",\"slow_every\":3,"
     "\"serial\":{\"function\":3,\"address\":\"0x0002\",\"type\":\"u32\"},"
     "\"clock\":{\"function\":3,\"address\":\"0x0000\",\"format\":\"unix\",\"utc\":true},"
     "\"points\":["
     "{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"modulus\":5e9,\"max_per_hour\":69000},"
     "{\"quantity\":\"export_kwh\",\"function\":3,\"address\":\"0x0002\",\"type\":\"u32\","
     "\"unit\":\"Wh\",\"class\":\"slow\"}]}"},
};

static void
fixture_on_event(void *arg, const struct lw_event *event)
{
    struct fixture *f = arg;
    assert_true(f->nevents < FIXTURE_EVENTS);
    f->event[f->nevents++] = *event;
}

/* `rate`: of a simulated clock; 0: the real one. */
static struct fixture *
fixture_new_at(double rate)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->base = event_base_new();
    struct clock_options options = {
        .simulated = rate > 0, .start = {FIXTURE_START_S * LW_SECOND}, .rate = rate};
    assert_int_equal(clock_new(f->base, &options, &f->clock), 0);
    snprintf(f->dir, sizeof f->dir, "/tmp/lw-test-poll-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    for (size_t i = 0; i < sizeof fixture_profiles / sizeof fixture_profiles[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s.json", f->dir, fixture_profiles[i].file);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(fixture_profiles[i].json, file);
        fclose(file);
    }
    int rc = profiles_load(f->dir, &f->faults, &f->profiles);
    if (rc != 0)
        fail_msg("%s: %s", f->faults.fault[0].file, f->faults.fault[0].text);
    return f;
}

static inline struct fixture *
fixture_new(bool simulated)
{
    return fixture_new_at(simulated ? 1e9 : 0);
}

static const char fixture_columns[] =
    "gateway_id,transport,address,max_inflight,min_gap_ms,timeout_ms,registration,baud,"
    "parity,data_bits";

/* How much of it the first row has cells for. */
static int
fixture_header(const char *rows)
{
    size_t n = strcspn(fixture_columns, ",");
    for (rows += strcspn(rows, ",\n"); *rows == ','; rows += 1 + strcspn(rows + 1, ",\n"))
        n += 1 + strcspn(fixture_columns + n + 1, ",");
    return (int)n;
}

/* The rows of gateways.csv and meters.csv, without their headers. */
static int
fixture_try(struct fixture *f, const char *gateways, const char *meters)
{
    static char g[1 << 16], m[1 << 20];
    snprintf(g, sizeof g, "%.*s\n%s", fixture_header(gateways), fixture_columns,
             gateways);
    snprintf(
        m, sizeof m,
        "meter_id,installed_at,removed_at,role,gateway_id,unit,profile,interval_s\n%s",
        meters);
    struct lw_ledger_text text = {.deployment = "test"};
    text.table[LW_GATEWAYS].text = g;
    text.table[LW_GATEWAYS].n = strlen(g);
    text.table[LW_METERS].text = m;
    text.table[LW_METERS].n = strlen(m);
    int rc = lw_ledger_new(&text, &f->faults, &f->ledger);
    if (rc != 0)
        fail_msg("%s:%u: %s", f->faults.fault[0].file, f->faults.fault[0].line,
                 f->faults.fault[0].text);
    return poller_new(f->base, f->clock, f->ledger, f->profiles, fixture_on_event, f,
                      &f->faults, &f->poller);
}

static void
fixture_poll(struct fixture *f, const char *gateways, const char *meters)
{
    if (fixture_try(f, gateways, meters) != 0)
        fail_msg("%s: %s", f->faults.fault[0].file, f->faults.fault[0].text);
}

/* Another ledger takes the place of this one, as at SIGHUP. */
static inline void
fixture_reload(struct fixture *f, const char *gateways, const char *meters)
{
    struct remembered *remembered = poller_remember(f->poller);
    assert_non_null(remembered);
    poller_free(f->poller);
    lw_ledger_free(f->ledger);
    fixture_poll(f, gateways, meters);
    poller_recall(f->poller, remembered);
    remembered_free(remembered);
}

static void
fixture_on_time(void *arg)
{
    event_base_loopbreak(arg);
}

static inline int64_t
fixture_thread_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void
fixture_on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

/* Runs until simulated time is `s` seconds after the start. */
static inline void
fixture_run_until(struct fixture *f, int64_t s)
{
    struct event *late = evtimer_new(f->base, fixture_on_late, f->base);
    struct clock_timer timer;
    clock_timer_init(&timer, f->clock, fixture_on_time, f->base);
    clock_timer_set(&timer, (lw_mono){s * LW_SECOND});
    event_add(late, &(struct timeval){.tv_sec = 30});
    do {
        int64_t began_us = fixture_thread_us();
        event_base_loop(f->base, EVLOOP_ONCE);
        int64_t us = fixture_thread_us() - began_us;
        f->turn_us = us > f->turn_us ? us : f->turn_us;
    } while (!event_base_got_break(f->base));
    event_free(late);
    if (timer.set) {
        clock_timer_stop(&timer);
        fail_msg("simulated time stands still");
    }
}

/* Runs for so long in real time; simulated time stands still. */
static inline void
fixture_wait_ms(struct fixture *f, int ms)
{
    clock_hold(f->clock);
    event_base_loopexit(f->base, &(struct timeval){.tv_usec = ms * 1000});
    event_base_dispatch(f->base);
    clock_release(f->clock);
}

static void
fixture_free(struct fixture *f)
{
    poller_free(f->poller);
    lw_ledger_free(f->ledger);
    profiles_free(f->profiles);
    clock_free(f->clock);
    for (size_t i = 0; i < sizeof fixture_profiles / sizeof fixture_profiles[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s.json", f->dir, fixture_profiles[i].file);
        unlink(path);
    }
    rmdir(f->dir);
    event_base_free(f->base);
    free(f);
}

/* Each value that is there must be the meter's own, and of that time. */
static inline bool
fixture_is_right(const struct lw_event *e, unsigned unit)
{
    const struct lw_reading *r = &e->reading;
    return r->have != 0 && r->time.ms == e->at.ms &&
           (!lw_reading_has(r, LW_IMPORT) ||
            r->value[LW_IMPORT] == r->time.ms / LW_SECOND) &&
           (!lw_reading_has(r, LW_EXPORT) || r->value[LW_EXPORT] == unit);
}

/* What became of the meter's reads, a letter each: G good, P good in part, T timeout, L
 * no connection, X exception, V no value, O overrun; W for what must never be. */
static const char *
fixture_history(const struct fixture *f, const char *meter_id, unsigned unit)
{
    static const uint16_t whole = 1 << LW_IMPORT | 1 << LW_EXPORT;
    static char text[FIXTURE_EVENTS + 1];
    int n = 0;
    for (int i = 0; i < f->nevents; i++) {
        const struct lw_event *e = &f->event[i];
        bool good = e->kind == LW_EVENT_READING;
        if (!good && e->kind != LW_EVENT_READ_FAILED)
            continue;
        uint32_t meter = good ? e->reading.meter : e->failed.meter;
        if (strcmp(f->ledger->meter[meter].id, meter_id) != 0)
            continue;
        text[n++] = !good                        ? " TLXVO"[e->failed.why]
                    : !fixture_is_right(e, unit) ? 'W'
                    : e->reading.have == whole   ? 'G'
                                                 : 'P';
    }
    text[n] = '\0';
    return text;
}

#endif
