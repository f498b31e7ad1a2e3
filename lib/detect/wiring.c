/* ct_reversal: energy flows backwards where nothing generates. phase_loss: a voltage is
 * gone while its current flows, or one current while the others do. What a point's phases
 * look like when nothing is wrong is learned slowly, and only while nothing is. */
#include "lib/state.h"

/* Learning: at least so many samples before it is believed; a sample then weighs one in
 * so many. */
enum {
    LEARN_LEAST = 96,
    LEARN_MOST = 1024,
};

/* Parts of a thousand. */
enum {
    HALF = 500,
    SHARE_LEAST = 100, /* a phase that carried less than this may be without load */
    CURRENT_GONE = 20, /* of the mean of the other two */
    FLOWING = 50,      /* of the usual current: something is drawn */
};

/* Meters that read power every few seconds can show a hoist that brakes; one that is off
 * for longer than this between two readings says nothing about the time in between. */
#define HOLDS (2 * LW_HOUR)

/* A phase's quantity, by that of phase A. */
static enum lw_quantity
of_phase(enum lw_quantity first, int phase)
{
    return (enum lw_quantity)((int)first + phase);
}

static int64_t
sum_of(const struct lw_reading *r, enum lw_quantity first)
{
    int64_t sum = 0;

    for (int p = 0; p < PHASES; p++) {
        int64_t v = r->value[of_phase(first, p)];

        sum += v < 0 ? -v : v;
    }
    return sum;
}

static bool
has_all(const struct lw_reading *r, enum lw_quantity first)
{
    for (int p = 0; p < PHASES; p++)
        if (!lw_reading_has(r, of_phase(first, p)))
            return false;
    return true;
}

/* Sum of U x I in W: dV x mA / 10,000. */
static int64_t
apparent_w(const struct lw_reading *r)
{
    __int128 sum = 0;

    for (int p = 0; p < PHASES; p++) {
        int64_t i = r->value[of_phase(LW_CURRENT_A, p)];

        sum += (__int128)r->value[of_phase(LW_VOLTAGE_A, p)] * (i < 0 ? -i : i);
    }
    return (int64_t)(sum / 10000);
}

/* A generator that the ledger knows of may feed back. */
static bool
may_generate(const struct lw_core *core, int32_t meter)
{
    int32_t index = meter_point(core, meter)->site;
    const struct lw_site *site;

    if (index == LW_NONE)
        return true;
    site = &core->ledger->site[index];
    if (site->own_generation)
        return true;
    for (int32_t i = site->explanation_first;
         i < site->explanation_first + site->explanation_n; i++) {
        const struct lw_explanation *e = &core->ledger->explanation[i];

        if (e->kind == LW_GENERATION && e->from.ms <= core->now && core->now < e->to.ms)
            return true;
    }
    return false;
}

/* --- ct_reversal */

enum direction {
    NEITHER,
    FORWARD,
    BACKWARD
};

/* Some phases carry current backwards, others forwards, at a voltage that is normal. */
static bool
phase_backwards(const struct lw_reading *r)
{
    bool back = false;
    int64_t sum = 0;

    if (!has_all(r, LW_CURRENT_A))
        return false;
    sum = sum_of(r, LW_CURRENT_A);
    for (int p = 0; p < PHASES; p++)
        back = back || r->value[of_phase(LW_CURRENT_A, p)] * 1000 < -SHARE_LEAST * sum;
    return back;
}

/* The power is less than half of what these currents and voltages used to make, while the
 * currents are what they were: one transformer turned takes its phase twice from the sum.
 */
static bool
power_too_small(const struct wiring *w, const struct lw_reading *r)
{
    int64_t apparent;

    if (w->n < LEARN_LEAST || w->power < HALF || !has_all(r, LW_VOLTAGE_A) ||
        !has_all(r, LW_CURRENT_A) || !lw_reading_has(r, LW_ACTIVE_POWER) ||
        sum_of(r, LW_CURRENT_A) < w->current)
        return false;
    apparent = apparent_w(r);
    return r->value[LW_ACTIVE_POWER] * 1000 * 2 < apparent * w->power;
}

