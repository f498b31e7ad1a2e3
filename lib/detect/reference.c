/* One interval at a closed site against its reference: logged while it learns, compared
 * after it. O(1) an interval. */
#include "reference.h"

#include <math.h>

#include <lodewatch/sun.h>

#include "lib/state.h"

void
reference_init(struct reference *r)
{
    *r = (struct reference){.since = NEVER,
                            .frozen = NEVER,
                            .next = NEVER,
                            .day = NEVER,
                            .power_at = NEVER,
                            .pump_at = NEVER,
                            .before = NAN};
    for (int i = 0; i < LOG_HOURS; i++)
        r->log[i] = INT16_MIN;
    for (int i = 0; i < 4; i++)
        r->last[i] = NAN;
}

void
reference_wipe(struct reference *r)
{
    for (int i = 0; i < 4; i++)
        r->last[i] = NAN;
    for (int i = 0; i < 8; i++)
        r->ring.hour[i] = INT16_MIN;
    for (int i = 0; i < 96; i++)
        r->ring.capped[i] = INT16_MIN;
    r->hour_sum = r->hour_capped = 0;
    r->hour_n = r->pumps = 0;
    r->jumps = 0;
    r->before = NAN;
}

/* kW in the log's unit, and back. */
static int16_t
pack(const struct reference *r, float kw)
{
    float v = kw * 1000 / (float)r->unit_w;

    if (isnan(v))
        return INT16_MIN;
    return (int16_t)(v > INT16_MAX    ? INT16_MAX
                     : v < -INT16_MAX ? -INT16_MAX
                                      : lrint((double)v));
}

static float
unpack(const struct reference *r, int16_t v)
{
    return v == INT16_MIN ? NAN : (float)v * (float)r->unit_w / 1000;
}

/* --- the profile */

float
reference_upper(const struct reference *r, int hour)
{
    float most = r->mean[hour];

    for (int i = 1; i <= r->edge; i++) {
        most = larger(most, r->mean[(hour + i) % PROFILE_HOURS]);
        most = larger(most, r->mean[(hour - i + PROFILE_HOURS) % PROFILE_HOURS]);
    }
    return most;
}

float
reference_expected(const struct reference *r, int64_t at, float cold)
{
    return reference_upper(r, (int)(at / LW_HOUR % PROFILE_HOURS)) + r->slope * cold;
}

/* How far a lamp's edge can be from where it was learned: by half of what the night has
 * grown, which needs no longitude and no clock that is right; and by habit. */
void
reference_day(struct reference *r, const struct lw_core *core, int32_t site, int64_t at)
{
    const struct lw_site *s = &core->ledger->site[site];
    int64_t edge = core->rules->reference.edge_ms, grown;

    if (r->day == lw_floor_to(at, LW_DAY))
        return;
    r->day = lw_floor_to(at, LW_DAY);
    if (s->has_position) {
        int64_t middle = r->since + LOG_HOURS / 2 * LW_HOUR;

        grown = lw_sun_night_ms(s->lat_udeg, (lw_wall){at}) -
                lw_sun_night_ms(s->lat_udeg, (lw_wall){middle});
        edge += grown > 0 ? grown / 2 : 0;
    }
    edge = (edge + LW_HOUR - 1) / LW_HOUR;
    r->edge = (uint8_t)(edge < PROFILE_HOURS / 2 ? edge : PROFILE_HOURS / 2);
}

/* --- the pump that no sub-meter measures */

/* An interval beside it counts when the next one shows that it did not start in there. */
static float
beside_pump(struct reference *r, const struct sample *s, bool *ret_on, float *ret_cold,
            int64_t *ret_from)
{
    float z = NAN;

    *ret_on = false;
    if (isnan(s->kw)) {
        r->has_late = false;
        return NAN;
    }
    if (!r->has_off) {
        r->off = s->kw;
        r->has_off = true;
    }
    *ret_on = s->runs || (s->pump_kw > 0 &&
                          s->kw > r->off + larger(0.6F * s->pump_kw, 0.3F * r->off));
    if (*ret_on) {
        r->has_late = false;
    } else if (s->pump_kw > 0) {
        if (r->has_late) {
            z = r->late;
            *ret_cold = r->late_cold;
            *ret_from = r->late_from;
        }
        r->has_late = !r->pumping;
        r->late = s->kw;
        r->late_cold = s->cold;
        r->late_from = s->from;
    } else {
        z = s->kw;
        *ret_cold = s->cold;
        *ret_from = s->from;
    }
    if (!isnan(z))
        r->off += (z - r->off) / 8;
    else if (s->kw < r->off)
        r->off = s->kw;
    r->pumping = *ret_on;
    return z;
}

