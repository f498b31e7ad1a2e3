/* A small county with a core, for cases of the rules: readings are put in, and what the
 * core says is kept as a line an alert, "raised RULE SUBJECT priority". */
#ifndef TESTS_PLANT_H
#define TESTS_PLANT_H

#include <stdio.h>
#include <stdlib.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>

#include "unit.h"

#define PLANT_T0      INT64_C(1762704000000) /* Monday 2025-11-10T00:00 in Shanghai */
#define PLANT_QUARTER (15 * LW_MINUTE)

struct plant {
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    int64_t now;
    int64_t wh; /* the register that plant_draw() moves */
    double kw;  /* and its power */
    char heard[16384];
    size_t n;
    struct lw_alarm last; /* of the last alert */
    bool fresh;           /* it was raised, and nobody has acted yet */
    uint8_t acted[LW_ACT_ALARM];
    int stored[4];             /* readings by quality */
    struct lw_tip_off tip_off; /* the last one */
    int tip_offs;
    void *saved;
    size_t nsaved;
};

/* How a case is run, and how many readings it has been. */
static int mode, readings;

enum {
    STRAIGHT,
    SAVED,
    RENEWED,
    ACTED,
    MODES
};

static inline void
plant_hear(void *arg, const struct lw_effect *effect)
{
    static const char *const kind[] = {"raised", "updated", "returned"};
    struct plant *p = arg;
    char subject[LW_ID_MAX + 16], sentence[4096];

    if (effect->kind == LW_EFFECT_STORE)
        p->stored[lw_reading_quality(effect->reading)]++;
    if (effect->kind == LW_EFFECT_TIP_OFF) {
        p->tip_off = *effect->tip_off;
        p->tip_offs++;
    }
    if (effect->kind != LW_EFFECT_ALERT)
        return;
    p->last = *effect->alert.alarm;
    lw_alarm_subject(p->ledger, &p->last, subject);
    p->n += (size_t)snprintf(p->heard + p->n, sizeof p->heard - p->n, "%s %s %s %s\n",
                             kind[effect->alert.kind],
                             lw_rule_info((enum lw_rule_id)p->last.rule)->id, subject,
                             lw_priority_name((enum lw_priority)p->last.priority));
    assert_true(p->n < sizeof p->heard);
    if (effect->alert.kind == LW_ALERT_RAISED)
        p->fresh = true;
    if (effect->alert.kind == LW_ALERT_RETURNED &&
        memcmp(p->acted, p->last.id, sizeof p->acted) == 0)
        check_int(p->last.state, LW_ALARM_NORMAL);
    for (int zh = 0; zh < 2; zh++) {
        lw_alert_sentence(p->ledger, effect->alert.kind, &p->last, zh, sentence,
                          sizeof sentence);
        assert_null(strpbrk(sentence, "{}"));
    }
}

