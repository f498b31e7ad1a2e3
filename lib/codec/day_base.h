/* What the columns of a day say of one another. Private to the packing of days. */
#ifndef LIB_CODEC_DAY_BASE_H
#define LIB_CODEC_DAY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/day_pack.h>

/* In the order in which they are packed: a column may lean on those before it. The
 * columns after LW_QUANTITIES are no quantities. */
enum {
    DAY_QUALITY = LW_QUANTITIES,
    DAY_HAVE,
    DAY_TIME,
    DAY_COLUMNS
};

/* What a value may be expected to follow; the numbers are in the blocks. */
enum day_base {
    BASE_NONE,
    BASE_GRID,         /* time: a step as regular as can be */
    BASE_POWER,        /* reactive power: in proportion to active power */
    BASE_TRIANGLE,     /* power factor: active over apparent power */
    BASE_PHASE_A,      /* a voltage: beside phase A's; a current: in proportion to it */
    BASE_APPARENT,     /* a current: in proportion to apparent power over its voltage */
    BASE_ENERGY_MEAN,  /* a register: active power between two readings, their mean */
    BASE_ENERGY_FIRST, /* the same, the first one's */
    DAY_BASES
};

/* Does the value keep a proportion to its base (or a distance)? */
bool lw_day_base_scales(enum day_base base, int column);

/* Fills base[] for the rows that have the column; a distance's base is in 1/256 of the
 * column's unit. `apparent` is of all n rows. False: nothing here that it could be. */
bool lw_day_base_fill(enum day_base base, int column, const struct lw_reading *readings,
                      size_t n, const int64_t *apparent, int64_t *ret_base);

/* Apparent power of each row in VA, 0 where power was not measured; by the power factor
 * where it is known and reactive power is not there. */
void lw_day_base_apparent(const struct lw_reading *readings, size_t n, bool factor_known,
                          int64_t *ret_apparent);

#endif
