/* One interval at a closed site: the load beside its pump is told from the pump's, logged
 * while the reference learns, and compared with it after that. O(1) an interval. */
#include "reference.h"

#include <math.h>
#include <string.h>

#include <lodewatch/sun.h>

#include "lib/state.h"

void
reference_init(struct reference *r)
{
    *r = (struct reference){
        .since = NEVER, .frozen = NEVER, .next = NEVER, .day = LW_NONE, .log = LW_NONE};
}

void
reference_open(struct lw_core *core, struct reference *r)
{
    struct hour_log *log;

    if (r->log == LW_NONE)
        r->log = core->nlogs++;
    log = &core->log[r->log];
    *log = (struct hour_log){.before_kw = NAN};
    for (int i = 0; i < LOG_HOURS; i++)
        log->hour[i] = NO_VALUE;
    for (int i = 0; i < LOG_HOURS / 24; i++)
        log->pump_day[i] = NO_VALUE;
}

struct hour_log *
reference_log(const struct lw_core *core, const struct reference *r)
{
    return r->log == LW_NONE || r->frozen != NEVER ? NULL : &core->log[r->log];
}

/* A reference begins with a day. */
bool
reference_is_refused(const struct reference *r, const struct lw_site *site, int64_t at)
{
    int64_t from = site->reference_from.ms;

    return r->since != NEVER && from != LW_WALL_MIN.ms && from <= at &&
           r->since < lw_floor_to(from, LW_DAY);
}

void
reference_begin(struct lw_core *core, struct reference *r, int64_t at)
{
    const struct reference was = *r;

    reference_init(r);
    r->since = lw_floor_to(at, LW_DAY);
    r->next = was.next;
    r->unit_w = was.unit_w;
    r->watched = was.watched;
    r->log = was.log;
    reference_open(core, r);
}

/* A week of every hour of the day: an hour that was never heard says nothing of itself.
 */
enum {
    HEARD_LEAST = 7
};

bool
reference_has_heard(const struct hour_log *log)
{
    for (int c = 0; c < PROFILE_HOURS; c++)
        if (log->heard[c] < HEARD_LEAST)
            return false;
    return true;
}

void
reference_go_on(struct reference *r, struct hour_log *log)
{
    enum {
        KEPT = LOG_HOURS - PROFILE_HOURS,
        DAYS_KEPT = KEPT / 24
    };

    memmove(log->hour, log->hour + PROFILE_HOURS, KEPT * sizeof *log->hour);
    for (int i = KEPT; i < LOG_HOURS; i++)
        log->hour[i] = NO_VALUE;
    memmove(log->pump_day, log->pump_day + 1, DAYS_KEPT * sizeof *log->pump_day);
    log->pump_day[DAYS_KEPT] = NO_VALUE;
    r->since += LW_DAY;
}

int16_t
reference_pack(const struct reference *r, float kw)
{
    float v = kw * 1000 / (float)r->unit_w;

    if (isnan(v))
        return NO_VALUE;
    return (int16_t)lrint((double)larger(-INT16_MAX, smaller(INT16_MAX, v)));
}

float
reference_unpack(const struct reference *r, int16_t v)
{
    return v == NO_VALUE ? NAN : (float)v * (float)r->unit_w / 1000;
}

bool
reference_sound(const struct reference *r)
{
    return r->unit_w > 0 && r->edge <= PROFILE_HOURS / 2 && r->rings.pumped >= 0 &&
           r->rings.pumped <= PUMPED && r->rings.nheld >= 0 && r->rings.nheld <= HELD &&
           r->rain.reservoir < RESERVOIRS;
}

/* --- the profile */

float
reference_upper(const struct reference *r, int hour)
{
    float most = r->mean_kw[hour];

    for (int i = 1; i <= r->edge; i++) {
        most = larger(most, r->mean_kw[(hour + i) % PROFILE_HOURS]);
        most = larger(most, r->mean_kw[(hour - i + PROFILE_HOURS) % PROFILE_HOURS]);
    }
    return most;
}

