/* unusual_load: a licensed site draws, over a day, far more or far less than it does in
 * the same hours of its own weeks, and nothing on file explains it.
 *
 * Each hour of the week has its usual energy. What is judged is the last 24 hours against
 * theirs, as the logarithm of their ratio; beside its limit it must exceed what this site
 * has shown lately of itself, in spread and in extremes, so that a works that stops when
 * it has no orders tells nobody each time. Days learn a day later, at most so much at a
 * time, and not at all while they stand out: nobody teaches it by doing. */
#include <math.h>
#include <string.h>

#include "lib/state.h"

enum {
    WH_MOST = 100000000, /* of an hour: a hundred megawatts and more are no site's */
    LEARN_FAST = 4,      /* weeks whose hours are taken as they are */
    LEARN_MOST = 8,      /* then each weighs one in so many... */
    CLIP = 4,            /* ...and pulls at most by a quarter of what is usual */
    HOURS_LEAST = 20,
    GAP_MOST = 48 /* hours that one gap's energy is spread over */
};

/* Of a ratio of 1/50 or 50: beyond it a logarithm says nothing more. */
#define RATIO_MOST   50.0
#define SPREAD_HOURS (28 * 24)
#define LEVEL_HOURS  (14 * 24)
#define LEVEL_MOST   0.3 /* a day pulls the level as if it were at most so far off */
/* In an hour: half in twelve weeks. */
#define FORGET 0.99965622

static bool
has_tag(const char *tags, const char *tag)
{
    size_t n = strlen(tag);

    for (const char *s = tags; (s = strstr(s, tag)) != NULL; s += n)
        if ((s == tags || s[-1] == ';') && (s[n] == '\0' || s[n] == ';'))
            return true;
    return false;
}

/* A works of whatever kind; a shop or a house only where the ledger says so. */
bool
unusual_concerns(const struct lw_site *site)
{
    bool lawful = site->status != LW_CLOSED && site->status != LW_UNLICENSED &&
                  site->status != LW_CUT_OFF;

    if (!lawful)
        return false;
    return (site->status == LW_LICENSED && site->kind != LW_SITE_OTHER &&
            site->kind != LW_UNLICENSED_POINT) ||
           site->kind == LW_HAZARDOUS_CHEMICAL || has_tag(site->tags, "high_risk") ||
           has_tag(site->tags, "高危");
}

void
unusual_init(struct profile *p)
{
    *p = (struct profile){.hour = NEVER, .from = NEVER};
    for (int i = 0; i < DAY_HOURS; i++)
        p->day.wh[i] = LW_NONE;
}

/* --- what is usual */

/* The hour of the week; on a holiday, that of a Sunday. */
static int
cell_of(const struct lw_core *core, int64_t hour, bool *ret_holiday)
{
    struct lw_civil c =
        lw_zone_civil(core->ledger->zone, (lw_wall){hour * LW_HOUR + LW_HOUR / 2});

    *ret_holiday = lw_ledger_is_holiday(core->ledger, c.day);
    return c.weekday * 24 + c.minute / 60;
}

enum {
    SUNDAY = 6 * 24
};

/* What was to be expected in the hour. On a holiday it may have been a Sunday or not. */
static int64_t
usual(const struct profile *p, int cell, bool holiday, int64_t wh)
{
    int64_t a = p->cell[cell], b = p->cell[SUNDAY + cell % 24];

    if (!holiday)
        return a;
    return clamp(wh, a < b ? a : b, a < b ? b : a);
}

static void
learn(struct profile *p, int cell, int64_t wh)
{
    int64_t off = wh - p->cell[cell];
    int64_t most = p->cell[cell] / CLIP, least = p->week_wh / (WEEK_HOURS * 4 * CLIP);

    if (p->weeks[cell] < LEARN_MOST)
        p->weeks[cell]++;
    if (p->weeks[cell] > LEARN_FAST) {
        if (most < least)
            most = least;
        off = clamp(off, -most, most);
    }
    off /= p->weeks[cell];
    p->cell[cell] += (int32_t)off;
    p->week_wh += off;
}

