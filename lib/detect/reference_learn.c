/* How a reference is learned: once, when the commissioning window is over, from its
 * hours. Robust against the odd busy day; bounded work, nothing allocated. */
#include <math.h>

#include "lib/state.h"

/* An hour of the day is known from so many days, a mean's noise from so many means. */
enum {
    DAYS_LEAST = 3,
    MEANS_LEAST = 10,
    PUMP_LEAST = 12,
    ROUNDS = 4
};

/* The standard deviation of a normal distribution, from its median deviation. */
#define SIGMAS 1.4826F
/* And the distance of its quartiles. */
#define QUARTILES 1.349F

const int reach_hours[REACHES] = {1, 3, 8, 24, 96};

/* The window's hours, and scratch. */
struct lesson {
    float kw[LOG_HOURS], cold[LOG_HOURS];
    float over[LOG_HOURS]; /* what lies over the profile so far */
    float t[LOG_HOURS];
    bool use[LOG_HOURS];
};

/* Shell's sort: the C library's may allocate. */
static float
median(float *v, int n)
{
    for (int gap = n / 2; gap > 0; gap /= 2)
        for (int i = gap; i < n; i++) {
            float x = v[i];
            int j = i;

            for (; j >= gap && v[j - gap] > x; j -= gap)
                v[j] = v[j - gap];
            v[j] = x;
        }
    if (n == 0)
        return 0;
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The known ones of v in t; how many. */
static int
known(const float *v, float *t)
{
    int n = 0;

    for (int i = 0; i < LOG_HOURS; i++)
        if (!isnan(v[i]))
            t[n++] = v[i];
    return n;
}

/* Median of what lies over the profile, and its deviation. */
static float
centre(struct lesson *l, float *ret_sigma)
{
    int n = known(l->over, l->t);
    float middle = median(l->t, n);

    for (int i = 0; i < n; i++)
        l->t[i] = fabsf(l->t[i] - middle);
    *ret_sigma = SIGMAS * median(l->t, n);
    return middle;
}

/* Least squares of the profile by hours of the day and of the heating's slope within
 * them, so that the day's own course is not taken for heating. */
static void
fit(struct reference *r, const struct lesson *l, bool heated)
{
    double n[PROFILE_HOURS] = {0}, kw[PROFILE_HOURS] = {0}, cold[PROFILE_HOURS] = {0};
    double xx = 0, xy = 0, all = 0;
    int hours = 0;

    for (int i = 0; i < LOG_HOURS; i++) {
        int c = i % PROFILE_HOURS;

        if (!l->use[i])
            continue;
        n[c]++;
        kw[c] += (double)l->kw[i];
        cold[c] += (double)l->cold[i];
        xx += (double)l->cold[i] * (double)l->cold[i];
        xy += (double)l->cold[i] * (double)l->kw[i];
    }
    for (int c = 0; c < PROFILE_HOURS; c++)
        if (n[c] > 0) {
            xx -= cold[c] * cold[c] / n[c];
            xy -= cold[c] * kw[c] / n[c];
        }
    r->slope_kw = heated && xx > 1 && xy > 0 ? (float)(xy / xx) : 0;
    for (int c = 0; c < PROFILE_HOURS; c++)
        if (n[c] >= DAYS_LEAST) {
            r->mean_kw[c] = (float)((kw[c] - (double)r->slope_kw * cold[c]) / n[c]);
            all += (double)r->mean_kw[c];
            hours++;
        }
    for (int c = 0; c < PROFILE_HOURS; c++)
        if (n[c] < DAYS_LEAST)
            r->mean_kw[c] = hours > 0 ? (float)(all / hours) : 0;
}

/* Each hour of the day as it is on most days. */
static void
medians(struct reference *r, struct lesson *l)
{
    for (int c = 0; c < PROFILE_HOURS; c++) {
        int n = 0;

        for (int i = c; i < LOG_HOURS; i += PROFILE_HOURS)
            if (l->use[i])
                l->t[n++] = l->kw[i];
        r->mean_kw[c] = median(l->t, n);
    }
    r->slope_kw = 0;
}

/* By the medians, and then three times, each without the hours that are far off. */
static void
fit_robustly(struct reference *r, struct lesson *l, bool heated)
{
    float middle = fabsf(median(l->t, known(l->kw, l->t))), sigma;

    for (int i = 0; i < LOG_HOURS; i++)
        l->use[i] = !isnan(l->kw[i]);
    for (int round = 0; round < ROUNDS; round++) {
        if (round == 0)
            medians(r, l);
        else
            fit(r, l, heated);
        for (int i = 0; i < LOG_HOURS; i++)
            l->over[i] =
                l->kw[i] - r->mean_kw[i % PROFILE_HOURS] - r->slope_kw * l->cold[i];
        (void)centre(l, &sigma);
        for (int i = 0; i < LOG_HOURS; i++)
            l->use[i] = fabsf(l->over[i]) < larger(6 * sigma, middle / 2);
    }
}

/* How much an hour differs from day to day: by its quartiles, so that a machine shows
 * that runs for a third of them. */
static float
find_spread(struct lesson *l)
{
    int n = known(l->over, l->t);

    (void)median(l->t, n); /* sorts them */
    return n > 0 ? (l->t[3 * n / 4] - l->t[n / 4]) / QUARTILES : 0;
}

/* The noise over the upper profile, and the level that the site reached meanwhile.
 * Returns the noise. */
static float
find_core(struct reference *r, struct lesson *l, const struct sample *s)
{
    float t[PROFILE_HOURS], usual, sigma, seen = 0, share;

    for (int c = 0; c < PROFILE_HOURS; c++)
        t[c] = r->mean_kw[c];
    r->base_kw = median(t, PROFILE_HOURS);
    share = r->base_kw * (float)s->rules->reference.base_milli / 1000;
    for (int i = 0; i < LOG_HOURS; i++) {
        l->over[i] =
            l->kw[i] - reference_upper(r, i % PROFILE_HOURS) - r->slope_kw * l->cold[i];
        seen = l->over[i] > seen ? l->over[i] : seen;
    }
    usual = centre(l, &sigma);
    r->core_kw = usual + 5 * sigma + (s->heated ? 0 : share);
    r->core_kw = larger(r->core_kw, 0.02F * r->base_kw + 0.05F) + s->resolution_kwh;
    /* What a heater takes when it comes on is nothing that stands out. */
    if (s->heated)
        r->core_kw = larger(r->core_kw, HEATER_LEAST_K * r->slope_kw);
    r->known_kw = 0;
    if (seen > 1.3F * r->core_kw && seen > r->core_kw + share)
        r->known_kw = (float)s->rules->reference.known_milli / 1000 * seen +
                      larger(0, r->core_kw - usual);
    return sigma;
}

/* The most and the noise of the means over a length. What is known is left out; of a day
 * and more, so is what is above the noise: one hour of a motor is not spread over it. */
static void
find_means(struct reference *r, struct lesson *l, enum reach reach, float sigma)
{
    int hours = reach_hours[reach], n = 0, in = 0;
    double sum = 0, sq = 0, window = 0, most = 0;

    for (int i = 0; i < LOG_HOURS; i++) {
        float v = l->over[i];

        if (r->known_kw > 0 && v > r->core_kw && v <= r->known_kw)
            v = NAN;
        l->t[i] = hours >= 24 && v > r->core_kw ? r->core_kw : v;
    }
    for (int i = 0; i < LOG_HOURS; i++) {
        double mean;

        if (!isnan(l->t[i])) {
            window += (double)l->t[i];
            in++;
        }
        if (i >= hours && !isnan(l->t[i - hours])) {
            window -= (double)l->t[i - hours];
            in--;
        }
        if (i < hours - 1 || in == 0 || 10 * in < 6 * hours)
            continue;
        mean = window / in;
        sum += mean;
        sq += mean * mean;
        most = mean > most ? mean : most;
        n++;
    }
    r->most_kw[reach] = n >= MEANS_LEAST ? (float)most : 0;
    r->noise_kw[reach] =
        n >= MEANS_LEAST ? (float)sqrt(fmax(0, sq / n - sum / n * (sum / n))) : sigma;
}

/* The pump's power from its runs, or else from the ledger; and what it may take in a day
 * of which nothing else is known: the rainiest but one. */
static void
find_pump(struct reference *r, const struct hour_log *l, const struct sample *s)
{
    float most = 0, second = 0, sum = 0;
    int n = 0;

    r->pump_kw = s->pump_metered ? 0 : s->pump_kw;
    r->pump_noise_kw = 0.05F * s->pump_kw;
    if (l->pump_n >= PUMP_LEAST) {
        r->pump_kw = (float)l->pump_mean;
        r->pump_noise_kw = (float)sqrt(l->pump_sq / l->pump_n);
    }
    for (int i = 0; i < LOG_HOURS / 24; i++) {
        float day = reference_unpack(r, l->pump_day[i]);

        if (isnan(day))
            continue;
        second = larger(second, smaller(day, most));
        most = larger(most, day);
        sum += day;
        n++;
    }
    r->pump_day_kw = second;
    r->pump_usual_kw = n > 0 ? sum / (float)n : 0;
}

/* A heater that was never seen on is not judged in the first frost. Where nothing tells
 * how cold it is, and where none is declared, any cold is as usual; and a site whose pump
 * stood for fewer hours than three days have is not compared in any. */
static void
find_coldest(struct reference *r, const struct lesson *l, bool heated)
{
    int n = 0;

    r->coldest = heated ? 0 : INFINITY;
    for (int i = 0; i < LOG_HOURS; i++)
        if (!isnan(l->kw[i])) {
            r->coldest = larger(r->coldest, BELIEVED * l->cold[i]);
            n++;
        }
    if (n < DAYS_LEAST * PROFILE_HOURS)
        r->coldest = -INFINITY;
}

/* False: for most of the hours it is not known how cold it was. */
static bool
read_log(const struct lw_core *core, int32_t site, struct lesson *l, bool heated)
{
    const struct reference *r = &core->site[site].reference;
    const struct hour_log *log = reference_log(core, r);
    int n = 0;

    for (int i = 0; i < LOG_HOURS; i++) {
        l->kw[i] = reference_unpack(r, log->hour[i]);
        l->cold[i] = core_site_cold(core, site, r->since + i * LW_HOUR);
        n += !isnan(l->cold[i]);
    }
    for (int i = 0; i < LOG_HOURS; i++)
        if (isnan(l->cold[i])) {
            l->cold[i] = 0;
            if (heated && 2 * n > LOG_HOURS)
                l->kw[i] = NAN;
        }
    return 2 * n > LOG_HOURS;
}

float
reference_learn(const struct lw_core *core, int32_t site, const struct sample *s)
{
    struct reference *r = &core->site[site].reference;
    const struct lw_site *row = &core->ledger->site[site];
    int64_t edge_ms = s->rules->reference.edge_ms;
    const struct hour_log *log = reference_log(core, r);
    struct lesson l;
    bool heated = s->heated, felt = read_log(core, site, &l, heated);
    float sigma, spread;

    r->frozen = s->from;
    reference_day(r, row, edge_ms, r->since + LOG_HOURS / 2 * LW_HOUR); /* as it was */
    find_coldest(r, &l, heated && felt);
    fit_robustly(r, &l, heated);
    sigma = find_core(r, &l, s);
    spread = find_spread(&l);
    r->jump_kw = log->jumps > 0 ? (float)(log->jump_sum / log->jumps) : 0;
    for (int reach = 0; reach < REACHES; reach++)
        find_means(r, &l, (enum reach)reach, sigma);
    /* Heated, and nothing tells how cold it is: what the heater took for an hour it may
     * take all day. */
    if (heated && !felt)
        for (int reach = REACH_3H; reach < REACHES; reach++)
            r->most_kw[reach] =
                larger(r->most_kw[reach],
                       reach < REACH_24H ? r->most_kw[REACH_1H]
                                         : smaller(r->most_kw[REACH_1H], r->core_kw));
    find_pump(r, log, s);
    pumping_learn(core, site, log);
    r->hour_kw = 0;
    r->in_hour = 0;
    compare_begin(&r->rings);
    reference_day(r, row, edge_ms, s->from);
    return spread;
}
