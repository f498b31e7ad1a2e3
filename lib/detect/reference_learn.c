/* How a reference is learned: once, when the commissioning window is over, from its 672
 * hours. Robust against the odd busy day; bounded work. */
#include <math.h>
#include <stdlib.h>

#include "lib/state.h"

static int
compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static float
median(float *v, int n)
{
    if (n == 0)
        return 0;
    qsort(v, (size_t)n, sizeof *v, compare);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The known ones of v in t; how many. */
static int
known(const float *v, const bool *use, float *t)
{
    int n = 0;

    for (int i = 0; i < LOG_HOURS; i++)
        if (!isnan(v[i]) && (!use || use[i]))
            t[n++] = v[i];
    return n;
}

struct lesson {
    float kw[LOG_HOURS], cold[LOG_HOURS], over[LOG_HOURS], t[LOG_HOURS];
    bool use[LOG_HOURS];
    int first; /* hour of the day of the first */
};

/* Least squares of the profile by hours and of the heating's slope within them. */
static void
fit(struct reference *r, const struct lesson *l, bool heated)
{
    double n[PROFILE_HOURS] = {0}, kw[PROFILE_HOURS] = {0}, cold[PROFILE_HOURS] = {0};
    double xx = 0, xy = 0, all = 0;
    int hours = 0;

    for (int i = 0; i < LOG_HOURS; i++) {
        int c = (l->first + i) % PROFILE_HOURS;

        if (!l->use[i])
            continue;
        n[c]++;
        kw[c] += l->kw[i];
        cold[c] += l->cold[i];
        xx += (double)l->cold[i] * l->cold[i];
        xy += (double)l->cold[i] * l->kw[i];
    }
    for (int c = 0; c < PROFILE_HOURS; c++)
        if (n[c] > 0) {
            xx -= cold[c] * cold[c] / n[c];
            xy -= cold[c] * kw[c] / n[c];
        }
    r->slope = heated && xx > 1 && xy > 0 ? (float)(xy / xx) : 0;
    r->coldest = heated ? 0 : NAN;
    for (int i = 0; heated && i < LOG_HOURS; i++)
        if (l->use[i])
            r->coldest = larger(r->coldest, l->cold[i]);
    r->coldest = r->coldest * (xx > 1 ? 2.5F : 1) + 1;
    for (int c = 0; c < PROFILE_HOURS; c++)
        if (n[c] >= 3) {
            r->mean[c] = (float)((kw[c] - (double)r->slope * cold[c]) / n[c]);
            all += (double)r->mean[c];
            hours++;
        }
    for (int c = 0; c < PROFILE_HOURS; c++)
        if (n[c] < 3)
            r->mean[c] = hours > 0 ? (float)(all / hours) : 0;
}

/* Three rounds, each without the hours that are far off. */
static void
fit_robustly(struct reference *r, struct lesson *l, bool heated)
{
    float middle = fabsf(median(l->t, known(l->kw, NULL, l->t)));

    for (int i = 0; i < LOG_HOURS; i++)
        l->use[i] = !isnan(l->kw[i]);
    for (int round = 0; round < 3; round++) {
        float centre, spread;
        int n;

        fit(r, l, heated);
        for (int i = 0; i < LOG_HOURS; i++)
            l->over[i] = l->kw[i] - r->mean[(l->first + i) % PROFILE_HOURS] -
                         r->slope * l->cold[i];
        n = known(l->over, NULL, l->t);
        centre = median(l->t, n);
        for (int i = 0; i < n; i++)
            l->t[i] = fabsf(l->t[i] - centre);
        spread = 1.4826F * median(l->t, n);
        for (int i = 0; i < LOG_HOURS; i++)
            l->use[i] =
                !isnan(l->over[i]) && fabsf(l->over[i]) < larger(6 * spread, middle / 2);
    }
}

/* Noise over the upper profile, and the level that the site reached meanwhile. */
static void
find_core(const struct lw_core *core, struct reference *r, struct lesson *l, bool heated,
          float resolution)
{
    float t[PROFILE_HOURS], spread, seen = 0;
    int n;

    for (int c = 0; c < PROFILE_HOURS; c++)
        t[c] = r->mean[c];
    r->base = median(t, PROFILE_HOURS);
    r->low = t[0];
    r->swing = t[PROFILE_HOURS - 1] - t[0];
    for (int i = 0; i < LOG_HOURS; i++)
        l->over[i] = l->kw[i] - reference_upper(r, (l->first + i) % PROFILE_HOURS) -
                     r->slope * l->cold[i];
    n = known(l->over, NULL, l->t);
    r->usual = median(l->t, n);
    for (int i = 0; i < n; i++)
        seen = l->t[i] > seen ? l->t[i] : seen;
    for (int i = 0; i < n; i++)
        l->t[i] = fabsf(l->t[i] - r->usual);
    spread = 1.4826F * median(l->t, n);
    r->core = r->usual + 5 * spread + (heated ? 0 : 0.1F * r->base);
    r->core = larger(r->core, 0.02F * r->base + 0.05F) + resolution;
    /* A heater that holds a house at -15 degrees comes on at once. */
    if (heated)
        r->core = larger(r->core, 24 * r->slope);
    r->known = 0;
    if (seen > 1.3F * r->core && seen > r->core + 0.1F * r->base)
        r->known = (float)core->rules->reference.known_milli / 1000 * seen +
                   larger(0, r->core - r->usual);
}

/* The most and the deviation of the means over so many hours. */
static void
find_windows(struct reference *r, struct lesson *l, enum reach reach, int hours)
{
    double sum = 0, sq = 0, window = 0;
    float most = 0;
    int n = 0, in = 0;

    for (int i = 0; i < LOG_HOURS; i++) {
        float v = l->over[i];

        if (r->known > 0 && v > r->core && v <= r->known)
            v = NAN;
        l->t[i] = hours >= 24 && v > r->core ? r->core : v;
    }
    for (int i = 0; i < LOG_HOURS; i++) {
        if (!isnan(l->t[i])) {
            window += (double)l->t[i];
            in++;
        }
        if (i >= hours && !isnan(l->t[i - hours])) {
            window -= (double)l->t[i - hours];
            in--;
        }
        if (i < hours - 1 || 10 * in < 6 * hours)
            continue;
        sum += window / in;
        sq += window / in * (window / in);
        most = window / in > (double)most ? (float)(window / in) : most;
        n++;
    }
    r->most[reach] = n >= 10 ? most : 0;
    r->spread[reach] =
        n >= 10 ? (float)sqrt(fmax(0, sq / n - sum / n * (sum / n))) : r->core / 5;
}

void
reference_learn(const struct lw_core *core, int32_t site, bool heated, float pump_kw,
                float resolution_kwh)
{
    static const int HOURS[REACHES] = {1, 3, 8, 24, 96};
    struct reference *r = &core->site[site].reference;
    int32_t weather = core->site_weather[site];
    struct lesson l;
    bool cold = false;

    l.first = (int)(r->since / LW_HOUR % PROFILE_HOURS);
    for (int i = 0; i < LOG_HOURS; i++) {
        float k = weather == LW_NONE
                      ? NAN
                      : weather_cold(&core->weather[weather], r->since / LW_HOUR + i);

        l.kw[i] =
            r->log[i] == INT16_MIN ? NAN : (float)r->log[i] * (float)r->unit_w / 1000;
        l.cold[i] = isnan(k) ? 0 : k;
        cold = cold || !isnan(k);
    }
    fit_robustly(r, &l, heated);
    find_core(core, r, &l, heated, resolution_kwh);
    for (int reach = 0; reach < REACHES; reach++)
        find_windows(r, &l, (enum reach)reach, HOURS[reach]);
    /* Heated, and nothing tells how cold it is: what the heater took for an hour it may
     * take all day. */
    if (heated && !cold)
        for (int reach = REACH_3H; reach < REACHES; reach++)
            r->most[reach] = larger(
                r->most[reach], reach < REACH_24H ? r->most[REACH_1H]
                                                  : smaller(r->most[REACH_1H], r->core));
    r->pump = pump_kw;
    r->pump_spread = 0.05F * pump_kw;
    if (r->pump_n >= 12) {
        r->pump = (float)r->pump_mean;
        r->pump_spread = (float)sqrt(r->pump_sq / r->pump_n);
    }
    r->duty /= 28;
    for (int i = 0; i < LOG_HOURS; i++)
        r->log[i] = INT16_MIN; /* from here on, the rings */
}
