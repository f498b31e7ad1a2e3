/* What the context instruments say: temperature, rain, water level. Every site hears its
 * own, or the one that serves all. */
#include <math.h>

#include "lib/state.h"

/* The outdoor temperature below which buildings are heated; what heating takes is linear
 * in what is missing to it. */
#define HEATING_MC 15000

/* An instrument that has been silent for longer says nothing about today. */
#define STALE (12 * LW_HOUR)

struct weather *
core_weather_of(const struct lw_core *core, int32_t point)
{
    int32_t low = 0, high = core->nweather;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;

        if (core->weather[middle].point < point)
            low = middle + 1;
        else
            high = middle;
    }
    return low < core->nweather && core->weather[low].point == point ? &core->weather[low]
                                                                     : NULL;
}

/* An hour has what was said first in it, or what was said last before it. */
static void
log_cold(struct weather *w, int64_t at, int64_t temperature_mc)
{
    int64_t hour = at / LW_HOUR;
    int16_t before = w->hour == NEVER ? NO_COLD : w->cold[w->hour % COLD_HOURS];
    int16_t cold =
        (int16_t)(temperature_mc < HEATING_MC ? (HEATING_MC - temperature_mc) / 10 : 0);
    int64_t first = w->hour + 1;

    w->coldest = cold > w->coldest ? cold : w->coldest;
    if (w->hour != NEVER && hour <= w->hour && hour > w->hour - COLD_HOURS)
        return;
    if (w->hour == NEVER || hour < first || hour - first >= COLD_HOURS)
        first = hour - COLD_HOURS + 1;
    for (int64_t h = first; h < hour; h++)
        w->cold[h % COLD_HOURS] =
            w->hour != NEVER && h > w->hour && h - w->hour < STALE / LW_HOUR ? before
                                                                             : NO_COLD;
    w->cold[hour % COLD_HOURS] = cold;
    w->hour = hour;
}

float
core_site_cold(const struct lw_core *core, int32_t site, int64_t at)
{
    int32_t i = core->site_weather[site];
    const struct weather *w = i == LW_NONE ? NULL : &core->weather[i];
    int64_t hour = at / LW_HOUR;

    if (!w || w->hour == NEVER || hour <= w->hour - COLD_HOURS ||
        hour - w->hour >= STALE / LW_HOUR)
        return NAN;
    hour = hour < w->hour ? hour : w->hour;
    if (w->cold[hour % COLD_HOURS] == NO_COLD)
        return NAN;
    return (float)w->cold[hour % COLD_HOURS] / 100;
}

float
core_site_coldest(const struct lw_core *core, int32_t site)
{
    int32_t i = core->site_weather[site];

    return i == LW_NONE ? 0 : (float)core->weather[i].coldest / 100;
}

static void
weather_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    const struct lw_reading *r = judged->reading;
    struct weather *w;

    if (!judged->good || meter_point(core, meter)->role != LW_CONTEXT)
        return;
    w = core_weather_of(core, core->ledger->meter[meter].point);
    w->at = r->time.ms;
    if (lw_reading_has(r, LW_TEMPERATURE)) {
        w->temperature_mc = r->value[LW_TEMPERATURE];
        log_cold(w, w->at, w->temperature_mc);
    }
    if (lw_reading_has(r, LW_RAIN))
        w->rain_um_h = r->value[LW_RAIN];
    if (lw_reading_has(r, LW_WATER_LEVEL))
        w->level_mm = r->value[LW_WATER_LEVEL];
}

const struct family detect_weather = {.reading = weather_reading};