/* --- the last 24 hours */

struct day {
    int hours; /* that are known */
    int64_t wh;
    int64_t usual_wh;
    int64_t explained_wh;
    bool excused; /* what is on file explains anything */
};

static struct day
last_day(const struct profile *p)
{
    struct day d = {0};

    for (int i = 0; i < DAY_HOURS; i++) {
        if (p->day.wh[i] == LW_NONE)
            continue;
        d.hours++;
        d.wh += p->day.wh[i];
        d.usual_wh += p->day.usual_wh[i];
        d.explained_wh += p->day.explained_wh[i];
        d.excused = d.excused || p->day.excused[i];
    }
    return d;
}

/* The logarithm of the day's ratio. A day that is usually idle is measured by a usual
 * one. */
static double
deviation(const struct profile *p, const struct day *d)
{
    double typical = (double)p->week_wh / WEEK_HOURS * d->hours;
    double base = (double)d->usual_wh > typical ? (double)d->usual_wh : typical;
    double ratio = base < 1 ? 1 : 1 + (double)(d->wh - d->usual_wh) / base;

    return log(fmin(fmax(ratio, 1 / RATIO_MOST), RATIO_MOST));
}

/* What an explanation that is limited in time lets it draw above its usual load: approved
 * maintenance, a temporary supply. One that always holds is part of what is usual. */
static void
excuse(const struct lw_core *core, int32_t index, int64_t hour, struct day_hours *d)
{
    const struct lw_site *site = &core->ledger->site[index];
    lw_wall at = {hour * LW_HOUR + LW_HOUR / 2};

    for (int32_t i = site->explanation_first;
         i < site->explanation_first + site->explanation_n; i++) {
        const struct lw_explanation *e = &core->ledger->explanation[i];

        if (e->to.ms == LW_WALL_MAX.ms || at.ms < e->from.ms || at.ms >= e->to.ms ||
            !lw_hours_at(core->ledger, &e->hours, at))
            continue;
        if (e->max_w == LW_NOT_GIVEN)
            d->excused[hour % DAY_HOURS] = true;
        else
            d->explained_wh[hour % DAY_HOURS] += (int32_t)clamp(e->max_w, 0, WH_MOST);
    }
}

/* --- judging it */

/* `times`: how many times the limit it is off. */
static void
tell(struct lw_core *core, int32_t site, struct profile *p, const struct day *d,
     double times, bool back)
{
    struct subject subject = {LW_SUBJECT_SITE, site};
    int64_t end = (p->hour + 1) * LW_HOUR;
    struct lw_evidence e = {
        .from = {end - LW_DAY},
        .to = {end},
        .energy_wh = d->wh,
        .mean_w = d->wh / d->hours,
        .expected_w = (int64_t)((double)d->usual_wh * exp(p->level)) / d->hours,
        .samples_expected = DAY_HOURS,
        .samples_good = (uint32_t)d->hours,
        .confidence_milli = times > 1 ? sure_beyond(times) : 0,
    };

    for (int i = 0; i < DAY_HOURS; i++)
        if (p->day.wh[i] > e.peak_w)
            e.peak_w = p->day.wh[i];
    e.excess_wh = e.energy_wh - e.expected_w * d->hours;
    e.detail = e.excess_wh;
    e.finding = e.excess_wh > 0 ? LW_FOUND_UNUSUALLY_HIGH : LW_FOUND_UNUSUALLY_LOW;
    if (back) {
        e.finding = alarm_of(core, LW_RULE_UNUSUAL_LOAD, subject)->evidence.finding;
        alarm_return(core, LW_RULE_UNUSUAL_LOAD, subject, &e);
    } else if (times > 1)
        alarm_set(core, LW_RULE_UNUSUAL_LOAD, subject,
                  alarm_site_priority(core, site) > LW_PRIORITY_MEDIUM
                      ? alarm_site_priority(core, site)
                      : LW_PRIORITY_MEDIUM,
                  &e);
}

