/* `lodewatch replay`: readings from a file, or a recorded journal, through a core of its
 * own; alerts on standard output. No database and no network. */
#include "daemon/cli/cli.h"
#include "daemon/faults.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>

#include "daemon/cli/compare.h"
#include "daemon/cli/run.h"
#include "daemon/clock.h"
#include "daemon/engine.h"

static const char usage[] =
    "usage: lodewatch replay --ledger DIR [OPTION...] READINGS\n"
    "       lodewatch replay --events JOURNAL [--sentences] [--quiet]\n"
    "\n"
    "Runs the detector over recorded readings and prints its alerts: CloudEvents JSON, one\n"
    "a line. READINGS is a CSV file, plain or .gz; - is standard input.\n"
    "\n" RUN_USAGE
    "  --rules FILE        parameters of the rules (default: as built in)\n"
    "  --compare FILE      print what these rules would change, alarm by alarm, instead\n"
    "  --events JOURNAL    replay a journal's directory instead\n"
    "  --sentences         print what people read, in Chinese and English, instead of JSON\n"
    "  --quiet             no summary on standard error\n"
    "\n"
    "Exit status: 0 done, 1 failed at run time, 2 bad usage or bad input.\n";

struct options {
    struct run_source source;
    const char *rules, *compare, *events;
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
        o->error = EMSGSIZE;
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
        fprintf(stderr, "%" PRIu64 " readings 条读数, ", readings);
    fprintf(stderr, "%" PRIu64 " alarms raised 个报警", alerts);
    for (int rule = 0, n = 0; rule < LW_RULES; rule++)
        if (o->raised[rule] > 0)
            fprintf(stderr, "%s%s %" PRIu64, n++ == 0 ? " (" : ", ",
                    lw_rule_info((enum lw_rule_id)rule)->id, o->raised[rule]);
    fprintf(stderr, "%s, %" PRIu64 " alerts 条预警, %.2f s", alerts > 0 ? ")" : "",
            o->lines, seconds);
    if (readings > 0 && us > 0)
        fprintf(stderr, ", %.0f readings/s 条每秒", (double)readings / seconds);
    fputc('\n', stderr);
}

/* A run of one core. */
struct replay {
    struct output *out;
    struct lw_core *core;
};

static void
on_effect(void *arg, const struct lw_effect *effect)
{
    struct replay *replay = arg;

    print_alert(replay->out, replay->core, effect);
}

static bool
on_event(void *arg, const struct lw_event *event)
{
    struct replay *replay = arg;

    lw_core_step(replay->core, event);
    return !replay->out->failed;
}

static int
replay_file(const struct options *o, struct output *out, uint64_t *readings,
            struct lw_faults *faults)
{
    struct replay replay = {.out = out};
    struct lw_rules rules;
    struct run run;
    int status = run_open(&run, &o->source, faults);

    if (status != CLI_DONE)
        return status;
    status = run_rules(o->rules, &rules, faults);
    if (status == CLI_DONE && lw_core_new(run.ledger, &rules, NULL, &replay.core) != 0) {
        fputs("lodewatch replay: out of memory\n", stderr);
        status = CLI_FAILED;
    }
    if (status == CLI_DONE) {
        lw_core_on_effect(replay.core, on_effect, &replay);
        status = run_events(&run, on_event, &replay, faults);
    }
    *readings = run.readings;
    lw_core_free(replay.core);
    run_close(&run);
    return status;
}

/* What would change if --compare's rules were in force instead. */
static int
compare_file(const struct options *o, struct lw_faults *faults)
{
    struct lw_rules before, after;
    struct run run;
    int status = run_open(&run, &o->source, faults);

    if (status != CLI_DONE)
        return status;
    status = run_rules(o->rules, &before, faults);
    if (status == CLI_DONE)
        status = run_rules(o->compare, &after, faults);
    if (status == CLI_DONE)
        status = compare_rules(&run, &before, &after, faults);
    run_close(&run);
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
        RUN_OPTIONS,
        {"rules", required_argument, NULL, 'r'},
        {"compare", required_argument, NULL, 'c'},
        {"events", required_argument, NULL, 'e'},
        {"sentences", no_argument, NULL, 's'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){0};
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 'r':
            o->rules = optarg;
            break;
        case 'c':
            o->compare = optarg;
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
            if (!run_option(&o->source, c, optarg))
                return false;
        }
    }
    if (o->events != NULL)
        return optind == argc && o->rules == NULL && o->compare == NULL &&
               memcmp(&o->source, &(struct run_source){0}, sizeof o->source) == 0;
    if (o->source.ledger == NULL || optind != argc - 1)
        return false;
    o->source.readings = argv[optind];
    return !(o->compare && o->sentences);
}

int
cli_replay(int argc, char **argv)
{
    static struct lw_faults faults;
    struct options o;
    uint64_t readings = 0;

    if (!parse_options(argc, argv, &o))
        return cli_misused(usage);
    if (o.help)
        return cli_help(usage);
    /* A reader that went away is an error of ours to report, not a signal. */
    signal(SIGPIPE, SIG_IGN);

    struct output out = {.sentences = o.sentences};
    int64_t started = clock_io_us();
    int status = o.events    ? replay_journal(&o, &out, &faults)
                 : o.compare ? compare_file(&o, &faults)
                             : replay_file(&o, &out, &readings, &faults);
    if (!finish_output(&out))
        status = CLI_FAILED;
    faults_print(stderr, &faults);
    if (status == CLI_DONE && !o.quiet && !o.compare)
        print_summary(&out, readings, clock_io_us() - started);
    return status;
}
