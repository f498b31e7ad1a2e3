/* Sites like it: of the same status and kind. Their commissioned loads are spread by
 * factors, not by kW, so they are compared by their logarithm; by quartiles, which a
 * quarter of sites that all ran before would not move. */
#include <string.h>

#include "pattern.h"

_Static_assert((int)PEER_KINDS == (int)LW_SITE_KINDS, "a group a kind");

#define LEAST_KW 0.01F
/* Houses of one kind differ by a factor of two, however alike the first dozen is. */
#define ALIKE  0.3F
#define DECADE 2.302585092994046 /* ln 10 */

static int
bin_of(float kw)
{
    float bin =
        kw > LEAST_KW ? PEER_STEPS * (float)(log((double)(kw / LEAST_KW)) / DECADE) : 0;

    return bin < PEER_BINS - 1 ? (int)bin : PEER_BINS - 1;
}

static bool
is_counted(const struct lw_site *site)
{
    return site->status == LW_CLOSED || site->status == LW_UNLICENSED;
}

static const struct peers *
peers_of(const struct lw_core *core, int32_t site)
{
    const struct lw_site *s = &core->ledger->site[site];

    return is_counted(s) ? &core->peers[s->status == LW_UNLICENSED][s->kind] : NULL;
}

static void
put(struct lw_core *core, int32_t site, int32_t n)
{
    const struct lw_site *s = &core->ledger->site[site];
    struct peers *p = &core->peers[s->status == LW_UNLICENSED][s->kind];

    if (!is_counted(s))
        return;
    p->n += n;
    p->bin[bin_of(reference_mean(&core->site[site].reference))] += n;
}

void
peers_add(struct lw_core *core, int32_t site)
{
    put(core, site, 1);
}

void
peers_drop(struct lw_core *core, int32_t site)
{
    put(core, site, -1);
}

void
peers_count(struct lw_core *core)
{
    memset(core->peers, 0, sizeof core->peers);
    for (int32_t i = 0; i < core->ledger->nsites; i++)
        if (core->site[i].reference.frozen != NEVER)
            peers_add(core, i);
}

/* The logarithm of what so many quarters of them stay below, in decades above LEAST_KW.
 */
static float
quartile(const struct peers *p, int quarters)
{
    float below = (float)(p->n * quarters) / 4, n = 0;
    int i = 0;

    while (i < PEER_BINS - 1 && n + (float)p->bin[i] < below)
        n += (float)p->bin[i++];
    return ((float)i + (p->bin[i] > 0 ? (below - n) / (float)p->bin[i] : 0)) / PEER_STEPS;
}

static float
kilowatts(float decades)
{
    return LEAST_KW * (float)exp((double)decades * DECADE);
}

bool
peers_fence(const struct lw_core *core, int32_t site, const struct lw_params *rules,
            float *ret_kw)
{
    const struct peers *p = peers_of(core, site);
    float spread;

    if (!p || p->n < rules->reference.peers)
        return false;
    spread = larger(quartile(p, 3) - quartile(p, 1), ALIKE);
    *ret_kw = kilowatts(quartile(p, 3) +
                        spread * (float)rules->reference.peers_spread_milli / 1000);
    /* And what a closed site's lamps may take. */
    *ret_kw = larger(*ret_kw,
                     kilowatts(quartile(p, 2)) + (float)rules->reference.shift_w / 1000);
    return true;
}

void
peers_told(const struct lw_core *core, int32_t site, struct lw_evidence *ret)
{
    const struct peers *p = peers_of(core, site);

    if (!p || p->n == 0)
        return;
    ret->detail = watts(kilowatts(quartile(p, 2)));
    ret->detail2 = p->n;
}
