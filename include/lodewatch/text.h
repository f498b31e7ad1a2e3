/* A text builder over the caller's buffer: never overruns, always NUL-terminated, never
 * ends within a UTF-8 character. */
#ifndef LODEWATCH_TEXT_H
#define LODEWATCH_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>

struct lw_text {
    char *data;
    size_t len;
    size_t cap;
    bool cut; /* something did not fit; it and all after it was left out */
};

/* `cap` counts the terminating NUL and is at least 1. */
void lw_text_init(struct lw_text *t, char *data, size_t cap);
void lw_text_add(struct lw_text *t, const char *s);
void lw_text_addn(struct lw_text *t, const char *s, size_t n);
void lw_text_addf(struct lw_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void lw_text_addv(struct lw_text *t, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Adds value / per_unit as a decimal with `decimals` places, rounded half away from zero:
 * (86149, 1000, 1) adds "86.1". per_unit is a power of ten; decimals is 0..9. */
void lw_text_add_decimal(struct lw_text *t, int64_t value, int64_t per_unit,
                         int decimals);

/* Parses a plain decimal ("-12.34") into units of 1/per_unit (a power of ten), rounded
 * half away from zero.
 * LW_EINVAL: not a number (also nan, inf, exponents); LW_ERANGE: overflows int64. */
LW_MUSTCHECK
int lw_decimal_parse(const char *s, size_t n, int64_t per_unit, int64_t *ret);

/* How many bytes must be put in, taken out or changed to make b of a, for "did you mean".
 * Names of more than 64 bytes are taken as far apart as can be. */
size_t lw_text_distance(const char *a, size_t na, const char *b, size_t nb);

#endif
