/* Which reads fetch a meter. */
#include "daemon/poll/plan.h"

#include <stdlib.h>
#include <string.h>

#include <lodewatch/modbus.h>
#include <lodewatch/rtu.h>

enum {
    BLOCKS_MOST = LW_READ_BLOCKS + 2
};

static const struct {
    enum lw_poll_class class;
    enum plan_kind kind;
} classes[] = {
    {LW_POLL_SLOW, PLAN_SLOW},
    {LW_POLL_FAST, PLAN_FAST},
    {LW_POLL_ONCE, PLAN_ONCE},
};

static struct plan_block
identity(const struct lw_register *reg, uint16_t words, enum plan_kind kind)
{
    return (struct plan_block){
        .kind = kind,
        .read = {.function = reg->function, .address = reg->address, .count = words}};
}

static int
lay(const struct lw_profile *profile, const struct lw_read_limits *limits,
    struct plan_block block[BLOCKS_MOST])
{
    struct lw_read_block read[LW_READ_BLOCKS];
    int n = 0;

    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++) {
        size_t nread = lw_profile_blocks(profile, classes[c].class, limits, read);
        for (size_t i = 0; i < nread; i++)
            block[n++] = (struct plan_block){.read = read[i], .kind = classes[c].kind};
    }
    if (profile->serial.present)
        block[n++] = identity(&profile->serial.reg,
                              lw_register_words(&profile->serial.reg), PLAN_SERIAL);
    if (profile->clock.present)
        block[n++] = identity(&profile->clock.reg, lw_clock_words(profile->clock.format),
                              PLAN_CLOCK);
    return n;
}

static uint32_t
end_of(const struct plan_block *block, int n)
{
    uint32_t end = 0;
    for (int i = 0; i < n; i++) {
        uint32_t block_end = (uint32_t)block[i].read.address + block[i].read.count;
        if (block[i].kind != PLAN_SERIAL && block_end > end)
            end = block_end;
    }
    return end;
}

int
plans_get(struct plans *plans, const struct lw_profile *profile,
          const struct lw_read_limits *limits)
{
    for (int i = 0; i < plans->n; i++) {
        const struct plan *plan = plans->plan[i];
        if (plan->profile == profile && plan->limits.split == limits->split &&
            plan->limits.max_gap == limits->max_gap)
            return i;
    }
    if (plans->n == PLANS)
        return LW_EFULL;

    struct plan_block block[BLOCKS_MOST];
    int n = lay(profile, limits, block);
    struct plan *plan = malloc(sizeof *plan + (size_t)n * sizeof block[0]);
    if (plan == NULL)
        return LW_ENOMEM;
    plan->profile = profile;
    plan->limits = *limits;
    plan->end = end_of(block, n);
    plan->nblocks = n;
    memcpy(plan->block, block, (size_t)n * sizeof block[0]);
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

struct lw_read_limits
plan_limits(const struct lw_gateway *gateway)
{
    struct lw_read_limits limits = {.max_gap = LW_MB_REGISTERS_MAX};

    switch (gateway->transport) {
    case LW_RTU:
    case LW_RTU_OVER_TCP:
    case LW_DIAL_IN_RTU:
        limits.max_gap =
            lw_gap_worth(gateway->baud, lw_rtu_bits(gateway->parity != LW_PARITY_NONE,
                                                    gateway->stop_bits));
        break;
    case LW_TCP:
    case LW_TLS:
    case LW_DIAL_IN_TCP:
        break;
    }
    return limits;
}
