/* The endpoints of a ledger: gateways with the same address are one, and it keeps to the
 * strictest of what its gateways and meters ask for. */
#ifndef DAEMON_POLL_ENDPOINT_H
#define DAEMON_POLL_ENDPOINT_H

#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>

#include "daemon/poll/bus.h"

struct endpoint {
    struct bus_options options;
    int32_t gateway; /* the first of them */
    uint8_t unit;    /* of its first meter */
    int32_t nmeters; /* rows, also of meters that are not in place */
};

struct endpoints {
    int32_t n;
    struct endpoint *endpoint;
    int32_t *of_gateway; /* for each gateway of the ledger */
};

/* Borrows the ledger's texts. LW_EPARSE with faults in gateways.csv and meters.csv (an
 * address or transport that cannot be, a profile that is not there), LW_ENOMEM. */
int endpoints_make(const struct lw_ledger *ledger, const struct profiles *profiles,
                   struct lw_faults *faults, struct endpoints *ret_endpoints);
void endpoints_clear(struct endpoints *endpoints);

#endif
