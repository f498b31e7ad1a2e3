/* `lodewatch explain`: one alarm of a replay, with what it rests on as tables and a
 * curve. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>
#include <lodewatch/energy.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/plot.h"
#include "daemon/cli/run.h"
#include "daemon/faults.h"

enum {
    REVISIONS = 100, /* that are told of */
    ID_LEAST = 4,
    SENTENCE = 4096
};

static const char usage[] =
    "usage: lodewatch explain --ledger DIR [OPTION...] ALARM READINGS\n"
    "\n"
    "Replays READINGS (docs: lodewatch replay) and prints one alarm: its revisions, what it\n"
    "rests on, and the load around it. ALARM is its id or the beginning of it, or a subject\n"
    "such as site/S-12, whose newest alarm is meant, or site/S-12:closed_load.\n"
    "\n" RUN_USAGE
    "  --rules FILE        parameters of the rules (default: as built in)\n"
    "  --help              print this\n";

/* One revision of the alarm. */
struct revision {
    enum lw_alert_kind kind;
    struct lw_alarm alarm;
};

struct explain {
    const char *want;
    const struct lw_ledger *ledger;
    struct lw_core *core;
    int n; /* revisions; the last one's place is used again when there is no more room */
    struct revision revision[REVISIONS];
    char zh[SENTENCE], en[SENTENCE];

    /* the second pass */
    struct plot plot;
    int32_t meter[PLOT_METERS];
    struct lw_register_state reg[PLOT_METERS];
    int nmeters;
};

