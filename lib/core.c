/* The core's step: an event in, effects out. Validates each reading, then lets the
 * families of rules see what concerns them. Owns the timers. */
#include <string.h>

#include <lodewatch/hash.h>

#include "lib/alarm/act.h"
#include "lib/state.h"

/* --- timers */

static int32_t
key_site(const struct lw_core *core, int32_t site)
{
    return core->ledger->nmeters + site;
}

static int32_t
key_gateway(const struct lw_core *core, int32_t gateway)
{
    return key_site(core, core->ledger->nsites) + gateway;
}

static int32_t
key_feeder(const struct lw_core *core, int32_t feeder)
{
    return key_gateway(core, core->ledger->ngateways) + feeder;
}

static int32_t
key_ledger(const struct lw_core *core)
{
    return key_feeder(core, core->nfeeders);
}

static int32_t
key_shelf(const struct lw_core *core)
{
    return key_ledger(core) + 1;
}

void
core_timer_meter(struct lw_core *core, int32_t meter, int64_t at)
{
    lw_due_set(core->timers, meter, at);
}

void
core_timer_site(struct lw_core *core, int32_t site, int64_t at)
{
    lw_due_set(core->timers, key_site(core, site), at);
}

void
core_timer_gateway(struct lw_core *core, int32_t gateway, int64_t at)
{
    lw_due_set(core->timers, key_gateway(core, gateway), at);
}

void
core_timer_feeder(struct lw_core *core, int32_t feeder, int64_t at)
{
    lw_due_set(core->timers, key_feeder(core, feeder), at);
}

void
core_timer_ledger(struct lw_core *core, int64_t at)
{
    lw_due_set(core->timers, key_ledger(core), at);
}

void
core_timer_shelf(struct lw_core *core, int64_t at)
{
    int64_t due;

    if (!lw_due_get(core->timers, key_shelf(core), &due) || at < due)
        lw_due_set(core->timers, key_shelf(core), at);
}

/* Meters and statuses come and go by date, and nothing may stand untold for a week. */
static void
fire_ledger(struct lw_core *core)
{
    int64_t day = core->now + LW_DAY;
    int64_t next;

    for (int i = 0; i < detect_nfamilies; i++)
        if (detect_families[i]->ledger)
            detect_families[i]->ledger(core);
    next = core->covered > 0 ? core->now + LW_CORE_TICK : alarm_remind(core);
    core_timer_ledger(core, next < day ? next : day);
}

static void
fire(struct lw_core *core, int32_t key)
{
    if (key == key_shelf(core)) {
        shelf_timer(core);
    } else if (key == key_ledger(core)) {
        fire_ledger(core);
    } else if (key >= key_feeder(core, 0)) {
        feeder_timer(core, key - key_feeder(core, 0));
    } else if (key >= key_gateway(core, 0)) {
        for (int i = 0; i < detect_nfamilies; i++)
            if (detect_families[i]->gateway_timer)
                detect_families[i]->gateway_timer(core, key - key_gateway(core, 0));
    } else if (key >= key_site(core, 0)) {
        balance_timer(core, key - key_site(core, 0));
    } else {
        for (int i = 0; i < detect_nfamilies; i++)
            if (detect_families[i]->meter_timer)
                detect_families[i]->meter_timer(core, key);
    }
}

/* Runs what is due at each whole tick up to `at`, stamped with that tick: so it makes no
 * difference how many ticks come in between. */
static void
run_timers(struct lw_core *core, int64_t at)
{
    int32_t key;
    int64_t due;

    while (lw_due_first(core->timers, &key, &due)) {
        int64_t tick = lw_floor_to(due + LW_CORE_TICK - 1, LW_CORE_TICK);

        if (tick > at)
            return;
        lw_due_remove(core->timers, key);
        if (tick > core->now)
            core->now = tick;
        fire(core, key);
    }
}

/* --- one reading */

/* Where neither the ledger nor the profile says what the connection carries: what a meter
 * does, at 230 V a phase through a transformer of 5 A that is loaded to 6 A, or 100 A
 * without one; or four times what the contract allows. */
