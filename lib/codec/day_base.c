/* What the columns of a day say of one another: current follows from power and voltage,
 * the power factor from active and reactive power, the register from power and time. In
 * integers only, and with values that are no measurements too: whatever comes out, it
 * comes out the same when packing and unpacking. */
#include "lib/codec/day_base.h"

/* Beyond it a value is no power, current or voltage that anything follows from. */
#define SANE (INT64_C(1) << 31)

static int64_t
sane(const struct lw_reading *r, enum lw_quantity q)
{
    int64_t v = lw_reading_has(r, q) ? r->value[q] : 0;

    return v > -SANE && v < SANE ? v : 0;
}

static int64_t
magnitude(int64_t v)
{
    return v < 0 ? -v : v;
}

/* The whole root, from a guess that is near it (Newton). */
static int64_t
root(int64_t square, int64_t guess)
{
    int64_t x = guess > 0 ? guess : SANE;
    int64_t next;

    if (square == 0)
        return 0;
    x = (x + square / x) / 2; /* from now on not below the root */
    while ((next = (x + square / x) / 2) < x)
        x = next;
    return x;
}

void
lw_day_base_apparent(const struct lw_reading *readings, size_t n, bool factor_known,
                     int64_t *ret_apparent)
{
    int64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        const struct lw_reading *r = &readings[i];

        if (factor_known && lw_reading_has(r, LW_REACTIVE_POWER))
            continue; /* as it was before the factor was known */

        int64_t p = sane(r, LW_ACTIVE_POWER);
        int64_t pf = magnitude(sane(r, LW_POWER_FACTOR));
        int64_t va = magnitude(p);

        if (lw_reading_has(r, LW_REACTIVE_POWER)) {
            int64_t q = sane(r, LW_REACTIVE_POWER);

            va = root(p * p + q * q, last);
        } else if (factor_known && pf > 0) {
            va = va * 1000 / pf;
        }
        ret_apparent[i] = last = va;
    }
}

bool
lw_day_base_scales(enum day_base base, int column)
{
    return base == BASE_POWER || base == BASE_APPARENT ||
           (base == BASE_PHASE_A && (column == LW_CURRENT_B || column == LW_CURRENT_C));
}

/* Wh in 1/256 that flow in one direction while power goes from p to next in `ms`, times
 * 28125. */
static uint64_t
flow(enum day_base base, int column, int64_t p, int64_t next, uint64_t ms)
{
    int64_t twice = base == BASE_ENERGY_FIRST ? 2 * p : p + next;

    twice = column == LW_EXPORT ? -twice : twice;
    return twice > 0 ? (uint64_t)twice * ms : 0;
}

static int64_t
value_of(enum day_base base, int column, const struct lw_reading *r, int64_t va)
{
    int64_t v;

    switch (base) {
    case BASE_POWER:
        return sane(r, LW_ACTIVE_POWER);
    case BASE_TRIANGLE:
        return va > 0 ? sane(r, LW_ACTIVE_POWER) * 256000 / va : 256000;
    case BASE_PHASE_A:
        if (column == LW_CURRENT_B || column == LW_CURRENT_C)
            return sane(r, LW_CURRENT_A);
        return sane(r, LW_VOLTAGE_A) * 256;
    case BASE_APPARENT:
        v = sane(r, (enum lw_quantity)(LW_VOLTAGE_A + column - LW_CURRENT_A));
        return v > 0 ? va * 16384 / v : va;
    default:
        return 0;
    }
}

static bool
integrates(enum day_base base)
{
    return base == BASE_ENERGY_MEAN || base == BASE_ENERGY_FIRST;
}

bool
lw_day_base_fill(enum day_base base, int column, const struct lw_reading *readings,
                 size_t n, const int64_t *apparent, int64_t *ret_base)
{
    uint64_t sum = 0; /* wraps where the values are no measurements */
    bool any = false;
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        const struct lw_reading *r = &readings[i];

        if (integrates(base) && i > 0)
            sum +=
                flow(base, column, sane(r - 1, LW_ACTIVE_POWER), sane(r, LW_ACTIVE_POWER),
                     (uint64_t)r->time.ms - (uint64_t)r[-1].time.ms);
        if (!lw_reading_has(r, (enum lw_quantity)column))
            continue;
        ret_base[m] = integrates(base) ? (int64_t)(sum / 28125)
                                       : value_of(base, column, r, apparent[i]);
        any |= ret_base[m++] != 0;
    }
    return any;
}
