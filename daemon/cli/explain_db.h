/* `lodewatch explain` with what PostgreSQL has: the alarm's alerts, and the readings
 * around it. */
#ifndef DAEMON_CLI_EXPLAIN_DB_H
#define DAEMON_CLI_EXPLAIN_DB_H

#include <lodewatch/fault.h>

#include "daemon/cli/database.h"

/* Prints the alarm, or says why not in `faults`; returns the exit code. */
int explain_stored(const struct cli_database *database, const char *want,
                   struct lw_faults *faults);

#endif
