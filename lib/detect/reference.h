/* A closed site's reference: what it draws when nothing happens. Learned from the hours
 * of its commissioning window, then frozen; and what lies over it since, in rings. Loads
 * are kW in float; NAN is not known, or not to be judged. */
#ifndef LIB_DETECT_REFERENCE_H
#define LIB_DETECT_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

static inline float
larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float
smaller(float a, float b)
{
    return a < b ? a : b;
}

enum {
    LOG_HOURS = 672,    /* four weeks */
    PROFILE_HOURS = 24, /* hours of the (UTC) day */
    PUMPS = 32,         /* intervals with a pump that are looked back at */
};

/* The lengths over which the mean load is compared. */
enum reach {
    REACH_1H,
    REACH_3H,
    REACH_8H,
    REACH_24H,
    REACH_4D,
    REACHES
};

/* What is compared: in the order in which a finding takes its height from them. */
enum channel {
    OVER_PAIR, /* the lesser of two intervals */
    OVER_1H,
    OVER_3H,
    OVER_8H,
    OVER_24H,
    OVER_4D,
    PUMP_PAIR, /* while the pump runs: the lesser of two, means of 8 and of 32 */
    PUMP_8,
    PUMP_32,
    OVER_GAP, /* the mean over a silence */
    STARTS,   /* starts and stops at a site that is known to be busy */
    CHANNELS
};

struct reference {
    int64_t since;                             /* the window began; NEVER */
    int64_t frozen;                            /* it ended; NEVER: it learns */
    int64_t next;                              /* the interval that is due; NEVER */
    int64_t day;                               /* for which `edge` was found; NEVER */
    int64_t power_at, power_w;                 /* the newest power reading; NEVER */
    double pump_n, pump_mean, pump_sq, pumped; /* over `off`; kWh of the day so far */
    int32_t unit_w;                            /* of the int16 below */
    int32_t hours, hours_over;        /* that were known; that were above the ceilings */
    float mean[PROFILE_HOURS], slope; /* without heating; kW a K below 15 degrees */
    float usual, core; /* over the upper profile: what is; what is no noise any more */
    float base, low, swing; /* of the profile */
    float coldest;          /* K below 15 up to which heating is known; NAN: none is */
    float known;            /* a level that was there while it learned; 0: none */
    float most[REACHES], spread[REACHES];
    float pump, pump_spread;   /* over `off` while the pump runs */
    float duty, duty_most;     /* mean kW of the pump: of all days, of all but one */
    float off;                 /* the load beside the pump, lately */
    float late, late_cold;     /* an interval that waits for the next, beside a pump */
    float last[4];             /* the newest four over the reference */
    float before;              /* the newest measured, for starts and stops */
    float cold_day, cold_days; /* K, faded over one and four days */
    float hour_sum, hour_capped;
    float pump_before;
    int64_t late_from, pump_at;
    int32_t hour_n, pumps, fresh, jumps;
    uint8_t edge; /* hours by which dusk and dawn may have moved */
    bool has_off, has_late, pumping, watched;
    /* The log while it learns; then the rings. */
    union {
        int16_t log[LOG_HOURS];
        struct {
            int16_t hour[8], capped[96], pump[PUMPS];
        } ring;
    };
};

/* One interval of a site. */
struct sample {
    int64_t from, interval;
    float kw;             /* beside what sub-meters explain; NAN */
    float cold;           /* K below 15 degrees */
    float pump_kw;        /* the ceiling of a pump that no sub-meter measures; 0: none */
    float measured_kw;    /* the ceilings of what sub-meters measure; 0: nothing */
    bool runs;            /* one of which runs in this interval */
    float resolution_kwh; /* of the register, where no power refines it */
    float limit_share;    /* of all limits: 1, or less while a site is watched */
    bool permit;          /* a permission for a time is in force */
    bool over;            /* above the ceilings */
};

struct found {
    float over[CHANNELS];  /* kW */
    float ratio[CHANNELS]; /* of it to the limit; NAN: not compared */
    float expected;        /* kW, the most that is usual now */
};

struct lw_core;

/* --- detect/reference.c */
void reference_init(struct reference *r);
/* Forgets what is in the rings: what has been told, or permitted, is not told again. */
void reference_wipe(struct reference *r);
/* The most of the hours that dusk and dawn may have moved to this one. */
float reference_upper(const struct reference *r, int hour);
/* kW, the most that is usual at `at`, so many kelvin below 15 degrees. */
float reference_expected(const struct reference *r, int64_t at, float cold);
/* To be called before the samples of a day. */
void reference_day(struct reference *r, const struct lw_core *core, int32_t site,
                   int64_t at);
/* Learns the interval, or else compares it. */
void reference_sample(const struct lw_core *core, int32_t site, const struct sample *s,
                      struct found *f);
/* Compares the mean over a silence from s->from to `to`. */
void reference_gap(const struct lw_core *core, int32_t site, const struct sample *s,
                   int64_t to, struct found *f);

/* --- detect/reference_learn.c: once, when the commissioning window is over. */
void reference_learn(const struct lw_core *core, int32_t site, bool heated, float pump_kw,
                     float resolution_kwh);

#endif