enum {
    CLASS_V = 3 * 230,
    CLASS_A = 100,
    CLASS_CT_A = 6,
    CONTRACT_TIMES = 4
};

static int64_t
class_w(const struct lw_meter *meter)
{
    int64_t ma = CLASS_A * 1000, uw;

    if ((meter->ct_milli > 1000 &&
         __builtin_mul_overflow(CLASS_CT_A, meter->ct_milli, &ma)) ||
        __builtin_mul_overflow(ma, CLASS_V, &uw) ||
        __builtin_mul_overflow(uw, meter->pt_milli, &uw) ||
        uw / 1000000 > INT64_MAX / LW_HOUR)
        return INT64_MAX / LW_HOUR;
    return uw / 1000000;
}

static void
limits_of(const struct lw_core *core, int32_t index, struct lw_register_limits *limits)
{
    const struct lw_meter *meter = &core->ledger->meter[index];
    const struct meter_state *m = &core->meter[index];
    const struct lw_metering_point *point = &core->ledger->point[meter->point];

    limits->most_w = meter->rated_w != LW_NOT_GIVEN ? meter->rated_w : m->most_w;
    if (limits->most_w == 0) {
        int64_t contract_w =
            point->site == LW_NONE ? 0 : core->ledger->site[point->site].contract_w;

        limits->most_w = class_w(meter);
        if (contract_w > limits->most_w / CONTRACT_TIMES)
            limits->most_w = CONTRACT_TIMES * contract_w;
    }
    limits->modulus_wh =
        meter->modulus_wh == LW_NOT_GIVEN ? m->modulus_wh : meter->modulus_wh;
    limits->resolution_wh = meter_resolution(core, index);
}

static uint16_t
mark_of(enum lw_register_verdict verdict)
{
    switch (verdict) {
    case LW_REGISTER_ROLLED:
        return LW_MARK_ROLLOVER;
    case LW_REGISTER_ODD_FELL:
    case LW_REGISTER_FELL:
    case LW_REGISTER_BACKWARDS:
        return LW_MARK_RESET;
    case LW_REGISTER_ODD_LEAPT:
    case LW_REGISTER_LEAPT:
        return LW_MARK_JUMP;
    case LW_REGISTER_FIRST:
    case LW_REGISTER_ADVANCED:
    case LW_REGISTER_CARRIED:
        break;
    }
    return 0;
}

enum {
    COUNT_MOST = 1000
};

/* What all steps of the register have in common. */
static void
learn_grain(struct meter_state *m, int64_t given_wh, int64_t step_wh)
{
    uint32_t a = m->grain_wh, b = (uint32_t)step_wh;

    if (step_wh <= 0 || m->move_n >= COUNT_MOST)
        return;
    m->move_n++;
    if (given_wh != LW_NOT_GIVEN || step_wh > UINT32_MAX)
        return;
    while (b != 0) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    m->grain_wh = a;
}

/* Compares the register with what it was, and unrolls it. */
static void
judge_register(struct lw_core *core, int32_t index, struct lw_reading *r,
               struct judged *judged)
{
    const struct lw_meter *meter = &core->ledger->meter[index];
    struct meter_state *m = &core->meter[index];
    struct lw_register_limits limits;
    struct lw_register_step *step = &judged->step;

    limits_of(core, index, &limits);
    *step = lw_register_advance(&m->reg, &limits, r->time.ms, r->value[LW_IMPORT]);
    judged->has_step = true;
    r->q |= mark_of(step->verdict);
    if (step->verdict == LW_REGISTER_ODD_FELL || step->verdict == LW_REGISTER_ODD_LEAPT ||
        step->verdict == LW_REGISTER_BACKWARDS) {
        r->q = (uint16_t)((r->q & ~LW_QUALITY_MASK) | LW_SUSPECT);
        judged->good = false;
        return;
    }
    if (step->verdict == LW_REGISTER_FIRST) {
        if (m->exchanged || index > core->ledger->point[meter->point].meter_first)
            r->q |= LW_MARK_EXCHANGE;
        m->exchanged = false;
        return;
    }
    if (step->verdict == LW_REGISTER_ADVANCED)
        learn_grain(m, meter->resolution_wh, step->energy_wh);
    m->total_wh += step->energy_wh;
    if (r->time.ms > step->from)
        m->power_w = lw_muldiv(step->energy_wh, LW_HOUR, r->time.ms - step->from);
}

