/* Which reads fetch a profile's registers: neighbours are joined while the device's
 * maximum, the gap that may be read along, and its forbidden addresses allow. */
#include <lodewatch/profile.h>

/* A register and its scale register, which must come in one read. */
static struct lw_read_block
span(const struct lw_profile *profile, size_t i)
{
    const struct lw_register *reg = &profile->reg[i];
    uint32_t first = reg->address, end = first + lw_register_words(reg);
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
join(const struct lw_profile *profile, uint16_t max_gap, struct lw_read_block *block,
     const struct lw_read_block *next)
{
    uint32_t end = (uint32_t)block->address + block->count;
    uint32_t next_end = (uint32_t)next->address + next->count;
    if (block->function != next->function || next->address > end + max_gap)
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
lw_profile_blocks(const struct lw_profile *profile, enum lw_poll_class class,
                  const struct lw_read_limits *limits,
                  struct lw_read_block blocks[LW_READ_BLOCKS])
{
    struct lw_read_block spans[LW_PROFILE_POINTS] = {0};
    uint16_t gap =
        limits->max_gap < profile->max_gap ? limits->max_gap : profile->max_gap;
    size_t nspans = 0, n = 0;

    for (size_t i = 0; i < profile->nregs; i++) {
        struct lw_read_block s = span(profile, i);
        size_t at = nspans;
        if (profile->reg[i].class != class)
            continue;
        for (; at > 0 && before(&s, &spans[at - 1]); at--)
            spans[at] = spans[at - 1];
        spans[at] = s;
        nspans++;
    }
    /* Those that stand alone come last, so that they cannot part others. */
    for (size_t i = 0; i < nspans; i++)
        if (!(spans[i].regs & limits->split) &&
            (n == 0 || !join(profile, gap, &blocks[n - 1], &spans[i])))
            blocks[n++] = spans[i];
    for (size_t i = 0; i < nspans; i++)
        if (spans[i].regs & limits->split)
            blocks[n++] = spans[i];
    return n;
}

uint16_t
lw_gap_worth(int32_t baud, int bits)
{
    enum {
        FRAMES = 13, /* bytes: the request's 8, and 5 around the answer's data */
        WAIT_US = 20000,
        FAST_BAUD = 19200, /* above it 3.5 characters (of 11 bits) are 1.75 ms */
        FAST_SILENCE_US = 1750,
        WORDS_MOST = 124,
    };
    int64_t byte_us = INT64_C(1000000) * bits; /* times the baud rate */
    int64_t silence_us = INT64_C(38500000) / baud;
    if (baud > FAST_BAUD)
        silence_us = FAST_SILENCE_US;
    int64_t us = FRAMES * byte_us / baud + 2 * silence_us + WAIT_US;
    int64_t words = (us * baud + byte_us) / (2 * byte_us);
    return (uint16_t)(words > WORDS_MOST ? WORDS_MOST : words);
}
