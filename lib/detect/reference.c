/* What a site draws when nothing happens: learned in the commissioning window, then
 * frozen, so that it never learns from what it should detect. A profile by hours of the
 * day, and what the heating adds for each kelvin below 15 degrees. */
#include <math.h>

#include <lodewatch/sun.h>

#include "lib/state.h"

/* The outdoor temperature below which buildings are heated; what heating takes is linear
 * in what is missing to it. */
#define HEATING_MC 15000

enum {
    CELL_LEAST = 4,    /* samples that make an hour known */
    SPREAD_LEAST = 96, /* and a day of them the noise */
};

void
reference_init(struct reference *r)
{
    *r = (struct reference){
        .since = NEVER, .frozen = NEVER, .day = NEVER, .early_w = VOID};
}

static int32_t
cell_of(int64_t at)
{
    return (int32_t)(at % LW_DAY / (LW_DAY / CELLS));
}

int32_t
reference_cold_ck(int64_t mc)
{
    return mc < HEATING_MC ? (int32_t)((HEATING_MC - mc) / 10) : 0;
}

int32_t
reference_heating_w(const struct reference *r, int32_t cold_ck)
{
    return (int32_t)((int64_t)r->slope_mw * cold_ck / 100000);
}

/* Least squares within the hours, so that the day's own course is not taken for
 * heating. */
static void
fit_slope(struct reference *r)
{
    double kk = r->sum_kk, kw = r->sum_kw;

    for (int c = 0; c < CELLS; c++) {
        double k = (double)r->sum_ck[c] / 100;

        if (r->n[c] > 0) {
            kk -= k * k / r->n[c];
            kw -= k * r->sum_w[c] / r->n[c];
        }
    }
    r->slope_mw = kk > 1 && kw > 0 ? (int32_t)lrint(kw / kk * 1000) : 0;
}

/* The hour's mean without heating; once frozen it stands where the sum was. */
static int32_t
mean_w(const struct reference *r, int c)
{
    if (r->frozen != NEVER)
        return r->sum_w[c];
    if (r->n[c] < CELL_LEAST)
        return r->base_w;
    return (r->sum_w[c] - reference_heating_w(r, r->sum_ck[c])) / r->n[c];
}

static void
fit_base(struct reference *r)
{
    int64_t sum = 0;
    int32_t known = 0;

    for (int c = 0; c < CELLS; c++)
        if (r->n[c] >= CELL_LEAST) {
            sum += mean_w(r, c);
            known++;
        }
    r->base_w = known > 0 ? (int32_t)(sum / known) : 0;
}

/* How far a lamp's edge can have moved since the profile was learned: half of what the
 * night has grown, which needs no longitude and no clock that is right; and habit. */
static uint8_t
edge_cells(const struct lw_core *core, const struct lw_site *site,
           const struct reference *r, int64_t at)
{
    int64_t cell = LW_DAY / CELLS, edge = core->rules->reference.edge_ms, grown;

    if (site->has_position) {
        int64_t middle = r->since + core->rules->reference.learn_ms / 2;

        grown = lw_sun_night_ms(site->lat_udeg, (lw_wall){at}) -
                lw_sun_night_ms(site->lat_udeg, (lw_wall){middle});
        edge += grown > 0 ? grown / 2 : 0;
    }
    edge = (edge + cell - 1) / cell;
    return (uint8_t)(edge < CELLS / 2 ? edge : CELLS / 2);
}

/* The most of the hours that dusk and dawn may have moved there. */
static int32_t
upper_w(const struct reference *r, int32_t c)
{
    int32_t most = mean_w(r, c);

    for (int i = 1; i <= r->edge; i++) {
        int32_t before = mean_w(r, (c - i + CELLS) % CELLS);
        int32_t after = mean_w(r, (c + i) % CELLS);

        most = before > most ? before : most;
        most = after > most ? after : most;
    }
    return most;
}

static void
fit_spread(struct reference *r)
{
    double mean, var;

    if (r->spread_n < 1)
        return;
    mean = r->spread_sum / r->spread_n;
    var = r->spread_sq / r->spread_n - mean * mean;
    r->usual_w = (int32_t)lrint(mean);
    r->spread_w = var > 0 ? (int32_t)lrint(sqrt(var)) : 0;
}

void
reference_day(struct reference *r, const struct lw_core *core, int32_t site, int64_t at,
              bool heated)
{
    int64_t day = lw_floor_to(at, LW_DAY);

    if (r->since == NEVER)
        r->since = day;
    if (r->day == day)
        return;
    r->day = day;
    if (r->frozen == NEVER) {
        r->slope_mw = 0;
        if (heated)
            fit_slope(r);
        fit_base(r);
        fit_spread(r);
    }
    r->edge = edge_cells(core, &core->ledger->site[site], r, at);
}

bool
reference_settled(const struct reference *r, const struct lw_core *core, int64_t at)
{
    return at - r->since >= core->rules->reference.settle_ms && r->base_w > 0;
}

int32_t
reference_expected_w(const struct reference *r, int64_t at, int32_t cold_ck)
{
    return upper_w(r, cell_of(at)) + reference_heating_w(r, cold_ck);
}

int32_t
reference_low_w(const struct reference *r)
{
    int32_t low = mean_w(r, 0);

    for (int c = 1; c < CELLS; c++)
        low = mean_w(r, c) < low ? mean_w(r, c) : low;
    return low;
}

int32_t
reference_swing_w(const struct reference *r)
{
    int32_t high = mean_w(r, 0);

    for (int c = 1; c < CELLS; c++)
        high = mean_w(r, c) > high ? mean_w(r, c) : high;
    return high - reference_low_w(r);
}

int32_t
reference_core_w(const struct reference *r)
{
    return r->usual_w + 5 * r->spread_w + r->base_w / 10;
}

/* Adds what lies over the profile to the noise. False: it is no noise, and no part of
 * what lasts: seen, not learned. */
static bool
learn_spread(struct reference *r, int64_t over_w)
{
    int64_t most = 6 * r->spread_w > r->base_w / 2 ? 6 * r->spread_w : r->base_w / 2;

    if (r->spread_n > SPREAD_LEAST && (over_w > most || over_w < -most))
        return false;
    r->spread_n++;
    r->spread_sum += (double)over_w;
    r->spread_sq += (double)over_w * (double)over_w;
    return true;
}

void
reference_learn(struct reference *r, int64_t at, int32_t w, int32_t cold_ck, bool settled)
{
    int32_t c = cell_of(at);
    double k = (double)cold_ck / 100;

    if (r->n[c] == UINT16_MAX || w > INT32_MAX - r->sum_w[c] ||
        (settled && !learn_spread(r, w - reference_expected_w(r, at, cold_ck))))
        return;
    r->n[c]++;
    r->learned++;
    r->sum_w[c] += w;
    r->sum_ck[c] += cold_ck;
    r->sum_kk += k * k;
    r->sum_kw += k * w;
    r->coldest_ck = cold_ck > r->coldest_ck ? cold_ck : r->coldest_ck;
}

void
reference_freeze(struct reference *r, int64_t at, int32_t most_hour_w)
{
    int32_t most = mean_w(r, 0);

    for (int c = 0; c < CELLS; c++) {
        r->sum_w[c] = mean_w(r, c);
        most = r->sum_w[c] > most ? r->sum_w[c] : most;
    }
    fit_spread(r);
    r->known_w = most_hour_w == VOID ? 0 : most_hour_w;
    if (r->early_w != VOID && r->early_w - most > r->known_w)
        r->known_w = r->early_w - most;
    r->frozen = at;
}
