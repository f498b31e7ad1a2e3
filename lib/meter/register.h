/* What decode.c and encode.c share: registers as bytes, and exact scaling. */
#ifndef LIB_METER_REGISTER_H
#define LIB_METER_REGISTER_H

#include <lodewatch/profile.h>

/* The register's bits, right-aligned, from big-endian wire bytes; and back. */
uint64_t register_get(const struct lw_register *reg, const uint8_t *data);
void register_put(const struct lw_register *reg, uint64_t bits, uint8_t *data);

/* The value of those bits: of a float, and of any other type with its sign. */
double register_float(const struct lw_register *reg, uint64_t bits);
__int128 register_integer(const struct lw_register *reg, uint64_t bits);
/* They mean "not available". */
bool register_missing(const struct lw_register *reg, uint64_t bits);

bool register_is_float(enum lw_register_type type);
bool register_is_signed(enum lw_register_type type);

/* Stored units in one raw step, as num / den; both positive apart from num's sign. */
struct register_ratio {
    __int128 num;
    __int128 den;
};

/* False where the factor is no decimal fraction of at most nine places (then doubles have
 * to do), or where there is an offset. `exponent` is the scale register's. */
bool register_ratio(const struct lw_register *reg, int exponent, int64_t ct_milli,
                    int64_t pt_milli, struct register_ratio *ret_ratio);

/* The same for doubles: stored value = raw * factor + offset. */
struct register_line {
    double factor;
    double offset;
};
struct register_line register_line(const struct lw_register *reg, int exponent,
                                   int64_t ct_milli, int64_t pt_milli);

enum {
    SCALE_EXPONENT_MAX = 10
}; /* SunSpec's scale factors are -10..10 */

#endif
