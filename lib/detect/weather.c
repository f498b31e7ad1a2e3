/* What the context instruments say: temperature, rain, water level. Every site hears its
 * own, or the one that serves all. */
#include "lib/state.h"

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

const struct weather *
core_site_weather(const struct lw_core *core, int32_t site)
{
    int32_t i = core->site_weather[site];

    if (i == LW_NONE || core->weather[i].at == NEVER ||
        core->now - core->weather[i].at > STALE)
        return NULL;
    return &core->weather[i];
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
    if (lw_reading_has(r, LW_TEMPERATURE))
        w->temperature_mc = r->value[LW_TEMPERATURE];
    if (lw_reading_has(r, LW_RAIN))
        w->rain_um_h = r->value[LW_RAIN];
    if (lw_reading_has(r, LW_WATER_LEVEL))
        w->level_mm = r->value[LW_WATER_LEVEL];
}

const struct family detect_weather = {.reading = weather_reading};
