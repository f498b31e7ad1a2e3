/* A site's balance: energy of all its supply points over the same interval of the clock.
 *
 * Registers are read at any time; each is interpolated to the boundaries of the site's
 * interval, where a reading is near enough. A boundary closes when every point has its
 * register there, or two intervals later without the silent ones: then the sum is a lower
 * bound, which may raise an alarm and never clears one. A gap closes as one window, with
 * the energy that the register says has passed; a point that comes back after the others
 * were judged without it is judged for its gap alone, as a lower bound too. */
#include "lib/state.h"

/* A silent point holds up the balance for so many intervals. */
enum {
    PATIENCE = 2
};

static const struct boundary *
mark_at(const struct meter_state *m, int64_t at)
{
    for (int i = 0; i < BOUNDARIES; i++)
        if (m->mark[i].at == at)
            return &m->mark[i];
    return NULL;
}

/* The newest first; where the site's balance waits stays, however long another of its
 * meters is silent. */
static void
put_mark(struct meter_state *m, int64_t closed, int64_t at, int64_t wh)
{
    bool waits = closed != NEVER && m->mark[BOUNDARIES - 1].at == closed;

    for (int i = BOUNDARIES - 1 - waits; i > 0; i--)
        m->mark[i] = m->mark[i - 1];
    m->mark[0] = (struct boundary){at, wh};
}

int32_t
balance_row(const struct lw_ledger *ledger, int32_t point, int64_t at)
{
    const struct lw_metering_point *p = &ledger->point[point];

    for (int32_t m = p->meter_first + p->meter_n - 1; m >= p->meter_first; m--)
        if (in_place(&ledger->meter[m], at))
            return m;
    return LW_NONE;
}

bool
balance_energy(const struct lw_core *core, int32_t point, int64_t from, int64_t to,
               int64_t *ret_wh, int64_t *ret_resolution_wh)
{
    int32_t row = balance_row(core->ledger, point, from);
    const struct boundary *a, *b;

    if (row == LW_NONE)
        return false;
    a = mark_at(&core->meter[row], from);
    b = mark_at(&core->meter[row], to);
    if (!a || !b)
        return false;
    *ret_wh = b->wh - a->wh;
    *ret_resolution_wh = meter_resolution(core, row);
    return true;
}

/* The point comes back at `to` after the balance went on without it: from when its
 * register says what has passed; NEVER where it was not away. */
static int64_t
away_since(const struct lw_core *core, int32_t point, int64_t from, int64_t to)
{
    int32_t row = balance_row(core->ledger, point, from);
    const struct meter_state *m = row == LW_NONE ? NULL : &core->meter[row];
    int64_t since = NEVER;

    if (!m || mark_at(m, from) || !mark_at(m, to))
        return NEVER;
    for (int i = 0; i < BOUNDARIES; i++)
        if (m->mark[i].at < from && m->mark[i].at > since)
            since = m->mark[i].at;
    return since;
}

static bool
counted(const struct lw_metering_point *point)
{
    return point->role == LW_SUPPLY || point->role == LW_SUB;
}

/* The earliest boundary after `after` at which any of the site's points has a register.
 */
static int64_t
next_boundary(const struct lw_core *core, const struct lw_site *site, int64_t after)
{
    const struct lw_ledger *ledger = core->ledger;
    int64_t next = INT64_MAX;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        const struct lw_metering_point *point = &ledger->point[p];

        if (!counted(point))
            continue;
        for (int32_t m = point->meter_first; m < point->meter_first + point->meter_n; m++)
            for (int i = 0; i < BOUNDARIES; i++)
                if (core->meter[m].mark[i].at > after && core->meter[m].mark[i].at < next)
                    next = core->meter[m].mark[i].at;
    }
    return next;
}

enum readiness {
    READY,
    COMING,
    MISSED
};

/* Does the point have its register at the boundary, or can it still come? */
static enum readiness
readiness(const struct lw_core *core, int32_t point, int64_t boundary)
{
    int32_t row = balance_row(core->ledger, point, boundary);

    if (row == LW_NONE || mark_at(&core->meter[row], boundary))
        return READY;
    return core->meter[row].reg.at < boundary ? COMING : MISSED;
}

/* The least ready of the site's points. */
static enum readiness
site_readiness(const struct lw_core *core, const struct lw_site *site, int64_t boundary)
{
    enum readiness worst = READY;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        enum readiness r =
            counted(&core->ledger->point[p]) ? readiness(core, p, boundary) : READY;

        if (r == COMING)
            return COMING;
        if (r == MISSED)
            worst = MISSED;
    }
    return worst;
}

static void
show_window(struct lw_core *core, struct window *w)
{
    expect(core, w);
    for (int i = 0; i < detect_nfamilies; i++)
        if (detect_families[i]->window)
            detect_families[i]->window(core, w);
}

