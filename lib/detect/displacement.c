/* displacement: a site that was cut off or closed has lost its load, and the feeder's
 * residual or a neighbour has risen by the same amount, at the same hours, for a day and
 * more, as it never has before. */
#include <math.h>

#include "lib/detect/feeder.h"

/* A week of its own history says how far a neighbour strays by itself. */
#define HISTORY (7 * LW_DAY)
/* It must stand out by a quarter more than the strongest shift there was. */
#define STAND_OUT 1.25F

enum {
    LOST_MOST = 8 /* stopped sites of a feeder that are looked after at once */
};

/* Mean power by hour over the last day, beside what is usual. */
struct day {
    float w[DAY_HOURS];
    float mean_w;
};

/* What the stopped sites of a feeder draw less; the largest. */
struct losses {
    int n;
    struct lost {
        int32_t site;
        struct day day;
    } of[LOST_MOST];
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
           at - s->status_since.ms < core->book->all.displacement.watch_ms &&
           status_stops(lw_site_status_at(s, (lw_wall){at}));
}

float
displacement_stopped_w(const struct lw_core *core, const struct feeder *f, int64_t at)
{
    float w = 0;

    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++) {
        const struct child *c = &core->child[i];
        int32_t site = core->ledger->point[c->point].site;

        if (site != LW_NONE && displacement_watches(core, site, at))
            w += c->most_w;
    }
    return w;
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

/* The stopped sites that lost enough to be looked for. */
static struct losses
losses_of(const struct lw_core *core, const struct feeder *f, int64_t at)
{
    struct losses all = {.n = 0};

    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++) {
        const struct child *c = &core->child[i];
        struct lost lost = {.site = core->ledger->point[c->point].site};
        int k;

        if (lost.site == LW_NONE || !displacement_watches(core, lost.site, at) ||
            !known(f, c, at, LW_DAY))
            continue;
        lost.day = rise_of(c);
        lost.day.mean_w = -lost.day.mean_w;
        for (int h = 0; h < DAY_HOURS; h++)
            lost.day.w[h] = -lost.day.w[h];
        if (lost.day.mean_w < (float)core->book->all.displacement.least_w)
            continue;
        k = all.n < LOST_MOST ? all.n++ : LOST_MOST;
        while (k > 0 && lost.day.mean_w > all.of[k - 1].day.mean_w) {
            if (k < LOST_MOST)
                all.of[k] = all.of[k - 1];
            k--;
        }
        if (k < LOST_MOST)
            all.of[k] = lost;
    }
    return all;
}

/* The share of the lost load that comes up in its hours: the other hours, in which the
 * neighbour goes its own ways, say nothing. */
static float
share_of(const struct day *lost, const struct day *rise)
{
    float both = 0, all = 0;

    for (int h = 0; h < DAY_HOURS; h++) {
        both += lost->w[h] * rise->w[h];
        all += lost->w[h] * lost->w[h];
    }
    return all > 0 ? both / all : 0;
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
    int32_t sure_milli;       /* that it rises at all */
    int64_t began;            /* since when it can have risen; NEVER: not known */
    const float *strongest_w; /* mean of its strongest shifts, by their last hour; NULL:
                                 that nothing else explains it is told otherwise */
};

/* Of the shift that ends with this hour. */
static float
shift_sum(const float *w, int last)
{
    float sum = 0;

    for (int i = 0; i < SHIFT_HOURS; i++)
        sum += w[(last + DAY_HOURS - i) % DAY_HOURS];
    return sum;
}

/* How many times as much as it ever has, and a quarter, it draws in the shifts in which
 * the load was lost. */
static float
stands_out(const struct lost *lost, const struct suspect *s)
{
    float rise = 0, most = 0;

    if (!s->strongest_w)
        return INFINITY;
    for (int h = 0; h < DAY_HOURS; h++) {
        float weight = shift_sum(lost->day.w, h);
        float swing = SHIFT_HOURS * s->strongest_w[h] - shift_sum(s->usual.w, h);

        if (weight <= 0)
            continue;
        rise += weight * shift_sum(s->rise.w, h);
        most += weight * STAND_OUT * fmaxf(swing, 0);
    }
    return rise <= 0 ? 0 : most > 0 ? rise / most : INFINITY;
}

/* The stopped site that lost as much; of several, the one whose hours are the most alike.
 * NULL: there is none. It is as sure as what was the least beyond its limit. */
