/* What rain and water level explain of a pump. Water that has entered a mine drains for
 * days: each day leaves a share of what is still in the ground (a linear reservoir). So
 * the pump's day is learned, while the site is commissioned, as a base and a slope over
 * the rain that still drains, and over the day's highest level; the two are two answers,
 * and the larger one counts. It is judged only in weather that it was learned in: what is
 * wetter, or not known, explains any pumping. */
#include <math.h>
#include <string.h>

#include "lib/state.h"

enum {
    DAYS = LOG_HOURS / 24,
    DAYS_LEAST = 20,  /* of them, to learn from */
    HOURS_LEAST = 15, /* of a day, to know it */
    DAYS_KNOWN = 3,   /* of the last days */
    SIGMAS = 3
};

/* How fast it drains: a shaft within a day; most ground within three (a measured inflow
 * falls by 26 to 30 % a day after its peak); old workings within nine. So many days hold
 * 95 % of it. */
static const struct {
    float fade;
    int days;
} RESERVOIR[RESERVOIRS] = {{0.368F, 3}, {0.717F, 9}, {0.895F, 27}};

/* Of the range that was learned: a float switch lets the water rise a hand higher today.
 */
#define BEYOND 0.1F

static float
wet(const struct lw_core *core, int32_t site, int reservoir, int64_t day)
{
    return core_site_wet(core, site, day, RESERVOIR[reservoir].fade,
                         RESERVOIR[reservoir].days);
}

/* Least squares of kw over x, which can only add to it. */
static struct by_water
fit(const float *x, const float *kw)
{
    struct by_water b = {.most = -INFINITY};
    float least = INFINITY;
    double n = 0, sx = 0, sy = 0, xx = 0, xy = 0, square = 0;

    for (int i = 0; i < DAYS; i++)
        if (!isnan(x[i]) && !isnan(kw[i])) {
            n++;
            sx += (double)x[i];
            sy += (double)kw[i];
            b.most = larger(b.most, x[i]);
            least = smaller(least, x[i]);
        }
    if (n < DAYS_LEAST)
        return b;
    for (int i = 0; i < DAYS; i++)
        if (!isnan(x[i]) && !isnan(kw[i])) {
            xx += ((double)x[i] - sx / n) * ((double)x[i] - sx / n);
            xy += ((double)x[i] - sx / n) * ((double)kw[i] - sy / n);
        }
    b.known = true;
    b.most += BEYOND * (b.most - least);
    b.slope_kw = xx > 0 && xy > 0 ? (float)(xy / xx) : 0;
    b.base_kw = (float)(sy / n - (double)b.slope_kw * sx / n);
    for (int i = 0; i < DAYS; i++)
        if (!isnan(x[i]) && !isnan(kw[i])) {
            double off = (double)(kw[i] - b.base_kw - b.slope_kw * x[i]);

            square += off * off;
        }
    b.spread_kw = (float)sqrt(square / (n - 2));
    return b;
}

void
pumping_learn(const struct lw_core *core, int32_t site, const struct hour_log *log)
{
    struct reference *r = &core->site[site].reference;
    int64_t first = r->since / LW_DAY;
    float kw[DAYS], x[DAYS];

    r->rain = r->level = (struct by_water){0};
    r->month_most = r->doubt_kw = 0;
    r->pumped_on = false;
    for (int i = 0; i < DAYS; i++) {
        float month = core_site_month(core, site, first + i);

        kw[i] = reference_unpack(r, log->pump_day[i]);
        x[i] = core_site_level(core, site, first + i);
        if (!isnan(month))
            r->month_most = larger(r->month_most, month);
    }
    r->level = fit(x, kw);
    for (int k = 0; k < RESERVOIRS; k++) {
        struct by_water b;

        for (int i = 0; i < DAYS; i++)
            x[i] = wet(core, site, k, first + i);
        b = fit(x, kw);
        b.reservoir = (uint8_t)k;
        if (b.known && (!r->rain.known || b.spread_kw < r->rain.spread_kw))
            r->rain = b;
    }
}

static float
explained(const struct by_water *b, float x)
{
    return x <= b->most ? larger(0, b->base_kw + b->slope_kw * x) : NAN;
}

