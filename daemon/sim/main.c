/* lodewatch-sim: a fleet of meters behind Modbus gateways, from a ledger. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lodewatch/ledger.h>

#include "daemon/faults.h"
#include "daemon/files.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/poll/poller.h"
#include "daemon/sim/fleet.h"
#include "daemon/sim/load.h"
#include "daemon/sim/rows.h"
#include "daemon/sim/server.h"
#include "daemon/sim/sim_clock.h"

enum {
    EXIT_RUN_TIME = 1,
    EXIT_INPUT = 2
};

static const char usage[] =
    "usage: lodewatch-sim --ledger DIR [OPTION]...\n"
    "\n"
    "Stands for every gateway of the ledger with its meters, each through its profile: on\n"
    "127.0.0.1, dialling in to a listener there, or on a pseudo terminal to which the\n"
    "device's name is made a link.\n"
    "\n"
    "  --readings FILE     meters show the rows of a readings CSV (also .gz) ...\n"
    "  --shapes FILE       ... or run through load shapes: meter_id,shape,kw,from,to\n"
    "  --faults FILE       what goes wrong: gateway_id,unit,fault,from,to,arg\n"
    "  --missing HOW       a meter without a value is `silent` (default) or answers with\n"
    "                      `exception` 0x0B\n"
    "  --clock-start T     simulated time begins at T (RFC 3339; default: now)\n"
    "  --clock-rate N      and runs N times as fast (default 1)\n"
    "  --follow SOCKET     follows a daemon's clock (its state_dir/clock.sock) instead\n"
    "  --profiles DIR      meter profiles (default: the installed ones)\n"
    "  --timezone ZONE     of local times (default Asia/Shanghai)\n"
    "  --seed N            of the load shapes' noise (default 1)\n"
    "  --help              print this\n"
    "\n"
    "Prints one line when it listens. SIGTERM or SIGINT ends it. Exit code 0: done; 1: failed\n"
    "at run time; 2: bad usage or input.\n";

static const struct option options[] = {
    {"ledger", required_argument, NULL, 'l'},
    {"readings", required_argument, NULL, 'r'},
    {"shapes", required_argument, NULL, 's'},
    {"faults", required_argument, NULL, 'f'},
    {"missing", required_argument, NULL, 'm'},
    {"clock-start", required_argument, NULL, 't'},
    {"clock-rate", required_argument, NULL, 'n'},
    {"follow", required_argument, NULL, 'F'},
    {"profiles", required_argument, NULL, 'p'},
    {"timezone", required_argument, NULL, 'z'},
    {"seed", required_argument, NULL, 'd'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    const char *ledger, *readings, *shapes, *faults, *start, *follow, *profiles,
        *timezone;
    double rate;
    uint64_t seed;
    bool missing_is_exception;
};

struct sim {
    struct loop *loop;
    struct lw_ledger *ledger;
    struct profiles *profiles;
    struct sim_faults faults;
    struct rows *rows;
    struct load *load;
    struct fleet *fleet;
    struct sim_clock *clock;
    struct server *server;
    int exit;
};

static struct lw_faults found;

static int __attribute__((format(printf, 1, 2))) bad_usage(const char *format, ...)
{
    va_list args;
    fputs("lodewatch-sim: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nTry lodewatch-sim --help.\n", stderr);
    return EXIT_INPUT;
}

static int
print_faults(int rc)
{
    faults_print(stderr, &found);
    if (found.n == 0)
        fprintf(stderr, "lodewatch-sim: %s\n", lw_result_text(rc));
    return rc == LW_EPARSE || rc == LW_EINVAL ? EXIT_INPUT : EXIT_RUN_TIME;
}

/* 0, -1 after --help, or the exit code. */
static int
parse_arguments(int argc, char **argv, struct arguments *a)
{
    char *end;
    int c;
    *a = (struct arguments){
        .rate = 1, .timezone = "Asia/Shanghai", .seed = 1, .profiles = ""};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'l':
            a->ledger = optarg;
            break;
        case 'r':
            a->readings = optarg;
            break;
        case 's':
            a->shapes = optarg;
            break;
        case 'f':
            a->faults = optarg;
            break;
        case 'm':
            a->missing_is_exception = strcmp(optarg, "exception") == 0;
            if (!a->missing_is_exception && strcmp(optarg, "silent") != 0)
                return bad_usage("--missing %s: expected silent or exception", optarg);
            break;
        case 't':
            a->start = optarg;
            break;
        case 'n':
            a->rate = strtod(optarg, &end);
            if (*end || !(a->rate > 0 && a->rate <= 1e6))
                return bad_usage(
                    "--clock-rate %s: expected a number over 0, at most 1000000", optarg);
            break;
        case 'F':
            a->follow = optarg;
            break;
        case 'p':
            a->profiles = optarg;
            break;
        case 'z':
            a->timezone = optarg;
            break;
        case 'd':
            a->seed = strtoull(optarg, &end, 10);
            if (*end || end == optarg)
                return bad_usage("--seed %s: expected a whole number", optarg);
            break;
        case 'h':
            fputs(usage, stdout);
            return -1;
        default:
            return bad_usage("expected the options below");
        }
    }
    if (optind < argc)
        return bad_usage("%s: expected options alone", argv[optind]);
    if (!a->ledger)
        return bad_usage("--ledger is missing");
    if (a->readings && a->shapes)
        return bad_usage("--readings and --shapes: expected one of the two");
    return 0;
}

