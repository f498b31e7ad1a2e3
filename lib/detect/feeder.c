/* A feeder's intervals: registers of the feeder and of its children, interpolated to the
 * same boundaries of the clock.
 *
 * A boundary closes when everybody who answers has answered for it, or two intervals
 * later. Whoever is silent then is put down with what it usually draws; when it comes
 * back its register corrects the intervals that it missed, so that a gap inside a window
 * costs nothing. The feeder's own gaps are filled likewise, in its children's shape. */
#include "lib/detect/feeder.h"

enum {
    PATIENCE = 2 /* intervals */
};

/* --- registers at boundaries */

static const struct boundary *
mark_at(const struct gauge *g, int64_t at)
{
    for (int i = 0; i < BOUNDARIES; i++)
        if (g->mark[i].at == at)
            return &g->mark[i];
    return NULL;
}

void
gauge_clear(struct gauge *g)
{
    for (int i = 0; i < BOUNDARIES; i++)
        g->mark[i].at = NEVER;
}

/* The register at the last boundary that the reading has passed, where a reading is near
 * enough to it. */
static void
gauge_mark(struct gauge *g, const struct meter_state *m, const struct judged *judged,
           int64_t interval)
{
    const struct lw_register_step *step = &judged->step;
    int64_t at = judged->reading->time.ms;
    int64_t last = lw_floor_to(at, interval);
    int64_t wh = m->total_wh;

    if (step->verdict == LW_REGISTER_FIRST) {
        if (at - last > interval / 60)
            return;
    } else {
        if (step->from >= last ||
            (at - last > interval / 2 && last - step->from > interval / 2))
            return;
        wh -= step->energy_wh -
              lw_muldiv(step->energy_wh, last - step->from, at - step->from);
    }
    for (int i = BOUNDARIES - 1; i > 0; i--)
        g->mark[i] = g->mark[i - 1];
    g->mark[0] = (struct boundary){last, wh};
}

/* An answer, good or not, from the meter of this row. */
static void
gauge_reading(struct lw_core *core, struct gauge *g, int32_t row,
              const struct judged *judged, int64_t interval)
{
    int64_t boundary = lw_floor_to(judged->reading->time.ms, interval);

    if (boundary > g->newest)
        g->newest = boundary;
    g->away = false;
    if (!judged->good || !judged->has_step)
        return;
    /* Another meter, a noticed exchange, a reset: the count goes on, with a hole. */
    if (g->row != row || (judged->step.verdict != LW_REGISTER_ADVANCED &&
                          judged->step.verdict != LW_REGISTER_CARRIED &&
                          judged->step.verdict != LW_REGISTER_ROLLED)) {
        g->broken = g->at != NEVER;
        g->row = row;
        gauge_clear(g);
    }
    gauge_mark(g, &core->meter[row], judged, interval);
}

/* --- boundaries */

/* A meter of the point that hangs on this feeder is in place. */
static bool
present(const struct lw_core *core, const struct feeder *f, const struct child *c,
        int64_t at)
{
    const struct lw_metering_point *p = &core->ledger->point[c->point];

    for (int32_t i = p->meter_first + p->meter_n - 1; i >= p->meter_first; i--) {
        const struct lw_meter *m = &core->ledger->meter[i];

        if (m->parent == f->point && in_place(m, at))
            return true;
    }
    return false;
}

static bool
await(struct gauge *g, int64_t boundary)
{
    g->awaited = !g->away && g->newest < boundary;
    return g->awaited;
}

static void
open_boundary(struct lw_core *core, struct feeder *f, int64_t boundary)
{
    f->open = boundary;
    f->awaited = await(&f->gauge, boundary);
    for (int32_t i = 0; i < f->nchildren; i++) {
        struct child *c = &core->child[f->child_first + i];

        if (c->gauge.row != LW_NONE && present(core, f, c, boundary))
            f->awaited += await(&c->gauge, boundary);
        else
            c->gauge.awaited = false;
    }
}

/* After the ledger was read: who is awaited now. */
void
feeder_reopen(struct lw_core *core, struct feeder *f)
{
    if (f->open != NEVER)
        open_boundary(core, f, f->open);
}

static void
give_up(struct gauge *g)
{
    g->away = g->away || g->awaited;
}

/* The feeder's register tells what has passed since it was last known: in the shape of
 * what its children drew. */
