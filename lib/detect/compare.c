/* A site's intervals against its frozen reference, over lengths from two intervals to
 * four days; a running pump against what it drew; the mean of a silence; starts and
 * stops. O(1) an interval. */
#include <math.h>
#include <string.h>

#include "lib/state.h"

/* A mean is one where so much of its length is known. */
enum {
    KNOWN_TENTHS = 6
};

static void
forget(int16_t *ring, int n)
{
    for (int i = 0; i < n; i++)
        ring[i] = NO_VALUE;
}

void
compare_begin(struct rings *g)
{
    *g = (struct rings){.before_kw = NAN, .pump_before_kw = NAN};
    forget(g->hour, HOURS);
    forget(g->capped, CAPPED);
    forget(g->pump_day, PUMP_DAYS);
    for (int i = 0; i < QUARTERS; i++)
        g->quarter[i] = NAN;
}

void
compare_wipe(struct reference *r)
{
    r->rings.fresh = 0;
    r->rings.pumped = r->rings.nheld = 0;
    r->rings.pump_before_kw = NAN;
    r->hour_kw = r->hour_capped_kw = 0;
    r->in_hour = 0;
}

void
found_nothing(struct found *f)
{
    *f = (struct found){
        .excess = NAN, .pumped = NAN, .day = {NAN, NAN}, .days = {NAN, NAN}};
    for (int c = 0; c < CHANNELS; c++)
        f->ratio[c] = NAN;
}

/* --- limits */

static float
milli(int64_t value)
{
    return (float)value / 1000;
}

/* The most that was seen while it learned, and what half a year adds to four weeks:
 * chance, drift with the base load, and the heating that wind and sun move. */
static float
bound(const struct reference *r, enum reach reach, float cold, const struct sample *s)
{
    int64_t base = reach >= REACH_24H ? s->rules->reference.base_long_milli
                                      : s->rules->reference.base_milli;

    return r->most_kw[reach] * milli(s->rules->reference.most_milli) +
           r->noise_kw[reach] * milli(s->rules->reference.spread_milli) +
           r->base_kw * milli(base) +
           r->slope_kw * cold * milli(s->rules->reference.heating_milli);
}

static float
limit(const struct reference *r, enum reach reach, float cold, const struct sample *s)
{
    bool slow = reach >= REACH_24H;
    float kw = bound(r, reach, cold, s);

    if (slow)
        kw *= milli(s->rules->reference.long_milli);
    /* A heater that held the house so far comes on at once, and all of it; beside it the
     * site has its usual load. What it takes for longer is a guess where it is colder
     * than it was while it learned. */
    if (reach > REACH_1H)
        kw += r->slope_kw * larger(0, cold - r->coldest / BELIEVED);
    if (reach <= REACH_3H)
        kw = larger(kw, r->slope_kw * larger(0, HEATER_MOST_K - cold) /
                                (reach == REACH_3H ? 2 : 1) +
                            r->base_kw * milli(s->rules->reference.base_milli));
    kw += s->resolution_kwh / (float)reach_hours[reach];
    return larger(
        kw, milli(slow ? s->rules->reference.least_long_w : s->rules->reference.least_w));
}

static void
put(struct found *f, const struct sample *s, enum channel channel, float over, float most)
{
    f->over[channel] = over;
    f->ratio[channel] = over / (most * s->share);
}

/* A mean over the reference, which must lie above what is known as well. */
static void
put_mean(const struct reference *r, struct found *f, const struct sample *s,
         enum channel channel, float over, float most)
{
    if (isnan(over))
        return;
    put(f, s, channel, over, most);
    if (over <= r->known_kw)
        f->ratio[channel] = smaller(f->ratio[channel], 0.9F);
}

/* --- lengths */

static void
push(int16_t *ring, int n, int16_t v)
{
    memmove(ring, ring + 1, (size_t)(n - 1) * sizeof *ring);
    ring[n - 1] = v;
}

