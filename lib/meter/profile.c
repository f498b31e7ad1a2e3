/* Registers: their types, their bytes on the wire, and what one raw step is worth.
 *
 * Counters must not lose a watt-hour to rounding, so a factor that is a decimal fraction
 * (0.1, 0.01, 250, 2.5) is kept as a fraction of integers: its double is at most a few
 * units in the last place off, and `1e-12` tells it from one that merely comes near. */
#include "register.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <lodewatch/quantity.h>

static const struct {
    const char *name;
    uint16_t words; /* 0: each string has its own length */
    bool is_float;
    bool is_signed;
} types[LW_REGISTER_TYPES] = {
    [LW_TYPE_U16] = {"u16", 1, false, false},
    [LW_TYPE_I16] = {"i16", 1, false, true},
    [LW_TYPE_U32] = {"u32", 2, false, false},
    [LW_TYPE_I32] = {"i32", 2, false, true},
    [LW_TYPE_U64] = {"u64", 4, false, false},
    [LW_TYPE_I64] = {"i64", 4, false, true},
    [LW_TYPE_F32] = {"f32", 2, true, true},
    [LW_TYPE_F64] = {"f64", 4, true, true},
    [LW_TYPE_F32_4Q] = {"f32_4q", 2, true, true},
    [LW_TYPE_BITS16] = {"bits16", 1, false, false},
    [LW_TYPE_BITS32] = {"bits32", 2, false, false},
    [LW_TYPE_STRING] = {"string", 0, false, false},
};

const char *
lw_register_type_name(enum lw_register_type type)
{
    assert(type < LW_REGISTER_TYPES);
    return types[type].name;
}

uint16_t
lw_register_words(const struct lw_register *reg)
{
    assert(reg->type < LW_REGISTER_TYPES);
    return reg->type == LW_TYPE_STRING ? reg->length : types[reg->type].words;
}

bool
register_is_float(enum lw_register_type type)
{
    return types[type].is_float;
}

bool
register_is_signed(enum lw_register_type type)
{
    return types[type].is_signed;
}

/* Where the i-th byte, most significant first, stands on the wire. */
static size_t
byte_at(const struct lw_register *reg, size_t i)
{
    size_t word = i / 2, byte = i % 2;
    if (reg->low_word_first)
        word = types[reg->type].words - 1u - word;
    if (reg->low_byte_first)
        byte = 1 - byte;
    return 2 * word + byte;
}

uint64_t
register_get(const struct lw_register *reg, const uint8_t *data)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < 2u * types[reg->type].words; i++)
        bits = bits << 8 | data[byte_at(reg, i)];
    return bits;
}

void
register_put(const struct lw_register *reg, uint64_t bits, uint8_t *data)
{
    for (size_t i = 2u * types[reg->type].words; i-- > 0; bits >>= 8)
        data[byte_at(reg, i)] = (uint8_t)bits;
}

double
register_float(const struct lw_register *reg, uint64_t bits)
{
    double d;
    if (types[reg->type].words == 2) {
        uint32_t word = (uint32_t)bits;
        float f;
        memcpy(&f, &word, sizeof f);
        d = (double)f;
    } else {
        memcpy(&d, &bits, sizeof d);
    }
    if (reg->type == LW_TYPE_F32_4Q && fabs(d) > 1)
        d = (d > 0 ? 2 : -2) - d;
    return d;
}

__int128
register_integer(const struct lw_register *reg, uint64_t bits)
{
    unsigned width = 16u * types[reg->type].words;
    __int128 raw = bits;
    if (types[reg->type].is_signed && bits >> (width - 1))
        raw -= (__int128)1 << width;
    return raw;
}

bool
register_missing(const struct lw_register *reg, uint64_t bits)
{
    for (int i = 0; i < reg->nmissing; i++)
        if (bits == reg->missing[i])
            return true;
    return false;
}

bool
lw_scale_exponent(const uint8_t *data, int *ret_exponent)
{
    int e = (int16_t)(data[0] << 8 | data[1]);
    if (e < -SCALE_EXPONENT_MAX || e > SCALE_EXPONENT_MAX)
        return false;
    *ret_exponent = e;
    return true;
}

static double
stored_per_raw(const struct lw_register *reg, int exponent)
{
    static const double ten[SCALE_EXPONENT_MAX + 1] = {1,   1e1, 1e2, 1e3, 1e4, 1e5,
                                                       1e6, 1e7, 1e8, 1e9, 1e10};
    double f = reg->scale * (double)lw_quantity_info(reg->quantity)->per_unit;
    return exponent < 0 ? f / ten[-exponent] : f * ten[exponent];
}

/* f as num / den; false where it is no decimal fraction of at most nine places. */
static bool
decimal_fraction(double f, int64_t *ret_num, int64_t *ret_den)
{
    for (int64_t den = 1; den <= 1000000000; den *= 10) {
        double num = round(f * (double)den);
        if (fabs(num) > 1e15)
            return false;
        if (fabs(num) >= 1 && fabs(f * (double)den - num) <= 1e-12 * fabs(num)) {
            *ret_num = (int64_t)num;
            *ret_den = den;
            return true;
        }
    }
    return false;
}

void
lw_register_set_fraction(struct lw_register *reg)
{
    if (!decimal_fraction(stored_per_raw(reg, 0), &reg->num, &reg->den))
        reg->den = 0;
}

bool
register_ratio(const struct lw_register *reg, int exponent, int64_t ct_milli,
               int64_t pt_milli, struct register_ratio *ret_ratio)
{
    int64_t num = reg->num, den = reg->den;
    if (fpclassify(reg->offset) != FP_ZERO)
        return false;
    if ((exponent != 0 || den == 0) &&
        !decimal_fraction(stored_per_raw(reg, exponent), &num, &den))
        return false;
    *ret_ratio = (struct register_ratio){num, den};
    if (reg->apply_ct) {
        ret_ratio->num *= ct_milli;
        ret_ratio->den *= 1000;
    }
    if (reg->apply_pt) {
        ret_ratio->num *= pt_milli;
        ret_ratio->den *= 1000;
    }
    return true;
}

struct register_line
register_line(const struct lw_register *reg, int exponent, int64_t ct_milli,
              int64_t pt_milli)
{
    double ratio = 1;
    if (reg->apply_ct)
        ratio *= (double)ct_milli / 1000;
    if (reg->apply_pt)
        ratio *= (double)pt_milli / 1000;
    return (struct register_line){
        .factor = stored_per_raw(reg, exponent) * ratio,
        .offset = reg->offset * (double)lw_quantity_info(reg->quantity)->per_unit * ratio,
    };
}
