/* A day of one meter as a block of bits.
 *
 * The readings go column after column: time, which values there are, quality and marks,
 * then each quantity. Every value is told as its difference to what was expected of it.
 * What is expected is a level that follows the column's own past, faster or slower, of
 * the value itself or of its distance or proportion to a base, which is another column's
 * doing (day_base.h). For each column the packer tries what there is and takes the
 * cheapest. Differences are written in adaptive Rice codes (day_bits.h); where almost all
 * are 0, only the others, each with its distance; where all are, nothing.
 *
 * Block: u8 format; then bits: number of readings; for each column in the order of
 * `order`: 1 bit whether it is there; u2 coding, u3 base, u3 pace, 1 bit whether the
 * values have a step, then step and rest; on a grid, its step; the first value; the
 * differences. The last byte's free bits are 0. */
#include <lodewatch/day_pack.h>

#include "lib/codec/day_bits.h"
#include "lib/codec/day_column.h"

enum {
    GRID_SAMPLES = 63,
    STRETCHES = 3,
    STRETCH = 64, /* rows on which plans are tried */
};
/* Only values within it are divided by a step. */
#define SANE (INT64_C(1) << 60)

/* The paces that are tried. */
static const uint8_t level_paces[] = {0, 2, 4, PACE_LINE};
static const uint8_t scale_paces[] = {0, 3, 5};

/* ---- packing a column ---- */

/* What the differences of the rows from..to come to, roughly: a bit more than their
 * lengths; and how many are 0. */
struct trial {
    uint64_t bits;
    size_t zeros, rows;
};

static void
try_rows(const struct lw_day_codec *codec, const struct plan *plan, size_t from,
         size_t to, struct trial *trial)
{
    struct level level;

    begin(&level, plan, codec->y[from], codec->base[from]);
    for (size_t i = from + 1; i < to; i++) {
        int64_t expected = expect(&level, plan, codec->base[i]);
        uint64_t u = day_fold(sub(codec->y[i], expected));

        follow(&level, plan, codec->y[i], codec->base[i], expected);
        trial->bits += u == 0 ? 0 : bits_length(u) + 1;
        trial->zeros += u == 0;
    }
    trial->rows += to - from - 1;
}

/* Of a long column some stretches say enough for the choice between plans. */
static uint64_t
try_plan(const struct lw_day_codec *codec, struct plan *plan, size_t n)
{
    struct trial trial = {0};

    if (n <= STRETCHES * STRETCH) {
        try_rows(codec, plan, 0, n, &trial);
    } else {
        for (size_t i = 0; i < STRETCHES; i++) {
            size_t from = i * (n - STRETCH) / (STRETCHES - 1);

            try_rows(codec, plan, from, from + STRETCH, &trial);
        }
    }
    plan->coding = 5 * trial.zeros > trial.rows ? CODING_SPARSE : CODING_RICE;
    return trial.bits;
}

static bool
sparse_is_cheaper(const struct lw_day_codec *codec, const struct plan *plan, size_t n)
{
    struct level level;
    struct rice all = RICE_START, some = RICE_START, gaps = RICE_START;
    uint64_t gap = 0, rice = 0, sparse = 0;

    begin(&level, plan, codec->y[0], codec->base[0]);
    for (size_t i = 1; i < n; i++) {
        int64_t expected = expect(&level, plan, codec->base[i]);
        uint64_t u = day_fold(sub(codec->y[i], expected));

        follow(&level, plan, codec->y[i], codec->base[i], expected);
        rice += rice_cost(&all, u);
        rice_learn(&all, u);
        if (u == 0) {
            gap++;
            continue;
        }
        sparse += rice_cost(&gaps, gap) + rice_cost(&some, u - 1);
        rice_learn(&gaps, gap);
        rice_learn(&some, u - 1);
        gap = 0;
    }
    return sparse + rice_cost(&gaps, gap) < rice;
}

/* Where many differences are 0 in a part of it, all of the column counts. None at all,
 * with no base and at once, would say that it is constant, which it is not here: a level
 * wraps where values are beyond 2^55. */
static void
settle_coding(const struct lw_day_codec *codec, struct plan *plan, size_t n)
{
    struct trial all = {0};

    if (plan->coding == CODING_RICE)
        return;
    try_rows(codec, plan, 0, n, &all);
    if (all.zeros == all.rows && (plan->base != BASE_NONE || plan->pace != 0))
        plan->coding = CODING_ZERO;
    else if (!sparse_is_cheaper(codec, plan, n))
        plan->coding = CODING_RICE;
}

static void
put_differences(const struct lw_day_codec *codec, const struct plan *plan, size_t n,
                struct bits_out *out)
{
    struct level level;
    struct rice values = RICE_START, gaps = RICE_START;
    uint64_t gap = 0;

    begin(&level, plan, plan->first, codec->base[0]);
    for (size_t i = 1; i < n; i++) {
        int64_t base = codec->base[i];
        int64_t expected = expect(&level, plan, base);
        uint64_t u = day_fold(sub(codec->y[i], expected));

        follow(&level, plan, codec->y[i], base, expected);
        if (plan->coding == CODING_RICE) {
            rice_put(&values, out, u);
        } else if (u == 0) {
            gap++;
        } else {
            rice_put(&gaps, out, gap);
            rice_put(&values, out, u - 1);
            gap = 0;
        }
    }
    if (gap > 0)
        rice_put(&gaps, out, gap);
}

static int64_t
value_of(const struct lw_reading *r, int column)
{
    switch (column) {
    case DAY_TIME:
        return r->time.ms;
    case DAY_HAVE:
        return r->have;
    case DAY_QUALITY:
        return r->q;
    default:
        return r->value[column];
    }
}

