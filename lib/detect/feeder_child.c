/* A child of a feeder: how it usually draws, what a silent one may have drawn, and where
 * in a gap the energy goes that its register tells afterwards. */
#include <math.h>

#include "lib/detect/feeder.h"

enum {
    PROFILE_QUARTERS = 4 * 28, /* an hour's mean reaches back four weeks */
    HISTORY_DAYS = 7,          /* before its own history says what it can draw */
};
/* Weight of an hour in which it has never drawn anything, W. */
#define STANDBY_W   0.001F
#define BEYOND      2.0
#define UNLIMITED_W 1e9

static double
interval_h(const struct feeder *f)
{
    return feeder_hours(f->interval);
}

/* What the ledger allows it: by contract, or its transformer's ratio. */
static double
allowed_w(const struct lw_core *core, const struct feeder *f, const struct child *c)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t site = ledger->point[c->point].site;
    int64_t most_w = LW_NOT_GIVEN;

    if (site != LW_NONE)
        most_w = ledger->site[site].contract_w;
    if (most_w == LW_NOT_GIVEN)
        most_w = ledger->meter[ledger->point[c->point].meter_first].rated_w;
    if (most_w == LW_NOT_GIVEN)
        most_w = ledger->meter[ledger->point[f->point].meter_first].rated_w;
    return most_w == LW_NOT_GIVEN ? UNLIMITED_W : (double)most_w;
}

/* The most that it may draw: what it is allowed; after a week of its own history not more
 * than twice the most that it has ever drawn, or that and what stopped sites drew, which
 * may have come to it; and not less than the most that it has. */
static double
could_w(const struct lw_core *core, const struct feeder *f, const struct child *c)
{
    double most_w = (double)c->most_w, could = allowed_w(core, f, c);

    if ((int64_t)c->learned * f->interval >= HISTORY_DAYS * LW_DAY)
        could = fmin(could, fmax(BEYOND * most_w, most_w + (double)f->stopped_w));
    return fmax(could, most_w);
}

/* Its profile stands still while it draws what another lost, and while its own site is
 * cut off: what should be seen is not learned. */
static bool
frozen(const struct lw_core *core, const struct feeder *f, const struct child *c,
       int64_t at)
{
    int32_t site = core->ledger->point[c->point].site;
    struct subject subject = {LW_SUBJECT_POINT, c->point};

    if ((int64_t)c->learned * f->interval < HISTORY_DAYS * LW_DAY)
        return false;
    return alarm_stands(core, LW_RULE_DISPLACEMENT, subject) ||
           (site != LW_NONE && displacement_watches(core, site, at));
}

static void
learn(const struct lw_core *core, const struct feeder *f, struct child *c, int64_t at,
      double wh)
{
    float w = (float)(wh / interval_h(f));
    int h = feeder_hour(f, at);

    if (w > c->most_w)
        c->most_w = w;
    if (frozen(core, f, c, at))
        return;
    if (c->learned < UINT32_MAX)
        c->learned++;
    if (c->days[h] < PROFILE_QUARTERS)
        c->days[h]++;
    c->usual_w[h] += (w - c->usual_w[h]) / (float)c->days[h];
    c->mean_w += (w - c->mean_w) / (float)(c->learned < DAY_HOURS * PROFILE_QUARTERS
                                               ? c->learned
                                               : (uint32_t)DAY_HOURS * PROFILE_QUARTERS);
}

/* Energy of the interval with this end, for the hours of the last day. */
static void
put_down(const struct feeder *f, struct child *c, int64_t end, double wh)
{
    int h = feeder_hour(f, end);

    if ((end - f->interval) % LW_HOUR == 0)
        c->day_wh[h] = 0;
    c->day_wh[h] += (float)wh;
}

/* The silent end: an exchange, a reset or a new meter left energy uncounted for good. */
static void
begin_anew(const struct lw_core *core, const struct feeder *f, struct child *c,
           int64_t at, struct tally *tally)
{
    int64_t from = c->gauge.at;
    double could_wh;

    if (from == NEVER) {
        from = core->ledger->meter[c->gauge.row].installed.ms;
        if (from < f->begun) /* what it drew before was part of the loss */
            from = at;
    }
    could_wh = could_w(core, f, c) * feeder_hours(at - from);
    tally->unseen2 += could_wh * could_wh;
    put_down(f, c, at, 0);
}

/* It comes back: spreads what the register tells over the gap by its usual hours, and
 * keeps how much of it may have flowed earlier than that. */
