/* What the context instruments say: temperature, rain, water level. Every site hears its
 * own, or the one that serves all. */
#include <math.h>

#include "lib/state.h"

/* An instrument that has been silent for longer says nothing about today. */
#define STALE (12 * LW_HOUR)
/* Below this outdoor temperature guard rooms are heated, linearly. */
#define HEATED_MC 15000

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

const struct weather *
core_site_weather(const struct lw_core *core, int32_t site)
{
    int32_t i = core->site_weather[site];

    if (i == LW_NONE || core->weather[i].at == NEVER ||
        core->now - core->weather[i].at > STALE)
        return NULL;
    return &core->weather[i];
}

float
weather_cold(const struct weather *w, int64_t hour)
{
    if (w->hour == NEVER || hour > w->hour || hour <= w->hour - LOG_HOURS ||
        w->cold[hour % LOG_HOURS] == INT16_MIN)
        return NAN;
    return (float)w->cold[hour % LOG_HOURS] / 100;
}

/* One an hour; an hour without is as the one before it, for half a day. */
static void
log_cold(struct weather *w, int64_t hour)
{
    int64_t missing = (HEATED_MC - w->temperature_mc) / 10;
    int16_t cold = (int16_t)(missing < 0 ? 0 : missing > INT16_MAX ? INT16_MAX : missing);
    int64_t from = w->hour == NEVER || hour - w->hour > LOG_HOURS ? hour : w->hour + 1;
    int16_t before = w->hour == NEVER ? INT16_MIN : w->cold[w->hour % LOG_HOURS];

    for (int64_t h = from; h < hour; h++)
        w->cold[h % LOG_HOURS] = hour - from < STALE / LW_HOUR ? before : INT16_MIN;
    w->cold[hour % LOG_HOURS] = cold;
    w->hour = hour > w->hour ? hour : w->hour;
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
        log_cold(w, r->time.ms / LW_HOUR);
    }
    if (lw_reading_has(r, LW_RAIN))
        w->rain_um_h = r->value[LW_RAIN];
    if (lw_reading_has(r, LW_WATER_LEVEL))
        w->level_mm = r->value[LW_WATER_LEVEL];
}

const struct family detect_weather = {.reading = weather_reading};
