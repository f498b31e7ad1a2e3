/* What pattern.c, pattern_window.c, before.c and peers.c share: an excess at a closed
 * site, and how it is told. */
#ifndef LIB_DETECT_PATTERN_H
#define LIB_DETECT_PATTERN_H

#include <math.h>

#include "lib/state.h"

static inline int64_t
watts(float kw)
{
    return lrint((double)kw * 1000);
}

static inline int64_t
watt_hours(float kw, int64_t ms)
{
    return lrint((double)kw * (double)ms / 3600);
}

static inline float
load_kw(int64_t wh, int64_t ms)
{
    return (float)((double)wh * 3600 / (double)ms);
}

/* --- pattern.c: of the site's excess */
/* The site was seen to be closed, not long ago. */
bool pattern_watches(const struct lw_core *core, int32_t site,
                     const struct lw_params *rules, int64_t at);
/* One interval, or a gap, that was compared: the excess begins, goes on or ends.
 * `partial`: a supply point is missing. */
void pattern_live(struct lw_core *core, int32_t site, const struct sample *s, int64_t to,
                  bool partial, const struct found *f);
/* What the ledger says now is no ground for what stands. */
void pattern_lose_ground(struct lw_core *core, int32_t site);
struct lw_evidence pattern_evidence(const struct lw_core *core, int32_t site, float cold);
void pattern_tell(struct lw_core *core, int32_t site, const struct lw_evidence *found);

/* --- before.c: what ran already while the reference was learned */
/* Once it is learned. */
void before_shape(struct lw_core *core, int32_t site, const struct sample *s,
                  float differs);
/* After each window, until there are sites enough that it could be compared with. */
void before_peers(struct lw_core *core, const struct window *w);

/* --- peers.c */
/* kW: what a site's commissioned load would have to exceed to be far above the others of
 * its status and kind; false: they are too few. */
bool peers_fence(const struct lw_core *core, int32_t site, const struct lw_params *rules,
                 float *ret_kw);
/* How many they are, and their median. */
void peers_told(const struct lw_core *core, int32_t site, struct lw_evidence *ret);

#endif