/* A gauge that has told no rain for four weeks may be blocked, and a level that is the
 * same to the millimetre for days is none. */
static bool
alive(const struct lw_core *core, int32_t site, int64_t day)
{
    const struct reference *r = &core->site[site].reference;
    float month = core_site_month(core, site, day);
    float level = core_site_level(core, site, day);
    bool moves = false;

    for (int i = 1; i < PUMP_DAYS; i++)
        moves = moves || core_site_level(core, site, day - i) != level;
    return (!r->rain.known || (month > 0 && month <= r->month_most)) &&
           (!r->level.known || moves);
}

/* kW that water explains on that day; NAN: nobody knows. */
static float
explained_on(const struct lw_core *core, int32_t site, int64_t day)
{
    const struct reference *r = &core->site[site].reference;
    float rain = NAN, level = NAN;

    if (r->rain.known)
        rain = explained(&r->rain, wet(core, site, r->rain.reservoir, day));
    if (r->level.known)
        level = explained(&r->level, core_site_level(core, site, day));
    if (!r->rain.known)
        return level;
    if (!r->level.known)
        return rain;
    return isnan(rain) || isnan(level) ? NAN : larger(rain, level);
}

/* The last days together: one may have pumped what the one before could not. Two days in
 * a row have to be over: by then it is known whether other pumps are, too. */
static void
judge(struct lw_core *core, int32_t site, const struct sample *s, int64_t day,
      struct found *f)
{
    struct reference *r = &core->site[site].reference;
    float kw = 0, expected = 0, ratio;
    bool before = r->pumped_on, wrong;
    int n = 0;

    r->pumped_on = false;
    for (int i = 0; i < PUMP_DAYS; i++) {
        float mean = reference_unpack(r, r->rings.pump_day[PUMP_DAYS - 1 - i]);

        if (isnan(mean))
            continue;
        kw += mean;
        expected += explained_on(core, site, day - i);
        n++;
    }
    if (n < DAYS_KNOWN || isnan(f->day.kw) || isnan(expected) || !alive(core, site, day))
        return;
    f->days.kw = kw / (float)n;
    f->days.expected = expected / (float)n;
    f->day.expected = explained_on(core, site, day);
    r->doubt_kw = f->days.expected * (float)s->rules->reference.pumped_milli / 1000 +
                  SIGMAS * larger(r->rain.spread_kw, r->level.spread_kw);
    r->doubt_kw = larger(r->doubt_kw, (float)s->rules->reference.least_long_w / 1000);
    f->over[PUMPED_ON] = f->days.kw - f->days.expected;
    ratio = f->over[PUMPED_ON] / (r->doubt_kw * s->share);
    wrong = water_is_wrong(core, site, r->rain.known ? HEARD_RAIN : HEARD_LEVEL, day,
                           ratio > 1);
    if (!wrong)
        f->ratio[PUMPED_ON] = before ? ratio : smaller(ratio, 0.9F);
    r->pumped_on = ratio > 1;
}

void
pumping_sample(struct lw_core *core, int32_t site, const struct sample *s,
               struct found *f)
{
    struct reference *r = &core->site[site].reference;
    int64_t day = s->from / LW_DAY, nth = day - r->since / LW_DAY;
    float hours = (float)s->interval / (float)LW_HOUR;

    if (!isnan(f->pumped)) {
        r->pump_kwh += f->pumped * hours;
        r->pump_h += hours;
    }
    if ((s->from + s->interval) / LW_DAY == day)
        return;
    if (r->pump_h >= HOURS_LEAST)
        f->day.kw = r->pump_kwh / r->pump_h;
    r->pump_kwh = r->pump_h = 0;
    if (r->frozen == NEVER) {
        /* The first day is needed to know what is beside the pump. */
        if (nth > 0 && nth < DAYS)
            reference_log(core, r)->pump_day[nth] = reference_pack(r, f->day.kw);
        return;
    }
    memmove(r->rings.pump_day, r->rings.pump_day + 1,
            (PUMP_DAYS - 1) * sizeof *r->rings.pump_day);
    r->rings.pump_day[PUMP_DAYS - 1] = reference_pack(r, f->day.kw);
    if (r->rain.known || r->level.known)
        judge(core, site, s, day, f);
}
