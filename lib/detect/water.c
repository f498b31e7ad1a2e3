/* Rain and water level by UTC days, as context instruments measure them. What is not
 * known for sure is not known: a gauge that was silent for hours may have missed the
 * storm. */
#include <math.h>

#include "lib/state.h"

/* Longer than the hour by which such instruments are read, and than a lost reading. */
#define SILENT (6 * LW_HOUR)

enum {
    NOT_KNOWN = INT32_MIN,   /* it was silent for a part of the day */
    NOT_YET = INT32_MIN + 1, /* no level of that day */
    MONTH = 28,
    PUMPS_LEAST = 3 /* before they outvote an instrument */
};

static void
fill(struct daily *d, int32_t v)
{
    for (int i = 0; i < WATER_DAYS; i++)
        d->day[i] = v;
}

void
water_init(struct weather *w)
{
    w->rain.at = w->level.at = NEVER;
}

/* Begins the days up to `at`, each with `fresh`. Returns the time since the reading
 * before, of which its value speaks; 0: of none. */
static int64_t
advance(struct daily *d, int64_t at, int32_t fresh)
{
    int64_t today = at / LW_DAY, since, day;

    /* The first, or our clock has been set back. */
    if (d->at == NEVER || at < d->at - LW_DAY) {
        fill(d, fresh);
        d->at = at;
        return 0;
    }
    since = at - d->at;
    if (since <= 0)
        return 0;
    day = d->at / LW_DAY + (since <= SILENT);
    if (today - day >= WATER_DAYS)
        day = today - WATER_DAYS + 1;
    for (; day <= today; day++)
        d->day[day % WATER_DAYS] = since > SILENT ? NOT_KNOWN : fresh;
    d->at = at;
    return since <= SILENT ? since : 0;
}

void
water_rain(struct weather *w, int64_t at, int64_t um_h)
{
    int64_t ms = advance(&w->rain, at, 0);
    int32_t *um = &w->rain.day[at / LW_DAY % WATER_DAYS];

    if (ms > 0 && *um != NOT_KNOWN)
        *um += (int32_t)lw_muldiv(um_h, ms, LW_HOUR);
}

void
water_level(struct weather *w, int64_t at, int64_t mm)
{
    int64_t ms = advance(&w->level, at, NOT_YET);
    int32_t *most = &w->level.day[at / LW_DAY % WATER_DAYS];

    if (ms > 0 && *most != NOT_KNOWN && mm > *most)
        *most = (int32_t)mm;
}

/* In thousandths; NAN: not known. */
static float
of_day(const struct daily *d, int64_t day)
{
    if (d->at == NEVER || (day + 1) * LW_DAY - d->at > SILENT || day > d->at / LW_DAY ||
        day <= d->at / LW_DAY - WATER_DAYS || day < 0)
        return NAN;
    if (d->day[day % WATER_DAYS] <= NOT_YET)
        return NAN;
    return (float)d->day[day % WATER_DAYS] / 1000;
}

static const struct weather *
heard(const struct lw_core *core, int32_t site, enum heard what)
{
    int32_t i = core->ears[site].of[what];

    return i == LW_NONE ? NULL : &core->weather[i];
}

float
core_site_wet(const struct lw_core *core, int32_t site, int64_t day, float fade, int days)
{
    const struct weather *w = heard(core, site, HEARD_RAIN);
    float wet = 0;

    if (!w)
        return NAN;
    for (int i = days - 1; i >= 0; i--)
        wet = wet * fade + of_day(&w->rain, day - i);
    return wet;
}

float
core_site_month(const struct lw_core *core, int32_t site, int64_t day)
{
    const struct weather *w = heard(core, site, HEARD_RAIN);
    float sum = 0;

    if (!w)
        return NAN;
    for (int i = 0; i < MONTH; i++) {
        float mm = of_day(&w->rain, day - i);

        sum += isnan(mm) ? 0 : mm;
    }
    return sum;
}

float
core_site_level(const struct lw_core *core, int32_t site, int64_t day)
{
    const struct weather *w = heard(core, site, HEARD_LEVEL);

    return w ? of_day(&w->level, day) : NAN;
}

bool
water_is_wrong(struct lw_core *core, int32_t site, enum heard what, int64_t day,
               bool over)
{
    int32_t i = core->ears[site].of[what];
    struct vote *today, *before;

    if (i == LW_NONE)
        return false;
    today = &core->weather[i].vote[day & 1];
    before = &core->weather[i].vote[~day & 1];
    if (today->day != day)
        *today = (struct vote){.day = day};
    today->judged++;
    today->over += over;
    return before->day == day - 1 && before->judged >= PUMPS_LEAST &&
           2 * before->over > before->judged;
}
