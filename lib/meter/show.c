/* Registers as people read them when a meter is commissioned. */
#include "register.h"

#include <math.h>

double
lw_register_raw(const struct lw_register *reg, const uint8_t *data)
{
    uint64_t bits = register_get(reg, data);
    if (reg->type == LW_TYPE_STRING)
        return NAN;
    return register_is_float(reg->type) ? register_float(reg, bits)
                                        : (double)register_integer(reg, bits);
}

static void
add_string(const struct lw_register *reg, const uint8_t *data, struct lw_text *text)
{
    for (size_t i = 0; i < 2u * reg->length; i++) {
        char c = (char)data[reg->low_byte_first ? i ^ 1 : i];
        if (c == 0)
            break;
        lw_text_addn(text, c >= ' ' && c <= '~' ? &c : "?", 1);
    }
}

/* "0x0005 (bits 0, 2)" */
static void
add_bits(const struct lw_register *reg, uint64_t bits, struct lw_text *text)
{
    const char *before = " (bits ";
    lw_text_addf(text, "0x%0*llX", 4 * lw_register_words(reg), (unsigned long long)bits);
    for (int i = 0; i < 16 * lw_register_words(reg); i++) {
        if (!(bits >> i & 1))
            continue;
        lw_text_addf(text, "%s%d", before, i);
        before = ", ";
    }
    if (bits != 0)
        lw_text_add(text, ")");
}

bool
lw_register_missing(const struct lw_register *reg, const uint8_t *data)
{
    return reg->nmissing > 0 && register_missing(reg, register_get(reg, data));
}

bool
lw_register_value(const struct lw_register *reg, int exponent, const uint8_t *data,
                  double *ret_value)
{
    double raw = lw_register_raw(reg, data);
    if (!isfinite(raw) || lw_register_missing(reg, data))
        return false;
    *ret_value = raw * reg->scale * pow(10, exponent) + reg->offset;
    return true;
}

void
lw_register_text(const struct lw_register *reg, int exponent, const uint8_t *data,
                 struct lw_text *text)
{
    double value;
    if (reg->type == LW_TYPE_STRING)
        add_string(reg, data, text);
    else if (reg->type == LW_TYPE_BITS16 || reg->type == LW_TYPE_BITS32)
        add_bits(reg, register_get(reg, data), text);
    else if (lw_register_value(reg, exponent, data, &value))
        lw_text_addf(text, "%.*g",
                     register_is_float(reg->type) && reg->type != LW_TYPE_F64 ? 7 : 12,
                     value);
    else
        lw_text_add(text, "-");
}