/* Its values into y; returns how many. */
static size_t
gather(struct lw_day_codec *codec, int column, const struct lw_reading *readings,
       size_t n)
{
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        if (lw_day_column_in(&readings[i], column))
            codec->y[m++] = value_of(&readings[i], column);
    }
    return m;
}

static bool
is_constant(const struct lw_day_codec *codec, size_t n)
{
    size_t i = 1;

    while (i < n && codec->y[i] == codec->y[0])
        i++;
    return i == n;
}

/* The largest step of which all values are multiples, but for a rest that is the same. */
static void
find_step(struct lw_day_codec *codec, size_t n, struct plan *plan)
{
    int64_t step = 0;

    for (size_t i = 0; i < n && step != 1; i++) {
        int64_t a = sub(codec->y[i], codec->y[0]);

        if (codec->y[i] < -SANE || codec->y[i] > SANE) {
            step = 1;
            break;
        }
        a = a < 0 ? -a : a;
        if (step != 0 && a % step == 0)
            continue;
        while (a != 0) {
            int64_t rest = step % a;

            step = a;
            a = rest;
        }
    }
    plan->step = step > 1 && step <= STEP_MOST ? step : 1;
    plan->rest = codec->y[0] % plan->step;
    for (size_t i = 0; i < n && plan->step > 1; i++)
        codec->y[i] = (codec->y[i] - plan->rest) / plan->step;
}

/* The step of the grid on which most times are: the middle one of some. */
static int64_t
find_grid(const struct lw_day_codec *codec, size_t n)
{
    int64_t some[GRID_SAMPLES];
    size_t k = 0;

    for (; k < GRID_SAMPLES && n > 1; k++) {
        size_t i = 1 + k * (n - 2) / (GRID_SAMPLES - 1);
        int64_t step = sub(codec->y[i], codec->y[i - 1]);
        size_t at = k;

        for (; at > 0 && some[at - 1] > step; at--)
            some[at] = some[at - 1];
        some[at] = step;
    }
    return k == 0 ? 0 : some[k / 2];
}

static void
put_plan(struct bits_out *out, const struct plan *plan)
{
    bits_put(out, plan->coding, 2);
    bits_put(out, plan->base, 3);
    bits_put(out, plan->pace, 3);
    bits_put(out, plan->step > 1, 1);
    if (plan->step > 1) {
        bits_put_number(out, (uint64_t)plan->step);
        bits_put_number(out, day_fold(plan->rest));
    }
    if (plan->base == BASE_GRID)
        bits_put_number(out, (uint64_t)plan->grid);
    bits_put_number(out, day_fold(plan->first));
}

/* ---- packing ---- */

static void
swap_bases(struct lw_day_codec *codec)
{
    int64_t *was = codec->base;

    codec->base = codec->spare;
    codec->spare = was;
}

static void
put_column(struct lw_day_codec *codec, int column, const struct lw_reading *readings,
           size_t n, struct bits_out *out)
{
    struct plan plan, best = {.base = DAY_BASES};
    uint64_t least = UINT64_MAX;
    size_t m = gather(codec, column, readings, n);

    lw_day_column_prepare(codec, column, readings, n);
    if (m == 0)
        return;
    plan = (struct plan){.first = codec->y[0], .step = 1};
    if (is_constant(codec, m)) {
        put_plan(out, &plan);
        return;
    }
    find_step(codec, m, &plan);
    plan.first = codec->y[0];
    plan.grid = find_grid(codec, m);
    /* a base first: the times of most days are a grid, and nothing else need be tried */
    for (int i = DAY_BASES - 1; i >= BASE_NONE && least > 0; i--) {
        if (plan.base == best.base)
            swap_bases(codec); /* the best one's is kept */
        plan.base = (enum day_base)i;
        plan.scales = lw_day_base_scales(plan.base, column);
        if (!lw_day_base_allowed(column, plan.base) ||
            !lw_day_column_lean(codec, &plan, column, readings, n, m))
            continue;

        const uint8_t *paces = plan.scales ? scale_paces : level_paces;
        size_t npaces = plan.scales ? sizeof(scale_paces) : sizeof(level_paces);

        for (size_t k = 0; k < npaces && least > 0; k++) {
            uint64_t bits;

            plan.pace = paces[k];
            bits = try_plan(codec, &plan, m);
            if (bits < least) {
                least = bits;
                best = plan;
            }
        }
    }
    if (plan.base != best.base)
        swap_bases(codec);
    settle_coding(codec, &best, m);
    put_plan(out, &best);
    if (best.coding != CODING_ZERO)
        put_differences(codec, &best, m, out);
}

static bool
in_order(const struct lw_reading *readings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (readings[i].have >> LW_QUANTITIES != 0 ||
            (i > 0 && readings[i].time.ms <= readings[i - 1].time.ms))
            return false;
    }
    return true;
}

/* A value costs 25 bits and its own 70 at most, in each column. */
size_t
lw_day_pack_most(size_t n)
{
    return (n + 4) * DAY_COLUMNS * 12;
}

int
lw_day_pack(struct lw_day_codec *codec, const struct lw_reading *readings, size_t n,
            uint8_t *bytes, size_t cap, size_t *ret_n)
{
    struct bits_out out = {.at = bytes, .end = bytes + cap};

    if (n == 0 || n > LW_DAY_READINGS || !in_order(readings, n))
        return LW_EINVAL;
    bits_put(&out, LW_DAY_FORMAT, 8);
    bits_put_number(&out, n);
    for (int i = 0; i < DAY_COLUMNS; i++)
        put_column(codec, lw_day_order[i], readings, n, &out);
    bits_put(&out, 0, (8 - out.n) % 8);
    if (out.full)
        return LW_EFULL;
    *ret_n = (size_t)(out.at - bytes);
    return 0;
}
