/* The core's state, shared by its rooms (core, detect, alarm) and by nobody else. */
#ifndef LIB_STATE_H
#define LIB_STATE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/core.h>
#include <lodewatch/energy.h>
#include <lodewatch/schedule.h>

#include "lib/alarm/seal.h"
#include "lib/detect/peers.h"
#include "lib/detect/reference.h"
#include "lib/detect/unusual.h"
#include "lib/detect/weather.h"

#define NEVER INT64_MIN

/* The register at a boundary of the site's interval. */
struct boundary {
    int64_t at; /* ms; NEVER: none */
    int64_t wh; /* energy counted since the meter's row began */
};

enum {
    BOUNDARIES = 4,
    PHASES = 3
};

/* What a meter's phases look like when nothing is wrong, learned slowly. */
struct wiring {
    int32_t voltage[PHASES]; /* dV */
    int32_t share[PHASES];   /* 1/1000 of the sum of the currents */
    int32_t current;         /* mA, the sum */
    int32_t power;           /* active power in 1/1000 of the sum of U x I */
    uint32_t n;              /* samples that it was learned from, up to a limit */
};

/* A register against the integral of power, over stretches where both are known. */
struct sum {
    int64_t ms;
    int64_t register_wh;
    int64_t power_mwh; /* 1/1000 Wh */
    int64_t slack_mwh; /* what the power may have done between its samples */
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
    int64_t due_since;  /* and since when power has promised that it should */
    int64_t due_mwh;    /* energy that the power readings promise since (1/1000 Wh) */
    int64_t power_at;   /* time of the last power reading; NEVER */
    int64_t promised_w; /* and its value */
    int64_t jump_at;    /* when the register last jumped; NEVER */
    int64_t stuck_at;   /* when it was last found stuck; NEVER */
    int64_t step_wh;    /* of the register, as its profile says; 0: not known */
    int64_t modulus_wh;
    int64_t most_w;
    uint64_t serial;       /* hash of the serial number that it last gave; 0: none */
    int64_t stood_most;    /* ms: the longest stand that ended by itself */
    int64_t mute;          /* since when it gives no power, having given it; NEVER */
    int64_t same;          /* since when every value is the same; NEVER */
    int64_t export_wh;     /* the export register; LW_NOT_GIVEN */
    int64_t reversed;      /* since when energy flows backwards; NEVER */
    int64_t reversed_seen; /* and until when */
    int64_t reversed_at;   /* when it was last seen to while the alarm stood; NEVER */
    int64_t phase_lost;    /* since when a phase is missing; NEVER */
    int64_t phase_at;      /* when it was last found so; NEVER */
    int64_t returned;      /* when comm_loss last returned; NEVER */
    struct sum sum;
    struct wiring wiring;
    uint32_t values;   /* a hash of the last values */
    uint32_t grain_wh; /* the greatest common divisor of its steps; 0: none yet */
    uint32_t failures;
    uint16_t power_n;  /* readings that gave power, up to a limit */
    uint16_t move_n;   /* steps of the register, likewise */
    uint8_t flaps;     /* comm_loss raised again within a day, so often in a row */
    uint8_t same_n;    /* readings in a row with the same values, up to a limit */
    uint8_t odd;       /* registers in a row that were not believed, up to a limit */
    uint8_t drifts;    /* clocks read in a row that were wrong, up to a limit */
    uint8_t silent;    /* no good sample for a few intervals */
    uint8_t exchanged; /* its register begins anew with the next reading */
    struct seal seal;
    struct boundary mark[BOUNDARIES];
};

/* Excess over what is explained, summed up since it began. */
struct run {
    int64_t from; /* ms; NEVER: none */
    int64_t to;
    int64_t energy_wh;
    int64_t allowed_wh;
    int64_t excess_wh;
    int64_t peak_w;
    int64_t samples_good;
};

