/* For tests that are tables: a check that fails says which row it was. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *unit_row = "";

/* The row in hand. */
static inline void
row(const char *name)
{
    unit_row = name;
}

#define check(condition)                                                                 \
    do {                                                                                 \
        if (!(condition))                                                                \
            fail_msg("row \"%s\": not so: %s", unit_row, #condition);                    \
    } while (0)

#define check_int(got, want)                                                             \
    do {                                                                                 \
        long long got_ = (long long)(got), want_ = (long long)(want);                    \
        if (got_ != want_)                                                               \
            fail_msg("row \"%s\": %s is %lld, not %lld", unit_row, #got, got_, want_);   \
    } while (0)

#define check_text(got, want)                                                            \
    do {                                                                                 \
        const char *got_ = (got), *want_ = (want);                                       \
        if (strcmp(got_, want_) != 0)                                                    \
            fail_msg("row \"%s\": %s is \"%s\", not \"%s\"", unit_row, #got, got_,       \
                     want_);                                                             \
    } while (0)

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
