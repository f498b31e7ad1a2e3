/* Feeders and their children: laid out for a ledger, taken over from the core before,
 * saved in a checkpoint. */
#include <stdlib.h>
#include <string.h>

#include "lib/detect/feeder.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void
init_gauge(struct gauge *g)
{
    *g = (struct gauge){.row = LW_NONE, .newest = NEVER, .at = NEVER};
    for (int i = 0; i < BOUNDARIES; i++)
        g->mark[i].at = NEVER;
}

/* The intervals of the trade that fit into an hour: as long as the feeder's meter is
 * read, and an hour at most. */
static int64_t
interval_of(const struct lw_ledger *ledger, const struct lw_metering_point *point)
{
    static const int minutes[] = {15, 20, 30};
    int32_t newest = point->meter_first + point->meter_n - 1;

    for (size_t i = 0; i < N(minutes); i++)
        if (ledger->meter[newest].interval_s <= minutes[i] * 60)
            return minutes[i] * LW_MINUTE;
    return LW_HOUR;
}

/* What is metered below a feeder: supply points, and feeders that branch off. */
static bool
hangs(const struct lw_ledger *ledger, const struct lw_meter *m)
{
    enum lw_meter_role role = ledger->point[m->point].role;

    return m->parent != LW_NONE && ledger->point[m->parent].role == LW_FEEDER &&
           (role == LW_SUPPLY || role == LW_FEEDER);
}

/* An earlier row of the same point that hangs on the same feeder; else the row itself. */
static int32_t
first_row(const struct lw_ledger *ledger, int32_t row)
{
    const struct lw_meter *m = &ledger->meter[row];

    for (int32_t i = ledger->point[m->point].meter_first; i < row; i++)
        if (ledger->meter[i].parent == m->parent)
            return i;
    return row;
}

/* One child for each point and feeder above it, in the order of feeders. `feeder_of` is
 * by point. */
static void
lay_children(struct lw_core *core, const int32_t *feeder_of)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t n = 0;

    for (int32_t f = 0; f < core->nfeeders; f++) {
        core->feeder[f].child_first = n;
        n += core->feeder[f].nchildren;
        core->feeder[f].nchildren = 0;
    }
    for (int32_t row = 0; row < ledger->nmeters; row++) {
        const struct lw_meter *m = &ledger->meter[row];
        int32_t first = first_row(ledger, row);
        struct feeder *f;
        struct child *c;

        if (!hangs(ledger, m))
            continue;
        core->as_child[row] = core->as_child[first];
        if (first != row)
            continue;
        f = &core->feeder[feeder_of[m->parent]];
        core->as_child[row] = f->child_first + f->nchildren++;
        c = &core->child[core->as_child[row]];
        c->point = m->point;
        c->feeder = feeder_of[m->parent];
        init_gauge(&c->gauge);
    }
}

int
feeder_layout(struct lw_core *core)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t *feeder_of = calloc((size_t)ledger->npoints + 1, sizeof *feeder_of);
    size_t rows = (size_t)ledger->nmeters + 1;
    int rc = LW_ENOMEM;

    core->as_feeder = malloc(rows * sizeof *core->as_feeder);
    core->as_child = malloc(rows * sizeof *core->as_child);
    for (int32_t p = 0; p < ledger->npoints; p++)
        core->nfeeders += ledger->point[p].role == LW_FEEDER;
    core->feeder = calloc((size_t)core->nfeeders + 1, sizeof *core->feeder);
    if (!feeder_of || !core->as_feeder || !core->as_child || !core->feeder)
        goto out;
    core->nfeeders = 0;
    for (int32_t p = 0; p < ledger->npoints; p++)
        if (ledger->point[p].role == LW_FEEDER) {
            struct feeder *f = &core->feeder[core->nfeeders];

            feeder_of[p] = core->nfeeders++;
            f->point = p;
            f->interval = interval_of(ledger, &ledger->point[p]);
            f->open = f->begun = f->since = NEVER;
            f->excess.from = NEVER;
            init_gauge(&f->gauge);
        }
    for (int32_t row = 0; row < ledger->nmeters; row++) {
        const struct lw_meter *m = &ledger->meter[row];

        core->as_child[row] = LW_NONE;
        core->as_feeder[row] =
            ledger->point[m->point].role == LW_FEEDER ? feeder_of[m->point] : LW_NONE;
        if (hangs(ledger, m) && first_row(ledger, row) == row) {
            core->feeder[feeder_of[m->parent]].nchildren++;
            core->nchildren++;
        }
    }
    core->child = calloc((size_t)core->nchildren + 1, sizeof *core->child);
    if (core->child) {
        lay_children(core, feeder_of);
        rc = 0;
    }
out:
    free(feeder_of);
    return rc;
}

void
feeder_free(struct lw_core *core)
{
    free(core->feeder);
    free(core->child);
    free(core->as_feeder);
    free(core->as_child);
}

