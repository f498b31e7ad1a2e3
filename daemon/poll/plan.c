/* Which reads fetch a meter. */
#include "daemon/poll/plan.h"

#include <stdlib.h>
#include <string.h>

int
plans_get(struct plans *plans, const struct lw_profile *profile, uint64_t split)
{
    for (int i = 0; i < plans->n; i++)
        if (plans->plan[i]->profile == profile && plans->plan[i]->split == split)
            return i;
    if (plans->n == PLANS)
        return LW_EFULL;

    struct lw_read_block block[LW_READ_BLOCKS];
    size_t n = lw_profile_blocks(profile, split, block);
    struct plan *plan = malloc(sizeof *plan + n * sizeof block[0]);
    if (plan == NULL)
        return LW_ENOMEM;
    plan->profile = profile;
    plan->split = split;
    plan->nblocks = (int)n;
    memcpy(plan->block, block, n * sizeof block[0]);
    plans->plan[plans->n] = plan;
    return plans->n++;
}

void
plans_clear(struct plans *plans)
{
    for (int i = 0; i < plans->n; i++)
        free(plans->plan[i]);
    plans->n = 0;
}
