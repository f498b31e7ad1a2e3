/* feeder_residual: the residual of a feeder over windows of a quarter of an hour to two
 * days, each against what it has been seen to stray by, what silent children may have
 * drawn, and what clocks and unread registers may hide. Learns for a while, then never
 * again: a tap is not learned. */
#include <math.h>

#include "lib/detect/feeder.h"

const int feeder_lag[FEEDER_LAGS] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 192};

enum {
    WARM_UP = 3 * 12, /* windows of loss before deviations are learned */
    NOISE_LEAST = 30, /* windows before a deviation is believed */
    WORST_LEAST = 7,  /* days, likewise of their worst windows */
    TWICE = 2,        /* boundaries in a row: one late or wrong reading is no tap */
};
/* Children may hide so much of the load in a window that deviations are learned from. */
#define QUIET_SHARE 0.001
/* A window is unlike any other from twice the worst of a usual day on: of deviations that
 * are normal that is less than five. */
#define WORST_TIMES 2
/* A deviation counts at most as so many of the usual: a fault is not the noise. */
#define WINSOR 4
/* The mean of |x| of a normal variable is its sigma over this. */
#define SIGMA_OF_MEAN 1.25
/* Nothing is known of the deviations: two percent of the load for an interval. */
#define UNKNOWN_SHARE 0.02
/* A window's residual as learned from: three tenths of a percent of its load. */
#define LEARN_SHARE 0.003

/* A window that ends at the boundary in hand. */
struct span {
    int64_t from; /* its beginning */
    int intervals;
    double hours;
    double open_wh;
    struct loss_window loss;
    double unseen2;
};

static double
square(double x)
{
    return x * x;
}

/* Adds the interval before the window. */
static void
span_grow(struct feeder *f, struct span *w)
{
    const struct stretch *s = feeder_stretch(f, w->from);
    double hours = feeder_hours(f->interval);

    w->from -= f->interval;
    w->intervals++;
    w->hours += hours;
    w->open_wh += (double)s->open_wh;
    loss_window_add(&w->loss, hours, (double)s->load_wh);
    w->unseen2 += (double)s->unseen2;
}

static double
span_excess(const struct feeder *f, const struct span *w)
{
    return w->open_wh - loss_of(&f->loss, &w->loss);
}

/* Mean power of the interval with this end. */
static double
load_w(struct feeder *f, int64_t end)
{
    return (double)feeder_stretch(f, end)->load_wh / feeder_hours(f->interval);
}

/* What clocks that are off hide at both ends: a child's, its time at the power that it
 * draws beside its mean; the feeder's own, its time at the power by which the whole load
 * has changed. A power that steps at the beginning shows in the next interval. */
static double
skew2(const struct lw_core *core, struct feeder *f, const struct span *w, int64_t at)
{
    double hours = feeder_hours(core->book->all.feeder_residual.skew_ms);
    int64_t next = w->from + f->interval;
    double change = fmax(fabs(load_w(f, at) - load_w(f, w->from)),
                         fabs(load_w(f, at) - load_w(f, next)));

    return square(hours) * (square(change) + (double)feeder_stretch(f, w->from)->spread2 +
                            (double)feeder_stretch(f, next)->spread2 +
                            (double)feeder_stretch(f, at)->spread2);
}

/* --- learning */

static void
learn_noise(struct feeder *f, int lag, const struct span *w, double hidden2)
{
    double load_wh = w->loss.term[1] / w->hours * (w->hours > 1 ? w->hours : 1);
    float over = (float)span_excess(f, w), off = fabsf(over);
    float *sigma = &f->noise_wh[lag];

    if (hidden2 > square(QUIET_SHARE * load_wh) && hidden2 > square((double)*sigma) / 4)
        return;
    if (over > f->day_most_wh[lag])
        f->day_most_wh[lag] = over;
    if (f->noise_n[lag] > NOISE_LEAST && off > WINSOR * *sigma)
        off = WINSOR * *sigma;
    f->noise_n[lag]++;
    *sigma += ((float)SIGMA_OF_MEAN * off - *sigma) / (float)f->noise_n[lag];
}

/* What comes once a day is lost in a mean deviation, and is no tap: a works whose meter
 * has a clock of its own, a quarter of an hour off, is missed each evening. */