size_t
feeder_size(const struct lw_core *core)
{
    return (size_t)core->nfeeders * sizeof *core->feeder +
           (size_t)core->nchildren * sizeof *core->child +
           2 * (size_t)core->ledger->nmeters * sizeof *core->as_child;
}

/* --- another ledger */

/* The row that the gauge reads, in the new ledger; without it the register is broken. */
static void
take_gauge(const struct lw_core *core, const struct lw_core *old, const struct gauge *was,
           struct gauge *g)
{
    *g = *was;
    if (was->row != LW_NONE)
        g->row = core_same_meter(core, old, was->row);
    if (g->row == LW_NONE)
        gauge_clear(g);
    g->broken = g->broken || (g->row == LW_NONE && g->at != NEVER);
}

static int32_t
find_feeder(const struct lw_core *core, const struct lw_core *old, int32_t feeder)
{
    int32_t point =
        lw_ledger_point(core->ledger, old->ledger->point[old->feeder[feeder].point].id);

    for (int32_t f = 0; f < core->nfeeders && point != LW_NONE; f++)
        if (core->feeder[f].point == point)
            return f;
    return LW_NONE;
}

static struct child *
find_child(const struct lw_core *core, int32_t feeder, int32_t point)
{
    const struct lw_metering_point *p = &core->ledger->point[point];

    for (int32_t m = p->meter_first; m < p->meter_first + p->meter_n; m++) {
        int32_t c = core->as_child[m];

        if (c != LW_NONE && core->child[c].feeder == feeder)
            return &core->child[c];
    }
    return NULL;
}

void
feeder_take_over(struct lw_core *core, const struct lw_core *old)
{
    for (int32_t i = 0; i < old->nfeeders; i++) {
        const struct feeder *was = &old->feeder[i];
        int32_t index = find_feeder(core, old, i);
        struct feeder *f, laid;

        if (index == LW_NONE || core->feeder[index].interval != was->interval)
            continue;
        f = &core->feeder[index];
        laid = *f;
        *f = *was;
        f->point = laid.point;
        f->child_first = laid.child_first;
        f->nchildren = laid.nchildren;
        take_gauge(core, old, &was->gauge, &f->gauge);
        for (int32_t k = was->child_first; k < was->child_first + was->nchildren; k++) {
            int32_t point =
                lw_ledger_point(core->ledger, old->ledger->point[old->child[k].point].id);
            struct child *c = point == LW_NONE ? NULL : find_child(core, index, point);

            if (!c)
                continue;
            *c = old->child[k];
            c->point = point;
            c->feeder = index;
            take_gauge(core, old, &old->child[k].gauge, &c->gauge);
        }
        feeder_reopen(core, f);
    }
}

/* --- checkpoint */

#define GAUGE(type)                                                                      \
    LW_FIELD(type, gauge.row), LW_FIELD(type, gauge.awaited),                            \
        LW_FIELD(type, gauge.away), LW_FIELD(type, gauge.broken),                        \
        LW_FIELD(type, gauge.newest), LW_FIELD(type, gauge.at),                          \
        LW_FIELD(type, gauge.wh), MARK(type, 0), MARK(type, 1), MARK(type, 2),           \
        MARK(type, 3)
#define MARK(type, i) LW_FIELD(type, gauge.mark[i].at), LW_FIELD(type, gauge.mark[i].wh)
_Static_assert(BOUNDARIES == 4, "each boundary is a field of the checkpoint");

static const struct lw_field CHILD[] = {
    GAUGE(struct child),
    LW_FIELD(struct child, learned),
    LW_FIELD_RAW(struct child, usual_w),
    LW_FIELD_RAW(struct child, days),
    LW_FIELD_RAW(struct child, day_wh),
    LW_FIELD(struct child, mean_w),
    LW_FIELD(struct child, most_w),
    LW_FIELD_RAW(struct child, strongest_w),
    LW_FIELD(struct child, follower.hours),
};

static const struct lw_field FEEDER[] = {
    GAUGE(struct feeder),
    LW_FIELD(struct feeder, open),
    LW_FIELD(struct feeder, begun),
    LW_FIELD(struct feeder, since),
    LW_FIELD(struct feeder, over),
    LW_FIELD_RAW(struct feeder, loss.m[0]),
    LW_FIELD_RAW(struct feeder, loss.m[1]),
    LW_FIELD_RAW(struct feeder, loss.m[2]),
    LW_FIELD_RAW(struct feeder, loss.y),
    LW_FIELD_RAW(struct feeder, loss.term),
    LW_FIELD(struct feeder, loss.load_wh),
    LW_FIELD(struct feeder, loss.open_wh),
    LW_FIELD(struct feeder, loss.windows),
    LW_FIELD_RAW(struct feeder, noise_wh),
    LW_FIELD_RAW(struct feeder, noise_n),
    LW_FIELD_RAW(struct feeder, worst_wh),
    LW_FIELD_RAW(struct feeder, day_most_wh),
    LW_FIELD(struct feeder, worst_days),
    LW_FIELD(struct feeder, excess.from),
    LW_FIELD(struct feeder, excess.to),
    LW_FIELD(struct feeder, excess.energy_wh),
    LW_FIELD(struct feeder, excess.allowed_wh),
    LW_FIELD(struct feeder, excess.excess_wh),
    LW_FIELD(struct feeder, excess.peak_w),
    LW_FIELD(struct feeder, excess.samples_good),
    LW_FIELD(struct feeder, step_w),
    LW_FIELD(struct feeder, confidence_milli),
    LW_FIELD(struct feeder, follower.hours),
};

