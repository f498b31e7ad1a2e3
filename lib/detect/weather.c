/* What context instruments say, and which of them a site hears. */
#include <math.h>

#include "lib/state.h"

/* The outdoor temperature below which buildings are heated; what heating takes is linear
 * in what is missing to it. */
#define HEATING_MC 15000
/* And the coldest that is believed: below any that was ever measured in a settlement. */
#define LEAST_MC (-75000)

/* An instrument that has been silent for longer says nothing about today; and nothing of
 * now, when afternoon has become night. */
#define STALE  (12 * LW_HOUR)
#define LATELY (3 * LW_HOUR)
/* Since then each day may have been colder by so much: the autumns of the coldest
 * counties bring twelve kelvin a month, and a cold wave the rest of fifteen. */
#define AUTUMN_K 0.5F

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

/* No day outdoors is the same to the last digit: a thermometer that says so stands. */
#define STANDS LW_DAY

/* It does; what it has said since it began to is not believed. */
static bool
has_stood(struct weather *w, int64_t at, int64_t temperature_mc)
{
    if (w->stood == NEVER || temperature_mc != w->stood_mc || at < w->stood) {
        w->stood = at;
        w->stood_mc = temperature_mc;
    }
    if (at - w->stood < STANDS)
        return false;
    for (int64_t h = w->stood / LW_HOUR; h <= w->hour; h++)
        w->cold[h % COLD_HOURS] = NO_COLD;
    return true;
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
        first = hour < COLD_HOURS ? 0 : hour - COLD_HOURS + 1;
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
    int32_t i = core->ears[site].of[HEARD_COLD];
    const struct weather *w = i == LW_NONE ? NULL : &core->weather[i];
    int64_t hour = at / LW_HOUR;

    if (!w || w->hour == NEVER || hour <= w->hour - COLD_HOURS ||
        hour - w->hour >= LATELY / LW_HOUR)
        return NAN;
    hour = hour < w->hour ? hour : w->hour;
    if (w->cold[hour % COLD_HOURS] == NO_COLD)
        return NAN;
    return (float)w->cold[hour % COLD_HOURS] / 100;
}

float
core_site_coldest(const struct lw_core *core, int32_t site, int64_t at)
{
    int32_t i = core->ears[site].of[HEARD_COLD];
    const struct weather *w = i == LW_NONE ? NULL : &core->weather[i];
    int64_t silent;

    if (!w || w->hour == NEVER)
        return 0;
    silent = at - w->hour * LW_HOUR;
    return (float)w->coldest / 100 +
           (silent > 0 ? AUTUMN_K * (float)silent / (float)LW_DAY : 0);
}

static bool
tells(const struct weather *w, enum heard what)
{
    return what == HEARD_COLD   ? w->hour != NEVER
           : what == HEARD_RAIN ? w->rain.at != NEVER
                                : w->level.at != NEVER;
}

static void
choose(struct lw_core *core, enum heard what)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t common = LW_NONE;

    for (int32_t i = 0; i < ledger->nsites; i++)
        core->ears[i].of[what] = LW_NONE;
    for (int32_t i = 0; i < core->nweather; i++) {
        int32_t site = ledger->point[core->weather[i].point].site;
        int32_t *choice = site == LW_NONE ? &common : &core->ears[site].of[what];

        if (tells(&core->weather[i], what) && *choice == LW_NONE)
            *choice = i;
    }
    for (int32_t i = 0; i < ledger->nsites; i++)
        if (core->ears[i].of[what] == LW_NONE)
            core->ears[i].of[what] = common;
}

void
weather_choose(struct lw_core *core)
{
    for (int what = 0; what < HEARD; what++)
        choose(core, (enum heard)what);
}

void
weather_init(struct weather *w, int32_t point)
{
    *w = (struct weather){.point = point, .hour = NEVER, .stood = NEVER};
    water_init(w);
}

bool
weather_sound(const struct weather *w)
{
    return (w->hour == NEVER || w->hour >= 0) &&
           (w->rain.at == NEVER || w->rain.at >= 0) &&
           (w->level.at == NEVER || w->level.at >= 0);
}

static void
weather_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    const struct lw_reading *r = judged->reading;
    struct weather *w;
    bool told[HEARD], news = false;

    if (!judged->good || meter_point(core, meter)->role != LW_CONTEXT || r->time.ms < 0)
        return;
    w = core_weather_of(core, core->ledger->meter[meter].point);
    for (int what = 0; what < HEARD; what++)
        told[what] = tells(w, (enum heard)what);
    if (lw_reading_has(r, LW_TEMPERATURE) && r->value[LW_TEMPERATURE] >= LEAST_MC &&
        !has_stood(w, r->time.ms, r->value[LW_TEMPERATURE]))
        log_cold(w, r->time.ms, r->value[LW_TEMPERATURE]);
    if (lw_reading_has(r, LW_RAIN))
        water_rain(w, r->time.ms, r->value[LW_RAIN]);
    if (lw_reading_has(r, LW_WATER_LEVEL))
        water_level(w, r->time.ms, r->value[LW_WATER_LEVEL]);
    for (int what = 0; what < HEARD; what++)
        news = news || told[what] != tells(w, (enum heard)what);
    if (news)
        weather_choose(core);
}

const struct family detect_weather = {.reading = weather_reading};
