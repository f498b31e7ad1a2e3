/* Stored readings of a span, for the subcommands that show them. */
#ifndef DAEMON_CLI_STORED_H
#define DAEMON_CLI_STORED_H

#include <lodewatch/fault.h>
#include <lodewatch/time.h>

#include "daemon/store/pg_sync.h"
#include "daemon/store/window.h"

/* Loads the span, which ends with the UTC day in which it begins, into the window.
 * `meters` are the database's integers, separated by commas; NULL: all. LW_EFULL: it does
 * not fit; other failures are in `faults`. */
LW_MUSTCHECK
int stored_load(struct pg_sync *pg, struct window *window, const char *meters,
                lw_wall from, lw_wall to, struct lw_faults *faults);

#endif
