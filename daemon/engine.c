/* The engine: steps the core with each event, journals the event and then the alerts that
 * follow from it, and brings the core back from the journal after a crash. */
#include "daemon/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/log.h"

enum {
    ALERTS_MOST = 64 << 20, /* bytes of alerts of one event */
    ALERTS_KEPT = 1 << 20,  /* a buffer that grew larger is given back */
    ALERT_KEY = 16 + 4 + 1, /* a record's id, revision and kind: which alert it is */
    ALERT_HEAD = ALERT_KEY + 8,
    INSPECTION = 3, /* the kind of what inspection is told; alerts' are less */
};

static void
blob_cut(struct blob *b, size_t at, size_t n)
{
    memmove(b->data + at, b->data + at + n, b->n - at - n);
    b->n -= n;
}

static int
pack_setup(const struct lw_ledger_text *ledger, const char *rules, size_t rules_n,
           struct blob *ret_setup)
{
    struct blob setup = {0};
    struct lw_packer p;
    int rc;

    lw_pack_init(&p, blob_add, &setup);
    lw_ledger_text_pack(ledger, &p);
    lw_pack_blob(&p, rules, rules_n);
    rc = lw_pack_flush(&p);
    if (rc != 0)
        blob_free(&setup);
    else
        *ret_setup = setup;
    return rc;
}

struct engine {
    struct journal *journal;
    struct run run;
    struct engine_stats stats;
    /* Alerts that no record has yet, each a u32 length (this machine's) and its record.
     */
    struct blob alerts;
    uint16_t judged; /* q of the reading under way */
    bool exchanged;  /* the event under way says that its meter is another one now */
};

/* What of a record says which it is, before its time and its JSON. */
struct alert_key {
    const uint8_t *alarm;
    uint32_t number;
    uint8_t kind;
};

static int
add_record(struct engine *e, struct alert_key key, lw_wall at, const char *json,
           size_t json_n)
{
    struct lw_packer p;
    uint32_t n = (uint32_t)(ALERT_HEAD + json_n);
    int rc = e->alerts.n > ALERTS_MOST ? LW_EFULL : blob_add(&e->alerts, &n, sizeof n);

    if (rc != 0)
        return rc;
    lw_pack_init(&p, blob_add, &e->alerts);
    lw_pack_bytes(&p, key.alarm, LW_ACT_ALARM);
    lw_pack_u32(&p, key.number);
    lw_pack_u8(&p, key.kind);
    lw_pack_i64(&p, at.ms);
    lw_pack_bytes(&p, json, json_n);
    return lw_pack_flush(&p);
}

/* What the effect shows is valid only now, so its text is made now. */
static void
add_alert(struct engine *e, const struct lw_effect *effect)
{
    const struct lw_core *core = e->run.force->core;
    const struct lw_ledger *ledger = lw_core_ledger(core);
    const struct lw_rules *rules = lw_core_rules(core);
    size_t at = e->alerts.n, n;
    char json[LW_ALERT_TEXT];
    struct alert_key key;
    int rc;

    if (effect->kind == LW_EFFECT_ALERT) {
        const struct lw_alarm *alarm = effect->alert.alarm;

        key = (struct alert_key){alarm->id, alarm->revision, (uint8_t)effect->alert.kind};
        rc = lw_alert_json(ledger, rules, effect->alert.kind, alarm, json, &n);
    } else {
        const struct lw_alarm *alarm = &effect->tip_off->alarm;

        key = (struct alert_key){alarm->id, alarm->occurrences, INSPECTION};
        rc = lw_tip_off_json(ledger, rules, effect->at, effect->tip_off, json, &n);
    }
    if (rc == 0)
        rc = add_record(e, key, effect->at, json, n);
    if (rc != 0) {
        log_error("engine: an alert is lost: %s", lw_result_text(rc));
        e->alerts.n = at;
    }
}

static void
take_effect(void *arg, const struct lw_effect *effect)
{
    struct engine *e = arg;

    switch (effect->kind) {
    case LW_EFFECT_STORE:
        e->judged = effect->reading->q;
        break;
    case LW_EFFECT_ALERT:
    case LW_EFFECT_TIP_OFF:
        add_alert(e, effect);
        break;
    case LW_EFFECT_EXCHANGE:
        e->exchanged = true;
        break;
    }
}

