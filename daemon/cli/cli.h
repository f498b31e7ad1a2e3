/* `lodewatch`: its subcommands, one file each, and what they share. */
#ifndef DAEMON_CLI_CLI_H
#define DAEMON_CLI_CLI_H

#include <stdio.h>

/* Exit codes. */
enum {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* at run time */
    CLI_INPUT = 2,  /* bad usage or bad input */
    CLI_DENIED = 3,
};

#define CLI_TIMEZONE "Asia/Shanghai"

/* The exit code after --help, and after arguments that cannot be. */
static inline int
cli_help(const char *usage)
{
    fputs(usage, stdout);
    return CLI_DONE;
}

static inline int
cli_misused(const char *usage)
{
    fputs(usage, stderr);
    return CLI_INPUT;
}

/* A subcommand: argv[0] is its name; returns the exit code. */
typedef int cli_command(int argc, char **argv);

cli_command cli_ack;
cli_command cli_check;
cli_command cli_compact;
cli_command cli_export;
cli_command cli_hold;
cli_command cli_read;
cli_command cli_replay;
cli_command cli_probe;
cli_command cli_explain;
cli_command cli_import;
cli_command cli_migrate;
cli_command cli_respool;
cli_command cli_shelve;
cli_command cli_status;
cli_command cli_unshelve;
cli_command cli_watch;

#endif
