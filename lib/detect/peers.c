/* Sites like it: an excess that began at many closed sites of the ledger within the same
 * hours, or at a site that goes up and down with the others for weeks, has a common cause
 * (weather, calendar, a shared supply). It is no finding about this one. */
#include "lib/state.h"

#define QUARTER (15 * LW_MINUTE)
#define FADE    (1.0 / (14 * 96)) /* two weeks of quarter hours */

/* Fewer are no county. */
enum {
    JUDGED_LEAST = 10,
    BEFORE = 7,       /* quarters before an interval in which the others may have risen */
    AFTER = 2,        /* and after it */
    LATE = 8,         /* intervals after its own rise: it rose by itself */
    HIGH_LEAST = 800, /* intervals of many up, after which likeness is known */
};

static struct peers *
peers_at(const struct lw_core *core, int64_t at)
{
    return (struct peers *)&core->peers[at / QUARTER % PEERS];
}

void
peers_count(struct lw_core *core, int64_t from, bool up)
{
    int64_t at = lw_floor_to(from, QUARTER);
    struct peers *p = peers_at(core, at);

    if (p->at != at)
        *p = (struct peers){.at = at};
    p->judged++;
    p->up += up;
}

struct others {
    double share;
    int32_t n;
};

static struct others
others_at(const struct lw_core *core, int64_t at, bool self)
{
    const struct peers *p = peers_at(core, at);

    if (p->at != at || p->judged < JUDGED_LEAST)
        return (struct others){0};
    return (struct others){(double)(p->up - self) / (p->judged - 1), p->up - self};
}

/* The share of the others that are up: the most around the interval, and the least of the
 * time before it. */
static struct others
around(const struct lw_core *core, int64_t from, bool self, double *ret_least)
{
    int64_t at = lw_floor_to(from, QUARTER);
    struct others most = {0};

    *ret_least = 1;
    for (int i = -BEFORE; i <= AFTER; i++) {
        struct others o = others_at(core, at + i * QUARTER, self);

        if (i >= -1 && o.share > most.share)
            most = o;
        if (i < 0 && o.share < *ret_least)
            *ret_least = o.share;
    }
    return most;
}

static void
remember(struct fellow *f, double x, double y)
{
    f->n += 1 - f->n * FADE;
    f->x += x - f->x * FADE;
    f->y += y - f->y * FADE;
    f->xx += x * x - f->xx * FADE;
    f->yy += y * y - f->yy * FADE;
    f->xy += x * y - f->xy * FADE;
}

/* The correlation is at least so many thousandths; without a root. */
static bool
alike(const struct fellow *f, int64_t milli)
{
    double n = f->n > 1 ? f->n : 1, like = (double)milli / 1000;
    double xx = f->xx / n - f->x / n * f->x / n, yy = f->yy / n - f->y / n * f->y / n;
    double xy = f->xy / n - f->x / n * f->y / n;

    return xy > 0 && xy * xy >= like * like * xx * yy;
}

bool
peers_common(struct lw_core *core, int32_t site, const struct waiting *q)
{
    struct fellow *f = &core->site[site].fellow;
    double rise = (double)core->rules->common.share_milli / 1000, least;
    struct others o = around(core, q->from, q->up && !q->pump, &least);
    int32_t base = core->site[site].reference.base_w;
    const struct peers *p = peers_at(core, lw_floor_to(q->from, QUARTER));
    bool many = o.share - least >= rise &&
                (o.share - least) * p->judged >= (double)core->rules->common.sites;
    bool like = alike(f, core->rules->common.like_milli);

    if (!q->pump) {
        f->usual += (o.share - f->usual) / 96;
        remember(f, o.share - f->usual, q->up);
        f->high += many && f->high < HIGH_LEAST;
    }
    if (!q->up) {
        f->up_run = 0;
        f->joined -= f->joined > 0;
        return false;
    }
    if (q->over > 2 * f->run_w)
        f->up_run = 0;
    if (many && f->up_run < LATE)
        f->joined = LATE;
    f->up_run++;
    f->run_w += (q->over - f->run_w) / (f->up_run < 4 ? f->up_run : 4);
    if (f->joined && f->high < HIGH_LEAST && !like)
        return q->over <= core->rules->common.most_milli * base / 1000;
    if (!like || q->pump)
        return like;
    if (f->joined)
        f->level_w += (q->over - f->level_w) / (q->over > f->level_w ? 4 : 96);
    return 3 * (int64_t)f->level_w >= 2 * (int64_t)q->over;
}