/* --- while it learns */

static void
log_hour(struct reference *r, const struct sample *s, float z)
{
    int64_t hour = (s->from - r->since) / LW_HOUR;

    if (!isnan(z)) {
        r->hour_sum += z;
        r->hour_n++;
    }
    if ((s->from + s->interval) % LW_HOUR != 0 && s->interval < LW_HOUR)
        return;
    if (r->hour_n > 0 && 2 * r->hour_n >= LW_HOUR / s->interval && hour >= 0 &&
        hour < LOG_HOURS)
        r->log[hour] = pack(r, r->hour_sum / (float)r->hour_n);
    r->hour_sum = 0;
    r->hour_n = 0;
    r->hours++;
    r->hours_over += s->over;
}

static void
learn(struct reference *r, const struct sample *s, float z, float pumped)
{
    if (s->pump_kw > 0 && !isnan(s->kw) && s->kw < r->off - 0.6F * s->pump_kw)
        for (int i = 0; i < LOG_HOURS; i++) /* it began with the pump running */
            if (unpack(r, r->log[i]) > s->kw + 0.6F * s->pump_kw)
                r->log[i] = INT16_MIN;
    log_hour(r, s, z);
    if (!isnan(pumped)) {
        double d = (double)pumped - r->pump_mean;

        r->pump_n++;
        r->pump_mean += d / r->pump_n;
        r->pump_sq += d * ((double)pumped - r->pump_mean);
        r->pumped += (double)pumped * (double)s->interval / (double)LW_HOUR;
    }
    if ((s->from + s->interval) % LW_DAY == 0) {
        float day = (float)(r->pumped / 24);

        r->duty += day;
        r->duty_most = larger(r->duty_most, day);
        r->pumped = 0;
    }
}

/* --- compared */

static float
limit(const struct lw_core *core, const struct reference *r, enum reach reach, float cold,
      const struct sample *s)
{
    static const float HOURS[REACHES] = {1, 3, 8, 24, 96};
    bool slow = reach >= REACH_24H;
    float base = (float)(slow ? core->rules->reference.base_long_milli
                              : core->rules->reference.base_milli);
    float t = r->most[reach] * (float)core->rules->reference.most_milli / 1000 +
              r->spread[reach] * (float)core->rules->reference.spread_milli / 1000 +
              base / 1000 * r->base +
              (float)core->rules->reference.heating_milli / 1000 * r->slope * cold;
    float least = (float)(slow ? core->rules->reference.least_long_w
                               : core->rules->reference.least_w) /
                  1000;

    if (slow)
        t *= (float)core->rules->reference.long_milli / 1000;
    t += s->resolution_kwh / HOURS[reach];
    return s->limit_share * larger(t, least);
}

static void
put(const struct reference *r, struct found *f, enum channel channel, float over,
    float most, bool above_known)
{
    if (isnan(over))
        return;
    f->over[channel] = over;
    f->ratio[channel] = over / most;
    if (above_known && r->known > 0 && over <= r->known)
        f->ratio[channel] = smaller(f->ratio[channel], 0.9F);
}

static float
ring_mean(const struct reference *r, const int16_t *newest, int n)
{
    double sum = 0;
    int known = 0;

    for (int i = 0; i < n; i++)
        if (newest[-i] != INT16_MIN) {
            sum += (double)unpack(r, newest[-i]);
            known++;
        }
    return 10 * known >= 6 * n ? (float)(sum / known) : NAN;
}

