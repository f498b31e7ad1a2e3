/* What context instruments say, in logs that all the sites share which an instrument
 * serves: the temperature by the hour, rain and water level by the day. */
#ifndef LIB_DETECT_WEATHER_H
#define LIB_DETECT_WEATHER_H

#include <stdbool.h>
#include <stdint.h>

struct lw_core;

enum {
    COLD_HOURS = 32 * 24, /* four weeks, and some days in which a site may be silent */
    NO_COLD = INT16_MIN,
    WATER_DAYS = 64 /* four weeks, and the four before them that they still drain */
};

enum heard {
    HEARD_COLD,
    HEARD_RAIN,
    HEARD_LEVEL,
    HEARD
};

/* By UTC days, the newest that of `at`. */
struct daily {
    int64_t at; /* of the newest reading; NEVER: it gives none */
    int32_t day[WATER_DAYS];
};

/* Of the pumps that an instrument speaks for: so many were judged on that day, and so
 * many ran more than it explains. */
struct vote {
    int64_t day;
    int32_t judged, over;
};

/* One context instrument. */
struct weather {
    int32_t point;
    int64_t hour;             /* the newest of, NEVER where it gives no temperature... */
    int16_t cold[COLD_HOURS]; /* ...these: 1/100 K below 15 degrees, by the hour */
    int32_t coldest;          /* of all */
    int64_t stood;            /* since when it says the same; NEVER */
    int64_t stood_mc;
    struct daily rain;   /* um that fell */
    struct daily level;  /* mm, the highest */
    struct vote vote[2]; /* by day modulo 2 */
};

/* The instruments that a site hears: its own, or the first that serve all. */
struct ears {
    int32_t of[HEARD]; /* LW_NONE: nothing tells */
};

void weather_init(struct weather *w, int32_t point);
/* What was read from a checkpoint indexes nothing outside it. */
bool weather_sound(const struct weather *w);
/* Each site hears its own instrument, or the first that serves all. */
void weather_choose(struct lw_core *core);
struct weather *core_weather_of(const struct lw_core *core, int32_t point);
/* Degrees below 15 at the site at that time, which is of the last month; NAN: not known.
 * And the most that it may be by then: the most that was ever told, and what an autumn
 * adds while nothing is. */
float core_site_cold(const struct lw_core *core, int32_t site, int64_t at);
float core_site_coldest(const struct lw_core *core, int32_t site, int64_t at);

/* --- water.c */
void water_init(struct weather *w);
void water_rain(struct weather *w, int64_t at, int64_t um_h);
void water_level(struct weather *w, int64_t at, int64_t mm);
/* mm of rain up to that UTC day and of so many days in all, each day before it faded
 * once more; NAN: of one of them it is not known. Before the gauge was first heard it was
 * dry. */
float core_site_wet(const struct lw_core *core, int32_t site, int64_t day, float fade,
                    int days);
/* mm of rain in the four weeks up to that day, as far as they are known; NAN: no gauge.
 */
float core_site_month(const struct lw_core *core, int32_t site, int64_t day);
/* Counts a pump's day for what the site hears, and says whether most pumps were over on
 * the day before: then it is the instrument that is wrong. */
bool water_is_wrong(struct lw_core *core, int32_t site, enum heard what, int64_t day,
                    bool over);
/* m, the highest of that day; NAN. */
float core_site_level(const struct lw_core *core, int32_t site, int64_t day);
#endif
