/* The core's state, shared by its rooms (core, detect, alarm) and by nobody else. */
#ifndef LIB_STATE_H
#define LIB_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/core.h>
#include <lodewatch/energy.h>
#include <lodewatch/schedule.h>

#define NEVER INT64_MIN

/* The register at a boundary of the site's interval. */
struct boundary {
    int64_t at; /* ms; NEVER: none */
    int64_t wh; /* energy counted since the meter's row began */
};

enum {
    BOUNDARIES = 4
};

/* One row of meters.csv. Times are ms. */
struct meter_state {
    int64_t newest; /* of the readings' times, good or not */
    int64_t heard;  /* when the last good sample came in, or since when one is owed */
    int64_t back;   /* since when good samples come again, while comm_loss stands */
    struct lw_register_state reg;
    int64_t total_wh;   /* the register unrolled: energy since the row began */
    int64_t power_w;    /* mean between the last two registers; LW_NOT_GIVEN */
    int64_t moved;      /* time of the reading at which the register last moved */
    int64_t due_mwh;    /* energy that the power readings promise since (1/1000 Wh) */
    int64_t power_at;   /* time of the last power reading; NEVER */
    int64_t promised_w; /* and its value */
    int64_t jump_at;    /* when the register last jumped; NEVER */
    int64_t stuck_at;   /* when it was last found stuck; NEVER */
    int64_t step_wh;    /* of the register, as its profile says; 0: not known */
    int64_t modulus_wh;
    int64_t most_w;
    uint64_t serial; /* hash of the serial number that it last gave; 0: none */
    uint32_t failures;
    uint8_t silent;    /* no good sample for as long as comm_loss allows */
    uint8_t exchanged; /* its register begins anew with the next reading */
    struct boundary mark[BOUNDARIES];
};

/* Excess over the allowance, summed up since it began. */
struct run {
    int64_t from; /* ms; NEVER: none */
    int64_t to;
    int64_t energy_wh;
    int64_t allowed_wh;
    int64_t excess_wh;
    int64_t peak_w;
    int64_t over_ms;  /* of it over the allowance without a break until it raised */
    int64_t clear_ms; /* explained without a break since */
    int64_t night_ms;
    int64_t samples_good;
};

struct site_state {
    int64_t interval;  /* ms: the balance's grid */
    int64_t closed;    /* up to where the balance is closed; NEVER */
    int64_t last_from; /* the last window that was balanced */
    int64_t last_to;
    int64_t last_wh;
    int64_t last_allowed_wh; /* LW_NOT_GIVEN: no limit */
    int64_t good;            /* good samples since the last closing */
    struct run load;         /* closed_load */
    struct run production;   /* licence_gap */
    struct lw_sha256 sha;    /* readings since the run's first window began */
};

struct gateway_state {
    int64_t heard;
    int64_t back;
    int64_t overran; /* when a read of its meters was last due again too early; NEVER */
    int64_t overran_from; /* since when they are, without a pause that clears it, */
    int64_t overruns;     /* and how many were */
};

/* A standing alarm, in the order of raising. A free one has its follower in `next`. */
struct standing {
    struct lw_alarm alarm;
    int32_t next, prev;
};

/* The times of the last raisings, in a ring, and the flood that they may be. */
struct flood {
    int64_t raised[LW_FLOOD_ALARMS]; /* ms; NEVER: none yet */
    uint32_t next;                   /* in the ring: the oldest */
    uint32_t alarms;                 /* of the flood so far; 0: there is none */
};

/* Where the slots of a kind of subject are: one for each rule that can speak about it. */
struct slots {
    int32_t first;
    int32_t each;
    int8_t of[LW_RULES]; /* the rule's place among them; -1: it never speaks */
};

struct lw_core {
    const struct lw_ledger *ledger;
    const struct lw_rules *rules;
    lw_emit *emit;
    void *emit_arg;

