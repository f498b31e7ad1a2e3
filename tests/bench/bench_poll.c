/* What a poll costs our thread, beside a bare epoll loop that does nothing but frame.
 *
 * A server that answers at once runs on the other core. Both clients read 10 registers of
 * each meter, over the same number of connections and with as many requests in flight;
 * the reference neither schedules nor decodes nor keeps deadlines. Time is moved on by a
 * quarter of an hour whenever all meters have been read, so that all are due at once. The
 * two take turns, and the median of each is printed. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lodewatch/ledger.h>
#include <lodewatch/modbus.h>
#include <lodewatch/profile.h>

#include "daemon/clock.h"
#include "daemon/poll/poller.h"

enum {
    REGISTERS = 10,
    GATEWAYS_MOST = 1000,
    TURNS = 5,
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

/* --- the time that both see --------------------------------------------------------- */

static int64_t moved_s;

int
clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int rc = real(id, t);
    if (id != CLOCK_THREAD_CPUTIME_ID)
        t->tv_sec += moved_s;
    return rc;
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

/* --- the server --------------------------------------------------------------------- */

static void
watch(int ep, int fd, uint32_t data)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = data};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

static void
answer(int fd)
{
    uint8_t in[LW_MBAP_REQUEST * 64], out[64 * 64];
    static const uint8_t data[2 * REGISTERS] = {0, 0, 4, 210, 0, 0,   0, 1, 0, 0,
                                                9, 9, 0, 0,   8, 252, 0, 0, 3, 232};
    size_t n = 0;
    ssize_t got = recv(fd, in, sizeof in, 0);
    if (got <= 0) {
        close(fd);
        return;
    }
    for (ssize_t at = 0; at + LW_MBAP_REQUEST <= got; at += LW_MBAP_REQUEST) {
        struct lw_mb_request req = {.unit = in[at + 6]};
        if (lw_mb_parse_request(in + at + 7, 5, &req) != 0)
            abort();
        n += lw_mbap_answer((uint16_t)(in[at] << 8 | in[at + 1]), &req, data, sizeof data,
                            out + n);
    }
    (void)!send(fd, out, n, MSG_NOSIGNAL);
}

static void
serve(const int *listener, int n)
{
    int ep = epoll_create1(0);
    struct epoll_event e[256];
    for (int i = 0; i < n; i++)
        watch(ep, listener[i], (uint32_t)listener[i] | 1u << 31);
    for (;;) {
        int m = epoll_wait(ep, e, 256, -1);
        for (int i = 0; i < m; i++) {
            if (!(e[i].data.u32 >> 31)) {
                answer((int)e[i].data.u32);
                continue;
            }
            int on = 1, fd = accept((int)(e[i].data.u32 & INT32_MAX), NULL, NULL);
            if (fd < 0)
                continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(ep, fd, (uint32_t)fd);
        }
    }
}

static pid_t
start_server(uint16_t *port, int n)
{
    int listener[GATEWAYS_MOST];
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
        serve(listener, n);
    }
    for (int i = 0; i < n; i++)
        close(listener[i]);
    return pid;
}

/* --- the reference ------------------------------------------------------------------ */

struct raw {
    int fd;
    uint16_t transaction;
    size_t n;
    uint8_t in[4096];
};

static const struct lw_mb_request raw_request = {
    .unit = 1, .function = 3, .address = 0, .count = REGISTERS};

static void
raw_ask(struct raw *c, int n)
{
    uint8_t out[INFLIGHT_MOST * LW_MBAP_REQUEST];
    for (int i = 0; i < n; i++)
        if (lw_mbap_request(c->transaction++, &raw_request, out + i * LW_MBAP_REQUEST) !=
            0)
            abort();
    if (send(c->fd, out, (size_t)n * LW_MBAP_REQUEST, MSG_NOSIGNAL) < 0)
        die("send");
}

static int
raw_take(struct raw *c)
{
    struct lw_mbap_frame frame;
    const uint8_t *data;
    size_t at = 0, n;
    int len, frames = 0;
    ssize_t got = recv(c->fd, c->in + c->n, sizeof c->in - c->n, 0);
    if (got <= 0)
        die("recv");
    c->n += (size_t)got;
    while ((len = lw_mbap_next(c->in + at, c->n - at, &frame)) > 0) {
        if (frame.unit != raw_request.unit ||
            lw_mb_reply(&raw_request, frame.pdu, frame.pdu_len, &data, &n) != 0)
            abort();
        at += (size_t)len;
        frames++;
    }
    c->n -= at;
    memmove(c->in, c->in + at, c->n);
    return frames;
}

