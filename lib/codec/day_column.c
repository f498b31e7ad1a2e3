/* What packing and unpacking a column have in common: the order of the columns, and what
 * each may lean on. */
#include "lib/codec/day_column.h"

#include <stdlib.h>
#include <string.h>

enum {
    SCALE_BITS = 20 /* of the bases that values keep a proportion to */
};

const uint8_t lw_day_order[DAY_COLUMNS] = {
    DAY_TIME,        DAY_HAVE,       DAY_QUALITY,  LW_ACTIVE_POWER, LW_REACTIVE_POWER,
    LW_POWER_FACTOR, LW_VOLTAGE_A,   LW_VOLTAGE_B, LW_VOLTAGE_C,    LW_CURRENT_A,
    LW_CURRENT_B,    LW_CURRENT_C,   LW_IMPORT,    LW_EXPORT,       LW_TEMPERATURE,
    LW_RAIN,         LW_WATER_LEVEL,
};

/* The bases that a column may have, as bits; BASE_NONE always. */
#define BASE(base) (1u << BASE_##base)
static const uint16_t bases[DAY_COLUMNS] = {
    [DAY_TIME] = BASE(GRID),
    [LW_REACTIVE_POWER] = BASE(POWER),
    [LW_POWER_FACTOR] = BASE(TRIANGLE),
    [LW_VOLTAGE_B] = BASE(PHASE_A),
    [LW_VOLTAGE_C] = BASE(PHASE_A),
    [LW_CURRENT_A] = BASE(APPARENT),
    [LW_CURRENT_B] = BASE(APPARENT) | BASE(PHASE_A),
    [LW_CURRENT_C] = BASE(APPARENT) | BASE(PHASE_A),
    [LW_IMPORT] = BASE(ENERGY_MEAN) | BASE(ENERGY_FIRST),
    [LW_EXPORT] = BASE(ENERGY_MEAN) | BASE(ENERGY_FIRST),
};

bool
lw_day_base_allowed(int column, enum day_base base)
{
    return base == BASE_NONE || (bases[column] >> base & 1);
}

void
lw_day_column_prepare(struct lw_day_codec *codec, int column,
                      const struct lw_reading *readings, size_t n)
{
    if (column == LW_POWER_FACTOR || column == LW_VOLTAGE_A)
        lw_day_base_apparent(readings, n, column != LW_POWER_FACTOR, codec->apparent);
}

bool
lw_day_column_lean(struct lw_day_codec *codec, const struct plan *plan, int column,
                   const struct lw_reading *readings, size_t n, size_t m)
{
    int64_t most = 0;
    int shift = 0;

    if (plan->base == BASE_NONE) {
        memset(codec->base, 0, m * sizeof(codec->base[0]));
        return true;
    }
    if (plan->base == BASE_GRID) {
        for (size_t i = 0; i < m; i++)
            codec->base[i] = (int64_t)((uint64_t)plan->grid * 256 * i);
        return true;
    }
    if (!lw_day_base_fill(plan->base, column, readings, n, codec->apparent, codec->base))
        return false;
    if (!plan->scales) {
        for (size_t i = 0; i < m && plan->step > 1; i++)
            codec->base[i] = codec->base[i] / plan->step;
        return true;
    }
    for (size_t i = 0; i < m; i++)
        most |= codec->base[i] < 0 ? -codec->base[i] : codec->base[i];
    while (most >> shift >= 1 << SCALE_BITS)
        shift++;
    while (shift <= 0 && most > 0 && most << -shift < 1 << (SCALE_BITS - 1))
        shift--;
    for (size_t i = 0; i < m; i++)
        codec->base[i] = shift < 0 ? codec->base[i] * (INT64_C(1) << -shift)
                                   : codec->base[i] / (INT64_C(1) << shift);
    return true;
}

int
lw_day_codec_new(struct lw_day_codec **ret_codec)
{
    struct lw_day_codec *codec = calloc(1, sizeof(*codec));

    if (!codec)
        return LW_ENOMEM;
    codec->base = codec->bases[0];
    codec->spare = codec->bases[1];
    *ret_codec = codec;
    return 0;
}

void
lw_day_codec_free(struct lw_day_codec *codec)
{
    free(codec);
}