float
reference_expected(const struct reference *r, int64_t at, float cold)
{
    return reference_upper(r, (int)(at / LW_HOUR % PROFILE_HOURS)) + r->slope_kw * cold;
}

float
reference_cold(const struct lw_core *core, int32_t site, int64_t at)
{
    float cold = core_site_cold(core, site, at);

    if (!isnan(cold))
        return cold;
    return smaller(core_site_coldest(core, site, at),
                   larger(core->site[site].reference.coldest, HEATER_FOR_K));
}

float
reference_mean(const struct reference *r)
{
    float mean = 0;

    for (int c = 0; c < PROFILE_HOURS; c++)
        mean += r->mean_kw[c] / PROFILE_HOURS;
    return mean;
}

float
reference_low(const struct reference *r)
{
    float low = r->mean_kw[0];

    for (int c = 1; c < PROFILE_HOURS; c++)
        low = smaller(low, r->mean_kw[c]);
    return low;
}

float
reference_swing(const struct reference *r)
{
    float high = r->mean_kw[0];

    for (int c = 1; c < PROFILE_HOURS; c++)
        high = larger(high, r->mean_kw[c]);
    return high - reference_low(r);
}

/* How far a lamp's edge can be from where it was learned: by half of what the night has
 * grown, which needs no longitude and no clock that is right; and by habit. */
void
reference_day(struct reference *r, const struct lw_site *site, int64_t edge_ms,
              int64_t at)
{
    int64_t edge = edge_ms, grown;

    if (r->day == at / LW_DAY)
        return;
    r->day = (int32_t)(at / LW_DAY);
    if (site->has_position) {
        int64_t middle = r->since + LOG_HOURS / 2 * LW_HOUR;

        grown = lw_sun_night_ms(site->lat_udeg, (lw_wall){at}) -
                lw_sun_night_ms(site->lat_udeg, (lw_wall){middle});
        edge += grown > 0 ? grown / 2 : 0;
    }
    edge = (edge + LW_HOUR - 1) / LW_HOUR;
    r->edge = (uint8_t)(edge < PROFILE_HOURS / 2 ? edge : PROFILE_HOURS / 2);
}

/* --- the pump */

/* A pump without a sub-meter runs where the load has stepped up by a good part of its
 * ceiling: a cycle that two intervals share shows half of it. */
static bool
pump_runs(const struct reference *r, const struct sample *s)
{
    float share = (float)s->rules->reference.pump_milli / 1000;

    if (s->pump_metered)
        return s->pump_runs;
    return s->pump_kw > 0 &&
           s->kw > r->off_kw + larger(share * s->pump_kw, share / 2 * r->off_kw);
}

/* The load beside the pump follows a drop at once and a rise over two hours. */
static void
follow_off(struct reference *r, const struct sample *s, float kw)
{
    if (!isnan(kw))
        r->off_kw += (kw - r->off_kw) * smaller(1, (float)s->interval / (2 * LW_HOUR));
    else if (s->kw < r->off_kw)
        r->off_kw = s->kw;
}

/* Where no sub-meter says when a pump started, an interval counts when the next one shows
 * that it did not start in there, and the one before that it did not stop. */
static struct beside
split(struct reference *r, const struct sample *s)
{
    struct beside b = {.kw = NAN, .pump_kw = NAN, .from = s->from, .cold = s->cold};
    bool runs;

    if (isnan(s->kw)) {
        r->has_late = false;
        return b;
    }
    if (!r->has_off)
        r->off_kw = s->kw;
    r->has_off = true;
    runs = pump_runs(r, s);
    if (runs) {
        b.pump_kw = s->kw - r->off_kw;
        r->has_late = false;
    } else if (s->pump_kw > 0 && !s->pump_metered) {
        if (r->has_late)
            b = (struct beside){r->late_kw, r->late_cold, s->from - s->interval, NAN};
        r->has_late = !r->pumping;
        r->late_kw = s->kw;
        r->late_cold = s->cold;
        follow_off(r, s, b.kw);
    } else {
        b.kw = s->kw;
        follow_off(r, s, b.kw);
    }
    r->pumping = runs;
    return b;
}

