/* How one column of a day is told: its plan, and the level by which each value is
 * expected. Private to the packing of days. */
#ifndef LIB_CODEC_DAY_COLUMN_H
#define LIB_CODEC_DAY_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/codec/day_base.h"

enum coding {
    CODING_ZERO,
    CODING_RICE,
    CODING_SPARSE,
    CODINGS
};

/* How fast the level follows: all the way at once, or by 1/2^shift; or along a line. */
enum {
    PACE_LINE = 7
};

enum {
    STEP_MOST = 1 << 30, /* the largest that is looked for */
};

/* How one column is written. */
struct plan {
    enum coding coding;
    enum day_base base;
    unsigned pace;
    bool scales;
    int64_t step;  /* values are step * y + rest */
    int64_t rest;  /* -step < rest < step */
    int64_t grid;  /* BASE_GRID's */
    int64_t first; /* y of the first row */
};

struct lw_day_codec {
    int64_t y[LW_DAY_READINGS];
    int64_t apparent[LW_DAY_READINGS];
    int64_t *base, *spare; /* of these two: */
    int64_t bases[2][LW_DAY_READINGS];
};

/* The order in which columns are packed. */
extern const uint8_t lw_day_order[DAY_COLUMNS];

/* May the column lean on this base? */
bool lw_day_base_allowed(int column, enum day_base base);
/* Does the row have the column? */
static inline bool
lw_day_column_in(const struct lw_reading *reading, int column)
{
    return column >= LW_QUANTITIES || lw_reading_has(reading, (enum lw_quantity)column);
}

/* To be called as each column's turn comes: apparent power, as far as it is known then.
 */
void lw_day_column_prepare(struct lw_day_codec *codec, int column,
                           const struct lw_reading *readings, size_t n);
/* Fills base[] of the m rows that have the column, in the plan's unit. False: there is no
 * such base here. */
bool lw_day_column_lean(struct lw_day_codec *codec, const struct plan *plan, int column,
                        const struct lw_reading *readings, size_t n, size_t m);

/* ---- what is expected ---- */

/* The level of a value, or of its distance to the base, in 1/256; or the proportion of
 * value to base, as the weighted mean of xb over bb. */
struct level {
    int64_t at, slope;
    uint64_t spread; /* how far off it is as a rule */
    int64_t xb, bb;
    int64_t ratio; /* times 65536 */
    int64_t last;
};

static inline int64_t
add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t
sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline uint64_t
size_of(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static inline int64_t
clamp(int64_t v, int64_t most)
{
    return v < -most ? -most : v > most ? most : v;
}

/* Is it so far off that something was switched? */
static inline bool
jumps(struct level *l, uint64_t off, uint64_t least)
{
    bool jump = off > 6 * l->spread + least;
    uint64_t most = 8 * l->spread + least;

    off = off < most ? off : most;
    l->spread = l->spread - l->spread / 16 + off / 16;
    return jump;
}

static inline int64_t
expect(const struct level *l, const struct plan *plan, int64_t base)
{
    if (!plan->scales)
        return add(add(add(l->at, l->slope), base), 128) >> 8;
    return base == 0 ? l->last : (l->ratio * base + 32768) >> 16;
}

static inline void
follow_level(struct level *l, const struct plan *plan, int64_t y, int64_t base)
{
    int64_t now = sub((int64_t)((uint64_t)y << 8), base);
    int64_t off = sub(now, l->at);

    if (plan->pace == PACE_LINE) {
        l->slope = off;
        l->at = now;
    } else if (plan->pace == 0 || jumps(l, size_of(off), 512)) {
        l->at = now;
    } else {
        l->at = add(l->at, off >> plan->pace);
    }
}

/* Bases are below 2^20 here. */
static inline void
follow_ratio(struct level *l, const struct plan *plan, int64_t y, int64_t base,
             int64_t expected)
{
    int64_t x = clamp(y, INT64_C(1) << 33);

    l->last = y;
    if (plan->pace == 0 ||
        jumps(l, size_of(sub(x, clamp(expected, INT64_C(1) << 33))), 2))
        l->xb = l->bb = 0;
    else {
        l->xb -= l->xb >> plan->pace;
        l->bb -= l->bb >> plan->pace;
    }
    l->xb += x * base;
    l->bb += base * base;
    if (l->bb >> 16 > 0)
        l->ratio = clamp(l->xb / (l->bb >> 16), INT64_C(1) << 40);
}

static inline void
follow(struct level *l, const struct plan *plan, int64_t y, int64_t base,
       int64_t expected)
{
    if (plan->scales)
        follow_ratio(l, plan, y, base, expected);
    else
        follow_level(l, plan, y, base);
}

static inline void
begin(struct level *l, const struct plan *plan, int64_t y, int64_t base)
{
    struct plan at_once = {.scales = plan->scales};

    *l = (struct level){0};
    follow(l, &at_once, y, base, 0);
}

static inline uint64_t
day_fold(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t
day_unfold(uint64_t u)
{
    return (int64_t)(u >> 1 ^ (u & 1 ? UINT64_MAX : 0));
}

#endif
