/* 1,000,350 meters at 60 s behind 4,050 gateways, one thread: overruns, the core that it
 * takes, and the memory of a meter's polling state. In real time: MINUTES (default 2). */
#include <malloc.h>

#include "poll_world.h"

enum {
    GATEWAYS = 4050,
    METERS = 247,
    INTERVAL_S = 60
};

/* What the heap holds: the ledger's and the poller's share can be told apart so. */
static size_t
heap(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void
run_for(struct ours *o, int seconds)
{
    struct timeval end = {.tv_sec = seconds};
    event_base_loopexit(o->base, &end);
    event_base_dispatch(o->base);
}

static void
print_memory(const char *name, size_t bytes, double goal)
{
    double each = (double)bytes / GATEWAYS / METERS;
    printf("%s\t%.0f\tB/meter\tgoal\t%.0f\t%.2f\t1.0\t%s\n", name, each, goal,
           each / goal, each <= goal ? "ok" : "short");
}

int
main(void)
{
    static uint16_t port[GATEWAYS_MOST];
    const char *minutes = getenv("MINUTES");
    int seconds = 60 * (minutes ? atoi(minutes) : 2);
    struct poller_stats before, after;
    struct ours o;

    if (!wanted("poll.million"))
        return 0;
    pid_t server = start_server(port, GATEWAYS, 0);
    stay_on_core(0);
    struct profiles *profiles = make_profiles();
    size_t empty = heap();
    ours_ledger(&o, port, GATEWAYS, 1, METERS, INTERVAL_S);
    size_t with_ledger = heap();
    ours_poller(&o, profiles);
    o.left = INT64_MAX;
    run_for(&o, INTERVAL_S + 5);
    size_t running = heap();
    poller_stats(o.poller, &before);
    double start = cpu_s();
    int64_t good = o.good;
    run_for(&o, seconds);
    double share = (cpu_s() - start) / seconds;
    poller_stats(o.poller, &after);
    uint64_t overruns = after.polls[POLL_OVERRUN] - before.polls[POLL_OVERRUN];
    double due = (double)GATEWAYS * METERS * seconds / INTERVAL_S;
    double read = (double)(o.good - good);

    printf("poll.million_read\t%.0f\tmeters\tdue\t%.0f\t%.4f\t0.999\t%s\n", read, due,
           read / due, read >= 0.999 * due ? "ok" : "short");
    printf("poll.million_overruns\t%llu\tpolls\tnone\t0\t%llu\t0\t%s\n",
           (unsigned long long)overruns, (unsigned long long)overruns,
           overruns == 0 ? "ok" : "short");
    printf("poll.million_cpu\t%.3f\tcores\tone core\t1\t%.3f\t1.0\t%s\n", share, share,
           share < 1 ? "ok" : "short");
    print_memory("poll.million_polling_state", running - with_ledger, 1536);
    print_memory("poll.million_ledger", with_ledger - empty, 1024);
    ours_end(&o);
    profiles_free(profiles);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
