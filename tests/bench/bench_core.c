/* The core's throughput: a thousand closed sites, each with a meter that is read every
 * quarter hour, beside the parsing of the same readings as CSV. */
enum {
    SITES = 1000,
    STEPS = 500,
    ROUNDS = 5,
};

#include "core_world.h"

static double
step_all(const struct lw_ledger *ledger, const struct lw_rules *rules,
         const struct lw_event *events)
{
    struct lw_core *core;
    int64_t begun;
    double rate;

    if (lw_core_new(ledger, rules, NULL, &core) != 0)
        stop("no memory");
    begun = clock_thread_us();
    for (int i = 0; i < READINGS; i++)
        lw_core_step(core, &events[i]);
    rate = READINGS / ((double)(clock_thread_us() - begun) / 1e6);
    lw_core_free(core);
    return rate;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int
main(void)
{
    struct lw_event *events = calloc(READINGS, sizeof *events);
    struct lw_ledger *ledger = make_ledger();
    struct sheet sheet = make_readings();
    double parsed[ROUNDS], stepped[ROUNDS];
    struct lw_faults faults = {0};
    struct lw_rules rules;

    if (!events || lw_rules_parse("", "", 0, &faults, &rules) != 0)
        stop("no memory");
    for (int i = 0; i < ROUNDS; i++) {
        parsed[i] = parse(ledger, &sheet, events);
        stepped[i] = step_all(ledger, &rules, events);
    }
    qsort(parsed, ROUNDS, sizeof *parsed, compare);
    qsort(stepped, ROUNDS, sizeof *stepped, compare);
    printf("core.step\t%.0f\treadings/s\tcsv_parse\t%.0f\t%.2f\t1000000\t%s\n",
           stepped[ROUNDS / 2], parsed[ROUNDS / 2],
           stepped[ROUNDS / 2] / parsed[ROUNDS / 2],
           stepped[ROUNDS / 2] >= 1e6 ? "ok" : "short");
    free(events);
    free(sheet.s);
    lw_ledger_free(ledger);
    return 0;
}
