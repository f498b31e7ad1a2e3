/* Which reads fetch a profile's registers: neighbours are joined while the device's
 * maximum, the gap that may be read along, and its forbidden addresses allow. */
#include <lodewatch/profile.h>

/* A register and its scale register, which must come in one read. */
static struct lw_read_block
span(const struct lw_profile *profile, size_t i)
{
    const struct lw_register *reg = &profile->reg[i];
    uint32_t first = reg->address, end = first + lw_register_words(reg->type);
    if (reg->has_scale_register) {
        if (reg->scale_register < first)
            first = reg->scale_register;
        if (reg->scale_register >= end)
            end = reg->scale_register + 1u;
    }
    return (struct lw_read_block){
        .function = reg->function,
        .address = (uint16_t)first,
        .count = (uint16_t)(end - first),
        .regs = UINT64_C(1) << i,
    };
}

static bool
before(const struct lw_read_block *a, const struct lw_read_block *b)
{
    if (a->function != b->function)
        return a->function < b->function;
    return a->address < b->address;
}

static bool
touches_forbidden(const struct lw_profile *profile, uint32_t first, uint32_t end)
{
    for (size_t i = 0; i < profile->nforbidden; i++)
        if (first <= profile->forbidden[i].last && profile->forbidden[i].first < end)
            return true;
    return false;
}

/* Adds `next`, which begins no earlier, to `block`; false where they must stay apart. */
static bool
join(const struct lw_profile *profile, struct lw_read_block *block,
     const struct lw_read_block *next)
{
    uint32_t end = (uint32_t)block->address + block->count;
    uint32_t next_end = (uint32_t)next->address + next->count;
    if (block->function != next->function || next->address > end + profile->max_gap)
        return false;
    if (next_end > end)
        end = next_end;
    if (end - block->address > profile->max_registers ||
        touches_forbidden(profile, block->address, end))
        return false;
    block->count = (uint16_t)(end - block->address);
    block->regs |= next->regs;
    return true;
}

size_t
lw_profile_blocks(const struct lw_profile *profile, uint64_t split,
                  struct lw_read_block blocks[LW_READ_BLOCKS])
{
    struct lw_read_block spans[LW_PROFILE_POINTS] = {0};
    size_t n = 0;

    for (size_t i = 0; i < profile->nregs; i++) {
        struct lw_read_block s = span(profile, i);
        size_t at = i;
        for (; at > 0 && before(&s, &spans[at - 1]); at--)
            spans[at] = spans[at - 1];
        spans[at] = s;
    }
    /* Those that stand alone come last, so that they cannot part others. */
    for (size_t i = 0; i < profile->nregs; i++)
        if (!(spans[i].regs & split) &&
            (n == 0 || !join(profile, &blocks[n - 1], &spans[i])))
            blocks[n++] = spans[i];
    for (size_t i = 0; i < profile->nregs; i++)
        if (spans[i].regs & split)
            blocks[n++] = spans[i];
    return n;
}
