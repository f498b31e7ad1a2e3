/* displacement: a site that was cut off or closed has lost its load, and the feeder's
 * residual or a neighbour has risen by the same amount, at the same hours, for a day and
 * more, as it never has before. */
#include <math.h>

#include "lib/detect/feeder.h"

/* A week of its own history says how far a neighbour strays by itself. */
#define HISTORY (7 * LW_DAY)
/* It must stand out by half as much again from the strongest day there was. */
#define STAND_OUT 1.5F

/* Mean power by hour over the last day, beside what is usual. */
struct day {
    float w[DAY_HOURS];
    float mean_w;
};

static bool
status_stops(enum lw_site_status status)
{
    return status == LW_CUT_OFF || status == LW_CLOSED || status == LW_SUSPENDED ||
           status == LW_UNLICENSED;
}

bool
displacement_watches(const struct lw_core *core, int32_t site, int64_t at)
{
    const struct lw_site *s = &core->ledger->site[site];

    return at >= s->status_since.ms &&
           at - s->status_since.ms < core->rules->displacement.watch_ms &&
           status_stops(lw_site_status_at(s, (lw_wall){at}));
}

/* It has been heard within so long, and has a history. */
static bool
known(const struct feeder *f, const struct child *c, int64_t at, int64_t within)
{
    return c->gauge.at != NEVER && at - c->gauge.at <= within &&
           (int64_t)c->learned * f->interval >= HISTORY;
}

static struct day
rise_of(const struct child *c)
{
    struct day d = {.mean_w = 0};

    for (int h = 0; h < DAY_HOURS; h++) {
        d.w[h] = c->day_wh[h] - c->usual_w[h];
        d.mean_w += d.w[h] / DAY_HOURS;
    }
    return d;
}

/* The share of the lost load that rises at the same hours. */
static float
overlap(const struct day *lost, const struct day *rise)
{
    float both = 0, all = 0;

    for (int h = 0; h < DAY_HOURS; h++) {
        float l = lost->w[h] > 0 ? lost->w[h] : 0;
        float r = rise->w[h] > 0 ? rise->w[h] : 0;

        all += l;
        both += l < r ? l : r;
    }
    return all > 0 ? both / all : 0;
}

/* Who may draw what another lost: a neighbour, or nobody's meter. */
struct suspect {
    struct subject subject;
    int32_t site; /* LW_NONE: the feeder itself */
    struct day usual, rise;
    int64_t began; /* since when it can have risen; NEVER: not known */
    bool stands_out;
};

/* The stopped site that lost as much; of several, the one whose hours are the most alike.
 * LW_NONE: there is none. */
static int32_t
lost_alike(const struct lw_core *core, const struct feeder *f, int64_t at,
           const struct suspect *s, float *ret_lost_w)
{
    const struct lw_params *rules = core->rules;
    float best = (float)rules->displacement.overlap_milli / 1000;
    int32_t found = LW_NONE;

    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++) {
        const struct child *c = &core->child[i];
        int32_t site = core->ledger->point[c->point].site;
        struct day lost;
        float share, alike;

        if (site == LW_NONE || site == s->site || !displacement_watches(core, site, at) ||
            !known(f, c, at, LW_DAY) ||
            (s->began != NEVER && s->began < core->ledger->site[site].status_since.ms))
            continue;
        lost = rise_of(c);
        lost.mean_w = -lost.mean_w;
        for (int h = 0; h < DAY_HOURS; h++)
            lost.w[h] = -lost.w[h];
        if (lost.mean_w < (float)rules->displacement.least_w)
            continue;
        share = s->rise.mean_w / lost.mean_w * 1000;
        alike = overlap(&lost, &s->rise);
        if (share < (float)rules->displacement.share_least_milli ||
            share > (float)rules->displacement.share_most_milli || alike < best)
            continue;
        best = alike;
        *ret_lost_w = lost.mean_w;
        found = site;
    }
    return found;
}

static struct lw_evidence
evidence(const struct suspect *s, int64_t at)
{
    struct lw_evidence e = {
        .from = {at - LW_DAY},
        .to = {at},
        .expected_w = llround((double)s->usual.mean_w),
        .mean_w = llround((double)(s->usual.mean_w + s->rise.mean_w)),
        .energy_wh = llround((double)((s->usual.mean_w + s->rise.mean_w) * DAY_HOURS)),
        .excess_wh = llround((double)(s->rise.mean_w * DAY_HOURS)),
        .samples_expected = DAY_HOURS,
        .samples_good = DAY_HOURS,
        .detail = llround((double)s->rise.mean_w),
        .finding = LW_FOUND_DISPLACED,
    };

    for (int h = 0; h < DAY_HOURS; h++)
        if (s->usual.w[h] + s->rise.w[h] > (float)e.peak_w)
            e.peak_w = llround((double)(s->usual.w[h] + s->rise.w[h]));
    return e;
}