static void
push(int16_t *ring, int n, int16_t v)
{
    for (int i = 1; i < n; i++)
        ring[i - 1] = ring[i];
    ring[n - 1] = v;
}

static void
end_hour(const struct lw_core *core, struct reference *r, const struct sample *s,
         struct found *f)
{
    bool known = r->hour_n > 0 && 2 * r->hour_n >= LW_HOUR / s->interval;

    push(r->ring.hour, 8, pack(r, known ? r->hour_sum / (float)r->hour_n : NAN));
    push(r->ring.capped, 96, pack(r, known ? r->hour_capped / (float)r->hour_n : NAN));
    r->hour_sum = r->hour_capped = 0;
    r->hour_n = 0;
    put(r, f, OVER_3H, ring_mean(r, &r->ring.hour[7], 3),
        limit(core, r, REACH_3H, s->cold, s), true);
    /* A site that was busy while it learned says nothing by its longer means. */
    if (r->known > 0)
        return;
    put(r, f, OVER_8H, ring_mean(r, &r->ring.hour[7], 8),
        limit(core, r, REACH_8H, s->cold, s), true);
    put(r, f, OVER_24H, ring_mean(r, &r->ring.capped[95], 24),
        limit(core, r, REACH_24H, larger(s->cold, r->cold_day), s), true);
    put(r, f, OVER_4D, ring_mean(r, &r->ring.capped[95], 96),
        limit(core, r, REACH_4D, larger(s->cold, r->cold_days), s), true);
}

static void
compare_load(const struct lw_core *core, struct reference *r, const struct sample *s,
             float over, struct found *f)
{
    int per_hour = s->interval < LW_HOUR ? (int)(LW_HOUR / s->interval) : 1;
    float days = (float)s->interval / (float)LW_DAY, sum = 0;
    float one = limit(core, r, REACH_1H, s->cold, s);
    int known = 0;

    per_hour = per_hour > 4 ? 4 : per_hour;
    if (r->known > 0 && over > r->core && over <= r->known)
        over = NAN; /* known */
    for (int i = 0; i < 3; i++)
        r->last[i] = r->last[i + 1];
    r->last[3] = over;
    for (int i = 4 - per_hour; i < 4; i++)
        if (!isnan(r->last[i])) {
            sum += r->last[i];
            known++;
        }
    if (!isnan(over)) {
        if (!isnan(r->last[2]))
            put(r, f, OVER_PAIR, smaller(over, r->last[2]),
                one * 1.4F + s->resolution_kwh * (float)LW_HOUR / (float)s->interval,
                true);
        if (4 * known >= 3 * per_hour)
            put(r, f, OVER_1H, sum / (float)known, one, true);
        r->hour_sum += over;
        /* A day's mean is of what lasts: one hour of a large motor is not spread over it.
         */
        r->hour_capped +=
            smaller(over, larger(r->core, 3 * limit(core, r, REACH_24H, s->cold, s)));
        r->hour_n++;
    }
    r->cold_day += (s->cold - r->cold_day) * days;
    r->cold_days += (s->cold - r->cold_days) * days / 4;
    for (int64_t at = s->from + LW_HOUR - s->from % LW_HOUR; at <= s->from + s->interval;
         at += LW_HOUR)
        end_hour(core, r, s, f);
}

static void
compare_pump(struct reference *r, const struct sample *s, float pumped, struct found *f)
{
    float load = s->measured_kw > 0 ? s->measured_kw : r->pump;
    float add = 0.03F * load + 0.05F * r->base, over = pumped - r->pump, sum = 0;

    if (r->pump_at == s->from - s->interval)
        put(r, f, PUMP_PAIR, smaller(over, r->pump_before),
            s->limit_share * (4 * r->pump_spread + add + r->known), false);
    r->pump_before = over;
    r->pump_at = s->from;
    if (r->known > 0)
        return;
    push(r->ring.pump, PUMPS, pack(r, over));
    r->pumps += r->pumps < PUMPS;
    for (int i = 1; i <= r->pumps; i++) {
        sum += unpack(r, r->ring.pump[PUMPS - i]);
        if (i == 8)
            put(r, f, PUMP_8, sum / 8, s->limit_share * (2.5F * r->pump_spread + add),
                false);
        if (i == PUMPS)
            put(r, f, PUMP_32, sum / PUMPS,
                s->limit_share * (1.5F * r->pump_spread + add), false);
    }
}

