/* A reading -> registers, as a device with these values would answer: the inverse of
 * decode.c, for the simulator. A value beyond the type's ends stands at the end. */
#include "register.h"

#include <math.h>
#include <string.h>

static __int128
clamp(__int128 v, __int128 min, __int128 max)
{
    return v < min ? min : v > max ? max : v;
}

/* The ends of the type, and of int64 and uint64 themselves. */
static void
ends(const struct lw_register *reg, __int128 *ret_min, __int128 *ret_max)
{
    unsigned width = 16u * lw_register_words(reg);
    bool sign = register_is_signed(reg->type);
    *ret_min = sign ? -((__int128)1 << (width - 1)) : 0;
    *ret_max = ((__int128)1 << (sign ? width - 1 : width)) - 1;
}

static double
raw_double(const struct lw_register *reg, int exponent, int64_t ct_milli,
           int64_t pt_milli, int64_t value)
{
    struct register_line line = register_line(reg, exponent, ct_milli, pt_milli);
    return ((double)value - line.offset) / line.factor;
}

/* The raw value nearest to `value`, not yet held against the type's ends. */
static __int128
raw_integer(const struct lw_register *reg, int exponent, int64_t ct_milli,
            int64_t pt_milli, int64_t value)
{
    struct register_ratio ratio;
    if (register_ratio(reg, exponent, ct_milli, pt_milli, &ratio)) {
        __int128 num = (__int128)value * ratio.den, half = ratio.num / 2;
        if (ratio.num < 0) {
            num = -num;
            ratio.num = -ratio.num;
            half = -half;
        }
        return (num < 0 ? num - half : num + half) / ratio.num;
    }
    double raw = raw_double(reg, exponent, ct_milli, pt_milli, value);
    return (__int128)fmin(fmax(round(raw), -0x1p64), 0x1p64);
}

static uint64_t
float_bits(const struct lw_register *reg, double raw)
{
    if (reg->type == LW_TYPE_F64) {
        uint64_t bits;
        memcpy(&bits, &raw, sizeof bits);
        return bits;
    }
    float f = (float)raw;
    uint32_t word;
    memcpy(&word, &f, sizeof word);
    return word;
}

static bool
fits(const struct lw_register *reg, int exponent, int64_t ct_milli, int64_t pt_milli,
     int64_t value)
{
    __int128 min, max, raw = raw_integer(reg, exponent, ct_milli, pt_milli, value);
    ends(reg, &min, &max);
    return raw > min && raw < max; /* the ends themselves are often sentinels */
}

/* The finest power of ten, not finer than the stored unit, with which every register that
 * shares the scale register fits its type. */
static int
choose_exponent(const struct lw_profile *profile, const struct lw_register *of,
                const struct lw_reading *reading, int64_t ct_milli, int64_t pt_milli)
{
    int exponent = -SCALE_EXPONENT_MAX;
    for (size_t i = 0; i < profile->nregs; i++) {
        const struct lw_register *reg = &profile->reg[i];
        if (!reg->has_scale_register || reg->scale_register != of->scale_register ||
            reg->function != of->function || !lw_reading_has(reading, reg->quantity))
            continue;
        while (exponent < SCALE_EXPONENT_MAX &&
               (fabs(register_line(reg, exponent, 1000, 1000).factor) < 0.999 ||
                !fits(reg, exponent, ct_milli, pt_milli, reading->value[reg->quantity])))
            exponent++;
    }
    return exponent == -SCALE_EXPONENT_MAX ? 0 : exponent;
}

void
lw_profile_encode(const struct lw_profile *profile, const struct lw_read_block *block,
                  const struct lw_reading *reading, int64_t ct_milli, int64_t pt_milli,
                  uint8_t *data)
{
    memset(data, 0, 2u * block->count);
    for (size_t i = 0; i < profile->nregs; i++) {
        const struct lw_register *reg = &profile->reg[i];
        int exponent = 0;
        uint64_t bits = reg->nmissing > 0 ? reg->missing[0] : 0;

        if (!(block->regs >> i & 1))
            continue;
        if (reg->has_scale_register) {
            uint8_t *at = data + 2 * (reg->scale_register - block->address);
            exponent = choose_exponent(profile, reg, reading, ct_milli, pt_milli);
            at[0] = (uint8_t)((uint16_t)exponent >> 8);
            at[1] = (uint8_t)exponent;
        }
        if (lw_reading_has(reading, reg->quantity)) {
            int64_t value = reading->value[reg->quantity];
            if (register_is_float(reg->type)) {
                bits =
                    float_bits(reg, raw_double(reg, exponent, ct_milli, pt_milli, value));
            } else {
                __int128 min, max;
                ends(reg, &min, &max);
                bits = (uint64_t)clamp(
                    raw_integer(reg, exponent, ct_milli, pt_milli, value), min, max);
            }
        }
        register_put(reg, bits, data + 2 * (reg->address - block->address));
    }
}

void
lw_profile_put_probe(const struct lw_profile *profile, uint8_t *data)
{
    const struct lw_probe *probe = &profile->probe;
    double raw = probe->min + (probe->max - probe->min) / 4;
    register_put(&probe->reg,
                 register_is_float(probe->reg.type)
                     ? float_bits(&probe->reg, raw)
                     : (uint64_t)(__int128)fmin(fmax(ceil(raw), -0x1p63), 0x1p64),
                 data);
}
