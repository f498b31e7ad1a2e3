/* A closed site's reference: what it draws when nothing happens. It is learned from the
 * hours of the commissioning window, then frozen, so that it never learns from what it
 * should detect; what lies over it since is kept in rings, which need the log no more.
 * Logs are the core's: only sites that learn have one.
 * Loads are kW in float; NAN is not known, or not to be judged. */
#ifndef LIB_DETECT_REFERENCE_H
#define LIB_DETECT_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

struct lw_core;
struct lw_params;
struct lw_site;

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
    LOG_HOURS = 672,      /* four weeks hold each weekday four times */
    PROFILE_HOURS = 24,   /* hours of the (UTC) day */
    QUARTERS = 4,         /* intervals of an hour, at most */
    HOURS = 8,            /* hours that are looked back at, as measured */
    CAPPED = 96,          /* and with their peaks cut off */
    PUMPED = 32,          /* intervals with a pump that are looked back at */
    HELD = 16,            /* of a run of the pump that may not have been the pump alone */
    PUMP_DAYS = 4,        /* of a pump that are looked back at: a sump evens out fewer */
    RESERVOIRS = 3,       /* in which rain may be held, by how fast they drain */
    NO_VALUE = INT16_MIN, /* of what is kept in units */
};

/* Heating is believed to be linear up to so many times the cold that it was learned from.
 */
#define BELIEVED 2.5F

/* What a heater takes when it comes on, of what it takes a K: it is bought for the
 * coldest night, 15 below zero, which is 30 K from where heating begins; a fifth less or
 * a third more, since heaters come in few sizes. While it is learned, the least of that
 * is surely its own and no load that was known; against it, the most of that may be. */
enum {
    HEATER_LEAST_K = 24,
    HEATER_FOR_K = 30,
    HEATER_MOST_K = 40
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
    PUMP_PAIR, /* while a pump runs: the lesser of two, means of 8 and of 32 */
    PUMP_8,
    PUMP_32,
    OVER_GAP,  /* the mean over a silence */
    STARTS,    /* starts and stops at a site that is known to be busy */
    PUMPED_ON, /* a pump: its last days, over what rain and water level explain */
    CHANNELS
};

/* While it learns: means of the hours, in units. */
struct hour_log {
    int16_t hour[LOG_HOURS];
    double jumps, jump_sum; /* kW, from each interval to the next; their number */
    float before_kw;        /* NAN */
    double pump_n, pump_mean, pump_sq; /* kW of a running pump */
    int16_t pump_day[LOG_HOURS / 24];  /* its mean of the (UTC) days, in units */
    uint8_t heard[PROFILE_HOURS];      /* days on which the hour was measured */
};

/* What a pump takes in a day, of the rain that still drains or of the water level. */
struct by_water {
    bool known;
    uint8_t reservoir; /* rain: how fast it drains */
    float base_kw, slope_kw;
    float spread_kw; /* standard deviation of a day */
    float most;      /* mm or m up to which it was learned */
};

/* After it: the newest last, in units, over the reference. */
struct rings {
    int16_t hour[HOURS], capped[CAPPED], pump[PUMPED], held[HELD];
    int16_t pumped, nheld; /* known of the last two */
    uint32_t jumps;        /* one bit an interval, the newest lowest */
    int32_t fresh;         /* intervals since they began anew */
    float quarter[QUARTERS];
    float before_kw;      /* over it, the newest measured: for starts and stops */
    float beside_kw;      /* and beside the pump: for what is held */
    float pump_before_kw; /* of the pump, in the interval before; NAN: it was off */
    int16_t pump_day[PUMP_DAYS]; /* kW of the pump, in units, but not over anything */
};

struct reference {
    int64_t since;  /* the window began; NEVER */
    int64_t frozen; /* it ended; NEVER: it learns */
    int64_t next;   /* the interval that is due; NEVER */
    int32_t day;    /* since 1970, for which `edge` was found; LW_NONE */
    int32_t unit_w; /* of what is kept in int16 */
    int32_t log;    /* of core->log, since it began to learn; LW_NONE */
    bool watched;   /* the site was seen before it was closed */
    bool compared;  /* with sites like it, once */
    bool has_off, has_late, pumping;
    bool pumped_on;  /* farther from what water explains than doubt_kw, yesterday */
    uint8_t edge;    /* hours by which dusk and dawn may have moved */
    uint8_t in_hour; /* intervals that are known of the hour that is going on */

    /* Going on. */
    float off_kw;              /* the load beside the pump, lately */
    float late_kw, late_cold;  /* an interval that waits for the next, beside a pump */
    float cold_day, cold_days; /* K, faded over one and four days */
    float pump_kwh, pump_h;    /* of the pump in the day that is going on */
    float hour_kw, hour_capped_kw; /* sums of the hour that is going on */
    /* What was learned. */
    float mean_kw[PROFILE_HOURS]; /* without heating */
    float slope_kw;               /* a K below 15 degrees */
    float coldest;                /* K below 15 degrees up to which it is compared */
    float base_kw;                /* the profile's median */
    float core_kw;                /* over the upper profile, beyond this it is no noise */
    float jump_kw;                /* from one interval to the next, in the mean */
    float known_kw;               /* a level that was there while it learned; 0: none */
    float most_kw[REACHES], noise_kw[REACHES];
    float pump_kw, pump_noise_kw;     /* while it runs */
    float pump_day_kw, pump_usual_kw; /* of a day of much rain, of any day */
    struct by_water rain, level;
    float month_most; /* mm of rain in four weeks, up to which it was learned */
    float doubt_kw;   /* how far a pump may be from what water explains */
    struct rings rings;
};