/* The mean of the n entries before `end`; NAN where too few are known. */
static float
mean_of(const struct reference *r, const int16_t *end, int n)
{
    int32_t sum = 0;
    int known = 0;

    for (int i = 1; i <= n; i++)
        if (end[-i] != NO_VALUE) {
            sum += end[-i];
            known++;
        }
    if (10 * known < KNOWN_TENTHS * n)
        return NAN;
    return (float)sum / (float)known * (float)r->unit_w / 1000;
}

/* The rings hold a stretch of so many hours that nothing has interrupted. */
static bool
whole(const struct reference *r, const struct sample *s, int hours)
{
    return r->rings.fresh * s->interval >= hours * LW_HOUR;
}

static void
end_hour(struct reference *r, const struct sample *s, struct found *f)
{
    struct rings *g = &r->rings;
    bool known = r->in_hour > 0 && 2 * r->in_hour * s->interval >= LW_HOUR;
    float n = (float)r->in_hour;

    push(g->hour, HOURS, known ? reference_pack(r, r->hour_kw / n) : NO_VALUE);
    push(g->capped, CAPPED, known ? reference_pack(r, r->hour_capped_kw / n) : NO_VALUE);
    r->hour_kw = r->hour_capped_kw = 0;
    r->in_hour = 0;
    for (int reach = REACH_3H; reach < REACHES; reach++) {
        int hours = reach_hours[reach];
        const int16_t *end = reach < REACH_24H ? g->hour + HOURS : g->capped + CAPPED;
        float cold = reach == REACH_24H  ? larger(s->cold, r->cold_day)
                     : reach == REACH_4D ? larger(s->cold, r->cold_days)
                                         : s->cold;

        /* The longer means of a site that was busy while it learned say nothing. */
        if (whole(r, s, hours) && (r->known_kw <= 0 || reach == REACH_3H))
            put_mean(r, f, s, (enum channel)((int)OVER_1H + reach),
                     mean_of(r, end, hours), limit(r, (enum reach)reach, cold, s));
    }
}

/* Two intervals, and an hour. */
static void
compare_short(const struct reference *r, const struct sample *s, struct found *f)
{
    const float *newest = r->rings.quarter + QUARTERS - 1;
    int per_hour = s->interval < LW_HOUR ? (int)(LW_HOUR / s->interval) : 1, known = 0;
    float most = limit(r, REACH_1H, s->cold, s), sum = 0;
    float pair = most * milli(s->rules->reference.pair_milli) +
                 s->resolution_kwh * (float)LW_HOUR / (float)s->interval;

    per_hour = per_hour < QUARTERS ? per_hour : QUARTERS;
    if (r->rings.fresh >= 2 && !isnan(newest[-1]))
        put_mean(r, f, s, OVER_PAIR, smaller(newest[0], newest[-1]), pair);
    for (int i = 0; i < per_hour; i++)
        if (!isnan(newest[-i])) {
            sum += newest[-i];
            known++;
        }
    if (r->rings.fresh >= per_hour && 4 * known >= 3 * per_hour)
        put_mean(r, f, s, OVER_1H, sum / (float)known, most);
}

/* A day's mean is of what lasts: one hour of a large motor is not spread over it. But
 * what is as high as its limit enters it, however little noise the site has. */
static float
capped(const struct reference *r, const struct sample *s, float over)
{
    if (over <= r->core_kw)
        return over;
    return smaller(over, larger(r->core_kw, 3 * limit(r, REACH_24H, s->cold, s)));
}

static void
compare_load(struct reference *r, const struct sample *s, float over, struct found *f)
{
    float *quarter = r->rings.quarter;

    if (over > r->core_kw && over <= r->known_kw)
        over = NAN; /* it is known */
    memmove(quarter, quarter + 1, (QUARTERS - 1) * sizeof *quarter);
    quarter[QUARTERS - 1] = over;
    if (!isnan(over)) {
        compare_short(r, s, f);
        r->hour_kw += over;
        r->hour_capped_kw += capped(r, s, over);
        r->in_hour++;
    }
    if ((s->from + s->interval) / LW_HOUR > s->from / LW_HOUR)
        end_hour(r, s, f);
}

