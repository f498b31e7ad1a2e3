/* lodewatchd: arguments, start, loop, end. */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/daemon.h"
#include "daemon/faults.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify/service.h"

enum {
    EXIT_BAD = 2
};

static const char help[] =
    "Usage: lodewatchd --config FILE [--check] [--record DIR]\n"
    "                  [--clock-start T] [--clock-rate N]\n"
    "\n"
    "Watches the load of places where nothing should be mined.\n"
    "监测关闭矿点等场所的用电负荷，发现无法解释的用电。\n"
    "\n"
    "  --config FILE    the configuration 配置文件 (docs/configuration.md)\n"
    "  --check          check everything that it names, then exit 仅检查配置和台账\n"
    "  --record DIR     also keep a checkpoint and the whole journal there 另存完整记录\n"
    "  --clock-start T  run on a simulated clock from this time (RFC 3339) 模拟时钟起点\n"
    "  --clock-rate N   simulated seconds a second 模拟时钟速率\n"
    "  --help, --version\n"
    "\n"
    "Signals: SIGHUP reloads everything or nothing; SIGTERM stops within 5 s.\n"
    "Exit: 0 done, 1 failed at run time, 2 bad usage or bad input.\n";

static int
usage_error(const char *text)
{
    fprintf(stderr, "lodewatchd: %s; see lodewatchd --help\n", text);
    return EXIT_BAD;
}

/* 0: go on; 1: done, leave with *ret_code. */
static int
parse_arguments(int argc, char **argv, struct arguments *a, int *ret_code)
{
    enum {
        CONFIG = 1,
        CHECK,
        RECORD,
        CLOCK_START,
        CLOCK_RATE,
        HELP,
        VERSION
    };
    static const struct option options[] = {
        {"config", required_argument, NULL, CONFIG},
        {"check", no_argument, NULL, CHECK},
        {"record", required_argument, NULL, RECORD},
        {"clock-start", required_argument, NULL, CLOCK_START},
        {"clock-rate", required_argument, NULL, CLOCK_RATE},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    char *end;
    int option;

    *a = (struct arguments){.start = clock_system(), .rate = 1};
    *ret_code = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case CONFIG:
            a->config = optarg;
            break;
        case CHECK:
            a->check = true;
            break;
        case RECORD:
            a->record = optarg;
            break;
        case CLOCK_START:
            a->simulated = true;
            if (lw_wall_parse(optarg, strlen(optarg), NULL, LW_DATE_START, &a->start) !=
                0) {
                *ret_code =
                    usage_error("--clock-start: 2025-03-12T18:00:00Z was expected");
                return 1;
            }
            break;
        case CLOCK_RATE:
            a->simulated = true;
            a->rate = strtod(optarg, &end);
            if (*end != '\0' || !(a->rate >= 0.001 && a->rate <= 1e6)) {
                *ret_code = usage_error("--clock-rate: 0.001 to 1000000 was expected");
                return 1;
            }
            break;
        case HELP:
            fputs(help, stdout);
            return 1;
        case VERSION:
            puts("lodewatchd " LODEWATCH_VERSION);
            return 1;
        default:
            *ret_code = EXIT_BAD;
            return 1;
        }
    }
    if (a->config == NULL || optind != argc) {
        *ret_code =
            usage_error(a->config == NULL ? "--config is missing" : "what is this?");
        return 1;
    }
    return 0;
}

static void
on_stop(void *arg)
{
    daemon_stop(arg);
}

static void
on_reload(void *arg)
{
    daemon_reload(arg);
}

/* A connection for each gateway: as many files as the system lets us have. evhttp, too,
 * spins where there are none left. */
static void
allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t had = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (had < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("at most %ju files can be open: %m", (uintmax_t)had);
}

static int
run(struct daemon *d, struct lw_faults *faults)
{
    const struct loop_hooks hooks = {.stop = on_stop, .reload = on_reload, .arg = d};
    int rc = loop_new(&hooks, &d->rooms.loop);

    if (rc == 0)
        rc = daemon_start(d, faults);
    if (rc != 0) {
        faults_print(stderr, faults);
        log_error("not started: %s", lw_result_text(rc));
        return rc == LW_EPARSE ? EXIT_BAD : EXIT_FAILURE;
    }
    log_note("lodewatchd %s runs%s", LODEWATCH_VERSION,
             d->arguments.simulated ? " on a simulated clock" : "");
    service_ready();
    rc = loop_run(d->rooms.loop);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    static struct daemon d;
    static struct lw_faults faults;
    int code;

    log_open("lodewatchd", LOG_NOTE);
    if (parse_arguments(argc, argv, &d.arguments, &code) != 0)
        return code;
    int rc = setup_load(d.arguments.config, d.arguments.simulated, &d.setup, &faults);
    if (rc != 0) {
        faults_print(stderr, &faults);
        if (faults.n == 0)
            log_error("%s", lw_result_text(rc));
        return rc == LW_EPARSE ? EXIT_BAD : EXIT_FAILURE;
    }
    if (d.arguments.check) {
        printf("%s: ok\n", d.arguments.config);
        setup_free(&d.setup);
        return EXIT_SUCCESS;
    }
    log_level_set((enum log_level)config_log_level(d.setup.config.log_level));
    allow_files();
    code = run(&d, &faults);
    daemon_finish(&d);
    log_note("stopped");
    return code;
}
