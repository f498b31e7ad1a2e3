/* Polling's metrics that have labels. Those with a gateway's name are there while there
 * are few gateways: of 4,000 they would be 60,000 series and half a second's work at each
 * scrape, for what `/api/v1/gateways` says page by page. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>

#include <lodewatch/ledger.h>

#include "daemon/http/metrics.h"

enum {
    GATEWAYS = 200,
    LABEL = 2 * LW_ID_MAX + 1
};

/* ---- in all ---- */

static void
add_polls(struct evbuffer *out, const struct poller_stats *stats)
{
    metrics_head(out, "lodewatch_polls_total", "counter",
                 "Reads of meters, by how they ended.");
    for (int r = 0; r < POLL_RESULTS; r++)
        evbuffer_add_printf(out, "lodewatch_polls_total{result=\"%s\"} %" PRIu64 "\n",
                            poller_result_name((enum poller_result)r), stats->polls[r]);
}

static void
add_exceptions(struct evbuffer *out, const struct poller_stats *stats)
{
    metrics_head(out, "lodewatch_exceptions_total", "counter",
                 "Reads that a Modbus exception ended, by its code; 0: another one.");
    for (int code = 0; code < POLL_EXCEPTIONS; code++)
        evbuffer_add_printf(out, "lodewatch_exceptions_total{code=\"%d\"} %" PRIu64 "\n",
                            code, stats->exceptions[code]);
}

static void
add_registrations(struct evbuffer *out, const struct registration_counts *counts)
{
    static const char name[] = "lodewatch_registrations_total";

    metrics_head(out, name, "counter", "Connections that dialled in, by what they were.");
    evbuffer_add_printf(out,
                        "%s{result=\"registered\"} %" PRIu64 "\n"
                        "%s{result=\"unknown\"} %" PRIu64 "\n"
                        "%s{result=\"mute\"} %" PRIu64 "\n",
                        name, counts->registered, name, counts->unknown, name,
                        counts->mute);
}

static void
add_replies(struct evbuffer *out, const struct reply_times *replies)
{
    static const char name[] = "lodewatch_reply_seconds";
    uint64_t n = 0;

    metrics_head(out, name, "histogram", "From a request to its reply.");
    for (int i = 0; i < REPLY_BUCKETS; i++) {
        n += replies->n[i];
        evbuffer_add_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                            reply_bucket_ms[i] / 1e3, n);
    }
    n += replies->n[REPLY_BUCKETS];
    evbuffer_add_printf(out,
                        "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n"
                        "%s_count %" PRIu64 "\n",
                        name, n, name, (double)replies->sum_us / 1e6, name, n);
}

/* ---- by gateway ---- */

struct one {
    char label[LABEL];
    struct poller_gateway g;
};

static double
up(const struct poller_gateway *g)
{
    return g->state == LINK_UP;
}

static double
good(const struct poller_gateway *g)
{
    return g->good.ms == LW_WALL_MIN.ms ? 0 : (double)g->good.ms / 1e3;
}

static double
busy(const struct poller_gateway *g)
{
    return (double)g->busy_us / 1e6;
}

static double
load(const struct poller_gateway *g)
{
    return g->load_permille / 1e3;
}

static double
round_time(const struct poller_gateway *g)
{
    return (double)g->round_us / 1e6;
}

static double
silent(const struct poller_gateway *g)
{
    return g->meters_silent;
}

static double
lost(const struct poller_gateway *g)
{
    return (double)g->link.disconnects;
}

static const struct {
    const char *name, *type, *help;
    double (*of)(const struct poller_gateway *g);
} rows[] = {
    {"lodewatch_gateway_up", "gauge", "1 while it is connected.", up},
    {"lodewatch_gateway_last_good_timestamp_seconds", "gauge",
     "When its last good reading came in; 0: none did.", good},
    {"lodewatch_gateway_busy_seconds_total", "counter",
     "Time in which its connection had reads to do.", busy},
    {"lodewatch_gateway_load_ratio", "gauge", "Share of that time in the last minute.",
     load},
    {"lodewatch_gateway_round_seconds", "gauge",
     "From the first read of the last round to its end.", round_time},
    {"lodewatch_gateway_meters_silent", "gauge", "Its meters whose last read failed.",
     silent},
    {"lodewatch_gateway_lost_connections_total", "counter",
     "Connections to it that were lost.", lost},
};

static void
add_rows(struct evbuffer *out, const struct one *one, int32_t n)
{
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        metrics_head(out, rows[r].name, rows[r].type, rows[r].help);
        for (int32_t i = 0; i < n; i++)
            evbuffer_add_printf(out, "%s{gateway=\"%s\"} %.15g\n", rows[r].name,
                                one[i].label, rows[r].of(&one[i].g));
    }
}

static void
add_gateway_reads(struct evbuffer *out, const struct one *one, int32_t n)
{
    static const char name[] = "lodewatch_gateway_reads_total";

    metrics_head(out, name, "counter", "Reads of its meters, by how they ended.");
    for (int32_t i = 0; i < n; i++)
        for (int r = 0; r < POLL_RESULTS; r++)
            evbuffer_add_printf(
                out, "%s{gateway=\"%s\",result=\"%s\"} %" PRIu64 "\n", name, one[i].label,
                poller_result_name((enum poller_result)r), one[i].g.polls[r]);
}

static void
add_gateway_replies(struct evbuffer *out, const struct one *one, int32_t n)
{
    static const char name[] = "lodewatch_gateway_reply_seconds";

    metrics_head(out, name, "summary", "From a request to its reply.");
    for (int32_t i = 0; i < n; i++)
        evbuffer_add_printf(out,
                            "%s_sum{gateway=\"%s\"} %.6f\n"
                            "%s_count{gateway=\"%s\"} %" PRIu64 "\n",
                            name, one[i].label, (double)one[i].g.replies.sum_us / 1e6,
                            name, one[i].label, reply_times_count(&one[i].g.replies));
}

static void
set_label(char label[LABEL], const char *id)
{
    size_t n = 0;

    for (; *id != '\0' && n + 2 < LABEL; id++) {
        if (*id == '"' || *id == '\\')
            label[n++] = '\\';
        label[n++] = *id;
    }
    label[n] = '\0';
}

void
metrics_add_poll(struct evbuffer *out, const struct poller *poller,
                 const struct poller_stats *stats, const struct lw_ledger *ledger)
{
    add_polls(out, stats);
    add_exceptions(out, stats);
    add_registrations(out, &stats->registration);
    add_replies(out, &stats->replies);

    int32_t n = poller == NULL || ledger->ngateways > GATEWAYS ? 0 : ledger->ngateways;
    struct one *one = calloc((size_t)n + 1, sizeof *one);
    if (n > 0 && one != NULL) {
        for (int32_t i = 0; i < n; i++) {
            set_label(one[i].label, ledger->gateway[i].id);
            poller_gateway(poller, i, &one[i].g);
        }
        add_rows(out, one, n);
        add_gateway_reads(out, one, n);
        add_gateway_replies(out, one, n);
    }
    free(one);
}