/* Of a site's balance over a limit. */
struct over_run {
    struct run run;
    int64_t over_wh;  /* above the limit, as a sum, up to a step of the register */
    int64_t spare_wh; /* allowed and not drawn, likewise */
    int64_t clear_ms; /* explained without a break since */
    int64_t night_ms;
};

/* Of what advances after a cutoff. */
struct dark_run {
    struct run run;
    int64_t spare_wh; /* as above */
    int64_t clear_ms;
};

/* What a site has drawn in this month, or this year, local time; for over_licence. */
struct drawn {
    int64_t from; /* ms */
    int64_t wh;
    int64_t peak_w;
    int64_t samples_good;
};
struct output {
    int32_t number; /* of the month: year * 12 + month; 0: none yet */
    struct drawn month, year;
};

/* And on this day, of which so much is explained; for process_share. */
struct share {
    int64_t ms;
    int64_t wh;
    int64_t allowed_wh;
    int64_t peak_w;
    int64_t windows;
};

/* A run of excess over the reference, with what raised it. */
struct excess {
    struct run run;
    int64_t night_ms;
    int64_t doubt;     /* when something a little over a limit was first seen; 0 */
    int64_t quiet_ms;  /* its channel has been well within its limit */
    int32_t within_ms; /* no channel has been over its own */
    int32_t confidence_milli;
    int64_t since_wh; /* excess since it was found */
    int32_t low_w;    /* preexisting: what is no shift */
    uint8_t rule;     /* which of them raised it */
    uint8_t channel;  /* enum channel: the quickest that was over */
    uint8_t finding;  /* enum lw_finding */
};

struct site_state {
    int64_t interval;  /* ms: the balance's grid */
    int64_t closed;    /* up to where the balance is closed; NEVER */
    int64_t last_from; /* the last window that was balanced */
    int64_t last_to;
    int64_t last_wh;
    int64_t last_allowed_wh;    /* LW_NOT_GIVEN: no limit */
    struct over_run load;       /* closed_load */
    struct over_run production; /* licence_gap */
    struct over_run demand;     /* over_contract */
    struct output output;
    struct share share;
    int32_t profile;      /* or LW_NONE */
    uint32_t ngood;       /* good samples since the last closing */
    struct dark_run dark; /* post_cutoff */
    struct reference reference;
    struct excess excess; /* night_load, production_shape, slow_creep */
};

_Static_assert(sizeof(struct meter_state) + sizeof(struct site_state) <= 1840,
               "of 2 KB a closed site: the rest are its timers, slots and context");

struct gateway_state {
    int64_t heard;
    int64_t back;
    int64_t returned;
    uint8_t flaps;
    int64_t overran; /* when a read of its meters was last due again too early; NEVER */
    int64_t overran_from; /* since when they are, without a pause that clears it, */
    int64_t overruns;     /* and how many were */
};

/* What an alarm is about. */
struct subject {
    enum lw_subject_kind kind; /* a feeder's point is LW_SUBJECT_POINT here */
    int32_t index;
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
    /* Whoever judges a site asks site_rules or meter_rules; `all` is for feeders,
     * gateways and the ledger. */
    const struct lw_rules *book;
    lw_emit *emit;
    void *emit_arg;

    int64_t now; /* ms; NEVER before the first event */
    int32_t
        covered; /* sites that this round of coverage has looked at; 0: none under way */

    struct meter_state *meter;
    struct site_state *site;
    struct profile *profile; /* of the sites that have one */
    int32_t nprofiles;
    struct hour_log *log; /* of the sites that learn: room for all, touched when needed;
                             the next core has those that still do */
    int32_t nlogs;        /* so many were */
    struct gateway_state *gateway;
    struct weather *weather; /* context instruments, by point */
    int32_t nweather;
    struct ears *ears; /* by site */
    struct peers peers[PEER_STATUSES][PEER_KINDS];
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
    int32_t first_standing, last_standing; /* in order of raising */
    int32_t nlisted;                       /* so many, the returned ones too */
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
    bool measured; /* good as it came: its other values hold, whatever its register */
    bool has_step; /* the register was read and compared */
    struct lw_register_step step;
};

