/* One reading of one meter: primary values (after CT and PT) in stored units. */
#ifndef LODEWATCH_READING_H
#define LODEWATCH_READING_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/quantity.h>
#include <lodewatch/time.h>

enum lw_quality {
    LW_GOOD,
    LW_SUSPECT,
    LW_ESTIMATED,
    LW_MISSING,
};

/* What validation found out about a reading; stored with it, above the quality's bits. */
enum lw_mark {
    LW_MARK_LATE = 1 << 2,     /* older than its meter's newest, or of a time that cannot
                                  be: before 1970, a day ahead; steps nothing */
    LW_MARK_ROLLOVER = 1 << 3, /* the energy register began anew at its modulus */
    LW_MARK_RESET = 1 << 4,    /* the energy register fell and no rollover explains it */
    LW_MARK_JUMP = 1 << 5,     /* it rose by more than the connection can carry */
    LW_MARK_EXCHANGE = 1 << 6, /* first reading after an exchange of the meter */
    LW_MARK_GAP = 1 << 7,      /* first good reading after readings that failed */
    LW_MARK_STUCK = 1 << 8,    /* power flows and the energy register stands */
    LW_MARK_REPEATED = 1 << 9, /* same meter and time as one before; steps nothing */
};

enum {
    LW_QUALITY_MASK = 3
};

struct lw_reading {
    lw_wall time;     /* when it was measured */
    lw_wall received; /* when it came in: the event's time */
    uint32_t meter;   /* index of the meter in the ledger */
    uint16_t have;    /* bit q: value[q] was measured */
    uint16_t q;       /* quality and marks */
    int64_t value[LW_QUANTITIES];
};

static inline bool
lw_reading_has(const struct lw_reading *r, enum lw_quantity q)
{
    return (r->have >> q) & 1;
}

static inline enum lw_quality
lw_reading_quality(const struct lw_reading *r)
{
    return (enum lw_quality)(r->q & LW_QUALITY_MASK);
}

#endif
