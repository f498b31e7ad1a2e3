/* Registers -> a reading in stored units. What cannot be is left out, never made fit. */
#include "register.h"

#include <assert.h>
#include <math.h>

enum value {
    VALUE,
    NOT_AVAILABLE,
    IMPOSSIBLE
};

/* num / den, rounded half away from zero. den > 0. */
static __int128
divide_round(__int128 num, __int128 den)
{
    __int128 q = num / den, r = num % den;
    if (r < 0 ? -r >= den + r : r >= den - r)
        q += num < 0 ? -1 : 1;
    return q;
}

/* num / den, rounded half away from zero, where 64 bits do: a tenth of the time. den > 0.
 */
static int64_t
divide_round64(int64_t num, int64_t den)
{
    int64_t q = num / den, r = num % den;
    if (r < 0 ? -r >= den + r : r >= den - r)
        q += num < 0 ? -1 : 1;
    return q;
}

/* The exact way. What 2^126 cannot hold is far over every limit, as den is at most 1e15.
 */
static enum value
scale_exact(__int128 raw, const struct register_ratio *ratio,
            const struct lw_quantity_info *info, int64_t *ret_value)
{
    int64_t small;
    __int128 v;
    if (!__builtin_mul_overflow(raw, ratio->num, &small)) {
        v = divide_round64(small, (int64_t)ratio->den);
    } else {
        __int128 most =
            ((__int128)1 << 126) / (ratio->num < 0 ? -ratio->num : ratio->num);
        if (raw > most || raw < -most)
            return IMPOSSIBLE;
        v = divide_round(raw * ratio->num, ratio->den);
    }
    if (v < info->min || v > info->max)
        return IMPOSSIBLE;
    *ret_value = (int64_t)v;
    return VALUE;
}

static enum value
scale_double(double v, const struct lw_quantity_info *info, int64_t *ret_value)
{
    /* Written so that NaN is refused; 2^63 is the first double that int64 cannot hold. */
    if (!(fabs(v) < 0x1p63))
        return IMPOSSIBLE;
    int64_t i = llround(v);
    if (i < info->min || i > info->max)
        return IMPOSSIBLE;
    *ret_value = i;
    return VALUE;
}

static enum value
decode(const struct lw_register *reg, int exponent, const uint8_t *data, int64_t ct_milli,
       int64_t pt_milli, int64_t *ret_value)
{
    const struct lw_quantity_info *info = lw_quantity_info(reg->quantity);
    struct register_ratio ratio;
    uint64_t bits = register_get(reg, data);
    bool is_float = register_is_float(reg->type);

    if (register_missing(reg, bits))
        return NOT_AVAILABLE;
    double raw =
        is_float ? register_float(reg, bits) : (double)register_integer(reg, bits);
    if (!isfinite(raw))
        return IMPOSSIBLE;

    if (reg->has_range) {
        /* What the device shows, before CT and PT. */
        struct register_line line = register_line(reg, exponent, 1000, 1000);
        double shown = (raw * line.factor + line.offset) / (double)info->per_unit;
        if (!(shown >= reg->min && shown <= reg->max))
            return IMPOSSIBLE;
    }
    if (!is_float && register_ratio(reg, exponent, ct_milli, pt_milli, &ratio))
        return scale_exact(register_integer(reg, bits), &ratio, info, ret_value);
    struct register_line line = register_line(reg, exponent, ct_milli, pt_milli);
    return scale_double(raw * line.factor + line.offset, info, ret_value);
}

int
lw_profile_decode(const struct lw_profile *profile, const struct lw_read_block *block,
                  const uint8_t *data, int64_t ct_milli, int64_t pt_milli,
                  struct lw_reading *reading)
{
    int impossible = 0;
    for (size_t i = 0; i < profile->nregs; i++) {
        const struct lw_register *reg = &profile->reg[i];
        int exponent = 0;
        enum value got = NOT_AVAILABLE;

        if (!(block->regs >> i & 1))
            continue;
        assert(reg->address >= block->address &&
               reg->address - block->address + lw_register_words(reg) <= block->count);
        if (!reg->has_scale_register ||
            lw_scale_exponent(data + 2 * (reg->scale_register - block->address),
                              &exponent))
            got = decode(reg, exponent, data + 2 * (reg->address - block->address),
                         ct_milli, pt_milli, &reading->value[reg->quantity]);
        if (got == VALUE)
            reading->have = (uint16_t)(reading->have | 1u << reg->quantity);
        else if (got == IMPOSSIBLE)
            impossible++;
    }
    return impossible;
}

/* One step of the register at this value, in Wh. */
static int64_t
step_wh(const struct lw_register *reg, const struct register_line *line, int64_t wh)
{
    double raw = 1;
    if (reg->has_scale_register)
        return 0;
    if (register_is_float(reg->type)) {
        int exponent;
        (void)frexp(((double)wh - line->offset) / line->factor, &exponent);
        raw = ldexp(1, exponent - (reg->type == LW_TYPE_F64 ? 53 : 24));
    }
    return (int64_t)ceil(fmin(fabs(raw * line->factor), 1e15) - 1e-9);
}

static int64_t
wh_of(double kwh, double ratio)
{
    return (int64_t)round(fmin(kwh * 1000 * ratio, 1e18));
}

bool
lw_profile_counter(const struct lw_profile *profile, const struct lw_reading *reading,
                   int64_t ct_milli, int64_t pt_milli, struct lw_event *event)
{
    const struct lw_register *reg = NULL;
    for (size_t i = 0; i < profile->nregs; i++)
        if (profile->reg[i].quantity == LW_IMPORT)
            reg = &profile->reg[i];
    if (!reg || !lw_reading_has(reading, LW_IMPORT))
        return false;

    struct register_line line = register_line(reg, 0, ct_milli, pt_milli);
    double ratio = line.factor / register_line(reg, 0, 1000, 1000).factor;
    event->counter.step_wh = step_wh(reg, &line, reading->value[LW_IMPORT]);
    event->counter.modulus_wh = wh_of(reg->modulus, ratio);
    event->counter.most_w = wh_of(reg->max_per_hour, ratio);
    return event->counter.step_wh > 1 || event->counter.modulus_wh > 0 ||
           event->counter.most_w > 0;
}
