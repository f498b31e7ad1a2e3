/* What the poll benchmarks share: gateways in a process of their own, and our poller on a
 * ledger that reads them all. Each benchmark is a program of its own. */
#ifndef TESTS_BENCH_POLL_WORLD_H
#define TESTS_BENCH_POLL_WORLD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/ledger.h>
#include <lodewatch/modbus.h>
#include <lodewatch/profile.h>

#include "daemon/clock.h"
#include "daemon/poll/poller.h"

enum {
    REGISTERS = 10,
    GATEWAYS_MOST = 4096,
    INFLIGHT_MOST = 8
};

static const char profile_json[] =
    "{\"vendor\":\"b\",\"model\":\"b\",\"source\":\"bench\",\"points\":["
    "{\"quantity\":\"active_power_kw\",\"function\":3,\"address\":\"0x0000\","
    "\"type\":\"i32\",\"unit\":\"W\"},"
    "{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0002\",\"type\":\"i64\","
    "\"unit\":\"Wh\"},"
    "{\"quantity\":\"voltage_a_v\",\"function\":3,\"address\":\"0x0006\",\"type\":\"i32\","
    "\"unit\":\"V\",\"scale\":0.1},"
    "{\"quantity\":\"current_a_a\",\"function\":3,\"address\":\"0x0008\",\"type\":\"i32\","
    "\"unit\":\"mA\"}]}";

static void
die(const char *what)
{
    fprintf(stderr, "bench_poll: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* BENCH has the beginning of the figures' names that are asked for. */
static bool
wanted(const char *name)
{
    const char *bench = getenv("BENCH");
    return bench == NULL || strncmp(name, bench, strlen(bench)) == 0;
}

static double
cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
stay_on_core(size_t core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    (void)sched_setaffinity(0, sizeof set, &set); /* one core: then there is no choice */
}

/* --- the server: gateways that take a while for each request, one after the other -----
 */

/* A connection: requests that wait, and whether one is being answered. */
struct served {
    int n;
    uint8_t in[LW_MBAP_REQUEST * 64];
    bool busy;
};

/* What is being answered, in the order in which it will be: each takes as long. */
struct answering {
    int64_t at_us;
    int fd;
};

static struct served served[2 * GATEWAYS_MOST + 64];
static struct answering answering[GATEWAYS_MOST];
static uint32_t answering_first, answering_n;

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
watch(int ep, int fd, uint32_t data)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = data};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

/* Answers the first n requests that wait. */
static void
answer(int fd, int n)
{
    static const uint8_t data[2 * REGISTERS] = {0, 0, 4, 210, 0, 0,   0, 1, 0, 0,
                                                9, 9, 0, 0,   8, 252, 0, 0, 3, 232};
    uint8_t out[64 * 64];
    struct served *s = &served[fd];
    size_t out_n = 0;
    for (int i = 0; i < n; i++) {
        const uint8_t *in = s->in + i * LW_MBAP_REQUEST;
        struct lw_mb_request req = {.unit = in[6]};
        if (lw_mb_parse_request(in + 7, 5, &req) != 0)
            abort();
        out_n += lw_mbap_answer((uint16_t)(in[0] << 8 | in[1]), &req, data, sizeof data,
                                out + out_n);
    }
    s->n -= n * LW_MBAP_REQUEST;
    memmove(s->in, s->in + n * LW_MBAP_REQUEST, (size_t)s->n);
    (void)!send(fd, out, out_n, MSG_NOSIGNAL);
}

static void
begin_answer(int fd, int delay_us)
{
    if (served[fd].busy || served[fd].n < LW_MBAP_REQUEST)
        return;
    served[fd].busy = true;
    answering[(answering_first + answering_n++) % GATEWAYS_MOST] =
        (struct answering){now_us() + delay_us, fd};
}

static void
receive(int fd, int delay_us)
{
    struct served *s = &served[fd];
    ssize_t got = recv(fd, s->in + s->n, sizeof s->in - (size_t)s->n, 0);
    if (got <= 0) {
        close(fd);
        s->n = 0;
        return;
    }
    s->n += (int)got;
    if (delay_us > 0)
        begin_answer(fd, delay_us);
    else
        answer(fd, s->n / LW_MBAP_REQUEST);
}

/* Sends what is due; returns how long the next takes, in ms, or -1. */
static int
answer_due(int delay_us)
{
    while (answering_n > 0) {
        struct answering *a = &answering[answering_first];
        int64_t left = a->at_us - now_us();
        if (left > 0)
            return (int)(left / 1000) + (left % 1000 > 500);
        answering_first = (answering_first + 1) % GATEWAYS_MOST;
        answering_n--;
        served[a->fd].busy = false;
        if (served[a->fd].n < LW_MBAP_REQUEST)
            continue; /* it has gone */
        answer(a->fd, 1);
        begin_answer(a->fd, delay_us);
    }
    return -1;
}

static void
serve(const int *listener, int n, int delay_us)
{
    int ep = epoll_create1(0);
    struct epoll_event e[256];
    for (int i = 0; i < n; i++)
        watch(ep, listener[i], (uint32_t)listener[i] | 1u << 31);
    for (;;) {
        int m = epoll_wait(ep, e, 256, answer_due(delay_us));
        for (int i = 0; i < m; i++) {
            if (!(e[i].data.u32 >> 31)) {
                receive((int)e[i].data.u32, delay_us);
                continue;
            }
            int on = 1, fd = accept((int)(e[i].data.u32 & INT32_MAX), NULL, NULL);
            if (fd < 0)
                continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            served[fd] = (struct served){0};
            watch(ep, fd, (uint32_t)fd);
        }
    }
}

static pid_t
start_server(uint16_t *port, int n, int delay_us)
{
    static int listener[GATEWAYS_MOST];
    struct rlimit files = {.rlim_cur = 16384, .rlim_max = 16384};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < n; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t len = sizeof address;
        listener[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (listener[i] < 0 || bind(listener[i], (struct sockaddr *)&address, len) != 0 ||
            listen(listener[i], 8) != 0 ||
            getsockname(listener[i], (struct sockaddr *)&address, &len) != 0)
            die("listen");
        port[i] = ntohs(address.sin_port);
    }
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        stay_on_core(1);
        serve(listener, n, delay_us);
    }
    for (int i = 0; i < n; i++)
        close(listener[i]);
    return pid;
}

