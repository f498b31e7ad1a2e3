/* Which database a subcommand is about: from the daemon's configuration, or a file that
 * holds the conninfo alone. Never from the arguments, which everybody on the machine
 * sees. */
#ifndef DAEMON_CLI_DATABASE_H
#define DAEMON_CLI_DATABASE_H

#include <stdbool.h>

#include <lodewatch/fault.h>

#include "daemon/config.h"

struct cli_database {
    const char *config_file;
    const char *conninfo_file;
};

#define CLI_DATABASE_OPTIONS                                                             \
    {"config", required_argument, NULL, 'C'},                                            \
    {                                                                                    \
        "conninfo-file", required_argument, NULL, 'F'                                    \
    }

#define CLI_DATABASE_USAGE                                                                  \
    "  --config FILE         the daemon's configuration\n"                                  \
    "  --conninfo-file FILE  a file with libpq's conninfo; what it does not say is taken\n" \
    "                        from PGHOST, PGPASSFILE and the like\n"

/* Takes the option; false: it is another. */
bool cli_database_option(struct cli_database *database, int option, const char *value);
/* The configuration, or with --conninfo-file its defaults with that conninfo. CLI_DONE,
 * or the exit code with faults. */
int cli_database_load(const struct cli_database *database, struct config *ret_config,
                      struct lw_faults *faults);

#endif
