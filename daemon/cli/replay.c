/* `lodewatch replay`: readings from a file, or a recorded journal, through a core of its
 * own; alerts on standard output. No database and no network. */
#include "daemon/cli/cli.h"
#include "daemon/faults.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>

#include "daemon/clock.h"
#include "daemon/engine.h"
#include "daemon/files.h"

enum {
    CHUNK = 256 * 1024,
    RULES_BYTES = 1 << 20
};

static const char usage[] =
    "usage: lodewatch replay --ledger DIR [OPTION...] READINGS\n"
    "       lodewatch replay --events JOURNAL [--sentences] [--quiet]\n"
    "\n"
    "Runs the detector over recorded readings and prints its alerts: CloudEvents JSON, one\n"
    "a line. READINGS is a CSV file, plain or .gz; - is standard input.\n"
    "\n"
    "  --ledger DIR        the ledger: a folder of CSV files\n"
    "  --rules FILE        parameters of the rules (default: as built in)\n"
    "  --from T            skip rows before this time\n"
    "  --to T              stop before this time\n"
    "  --deployment D      in the alerts' ids and source (default: the ledger's root area)\n"
    "  --timezone Z        of night, weeks and times without a zone (default: Asia/Shanghai)\n"
    "  --events JOURNAL    replay a journal's directory instead\n"
    "  --sentences         print what people read, in Chinese and English, instead of JSON\n"
    "  --quiet             no summary on standard error\n"
    "\n"
    "Exit status: 0 done, 1 failed at run time, 2 bad usage or bad input.\n";

struct options {
    const char *ledger, *rules, *from, *to, *deployment, *timezone, *events, *readings;
    bool sentences, quiet, help;
};

/* Where alerts go, and what is counted for the summary. */
struct output {
    bool sentences;
    bool failed; /* an alert could not be written: errno in `error` */
    int error;
    uint64_t raised[LW_RULES];
    uint64_t lines;
};

static void
print_sentences(struct output *o, const struct lw_ledger *ledger,
                const struct lw_effect *effect)
{
    static const char *const kinds[] = {
        [LW_ALERT_RAISED] = "raised",
        [LW_ALERT_UPDATED] = "updated",
        [LW_ALERT_RETURNED] = "returned",
    };
    const struct lw_alarm *alarm = effect->alert.alarm;
    char time[LW_TIME_TEXT], subject[LW_ID_MAX + 16], text[4096];

    lw_wall_format_zone(alarm->at, ledger->zone, time);
    lw_alarm_subject(ledger, alarm, subject);
    printf("%s %s %s %s %s\n", time, kinds[effect->alert.kind],
           lw_priority_name((enum lw_priority)alarm->priority),
           lw_rule_info((enum lw_rule_id)alarm->rule)->id, subject);
    for (int zh = 1; zh >= 0; zh--) {
        lw_alert_sentence(ledger, effect->alert.kind, alarm, zh, text, sizeof text);
        printf("    %s\n", text);
    }
    o->failed = ferror(stdout) != 0;
    o->error = errno;
}

static void
print_json(struct output *o, const struct lw_ledger *ledger, const struct lw_rules *rules,
           const struct lw_effect *effect)
{
    char text[LW_ALERT_TEXT + 1];
    size_t n;

    int rc =
        lw_alert_json(ledger, rules, effect->alert.kind, effect->alert.alarm, text, &n);
    if (rc != 0) {
        o->failed = true;
        o->error = rc == LW_ENOMEM ? ENOMEM : EMSGSIZE;
        return;
    }
    text[n] = '\n';
    if (fwrite(text, 1, n + 1, stdout) != n + 1) {
        o->failed = true;
        o->error = errno;
    }
}

static void
print_alert(void *arg, const struct lw_core *core, const struct lw_effect *effect)
{
    struct output *o = arg;
    const struct lw_ledger *ledger = lw_core_ledger(core);
    const struct lw_rules *rules = lw_core_rules(core);

    if (effect->kind != LW_EFFECT_ALERT || o->failed)
        return;
    o->lines++;
    if (effect->alert.kind == LW_ALERT_RAISED)
        o->raised[effect->alert.alarm->rule]++;
    if (o->sentences)
        print_sentences(o, ledger, effect);
    else
        print_json(o, ledger, rules, effect);
}

/* Writes what is buffered; did all of it get out? */
static bool
finish_output(struct output *o)
{
    if (!o->failed && fflush(stdout) != 0) {
        o->failed = true;
        o->error = errno;
    }
    if (o->failed)
        fprintf(stderr, "lodewatch replay: standard output: %s\n", strerror(o->error));
    return !o->failed;
}