/* Journals the alerts that wait; returns how many. What inspection is told goes with
 * them, under a kind of its own, and is not counted: nobody else is to know of it. */
static uint64_t
flush_alerts(struct engine *e)
{
    uint64_t count = 0;
    uint32_t n;

    for (size_t at = 0; at < e->alerts.n; at += sizeof n + n) {
        const uint8_t *record = e->alerts.data + at + sizeof n;
        bool alert = record[ALERT_KEY - 1] != INSPECTION;

        memcpy(&n, e->alerts.data + at, sizeof n);
        journal_append(e->journal, alert ? JOURNAL_ALERT : JOURNAL_INSPECTION, record, n);
        count += alert;
    }
    e->alerts.n = 0;
    if (e->alerts.cap > ALERTS_KEPT)
        blob_free(&e->alerts);
    e->stats.alerts += count;
    return count;
}

/* This alert has its record. False: it does not wait for one. */
static bool
forget_alert(struct engine *e, const struct journal_record *record)
{
    uint32_t n;

    if (record->n < ALERT_HEAD)
        return false;
    for (size_t at = 0; at < e->alerts.n; at += sizeof n + n) {
        memcpy(&n, e->alerts.data + at, sizeof n);
        if (memcmp(e->alerts.data + at + sizeof n, record->data, ALERT_KEY) == 0) {
            blob_cut(&e->alerts, at, sizeof n + n);
            return true;
        }
    }
    return false;
}

/* A recorded ledger that this release refuses. */
static void
log_setup(const struct lw_faults *faults, const char *what, uint64_t position, int rc)
{
    const struct lw_fault *f = &faults->fault[0];

    log_error("engine: %s at %" PRIx64 " in the journal cannot be taken over: %s", what,
              position, lw_result_text(rc));
    if (faults->kept > 0)
        log_error("engine: %s:%" PRIu32 ":%" PRIu32 ": %s", f->file, f->line, f->column,
                  f->text);
}

/* Runs the journal from its newest checkpoint on. Alerts that were raised and not
 * recorded (the crash came between) are recorded now; none is doubled or raised under a
 * new id. */
static int
recover(struct engine *e, bool *ret_checkpoint)
{
    struct lw_faults faults = {0};
    struct journal_reader *reader = NULL;
    struct journal_record record;
    uint64_t position, records = 0, odd = 0, late;
    int64_t begun = clock_io_us();
    void *data = NULL;
    size_t n;
    int rc = journal_checkpoint(e->journal, &position, &data, &n);

    *ret_checkpoint = rc == 0;
    if (rc == LW_ENOTFOUND) {
        position = journal_start(e->journal);
        rc = 0;
    } else if (rc == 0) {
        rc = run_checkpoint(&e->run, data, n, &faults);
    }
    free(data);
    if (rc != 0) {
        log_setup(&faults, "the checkpoint", position, rc);
        return rc;
    }
    rc = journal_reader_new(e->journal, position, NULL, NULL, &reader);
    if (rc != 0)
        return rc;
    while ((rc = journal_next(reader, &record)) != 0) {
        if (rc == LW_EPARSE)
            continue;
        if (rc < 0)
            goto out;
        records++;
        if ((record.kind == JOURNAL_ALERT || record.kind == JOURNAL_INSPECTION) &&
            !forget_alert(e, &record))
            odd++;
        rc = run_record(&e->run, &record, &faults);
        if (rc != 0) {
            log_setup(&faults, "the setup", record.position, rc);
            goto out;
        }
    }
    late = flush_alerts(e);
    if (records > 0)
        log_note("engine: %" PRIu64 " records run again in %" PRId64 " ms, %" PRIu64
                 " alerts recorded late",
                 records, (clock_io_us() - begun) / 1000, late);
    if (odd > 0)
        log_warn("engine: %" PRIu64 " recorded alerts were not raised again", odd);
out:
    journal_reader_free(reader);
    return rc;
}

