/* What a core does in `lodewatch replay`, all rules on: rows of CSV are parsed, the core
 * steps, and what it tells becomes JSON. Two hundred closed sites over six weeks, so that
 * references are learned and compared with. */
enum {
    SITES = 200,
    STEPS = 42 * 96,
    ROUNDS = 3,
};

#include "core_world.h"

struct told {
    const struct lw_ledger *ledger;
    const struct lw_rules *rules;
    uint64_t alerts, bytes;
};

static void
tell(void *arg, const struct lw_effect *effect)
{
    static char text[LW_ALERT_TEXT];
    struct told *told = arg;
    size_t n;

    if (effect->kind != LW_EFFECT_ALERT)
        return;
    if (lw_alert_json(told->ledger, told->rules, effect->alert.kind, effect->alert.alarm,
                      text, &n) != 0)
        stop("an alert that does not fit");
    told->alerts++;
    told->bytes += n;
}

/* Readings a second of this thread's time. */
static double
replay(const struct sheet *sheet, struct told *told)
{
    struct lw_readings *readings;
    struct lw_core *core;
    struct lw_event event;
    struct lw_fault fault;
    int64_t begun = clock_thread_us();
    int n = 0;

    if (lw_core_new(told->ledger, told->rules, NULL, &core) != 0 ||
        lw_readings_new("readings.csv", told->ledger, &readings) != 0)
        stop("no memory");
    lw_core_on_effect(core, tell, told);
    lw_readings_feed(readings, sheet->s, sheet->n);
    lw_readings_end(readings);
    for (; lw_readings_next(readings, &event, &fault) == 1; n++)
        lw_core_step(core, &event);
    if (n != READINGS)
        stop(fault.text);
    lw_readings_free(readings);
    lw_core_free(core);
    return READINGS / ((double)(clock_thread_us() - begun) / 1e6);
}

int
main(void)
{
    struct lw_ledger *ledger = make_ledger();
    struct sheet sheet = make_readings();
    static struct lw_rules rules;
    struct lw_faults faults = {0};
    struct told told = {.ledger = ledger, .rules = &rules};
    double best = 0;

    if (lw_rules_parse("", "", 0, &faults, &rules) != 0)
        stop("no memory");
    for (int i = 0; i < ROUNDS; i++) {
        double rate = replay(&sheet, &told);

        best = rate > best ? rate : best;
    }
    printf("core.replay\t%.0f\treadings/s\talerts\t%.0f\t%.4f\t700000\t%s\n", best,
           (double)told.alerts / ROUNDS, (double)told.alerts / ROUNDS / READINGS,
           best >= 700000 ? "ok" : "short");
    free(sheet.s);
    lw_ledger_free(ledger);
    return 0;
}