/* The tables by their text; NULL is an empty one. */
static inline void
plant_begin(struct plant *p, const char *const table[LW_TABLES], const char *holidays)
{
    static struct lw_faults faults;
    static char tzif[65536];
    struct lw_ledger_text text = {
        .deployment = "test", .holidays = holidays, .tzif = tzif};
    FILE *zone = fopen("/usr/share/zoneinfo/Asia/Shanghai", "rb");

    assert_non_null(zone);
    text.tzif_n = fread(tzif, 1, sizeof tzif, zone);
    fclose(zone);
    text.holidays_n = holidays ? strlen(holidays) : 0;
    *p = (struct plant){.now = PLANT_T0, .wh = 1000000};
    for (int t = 0; t < LW_TABLES; t++) {
        text.table[t].text = table[t];
        text.table[t].n = table[t] ? strlen(table[t]) : 0;
    }
    memset(&faults, 0, sizeof faults);
    if (lw_ledger_new(&text, &faults, &p->ledger) != 0)
        fail_msg("%s:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].text);
    assert_int_equal(lw_rules_parse("", "", 0, &faults, &p->rules), 0);
    assert_int_equal(lw_core_new(p->ledger, &p->rules, NULL, &p->core), 0);
    lw_core_on_effect(p->core, plant_hear, p);
}

static inline void
plant_end(struct plant *p)
{
    lw_core_free(p->core);
    lw_ledger_free(p->ledger);
    free(p->saved);
}

static inline uint32_t
plant_meter(const struct plant *p, const char *id)
{
    int32_t m = lw_ledger_meter(p->ledger, id, strlen(id), (lw_wall){p->now});

    assert_int_not_equal(m, LW_NONE);
    return (uint32_t)m;
}

/* A reading of now; its meter, time and quality are filled in. */
static inline void
plant_read(struct plant *p, const char *id, enum lw_quality quality,
           struct lw_reading reading)
{
    struct lw_event e = {.kind = LW_EVENT_READING, .at = {p->now}, .reading = reading};

    e.reading.time = e.reading.received = (lw_wall){p->now};
    e.reading.meter = plant_meter(p, id);
    e.reading.q = (uint16_t)quality;
    lw_core_step(p->core, &e);
}

static inline void
plant_tick(struct plant *p)
{
    struct lw_event e = {.kind = LW_EVENT_TICK, .at = {p->now}};

    lw_core_step(p->core, &e);
}

/* How often such a line, or its beginning, was heard. */
static inline int
plant_heard(const struct plant *p, const char *what)
{
    int n = 0;

    for (const char *at = p->heard; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static inline int
plant_keep(void *arg, const void *data, size_t n)
{
    struct plant *p = arg;

    p->saved = realloc(p->saved, p->nsaved + n);
    assert_non_null(p->saved);
    memcpy((char *)p->saved + p->nsaved, data, n);
    p->nsaved += n;
    return 0;
}

/* The core is saved and read back, as after a crash; or made anew, as for a ledger that
 * was loaded again. */
static inline void
plant_renew(struct plant *p, bool saved)
{
    static struct lw_packer packer;
    struct lw_core *core = NULL;

    if (saved) {
        p->nsaved = 0;
        lw_pack_init(&packer, plant_keep, p);
        assert_int_equal(lw_core_save(p->core, &packer), 0);
        assert_int_equal(lw_pack_flush(&packer), 0);
        assert_int_equal(lw_core_load(p->ledger, &p->rules, p->saved, p->nsaved, &core),
                         0);
    } else {
        assert_int_equal(lw_core_new(p->ledger, &p->rules, p->core, &core), 0);
    }
    lw_core_free(p->core);
    p->core = core;
    lw_core_on_effect(core, plant_hear, p);
}

/* What a person does to the alarm that was told last. */
static inline void
plant_act(struct plant *p, enum lw_act_kind kind, int64_t for_ms,
          enum lw_alarm_state then)
{
    struct lw_event e = {.kind = LW_EVENT_ACT, .at = {p->now}, .act.kind = kind};

    memcpy(e.act.alarm, p->last.id, LW_ACT_ALARM);
    memcpy(p->acted, p->last.id, LW_ACT_ALARM);
    snprintf(e.act.by, sizeof e.act.by, "值班员");
    if (kind == LW_ACT_SHELVE) {
        e.act.until = (lw_wall){p->now + for_ms};
        snprintf(e.act.reason, sizeof e.act.reason, "检修");
    }
    lw_core_step(p->core, &e);
    check_int(p->last.state, then);
}

/* Whoever is on duty acknowledges what was raised, and shelves it for an hour. */
static inline void
plant_duty(struct plant *p)
{
    if (!p->fresh)
        return;
    p->fresh = false;
    if (p->last.state != LW_ALARM_UNACKNOWLEDGED_ACTIVE)
        return; /* it was over at once */
    plant_act(p, LW_ACT_ACKNOWLEDGE, 0, LW_ALARM_ACKNOWLEDGED_ACTIVE);
    plant_act(p, LW_ACT_SHELVE, LW_HOUR, LW_ALARM_SHELVED);
}

/* --- cases. Each runs four times and says the same each time: straight on, with a core
 * that is saved and read back all along, with one that is made anew, and with somebody on
 * duty, whose acts change nothing of what is raised and what returns. */

static inline void
put(struct plant *p, const char *meter, enum lw_quality quality, struct lw_reading r)
{
    plant_read(p, meter, quality, r);
    if (mode == ACTED)
        plant_duty(p);
    else if (++readings % 37 == 0 && mode != STRAIGHT)
        plant_renew(p, mode == SAVED);
}

static inline void
set(struct lw_reading *r, enum lw_quantity q, int64_t value)
{
    r->have |= (uint16_t)(1 << q);
    r->value[q] = value;
}

/* What a meter shows at the end of a quarter hour. */
struct shown {
    double register_kw; /* by which its register moves */
    double kw;          /* what it shows as its power; NONE: nothing */
    double volts[3];    /* the first 0: none are given */
    double amps[3];
    int64_t export_wh; /* 0: not given */
};

#define NONE -1e9

static inline struct lw_reading
reading_of(const struct plant *p, const struct shown *s)
{
    struct lw_reading r = {0};

    set(&r, LW_IMPORT, p->wh);
    if (s->kw > NONE)
        set(&r, LW_ACTIVE_POWER, (int64_t)(s->kw * 1000));
    if (s->export_wh)
        set(&r, LW_EXPORT, s->export_wh);
    if (s->volts[0] > 0 || s->volts[1] > 0)
        for (int i = 0; i < 3; i++) {
            /* Mains are never still. */
            int64_t dv = (int64_t)(s->volts[i] * 10) + (p->now / PLANT_QUARTER * 7) % 11;

            set(&r, (enum lw_quantity)((int)LW_VOLTAGE_A + i), s->volts[i] > 0 ? dv : 0);
            set(&r, (enum lw_quantity)((int)LW_CURRENT_A + i),
                (int64_t)(s->amps[i] * 1000));
        }
    return r;
}

static inline void
quarters_of(struct plant *p, const char *meter, int n, struct shown s)
{
    while (n-- > 0) {
        p->now += PLANT_QUARTER;
        p->wh += (int64_t)(s.register_kw * 250);
        put(p, meter, LW_GOOD, reading_of(p, &s));
        if (s.export_wh)
            s.export_wh += 1000;
    }
}

static inline void
quarters(struct plant *p, int n, struct shown s)
{
    quarters_of(p, "M", n, s);
}

/* Loads that say the same by register and power. */
#define LOAD(k) ((struct shown){.register_kw = (k), .kw = (k)})
#define PHASES(k, a, b, c)                                                               \
    ((struct shown){                                                                     \
        .register_kw = (k), .kw = (k), .volts = {230, 231, 229}, .amps = {a, b, c}})

struct plant_case {
    const char *name;
    void (*happens)(struct plant *p);
    const char *rule; /* NULL: nothing is said at all */
    enum lw_finding finding;
    int raised, returned;
};

/* Other parameters than the defaults; the core has the same struct. */
static inline void
plant_rules(struct plant *p, const char *text)
{
    static struct lw_faults faults;

    assert_int_equal(lw_rules_parse("", text, strlen(text), &faults, &p->rules), 0);
}

static inline void
plant_case(const struct plant_case *c, const char *const table[LW_TABLES],
           const char *holidays, bool silence, char *ret_heard, size_t cap)
{
    struct plant p;

    plant_begin(&p, table, holidays);
    readings = 0;
    if (!silence) /* of the meters that the case leaves alone */
        plant_rules(&p, "[comm_loss]\nintervals = 10000\n");
    row(c->name);
    c->happens(&p);
    snprintf(ret_heard, cap, "%s", p.heard);
    if (mode == STRAIGHT) {
        char raised[64], returned[64];
        const char *rule = c->rule ? c->rule : "";

        if (!c->rule)
            check_text(p.heard, "");
        snprintf(raised, sizeof raised, "raised %s ", rule);
        snprintf(returned, sizeof returned, "returned %s ", rule);
        check_int(plant_heard(&p, raised), c->raised);
        check_int(plant_heard(&p, "raised "), c->raised);
        check_int(plant_heard(&p, returned), c->returned);
        check_int(p.last.evidence.finding, c->finding);
    }
    plant_end(&p);
}

/* Without its updates. */
static inline void
leave_out_updates(char *heard)
{
    char *to = heard;

    for (char *line = heard, *end; *line; line = end) {
        end = strchr(line, '\n') + 1;
        if (strncmp(line, "updated", 7) == 0)
            continue;
        memmove(to, line, (size_t)(end - line));
        to += end - line;
    }
    *to = '\0';
}

static inline void
plant_cases(const struct plant_case *cases, size_t n, const char *const table[LW_TABLES],
            const char *holidays, bool silence)
{
    static char heard[MODES][sizeof((struct plant *)0)->heard];

    for (size_t i = 0; i < n; i++) {
        for (mode = STRAIGHT; mode < MODES; mode++)
            plant_case(&cases[i], table, holidays, silence, heard[mode],
                       sizeof heard[mode]);
        check_text(heard[SAVED], heard[STRAIGHT]);
        check_text(heard[RENEWED], heard[STRAIGHT]);
        leave_out_updates(heard[ACTED]);
        leave_out_updates(heard[STRAIGHT]);
        check_text(heard[ACTED], heard[STRAIGHT]);
    }
}

#endif
