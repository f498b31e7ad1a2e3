/* The size of the core's state, all that lw_core_size counts: closed sites, each with one
 * meter, at the end of the weeks from which they learn and after that. What is given back
 * is counted from the next core on, as a daemon has it after a restart, or when the
 * ledger or the rules were loaded. One site in fifty has an alarm that stands; what one
 * takes is a figure of its own. */
enum {
    SITES = 200,
    STEPS = 35 * 96,
};

#include "core_world.h"

#include "lib/state.h"

static void
print_size(const char *name, size_t bytes, const char *per, size_t goal)
{
    printf("%s\t%zu\t%s\tgoal\t%zu\t%.2f\t%zu\t%s\n", name, bytes, per, goal,
           (double)bytes / (double)goal, goal, bytes <= goal ? "ok" : "short");
}

int
main(void)
{
    struct lw_event *events = calloc(READINGS, sizeof *events);
    struct lw_ledger *ledger = make_ledger();
    struct sheet sheet = make_readings();
    struct lw_faults faults = {0};
    static struct lw_rules rules;
    struct lw_core *core = NULL, *next = NULL;

    if (!events || lw_rules_parse("", "", 0, &faults, &rules) != 0 ||
        lw_core_new(ledger, &rules, NULL, &core) != 0)
        stop("no memory");
    (void)parse(ledger, &sheet, events);
    for (int i = 0; i < READINGS; i++)
        lw_core_step(core, &events[i]);
    if (lw_core_new(ledger, &rules, core, &next) != 0)
        stop("no memory");
    print_size("core.state", lw_core_size(next) / SITES, "bytes/meter", 2048);
    print_size("core.state_learning", lw_core_size(core) / SITES, "bytes/meter", 4096);
    print_size("core.state_alarm", sizeof(struct standing), "bytes/alarm", 1024);
    print_size("core.state_licensed", sizeof(struct profile), "bytes/site more", 2048);
    lw_core_free(core);
    lw_core_free(next);
    free(events);
    free(sheet.s);
    lw_ledger_free(ledger);
    return 0;
}