    int64_t now; /* ms; NEVER before the first event */
    int32_t
        covered; /* sites that this round of coverage has looked at; 0: none under way */

    struct meter_state *meter;
    struct site_state *site;
    struct gateway_state *gateway;
    struct feeder *feeder; /* lib/detect/feeder.h */
    struct child *child;   /* in order of their feeders */
    int32_t nfeeders, nchildren;
    int32_t *as_feeder, *as_child; /* by meter: whose register it is; LW_NONE */
    int32_t *gateway_meters;       /* meters in order of gateway, for correlation */
    int32_t *gateway_first;        /* ngateways + 1 */
    bool *answered;                /* by area: somebody answers for it; then by site */
    struct slots slots[LW_SUBJECT_KINDS];
    int32_t *slot;             /* what stands there, or LW_NONE: an index into... */
    struct standing *standing; /* ...as many as there are slots, touched when needed */
    int32_t nslots;
    int32_t first_standing, last_standing, nstanding; /* in order of raising */
    int32_t first_free, ntouched;
    struct flood flood;

    struct lw_due
        *timers;   /* keys: meters, then sites, then gateways, then one for the core */
    bool starting; /* timers have not been laid yet */
};

/* What validation and the register say about one reading. */
struct judged {
    const struct lw_reading *reading; /* as judged: q has quality and marks */
    bool good;                        /* a good sample */
    bool has_step;                    /* the register was read and compared */
    struct lw_register_step step;
};

/* A closed stretch of a site's balance, all supply points together; or the gap of one
 * that comes back, which reaches behind windows that were closed without it. */
struct window {
    int32_t site;
    int64_t from, to; /* ms */
    int64_t supply_wh;
    int64_t resolution_wh;
    int64_t samples_good;
    bool partial; /* a supply point is missing: a lower bound */
};

static inline const struct lw_metering_point *
meter_point(const struct lw_core *core, int32_t meter)
{
    return &core->ledger->point[core->ledger->meter[meter].point];
}

/* What the register cannot show, by the ledger and by its form on the wire; 0: not known.
 */
static inline int64_t
meter_resolution(const struct lw_core *core, int32_t meter)
{
    int64_t wh = core->ledger->meter[meter].resolution_wh;

    if (wh == LW_NOT_GIVEN || wh < core->meter[meter].step_wh)
        wh = core->meter[meter].step_wh;
    return wh;
}

static inline bool
in_place(const struct lw_meter *meter, int64_t at)
{
    return meter->installed.ms <= at && at < meter->removed.ms;
}

/* One timer a meter, a site, a gateway, a feeder, and one for the ledger as a whole. */
static inline int32_t
core_ntimers(const struct lw_core *core)
{
    return core->ledger->nmeters + core->ledger->nsites + core->ledger->ngateways +
           core->nfeeders + 1;
}

/* --- core.c: timers. A timer fires at the first whole tick that is not before it. */
void core_timer_meter(struct lw_core *core, int32_t meter, int64_t at);
void core_timer_site(struct lw_core *core, int32_t site, int64_t at);
void core_timer_gateway(struct lw_core *core, int32_t gateway, int64_t at);
void core_timer_feeder(struct lw_core *core, int32_t feeder, int64_t at);
void core_timer_ledger(struct lw_core *core, int64_t at);

/* --- core_new.c: the row of the new ledger that is this one of the old; LW_NONE. */
int32_t core_same_meter(const struct lw_core *core, const struct lw_core *old,
                        int32_t meter);

/* --- detect/balance.c */
void balance_reading(struct lw_core *core, int32_t meter, const struct judged *judged);
void balance_timer(struct lw_core *core, int32_t site);
/* Energy of the point between two boundaries; false where it is not known. */
bool balance_energy(const struct lw_core *core, int32_t point, int64_t from, int64_t to,
                    int64_t *ret_wh, int64_t *ret_resolution_wh);