/* --- the pump */

static void
push_pump(struct rings *g, int16_t v)
{
    push(g->pump, PUMPED, v);
    g->pumped = (int16_t)(g->pumped < PUMPED ? g->pumped + 1 : PUMPED);
}

/* At a site that is known to be busy, what is over the pump's power may be that; a run of
 * the pump counts where nothing of it was there before the run and after. */
static bool
release_held(struct reference *r, float over)
{
    struct rings *g = &r->rings;
    bool counts = g->nheld > 0 && over <= r->core_kw && g->beside_kw <= r->core_kw;

    for (int i = 0; counts && i < g->nheld; i++)
        push_pump(g, g->held[i]);
    g->nheld = 0;
    return counts;
}

/* What a pump's power may have risen by since it was learned. */
static float
wear(const struct reference *r, const struct sample *s)
{
    float draws = s->pump_metered ? s->pump_kw : r->pump_kw;

    return milli(s->rules->reference.wear_milli) * draws +
           milli(s->rules->reference.base_milli) / 2 * r->base_kw;
}

/* What the load beside the pump may do, it may do while the pump runs. */
static float
beside_pump(const struct reference *r, const struct sample *s)
{
    return limit(r, REACH_1H, s->cold, s) * milli(s->rules->reference.pair_milli);
}

static void
compare_pump(struct reference *r, const struct sample *s, const struct beside *b,
             float over, struct found *f)
{
    struct rings *g = &r->rings;
    bool fresh = false;

    if (!isnan(b->pump_kw) && b->cold <= r->coldest) {
        float v = b->pump_kw - r->pump_kw;

        if (!isnan(g->pump_before_kw))
            put(f, s, PUMP_PAIR, smaller(v, g->pump_before_kw),
                larger(4 * r->pump_noise_kw, beside_pump(r, s)) + wear(r, s) +
                    r->known_kw);
        g->pump_before_kw = v;
        if (r->known_kw <= 0) {
            push_pump(g, reference_pack(r, v));
            fresh = true;
        } else if (g->nheld < HELD) {
            g->held[g->nheld++] = reference_pack(r, v);
        }
    } else {
        g->pump_before_kw = NAN;
    }
    if (r->known_kw > 0 && !isnan(over)) {
        fresh = release_held(r, over);
        g->beside_kw = over;
    }
    if (fresh && g->pumped >= 8)
        put(f, s, PUMP_8, mean_of(r, g->pump + PUMPED, 8),
            2.5F * r->pump_noise_kw + wear(r, s));
    if (fresh && g->pumped == PUMPED)
        put(f, s, PUMP_32, mean_of(r, g->pump + PUMPED, PUMPED),
            1.5F * r->pump_noise_kw + wear(r, s));
}

/* --- starts and stops */

