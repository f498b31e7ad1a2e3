/* /metrics: what every room counts, in Prometheus' text format. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/buffer.h>

#include <lodewatch/alarm.h>

#include "daemon/engine.h"
#include "daemon/http/call.h"
#include "daemon/http/http.h"
#include "daemon/http/metrics.h"
#include "daemon/journal.h"
#include "daemon/loop.h"
#include "daemon/notify/notify.h"
#include "daemon/poll/poller.h"
#include "daemon/store/store.h"

struct figures {
    struct loop_stats loop;
    struct poller_stats poller;
    struct engine_stats engine;
    struct journal_stats journal;
    struct store_stats store;
    struct notify_stats notify;
    struct http_stats http;
    uint64_t store_up;
    uint64_t resident_bytes;
    uint64_t cpu_us;
};

enum width {
    U64,
    I64,
    I32,
    U32,
    FLAG
};

static const struct {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;
    enum width width;
    double
        per_unit; /* the figure's units in one of the metric's: 1e6 for us in seconds */
} rows[] = {
#define ROW(name, type, help, member, width, per_unit)                                   \
    {                                                                                    \
        name, type, help, offsetof(struct figures, member), width, per_unit              \
    }
    ROW("lodewatch_stray_frames_total", "counter", "Frames that answered nothing asked.",
        poller.link.stray, U64, 1),
    ROW("lodewatch_corrupt_frames_total", "counter",
        "Of these: replies with a wrong checksum.", poller.link.corrupt, U64, 1),
    ROW("lodewatch_wrong_unit_frames_total", "counter",
        "Of these: whole frames of another unit or request.", poller.link.wrong_unit, U64,
        1),
    ROW("lodewatch_gateway_refusals_total", "counter",
        "Attempts to connect to a gateway that failed.", poller.link.refused, U64, 1),
    ROW("lodewatch_registrations_waiting", "gauge",
        "Connections that have not said yet who they are.", poller.registration.waiting,
        U32, 1),
    ROW("lodewatch_gateway_connects_total", "counter", "Connections made to gateways.",
        poller.link.connects, U64, 1),
    ROW("lodewatch_gateway_disconnects_total", "counter", "Connections to gateways lost.",
        poller.link.disconnects, U64, 1),
    ROW("lodewatch_gateways", "gauge", "Gateways in the ledger.", poller.gateways, I32,
        1),
    ROW("lodewatch_gateways_up", "gauge", "Gateways that are connected.",
        poller.gateways_up, I32, 1),
    ROW("lodewatch_gateway_load_most_ratio", "gauge",
        "Share of the last minute in which the busiest connection had reads to do.",
        poller.load_permille, I32, 1e3),
    ROW("lodewatch_gateway_round_longest_seconds", "gauge",
        "The longest of the gateways' last rounds.", poller.round_us, I64, 1e6),
    ROW("lodewatch_meters_silent", "gauge", "Meters whose last read failed.",
        poller.meters_silent, I32, 1),
    ROW("lodewatch_polls_inflight", "gauge", "Reads that wait for their reply.",
        poller.inflight, I32, 1),
    ROW("lodewatch_events_total", "counter", "Events that the core took.", engine.events,
        U64, 1),
    ROW("lodewatch_readings_total", "counter", "Readings that the core took.",
        engine.readings, U64, 1),
    ROW("lodewatch_alerts_total", "counter", "Alerts that the core emitted.",
        engine.alerts, U64, 1),
    ROW("lodewatch_meter_exchanges_total", "counter",
        "Meters whose serial number showed that they were exchanged.", engine.exchanges,
        U64, 1),
    ROW("lodewatch_unknown_meter_events_total", "counter",
        "Events in the journal whose meter is in no ledger any more.", engine.unknown,
        U64, 1),
    ROW("lodewatch_core_step_longest_seconds", "gauge", "The longest step of the core.",
        engine.step_us_max, I64, 1e6),
    ROW("lodewatch_journal_bytes", "gauge", "Size of the journal on disk.", journal.bytes,
        U64, 1),
    ROW("lodewatch_journal_segments", "gauge", "Segments of the journal.",
        journal.segments, U64, 1),
    ROW("lodewatch_journal_records_total", "counter", "Records written to the journal.",
        journal.appended, U64, 1),
    ROW("lodewatch_journal_dropped_total", "counter",
        "Readings lost because the disk refused them for too long.", journal.dropped, U64,
        1),
    ROW("lodewatch_journal_pending_bytes", "gauge", "Bytes that are not on disk yet.",
        journal.pending, U64, 1),
    ROW("lodewatch_journal_sync_seconds", "gauge", "Duration of the last fsync.",
        journal.sync_us, I64, 1e6),
    ROW("lodewatch_journal_failing", "gauge", "1 while the disk refuses the journal.",
        journal.failing, FLAG, 1),
    ROW("lodewatch_journal_full", "gauge", "1 while the journal is near its max_bytes.",
        journal.full, FLAG, 1),
    ROW("lodewatch_journal_max_bytes", "gauge", "The size that the journal may have.",
        journal.max_bytes, U64, 1),
    ROW("lodewatch_journal_oldest_age_seconds", "gauge",
        "Age of the oldest segment that somebody has not taken.", journal.oldest_ms, I64,
        1e3),
    ROW("lodewatch_journal_readings_removed_total", "counter",
        "Readings removed before everybody had taken them: too old, or no room.",
        journal.removed, U64, 1),
    ROW("lodewatch_database_up", "gauge", "1 while PostgreSQL takes what is stored.",
        store_up, U64, 1),
    ROW("lodewatch_readings_stored_total", "counter", "Readings that PostgreSQL has.",
        store.readings_stored, U64, 1),
    ROW("lodewatch_alerts_stored_total", "counter", "Alerts that PostgreSQL has.",
        store.alerts_stored, U64, 1),
    ROW("lodewatch_store_batches_total", "counter", "Transactions committed.",
        store.batches, U64, 1),
    ROW("lodewatch_store_batches_failed_total", "counter",
        "Transactions that failed and were done again.", store.failed, U64, 1),
    ROW("lodewatch_store_refused_total", "counter",
        "Rows that PostgreSQL refuses, logged and left out.", store.refused, U64, 1),
    ROW("lodewatch_store_behind_bytes", "gauge",
        "Bytes of journal that wait for PostgreSQL.", store.behind, U64, 1),
    ROW("lodewatch_store_backlog_bytes", "gauge",
        "Of these, what an outage left behind; it goes beside what is new.",
        store.backlog, U64, 1),
    ROW("lodewatch_store_batch_seconds", "gauge", "Duration of the last transaction.",
        store.batch_us, I64, 1e6),
    ROW("lodewatch_notify_failures_total", "counter",
        "Times that a sink refused an alert.", notify.failed, U64, 1),
    ROW("lodewatch_http_connections", "gauge", "HTTP connections that are open.",
        http.connections, U32, 1),
    ROW("lodewatch_http_timeouts_total", "counter",
        "HTTP connections closed because they took too long.", http.timeouts, U64, 1),
    ROW("lodewatch_http_limited_total", "counter",
        "Times that HTTP connections reached their limit.", http.waits, U64, 1),
    ROW("lodewatch_loop_stall_seconds", "gauge",
        "Longest processor time of one turn of the event loop.", loop.longest_us, I64,
        1e6),
    ROW("process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes, U64,
        1),
    ROW("process_cpu_seconds_total", "counter", "Processor time, user and system.",
        cpu_us, U64, 1e6),
#undef ROW
};

