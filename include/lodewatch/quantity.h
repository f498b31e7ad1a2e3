/* The quantities that are measured, each with its stored unit. One const table. */
#ifndef LODEWATCH_QUANTITY_H
#define LODEWATCH_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lw_quantity {
    LW_ACTIVE_POWER,   /* W, import positive */
    LW_REACTIVE_POWER, /* var */
    LW_IMPORT,         /* Wh, a counter */
    LW_EXPORT,         /* Wh, a counter */
    LW_VOLTAGE_A,      /* dV, phase to neutral */
    LW_VOLTAGE_B,
    LW_VOLTAGE_C,
    LW_CURRENT_A, /* mA */
    LW_CURRENT_B,
    LW_CURRENT_C,
    LW_POWER_FACTOR, /* 1/1000, -1000..1000 */
    LW_TEMPERATURE,  /* mdegC */
    LW_RAIN,         /* um/h */
    LW_WATER_LEVEL,  /* mm */
    LW_QUANTITIES
};

struct lw_quantity_info {
    const char *name;   /* the column in a readings CSV: "active_power_kw" */
    const char *stored; /* the column in PostgreSQL's reading: "p_w" */
    int64_t per_unit;   /* stored units in one of the CSV's units: kW -> W is 1000 */
    int decimals;       /* that the CSV is written with */
    int64_t min;        /* what may be stored, in stored units */
    int64_t max;
    bool counter;
    const char *zh;
    const char *en;
};

/* q is below LW_QUANTITIES. */
const struct lw_quantity_info *lw_quantity_info(enum lw_quantity q);
/* -1 where no quantity has this CSV column. */
int lw_quantity_find(const char *name, size_t n);

#endif