static void
emit_reading(struct lw_core *core, const struct lw_reading *reading)
{
    struct lw_effect effect = {
        .kind = LW_EFFECT_STORE, .at = {core->now}, .reading = reading};

    if (core->emit)
        core->emit(core->emit_arg, &effect);
}

/* A register that stands, or runs backwards, says nothing of what was used. */
static void
doubt(struct judged *judged, struct lw_reading *r, uint16_t mark)
{
    r->q |= mark;
    if (judged->good)
        r->q = (uint16_t)((r->q & ~LW_QUALITY_MASK) | LW_SUSPECT);
    judged->good = false;
}

/* No clock is a day ahead; a date is. Were it believed, all that follows would be late.
 */
#define AHEAD_MOST LW_DAY

static void
step_reading(struct lw_core *core, const struct lw_reading *in)
{
    struct meter_state *m = &core->meter[in->meter];
    struct lw_reading r = *in;
    struct judged judged = {.reading = &r, .good = lw_reading_quality(in) == LW_GOOD};
    struct subject point = {LW_SUBJECT_POINT, core->ledger->meter[in->meter].point};

    judged.measured = judged.good;
    r.q &= LW_QUALITY_MASK;
    if (r.time.ms <= m->newest || r.time.ms < 0 || /* nothing is indexed by those */
        r.time.ms - core->now > AHEAD_MOST) {
        r.q |= r.time.ms == m->newest ? LW_MARK_REPEATED : LW_MARK_LATE;
        emit_reading(core, &r);
        return;
    }
    if (judged.good && lw_reading_has(&r, LW_IMPORT))
        judge_register(core, (int32_t)in->meter, &r, &judged);
    if (judged.good && m->failures > 0) {
        r.q |= LW_MARK_GAP;
        m->failures = 0;
    }
    if (alarm_stands(core, LW_RULE_STUCK_REGISTER, point))
        doubt(&judged, &r, LW_MARK_STUCK);
    if (alarm_stands(core, LW_RULE_CT_REVERSAL, point))
        doubt(&judged, &r, 0);
    seal_add(&m->seal, m->newest, &r);
    m->newest = r.time.ms;
    for (int i = 0; i < detect_nfamilies; i++)
        if (detect_families[i]->reading)
            detect_families[i]->reading(core, (int32_t)in->meter, &judged);
    if (judged.measured && lw_reading_has(&r, LW_ACTIVE_POWER)) {
        m->power_at = r.time.ms;
        m->promised_w = r.value[LW_ACTIVE_POWER];
    }
    emit_reading(core, &r);
    balance_reading(core, (int32_t)in->meter, &judged);
}

/* Another serial number is another meter: its register has nothing to do with that of
 * the one before, and what flowed between the two is not known. */
static void
step_serial(struct lw_core *core, uint32_t meter, const char *serial)
{
    struct meter_state *m = &core->meter[meter];
    struct lw_effect effect = {
        .kind = LW_EFFECT_EXCHANGE, .at = {core->now}, .meter = meter};
    uint64_t was = m->serial;

    m->serial = lw_hash64(serial, strlen(serial));
    if (was == 0 || was == m->serial)
        return;
    lw_register_init(&m->reg);
    m->exchanged = true;
    balance_forget(core, (int32_t)meter);
    if (core->emit)
        core->emit(core->emit_arg, &effect);
}

static void
move(int64_t *at, int64_t by_ms)
{
    if (*at != NEVER)
        *at += by_ms;
}

/* Our wall clock was set forward: what is owed since a time by the old clock is owed by
 * the new, and a good hour is one by the new. */
