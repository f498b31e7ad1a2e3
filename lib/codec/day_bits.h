/* Bits in and out, the lowest first, and adaptive Rice codes over them. Private to the
 * packing of days. */
#ifndef LIB_CODEC_DAY_BITS_H
#define LIB_CODEC_DAY_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes and the number that they are, the lowest first. */
static inline uint64_t
bits_word(uint64_t v)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap64(v);
}

/* ---- out ---- */

struct bits_out {
    uint8_t *at, *end;
    uint64_t held; /* `n` bits, fewer than 8 */
    unsigned n;
    bool full; /* something did not fit */
};

/* n is 0..56; v has no bits above them. */
static inline void
bits_put(struct bits_out *b, uint64_t v, unsigned n)
{
    b->held |= v << b->n;
    b->n += n;
    if (b->end - b->at >= 8) {
        uint64_t word = bits_word(b->held);

        memcpy(b->at, &word, 8);
        b->at += b->n / 8;
        b->held >>= b->n & 56;
        b->n %= 8;
        return;
    }
    for (; b->n >= 8; b->n -= 8, b->held >>= 8) {
        if (b->at == b->end)
            b->full = true;
        else
            *b->at++ = (uint8_t)b->held;
    }
}

static inline unsigned
bits_length(uint64_t v)
{
    return v == 0 ? 1 : 64 - (unsigned)__builtin_clzll(v);
}

/* Any number: its length, then its bits. */
static inline void
bits_put_number(struct bits_out *b, uint64_t v)
{
    unsigned n = bits_length(v);

    bits_put(b, n - 1, 6);
    bits_put(b, v & UINT32_MAX, n < 32 ? n : 32);
    if (n > 32)
        bits_put(b, v >> 32, n - 32);
}

/* ---- in ---- */

struct bits_in {
    const uint8_t *at, *end;
    uint64_t held;
    unsigned n;
    bool over; /* read beyond the end; then every bit is 0 */
};

/* At least 56 bits are held then, fewer only at the end. */
static inline void
bits_fill(struct bits_in *b)
{
    if (b->end - b->at >= 8) {
        uint64_t word;

        memcpy(&word, b->at, 8);
        b->held |= bits_word(word) << b->n;
        b->at += (63 - b->n) / 8;
        b->n |= 56;
        return;
    }
    while (b->n <= 55 && b->at < b->end) {
        b->held |= (uint64_t)*b->at++ << b->n;
        b->n += 8;
    }
}

/* Of the bits that are held; n is 0..56. */
static inline uint64_t
bits_take(struct bits_in *b, unsigned n)
{
    if (n > b->n) {
        b->over = true;
        b->held = b->n = 0;
        return 0;
    }

    uint64_t v = b->held & ((UINT64_C(1) << n) - 1);

    b->held >>= n;
    b->n -= n;
    return v;
}

static inline uint64_t
bits_get(struct bits_in *b, unsigned n)
{
    bits_fill(b);
    return bits_take(b, n);
}

static inline uint64_t
bits_get_number(struct bits_in *b)
{
    unsigned n = (unsigned)bits_get(b, 6) + 1;
    uint64_t v = bits_get(b, n < 32 ? n : 32);

    return n > 32 ? v | bits_get(b, n - 32) << 32 : v;
}

/* ---- Rice codes ---- */

enum {
    RICE_ESCAPE = 24 /* a quotient so large is not written: the number itself is */
};
#define RICE_MOST (UINT64_C(1) << 40) /* larger ones count as this one */

/* The running mean of what was coded says how many low bits go as they are. */
struct rice {
    uint64_t mean; /* times 16 */
    unsigned seen;
};
#define RICE_START                                                                       \
    (struct rice)                                                                        \
    {                                                                                    \
        .mean = 16 * 4                                                                   \
    }

static inline unsigned
rice_low(const struct rice *r)
{
    return bits_length(r->mean >> 4) - 1;
}

/* The first ones count for more; a single outlier for no more than sixteen times what is
 * usual. */
static inline void
rice_learn(struct rice *r, uint64_t u)
{
    uint64_t most = r->mean + 64 < RICE_MOST ? r->mean + 64 : RICE_MOST;
    uint64_t now = u < most ? 16 * u : 16 * most;
    unsigned slow = r->seen < 4 ? 1 : r->seen < 16 ? 2 : 4;

    r->seen++;
    r->mean = r->mean - (r->mean >> slow) + (now >> slow);
}

static inline uint64_t
rice_cost(const struct rice *r, uint64_t u)
{
    unsigned low = rice_low(r);
    uint64_t high = u >> low;

    return high < RICE_ESCAPE ? high + 1 + low : RICE_ESCAPE + 1 + 6 + bits_length(u);
}

static inline void
rice_put(struct rice *r, struct bits_out *b, uint64_t u)
{
    unsigned low = rice_low(r);
    uint64_t high = u >> low;

    if (high < RICE_ESCAPE && low <= 31) {
        uint64_t rest = u & ((UINT64_C(1) << low) - 1);

        bits_put(b, (rest << 1 | 1) << high, (unsigned)high + 1 + low);
    } else if (high < RICE_ESCAPE) {
        bits_put(b, UINT64_C(1) << high, (unsigned)high + 1);
        bits_put(b, u & ((UINT64_C(1) << low) - 1), low);
    } else {
        bits_put(b, UINT64_C(1) << RICE_ESCAPE, RICE_ESCAPE + 1);
        bits_put_number(b, u);
    }
    rice_learn(r, u);
}

static inline uint64_t
rice_get(struct rice *r, struct bits_in *b)
{
    unsigned low = rice_low(r);
    uint64_t u;

    bits_fill(b);

    unsigned high = b->held == 0 ? 64 : (unsigned)__builtin_ctzll(b->held);

    if (high > RICE_ESCAPE) {
        b->over = true;
        return 0;
    }
    bits_take(b, high + 1);
    if (low > 56 - (RICE_ESCAPE + 1))
        bits_fill(b);
    if (high < RICE_ESCAPE)
        u = (uint64_t)high << low | bits_take(b, low);
    else
        u = bits_get_number(b);
    rice_learn(r, u);
    return u;
}

#endif