/* What passed through points that come back at `to`, each by itself. */
static void
show_gaps(struct lw_core *core, int32_t index, int64_t from, int64_t to)
{
    const struct lw_site *site = &core->ledger->site[index];

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        struct window w = {.site = index, .to = to, .partial = true};

        if (core->ledger->point[p].role != LW_SUPPLY)
            continue;
        w.from = away_since(core, p, from, to);
        if (w.from != NEVER &&
            balance_energy(core, p, w.from, to, &w.supply_wh, &w.resolution_wh))
            show_window(core, &w);
    }
}

/* Closes the balance at `to` and lets the rules see the window that it ends. */
static void
close_window(struct lw_core *core, int32_t index, int64_t to)
{
    struct site_state *s = &core->site[index];
    const struct lw_site *site = &core->ledger->site[index];
    struct window w = {.site = index, .from = s->closed, .to = to};
    bool any = false, held = false;
    int64_t wh, resolution;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        int32_t row = balance_row(core->ledger, p, w.from);

        if (core->ledger->point[p].role != LW_SUPPLY || row == LW_NONE)
            continue;
        if (balance_energy(core, p, w.from, to, &wh, &resolution)) {
            w.supply_wh += wh;
            w.resolution_wh += resolution;
            any = true;
        } else {
            w.partial = true;
            held = held || (mark_at(&core->meter[row], w.from) &&
                            in_place(&core->ledger->meter[row], to));
        }
    }
    /* Sub-meters alone: the window waits for a supply that still knows its beginning. */
    if (w.from != NEVER && !any && held)
        return;
    s->closed = to;
    w.samples_good = s->ngood;
    s->ngood = 0;
    if (w.from == NEVER)
        return;
    if (w.partial)
        show_gaps(core, index, w.from, to);
    if (!any)
        return;
    s->last_from = w.from;
    s->last_to = to;
    s->last_wh = w.supply_wh;
    show_window(core, &w);
}

static void
close_what_is_ready(struct lw_core *core, int32_t index)
{
    struct site_state *s = &core->site[index];
    const struct lw_site *site = &core->ledger->site[index];
    int64_t after = s->closed;
    int64_t boundary;

    while ((boundary = next_boundary(core, site, after)) != INT64_MAX) {
        int64_t patience = boundary + PATIENCE * s->interval;
        enum readiness ready = site_readiness(core, site, boundary);

        if (ready == COMING && core->now < patience) {
            core_timer_site(core, index, patience);
            return;
        }
        /* A boundary that one point has missed is left to a later one, if there is one.
         */
        if (ready != MISSED || core->now >= patience)
            close_window(core, index, boundary);
        after = boundary;
    }
}

/* Puts the register at the boundaries between the reading before and this one. */
static bool
mark_boundaries(struct meter_state *m, const struct lw_register_step *step, int64_t at,
                const struct site_state *s)
{
    int64_t interval = s->interval, last = lw_floor_to(at, interval);
    int64_t first, before_wh;

    if (step->verdict == LW_REGISTER_FIRST) {
        /* No reading before: only a boundary that has just passed. */
        if (at - last > interval / 60)
            return false;
        put_mark(m, s->closed, last, m->total_wh);
        return true;
    }
    first = lw_floor_to(step->from, interval) + interval;
    before_wh = m->total_wh - step->energy_wh;
    if (first > last)
        return false;
    if (first < last && first - step->from <= interval / 2)
        put_mark(m, s->closed, first,
                 before_wh +
                     lw_muldiv(step->energy_wh, first - step->from, at - step->from));
    if (at - last > interval / 2 && last - step->from > interval / 2)
        return false;
    put_mark(m, s->closed, last,
             before_wh + lw_muldiv(step->energy_wh, last - step->from, at - step->from));
    return true;
}

/* Whether the register was compared with one that was believed. */
static bool
advanced(const struct judged *judged)
{
    return judged->good && judged->has_step;
}

void
balance_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    const struct lw_metering_point *point = meter_point(core, meter);
    struct site_state *s;

    if (point->site == LW_NONE || !counted(point))
        return;
    s = &core->site[point->site];
    if (point->role == LW_SUPPLY && judged->good)
        s->ngood++;
    if (advanced(judged) &&
        mark_boundaries(&core->meter[meter], &judged->step, judged->reading->time.ms, s))
        close_what_is_ready(core, point->site);
}

void
balance_forget(struct lw_core *core, int32_t meter)
{
    for (int i = 0; i < BOUNDARIES; i++)
        core->meter[meter].mark[i].at = NEVER;
}

void
balance_timer(struct lw_core *core, int32_t site)
{
    close_what_is_ready(core, site);
}