static const struct lost *
lost_alike(const struct lw_core *core, const struct losses *losses,
           const struct suspect *s, int32_t *ret_sure)
{
    const struct lw_params *rules = &core->book->all;
    const float least = (float)rules->displacement.overlap_milli / 1000;
    float best = least;
    const struct lost *found = NULL;

    for (int i = 0; i < losses->n; i++) {
        const struct lost *lost = &losses->of[i];
        float share = share_of(&lost->day, &s->rise) * 1000;
        float alike = overlap(&lost->day, &s->rise);
        float out = stands_out(lost, s);
        int32_t sure;

        if (lost->site == s->site ||
            (s->began != NEVER &&
             s->began < core->ledger->site[lost->site].status_since.ms) ||
            share < (float)rules->displacement.share_least_milli ||
            share > (float)rules->displacement.share_most_milli || alike < best ||
            out <= 1)
            continue;
        best = alike;
        found = lost;
        sure = sure_beyond((double)fminf(out, alike / least));
        *ret_sure = sure < s->sure_milli ? sure : s->sure_milli;
    }
    return found;
}

static bool
names(const struct lw_core *core, struct subject subject, int32_t site)
{
    const struct lw_alarm *alarm = alarm_of(core, LW_RULE_DISPLACEMENT, subject);

    return alarm && alarm->evidence.other == site + 1;
}

/* What the site lost has been found already. */
static bool
is_found(const struct lw_core *core, const struct feeder *f, int32_t site)
{
    if (names(core, (struct subject){LW_SUBJECT_POINT, f->point}, site))
        return true;
    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++)
        if (names(core, (struct subject){LW_SUBJECT_POINT, core->child[i].point}, site))
            return true;
    return false;
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
follow(struct lw_core *core, const struct feeder *f, int64_t at,
       const struct losses *losses, const struct suspect *s, struct follower *w)
{
    const struct lw_alarm *alarm = alarm_of(core, LW_RULE_DISPLACEMENT, s->subject);
    int64_t for_h = core->book->all.displacement.for_ms / LW_HOUR;
    const struct lost *lost;
    struct lw_evidence e;
    int32_t sure = 0;

    if (alarm) {
        e = evidence(s, at);
        e.confidence_milli = alarm->evidence.confidence_milli;
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
    lost = lost_alike(core, losses, s, &sure);
    w->hours = lost ? w->hours + 1 : 0;
    if (w->hours <= for_h)
        return;
    w->hours = 0;
    if (is_found(core, f, lost->site))
        return;
    e = evidence(s, at);
    e.confidence_milli = sure;
    e.detail2 = llround((double)lost->day.mean_w);
    e.other = lost->site + 1;
    alarm_set(core, LW_RULE_DISPLACEMENT, s->subject, LW_PRIORITY_HIGH, &e);
}

/* While nothing of a stopped site's can be in it. */
static void
learn_strongest(struct lw_core *core, const struct feeder *f, int64_t at)
{
    int last = feeder_hour(f, at);

    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++) {
        struct child *c = &core->child[i];
        float w = shift_sum(c->day_wh, last) / SHIFT_HOURS;

        if (c->gauge.at == at && w > c->strongest_w[last])
            c->strongest_w[last] = w;
    }
}

static void
follow_child(struct lw_core *core, const struct feeder *f, struct child *c, int64_t at,
             const struct losses *losses)
{
    struct suspect s = {.subject = {LW_SUBJECT_POINT, c->point},
                        .site = core->ledger->point[c->point].site,
                        .sure_milli = 1000,
                        .began = NEVER,
                        .rise = rise_of(c),
                        .strongest_w = c->strongest_w};

    for (int h = 0; h < DAY_HOURS; h++) {
        s.usual.w[h] = c->usual_w[h];
        s.usual.mean_w += c->usual_w[h] / DAY_HOURS;
    }
    follow(core, f, at, losses, &s, &c->follower);
}

/* The feeder's residual of the last day, when there is one that nothing else explains. */
static void
follow_residual(struct lw_core *core, struct feeder *f, int64_t at,
                const struct losses *losses)
{
    static const struct losses none = {.n = 0};
    struct suspect s = {.subject = {LW_SUBJECT_POINT, f->point},
                        .site = LW_NONE,
                        .sure_milli = f->confidence_milli,
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
    if (!alarm_stands(core, LW_RULE_FEEDER_RESIDUAL, s.subject))
        losses = &none;
    follow(core, f, at, losses, &s, &f->follower);
}

void
displacement_hour(struct lw_core *core, struct feeder *f, int64_t at)
{
    struct losses losses;

    if (f->stopped_w <= 0)
        learn_strongest(core, f, at);
    if (f->begun == NEVER || at - f->begun < HISTORY)
        return;
    losses = losses_of(core, f, at);
    if (feeder_stretch(f, at)->known && f->since <= at - LW_DAY)
        follow_residual(core, f, at, &losses);
    for (int32_t i = f->child_first; i < f->child_first + f->nchildren; i++)
        if (known(f, &core->child[i], at, 0))
            follow_child(core, f, &core->child[i], at, &losses);
}
