/* `lodewatch`, the operator's command: finds the subcommand and runs it. */
#include <stdio.h>
#include <string.h>

#include "daemon/cli/cli.h"

static const struct {
    const char *name;
    cli_command *run;
    const char *help;
} commands[] = {
    {"check", cli_check, "find the faults in a ledger folder"},
    {"probe", cli_probe, "find a meter's profile, and show what it says"},
    {"replay", cli_replay, "run the detector over recorded readings"},
    {"explain", cli_explain,
     "print one alarm, stored or of a replay, and what it rests on"},
    {"watch", cli_watch, "print alerts (NDJSON) as sentences"},
    {"import", cli_import, "bring a ledger folder into PostgreSQL"},
    {"migrate", cli_migrate, "bring PostgreSQL's schema up to this release"},
    {"compact", cli_compact, "pack the readings of closed days, drop what is too old"},
    {"export", cli_export, "write a window of readings as CSV or NDJSON"},
    {"hold", cli_hold, "keep readings as evidence, however old they are"},
    {"respool", cli_respool, "refill PostgreSQL from the daemon's journal"},
    {"read", cli_read, "print a standing alarm, and record who read it"},
    {"ack", cli_ack, "acknowledge an alarm"},
    {"shelve", cli_shelve, "put an alarm aside for a time"},
    {"unshelve", cli_unshelve, "end that before its time"},
    {"status", cli_status, "ask the daemon and the database how they are"},
};

enum {
    COMMANDS = sizeof(commands) / sizeof(commands[0])
};

static void
print_usage(FILE *to)
{
    fputs("usage: lodewatch COMMAND [OPTION]... [ARGUMENT]...\n"
          "       lodewatch --help | --version\n"
          "\n"
          "Watches the electric load of places where nothing should be mined.\n"
          "\n",
          to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
    fputs("\n`lodewatch COMMAND --help` says more of one.\n"
          "Exit codes: 0 done, 1 failed, 2 bad usage or bad input, 3 not permitted.\n",
          to);
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return CLI_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("lodewatch " LODEWATCH_VERSION);
        return CLI_DONE;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            int rc = commands[i].run(argc - 1, argv + 1);
            /* What could not be written was not done. */
            if (fflush(stdout) != 0 && rc == CLI_DONE) {
                perror("lodewatch: standard output");
                rc = CLI_FAILED;
            }
            return rc;
        }
    fprintf(stderr, "lodewatch: no command \"%s\"; see lodewatch --help\n", argv[1]);
    return CLI_INPUT;
}