static int
count(uint32_t bits)
{
    int n = 0;

    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

/* A start is so many times what the load moved by from one interval to the next while it
 * was learned: a compressor that always cycled is no machine. */
#define JUMPS 4

/* At a site that is known to be busy, a machine shows by its starts and stops: so many of
 * them within three hours, each of a good part of what is known. A pump that no sub-meter
 * tells starts and stops too. */
static void
compare_starts(struct reference *r, const struct sample *s, const struct beside *b,
               struct found *f)
{
    struct rings *g = &r->rings;
    float step =
        larger(milli(s->rules->reference.start_milli) * r->known_kw, JUMPS * r->jump_kw);
    float before = g->before_kw;
    uint32_t slots = (uint32_t)(3 * LW_HOUR / s->interval);
    bool jump;

    if (r->known_kw <= 0 || (s->pump_kw > 0 && !s->pump_metered))
        return;
    g->before_kw = isnan(b->pump_kw) ? f->excess : NAN;
    jump = fabsf(g->before_kw - before) > step + 4 * s->resolution_kwh;
    g->jumps = (g->jumps << 1 | jump) & ((UINT32_C(1) << slots) - 1);
    put(f, s, STARTS, isnan(f->excess) ? 0 : larger(f->excess, step), 1);
    f->ratio[STARTS] =
        (float)count(g->jumps) / ((float)s->rules->reference.starts - 0.5F);
}

/* A pump that was put in after it had learned: it may run all day, at what is declared.
 */
static void
take_pump(struct reference *r, const struct sample *s)
{
    if (s->pump_kw <= 0 || r->pump_kw > 0 || r->pump_noise_kw > 0)
        return;
    r->pump_noise_kw = 0.05F * s->pump_kw;
    if (!s->pump_metered)
        r->pump_kw = r->pump_day_kw = r->pump_usual_kw = s->pump_kw;
}

void
compare_sample(struct reference *r, const struct sample *s, const struct beside *b,
               struct found *f)
{
    float over = b->kw - reference_expected(r, b->from, b->cold);
    float day = (float)s->interval / (float)LW_DAY;

    take_pump(r, s);
    f->expected = reference_expected(r, s->from, s->cold);
    if (!isnan(b->pump_kw) && !s->pump_metered)
        f->expected += r->pump_kw;
    f->excess = s->kw - f->expected;
    r->cold_day += (s->cold - r->cold_day) * day;
    r->cold_days += (s->cold - r->cold_days) * day / 4;
    if (s->permit) {
        compare_wipe(r);
        r->rings.jumps = 0;
        return;
    }
    if (b->cold > r->coldest)
        over = NAN; /* only the ceilings hold then */
    r->rings.fresh++;
    compare_load(r, s, over, f);
    compare_pump(r, s, b, over, f);
    compare_starts(r, s, b, f);
}

/* --- silence */

/* What the pump may have taken in a silence, as a mean: of what it takes on a wet day, or
 * for longer, of what days have in common. */
static float
pumped_meanwhile(const struct reference *r, const struct sample *s, float hours)
{
    if (s->pump_kw <= 0 || s->pump_metered)
        return 0;
    if (hours < 12)
        return smaller(r->pump_kw, r->pump_day_kw * 24 / hours);
    if (hours < 24)
        return r->pump_day_kw;
    return r->pump_usual_kw +
           (r->pump_day_kw - r->pump_usual_kw) / (float)sqrt((double)hours / 24);
}

/* The mean of what was usual from `from` to `to`. */
static float
usual(const struct lw_core *core, int32_t site, const struct sample *s, int64_t from,
      int64_t to, int64_t step)
{
    float sum = 0;
    int n = 0;

    for (int64_t at = from; at < to; at += step, n++) {
        float cold = core_site_cold(core, site, at);

        sum += reference_expected(&core->site[site].reference, at,
                                  isnan(cold) ? s->cold : cold);
    }
    return sum / (float)n;
}

float
compare_expected(const struct lw_core *core, int32_t site, const struct sample *s,
                 const struct found *f, enum channel channel, int64_t from, int64_t to)
{
    if (channel == PUMPED_ON)
        return f->days.expected;
    if (channel == OVER_GAP || (channel >= PUMP_PAIR && channel <= PUMP_32))
        return f->expected;
    return usual(core, site, s, from, to, s->interval);
}

void
compare_gap(const struct lw_core *core, int32_t site, const struct sample *s, int64_t to,
            struct found *f)
{
    const struct reference *r = &core->site[site].reference;
    float hours = (float)(to - s->from) / (float)LW_HOUR;
    int reach = REACHES - 1;

    found_nothing(f);
    if (s->cold > r->coldest)
        return;
    while (reach > REACH_1H && (float)reach_hours[reach] > hours)
        reach--;
    f->expected =
        usual(core, site, s, s->from, to, LW_HOUR) + pumped_meanwhile(r, s, hours);
    f->excess = s->kw - f->expected;
    put(f, s, OVER_GAP, s->kw - f->expected - r->known_kw,
        bound(r, (enum reach)reach, larger(s->cold, r->cold_day), s) +
            s->resolution_kwh / hours);
}