static double
spread(struct lw_core *core, struct feeder *f, struct child *c, int64_t at, double wh)
{
    int64_t from = c->gauge.at;
    double could_wh = could_w(core, f, c) * interval_h(f);
    /* The end of the last day's first interval. */
    int64_t day = lw_floor_to(at - 1, LW_HOUR) - (DAY_HOURS - 1) * LW_HOUR + f->interval;
    double weight = 0, before = wh, after_wh = 0, share = 0;

    for (int64_t end = from + f->interval; end <= at; end += f->interval)
        weight += (double)(c->usual_w[feeder_hour(f, end)] + STANDBY_W);
    /* Backwards: `before` is what had flowed at the end of an interval. */
    for (int64_t end = at; end > from; end -= f->interval) {
        float usual_w = c->usual_w[feeder_hour(f, end)];
        struct stretch *s = feeder_stretch(f, end);

        share = wh * (double)(usual_w + STANDBY_W) / weight;
        if (at - end >= (FEEDER_RING - 1) * f->interval)
            break;
        if (end < at) {
            double least = wh - after_wh > 0 ? wh - after_wh : 0;
            double early = before > least ? before - least : 0;

            s->open_wh += usual_w * (float)interval_h(f) - (float)share;
            s->late2 += (float)(early * early);
        }
        before -= share;
        after_wh += could_wh;
    }
    for (int64_t end = day; end <= at; end += f->interval)
        if (end > from)
            put_down(f, c, end,
                     wh * (double)(c->usual_w[feeder_hour(f, end)] + STANDBY_W) / weight);
    return wh * (double)(c->usual_w[feeder_hour(f, at)] + STANDBY_W) / weight;
}

void
child_counted(struct lw_core *core, struct feeder *f, struct child *c, int64_t at,
              int64_t register_wh, struct tally *tally)
{
    struct gauge *g = &c->gauge;
    double wh = (double)(register_wh - g->wh);
    float off_w;

    if (g->at == NEVER || g->broken) {
        begin_anew(core, f, c, at, tally);
        if (g->at != NEVER)
            tally->counted_wh += (double)c->usual_w[feeder_hour(f, at)] * interval_h(f);
        off_w = 0;
    } else if (at - g->at == f->interval) {
        off_w = (float)(wh / interval_h(f)) - c->mean_w;
        learn(core, f, c, at, wh);
        put_down(f, c, at, wh);
        tally->counted_wh += wh;
    } else {
        off_w = (float)(wh / feeder_hours(at - g->at)) - c->mean_w;
        tally->counted_wh += spread(core, f, c, at, wh);
    }
    tally->spread2 += (double)(off_w * off_w);
    g->broken = false;
    g->at = at;
    g->wh = register_wh;
}

void
child_gone(struct lw_core *core, struct feeder *f, struct child *c, int64_t at,
           struct tally *tally)
{
    if (c->gauge.at != NEVER) {
        double could_wh = could_w(core, f, c) * feeder_hours(at - c->gauge.at);

        tally->counted_wh += (double)c->usual_w[feeder_hour(f, at)] * interval_h(f);
        tally->unseen2 += could_wh * could_wh;
    }
    c->gauge.row = LW_NONE;
    gauge_clear(&c->gauge);
    c->gauge.at = NEVER;
    c->gauge.broken = false;
}

static void
name_silent(struct tally *tally, int32_t point, double could_w)
{
    int k = tally->silent < LW_SILENT_NAMED ? tally->silent : LW_SILENT_NAMED;

    if (tally->silent < UINT16_MAX)
        tally->silent++;
    while (k > 0 && could_w > tally->strongest[k - 1].could_w) {
        if (k < LW_SILENT_NAMED)
            tally->strongest[k] = tally->strongest[k - 1];
        k--;
    }
    if (k < LW_SILENT_NAMED) {
        tally->strongest[k].point = point;
        tally->strongest[k].could_w = could_w;
    }
}

void
child_silent(struct lw_core *core, struct feeder *f, struct child *c, int64_t at,
             struct tally *tally)
{
    double most_w = could_w(core, f, c), could_wh = most_w * interval_h(f);
    int64_t silent = c->gauge.at == NEVER ? INT64_MAX : (at - c->gauge.at) / f->interval;
    double above = 0, usual = 0;
    int64_t end = at, n = 0;

    name_silent(tally, c->point, most_w);
    if (c->gauge.at != NEVER)
        tally->counted_wh += (double)c->usual_w[feeder_hour(f, at)] * interval_h(f);
    for (int i = 0; i < FEEDER_LAGS; i++) {
        for (; n < feeder_lag[i] && n < silent; n++, end -= f->interval) {
            double usual_wh = (double)c->usual_w[feeder_hour(f, end)] * interval_h(f);

            above += could_wh > usual_wh ? could_wh - usual_wh : 0;
            usual += usual_wh;
        }
        tally->silent2[i] += above * above;
        tally->usual_wh[i] += usual;
    }
}