static void
format_id(const uint8_t id[16], char text[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static bool
is_wanted(const struct explain *x, const struct lw_alarm *alarm)
{
    char id[33], subject[LW_ID_MAX + 16];
    size_t n = strlen(x->want);

    format_id(alarm->id, id);
    if (n >= ID_LEAST && strncmp(id, x->want, n) == 0)
        return true;
    lw_alarm_subject(x->ledger, alarm, subject);
    n = strlen(subject);
    return strncmp(x->want, subject, n) == 0 &&
           (x->want[n] == '\0' ||
            (x->want[n] == ':' &&
             strcmp(x->want + n + 1, lw_rule_info((enum lw_rule_id)alarm->rule)->id) ==
                 0));
}

static void
on_effect(void *arg, const struct lw_effect *effect)
{
    struct explain *x = arg;
    const struct lw_alarm *alarm = effect->alert.alarm;

    if (effect->kind != LW_EFFECT_ALERT || !is_wanted(x, alarm))
        return;
    if (effect->alert.kind == LW_ALERT_RAISED)
        x->n = 0;
    else if (x->n > 0 &&
             memcmp(x->revision[0].alarm.id, alarm->id, sizeof alarm->id) != 0)
        return; /* an older alarm of the subject */
    if (x->n == REVISIONS)
        x->n--;
    x->revision[x->n++] = (struct revision){effect->alert.kind, *alarm};
    /* What it says of its evidence; a return says something else. */
    if (effect->alert.kind != LW_ALERT_RETURNED) {
        lw_alert_sentence(x->ledger, effect->alert.kind, alarm, true, x->zh,
                          sizeof x->zh);
        lw_alert_sentence(x->ledger, effect->alert.kind, alarm, false, x->en,
                          sizeof x->en);
    }
}

static bool
on_event(void *arg, const struct lw_event *event)
{
    struct explain *x = arg;

    lw_core_step(x->core, event);
    return true;
}

/* --- the load of the alarm's subject */

static void
add_point(struct explain *x, int32_t point)
{
    const struct lw_metering_point *p = &x->ledger->point[point];

    for (int32_t m = p->meter_first; m < p->meter_first + p->meter_n; m++)
        if (x->nmeters < PLOT_METERS) {
            lw_register_init(&x->reg[x->nmeters]);
            x->meter[x->nmeters++] = m;
        }
}

/* The meters whose load is the subject's; returns how many are read at one time. */
static int
find_meters(struct explain *x, const struct lw_alarm *alarm)
{
    int points = 0;

    switch ((enum lw_subject_kind)alarm->subject_kind) {
    case LW_SUBJECT_POINT:
    case LW_SUBJECT_FEEDER:
        add_point(x, alarm->subject);
        return 1;
    case LW_SUBJECT_SITE:
        break;
    case LW_SUBJECT_GATEWAY:
        return 0;
    }
    const struct lw_site *site = &x->ledger->site[alarm->subject];

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++)
        if (x->ledger->point[p].role == LW_SUPPLY) {
            add_point(x, p);
            points++;
        }
    return points;
}

static bool
on_row(void *arg, const struct lw_event *event)
{
    struct explain *x = arg;
    const struct lw_reading *r = &event->reading;

    if (event->kind != LW_EVENT_READING || lw_reading_quality(r) != LW_GOOD ||
        !lw_reading_has(r, LW_IMPORT))
        return true;
    for (int i = 0; i < x->nmeters; i++)
        if (x->meter[i] == (int32_t)r->meter && r->time.ms > x->reg[i].at) {
            const struct lw_meter *meter = &x->ledger->meter[r->meter];
            struct lw_register_limits limits = {
                .modulus_wh = meter->modulus_wh == LW_NOT_GIVEN ? 0 : meter->modulus_wh};
            struct lw_register_step step =
                lw_register_advance(&x->reg[i], &limits, r->time.ms, r->value[LW_IMPORT]);

            if (step.energy_wh > 0 || step.verdict == LW_REGISTER_ADVANCED)
                plot_add(&x->plot, step.from, r->time.ms, step.energy_wh);
        }
    return true;
}

/* --- what is printed */

static void
print_revisions(const struct explain *x)
{
    static const char *const KIND[] = {
        [LW_ALERT_RAISED] = "raised",
        [LW_ALERT_UPDATED] = "updated",
        [LW_ALERT_RETURNED] = "returned",
    };

    puts("  revision  time                       alert     priority   mean kW"
         "  expected kW   excess kWh");
    for (int i = 0; i < x->n; i++) {
        const struct lw_alarm *a = &x->revision[i].alarm;
        char time[LW_TIME_TEXT];

        lw_wall_format_zone(a->at, x->ledger->zone, time);
        printf("  %8u  %-25s  %-8s  %-8s %9.1f %12.1f %12.1f\n", a->revision, time,
               KIND[x->revision[i].kind], lw_priority_name((enum lw_priority)a->priority),
               (double)a->evidence.mean_w / 1000, (double)a->evidence.expected_w / 1000,
               (double)a->evidence.excess_wh / 1000);
    }
}

static void
print_evidence(const struct explain *x, const struct lw_evidence *e)
{
    char from[LW_TIME_TEXT], to[LW_TIME_TEXT];

    lw_wall_format_zone(e->from, x->ledger->zone, from);
    lw_wall_format_zone(e->to, x->ledger->zone, to);
    printf("  window            %s to %s\n", from, to);
    printf("  mean, peak        %.1f kW, %.1f kW\n", (double)e->mean_w / 1000,
           (double)e->peak_w / 1000);
    printf("  energy            %.1f kWh\n", (double)e->energy_wh / 1000);
    printf("  expected          %.1f kW\n", (double)e->expected_w / 1000);
    printf("  unexplained       %.1f kWh\n", (double)e->excess_wh / 1000);
    printf("  good samples      %u of %u\n", e->samples_good, e->samples_expected);
    fputs("  SHA-256           ", stdout);
    for (int i = 0; i < LW_SHA256_SIZE; i++)
        printf("%02x", e->sha256[i]);
    putchar('\n');
}

/* The newest evidence that is not a return's. */
static const struct lw_alarm *
told_last(const struct explain *x)
{
    int i = x->n - 1;

    while (i > 0 && x->revision[i].kind == LW_ALERT_RETURNED)
        i--;
    return &x->revision[i].alarm;
}

static int
print_alarm(struct explain *x, struct run *run, struct lw_faults *faults)
{
    const struct lw_alarm *alarm = told_last(x);
    const struct lw_evidence *e = &alarm->evidence;
    const struct lw_rule_info *rule = lw_rule_info((enum lw_rule_id)alarm->rule);
    int64_t margin = (e->to.ms - e->from.ms) / 4;
    char id[33], subject[LW_ID_MAX + 16];
    int status, points;

    format_id(alarm->id, id);
    lw_alarm_subject(x->ledger, alarm, subject);
    printf("%s  %s  %s / %s\n\n", id, subject, rule->zh, rule->en);
    print_revisions(x);
    printf("\n%s\n%s\n\n", x->zh, x->en);
    print_evidence(x, e);
    points = find_meters(x, alarm);
    if (points == 0)
        return CLI_DONE;
    margin = margin > 3 * LW_HOUR ? margin : 3 * LW_HOUR;
    plot_init(&x->plot, e->from.ms - margin, e->to.ms + margin, points);
    status = run_events(run, on_row, x, faults);
    if (status == CLI_DONE) {
        puts("\n  load, mean of each stretch (* in the window, │ expected)");
        plot_print(&x->plot, x->ledger->zone, e->from.ms, e->to.ms, e->expected_w);
    }
    return status;
}

static int
explain(const struct run_source *source, const char *rules_file, const char *want,
        struct lw_faults *faults)
{
    static struct explain x;
    struct lw_rules rules;
    struct run run;
    int status = run_open(&run, source, faults);

    if (status != CLI_DONE)
        return status;
    x.want = want;
    x.ledger = run.ledger;
    status = run_rules(rules_file, &rules, faults);
    if (status == CLI_DONE && lw_core_new(run.ledger, &rules, NULL, &x.core) != 0) {
        fputs("lodewatch explain: out of memory\n", stderr);
        status = CLI_FAILED;
    }
    if (status == CLI_DONE) {
        lw_core_on_effect(x.core, on_effect, &x);
        status = run_events(&run, on_event, &x, faults);
    }
    if (status == CLI_DONE && x.n == 0) {
        fprintf(stderr, "lodewatch explain: no alarm %s in these readings\n", want);
        status = CLI_FAILED;
    } else if (status == CLI_DONE) {
        status = print_alarm(&x, &run, faults);
    }
    lw_core_free(x.core);
    run_close(&run);
    return status;
}

int
cli_explain(int argc, char **argv)
{
    static const struct option table[] = {
        RUN_OPTIONS,
        {"rules", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct lw_faults faults;
    struct run_source source = {0};
    const char *rules = NULL;
    int c, status;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (c == 'h')
            return cli_help(usage);
        if (c == 'r') {
            rules = optarg;
        } else if (!run_option(&source, c, optarg)) {
            return cli_misused(usage);
        }
    }
    if (!source.ledger || optind != argc - 2)
        return cli_misused(usage);
    source.readings = argv[optind + 1];
    if (strcmp(source.readings, "-") == 0) {
        fputs("lodewatch explain: READINGS is read twice, so it must be a file\n",
              stderr);
        return CLI_INPUT;
    }
    status = explain(&source, rules, argv[optind], &faults);
    faults_print(stderr, &faults);
    return status;
}
