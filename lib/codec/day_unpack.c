/* A packed day again as readings; day_pack.c has the form. Whatever the bytes are,
 * nothing is read beyond them, and what cannot be is refused. */
#include <lodewatch/day_pack.h>

#include <string.h>

#include "lib/codec/day_bits.h"
#include "lib/codec/day_column.h"

/* False: the block is damaged. */
static bool
get_differences(struct lw_day_codec *codec, const struct plan *plan, size_t n,
                struct bits_in *in)
{
    struct level level;
    struct rice values = RICE_START, gaps = RICE_START;
    uint64_t gap = 0;
    bool gap_known = false;

    if (plan->coding == CODING_ZERO && plan->base == BASE_NONE && plan->pace == 0) {
        for (size_t i = 0; i < n; i++)
            codec->y[i] = plan->first;
        return true;
    }
    codec->y[0] = plan->first;
    begin(&level, plan, plan->first, codec->base[0]);
    for (size_t i = 1; i < n; i++) {
        int64_t base = codec->base[i];
        int64_t expected = expect(&level, plan, base);
        uint64_t u = 0;

        if (plan->coding == CODING_RICE) {
            u = rice_get(&values, in);
        } else if (plan->coding == CODING_SPARSE) {
            if (!gap_known && (gap = rice_get(&gaps, in)) > n - i)
                return false;
            gap_known = gap > 0;
            if (gap_known)
                gap--; /* down to 0, where a value is due */
            else
                u = rice_get(&values, in) + 1;
        }
        if (in->over)
            return false;
        codec->y[i] = add(expected, day_unfold(u));
        follow(&level, plan, codec->y[i], base, expected);
    }
    return true;
}

/* False: the block is damaged. */
static bool
get_plan(struct bits_in *in, int column, struct plan *plan)
{
    *plan = (struct plan){.step = 1};
    plan->coding = (enum coding)bits_get(in, 2);
    plan->base = (enum day_base)bits_get(in, 3);
    plan->pace = (unsigned)bits_get(in, 3);
    if (plan->coding >= CODINGS || !lw_day_base_allowed(column, plan->base))
        return false;
    if (bits_get(in, 1)) {
        plan->step = (int64_t)bits_get_number(in);
        plan->rest = day_unfold(bits_get_number(in));
        if (plan->step <= 1 || plan->step > STEP_MOST || plan->rest <= -plan->step ||
            plan->rest >= plan->step)
            return false;
    }
    if (plan->base == BASE_GRID)
        plan->grid = (int64_t)bits_get_number(in);
    plan->first = day_unfold(bits_get_number(in));
    plan->scales = lw_day_base_scales(plan->base, column);
    return !in->over;
}

/* ---- unpacking ---- */

/* The column's values into the readings; false: one cannot be. */
static bool
scatter(const struct lw_day_codec *codec, int column, const struct plan *plan,
        struct lw_reading *readings, size_t n)
{
    const int64_t *y = codec->y;

    for (size_t i = 0; i < n; i++) {
        struct lw_reading *r = &readings[i];
        int64_t v;

        if (!lw_day_column_in(r, column))
            continue;
        v = add((int64_t)((uint64_t)*y++ * (uint64_t)plan->step), plan->rest);
        switch (column) {
        case DAY_TIME:
            r->time.ms = r->received.ms = v;
            if (i > 0 && v <= r[-1].time.ms)
                return false;
            break;
        case DAY_HAVE:
            r->have = (uint16_t)v;
            if (v < 0 || v >> LW_QUANTITIES != 0)
                return false;
            break;
        case DAY_QUALITY:
            r->q = (uint16_t)v;
            if (v < 0 || v > UINT16_MAX)
                return false;
            break;
        default:
            r->value[column] = v;
        }
    }
    return true;
}

static bool
get_column(struct lw_day_codec *codec, int column, struct lw_reading *readings, size_t n,
           struct bits_in *in)
{
    struct plan plan;
    size_t m = 0;

    lw_day_column_prepare(codec, column, readings, n);
    for (size_t i = 0; i < n; i++)
        m += column >= LW_QUANTITIES || (readings[i].have >> column & 1);
    if (m == 0)
        return true;
    return get_plan(in, column, &plan) &&
           lw_day_column_lean(codec, &plan, column, readings, n, m) &&
           get_differences(codec, &plan, m, in) &&
           scatter(codec, column, &plan, readings, n);
}

int
lw_day_unpack(struct lw_day_codec *codec, const uint8_t *bytes, size_t n,
              struct lw_reading *readings, size_t cap, size_t *ret_n)
{
    struct bits_in in = {.at = bytes, .end = bytes + n};
    uint64_t format = bits_get(&in, 8);
    uint64_t rows = bits_get_number(&in);

    if (in.over || format == 0)
        return LW_EPARSE;
    if (format > LW_DAY_FORMAT)
        return LW_EVERSION;
    if (rows == 0 || rows > LW_DAY_READINGS)
        return LW_EPARSE;
    if (rows > cap)
        return LW_EFULL;
    memset(readings, 0, rows * sizeof(*readings));
    for (int i = 0; i < DAY_COLUMNS; i++) {
        if (!get_column(codec, lw_day_order[i], readings, rows, &in))
            return LW_EPARSE;
    }
    if (in.at != in.end || in.n >= 8 || in.held != 0)
        return LW_EPARSE;
    *ret_n = rows;
    return 0;
}