static void
learn_worst(struct feeder *f)
{
    f->worst_days++;
    for (int lag = 0; lag < FEEDER_LAGS; lag++) {
        float most = f->day_most_wh[lag];

        if (f->worst_days > WORST_LEAST && most > WINSOR * f->worst_wh[lag])
            most = WINSOR * f->worst_wh[lag];
        f->worst_wh[lag] += (most - f->worst_wh[lag]) / (float)f->worst_days;
        f->day_most_wh[lag] = 0;
    }
}

static void
learn_loss(struct feeder *f, const struct span *w, double hidden2, int64_t at)
{
    if (w->intervals != LEARN_EVERY || at / f->interval % LEARN_EVERY != 0)
        return;
    if (w->loss.term[1] > 0)
        loss_learn(&f->loss, &w->loss, w->open_wh,
                   hidden2 + square(LEARN_SHARE * w->loss.term[1]));
}

/* --- judging */

static double
sigma_of(const struct feeder *f, int lag, const struct span *w)
{
    double longer = (double)w->intervals / feeder_lag[lag];
    double mean_wh = w->loss.term[1] / w->intervals;

    if (f->noise_n[lag] < NOISE_LEAST)
        return UNKNOWN_SHARE * mean_wh + 0.5 * LEARN_SHARE * w->loss.term[1];
    return (double)f->noise_wh[lag] * longer;
}

struct verdict {
    double worst;     /* of all windows: the residual over its bound */
    double last;      /* the same of the time to clear, were the silent at rest */
    int64_t since;    /* where that begins */
    struct span step; /* from the likeliest time of the step on */
};

static void
consider(const struct lw_core *core, struct feeder *f, int lag, const struct span *w,
         int64_t at, double hidden2, double usual_wh, struct verdict *v)
{
    double usual_off = fmax((double)core->book->all.feeder_residual.sigmas_milli / 1000 *
                                sigma_of(f, lag, w),
                            WORST_TIMES * (double)f->worst_wh[lag]);
    double own2 = square(usual_off) +
                  square((double)core->book->all.feeder_residual.share_milli / 1000 *
                         w->loss.term[1]) +
                  1;
    double excess_wh = span_excess(f, w);
    double ratio = excess_wh / (sqrt(own2 + skew2(core, f, w, at)) + sqrt(hidden2));

    v->worst = ratio > v->worst ? ratio : v->worst;
    if (feeder_lag[lag] * f->interval <= core->book->all.feeder_residual.clear_ms) {
        v->last = (excess_wh + usual_wh) / sqrt(own2);
        v->since = w->from;
    }
}

/* Looks at all windows that end here. */
static struct verdict
look(const struct lw_core *core, struct feeder *f, int64_t at, const struct tally *tally,
     bool learning)
{
    struct verdict v = {0};
    struct span w = {.from = at};
    double likeliest = 0;

    for (int lag = 0; lag < FEEDER_LAGS && w.intervals < FEEDER_RING - 2;) {
        double hidden2, excess;
        int longest;

        if (w.from - f->interval < f->since)
            break;
        span_grow(f, &w);
        excess = span_excess(f, &w);
        if (!learning && excess > 0 && excess * excess / w.intervals > likeliest) {
            likeliest = excess * excess / w.intervals;
            v.step = w;
        }
        if (w.intervals < feeder_lag[lag] || !feeder_stretch(f, w.from)->known)
            continue;
        longest = w.intervals == feeder_lag[lag] ? lag : FEEDER_LAGS - 1;
        hidden2 = (double)feeder_stretch(f, w.from)->late2 + w.unseen2 +
                  tally->silent2[longest];
        if (!learning) {
            consider(core, f, lag, &w, at, hidden2, tally->usual_wh[longest], &v);
        } else {
            learn_loss(f, &w, hidden2, at);
            if (f->loss.windows > WARM_UP)
                learn_noise(f, lag, &w, hidden2);
        }
        lag++;
    }
    return v;
}

/* --- the alarm */