static double
figure(const struct figures *figures, size_t offset, enum width width)
{
    const char *at = (const char *)figures + offset;

    switch (width) {
    case U64:
        return (double)*(const uint64_t *)at;
    case I64:
        return (double)*(const int64_t *)at;
    case I32:
        return (double)*(const int32_t *)at;
    case U32:
        return (double)*(const uint32_t *)at;
    case FLAG:
        return *(const bool *)at ? 1 : 0;
    }
    return 0;
}

static void
process_figures(struct figures *figures)
{
    struct rusage usage;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file != NULL) {
        if (fscanf(file, "%*u %lu", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    figures->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        figures->cpu_us =
            (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
            (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    }
}

static void
collect(const struct rooms *rooms, struct figures *figures)
{
    loop_stats(rooms->loop, &figures->loop);
    engine_stats(rooms->engine, &figures->engine);
    journal_stats(rooms->journal, &figures->journal);
    http_stats(rooms->http, &figures->http);
    if (rooms->notify != NULL)
        notify_stats(rooms->notify, &figures->notify);
    if (rooms->poller != NULL)
        poller_stats(rooms->poller, &figures->poller);
    if (rooms->store != NULL) {
        store_stats(rooms->store, &figures->store);
        figures->store_up = figures->store.state == STORE_UP;
    }
    process_figures(figures);
}

void
metrics_head(struct evbuffer *out, const char *name, const char *type, const char *help)
{
    evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- metrics with labels ---- */

static void
add_alarms(struct evbuffer *out, const struct lw_core *core)
{
    uint32_t active[LW_PRIORITY_URGENT + 1] = {0};

    for (const struct lw_alarm *a = NULL; (a = lw_core_next_alarm(core, a)) != NULL;)
        active[a->priority]++;
    metrics_head(out, "lodewatch_alarms_active", "gauge",
                 "Alarms that stand, by priority.");
    for (int p = 0; p <= LW_PRIORITY_URGENT; p++) {
        evbuffer_add_printf(out, "lodewatch_alarms_active{priority=\"%s\"} %u\n",
                            lw_priority_name((enum lw_priority)p), active[p]);
    }
}

static void
add_delivered(struct evbuffer *out, const struct notify_stats *notify)
{
    metrics_head(out, "lodewatch_alerts_delivered_total", "counter",
                 "Alerts delivered, by sink.");
    evbuffer_add_printf(out,
                        "lodewatch_alerts_delivered_total{sink=\"ndjson\"} %ju\n"
                        "lodewatch_alerts_delivered_total{sink=\"journald\"} %ju\n",
                        (uintmax_t)notify->ndjson, (uintmax_t)notify->journald);
}

static void
add_requests(struct evbuffer *out, const struct http_stats *http)
{
    metrics_head(out, "lodewatch_http_requests_total", "counter",
                 "HTTP requests answered, by the status' first digit.");
    for (int i = 2; i < 6; i++) {
        evbuffer_add_printf(out, "lodewatch_http_requests_total{code=\"%dxx\"} %ju\n", i,
                            (uintmax_t)http->requests[i]);
    }
}

static void
add_turns(struct evbuffer *out, const struct loop_stats *loop)
{
    static const char name[] = "lodewatch_loop_turn_seconds";
    uintmax_t n = 0;

    metrics_head(out, name, "histogram", "Processor time of the event loop's turns.");
    for (size_t i = 0; i < LOOP_BUCKETS; i++) {
        n += loop->turns[i];
        evbuffer_add_printf(out, "%s_bucket{le=\"%g\"} %ju\n", name,
                            (double)loop_bucket_us[i] / 1e6, n);
    }
    n += loop->turns[LOOP_BUCKETS];
    evbuffer_add_printf(out, "%s_bucket{le=\"+Inf\"} %ju\n%s_sum %.6f\n%s_count %ju\n",
                        name, n, name, (double)loop->total_us / 1e6, name, n);
}

void
metrics_get(struct http_call *call)
{
    struct figures figures = {0};
    struct evbuffer *out = evbuffer_new();

    if (out == NULL) {
        http_reply_problem(call->http, call->req, PROBLEM_INTERNAL);
        return;
    }
    collect(call->rooms, &figures);
    metrics_head(out, "lodewatch_build_info", "gauge", "The version that runs.");
    evbuffer_add_printf(out, "lodewatch_build_info{version=\"%s\"} 1\n",
                        LODEWATCH_VERSION);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metrics_head(out, rows[i].name, rows[i].type, rows[i].help);
        evbuffer_add_printf(out, "%s %.15g\n", rows[i].name,
                            figure(&figures, rows[i].offset, rows[i].width) /
                                rows[i].per_unit);
    }
    metrics_add_poll(out, call->rooms->poller, &figures.poller,
                     lw_core_ledger(engine_core(call->rooms->engine)));
    add_alarms(out, engine_core(call->rooms->engine));
    add_delivered(out, &figures.notify);
    add_requests(out, &figures.http);
    add_turns(out, &figures.loop);
    http_reply(call->http, call->req, 200, "text/plain; version=0.0.4; charset=utf-8",
               out);
}