/* What a site may draw in a window (detect/expect.c). */
struct expectation {
    int64_t allowed_wh;      /* by declared ceilings and what sub-meters measured */
    int64_t measured_wh;     /* of it by sub-meters */
    int64_t pump_w;          /* ceiling of a pump that no sub-meter measures */
    int64_t metered_pump_w;  /* of one that a sub-meter measures */
    int64_t metered_pump_wh; /* which it did */
    int64_t heating_ms;      /* for so long heating is declared without a ceiling */
    bool heated;             /* it is declared at all */
    bool unlimited;          /* an explanation in force covers any load */
    bool any;                /* one is in force at all */
    bool unmeasured; /* a sub-meter is silent: the benefit of the doubt clears nothing */
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
    bool older;   /* than its site's status: what stands since is not moot by it */
    /* As the window began: */
    enum lw_site_status status;
    const struct lw_params *rules;
    struct expectation expected; /* and all through it */
};

static inline const struct lw_metering_point *
meter_point(const struct lw_core *core, int32_t meter)
{
    return &core->ledger->point[core->ledger->meter[meter].point];
}

/* Steps from which on what they have in common is taken for the register's own. */
enum {
    GRAIN_MOVES = 50
};

/* What the register cannot show, by the ledger and by its form on the wire, else as its
 * steps have shown; 0: not known. */
static inline int64_t
meter_resolution(const struct lw_core *core, int32_t meter)
{
    const struct meter_state *m = &core->meter[meter];
    int64_t wh = core->ledger->meter[meter].resolution_wh;

    if (wh == LW_NOT_GIVEN)
        wh = m->move_n < GRAIN_MOVES ? 0 : m->grain_wh;
    return wh > m->step_wh ? wh : m->step_wh;
}

static inline bool
in_place(const struct lw_meter *meter, int64_t at)
{
    return meter->installed.ms <= at && at < meter->removed.ms;
}

/* One timer a meter, a site, a gateway, a feeder, one for the ledger as a whole, and one
 * for shelved alarms. */
static inline int32_t
core_ntimers(const struct lw_core *core)
{
    return core->ledger->nmeters + core->ledger->nsites + core->ledger->ngateways +
           core->nfeeders + 2;
}

/* The parameters for the site, as its status was then. */
static inline const struct lw_params *
site_rules(const struct lw_core *core, int32_t site, int64_t at)
{
    const struct lw_site *s = &core->ledger->site[site];

    return &core->book->of[lw_site_status_at(s, (lw_wall){at})][s->kind];
}

/* The same for a meter's site, now; for all, where it has none: a feeder's own. */
static inline const struct lw_params *
meter_rules(const struct lw_core *core, int32_t meter)
{
    int32_t site = meter_point(core, meter)->site;

    return site == LW_NONE ? &core->book->all : site_rules(core, site, core->now);
}

/* --- core.c: timers. A timer fires at the first whole tick that is not before it. */
void core_timer_meter(struct lw_core *core, int32_t meter, int64_t at);
void core_timer_site(struct lw_core *core, int32_t site, int64_t at);
void core_timer_gateway(struct lw_core *core, int32_t gateway, int64_t at);
void core_timer_feeder(struct lw_core *core, int32_t feeder, int64_t at);
void core_timer_ledger(struct lw_core *core, int64_t at);
void core_timer_shelf(struct lw_core *core, int64_t at); /* or earlier, as it was */

/* --- core_back.c: the wall clock was set back to `at`. */
void core_step_back(struct lw_core *core, int64_t at);

