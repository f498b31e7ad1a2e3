/* The temperature that context instruments give. */
#include <math.h>

#include "lib/state.h"

/* The outdoor temperature below which buildings are heated; what heating takes is linear
 * in what is missing to it. */
#define HEATING_MC 15000
/* And the coldest that is believed: below any that was ever measured in a settlement. */
#define LEAST_MC (-75000)

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

void
weather_choose(struct lw_core *core)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t common = LW_NONE;

    for (int32_t i = 0; i < ledger->nsites; i++)
        core->site_weather[i] = LW_NONE;
    for (int32_t i = 0; i < core->nweather; i++) {
        int32_t site = ledger->point[core->weather[i].point].site;
        int32_t *choice = site == LW_NONE ? &common : &core->site_weather[site];

        if (core->weather[i].hour != NEVER && *choice == LW_NONE)
            *choice = i;
    }
    for (int32_t i = 0; i < ledger->nsites; i++)
        if (core->site_weather[i] == LW_NONE)
            core->site_weather[i] = common;
}

static void
weather_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    const struct lw_reading *r = judged->reading;
    struct weather *w;
    bool first;

    if (!judged->good || meter_point(core, meter)->role != LW_CONTEXT ||
        !lw_reading_has(r, LW_TEMPERATURE) || r->value[LW_TEMPERATURE] < LEAST_MC ||
        r->time.ms < 0)
        return;
    w = core_weather_of(core, core->ledger->meter[meter].point);
    first = w->hour == NEVER;
    log_cold(w, r->time.ms, r->value[LW_TEMPERATURE]);
    if (first)
        weather_choose(core);
}

const struct family detect_weather = {.reading = weather_reading};
