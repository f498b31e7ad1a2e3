/* Load shapes. The numbers are rounded from what such plants are known to do: duty
 * cycles, shifts, evening peaks; they are made to look right, not to be any real site. */
#include "daemon/sim/shapes.h"

#include <math.h>
#include <string.h>

#include <lodewatch/text.h>

enum {
    HOUR = 60,
    DAY = 1440
};

/* splitmix64's finisher (Steele, Lea, Flood 2014). */
static uint64_t
mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

double
shape_noise(uint64_t key, int64_t index)
{
    uint64_t h = mix(key + UINT64_C(0x9E3779B97F4A7C15) * (uint64_t)index);
    return (double)(h >> 11) * 0x1p-53;
}

double
shape_smooth(uint64_t key, int64_t minute, int64_t period)
{
    int64_t i = lw_floor_to(minute, period) / period;
    double x = (double)(minute - i * period) / (double)period;
    double a = shape_noise(key, i), b = shape_noise(key, i + 1);
    return a + (b - a) * x * x * (3 - 2 * x);
}

/* A hump of the day: 1 at its hour, 0 two and a half widths away. */
static double
hump(const struct shape_minute *m, double hour, double width)
{
    double x = fabs(m->minute_of_day / 60.0 - hour);
    x = (x > 12 ? 24 - x : x) / width;
    return x > 2.5 ? 0 : exp(-x * x);
}

static bool
between(const struct shape_minute *m, int from, int to)
{
    return m->minute_of_day >= from && m->minute_of_day < to;
}

/* On for `on` of each `period` minutes, each unit at a time of its own. */
static bool
cycle(uint64_t key, const struct shape_minute *m, int64_t period, double on)
{
    int64_t phase = (int64_t)(key % (uint64_t)period);
    int64_t at = m->minute + phase;
    return (double)(at - lw_floor_to(at, period)) < on;
}

static double
guard_house(uint64_t key, const struct shape_minute *m)
{
    bool kettle =
        between(m, 6 * HOUR, 23 * HOUR) && shape_noise(key, m->minute / 4) < 0.05;
    return 0.22 + 0.3 * hump(m, 20, 2.5) + 0.1 * shape_smooth(key, m->minute, 30) +
           (kettle ? 0.38 : 0);
}

static double
heating(uint64_t key, const struct shape_minute *m)
{
    double duty = (16 - m->temperature_c) / 30;
    duty = duty < 0 ? 0 : duty > 1 ? 1 : duty;
    return cycle(key, m, 20, 20 * duty) ? 1 : 0;
}

/* Dusk and dawn move by an hour and a quarter over the year. */
static double
lighting(uint64_t key, const struct shape_minute *m)
{
    double season = cos(2 * M_PI * (m->day_of_year - 172) / 365.25);
    int shift = (int)(75 * season) + (int)(shape_noise(key, 0) * 10);
    return between(m, 6 * HOUR - shift, 18 * HOUR + shift) ? 0 : 0.98;
}

static double
crusher(uint64_t key, const struct shape_minute *m)
{
    /* It runs for 25 to 40 of 45 minutes, then waits for stone. */
    int64_t block = lw_floor_to(m->minute + (int64_t)(key % 45), 45) / 45;
    if (!cycle(key, m, 45, 25 + 15 * shape_noise(key, block)))
        return 0.08;
    return 0.72 + 0.28 * shape_noise(key, m->minute);
}

static double
hoist(uint64_t key, const struct shape_minute *m)
{
    if (cycle(key ^ 1, m, HOUR, 12))
        return 0.06; /* waiting for cars */
    return cycle(key, m, 4, 2) ? 0.85 + 0.15 * shape_noise(key, m->minute) : 0.15;
}

static double
pump(uint64_t key, const struct shape_minute *m)
{
    double minutes = 14 + 3 * m->rain_mm_h;
    return cycle(key, m, HOUR, minutes) ? 0.97 + 0.03 * shape_noise(key, m->minute) : 0;
}

static double
washery(uint64_t key, const struct shape_minute *m)
{
    if (between(m, 6 * HOUR, 7 * HOUR))
        return 0.1; /* change of shift */
    return 0.78 + 0.2 * shape_smooth(key, m->minute, 25);
}

static double
kiln(uint64_t key, const struct shape_minute *m)
{
    return 0.92 + 0.08 * shape_smooth(key, m->minute, 90);
}

