/* What a poll costs our thread, beside others that read the same registers of the same
 * gateways: a bare epoll loop that does nothing but frame, and libmodbus, in one blocking
 * loop and with a thread a gateway, and pymodbus where it is installed.
 *
 * A server that answers at once runs on the other core. All read 10 registers of each
 * meter, over the same number of connections and with as many requests in flight
 * (libmodbus: one); the references neither schedule nor decode nor keep deadlines. Time
 * is moved on by a quarter of an hour whenever all meters have been read, so that all are
 * due at once. They take turns, and the median of each is printed. */
#include <dlfcn.h>
#include <pthread.h>

#include <modbus.h>

#include "poll_world.h"

enum {
    TURNS = 5
};

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

/* --- libmodbus ---------------------------------------------------------------------- */

struct lib {
    modbus_t *bus;
    int polls;
};

static void
lib_read(struct lib *lib)
{
    uint16_t registers[REGISTERS];
    modbus_set_slave(lib->bus, raw_request.unit);
    if (modbus_read_registers(lib->bus, 0, REGISTERS, registers) != REGISTERS)
        die("modbus_read_registers");
}

static void *
lib_thread(void *arg)
{
    struct lib *lib = arg;
    for (int i = 0; i < lib->polls; i++)
        lib_read(lib);
    return NULL;
}

/* libmodbus waits with select(2): it cannot have more than 1,000 gateways. */
static double
run_libmodbus(const uint16_t *port, int gateways, bool threads, int polls)
{
    struct lib *lib = calloc((size_t)gateways, sizeof *lib);
    pthread_t *thread = calloc((size_t)gateways, sizeof *thread);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    for (int i = 0; i < gateways; i++) {
        lib[i] = (struct lib){modbus_new_tcp("127.0.0.1", port[i]), polls / gateways};
        if (lib[i].bus == NULL || modbus_connect(lib[i].bus) != 0)
            die("modbus_connect");
        modbus_set_response_timeout(lib[i].bus, 30, 0);
    }
    double start = cpu_s();
    for (int i = 0; threads && i < gateways; i++)
        if (pthread_create(&thread[i], &small, lib_thread, &lib[i]) != 0)
            die("pthread_create");
    for (int i = 0; threads && i < gateways; i++)
        pthread_join(thread[i], NULL);
    for (int round = 0; !threads && round < polls / gateways; round++)
        for (int i = 0; i < gateways; i++)
            lib_read(&lib[i]);
    double used = cpu_s() - start;
    for (int i = 0; i < gateways; i++) {
        modbus_close(lib[i].bus);
        modbus_free(lib[i].bus);
    }
    pthread_attr_destroy(&small);
    free(thread);
    free(lib);
    return used * 1e6 / (polls / gateways * gateways);
}

/* --- pymodbus, in a process of its own ---------------------------------------------- */

/* 0: it is not installed. */
static double
run_pymodbus(const uint16_t *port, int gateways, int polls)
{
    char command[16 * 128], line[64] = "";
    int n = snprintf(command, sizeof command,
                     "tests/bench/poll_pymodbus.py %d 2>/dev/null", polls);
    for (int i = 0; i < gateways && n < (int)sizeof command; i++)
        n += snprintf(command + n, sizeof command - (size_t)n, " %u", port[i]);
    FILE *in = popen(command, "r");
    if (in == NULL)
        return 0;
    (void)!fgets(line, sizeof line, in);
    pclose(in);
    return atof(line);
}

/* --- ours --------------------------------------------------------------------------- */

static double
run_ours(const struct profiles *profiles, const uint16_t *port, int gateways,
         int inflight, int meters, int rounds)
{
    struct ours o;
    ours_ledger(&o, port, gateways, inflight, meters, 900);
    ours_poller(&o, profiles);
    double start = 0;
    for (int round = -1; round < rounds; round++) {
        if (round == 0) /* after the round that connects */
            start = cpu_s();
        moved_s += 900;
        o.left = (int64_t)gateways * meters;
        event_base_dispatch(o.base);
    }
    double used = cpu_s() - start;
    if (o.failed != 0)
        fprintf(stderr, "bench_poll: %lld reads failed\n", (long long)o.failed);
    ours_end(&o);
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

/* `least`: the ratio is reference to ours, and must not be less than the goal. */
static void
print_figure(const char *name, double ours, const char *reference, double other,
             double goal, bool least)
{
    double ratio = least ? other / ours : ours / other;
    printf("%s\t%.3f\tus\t%s\t%.3f\t%.2f\t%.1f\t%s\n", name, ours, reference, other,
           ratio, goal, (least ? ratio >= goal : ratio <= goal) ? "ok" : "short");
    fflush(stdout);
}

int
main(void)
{
    static const struct {
        int inflight, gateways, meters, rounds;
        double goal;
        double libmodbus; /* as much less CPU than libmodbus at least; 0: not compared */
    } rows[] = {
        {1, 100, 100, 6, 1.3, 2},   {1, 1000, 20, 3, 1.3, 2},  {1, 4000, 10, 2, 1.3, 0},
        {8, 100, 100, 60, 1.6, 10}, {8, 1000, 40, 5, 1.6, 10}, {8, 4000, 20, 3, 1.6, 0},
    };
    enum {
        OURS,
        RAW,
        LOOP,
        THREADS,
        RUNS
    };
    static uint16_t port[GATEWAYS_MOST];
    pid_t server = start_server(port, 4000, 0);
    stay_on_core(0);
    struct profiles *profiles = make_profiles();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double cost[RUNS][TURNS];
        char name[64];
        snprintf(name, sizeof name, "poll.cpu_per_poll_%d_%d", rows[i].inflight,
                 rows[i].gateways);
        if (!wanted(name))
            continue;
        int polls = rows[i].gateways * rows[i].meters * rows[i].rounds;
        int fewer = polls > 40000 ? 40000 : polls; /* libmodbus takes its time */
        for (int turn = 0; turn < TURNS; turn++) {
            cost[RAW][turn] = run_raw(port, rows[i].gateways, rows[i].inflight, polls);
            cost[OURS][turn] = run_ours(profiles, port, rows[i].gateways,
                                        rows[i].inflight, rows[i].meters, rows[i].rounds);
            if (rows[i].libmodbus > 0) {
                cost[LOOP][turn] = run_libmodbus(port, rows[i].gateways, false, fewer);
                cost[THREADS][turn] = run_libmodbus(port, rows[i].gateways, true, fewer);
            }
        }
        double ours = median(cost[OURS]);
        double pymodbus = rows[i].gateways == 100 ? run_pymodbus(port, 100, 20000) : 0;
        print_figure(name, ours, "bare epoll loop", median(cost[RAW]), rows[i].goal,
                     false);
        if (rows[i].libmodbus > 0) {
            print_figure(name, ours, "libmodbus, one loop", median(cost[LOOP]),
                         rows[i].libmodbus, true);
            print_figure(name, ours, "libmodbus, threads", median(cost[THREADS]),
                         rows[i].libmodbus, true);
        }
        if (pymodbus > 0)
            print_figure(name, ours, "pymodbus", pymodbus, rows[i].libmodbus, true);
    }
    profiles_free(profiles);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
