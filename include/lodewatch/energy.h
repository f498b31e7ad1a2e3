/* Energy from a counter that can roll over, be reset, leap, or show one wrong value.
 * What does not fit is marked and waits for a second reading; nothing is invented. */
#ifndef LODEWATCH_ENERGY_H
#define LODEWATCH_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/time.h>

/* What one register can do. All in Wh, primary. */
struct lw_register_limits {
    int64_t modulus_wh;    /* 0: not known, no rollover is accepted */
    int64_t resolution_wh; /* 0: not known */
    int64_t most_w;        /* what the connection can carry; 0: not known */
};

/* One register's history: a value that was believed, and perhaps one that was not. */
struct lw_register_state {
    int64_t at; /* ms; INT64_MIN: no reading yet */
    int64_t wh;
    int64_t odd_at; /* INT64_MIN: none */
    int64_t odd_wh;
    int64_t odd_w;     /* the rate at which it came there; 0: it fell */
    int64_t carries_w; /* what the connection was seen to carry above its limit */
    uint32_t odd_n;    /* steps in a row at that rate */
    bool odd_broken;   /* the value before them is not where they began */
};

enum lw_register_verdict {
    LW_REGISTER_FIRST,    /* nothing to compare with */
    LW_REGISTER_ADVANCED, /* energy_wh (0 or more) flowed since the last believed value */
    LW_REGISTER_ROLLED,   /* likewise, through the modulus */
    LW_REGISTER_ODD_FELL, /* less than before: not believed until a second reading; 0 not
                           * before it is something else, or has stood for an hour */
    LW_REGISTER_ODD_LEAPT, /* more than the connection carries: likewise */
    LW_REGISTER_FELL,  /* a second reading goes on from the lower value: it was reset */
    LW_REGISTER_LEAPT, /* a second reading goes on from the higher value */
    LW_REGISTER_BACKWARDS, /* it fell again, as fast as energy can flow: it counts down */
    LW_REGISTER_CARRIED,   /* energy_wh flowed, more than the limit, at an even rate */
};

struct lw_register_step {
    enum lw_register_verdict verdict;
    int64_t from; /* ms: where the energy begins: the reading before, or the odd one */
    int64_t energy_wh;
    int64_t step_wh; /* FELL, LEAPT, BACKWARDS: what it moved by without energy */
};

void lw_register_init(struct lw_register_state *state);
/* `at` is after state->at. */
struct lw_register_step lw_register_advance(struct lw_register_state *state,
                                            const struct lw_register_limits *limits,
                                            int64_t at, int64_t wh);

/* a * num / den without overflow, rounded down; a >= 0, 0 <= num <= den, den > 0. */
int64_t lw_muldiv(int64_t a, int64_t num, int64_t den);

#endif