static double
office(uint64_t key, const struct shape_minute *m)
{
    if (m->weekday >= 5 || !between(m, 8 * HOUR, 18 * HOUR))
        return 0.06;
    return (between(m, 12 * HOUR, 14 * HOUR) ? 0.4 : 0.65) +
           0.3 * shape_smooth(key, m->minute, 40);
}

static double
house(uint64_t key, const struct shape_minute *m)
{
    bool appliance = shape_noise(key, m->minute / 15) < 0.04 + 0.2 * hump(m, 19, 2);
    return 0.06 + 0.15 * hump(m, 7, 1) + 0.35 * hump(m, 20, 2) + (appliance ? 0.4 : 0);
}

static double
flat(uint64_t key, const struct shape_minute *m)
{
    return 0.99 + 0.01 * shape_noise(key, m->minute);
}

static double
dark(uint64_t key, const struct shape_minute *m)
{
    (void)key;
    (void)m;
    return 0;
}

static double
village(uint64_t key, const struct shape_minute *m)
{
    return 0.28 + 0.18 * hump(m, 7, 1.5) + 0.15 * hump(m, 12, 1.5) +
           0.5 * hump(m, 20, 2.2) + 0.06 * shape_smooth(key, m->minute, 20);
}

static const struct {
    const char *name;
    double (*share)(uint64_t key, const struct shape_minute *m); /* of full power */
    double var_per_w;
} shapes[SHAPES] = {
    [SHAPE_GUARD_HOUSE] = {"guard_house", guard_house, 0.2},
    [SHAPE_HEATING] = {"heating", heating, 0.02},
    [SHAPE_LIGHTING] = {"lighting", lighting, 0.35},
    [SHAPE_CRUSHER] = {"crusher", crusher, 0.75},
    [SHAPE_HOIST] = {"hoist", hoist, 0.6},
    [SHAPE_PUMP] = {"pump", pump, 0.62},
    [SHAPE_WASHERY] = {"washery", washery, 0.55},
    [SHAPE_KILN] = {"kiln", kiln, 0.1},
    [SHAPE_OFFICE] = {"office", office, 0.25},
    [SHAPE_HOUSE] = {"house", house, 0.15},
    [SHAPE_FLAT] = {"flat", flat, 0.1},
    [SHAPE_DARK] = {"dark", dark, 0},
    [SHAPE_VILLAGE] = {"village", village, 0.2},
    [SHAPE_WEATHER] = {"weather", dark, 0},
};

const char *
shape_name(enum shape shape)
{
    return shapes[shape].name;
}

enum shape
shape_find(const char *name, size_t n, size_t *ret_distance)
{
    enum shape nearest = 0;
    *ret_distance = SIZE_MAX;
    for (enum shape s = 0; s < SHAPES; s++) {
        size_t d = lw_text_distance(name, n, shapes[s].name, strlen(shapes[s].name));
        if (d < *ret_distance) {
            *ret_distance = d;
            nearest = s;
        }
    }
    return nearest;
}

struct shape_minute
shape_minute(int64_t minute, const struct lw_zone *zone, uint64_t seed)
{
    struct lw_civil civil = lw_zone_civil(zone, (lw_wall){minute * LW_MINUTE});
    struct shape_minute m = {
        .minute = minute,
        .minute_of_day = civil.minute,
        .weekday = civil.weekday,
        .day_of_year = civil.day - lw_civil_day(civil.year, 1, 1),
    };
    double season = cos(2 * M_PI * (m.day_of_year - 200) / 365.25);
    double hour = cos(2 * M_PI * (m.minute_of_day / 60.0 - 15) / 24);
    double wet = shape_smooth(seed ^ 2, minute, 3 * HOUR) - 0.8 + 0.1 * season;
    m.temperature_c =
        10 + 15 * season + 5 * hour + 8 * shape_smooth(seed ^ 1, minute, DAY) - 4;
    m.rain_mm_h = wet > 0 ? 50 * wet : 0;
    m.water_level_m = 2 + 1.5 * shape_smooth(seed ^ 2, minute - 6 * HOUR, 12 * HOUR);
    return m;
}

void
shape_power(enum shape shape, uint64_t key, const struct shape_minute *m, int64_t watts,
            int64_t *ret_w, int64_t *ret_var)
{
    double w = shapes[shape].share(key, m) * (double)watts;
    *ret_w = llround(w);
    *ret_var = llround(w * shapes[shape].var_per_w);
}
