/* `lodewatch explain`: one alarm, of a replay or from PostgreSQL, with what it rests on
 * as tables and a curve. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>
#include <lodewatch/hash.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/explain_alert.h"
#include "daemon/cli/explain_db.h"
#include "daemon/cli/run.h"
#include "daemon/faults.h"

enum {
    ID_LEAST = 4
};

static const char usage[] =
    "usage: lodewatch explain --config FILE | --conninfo-file FILE ALARM\n"
    "       lodewatch explain --ledger DIR [OPTION...] ALARM READINGS\n"
    "\n"
    "Prints one alarm: its revisions, what it rests on, and the load around it; as PostgreSQL\n"
    "has it, or of a replay of READINGS (docs: lodewatch replay). ALARM is its id or the\n"
    "beginning of it, or a subject such as site/S-12, whose newest alarm is meant, or\n"
    "site/S-12:closed_load.\n"
    "\n" CLI_DATABASE_USAGE "\n" RUN_USAGE
    "  --rules FILE        parameters of the rules (default: as built in)\n"
    "  --help              print this\n";

/* A replay. */
struct replayed {
    const char *want;
    const struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    uint8_t id[LW_ACT_ALARM]; /* of the alarm that is told of */
    struct explained x;
    bool lost; /* an alert could not be made */
};

static bool
is_wanted(const struct replayed *r, const struct lw_alarm *alarm)
{
    char id[2 * sizeof alarm->id + 1], subject[LW_ID_MAX + 16];
    size_t n = strlen(r->want);

    lw_hex(alarm->id, sizeof alarm->id, id);
    if (n >= ID_LEAST && strncmp(id, r->want, n) == 0)
        return true;
    lw_alarm_subject(r->ledger, alarm, subject);
    n = strlen(subject);
    return strncmp(r->want, subject, n) == 0 &&
           (r->want[n] == '\0' ||
            (r->want[n] == ':' &&
             strcmp(r->want + n + 1, lw_rule_info((enum lw_rule_id)alarm->rule)->id) ==
                 0));
}

static void
on_effect(void *arg, const struct lw_effect *effect)
{
    static char json[LW_ALERT_TEXT];
    struct replayed *r = arg;
    const struct lw_alarm *alarm = effect->alert.alarm;
    size_t n;

    if (effect->kind != LW_EFFECT_ALERT || !is_wanted(r, alarm))
        return;
    if (effect->alert.kind == LW_ALERT_RAISED) {
        explain_init(&r->x);
        memcpy(r->id, alarm->id, sizeof r->id);
    } else if (memcmp(r->id, alarm->id, sizeof r->id) != 0) {
        return; /* an older alarm of the subject */
    }
    if (lw_alert_json(r->ledger, &r->rules, effect->alert.kind, alarm, json, &n) != 0 ||
        explain_take(&r->x, json, n) != 0)
        r->lost = true;
}

static bool
on_event(void *arg, const struct lw_event *event)
{
    struct replayed *r = arg;

    lw_core_step(r->core, event);
    return !r->lost;
}

/* The second pass: the load around it. */
static bool
on_row(void *arg, const struct lw_event *event)
{
    struct replayed *r = arg;
    const struct lw_meter *meter;

    if (event->kind != LW_EVENT_READING)
        return true;
    meter = &r->ledger->meter[event->reading.meter];
    explain_reading(&r->x, meter->id, &event->reading,
                    meter->modulus_wh == LW_NOT_GIVEN ? 0 : meter->modulus_wh);
    return true;
}

static int
explain(const struct run_source *source, const char *rules_file, const char *want,
        struct lw_faults *faults)
{
    static struct replayed r;
    struct run run;
    lw_wall from, to;
    int status = run_open(&run, source, faults);

    if (status != CLI_DONE)
        return status;
    r.want = want;
    r.ledger = run.ledger;
    status = run_rules(rules_file, &r.rules, faults);
    if (status == CLI_DONE && lw_core_new(run.ledger, &r.rules, NULL, &r.core) != 0)
        status = CLI_FAILED;
    if (status == CLI_DONE) {
        lw_core_on_effect(r.core, on_effect, &r);
        status = run_events(&run, on_event, &r, faults);
    }
    if (status == CLI_FAILED) {
        fputs("lodewatch explain: out of memory\n", stderr);
    } else if (status == CLI_DONE && r.x.n == 0) {
        fprintf(stderr, "lodewatch explain: no alarm %s in these readings\n", want);
        status = CLI_FAILED;
    }
    if (status == CLI_DONE && explain_span(&r.x, &from, &to))
        status = run_events(&run, on_row, &r, faults);
    if (status == CLI_DONE)
        explain_print(&r.x, run.ledger->zone);
    lw_core_free(r.core);
    run_close(&run);
    return status;
}

/* READINGS is left out where a database is named. */
static int
check_and_explain(const struct cli_database *database, struct run_source *source,
                  const char *rules, char **argument, int narguments,
                  struct lw_faults *faults)
{
    bool stored = database->config_file || database->conninfo_file;

    if (stored == (source->ledger != NULL) || narguments != (stored ? 1 : 2))
        return cli_misused(usage);
    if (stored)
        return explain_stored(database, argument[0], faults);
    source->readings = argument[1];
    if (strcmp(source->readings, "-") == 0) {
        fputs("lodewatch explain: READINGS is read twice, so it must be a file\n",
              stderr);
        return CLI_INPUT;
    }
    return explain(source, rules, argument[0], faults);
}

int
cli_explain(int argc, char **argv)
{
    static const struct option table[] = {
        RUN_OPTIONS,
        CLI_DATABASE_OPTIONS,
        {"rules", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct lw_faults faults;
    struct cli_database database = {0};
    struct run_source source = {0};
    const char *rules = NULL;
    int c, status;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (c == 'h')
            return cli_help(usage);
        if (c == 'r')
            rules = optarg;
        else if (!run_option(&source, c, optarg) &&
                 !cli_database_option(&database, c, optarg))
            return cli_misused(usage);
    }
    status = check_and_explain(&database, &source, rules, argv + optind, argc - optind,
                               &faults);
    faults_print(stderr, &faults);
    return status;
}