static double
run_raw(const uint16_t *port, int gateways, int inflight, int polls)
{
    struct raw *c = calloc((size_t)gateways, sizeof *c);
    int ep = epoll_create1(0);
    struct epoll_event e[256];
    for (int i = 0; i < gateways; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr = {htonl(INADDR_LOOPBACK)},
                                      .sin_port = htons(port[i])};
        int on = 1;
        c[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c[i].fd, (struct sockaddr *)&address, sizeof address) != 0)
            die("connect");
        setsockopt(c[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(ep, c[i].fd, (uint32_t)i);
    }
    double start = cpu_s();
    for (int i = 0; i < gateways; i++)
        raw_ask(&c[i], inflight);
    for (int done = 0; done < polls;) {
        int m = epoll_wait(ep, e, 256, -1);
        for (int i = 0; i < m; i++) {
            int frames = raw_take(&c[e[i].data.u32]);
            done += frames;
            if (frames > 0)
                raw_ask(&c[e[i].data.u32], frames);
        }
    }
    double used = cpu_s() - start;
    for (int i = 0; i < gateways; i++)
        close(c[i].fd);
    close(ep);
    free(c);
    return used * 1e6 / polls;
}

/* --- ours --------------------------------------------------------------------------- */

struct ours {
    struct event_base *base;
    int left, failed;
};

static void
on_event(void *arg, const struct lw_event *event)
{
    struct ours *o = arg;
    o->failed += event->kind != LW_EVENT_READING;
    if (--o->left == 0)
        event_base_loopbreak(o->base);
}

static char *
ledger_text(const uint16_t *port, int gateways, int inflight, int meters, bool of_meters)
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
            fprintf(out, "m%d-%d,2020-01-01,context,g%d,%d,bench,900\n", g, m, g, m + 1);
    }
    fclose(out);
    return text;
}

static double
run_ours(const struct profiles *profiles, const uint16_t *port, int gateways,
         int inflight, int meters, int rounds)
{
    struct ours o = {.base = event_base_new()};
    struct clock *clock = NULL;
    struct lw_ledger *ledger = NULL;
    struct poller *poller = NULL;
    static struct lw_faults faults;
    char *g = ledger_text(port, gateways, inflight, meters, false);
    char *m = ledger_text(port, gateways, inflight, meters, true);
    struct lw_ledger_text text = {.deployment = "bench"};
    text.table[LW_GATEWAYS].text = g;
    text.table[LW_GATEWAYS].n = strlen(g);
    text.table[LW_METERS].text = m;
    text.table[LW_METERS].n = strlen(m);
    if (clock_new(o.base, &(struct clock_options){0}, &clock) != 0 ||
        lw_ledger_new(&text, &faults, &ledger) != 0 ||
        poller_new(o.base, clock, ledger, profiles, on_event, &o, &faults, &poller) != 0)
        die(faults.fault[0].text);

    double start = 0;
    for (int round = -1; round < rounds; round++) {
        if (round == 0) /* after the round that connects */
            start = cpu_s();
        moved_s += 900;
        o.left = gateways * meters;
        event_base_dispatch(o.base);
    }
    double used = cpu_s() - start;
    if (o.failed != 0)
        fprintf(stderr, "bench_poll: %d reads failed\n", o.failed);
    poller_free(poller);
    lw_ledger_free(ledger);
    clock_free(clock);
    event_base_free(o.base);
    free(g);
    free(m);
    return used * 1e6 / ((double)rounds * gateways * meters);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double
median(double *value)
{
    qsort(value, TURNS, sizeof value[0], by_value);
    return value[TURNS / 2];
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

/* With a name, only the figures whose names begin so. */
int
main(int argc, char **argv)
{
    static const struct {
        int inflight, gateways, meters, rounds;
        double goal;
    } rows[] = {
        {1, 100, 100, 6, 1.3},
        {1, 1000, 20, 3, 1.3},
        {8, 100, 100, 60, 1.6},
        {8, 1000, 40, 5, 1.6},
    };
    static uint16_t port[GATEWAYS_MOST];
    struct rlimit files = {.rlim_cur = 8192, .rlim_max = 8192};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    pid_t server = start_server(port, GATEWAYS_MOST);
    stay_on_core(0);
    struct profiles *profiles = make_profiles();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double ours[TURNS], raw[TURNS];
        char name[64];
        snprintf(name, sizeof name, "poll.cpu_per_poll_%d_%d", rows[i].inflight,
                 rows[i].gateways);
        if (argc > 1 && strncmp(name, argv[1], strlen(argv[1])) != 0)
            continue;
        int polls = rows[i].gateways * rows[i].meters * rows[i].rounds;
        for (int turn = 0; turn < TURNS; turn++) {
            raw[turn] = run_raw(port, rows[i].gateways, rows[i].inflight, polls);
            ours[turn] = run_ours(profiles, port, rows[i].gateways, rows[i].inflight,
                                  rows[i].meters, rows[i].rounds);
        }
        double a = median(ours), b = median(raw), ratio = a / b;
        printf(
            "poll.cpu_per_poll_%d_%d\t%.3f\tus\tbare epoll loop\t%.3f\t%.2f\t%.1f\t%s\n",
            rows[i].inflight, rows[i].gateways, a, b, ratio, rows[i].goal,
            ratio <= rows[i].goal ? "ok" : "short");
        fflush(stdout);
    }
    profiles_free(profiles);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