/* By how much a day must be off, up or down. */
static double
limit_of(const struct profile *p, const struct lw_params *rules, bool up)
{
    double limit = log((double)rules->unusual_load.ratio_milli / 1000);

    limit = fmax(limit, (double)rules->unusual_load.spreads_milli / 1000 * p->spread);
    return fmax(limit,
                (double)rules->unusual_load.extremes_milli / 1000 * p->extreme[up]);
}

/* What was as large becomes one of the site's own extremes; of what was told, no more
 * than half of what it would have taken. */
static void
widen(struct profile *p, const struct lw_params *rules, bool judged, bool up, double size)
{
    double most =
        limit_of(p, rules, up) * 1000 / (double)rules->unusual_load.extremes_milli * 1.5;

    if (size > p->extreme[up])
        p->extreme[up] = judged ? fmin(size, most) : size;
}

/* The largest of a day is remembered a day later: what is under way is judged by what
 * was before it. */
static void
remember(struct profile *p, const struct lw_params *rules, bool judged, bool midnight)
{
    for (int up = 0; up < 2; up++) {
        p->extreme[up] *= FORGET;
        if (!midnight)
            continue;
        widen(p, rules, judged, up, p->yesterday[up]);
        p->yesterday[up] = p->today[up];
        p->today[up] = 0;
    }
}

/* An alarm is over: now it is one of the site's own. */
static void
remember_at_once(struct profile *p, const struct lw_params *rules)
{
    for (int up = 0; up < 2; up++) {
        widen(p, rules, true, up, fmax(p->yesterday[up], p->today[up]));
        p->yesterday[up] = p->today[up] = 0;
    }
}

/* Of an alarm only its first day: for how long something goes on is no deviation. */
static void
learn_spread(struct profile *p, double size)
{
    if (p->judged < SPREAD_HOURS)
        p->judged++;
    p->spread += (size - p->spread) / p->judged;
}

/* Looks at the day that ends with this hour; false where the hour is to be learned. */
static bool
judge(struct lw_core *core, int32_t site, struct profile *p, int cell)
{
    const struct lw_params *rules = site_rules(core, site, core->now);
    struct day d = last_day(p);
    struct subject subject = {LW_SUBJECT_SITE, site};
    const struct lw_alarm *alarm = alarm_of(core, LW_RULE_UNUSUAL_LOAD, subject);
    bool stands = alarm != NULL;
    bool ready = p->hour * LW_HOUR - p->from >= rules->unusual_load.learn_ms &&
                 p->judged >= SPREAD_HOURS / 4;
    double off, size, limit;
    bool up, hot, back;
    int64_t age;

    if (d.hours < HOURS_LEAST)
        return stands;
    off = deviation(p, &d) - p->level;
    if (off > 0 && d.explained_wh > 0) {
        d.usual_wh += d.explained_wh;
        off = fmin(off, fmax(0, deviation(p, &d) - p->level));
        d.usual_wh -= d.explained_wh;
    }
    if (d.excused || (off < 0 && d.explained_wh > 0))
        return true;
    up = off > 0;
    size = fabs(off);
    limit = limit_of(p, rules, up);
    hot = ready && size > limit;
    if (hot)
        p->clear = 0;
    else if (stands && 2 * size <= limit) /* an idle day is none that is as usual */
        p->clear++;
    age = alarm ? core->now - alarm->onset.ms : 0;
    back = stands && p->clear * LW_HOUR >= rules->unusual_load.clear_ms;
    tell(core, site, p, &d, ready ? size / limit : 0, back);
    p->today[up] = fmax(p->today[up], size);
    if (back)
        remember_at_once(p, rules);
    if (!hot && !stands)
        remember(p, rules, ready, cell % 24 == 0);
    if (!stands || age < LW_DAY)
        learn_spread(p, ready ? fmin(size, 3 * p->spread + 0.02) : size);
    if (hot || stands || (ready && size > limit / 2))
        return true;
    p->level += fmin(fmax(off, -LEVEL_MOST), LEVEL_MOST) / LEVEL_HOURS;
    return false;
}

