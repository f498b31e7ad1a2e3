/* The fleet: the endpoints of the ledger, the units behind them, and what their registers
 * hold at a moment. Knows no sockets, so that serial lines can be put before it as well.
 */
#ifndef DAEMON_SIM_FLEET_H
#define DAEMON_SIM_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>
#include <lodewatch/modbus.h>

#include "daemon/sim/faults.h"

struct fleet;
struct load;
struct profiles;
struct rows;

struct unit {
    int32_t meter_first;      /* newest row first; next in fleet; LW_NONE ends */
    struct sim_fault *faults; /* copies of its own */
    /* What the registers were encoded from, last time. */
    int32_t cached_meter;
    int64_t cached_stamp; /* 0: nothing yet */
    uint8_t *image;
};

/* One endpoint, however many gateways of the ledger have its address (and, where they
 * dial in, its registration). */
struct line {
    const struct lw_gateway *gateway; /* the first of them */
    struct unit *unit[256];
    struct sim_fault *faults; /* of the gateway as a whole */
};

struct fleet_options {
    const struct lw_ledger *ledger;
    const struct profiles *profiles;
    const struct sim_faults *faults;
    struct rows *rows; /* where the values are from; else `load` */
    struct load *load;
    bool missing_is_exception; /* a unit without a value answers with 0x0B */
};

/* All borrowed. LW_EPARSE with faults (a profile that is not there), LW_ENOMEM. */
int fleet_new(const struct fleet_options *options, struct lw_faults *faults,
              struct fleet **ret_fleet);
void fleet_free(struct fleet *fleet);

size_t fleet_lines(const struct fleet *fleet, struct line **ret_lines);
/* Rows of meters.csv that are served, and those that have no gateway, or one over TLS. */
int32_t fleet_served(const struct fleet *fleet, int32_t *ret_others);

enum {
    FLEET_SILENT = -1
};

/* Fills `data` with 2 x count bytes and returns 0; or the exception code to answer with;
 * or FLEET_SILENT. `unit` NULL: nobody has that number. */
int fleet_answer(struct fleet *fleet, struct unit *unit, lw_wall t,
                 const struct lw_mb_request *req, uint8_t *data);

#endif