/* --- ours --------------------------------------------------------------------------- */

struct ours {
    struct event_base *base;
    struct clock *clock;
    struct lw_ledger *ledger;
    struct poller *poller;
    int64_t left; /* events until the loop is left */
    int64_t good, failed;
};

static void
on_event(void *arg, const struct lw_event *event)
{
    struct ours *o = arg;
    if (event->kind == LW_EVENT_READING)
        o->good++;
    else
        o->failed++;
    if (--o->left == 0)
        event_base_loopbreak(o->base);
}

static char *
ledger_text(const uint16_t *port, int gateways, int inflight, int meters, int interval_s,
            bool of_meters)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        die("open_memstream");
    fputs(of_meters ? "meter_id,installed_at,role,gateway_id,unit,profile,interval_s\n"
                    : "gateway_id,transport,address,max_inflight\n",
          out);
    for (int g = 0; g < gateways; g++) {
        if (!of_meters)
            fprintf(out, "g%d,tcp,127.0.0.1:%u,%d\n", g, port[g], inflight);
        for (int m = 0; of_meters && m < meters; m++)
            fprintf(out, "m%d-%d,2020-01-01,context,g%d,%d,bench,%d\n", g, m, g, m + 1,
                    interval_s);
    }
    fclose(out);
    return text;
}

static void
ours_ledger(struct ours *o, const uint16_t *port, int gateways, int inflight, int meters,
            int interval_s)
{
    static struct lw_faults faults;
    char *g = ledger_text(port, gateways, inflight, meters, interval_s, false);
    char *m = ledger_text(port, gateways, inflight, meters, interval_s, true);
    struct lw_ledger_text text = {.deployment = "bench"};
    text.table[LW_GATEWAYS].text = g;
    text.table[LW_GATEWAYS].n = strlen(g);
    text.table[LW_METERS].text = m;
    text.table[LW_METERS].n = strlen(m);
    *o = (struct ours){.base = event_base_new()};
    if (clock_new(o->base, &(struct clock_options){0}, &o->clock) != 0 ||
        lw_ledger_new(&text, &faults, &o->ledger) != 0)
        die(faults.fault[0].text);
    free(g);
    free(m);
}

static void
ours_poller(struct ours *o, const struct profiles *profiles)
{
    static struct lw_faults faults;
    if (poller_new(o->base, o->clock, o->ledger, profiles, on_event, o, &faults,
                   &o->poller) != 0)
        die(faults.fault[0].text);
}

static void
ours_end(struct ours *o)
{
    poller_free(o->poller);
    lw_ledger_free(o->ledger);
    clock_free(o->clock);
    event_base_free(o->base);
}

static struct profiles *
make_profiles(void)
{
    char dir[] = "/tmp/lw-bench-poll-XXXXXX", path[64];
    static struct lw_faults faults;
    struct profiles *profiles = NULL;
    if (mkdtemp(dir) == NULL)
        die("mkdtemp");
    snprintf(path, sizeof path, "%s/bench.json", dir);
    FILE *out = fopen(path, "w");
    if (out == NULL)
        die(path);
    fputs(profile_json, out);
    fclose(out);
    if (profiles_load(dir, &faults, &profiles) != 0)
        die(faults.fault[0].text);
    unlink(path);
    rmdir(dir);
    return profiles;
}

#endif