_Static_assert(LOSS_TERMS == 3, "each row is a field of the checkpoint");

static const struct lw_field STRETCH[] = {
    LW_FIELD(struct stretch, open_wh), LW_FIELD(struct stretch, load_wh),
    LW_FIELD(struct stretch, unseen2), LW_FIELD(struct stretch, late2),
    LW_FIELD(struct stretch, spread2), LW_FIELD(struct stretch, known),
};

void
feeder_save(const struct lw_core *core, struct lw_packer *p)
{
    lw_pack_table(p, "feeders", FEEDER, N(FEEDER), core->feeder, sizeof *core->feeder,
                  (size_t)core->nfeeders);
    lw_pack_table_head(p, "stretches", STRETCH, N(STRETCH),
                       (uint64_t)core->nfeeders * FEEDER_RING);
    for (int32_t i = 0; i < core->nfeeders; i++)
        for (int k = 0; k < FEEDER_RING; k++)
            lw_pack_row(p, STRETCH, N(STRETCH), &core->feeder[i].ring[k]);
    lw_pack_table(p, "children", CHILD, N(CHILD), core->child, sizeof *core->child,
                  (size_t)core->nchildren);
}

/* Times that a core can have: on the feeder's grid, and not after now. */
static bool
timely(const struct lw_core *core, int64_t at, int64_t interval)
{
    return at == NEVER || (at >= 0 && at <= core->now + LW_HOUR && at % interval == 0);
}

static bool
gauge_sound(const struct lw_core *core, const struct gauge *g, int64_t interval)
{
    for (int i = 0; i < BOUNDARIES; i++)
        if (!timely(core, g->mark[i].at, interval) ||
            (g->row == LW_NONE && g->mark[i].at != NEVER))
            return false;
    return g->row >= LW_NONE && g->row < core->ledger->nmeters &&
           timely(core, g->newest, interval) && timely(core, g->at, interval);
}

static int
load_feeders(struct lw_core *core, struct lw_unpacker *u,
             const struct lw_table_head *head)
{
    if (head->count != (uint64_t)core->nfeeders)
        return LW_EPARSE;
    for (int32_t i = 0; i < core->nfeeders; i++) {
        struct feeder *f = &core->feeder[i];

        lw_unpack_row(u, head, FEEDER, N(FEEDER), f);
        f->awaited = f->gauge.awaited;
        if (!gauge_sound(core, &f->gauge, f->interval) ||
            !timely(core, f->begun, f->interval) ||
            !timely(core, f->since, f->interval) || !timely(core, f->open, f->interval) ||
            (f->open != NEVER && f->open < core->now - LW_DAY))
            return LW_EPARSE;
    }
    return 0;
}

static int
load_stretches(struct lw_core *core, struct lw_unpacker *u,
               const struct lw_table_head *head)
{
    if (head->count != (uint64_t)core->nfeeders * FEEDER_RING)
        return LW_EPARSE;
    for (int32_t i = 0; i < core->nfeeders; i++)
        for (int k = 0; k < FEEDER_RING; k++)
            lw_unpack_row(u, head, STRETCH, N(STRETCH), &core->feeder[i].ring[k]);
    return 0;
}

static int
load_children(struct lw_core *core, struct lw_unpacker *u,
              const struct lw_table_head *head)
{
    if (head->count != (uint64_t)core->nchildren)
        return LW_EPARSE;
    for (int32_t i = 0; i < core->nchildren; i++) {
        struct child *c = &core->child[i];

        lw_unpack_row(u, head, CHILD, N(CHILD), c);
        if (!gauge_sound(core, &c->gauge, core->feeder[c->feeder].interval))
            return LW_EPARSE;
        core->feeder[c->feeder].awaited += c->gauge.awaited;
    }
    return 0;
}

int
feeder_load(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    if (strcmp(head->name, "feeders") == 0)
        return load_feeders(core, u, head);
    if (strcmp(head->name, "stretches") == 0)
        return load_stretches(core, u, head);
    if (strcmp(head->name, "children") == 0)
        return load_children(core, u, head);
    return LW_ENOTFOUND;
}