/* --- detect/feeder_new.c, feeder.c */
/* Lays out the ledger's feeders and their children; LW_ENOMEM. */
int feeder_layout(struct lw_core *core);
void feeder_take_over(struct lw_core *core, const struct lw_core *old);
void feeder_free(struct lw_core *core);
size_t feeder_size(const struct lw_core *core);
void feeder_save(const struct lw_core *core, struct lw_packer *p);
/* LW_ENOTFOUND: none of its tables. */
int feeder_load(struct lw_core *core, struct lw_unpacker *u,
                const struct lw_table_head *head);
void feeder_timer(struct lw_core *core, int32_t feeder);
void feeder_step_back(struct lw_core *core, int64_t at);

/* --- detect/expect.c: what a site may draw in a window. */
struct expectation {
    int64_t allowed_wh; /* by declared ceilings and what sub-meters measured */
    bool unlimited;     /* an explanation in force covers any load */
    bool any;           /* one is in force at all */
    bool unmeasured; /* a sub-meter is silent: the benefit of the doubt clears nothing */
};
struct expectation expect(const struct lw_core *core, const struct window *window);

/* --- detect/: a family of rules listens to what concerns it; families.c has the table.
 */
struct family {
    void (*window)(struct lw_core *core, const struct window *window);
    void (*reading)(struct lw_core *core, int32_t meter, const struct judged *judged);
    void (*failed)(struct lw_core *core, int32_t meter, enum lw_read_failure why);
    void (*meter_timer)(struct lw_core *core, int32_t meter);
    void (*gateway_timer)(struct lw_core *core, int32_t gateway);
    void (*ledger)(struct lw_core *core); /* a ledger has been in force for a while */
};
extern const struct family detect_site_load; /* closed_load, licence_gap */
extern const struct family detect_silence;   /* comm_loss */
extern const struct family detect_overrun;   /* comm_loss, too */
extern const struct family detect_register;  /* register_jump, stuck_register */
extern const struct family detect_feeder;    /* feeder_residual, displacement */
extern const struct family detect_coverage;  /* coverage */
extern const struct family *const detect_families[];
extern const int detect_nfamilies;

/* --- alarm/alarm.c */
struct subject {
    enum lw_subject_kind kind; /* a feeder's point is LW_SUBJECT_POINT here */
    int32_t index;
};
/* The alarm that stands; NULL: none. */
const struct lw_alarm *alarm_of(const struct lw_core *core, enum lw_rule_id rule,
                                struct subject subject);
static inline bool
alarm_stands(const struct lw_core *core, enum lw_rule_id rule, struct subject subject)
{
    return alarm_of(core, rule, subject) != NULL;
}
/* Whether the rule can speak about such a subject at all. */
static inline bool
alarm_speaks(enum lw_rule_id rule, enum lw_subject_kind kind)
{
    return lw_rule_info(rule)->subjects >> kind & 1;
}
/* Lays out the slots for the core's ledger. */
void alarm_layout(struct lw_core *core);
/* Raises, or updates where it stands and the evidence has changed materially or is six
 * days old. The evidence is copied. */
void alarm_set(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
               enum lw_priority priority, const struct lw_evidence *evidence);
/* Returns it where it stands; NULL keeps the evidence that it had. */
void alarm_return(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
                  const struct lw_evidence *evidence);
/* Returns it where it stands: its subject is not there any more. */
void alarm_gone(struct lw_core *core, enum lw_rule_id rule, struct subject subject);
/* Tells again, with the evidence that it had, what nothing has updated for a week: its
 * meter is silent. Returns when to look again, in an hour or later. */
int64_t alarm_remind(struct lw_core *core);
/* Lets an alarm stand that was raised elsewhere (checkpoint, old core). */
void alarm_take(struct lw_core *core, const struct lw_alarm *alarm);
/* The priority of what happens at a site: higher where nothing should run. */
enum lw_priority alarm_site_priority(const struct lw_core *core, int32_t site);

#endif
