/* What closed sites draw beside heating and pumps, by status and kind: how many learned
 * so much, on a logarithmic scale. Derived from their references: a core that is loaded
 * counts them again. */
#ifndef LIB_DETECT_PEERS_H
#define LIB_DETECT_PEERS_H

#include <stdint.h>

struct lw_core;

enum {
    PEER_DECADES = 8, /* from 10 W on */
    PEER_STEPS = 12,  /* of a decade */
    PEER_BINS = PEER_DECADES * PEER_STEPS,
    PEER_KINDS = 9,
    PEER_STATUSES = 2 /* closed, unlicensed */
};

struct peers {
    int32_t n;
    int32_t bin[PEER_BINS];
};

/* A site's reference has been learned; and is no more. */
void peers_add(struct lw_core *core, int32_t site);
void peers_drop(struct lw_core *core, int32_t site);
/* Counts all whose reference is learned. */
void peers_count(struct lw_core *core);

#endif