static void
print_summary(const struct output *o, uint64_t readings, int64_t us)
{
    double seconds = (double)us / 1e6;
    uint64_t alerts = 0;

    for (int rule = 0; rule < LW_RULES; rule++)
        alerts += o->raised[rule];
    if (readings > 0)
        fprintf(stderr, "%" PRIu64 " readings, ", readings);
    fprintf(stderr, "%" PRIu64 " alarms raised", alerts);
    for (int rule = 0, n = 0; rule < LW_RULES; rule++)
        if (o->raised[rule] > 0)
            fprintf(stderr, "%s%s %" PRIu64, n++ == 0 ? " (" : ", ",
                    lw_rule_info((enum lw_rule_id)rule)->id, o->raised[rule]);
    fprintf(stderr, "%s, %" PRIu64 " alerts, %.2f s", alerts > 0 ? ")" : "", o->lines,
            seconds);
    if (readings > 0 && us > 0)
        fprintf(stderr, ", %.0f readings/s", (double)readings / seconds);
    fputc('\n', stderr);
}

/* A run over a file of readings. */
struct run {
    struct output *out;
    const char *name;
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    struct lw_readings *rows;
    lw_wall from, to;
    uint64_t readings;
    bool over; /* the first row at or after `to` was seen */
};

static void
on_effect(void *arg, const struct lw_effect *effect)
{
    struct run *run = arg;
    print_alert(run->out, run->core, effect);
}

/* Steps the core through the rows of what was fed. */
static int
step_rows(struct run *run, struct lw_faults *faults)
{
    struct lw_event event;
    struct lw_fault fault;
    int rc;

    while ((rc = lw_readings_next(run->rows, &event, &fault)) == 1) {
        if (event.at.ms < run->from.ms)
            continue;
        if (event.at.ms >= run->to.ms) {
            run->over = true;
            return CLI_DONE;
        }
        run->readings++;
        lw_core_step(run->core, &event);
        if (run->out->failed)
            return CLI_FAILED;
    }
    if (rc != LW_EPARSE)
        return CLI_DONE;
    lw_fault_add(faults, fault.file, fault.line, fault.column, "%s", fault.text);
    return CLI_INPUT;
}

/* Reads the file, plain or compressed, to its end or to --to. */
static int
read_rows(struct run *run, gzFile file, struct lw_faults *faults)
{
    static char chunk[CHUNK];
    int status = CLI_DONE, error, n;

    while (status == CLI_DONE && !run->over && (n = gzread(file, chunk, CHUNK)) > 0) {
        lw_readings_feed(run->rows, chunk, (size_t)n);
        status = step_rows(run, faults);
    }
    if (status != CLI_DONE || run->over)
        return status;
    const char *text = gzerror(file, &error);
    if (error != Z_OK && error != Z_STREAM_END) {
        lw_fault_add(faults, run->name, 0, 0, "cannot be read: %s",
                     error == Z_ERRNO ? strerror(errno) : text);
        return CLI_INPUT;
    }
    lw_readings_end(run->rows);
    return step_rows(run, faults);
}

/* The tick that closes the run: timers due by its end take effect. */
static void
close_run(struct run *run)
{
    struct lw_event tick = {.kind = LW_EVENT_TICK, .at = lw_core_now(run->core)};

    if (run->to.ms != LW_WALL_MAX.ms)
        tick.at = run->to;
    if (tick.at.ms != LW_WALL_MIN.ms)
        lw_core_step(run->core, &tick);
}

static int
replay_rows(struct run *run, const char *path, struct lw_faults *faults)
{
    bool standard_input = strcmp(path, "-") == 0;
    int status = CLI_FAILED;

    run->name = standard_input ? "standard input" : path;
    gzFile file = standard_input ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (file == NULL) {
        lw_fault_add(faults, run->name, 0, 0, "cannot be read: %s", strerror(errno));
        return CLI_INPUT;
    }
    gzbuffer(file, CHUNK);
    if (lw_core_new(run->ledger, &run->rules, NULL, &run->core) != 0 ||
        lw_readings_new(run->name, run->ledger, &run->rows) != 0) {
        fputs("lodewatch replay: out of memory\n", stderr);
        goto out;
    }
    lw_core_on_effect(run->core, on_effect, run);
    status = read_rows(run, file, faults);
    if (status == CLI_DONE)
        close_run(run);
out:
    gzclose(file);
    lw_readings_free(run->rows);
    lw_core_free(run->core);
    return status;
}

