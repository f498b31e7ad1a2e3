/* How loads run: power as a pure function of (shape, key, minute), so that a register is
 * the same integral whenever it is asked. */
#ifndef DAEMON_SIM_SHAPES_H
#define DAEMON_SIM_SHAPES_H

#include <stddef.h>
#include <stdint.h>

#include <lodewatch/time.h>

enum shape {
    SHAPE_GUARD_HOUSE,
    SHAPE_HEATING,
    SHAPE_LIGHTING,
    SHAPE_CRUSHER,
    SHAPE_HOIST,
    SHAPE_PUMP,
    SHAPE_WASHERY,
    SHAPE_KILN,
    SHAPE_OFFICE,
    SHAPE_HOUSE,
    SHAPE_FLAT,
    SHAPE_DARK,
    SHAPE_VILLAGE,
    SHAPE_WEATHER,
    SHAPES
};

const char *shape_name(enum shape shape);
/* The nearest name's shape; *ret_distance is 0 where it is that one. */
enum shape shape_find(const char *name, size_t n, size_t *ret_distance);

/* A minute, and what all loads in it have in common. */
struct shape_minute {
    int64_t minute;                          /* since 1970, UTC */
    int minute_of_day, weekday, day_of_year; /* local; weekday 0 is Monday */
    double temperature_c, rain_mm_h, water_level_m;
};
struct shape_minute shape_minute(int64_t minute, const struct lw_zone *zone,
                                 uint64_t seed);

/* W and var of a load whose full power is `watts`. */
void shape_power(enum shape shape, uint64_t key, const struct shape_minute *m,
                 int64_t watts, int64_t *ret_w, int64_t *ret_var);

/* A fixed number in 0..1 for a key and an index; and a smooth curve through such numbers,
 * one each `period` minutes. */
double shape_noise(uint64_t key, int64_t index);
double shape_smooth(uint64_t key, int64_t minute, int64_t period);

#endif
