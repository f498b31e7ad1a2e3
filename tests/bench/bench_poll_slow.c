/* Gateways that take 50 ms for each request, as 4G routers and RS-485 do: how many meters
 * a minute one thread reads of 1,000 gateways with 100 units each, beside what is
 * physically there, and how much of a core it takes. In real time: 30 s a figure. */
#include "poll_world.h"

enum {
    GATEWAYS = 1000,
    METERS = 100,
    DELAY_US = 50000,
    WARM_S = 6, /* all are connected, and their first reads are over */
    MEASURE_S = 24
};

static void
run_for(struct ours *o, int seconds)
{
    struct timeval end = {.tv_sec = seconds};
    event_base_loopexit(o->base, &end);
    event_base_dispatch(o->base);
}

/* Meters that are due again as soon as they can have been read at all. */
static void
measure(const struct profiles *profiles, const uint16_t *port, int inflight, double goal)
{
    struct ours o;
    double start, rate, physical, share;
    int64_t good;

    ours_ledger(&o, port, GATEWAYS, inflight, METERS, METERS * DELAY_US / 1000000);
    ours_poller(&o, profiles);
    o.left = INT64_MAX;
    run_for(&o, WARM_S);
    start = cpu_s();
    good = o.good;
    run_for(&o, MEASURE_S);
    share = (cpu_s() - start) / MEASURE_S;
    rate = (double)(o.good - good) * 60 / MEASURE_S;
    physical = 60e6 / DELAY_US * GATEWAYS;
    printf(
        "poll.slow_gateways_%d\t%.0f\tmeters/min\tphysical limit\t%.0f\t%.3f\t%.2f\t%s\n",
        inflight, rate, physical, rate / physical, goal,
        rate >= goal * physical ? "ok" : "short");
    printf("poll.slow_gateways_cpu_%d\t%.3f\tcores\tone core\t1\t%.3f\t0.25\t%s\n",
           inflight, share, share, share < 0.25 ? "ok" : "short");
    fflush(stdout);
    ours_end(&o);
}

int
main(void)
{
    static uint16_t port[GATEWAYS_MOST];

    if (!wanted("poll.slow_gateways"))
        return 0;
    pid_t server = start_server(port, GATEWAYS, DELAY_US);
    stay_on_core(0);
    struct profiles *profiles = make_profiles();
    measure(profiles, port, 1, 0.92);
    measure(profiles, port, 2, 0.98);
    profiles_free(profiles);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
