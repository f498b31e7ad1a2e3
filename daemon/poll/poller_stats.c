/* What the poller shows of itself: in all, by gateway, by meter. */
#include <string.h>

#include "daemon/poll/poller_private.h"

const char *
link_state_name(enum link_state state)
{
    static const char *const names[LINK_STATES] = {
        [LINK_IDLE] = "idle",       [LINK_CONNECTING] = "connecting", [LINK_UP] = "up",
        [LINK_BACKOFF] = "backoff", [LINK_AWAITED] = "awaited",
    };
    return names[state];
}

static void
add_link(struct link_counts *sum, const struct link_counts *one)
{
    sum->connects += one->connects;
    sum->disconnects += one->disconnects;
    sum->refused += one->refused;
    sum->stray += one->stray;
    sum->corrupt += one->corrupt;
    sum->wrong_unit += one->wrong_unit;
}

static void
add_registration(struct registration_counts *sum, const struct registration_counts *one)
{
    sum->accepted += one->accepted;
    sum->registered += one->registered;
    sum->unknown += one->unknown;
    sum->mute += one->mute;
    sum->waiting += one->waiting;
}

void
poller_stats(const struct poller *p, struct poller_stats *ret_stats)
{
    int64_t now_us = clock_io_us();
    *ret_stats = (struct poller_stats){
        .gateways = p->ledger->ngateways,
        .inflight = p->pool.inflight,
        .registration = p->before,
    };
    for (int32_t i = 0; i < p->nlines; i++) {
        const struct bus_figures *figures = bus_figures(p->line[i].bus);
        add_link(&ret_stats->link, bus_counts(p->line[i].bus));
        reply_times_sum(&ret_stats->replies, &figures->replies);
        int32_t load = bus_figures_load(figures, now_us);
        int64_t round_us = bus_figures_round_us(figures, now_us);
        if (load > ret_stats->load_permille)
            ret_stats->load_permille = load;
        if (round_us > ret_stats->round_us)
            ret_stats->round_us = round_us;
    }
    for (int32_t i = 0; i < p->nlisteners; i++)
        add_registration(&ret_stats->registration, listener_counts(p->listener[i]));
    for (int32_t i = 0; i < p->ledger->ngateways; i++) {
        const struct gateway *g = &p->gateway[i];
        for (int r = 0; r < POLL_RESULTS; r++)
            ret_stats->polls[r] += g->polls[r];
        for (int e = 0; e < POLL_EXCEPTIONS; e++)
            ret_stats->exceptions[e] += g->exceptions[e];
        ret_stats->meters_silent += g->silent;
        ret_stats->gateways_up +=
            bus_state(p->line[p->endpoints.of_gateway[i]].bus) == LINK_UP;
    }
}

void
poller_gateway(const struct poller *p, int32_t gateway,
               struct poller_gateway *ret_gateway)
{
    const struct gateway *g = &p->gateway[gateway];
    const struct bus *bus = p->line[p->endpoints.of_gateway[gateway]].bus;
    const struct bus_figures *figures = bus_figures(bus);
    int64_t now_us = clock_io_us();
    *ret_gateway = (struct poller_gateway){
        .state = bus_state(bus),
        .retry_ms = bus_retry_ms(bus),
        .link = *bus_counts(bus),
        .replies = figures->replies,
        .latency_us = bus_latency_us(bus),
        .round_us = bus_figures_round_us(figures, now_us),
        .busy_us = bus_figures_busy_us(figures, now_us),
        .load_permille = bus_figures_load(figures, now_us),
        .queue = bus_waiting(bus),
        .exceptions = g->exceptions,
        .good = g->good,
        .meters = g->meters,
        .meters_silent = g->silent,
    };
    memcpy(ret_gateway->polls, g->polls, sizeof g->polls);
}

void
poller_meter(const struct poller *p, int32_t meter, struct poller_meter *ret_meter)
{
    const struct meter *m = &p->meter[meter];
    int64_t next = LW_WALL_MAX.ms;
    bool polled = lw_due_get(p->due, meter, &next);
    int64_t wait = lw_wall_since((lw_wall){next}, clock_now(p->clock).wall);
    *ret_meter = (struct poller_meter){
        .last = polled ? m->result : POLL_RESULTS,
        .exception = m->exception,
        .failures = m->failures,
        .latency_ms = m->latency_ms,
        .silent = polled && wait > interval_of(row_of(p, m)),
        .next = {next},
    };
}