/* One whole hour; `learned`: its energy was measured in it. */
static void
take_hour(struct lw_core *core, int32_t site, int64_t hour, int64_t wh, bool learned)
{
    struct profile *p = &core->profile[core->site[site].profile];
    bool holiday;
    int cell = cell_of(core, hour, &holiday);
    int i = (int)(hour % DAY_HOURS);

    if (wh > WH_MOST)
        return;
    if (p->from == NEVER)
        p->from = hour * LW_HOUR;
    /* The hours in between are not known. */
    if (p->hour != NEVER)
        for (int64_t x = p->hour + 1; x < hour && x <= p->hour + DAY_HOURS; x++)
            p->day.wh[x % DAY_HOURS] = LW_NONE;
    p->hour = hour;
    p->day.wh[i] = LW_NONE;
    p->day.usual_wh[i] = p->day.explained_wh[i] = 0;
    p->day.excused[i] = false;
    if (p->weeks[cell] == 0) {
        if (learned && !holiday) {
            p->cell[cell] = (int32_t)wh;
            p->week_wh += wh;
            p->weeks[cell] = 1;
        }
        return;
    }
    p->day.wh[i] = (int32_t)wh;
    p->day.usual_wh[i] = (int32_t)usual(p, cell, holiday, wh);
    excuse(core, site, hour, &p->day);
    if (!judge(core, site, p, cell) && learned && !holiday)
        learn(p, cell, wh);
}

/* --- windows to hours */

/* A gap's energy, over its whole hours as they usually share it. */
static void
take_gap(struct lw_core *core, const struct window *w)
{
    struct profile *p = &core->profile[core->site[w->site].profile];
    int64_t first = (w->from + LW_HOUR - 1) / LW_HOUR, last = w->to / LW_HOUR;
    int64_t sum = 0, wh;
    bool holiday;

    if (last - first < 1 || last - first > GAP_MOST)
        return;
    for (int64_t hour = first; hour < last; hour++)
        sum += p->cell[cell_of(core, hour, &holiday)];
    for (int64_t hour = first; hour < last && sum > 0; hour++) {
        wh = lw_muldiv(w->supply_wh, LW_HOUR * (last - first), w->to - w->from);
        take_hour(core, w->site, hour,
                  lw_muldiv(wh, p->cell[cell_of(core, hour, &holiday)], sum), false);
    }
}

static void
unusual_window(struct lw_core *core, const struct window *w)
{
    int32_t index = core->site[w->site].profile;
    struct profile *p;
    int64_t hour = w->from / LW_HOUR;

    /* The ledger says now that it is not one of those: what stands has lost its ground.
     */
    if (index == LW_NONE)
        alarm_moot(core, LW_RULE_UNUSUAL_LOAD,
                   (struct subject){LW_SUBJECT_SITE, w->site});
    if (index == LW_NONE || w->partial || w->from < 0)
        return;
    p = &core->profile[index];
    if ((w->to - 1) / LW_HOUR != hour) {
        p->part_ms = 0;
        if (p->hour == NEVER || hour > p->hour)
            take_gap(core, w);
        return;
    }
    if (p->part_ms == 0 || p->part != hour) {
        p->part = hour;
        p->part_ms = p->part_wh = 0;
    }
    p->part_ms += w->to - w->from;
    p->part_wh += w->supply_wh;
    if (w->to % LW_HOUR == 0 && p->part_ms == LW_HOUR &&
        (p->hour == NEVER || hour > p->hour))
        take_hour(core, w->site, hour, p->part_wh, true);
}

const struct family detect_unusual = {.window = unusual_window};
