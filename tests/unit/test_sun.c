/* The nights against almanacs' sunrises and sunsets, to four minutes. */
#include <lodewatch/sun.h>

#include "unit.h"

#define BEIJING 39904200
#define LONDON  51507400
#define SYDNEY  -33868800
#define QUITO   -180700

/* Times of sunrise and sunset that day, in UTC, as almanacs print them. */
static const struct {
    const char *name;
    int32_t lat;
    const char *rise, *set;
} days[] = {
    {"Beijing, summer solstice", BEIJING, "2025-06-20T20:46:00Z", "2025-06-21T11:46:00Z"},
    {"Beijing, winter solstice", BEIJING, "2025-12-20T23:33:00Z", "2025-12-21T08:53:00Z"},
    {"London, summer solstice", LONDON, "2025-06-21T03:43:00Z", "2025-06-21T20:22:00Z"},
    {"London, winter solstice", LONDON, "2025-12-21T08:04:00Z", "2025-12-21T15:54:00Z"},
    {"Sydney, December", SYDNEY, "2025-12-20T18:41:00Z", "2025-12-21T09:05:00Z"},
    {"Quito, the equinox", QUITO, "2025-03-20T11:18:00Z", "2025-03-20T23:25:00Z"},
};

static int64_t
at(const char *text)
{
    lw_wall t = {0};

    assert_int_equal(lw_wall_parse(text, strlen(text), NULL, LW_DATE_START, &t), 0);
    return t.ms;
}

static void
test_nights(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(days); i++) {
        int64_t day = at(days[i].set) - at(days[i].rise);
        int64_t night = lw_sun_night_ms(days[i].lat, (lw_wall){at(days[i].rise)});

        row(days[i].name);
        check(night > LW_DAY - day - 4 * LW_MINUTE);
        check(night < LW_DAY - day + 4 * LW_MINUTE);
    }
    row("beyond the circle there is none, or nothing else");
    check_int(lw_sun_night_ms(78000000, (lw_wall){at("2025-06-21T00:00:00Z")}), 0);
    check_int(lw_sun_night_ms(78000000, (lw_wall){at("2025-12-21T00:00:00Z")}), LW_DAY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