/* --- while it learns */

/* The first hours were logged while the pump ran, which nothing told. */
static void
began_with_pump(struct reference *r, struct hour_log *l, const struct sample *s,
                float off_before)
{
    if (s->pump_kw <= 0 || s->pump_metered || isnan(s->kw) ||
        s->kw >= off_before - 0.6F * s->pump_kw)
        return;
    for (int i = 0; i < LOG_HOURS; i++)
        if (reference_unpack(r, l->hour[i]) > s->kw + 0.6F * s->pump_kw)
            l->hour[i] = NO_VALUE;
    r->hour_kw = 0;
    r->in_hour = 0;
}

static void
log_hour(struct reference *r, struct hour_log *l, const struct sample *s, float kw)
{
    int64_t end = s->from + s->interval, hour = (s->from - r->since) / LW_HOUR;

    if (!isnan(kw)) {
        r->hour_kw += kw;
        r->in_hour++;
    }
    if (end / LW_HOUR == s->from / LW_HOUR)
        return;
    /* Before the window, where our clock has been set back. */
    if (r->in_hour > 0 && 2 * r->in_hour * s->interval >= LW_HOUR && hour >= 0 &&
        hour < LOG_HOURS)
        l->hour[hour] = reference_pack(r, r->hour_kw / (float)r->in_hour);
    r->hour_kw = 0;
    r->in_hour = 0;
    for (int64_t at = end - LW_HOUR; at > s->from - LW_HOUR && !isnan(s->kw);
         at -= LW_HOUR) {
        uint8_t *heard = &l->heard[at / LW_HOUR % PROFILE_HOURS];

        *heard = *heard < UINT8_MAX ? *heard + 1 : UINT8_MAX;
    }
}

/* What it draws while it runs. The first day is needed to know what is beside it. */
static void
log_pump(const struct reference *r, struct hour_log *l, const struct sample *s, float kw)
{
    if (!isnan(kw)) {
        double d = (double)kw - l->pump_mean;

        if (s->from - r->since >= LW_DAY) {
            l->pump_n++;
            l->pump_mean += d / l->pump_n;
            l->pump_sq += d * ((double)kw - l->pump_mean);
        }
    }
}

/* What the pump took, by its meter or by its runs. Once these are judged, they are told
 * neither from a heater's nor from those of a load that stands out already. */
static float
pumped(const struct reference *r, const struct sample *s, const struct beside *b)
{
    if (s->pump_kw <= 0 || s->permit || isnan(s->kw))
        return NAN;
    if (s->pump_metered)
        return s->pumped_kw;
    if (r->frozen != NEVER && (s->heated || s->told))
        return NAN;
    return isnan(b->pump_kw) ? 0 : b->pump_kw;
}

static void
log_jump(struct hour_log *l, float kw)
{
    if (!isnan(kw) && !isnan(l->before_kw)) {
        l->jump_sum += fabs((double)kw - (double)l->before_kw);
        l->jumps++;
    }
    l->before_kw = kw;
}

void
reference_sample(struct reference *r, struct hour_log *log, const struct sample *s,
                 struct found *f)
{
    float off_before = r->off_kw;
    struct beside b;

    found_nothing(f);
    b = split(r, s);
    f->pumped = pumped(r, s, &b);
    if (!log) {
        compare_sample(r, s, &b, f);
        return;
    }
    began_with_pump(r, log, s, off_before);
    log_hour(r, log, s, s->permit ? NAN : b.kw);
    log_jump(log, s->permit ? NAN : b.kw);
    log_pump(r, log, s, s->permit ? NAN : b.pump_kw);
}
