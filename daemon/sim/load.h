/* The load behind every meter, from the rows of --shapes: what flows through a metering
 * point is its own rows and everything below it. */
#ifndef DAEMON_SIM_LOAD_H
#define DAEMON_SIM_LOAD_H

#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>
#include <lodewatch/reading.h>

struct load;

/* `path` NULL: no rows, every meter is dark. LW_EPARSE and LW_EIO with faults, LW_ENOMEM.
 * The ledger must outlive it. */
int load_new(const char *path, const struct lw_ledger *ledger, uint64_t seed,
             struct lw_faults *faults, struct load **ret_load);
void load_free(struct load *load);

/* What the meter (a row of the ledger) shows at t. Registers begin with the first t that
 * is asked for; time may go back, then they are reckoned anew. */
void load_read(struct load *load, int32_t meter, lw_wall t, struct lw_reading *ret);

#endif