/* --- detect/points.c: what rules about one metering point share */
static inline struct subject
detect_point(const struct lw_core *core, int32_t meter)
{
    return (struct subject){LW_SUBJECT_POINT, core->ledger->meter[meter].point};
}
/* Medium at least: a meter that cannot be trusted hides what it should show. */
enum lw_priority detect_point_priority(const struct lw_core *core, int32_t meter);
/* The point's alarm stands, and its reason was last seen long enough ago. */
bool detect_point_over(const struct lw_core *core, int32_t meter, enum lw_rule_id rule,
                       int64_t *seen_at, int64_t clear_ms);

/* --- core_new.c: the row of the new ledger that is this one of the old; LW_NONE. */
int32_t core_same_meter(const struct lw_core *core, const struct lw_core *old,
                        int32_t meter);

/* --- detect/balance.c */
void balance_reading(struct lw_core *core, int32_t meter, const struct judged *judged);
void balance_timer(struct lw_core *core, int32_t site);
/* What the meter's register said up to now is no ground for what comes. */
void balance_forget(struct lw_core *core, int32_t meter);
/* The row of meters.csv that is at the point at that time; LW_NONE. */
int32_t balance_row(const struct lw_ledger *ledger, int32_t point, int64_t at);
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

/* --- detect/expect.c */
/* What holds for the window: its site's status and rules, and what it may draw. */
void expect(const struct lw_core *core, struct window *window);
/* A permission for a time (maintenance, rescue) is in force. */
bool expect_permit(const struct lw_core *core, int32_t site, int64_t from, int64_t to);
/* kW that are declared for the site then, beside a household's, pumps, and what
 * sub-meters measure; INFINITY: some of it without a limit. */
float expect_declared_kw(const struct lw_core *core, int32_t site, int64_t from,
                         int64_t to);

/* --- alarm/alarm.c */
/* The slot of the rule at a subject that it can speak about. */
static inline int32_t
alarm_slot(const struct lw_core *core, enum lw_rule_id rule, struct subject subject)
{
    const struct slots *slots = &core->slots[subject.kind];

    assert(slots->of[rule] >= 0);
    return slots->first + subject.index * slots->each + slots->of[rule];
}
static inline bool
alarm_has_returned(const struct lw_alarm *alarm)
{
    return alarm->returned.ms != LW_WALL_MIN.ms;
}
/* The alarm that stands; NULL: none. */
static inline const struct lw_alarm *
alarm_of(const struct lw_core *core, enum lw_rule_id rule, struct subject subject)
{
    int32_t i = core->slot[alarm_slot(core, rule, subject)];
    const struct lw_alarm *alarm = i == LW_NONE ? NULL : &core->standing[i].alarm;

    return alarm && !alarm_has_returned(alarm) ? alarm : NULL;
}
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
/* Whether the like of it has returned not long ago; then it is told so. */
bool alarm_recall(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
                  enum lw_priority priority, const struct lw_evidence *evidence);
/* Returns it where it stands; NULL keeps the evidence that it had. A load is remembered
 * for two weeks: when the like of it comes back, alarm_set tells that as a revision of
 * the returned alarm, and raises none. */
void alarm_return(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
                  const struct lw_evidence *evidence);
/* Returns it where it stands: its subject is not there any more. */
void alarm_gone(struct lw_core *core, enum lw_rule_id rule, struct subject subject);
/* The same: by the ledger the rule does not concern its subject any more. */
void alarm_moot(struct lw_core *core, enum lw_rule_id rule, struct subject subject);
/* Tells again, with the evidence that it had, what nothing has updated for a week: its
 * meter is silent. Returns when to look again, in an hour or later. */
int64_t alarm_remind(struct lw_core *core);
/* Lets an alarm stand that was raised elsewhere (checkpoint, old core). */
void alarm_take(struct lw_core *core, const struct lw_alarm *alarm);
/* A new revision of a standing alarm, as it is. */
void alarm_tell(struct lw_core *core, struct lw_alarm *alarm);
/* The priority of what happens at a site: higher where nothing should run. */
enum lw_priority alarm_site_priority(const struct lw_core *core, int32_t site);

#include "lib/detect/family.h"

#endif
