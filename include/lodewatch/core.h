/* The pure core: events in, effects out, one by one. It reads no clock, makes no system
 * call and allocates nothing in step; the same events give the same effects, byte for
 * byte, live, in replay and after a crash. */
#ifndef LODEWATCH_CORE_H
#define LODEWATCH_CORE_H

#include <stddef.h>
#include <stdint.h>

#include <lodewatch/alarm.h>
#include <lodewatch/event.h>
#include <lodewatch/ledger.h>
#include <lodewatch/pack.h>
#include <lodewatch/result.h>
#include <lodewatch/rules.h>
#include <lodewatch/tip_off.h>

/* Timers run at whole multiples of this. */
#define LW_CORE_TICK (10 * LW_SECOND)

enum lw_effect_kind {
    LW_EFFECT_STORE,    /* exactly one for each reading event: the reading as judged */
    LW_EFFECT_ALERT,    /* an alarm was raised, updated or returned */
    LW_EFFECT_TIP_OFF,  /* a record for discipline inspection, and nobody else */
    LW_EFFECT_EXCHANGE, /* a meter's serial number shows that it is another one now */
};

struct lw_effect {
    enum lw_effect_kind kind;
    lw_wall at; /* when it could be known */
    union {
        const struct lw_reading *reading; /* valid during emit */
        struct {
            enum lw_alert_kind kind;
            const struct lw_alarm *alarm; /* valid during emit */
        } alert;
        const struct lw_tip_off *tip_off; /* valid during emit */
        uint32_t meter;                   /* LW_EFFECT_EXCHANGE */
    };
};

typedef void lw_emit(void *arg, const struct lw_effect *effect);

struct lw_core;

/* Makes the core for a ledger and rules, which must outlive it. What `old` (NULL: none)
 * knew about the meters, sites, gateways and alarms that are still in the ledger goes
 * over, and so does where effects go. `old` is unchanged. */
LW_MUSTCHECK
int lw_core_new(const struct lw_ledger *ledger, const struct lw_rules *rules,
                const struct lw_core *old, struct lw_core **ret_core);
/* The last thing that `old` does: returns the alarms whose subjects are not in the ledger
 * of `next`, while they can still be named. */
void lw_core_retire(struct lw_core *old, const struct lw_core *next);
void lw_core_free(struct lw_core *core);
/* Where effects go; NULL: nowhere. */
void lw_core_on_effect(struct lw_core *core, lw_emit *emit, void *arg);

/* Cannot fail. An event earlier than the one before it is taken at that one's time. */
void lw_core_step(struct lw_core *core, const struct lw_event *event);

/* The time of the last event; LW_WALL_MIN before the first. */
lw_wall lw_core_now(const struct lw_core *core);
const struct lw_ledger *lw_core_ledger(const struct lw_core *core);
const struct lw_rules *lw_core_rules(const struct lw_core *core);

/* Standing alarms, in the order of their raising: the one after `alarm` (NULL: the
 * first), or NULL. */
const struct lw_alarm *lw_core_next_alarm(const struct lw_core *core,
                                          const struct lw_alarm *alarm);
/* The alarm with this id that stands, or has returned and is kept: for four weeks, or
 * until the next like it; NULL. */
const struct lw_alarm *lw_core_alarm(const struct lw_core *core,
                                     const uint8_t id[LW_ACT_ALARM]);
/* Whether an act would be done now: the core leaves out what may not be. LW_ENOTFOUND: no
 * such alarm stands; LW_EDENIED: its state does not allow it; LW_ERANGE: `until` is not
 * after now, or more than LW_SHELVED_MOST ahead. */
LW_MUSTCHECK
int lw_core_may(const struct lw_core *core, const struct lw_act *act);

/* What is known of a meter row, for people. */
struct lw_meter_view {
    lw_wall last_good; /* LW_WALL_MIN: none yet */
    int64_t power_w;   /* mean over the last interval; LW_NOT_GIVEN */
    int64_t import_wh; /* LW_NOT_GIVEN */
    uint32_t failures; /* reads failed since the last good one */
};
void lw_core_meter(const struct lw_core *core, int32_t meter,
                   struct lw_meter_view *ret_view);

/* The rows of the meters behind a gateway, `ret_n` of them; the core's. */
const int32_t *lw_core_gateway_meters(const struct lw_core *core, int32_t gateway,
                                      int32_t *ret_n);

/* What is known of a site: its balance over the last closed interval. */
struct lw_site_view {
    lw_wall from, to; /* LW_WALL_MIN: none yet */
    int64_t mean_w;   /* all supply points together; LW_NOT_GIVEN */
    int64_t
        expected_w; /* what its status and explanations allow; LW_NOT_GIVEN: no limit */
};
void lw_core_site(const struct lw_core *core, int32_t site,
                  struct lw_site_view *ret_view);

/* Writes the whole state in versioned tables; makes no system call and allocates nothing
 * itself, so that it may run in a forked child. */
int lw_core_save(const struct lw_core *core, struct lw_packer *p);
/* Reads it back into a core for the same ledger text. LW_EPARSE, LW_EVERSION, LW_ENOMEM.
 */
LW_MUSTCHECK
int lw_core_load(const struct lw_ledger *ledger, const struct lw_rules *rules,
                 const void *data, size_t n, struct lw_core **ret_core);

/* Bytes of state, for the benchmark. */
size_t lw_core_size(const struct lw_core *core);

#endif