/* At a site that is known to be busy a machine shows by starting and stopping: four times
 * within three hours by more than half of what is known. */
static void
compare_starts(struct reference *r, const struct sample *s, float over, struct found *f)
{
    int n = 0, per_3h = s->interval < LW_HOUR ? (int)(3 * LW_HOUR / s->interval) : 3;
    bool jump = !isnan(over) && !isnan(r->before) &&
                fabsf(over - r->before) > 0.6F * r->known + 4 * s->resolution_kwh;

    r->before = over;
    r->jumps = (int32_t)(((uint32_t)r->jumps << 1 | jump) &
                         ((UINT32_C(1) << (per_3h < 31 ? per_3h : 31)) - 1));
    f->over[STARTS] = isnan(over) ? 0 : larger(over, 0.6F * r->known);
    for (uint32_t bits = (uint32_t)r->jumps; bits != 0; bits &= bits - 1)
        n++;
    f->ratio[STARTS] = (float)n / 3.5F;
}

/* What heating takes is believed to two and a half times the cold that it was learned
 * from: a heater that was never seen on is not judged in the first frost. Only the
 * ceilings hold then. */
static bool
too_cold(const struct reference *r, float cold)
{
    return cold > r->coldest; /* never, where none is declared: NAN */
}

void
reference_sample(const struct lw_core *core, int32_t site, const struct sample *s,
                 struct found *f)
{
    struct reference *r = &core->site[site].reference;
    float cold = 0, z, pumped = NAN;
    int64_t from = s->from;
    bool on;

    for (int c = 0; c < CHANNELS; c++) {
        f->over[c] = 0;
        f->ratio[c] = NAN;
    }
    z = beside_pump(r, s, &on, &cold, &from);
    if (on)
        pumped = s->kw - r->off;
    if (r->frozen == NEVER) {
        if (!s->permit)
            learn(r, s, z, pumped);
        return;
    }
    f->expected = reference_expected(r, s->from, s->cold);
    if (too_cold(r, s->cold)) {
        compare_load(core, r, s, NAN, f);
        return;
    }
    if (s->permit) {
        reference_wipe(r); /* a stretch that began under a permit says nothing */
        return;
    }
    compare_load(core, r, s, z - reference_expected(r, from, cold), f);
    if (on)
        compare_pump(r, s, pumped, f);
    if (r->known > 0 && s->pump_kw <= 0)
        compare_starts(r, s, s->kw - f->expected, f);
}

void
reference_gap(const struct lw_core *core, int32_t site, const struct sample *s,
              int64_t to, struct found *f)
{
    const struct reference *r = &core->site[site].reference;
    float hours = (float)(to - s->from) / (float)LW_HOUR, expected = 0, pump = 0;
    enum reach reach = hours >= 96   ? REACH_4D
                       : hours >= 24 ? REACH_24H
                       : hours >= 8  ? REACH_8H
                       : hours >= 3  ? REACH_3H
                                     : REACH_1H;
    int n = 0;

    for (int c = 0; c < CHANNELS; c++) {
        f->over[c] = 0;
        f->ratio[c] = NAN;
    }
    for (int64_t at = s->from; at < to && n < 1000; at += LW_HOUR, n++)
        expected += reference_expected(r, at, s->cold);
    f->expected = expected / (float)n;
    if (s->pump_kw > 0) {
        pump = r->duty_most;
        if (hours > 24)
            pump = r->duty + (pump - r->duty) / (float)sqrt((double)hours / 24);
        if (hours < 12)
            pump = smaller(r->pump, pump * 24 / hours);
    }
    put(r, f, OVER_GAP, s->kw - f->expected - pump - r->known,
        limit(core, r, reach, larger(s->cold, r->cold_day), s), false);
}
