/* The temperature that context instruments give, by the hour: one log for all the sites
 * that an instrument serves. */
#ifndef LIB_DETECT_WEATHER_H
#define LIB_DETECT_WEATHER_H

#include <stdint.h>

struct lw_core;

enum {
    COLD_HOURS = 32 * 24, /* four weeks, and some days in which a site may be silent */
    NO_COLD = INT16_MIN
};

/* One context instrument. */
struct weather {
    int32_t point;
    int64_t hour;             /* the newest of, NEVER where it gives no temperature... */
    int16_t cold[COLD_HOURS]; /* ...these: 1/100 K below 15 degrees, by the hour */
    int32_t coldest;          /* of all */
};

/* Each site hears its own thermometer, or the first that serves all. */
void weather_choose(struct lw_core *core);
struct weather *core_weather_of(const struct lw_core *core, int32_t point);
/* Degrees below 15 at the site at that time, which is of the last month; NAN: not known.
 * And the most of any time. */
float core_site_cold(const struct lw_core *core, int32_t site, int64_t at);
float core_site_coldest(const struct lw_core *core, int32_t site);
#endif