/* The ledger and the rules of the run. Their texts can go: both have copies. */
static int
load_ledger(struct run *run, const struct options *o, struct lw_faults *faults)
{
    struct files_ledger files = {0};
    char *tzif = NULL, *rules = NULL;
    size_t tzif_n = 0, rules_n = 0;

    int rc = files_zone(o->timezone, &tzif, &tzif_n);
    if (rc != 0)
        lw_fault_add(faults, o->timezone, 0, 0,
                     "no such time zone; expected such as " CLI_TIMEZONE);
    if (rc == 0)
        rc = files_ledger_load(o->ledger, faults, &files);
    if (rc == 0) {
        files.text.deployment = o->deployment;
        files.text.tzif = tzif;
        files.text.tzif_n = tzif_n;
        rc = lw_ledger_new(&files.text, faults, &run->ledger);
    }
    if (rc == 0 && o->rules != NULL) {
        rc = files_read(o->rules, RULES_BYTES, &rules, &rules_n);
        if (rc != 0)
            lw_fault_add(faults, o->rules, 0, 0, "cannot be read: %s", strerror(errno));
    }
    if (rc == 0)
        rc = lw_rules_parse(o->rules != NULL ? o->rules : "", rules, rules_n, faults,
                            &run->rules);
    if (rc != 0 && faults->n == 0)
        lw_fault_add(faults, o->ledger, 0, 0, "%s", lw_result_text(rc));
    files_ledger_free(&files);
    free(tzif);
    free(rules);
    return rc == 0 ? CLI_DONE : CLI_INPUT;
}

static int
parse_time(const struct run *run, const char *option, const char *s, lw_wall *time,
           struct lw_faults *faults)
{
    if (s == NULL ||
        lw_wall_parse(s, strlen(s), run->ledger->zone, LW_DATE_START, time) == 0)
        return CLI_DONE;
    lw_fault_add(faults, option, 0, 0,
                 "\"%s\" is no time; expected one such as 2025-03-12T18:31:07+08:00", s);
    return CLI_INPUT;
}

static int
replay_file(const struct options *o, struct output *out, uint64_t *readings,
            struct lw_faults *faults)
{
    struct run run = {.out = out, .from = LW_WALL_MIN, .to = LW_WALL_MAX};

    int status = load_ledger(&run, o, faults);
    if (status == CLI_DONE)
        status = parse_time(&run, "--from", o->from, &run.from, faults);
    if (status == CLI_DONE)
        status = parse_time(&run, "--to", o->to, &run.to, faults);
    if (status == CLI_DONE)
        status = replay_rows(&run, o->readings, faults);
    *readings = run.readings;
    lw_ledger_free(run.ledger);
    return status;
}

static int
replay_journal(const struct options *o, struct output *out, struct lw_faults *faults)
{
    int rc = engine_replay(o->events, print_alert, out, faults);

    if (rc != 0 && faults->n == 0)
        lw_fault_add(faults, o->events, 0, 0, "%s",
                     rc == LW_EIO ? strerror(errno) : lw_result_text(rc));
    return rc == 0 ? CLI_DONE : rc == LW_ENOMEM ? CLI_FAILED : CLI_INPUT;
}

/* Either a ledger and a file of readings, or a journal. */
static bool
parse_options(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"ledger", required_argument, NULL, 'l'},
        {"rules", required_argument, NULL, 'r'},
        {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},
        {"deployment", required_argument, NULL, 'd'},
        {"timezone", required_argument, NULL, 'z'},
        {"events", required_argument, NULL, 'e'},
        {"sentences", no_argument, NULL, 's'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){.deployment = "", .timezone = CLI_TIMEZONE};
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 'l':
            o->ledger = optarg;
            break;
        case 'r':
            o->rules = optarg;
            break;
        case 'f':
            o->from = optarg;
            break;
        case 't':
            o->to = optarg;
            break;
        case 'd':
            o->deployment = optarg;
            break;
        case 'z':
            o->timezone = optarg;
            break;
        case 'e':
            o->events = optarg;
            break;
        case 's':
            o->sentences = true;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'h':
            o->help = true;
            return true;
        default:
            return false;
        }
    }
    if (o->events != NULL)
        return optind == argc && o->ledger == NULL && o->rules == NULL &&
               o->from == NULL && o->to == NULL && *o->deployment == '\0';
    if (o->ledger == NULL || optind != argc - 1)
        return false;
    o->readings = argv[optind];
    return true;
}

int
cli_replay(int argc, char **argv)
{
    static struct lw_faults faults;
    struct options o;
    uint64_t readings = 0;

    if (!parse_options(argc, argv, &o)) {
        fputs(usage, stderr);
        return CLI_INPUT;
    }
    if (o.help) {
        fputs(usage, stdout);
        return CLI_DONE;
    }
    /* A reader that went away is an error of ours to report, not a signal. */
    signal(SIGPIPE, SIG_IGN);

    struct output out = {.sentences = o.sentences};
    int64_t started = clock_io_us();
    int status = o.events != NULL ? replay_journal(&o, &out, &faults)
                                  : replay_file(&o, &out, &readings, &faults);
    if (!finish_output(&out))
        status = CLI_FAILED;
    faults_print(stderr, &faults);
    if (status == CLI_DONE && !o.quiet)
        print_summary(&out, readings, clock_io_us() - started);
    return status;
}
