/* What other rules would change: two cores over the same readings, alarm by alarm. */
#ifndef DAEMON_CLI_COMPARE_H
#define DAEMON_CLI_COMPARE_H

#include <lodewatch/fault.h>
#include <lodewatch/rules.h>

#include "daemon/cli/run.h"

/* Prints a line an alarm, tab-separated, and a summary on standard error. Returns an exit
 * code. */
int compare_rules(struct run *run, const struct lw_rules *before,
                  const struct lw_rules *after, struct lw_faults *faults);

#endif