static void
step_forward(struct lw_core *core, int64_t by_ms)
{
    for (int32_t i = 0; i < core->ledger->nmeters; i++) {
        struct meter_state *m = &core->meter[i];

        move(&m->heard, by_ms);
        move(&m->back, by_ms);
        move(&m->jump_at, by_ms);
        move(&m->stuck_at, by_ms);
        move(&m->reversed_at, by_ms);
        move(&m->phase_at, by_ms);
        move(&m->returned, by_ms);
        core_timer_meter(core, i, core->now);
    }
    for (int32_t i = 0; i < core->ledger->ngateways; i++) {
        move(&core->gateway[i].heard, by_ms);
        move(&core->gateway[i].back, by_ms);
        move(&core->gateway[i].returned, by_ms);
    }
}

#define STEP_BACK_LEAST (15 * LW_MINUTE)

/* From the first event on, every meter owes samples. */
static void
start(struct lw_core *core, int64_t at)
{
    core->starting = false;
    if (core->now == NEVER)
        core->now = at;
    for (int32_t i = 0; i < core->ledger->nmeters; i++) {
        struct meter_state *m = &core->meter[i];
        int64_t installed = core->ledger->meter[i].installed.ms;

        if (m->heard == NEVER)
            m->heard = installed > at ? installed : at;
        core_timer_meter(core, i, m->heard);
    }
    for (int32_t i = 0; i < core->ledger->ngateways; i++) {
        if (core->gateway[i].heard == NEVER)
            core->gateway[i].heard = at;
        core_timer_gateway(core, i, core->gateway[i].heard);
    }
    for (int32_t i = 0; i < core->ledger->nsites; i++)
        core_timer_site(core, i, at);
    for (int32_t i = 0; i < core->nfeeders; i++)
        core_timer_feeder(core, i, at);
    core_timer_ledger(core, at + core->book->all.coverage.grace_ms);
    core_timer_shelf(core, at);
}

static void
step_failed(struct lw_core *core, int32_t meter, enum lw_read_failure why)
{
    if (core->meter[meter].failures < UINT32_MAX)
        core->meter[meter].failures++;
    for (int f = 0; f < detect_nfamilies; f++)
        if (detect_families[f]->failed)
            detect_families[f]->failed(core, meter, why);
}

void
lw_core_step(struct lw_core *core, const struct lw_event *event)
{
    int64_t at = event->at.ms > core->now ? event->at.ms : core->now;

    /* Before the timers: the time in between has not passed. */
    if (event->kind == LW_EVENT_CLOCK_STEP && event->step.by_ms > 0 && !core->starting)
        step_forward(core, event->step.by_ms);
    if (core->starting)
        start(core, at);
    run_timers(core, at);
    core->now = at;
    switch (event->kind) {
    case LW_EVENT_READING:
        step_reading(core, &event->reading);
        break;
    case LW_EVENT_READ_FAILED:
        step_failed(core, (int32_t)event->failed.meter,
                    (enum lw_read_failure)event->failed.why);
        break;
    case LW_EVENT_CLOCK_STEP:
        if (event->step.by_ms < -STEP_BACK_LEAST)
            core_step_back(core, event->at.ms);
        break;
    case LW_EVENT_METER_SERIAL:
        step_serial(core, event->serial.meter, event->serial.text);
        break;
    case LW_EVENT_METER_COUNTER:
        core->meter[event->counter.meter].step_wh = event->counter.step_wh;
        core->meter[event->counter.meter].modulus_wh = event->counter.modulus_wh;
        core->meter[event->counter.meter].most_w = event->counter.most_w;
        break;
    case LW_EVENT_METER_CLOCK:
        for (int i = 0; i < detect_nfamilies; i++)
            if (detect_families[i]->meter_clock)
                detect_families[i]->meter_clock(core, (int32_t)event->clock.meter,
                                                event->clock.drift_ms);
        break;
    case LW_EVENT_ACT:
        act_step(core, &event->act);
        break;
    case LW_EVENT_TICK:
        break;
    }
}
