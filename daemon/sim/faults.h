/* What goes wrong on purpose: the rows of --faults, each for a unit or a whole gateway
 * and a time. docs/simulator.md describes each kind. */
#ifndef DAEMON_SIM_FAULTS_H
#define DAEMON_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>
#include <lodewatch/reading.h>

enum sim_fault_kind {
    /* of an answer */
    SIM_SILENT,
    SIM_SLOW,
    SIM_LATE,
    SIM_SPLIT,
    SIM_WRONG_ID,
    SIM_WRONG_UNIT,
    SIM_EXCEPTION,
    SIM_GARBAGE,
    SIM_NOISE,
    SIM_HALF,
    /* of a meter's values */
    SIM_ROLLOVER,
    SIM_EXCHANGE,
    SIM_STUCK,
    SIM_REVERSED_CT,
    /* of a gateway */
    SIM_RECONNECT,
    SIM_ONE_CONNECTION,
    SIM_FAULTS
};

struct sim_fault {
    enum sim_fault_kind kind;
    int32_t gateway; /* of the ledger */
    int32_t unit;    /* -1: the whole gateway */
    lw_wall from, to;
    int64_t arg; /* ms, bytes, exception code, Wh, phases, replies */
    /* Of the one unit that this copy belongs to: what it showed first under the fault. */
    bool begun;
    struct lw_reading first;
    struct sim_fault *next;
};

struct sim_faults {
    struct sim_fault *fault;
    int32_t n;
};

/* LW_EPARSE and LW_EIO with faults, LW_ENOMEM. */
int sim_faults_load(const char *path, const struct lw_ledger *ledger,
                    struct lw_faults *faults, struct sim_faults *ret);
void sim_faults_free(struct sim_faults *faults);

bool sim_fault_of_values(enum sim_fault_kind kind);
bool sim_fault_of_gateway(enum sim_fault_kind kind);

/* The list's first fault of that kind at t, or NULL. */
const struct sim_fault *sim_fault_at(const struct sim_fault *list,
                                     enum sim_fault_kind kind, lw_wall t);

/* Changes what the meter shows as the list's faults of values say. */
void sim_faults_bend(struct sim_fault *list, const struct lw_meter *meter, lw_wall t,
                     struct lw_reading *reading);

#endif
