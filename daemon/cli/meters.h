/* Which meters, and which span of time, a subcommand is about. */
#ifndef DAEMON_CLI_METERS_H
#define DAEMON_CLI_METERS_H

#include <lodewatch/fault.h>
#include <lodewatch/time.h>

#include "daemon/config.h"
#include "daemon/store/pg_bytes.h"

enum {
    CLI_METERS = 256
};

struct cli_meters {
    const char *meter[CLI_METERS], *site[CLI_METERS];
    int nmeters, nsites;
};

#define CLI_METERS_OPTIONS                                                               \
    {"meter", required_argument, NULL, 'm'},                                             \
    {                                                                                    \
        "site", required_argument, NULL, 's'                                             \
    }

/* Takes the option; false: it is another, or there are too many. */
bool cli_meters_option(struct cli_meters *meters, int option, const char *value);
/* The meters and those of the sites, past ones too, as text[] with ids of the ledger.
 * CLI_DONE, or the exit code with faults. free(ret_ids->data). */
int cli_meters_ids(const struct cli_meters *meters, struct config *config,
                   struct lw_faults *faults, struct pg_array *ret_ids);

/* A time given by an option, local where it has no offset; NULL leaves it as it is.
 * CLI_DONE, or the exit code with a fault. */
int cli_time(const struct config *config, const char *option, const char *text,
             enum lw_date_edge edge, lw_wall *time, struct lw_faults *faults);

#endif
