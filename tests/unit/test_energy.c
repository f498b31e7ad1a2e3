/* Counter arithmetic: what becomes of a register's readings, one after the other. */
#include "unit.h"

#include <lodewatch/energy.h>

/* A reading a quarter hour; the letters say what is made of each: F first, + energy, = no
 * energy, R rolled, v less and not believed, ^ more and not believed, V reset, A leapt.
 */
struct row {
    const char *name;
    struct lw_register_limits limits;
    const char *want;
    int64_t total; /* Wh in all */
    int64_t wh[12];
};

#define KWH INT64_C(1000)

static const struct row rows[] = {
    {"counts", {.most_w = 10000}, "F++=+", 1500, {0, 500, 1000, 1000, 1500}},
    {"one zero is no reset",
     {.most_w = 10000},
     "F+v+",
     2000,
     {5000 * KWH, 5001 * KWH, 0, 5002 * KWH}},
    {"nor are several, while the meter starts",
     {.most_w = 10000},
     "F+vvv+",
     2000,
     {5000 * KWH, 5001 * KWH, 0, 0, 0, 5002 * KWH}},
    {"zero for over an hour is one",
     {.most_w = 10000},
     "F+vvvvV+",
     1500,
     {5000 * KWH, 5001 * KWH, 0, 0, 0, 0, 0, 500}},
    {"zero, then counting: it was reset",
     {.most_w = 10000},
     "F+vvV+",
     2000,
     {5000 * KWH, 5001 * KWH, 0, 0, 500, 1000}},
    {"a fall elsewhere is believed with the second reading",
     {.most_w = 10000},
     "F+vV+",
     2000,
     {5000 * KWH, 5001 * KWH, 100, 600, 1100}},
    {"a new meter that shows 0", {.most_w = 10000}, "F==+", 500, {0, 0, 0, 500}},
    {"one value too high",
     {.most_w = 10000},
     "F+^+",
     2000,
     {5000 * KWH, 5001 * KWH, 9000 * KWH, 5002 * KWH}},
    {"a leap that lasts",
     {.most_w = 10000},
     "F+^A+",
     3000,
     {5000 * KWH, 5001 * KWH, 9000 * KWH, 9001 * KWH, 9002 * KWH}},
    {"rolls over",
     {.most_w = 10000, .modulus_wh = 100000 * KWH},
     "F+R+",
     3000,
     {99998 * KWH, 99999 * KWH, 0, 1 * KWH}},
    {"no most, no rollover",
     {.modulus_wh = 100000 * KWH},
     "F+v",
     1000,
     {99998 * KWH, 99999 * KWH, 1 * KWH}},
    {"floats: a digit back and on again",
     {.most_w = 10000, .resolution_wh = 125},
     "F+==+",
     250,
     {1048577 * KWH, 1048577 * KWH + 125, 1048577 * KWH, 1048577 * KWH + 125,
      1048577 * KWH + 250}},
    {"floats: stands, then steps",
     {.most_w = 100, .resolution_wh = 5000},
     "F==+=+",
     10000,
     {41943080 * KWH, 41943080 * KWH, 41943080 * KWH, 41943085 * KWH, 41943085 * KWH,
      41943090 * KWH}},
    {"counts down, and up again",
     {.most_w = 10000, .resolution_wh = 10},
     "F+vBB++",
     3000, /* of the way up what follows the last value but one */
     {100 * KWH, 101 * KWH, 100 * KWH, 99 * KWH, 98 * KWH, 100 * KWH, 101 * KWH}},
    {"an even load above the limit is energy",
     {.most_w = 10000, .resolution_wh = 10},
     "F+^^CC",
     42000,
     {100 * KWH, 101 * KWH, 111 * KWH, 121 * KWH, 131 * KWH, 142 * KWH}},
    {"a leap, and then an even load above the limit",
     {.most_w = 10000, .resolution_wh = 10},
     "F^^^^A",
     10000,
     {100 * KWH, 900 * KWH, 910 * KWH, 920 * KWH, 930 * KWH, 940 * KWH}},
};

static char
letter(const struct lw_register_step *step)
{
    switch (step->verdict) {
    case LW_REGISTER_FIRST:
        return 'F';
    case LW_REGISTER_ADVANCED:
        return step->energy_wh > 0 ? '+' : '=';
    case LW_REGISTER_ROLLED:
        return 'R';
    case LW_REGISTER_ODD_FELL:
        return 'v';
    case LW_REGISTER_ODD_LEAPT:
        return '^';
    case LW_REGISTER_FELL:
        return 'V';
    case LW_REGISTER_LEAPT:
        return 'A';
    case LW_REGISTER_BACKWARDS:
        return 'B';
    case LW_REGISTER_CARRIED:
        return 'C';
    }
    return '?';
}

static void
test_sequences(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_register_state reg;
        char got[16] = "";
        int64_t total = 0;

        row(rows[i].name);
        lw_register_init(&reg);
        for (size_t k = 0; k < strlen(rows[i].want); k++) {
            int64_t at = (int64_t)(k + 1) * 15 * LW_MINUTE;
            struct lw_register_step step =
                lw_register_advance(&reg, &rows[i].limits, at, rows[i].wh[k]);
            got[k] = letter(&step);
            total += step.energy_wh;
        }
        check_text(got, rows[i].want);
        check_int(total, rows[i].total);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