static enum direction
direction_of(struct lw_core *core, int32_t meter, const struct judged *judged,
             bool exported)
{
    const struct lw_reading *r = judged->reading;
    const struct meter_state *m = &core->meter[meter];
    int64_t least_w = meter_rules(core, meter)->ct_reversal.least_w;

    if (exported || phase_backwards(r) || power_too_small(&m->wiring, r))
        return BACKWARD;
    if (lw_reading_has(r, LW_ACTIVE_POWER)) {
        if (r->value[LW_ACTIVE_POWER] <= -least_w)
            return BACKWARD;
        if (r->value[LW_ACTIVE_POWER] >= least_w)
            return FORWARD;
    }
    if (judged->has_step && judged->step.verdict == LW_REGISTER_BACKWARDS)
        return BACKWARD;
    return judged->has_step && judged->step.energy_wh > 0 ? FORWARD : NEITHER;
}

/* By more than a step of the register since the reading before. */
static bool
export_advanced(const struct lw_core *core, int32_t meter, const struct lw_reading *r,
                struct meter_state *m)
{
    int64_t before = m->export_wh;

    if (!lw_reading_has(r, LW_EXPORT))
        return false;
    m->export_wh = r->value[LW_EXPORT];
    return before != LW_NOT_GIVEN &&
           m->export_wh > before + meter_resolution(core, meter);
}

static void
reversal(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_reading *r = judged->reading;
    bool exported = export_advanced(core, meter, r, m);
    enum direction d = direction_of(core, meter, judged, exported);
    struct lw_evidence e;

    if (d == BACKWARD && may_generate(core, meter))
        d = FORWARD;
    if (d == FORWARD || (m->reversed != NEVER && r->time.ms - m->reversed_seen > HOLDS))
        m->reversed = NEVER;
    if (d == BACKWARD) {
        if (m->reversed == NEVER)
            m->reversed = r->time.ms;
        m->reversed_seen = r->time.ms;
        if (alarm_stands(core, LW_RULE_CT_REVERSAL, detect_point(core, meter)))
            m->reversed_at = core->now;
    }
    if (m->reversed == NEVER) {
        if (detect_point_over(core, meter, LW_RULE_CT_REVERSAL, &m->reversed_at,
                              meter_rules(core, meter)->ct_reversal.clear_ms))
            alarm_return(core, LW_RULE_CT_REVERSAL, detect_point(core, meter), NULL);
        return;
    }
    if (d != BACKWARD ||
        r->time.ms - m->reversed < meter_rules(core, meter)->ct_reversal.for_ms)
        return;
    if (!alarm_stands(core, LW_RULE_CT_REVERSAL, detect_point(core, meter)))
        balance_forget(core, meter);
    m->reversed_at = core->now;
    e = (struct lw_evidence){
        .from = {m->reversed},
        .to = r->time,
        .detail = lw_reading_has(r, LW_ACTIVE_POWER) ? r->value[LW_ACTIVE_POWER] : 0,
        .finding = LW_FOUND_REVERSED,
    };
    alarm_set(core, LW_RULE_CT_REVERSAL, detect_point(core, meter),
              detect_point_priority(core, meter), &e);
}

/* --- phase_loss */

/* Bits: phases whose voltage is gone while something is drawn; then those whose current
 * is. `ret_loaded`: something is drawn, so that the phases can be judged. */
