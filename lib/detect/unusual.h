/* What a licensed site usually draws: the state of unusual_load. A part of lib/state.h.
 */
#ifndef LIB_DETECT_UNUSUAL_H
#define LIB_DETECT_UNUSUAL_H

#include <stdbool.h>
#include <stdint.h>

struct lw_site;

enum {
    DAY_HOURS = 24,
    WEEK_HOURS = 7 * DAY_HOURS
};

/* The last 24 hours, by hour modulo 24. */
struct day_hours {
    int32_t wh[DAY_HOURS]; /* LW_NONE: not known */
    int32_t usual_wh[DAY_HOURS];
    int32_t explained_wh[DAY_HOURS]; /* that it may draw above it */
    bool excused[DAY_HOURS];         /* it may draw anything */
};

/* What a site usually draws in each hour of the week, and how far its days are from it:
 * of licensed sites alone. Logarithms of ratios. */
struct profile {
    int32_t cell[WEEK_HOURS];  /* Wh */
    uint8_t weeks[WEEK_HOURS]; /* that it was learned from, up to a limit; 0: not yet */
    int64_t week_wh;           /* their sum */
    int64_t from;              /* ms: the first hour; NEVER */
    int64_t hour;              /* the last whole hour, since 1970; NEVER */
    int64_t part;              /* the hour under way, and what is known of it */
    int64_t part_ms, part_wh;
    struct day_hours day;
    double level;                  /* of the last weeks against the cells */
    double spread;                 /* mean size of the deviation */
    double extreme[2];             /* the largest lately: down, up... */
    double yesterday[2], today[2]; /* ...and of the days not yet among them */
    int32_t judged;                /* hours, up to a limit */
    int32_t clear;                 /* hours without deviation while the alarm stands */
};

/* Whether such a site has a profile at all. */
bool unusual_concerns(const struct lw_site *site);
void unusual_init(struct profile *profile);

#endif