static int
load_ledger(const struct arguments *a, struct lw_ledger **ret_ledger)
{
    struct files_ledger files = {0};
    char *tzif = NULL;
    size_t n = 0;
    int rc = files_zone(a->timezone, &tzif, &n);
    if (rc < 0) {
        lw_fault_add(&found, a->timezone, 0, 0, "no such time zone");
        return LW_EPARSE;
    }
    rc = files_ledger_load(a->ledger, &found, &files);
    if (rc == 0) {
        files.text.tzif = tzif;
        files.text.tzif_n = n;
        rc = lw_ledger_new(&files.text, &found, ret_ledger);
    }
    files_ledger_free(&files);
    free(tzif);
    return rc;
}

/* ---- hooks ---- */

static void
leave(struct sim *sim, int code)
{
    sim->exit = code;
    loop_quit(sim->loop);
}

static void
on_stop(void *arg)
{
    leave(arg, 0);
}

static void
on_reload(void *arg)
{
    (void)arg;
    log_note("SIGHUP: the simulator reads its files once; start it anew");
}

static void
on_known(void *arg)
{
    struct sim *sim = arg;
    server_begin(sim->server);
}

static void
on_lost(void *arg)
{
    log_error("no daemon serves the clock's socket");
    leave(arg, EXIT_RUN_TIME);
}

static lw_wall
now(void *arg)
{
    struct sim *sim = arg;
    lw_wall t = sim_clock_now(sim->clock);
    if (sim->rows && found.n == 0) {
        int rc = rows_advance(sim->rows, t, &found);
        if (rc < 0)
            leave(sim, print_faults(rc));
    }
    return t;
}

/* ---- setting up ---- */

static int
new_clock(struct sim *sim, const struct arguments *a)
{
    struct sim_clock_options o = {
        .start = LW_WALL_MIN, .rate = a->rate, .follow = a->follow};
    struct sim_clock_hooks hooks = {.known = on_known, .lost = on_lost, .arg = sim};
    if (a->start && lw_wall_parse(a->start, strlen(a->start), sim->ledger->zone,
                                  LW_DATE_START, &o.start) < 0) {
        lw_fault_add(&found, "--clock-start", 0, 0,
                     "expected a time such as 2025-03-12T18:31:07+08:00");
        return LW_EPARSE;
    }
    return sim_clock_new(loop_base(sim->loop), &o, &hooks, &sim->clock);
}

static int
set_up(struct sim *sim, const struct arguments *a)
{
    struct loop_hooks hooks = {.stop = on_stop, .reload = on_reload, .arg = sim};
    int rc = load_ledger(a, &sim->ledger);
    if (rc == 0)
        rc = profiles_load(a->profiles, &found, &sim->profiles);
    if (rc == 0 && a->faults)
        rc = sim_faults_load(a->faults, sim->ledger, &found, &sim->faults);
    if (rc == 0 && a->readings)
        rc = rows_new(a->readings, sim->ledger, &found, &sim->rows);
    else if (rc == 0)
        rc = load_new(a->shapes, sim->ledger, a->seed, &found, &sim->load);
    if (rc == 0)
        rc = loop_new(&hooks, &sim->loop);
    if (rc == 0)
        rc = new_clock(sim, a);
    if (rc < 0)
        return rc;

    struct fleet_options fleet = {
        .ledger = sim->ledger,
        .profiles = sim->profiles,
        .faults = &sim->faults,
        .rows = sim->rows,
        .load = sim->load,
        .missing_is_exception = a->missing_is_exception,
    };
    rc = fleet_new(&fleet, &found, &sim->fleet);
    if (rc < 0)
        return rc;
    struct server_options server = {
        .base = loop_base(sim->loop), .fleet = sim->fleet, .now = now, .arg = sim};
    rc = server_new(&server, &found, &sim->server);
    if (rc == 0 && sim_clock_known(sim->clock))
        server_begin(sim->server);
    return rc;
}

static void
tear_down(struct sim *sim)
{
    server_free(sim->server);
    sim_clock_free(sim->clock);
    fleet_free(sim->fleet);
    load_free(sim->load);
    rows_free(sim->rows);
    sim_faults_free(&sim->faults);
    profiles_free(sim->profiles);
    lw_ledger_free(sim->ledger);
    loop_free(sim->loop);
}

int
main(int argc, char **argv)
{
    struct arguments arguments;
    struct sim sim = {0};
    struct rlimit files;
    struct line *lines;
    int32_t others;

    log_open("lodewatch-sim", LOG_INFO);
    int rc = parse_arguments(argc, argv, &arguments);
    if (rc != 0)
        return rc < 0 ? 0 : rc;
    /* Thousands of gateways are thousands of sockets. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    rc = set_up(&sim, &arguments);
    if (rc < 0) {
        sim.exit = print_faults(rc);
    } else {
        int32_t served = fleet_served(sim.fleet, &others);
        if (others > 0)
            log_note("%d meters have no gateway, or one over TLS, and are not served",
                     others);
        printf("lodewatch-sim: %d meters on %zu gateways\n", served,
               fleet_lines(sim.fleet, &lines));
        fflush(stdout);
        if (loop_run(sim.loop) < 0)
            sim.exit = EXIT_RUN_TIME;
    }
    tear_down(&sim);
    return sim.exit;
}