static int
phases_lost(const struct lw_core *core, int32_t meter, const struct lw_reading *r,
            bool *ret_loaded)
{
    const struct wiring *w = &core->meter[meter].wiring;
    int64_t current;
    int lost = 0;

    *ret_loaded = false;
    if (w->n < LEARN_LEAST || !has_all(r, LW_CURRENT_A))
        return 0;
    current = sum_of(r, LW_CURRENT_A);
    *ret_loaded = current * 1000 > (int64_t)w->current * FLOWING;
    for (int p = 0; p < PHASES; p++) {
        int64_t i = r->value[of_phase(LW_CURRENT_A, p)], others;

        i = i < 0 ? -i : i;
        others = (current - i) / 2;
        if (*ret_loaded && lw_reading_has(r, of_phase(LW_VOLTAGE_A, p)) &&
            r->value[of_phase(LW_VOLTAGE_A, p)] * 1000 <
                w->voltage[p] * meter_rules(core, meter)->phase_loss.voltage_milli)
            lost |= 1 << p;
        /* The others carry half at least of what they carry when the site runs. */
        if (w->share[p] >= SHARE_LEAST && i * 1000 < others * CURRENT_GONE &&
            4 * others * 1000 >= (int64_t)w->current * (1000 - w->share[p]))
            lost |= 1 << (PHASES + p);
    }
    return lost;
}

static void
phase(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_reading *r = judged->reading;
    bool loaded;
    int lost = phases_lost(core, meter, r, &loaded);
    struct lw_evidence e;

    if (lost == 0) {
        if (!loaded)
            return;
        m->phase_lost = NEVER;
        if (detect_point_over(core, meter, LW_RULE_PHASE_LOSS, &m->phase_at,
                              meter_rules(core, meter)->phase_loss.clear_ms))
            alarm_return(core, LW_RULE_PHASE_LOSS, detect_point(core, meter), NULL);
        return;
    }
    if (m->phase_lost == NEVER)
        m->phase_lost = r->time.ms;
    if (alarm_stands(core, LW_RULE_PHASE_LOSS, detect_point(core, meter)))
        m->phase_at = core->now;
    if (r->time.ms - m->phase_lost < meter_rules(core, meter)->phase_loss.for_ms)
        return;
    m->phase_at = core->now;
    e = (struct lw_evidence){
        .from = {m->phase_lost},
        .to = r->time,
        .detail = lost,
        .finding =
            lost & ((1 << PHASES) - 1) ? LW_FOUND_VOLTAGE_GONE : LW_FOUND_CURRENT_GONE,
    };
    alarm_set(core, LW_RULE_PHASE_LOSS, detect_point(core, meter),
              detect_point_priority(core, meter), &e);
}

/* --- what is usual */

static void
towards(int32_t *mean, int64_t value, uint32_t n)
{
    *mean += (int32_t)((value - *mean) / n);
}

static void
learn(struct meter_state *m, const struct lw_reading *r)
{
    struct wiring *w = &m->wiring;
    int64_t current, apparent;

    if (m->reversed != NEVER || m->phase_lost != NEVER || !has_all(r, LW_CURRENT_A) ||
        phase_backwards(r))
        return;
    current = sum_of(r, LW_CURRENT_A);
    if (current == 0 || current > INT32_MAX || current * 1000 < w->current * FLOWING)
        return;
    w->n += w->n < LEARN_MOST;
    for (int p = 0; p < PHASES; p++) {
        int64_t i = r->value[of_phase(LW_CURRENT_A, p)];

        towards(&w->share[p], i * 1000 / current, w->n);
        if (lw_reading_has(r, of_phase(LW_VOLTAGE_A, p)))
            towards(&w->voltage[p], r->value[of_phase(LW_VOLTAGE_A, p)], w->n);
    }
    towards(&w->current, current, w->n);
    apparent = has_all(r, LW_VOLTAGE_A) ? apparent_w(r) : 0;
    if (apparent > 0 && lw_reading_has(r, LW_ACTIVE_POWER))
        towards(&w->power, r->value[LW_ACTIVE_POWER] * 1000 / apparent, w->n);
}

static void
wiring_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    enum lw_meter_role role = meter_point(core, meter)->role;

    if (!judged->measured || (role != LW_SUPPLY && role != LW_SUB))
        return;
    reversal(core, meter, judged);
    phase(core, meter, judged);
    learn(&core->meter[meter], judged->reading);
}

const struct family detect_wiring = {.reading = wiring_reading};
