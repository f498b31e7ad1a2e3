/* A lane: one connection to PostgreSQL that brings one share of the journal there. */
#ifndef DAEMON_STORE_LANE_H
#define DAEMON_STORE_LANE_H

#include "daemon/store/batch.h"
#include "daemon/store/store.h"

struct lane;

struct lane_options {
    const struct store_options *store;
    const char *journal_id; /* names the journal in store_cursor */
    enum batch_share share;
    void (*changed)(void *arg); /* its state, its position, or it has nothing to do */
    void (*up)(void *arg);      /* connected */
    void (*away)(void *arg, const char *why);
    void *arg;
};

LW_MUSTCHECK
int lane_new(struct event_base *base, struct clock *clock, struct journal *journal,
             const struct lane_options *options, struct lane **ret_lane);
void lane_free(struct lane *lane);
void lane_stats(const struct lane *lane, struct store_stats *ret_stats);
/* What it still needs of the journal begins here. LW_EAGAIN: it has not asked the
 * database yet. */
LW_MUSTCHECK
int lane_needs(const struct lane *lane, uint64_t *ret_position);
/* PostgreSQL is there, as another lane has found: where this one waits to connect again,
 * it waits no longer. */
void lane_retry(struct lane *lane);
/* From now on it sends what is new as soon as it is there. */
void lane_flush(struct lane *lane);
/* What is new is stored, or cannot be now. */
bool lane_settled(const struct lane *lane);

#endif