static void
follow(struct lw_core *core, const struct feeder *f, int64_t at, const struct suspect *s,
       struct follower *w)
{
    const struct lw_alarm *alarm = alarm_of(core, LW_RULE_DISPLACEMENT, s->subject);
    int64_t for_h = core->rules->displacement.for_ms / LW_HOUR;
    struct lw_evidence e = evidence(s, at);
    float lost_w = 0;
    int32_t site;

    if (alarm) {
        e.detail = alarm->evidence.detail;
        e.detail2 = alarm->evidence.detail2;
        e.other = alarm->evidence.other;
        w->hours = 2 * s->rise.mean_w < (float)e.detail ? w->hours + 1 : 0;
        if (w->hours > DAY_HOURS) {
            w->hours = 0;
            alarm_return(core, LW_RULE_DISPLACEMENT, s->subject, &e);
        } else {
            alarm_set(core, LW_RULE_DISPLACEMENT, s->subject, LW_PRIORITY_HIGH, &e);
        }
        return;
    }
    site = s->stands_out ? lost_alike(core, f, at, s, &lost_w) : LW_NONE;
    w->hours = site == LW_NONE ? 0 : w->hours + 1;
    if (w->hours <= for_h)
        return;
    w->hours = 0;
    e.detail2 = llround((double)lost_w);
    e.other = site + 1;
    alarm_set(core, LW_RULE_DISPLACEMENT, s->subject, LW_PRIORITY_HIGH, &e);
}

/* While nothing of a stopped site's can be in it. */
static void
learn_strongest(struct lw_core *core, const struct feeder *f, int64_t at)
{
    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++) {
        int32_t site = core->ledger->point[core->child[i].point].site;

        if (site != LW_NONE && displacement_watches(core, site, at))
            return;
    }
    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++) {
        struct child *c = &core->child[i];
        float wh = 0;

        for (int h = 0; h < DAY_HOURS; h++)
            wh += c->day_wh[h];
        if (c->gauge.at == at && wh / DAY_HOURS > c->strongest_w)
            c->strongest_w = wh / DAY_HOURS;
    }
}

static void
follow_child(struct lw_core *core, const struct feeder *f, struct child *c, int64_t at)
{
    struct suspect s = {.subject = {LW_SUBJECT_POINT, c->point},
                        .site = core->ledger->point[c->point].site,
                        .began = NEVER,
                        .rise = rise_of(c)};

    for (int h = 0; h < DAY_HOURS; h++) {
        s.usual.w[h] = c->usual_w[h];
        s.usual.mean_w += c->usual_w[h] / DAY_HOURS;
    }
    s.stands_out = s.rise.mean_w > STAND_OUT * (c->strongest_w - s.usual.mean_w);
    follow(core, f, at, &s, &c->follower);
}

/* The feeder's residual of the last day; there must be one that nothing else explains. */
static void
follow_residual(struct lw_core *core, struct feeder *f, int64_t at)
{
    struct suspect s = {.subject = {LW_SUBJECT_POINT, f->point},
                        .site = LW_NONE,
                        .began = f->excess.from};
    double hours = feeder_hours(f->interval);

    for (int64_t end = at; end > at - LW_DAY; end -= f->interval) {
        const struct stretch *stretch = feeder_stretch(f, end);
        struct loss_window w = {{0}};
        double wh;

        loss_window_add(&w, hours, (double)stretch->load_wh);
        wh = (double)stretch->open_wh - loss_of(&f->loss, &w);
        s.rise.w[feeder_hour(f, end)] += (float)wh;
        s.rise.mean_w += (float)wh / DAY_HOURS;
    }
    s.stands_out = alarm_stands(core, LW_RULE_FEEDER_RESIDUAL, s.subject);
    follow(core, f, at, &s, &f->follower);
}

void
displacement_hour(struct lw_core *core, struct feeder *f, int64_t at)
{
    learn_strongest(core, f, at);
    if (f->begun == NEVER || at - f->begun < HISTORY)
        return;
    if (feeder_stretch(f, at)->known && f->since <= at - LW_DAY)
        follow_residual(core, f, at);
    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++)
        if (known(f, &core->child[i], at, 0))
            follow_child(core, f, &core->child[i], at);
}
