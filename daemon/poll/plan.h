/* Which reads fetch a meter: a profile's blocks, with those registers apart that the
 * device refused to give together. Meters of one kind share a plan. */
#ifndef DAEMON_POLL_PLAN_H
#define DAEMON_POLL_PLAN_H

#include <stdint.h>

#include <lodewatch/profile.h>

enum {
    PLANS = 4096
};

struct plan {
    const struct lw_profile *profile;
    uint64_t split;
    int nblocks;
    struct lw_read_block block[];
};

struct plans {
    int n;
    struct plan *plan[PLANS];
};

/* The number of the plan, made where there is none yet. LW_ENOMEM, LW_EFULL. */
int plans_get(struct plans *plans, const struct lw_profile *profile, uint64_t split);
void plans_clear(struct plans *plans);

#endif