static void
feeder_counted(struct feeder *f, int64_t at, int64_t register_wh)
{
    struct gauge *g = &f->gauge;
    int64_t from = g->at;
    double wh = (double)(register_wh - g->wh);
    double drawn = 0;

    feeder_stretch(f, at)->known = true;
    g->at = at;
    g->wh = register_wh;
    if (from == NEVER || g->broken || at - from >= (FEEDER_RING - 1) * f->interval) {
        f->since = at;
        if (f->begun == NEVER)
            f->begun = at;
        g->broken = false;
        return;
    }
    for (int64_t end = from + f->interval; end <= at; end += f->interval)
        drawn -= (double)feeder_stretch(f, end)->open_wh;
    for (int64_t end = from + f->interval; end <= at; end += f->interval) {
        struct stretch *s = feeder_stretch(f, end);
        double share = drawn > 0 ? -(double)s->open_wh / drawn
                                 : (double)f->interval / (double)(at - from);

        s->load_wh = (float)(wh * share);
        s->open_wh += (float)(wh * share);
    }
}

static void
close_boundary(struct lw_core *core, struct feeder *f)
{
    int64_t at = f->open;
    const struct boundary *mark = mark_at(&f->gauge, at);
    struct stretch *s = feeder_stretch(f, at);
    struct tally tally = {0};

    *s = (struct stretch){0};
    f->stopped_w = displacement_stopped_w(core, f, at);
    give_up(&f->gauge);
    for (int32_t i = 0; i < f->nchildren; i++) {
        struct child *c = &core->child[f->child_first + i];
        const struct boundary *counted = mark_at(&c->gauge, at);

        give_up(&c->gauge);
        if (counted)
            child_counted(core, f, c, at, counted->wh, &tally);
        else if (present(core, f, c, at))
            child_silent(core, f, c, at, &tally);
        else if (c->gauge.row != LW_NONE && c->gauge.newest <= at) /* not: to come */
            child_gone(core, f, c, at, &tally);
    }
    s->open_wh -= (float)tally.counted_wh;
    s->unseen2 = (float)tally.unseen2;
    s->spread2 = (float)tally.spread2;
    if (mark)
        feeder_counted(f, at, mark->wh);
    feeder_judge(core, f, at, &tally);
    if (at % LW_HOUR == 0)
        displacement_hour(core, f, at);
    open_boundary(core, f, at + f->interval);
}

/* Closes what nobody is awaited for any more, or what was waited for long enough. */
static void
close_what_is_ready(struct lw_core *core, struct feeder *f, int32_t index)
{
    while (f->open + PATIENCE * f->interval <= core->now ||
           (f->awaited == 0 && f->gauge.newest >= f->open))
        close_boundary(core, f);
    core_timer_feeder(core, index, f->open + PATIENCE * f->interval);
}

static void
answered(struct lw_core *core, int32_t index, struct gauge *g)
{
    struct feeder *f = &core->feeder[index];

    if (!g->awaited || g->newest < f->open)
        return;
    g->awaited = false;
    if (--f->awaited == 0)
        close_what_is_ready(core, f, index);
}

static void
feeder_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    int32_t feeder = core->as_feeder[meter], child = core->as_child[meter];

    if (feeder != LW_NONE) {
        struct feeder *f = &core->feeder[feeder];

        gauge_reading(core, &f->gauge, meter, judged, f->interval);
        if (f->open == NEVER && f->gauge.mark[0].at != NEVER) {
            open_boundary(core, f, f->gauge.mark[0].at);
            core_timer_feeder(core, feeder, f->open + PATIENCE * f->interval);
        }
        answered(core, feeder, &f->gauge);
    }
    if (child != LW_NONE) {
        struct child *c = &core->child[child];
        int32_t above = c->feeder;

        gauge_reading(core, &c->gauge, meter, judged, core->feeder[above].interval);
        answered(core, above, &c->gauge);
    }
}

void
feeder_timer(struct lw_core *core, int32_t index)
{
    if (core->feeder[index].open != NEVER)
        close_what_is_ready(core, &core->feeder[index], index);
}

static void
gauge_step_back(struct gauge *g, int64_t at)
{
    for (int i = 0; i < BOUNDARIES; i++)
        if (g->mark[i].at > at)
            g->mark[i].at = NEVER;
    if (g->newest > at)
        g->newest = at;
    g->broken = g->broken || g->at > at;
    if (g->at > at)
        g->at = at;
}

void
feeder_step_back(struct lw_core *core, int64_t at)
{
    for (int32_t i = 0; i < core->nfeeders; i++) {
        struct feeder *f = &core->feeder[i];
        int64_t boundary = lw_floor_to(at, f->interval);

        if (f->open == NEVER || f->open <= boundary)
            continue;
        gauge_step_back(&f->gauge, boundary);
        for (int32_t c = f->child_first; c < f->child_first + f->nchildren; c++)
            gauge_step_back(&core->child[c].gauge, boundary);
        f->begun = f->begun < boundary ? f->begun : boundary;
        f->since = boundary;
        if (f->excess.from > boundary)
            f->excess.from = boundary;
        if (f->excess.to > boundary)
            f->excess.to = boundary;
        open_boundary(core, f, boundary + f->interval);
        core_timer_feeder(core, i, f->open + PATIENCE * f->interval);
    }
}

const struct family detect_feeder = {.reading = feeder_reading};
