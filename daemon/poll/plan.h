/* Which reads fetch a meter: a profile's blocks, with those registers apart that the
 * device refused to give together, and no gap wider than its line makes worth bridging.
 * Meters of one kind share a plan. */
#ifndef DAEMON_POLL_PLAN_H
#define DAEMON_POLL_PLAN_H

#include <stdint.h>

#include <lodewatch/ledger.h>
#include <lodewatch/profile.h>

enum {
    PLANS = 4096
};

/* In the order in which they are read: what a reading needs comes first, so that a
 * register of the last three that never answers does not cost the reading. */
enum plan_kind {
    PLAN_SLOW,
    PLAN_FAST,
    PLAN_ONCE,
    PLAN_SERIAL,
    PLAN_CLOCK
};

struct plan_block {
    struct lw_read_block read;
    enum plan_kind kind;
};

struct plan {
    const struct lw_profile *profile;
    struct lw_read_limits limits;
    uint32_t end; /* no point's register reaches over it */
    int nblocks;
    struct plan_block block[];
};

struct plans {
    int n;
    struct plan *plan[PLANS];
};

/* The number of the plan, made where there is none yet. LW_ENOMEM, LW_EFULL. */
int plans_get(struct plans *plans, const struct lw_profile *profile,
              const struct lw_read_limits *limits);
void plans_clear(struct plans *plans);

/* Behind this gateway, with nothing refused yet: where its line is serial, its speed says
 * how many registers are cheaper to read along than to ask again. */
struct lw_read_limits plan_limits(const struct lw_gateway *gateway);

#endif
