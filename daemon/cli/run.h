/* A run over recorded readings: the ledger, the rules and the rows, for the subcommands
 * that put them through a core of their own. No database and no network. */
#ifndef DAEMON_CLI_RUN_H
#define DAEMON_CLI_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/event.h>
#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>
#include <lodewatch/rules.h>

/* What the command line says; NULL where it says nothing. */
struct run_source {
    const char *ledger, *readings, *from, *to, *deployment, *timezone, *holidays;
};

/* The options of it, as the subcommands share them. */
#define RUN_USAGE                                                                               \
    "  --ledger DIR        the ledger: a folder of CSV files\n"                                 \
    "  --from T            skip rows before this time\n"                                        \
    "  --to T              stop before this time\n"                                             \
    "  --deployment D      in the alerts' ids and source (default: the ledger's root area)\n"   \
    "  --timezone Z        of night, weeks and times without a zone (default: Asia/Shanghai)\n" \
    "  --holidays FILE     a date a line, as `[calendar] holidays` (default: none)\n"
#define RUN_OPTIONS                                                                      \
    {"ledger", required_argument, NULL, 'l'}, {"from", required_argument, NULL, 'f'},    \
        {"to", required_argument, NULL, 't'},                                            \
        {"deployment", required_argument, NULL, 'd'},                                    \
        {"timezone", required_argument, NULL, 'z'},                                      \
    {                                                                                    \
        "holidays", required_argument, NULL, 'y'                                         \
    }
/* Takes one of them; false: it is none of them. */
bool run_option(struct run_source *source, int c, const char *value);

struct run {
    const struct run_source *source;
    struct lw_ledger *ledger;
    lw_wall from, to;
    uint64_t readings; /* events that were shown by run_events */
};

/* These return an exit code (cli.h), with faults where it is CLI_INPUT. */
int run_open(struct run *run, const struct run_source *source, struct lw_faults *faults);
void run_close(struct run *run);
/* The rules of a file; NULL: as built in. */
int run_rules(const char *file, struct lw_rules *ret_rules, struct lw_faults *faults);

/* Shows every row from `from` to `to` as an event, and at last the tick that closes the
 * run; false ends it with CLI_FAILED. */
typedef bool run_event(void *arg, const struct lw_event *event);
int run_events(struct run *run, run_event *each, void *arg, struct lw_faults *faults);

#endif