static void
account(struct feeder *f, const struct span *w)
{
    struct run *run = &f->excess;
    double loss_wh = loss_of(&f->loss, &w->loss);
    double mean_w = w->open_wh / w->hours;

    run->to = w->from + w->intervals * f->interval;
    run->energy_wh += (int64_t)llround(w->open_wh);
    run->allowed_wh += (int64_t)llround(loss_wh);
    run->excess_wh += (int64_t)llround(w->open_wh - loss_wh);
    if (mean_w > (double)run->peak_w)
        run->peak_w = (int64_t)llround(mean_w);
    run->samples_good += w->intervals;
}

static void
begin(struct feeder *f, const struct verdict *v, int64_t at)
{
    struct span w = {.from = at};

    f->excess = (struct run){.from = v->step.from, .to = at};
    f->step_w = llround(span_excess(f, &v->step) / v->step.hours);
    f->confidence_milli = 0;
    for (int i = 0; i < v->step.intervals; i++) {
        struct span one = {.from = w.from};

        span_grow(f, &one);
        account(f, &one);
        w.from = one.from;
    }
    f->excess.to = at;
}

static void
tell(struct lw_core *core, struct feeder *f, const struct tally *tally, bool returns)
{
    const struct run *run = &f->excess;
    struct subject subject = {LW_SUBJECT_POINT, f->point};
    int64_t ms = run->to - run->from;
    struct lw_evidence e = {
        .from = {run->from},
        .to = {run->to},
        .mean_w = (int64_t)((double)run->energy_wh / feeder_hours(ms)),
        .peak_w = run->peak_w,
        .energy_wh = run->energy_wh,
        .expected_w = (int64_t)((double)run->allowed_wh / feeder_hours(ms)),
        .excess_wh = run->excess_wh,
        .samples_expected = (uint32_t)(ms / f->interval),
        .samples_good = (uint32_t)run->samples_good,
        .detail = f->step_w,
        .finding = LW_FOUND_RESIDUAL,
        .confidence_milli = f->confidence_milli,
        .nsilent = tally->silent,
    };

    for (int i = 0; i < LW_SILENT_NAMED && i < tally->silent; i++)
        e.silent[i] = tally->strongest[i].point + 1;
    if (returns)
        alarm_return(core, LW_RULE_FEEDER_RESIDUAL, subject, &e);
    else
        alarm_set(core, LW_RULE_FEEDER_RESIDUAL, subject, LW_PRIORITY_HIGH, &e);
}

static void
judge(struct lw_core *core, struct feeder *f, int64_t at, const struct tally *tally,
      const struct verdict *v)
{
    struct subject subject = {LW_SUBJECT_POINT, f->point};
    bool stands = alarm_stands(core, LW_RULE_FEEDER_RESIDUAL, subject);
    bool returns;

    f->over = v->worst <= 1 ? 0 : f->over < TWICE ? f->over + 1 : TWICE;
    if (!stands && f->over < TWICE)
        return;
    if (!stands) {
        begin(f, v, at);
    } else {
        struct span w = {.from = at};

        while (w.from > f->excess.to && w.intervals < FEEDER_RING - 2)
            span_grow(f, &w);
        account(f, &w);
    }
    if (sure_beyond(v->worst) > f->confidence_milli)
        f->confidence_milli = sure_beyond(v->worst);
    /* Half the bound, so that what has just been found is not gone the next hour; and of
     * a window that is there as long as it should be. */
    returns = v->last < 0.5 && v->since > f->excess.from &&
              at - v->since >= core->book->all.feeder_residual.clear_ms / 3 * 2;
    tell(core, f, tally, returns);
    if (returns) /* no window looks back at what has been told */
        f->since = v->since;
}

/* More than lines and transformers can lose: there are customers without a meter, whose
 * load follows the season. */
static bool
covered(const struct lw_core *core, const struct loss *loss)
{
    return loss->open_wh * 1000 <=
           loss->load_wh * (double)core->book->all.feeder_residual.most_loss_milli;
}

void
feeder_judge(struct lw_core *core, struct feeder *f, int64_t at,
             const struct tally *tally)
{
    bool learning =
        f->begun == NEVER || at - f->begun < core->book->all.feeder_residual.learn_ms;
    struct verdict v;

    if (!feeder_stretch(f, at)->known)
        return;
    v = look(core, f, at, tally, learning);
    if (learning && f->loss.windows > WARM_UP && at % LW_DAY == 0)
        learn_worst(f);
    if (!learning && covered(core, &f->loss))
        judge(core, f, at, tally, &v);
}