/* In the forked child: allocates nothing. */
static int
save(void *arg, struct lw_packer *p)
{
    const struct engine *e = arg;

    lw_pack_blob(p, e->run.force->setup.data, e->run.force->setup.n);
    return lw_core_save(e->run.force->core, p);
}

int
engine_setup(struct engine *e, const struct lw_ledger_text *ledger, const char *rules,
             size_t rules_n, struct lw_faults *faults)
{
    const struct force *old = e->run.force;
    struct force *next = NULL;
    struct blob setup = {0};
    int rc = pack_setup(ledger, rules, rules_n, &setup);

    if (rc != 0)
        return rc;
    rc = force_new(setup.data, setup.n, faults, &next);
    if (rc != 0)
        goto out;
    if (old && old->setup.n == setup.n &&
        memcmp(old->setup.data, setup.data, setup.n) == 0)
        goto out;
    if (!journal_room(e->journal, JOURNAL_SETUP, setup.n)) {
        rc = LW_EFULL;
        goto out;
    }
    rc = run_setup(&e->run, next);
    if (rc != 0)
        goto out;
    next = NULL;
    journal_append(e->journal, JOURNAL_SETUP, setup.data, setup.n);
    flush_alerts(e); /* of what is not in the new ledger */
out:
    force_free(next);
    blob_free(&setup);
    return rc;
}

int
engine_new(struct journal *journal, const struct lw_ledger_text *ledger,
           const char *rules, size_t rules_n, struct lw_faults *faults,
           struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof *e);
    bool checkpoint;
    int rc;

    if (!e)
        return LW_ENOMEM;
    e->journal = journal;
    e->run.emit = take_effect;
    e->run.arg = e;
    rc = recover(e, &checkpoint);
    if (rc != 0)
        goto out;
    rc = engine_setup(e, ledger, rules, rules_n, faults);
    if (rc != 0)
        goto out;
    journal_on_checkpoint(journal, save, e);
    if (!checkpoint)
        rc = journal_roll(journal);
    if (rc != 0)
        goto out;
    *ret_engine = e;
    e = NULL;
out:
    engine_free(e);
    return rc;
}

void
engine_free(struct engine *e)
{
    if (!e)
        return;
    journal_on_checkpoint(e->journal, NULL, NULL);
    force_free(e->run.force);
    blob_free(&e->alerts);
    free(e);
}

/* Nobody is alarmed for it, and the serial number stands in the journal's event. */
static void
note_exchange(struct engine *e, const struct lw_event *event)
{
    const struct lw_ledger *ledger = e->run.force->ledger;

    if (!e->exchanged)
        return;
    e->stats.exchanges++;
    log_note("meter %s was exchanged: its serial number is %s now",
             ledger->meter[event->serial.meter].id, event->serial.text);
}

uint16_t
engine_event(struct engine *e, const struct lw_event *event)
{
    uint8_t bytes[2 + LW_EVENT_BYTES];
    int64_t begun = clock_thread_us(), took;
    bool reading = event->kind == LW_EVENT_READING;
    enum journal_kind kind = reading ? JOURNAL_READING : JOURNAL_EVENT;
    size_t n;

    if (!journal_room(e->journal, kind, sizeof bytes))
        return 0;
    e->judged = 0;
    e->exchanged = false;
    lw_core_step(e->run.force->core, event);
    n = lw_event_pack(event, e->run.force->ledger, bytes + 2);
    if (reading) {
        bytes[0] = (uint8_t)(e->judged & 0xff);
        bytes[1] = (uint8_t)(e->judged >> 8);
        journal_append(e->journal, kind, bytes, 2 + n);
    } else {
        journal_append(e->journal, kind, bytes + 2, n);
    }
    flush_alerts(e);
    note_exchange(e, event);
    e->stats.events++;
    e->stats.readings += reading;
    took = clock_thread_us() - begun;
    if (took > e->stats.step_us_max)
        e->stats.step_us_max = took;
    return e->judged;
}

const struct lw_core *
engine_core(const struct engine *e)
{
    return e->run.force->core;
}

void
engine_stats(const struct engine *e, struct engine_stats *ret_stats)
{
    *ret_stats = e->stats;
    ret_stats->unknown = e->run.unknown;
}
