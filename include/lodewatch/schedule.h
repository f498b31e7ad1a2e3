/* What to read next: one entry a meter, due on the clock, with backoff for what is
 * silent. Times are the schedule's (simulated where the clock is); deadlines are
 * monotonic. */
#ifndef LODEWATCH_SCHEDULE_H
#define LODEWATCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/result.h>
#include <lodewatch/time.h>

/* When a meter is read: every interval, at a phase of it.
 *
 * From LW_ALIGN_FROM on, intervals are read on the clock's boundaries (the quarter hour),
 * because balances and bills compare registers at those; gateways start LW_GATEWAY_STEP
 * apart. Shorter intervals are spread over the interval by gateway and by place in it. */
enum {
    LW_ALIGN_FROM_S = 300,
    LW_GATEWAY_STEP_MS = 10
};

/* The phase in ms, 0 <= phase < interval. `gateway` of `ngateways`; the meter is number
 * `place` of the `nplaces` on its gateway. */
int64_t lw_phase(int64_t interval_ms, int32_t gateway, int32_t ngateways, int32_t place,
                 int32_t nplaces);

/* The first wall time after t that is phase past a multiple of interval. */
lw_wall lw_phase_next(lw_wall t, int64_t interval_ms, int64_t phase_ms);

/* Backoff after n failures in a row: 0 after the first, then doubling from `base` to
 * `most`, with up to a quarter of jitter taken from `seed`. Pure. */
int64_t lw_backoff(uint32_t failures, int64_t base_ms, int64_t most_ms, uint64_t seed);

/* A bounded heap of (due, key), smallest first; equal dues come by key. Keys are
 * 0..capacity-1, each in it at most once. */
struct lw_due;
LW_MUSTCHECK
int lw_due_new(int32_t capacity, struct lw_due **ret_due);
void lw_due_free(struct lw_due *due);
/* Puts key in, or moves it. */
void lw_due_set(struct lw_due *due, int32_t key, int64_t at);
void lw_due_remove(struct lw_due *due, int32_t key);
bool lw_due_has(const struct lw_due *due, int32_t key);
/* When the key is due; false where it is not in it. */
bool lw_due_get(const struct lw_due *due, int32_t key, int64_t *ret_at);
/* The smallest; false where it is empty. */
bool lw_due_first(const struct lw_due *due, int32_t *ret_key, int64_t *ret_at);
int32_t lw_due_count(const struct lw_due *due);

#endif