/* One interval of a site. */
struct sample {
    int64_t from, interval;
    float kw;             /* beside what sub-meters explain; NAN */
    float cold;           /* K below 15 degrees */
    float declared_kw;    /* the ceilings of what lasts, its pumps aside; INFINITY */
    float pump_kw;        /* the ceiling of its pumps; 0: it has none */
    float resolution_kwh; /* of the register, where no power refines it */
    float share;          /* of all limits: 1, or less while a site is watched */
    bool pump_metered;    /* by a sub-meter, which says... */
    bool pump_runs;
    float pumped_kw;               /* and how much it was; NAN */
    bool permit;                   /* a permission for a time is in force */
    bool heated;                   /* heating is declared */
    bool told;                     /* the site's load stands out, and that is told */
    const struct lw_params *rules; /* the site's, when the window began */
};

struct found {
    float over[CHANNELS];  /* kW */
    float ratio[CHANNELS]; /* of it to the limit; NAN: not compared */
    float expected;        /* kW, the most that is usual now, with a running pump */
    float excess;          /* kW of this interval above that; NAN */
    float pumped;          /* kW that the pump took in this interval; NAN */
    struct {
        float kw, expected;
    } day, days; /* its mean of the day that has ended, and of the last days; NAN */
};

/* --- reference.c */
void reference_init(struct reference *r);
/* Somebody has refused what it learned, from a time on that has come. */
bool reference_is_refused(const struct reference *r, const struct lw_site *site,
                          int64_t at);
/* From now on it learns, and knows nothing of what it learned before. */
void reference_begin(struct lw_core *core, struct reference *r, int64_t at);
/* An empty log for it: the one that it has had in this core's life, or the next. */
void reference_open(struct lw_core *core, struct reference *r);
/* Whether it has heard each hour of the day often enough to learn from it; else it goes
 * on by a day, and forgets its first one. */
bool reference_has_heard(const struct hour_log *log);
void reference_go_on(struct reference *r, struct hour_log *log);
/* What was read from a checkpoint indexes nothing outside it. */
bool reference_sound(const struct reference *r);
/* Before each window: moves the edges of the night. */
void reference_day(struct reference *r, const struct lw_site *site, int64_t edge_ms,
                   int64_t at);
/* The most that is usual in that hour of the day, and at that time. */
float reference_upper(const struct reference *r, int hour);
float reference_expected(const struct reference *r, int64_t at, float cold);
/* K below 15 degrees that the site is judged by: as measured, or where that is not known,
 * the most that it may be, as far as heating is believed in or a heater is made for. */
float reference_cold(const struct lw_core *core, int32_t site, int64_t at);
/* The profile's mean, its least, and how far it rises above. */
float reference_mean(const struct reference *r);
float reference_low(const struct reference *r);
float reference_swing(const struct reference *r);
/* Its log; NULL once it has learned. */
struct hour_log *reference_log(const struct lw_core *core, const struct reference *r);
/* One interval: logged while there is a log, compared after that. */
void reference_sample(struct reference *r, struct hour_log *log, const struct sample *s,
                      struct found *f);
/* kW in the reference's unit, and back. */
int16_t reference_pack(const struct reference *r, float kw);
float reference_unpack(const struct reference *r, int16_t v);

/* --- reference_learn.c: once, when the window is over */
extern const int reach_hours[REACHES];
/* Returns how much an hour differs from day to day, kW: a deviation. */
float reference_learn(const struct lw_core *core, int32_t site, const struct sample *s);

/* --- pumping.c */
void pumping_learn(const struct lw_core *core, int32_t site, const struct hour_log *log);
/* After each interval: sums up the pump's day, and judges it when it is over. */
void pumping_sample(struct lw_core *core, int32_t site, const struct sample *s,
                    struct found *f);

/* --- compare.c */
void found_nothing(struct found *f);
/* An interval's load beside its pump, which began at `from`, or that of the
 * running pump above it */
struct beside {
    float kw, cold; /* NAN: none that counts */
    int64_t from;
    float pump_kw; /* NAN: it does not run */
};
void compare_begin(struct rings *g);
/* All lengths begin anew: what has been told is not told again, and a length that began
 * under a permit says nothing. */
void compare_wipe(struct reference *r);
void compare_sample(struct reference *r, const struct sample *s, const struct beside *b,
                    struct found *f);
/* What was to be expected over the time that the channel looked back at: with what is
 * over it, what was measured. */
float compare_expected(const struct lw_core *core, int32_t site, const struct sample *s,
                       const struct found *f, enum channel channel, int64_t from,
                       int64_t to);
/* The mean of a silence, from s->from to `to`. */
void compare_gap(const struct lw_core *core, int32_t site, const struct sample *s,
                 int64_t to, struct found *f);

#endif
