/* The engine: steps the core with each event, journals the event and then the alerts that
 * follow from it; and runs a journal's events again, after a crash or for a replay. */
#include "daemon/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/ledger.h>
#include <lodewatch/pack.h>
#include <lodewatch/result.h>
#include <lodewatch/rules.h>

#include "daemon/clock.h"
#include "daemon/journal.h"
#include "daemon/log.h"

enum {
    ALERTS_MOST = 64 << 20, /* bytes of alerts of one event */
    ALERT_KEY = 16 + 4 + 1, /* a record's id, revision and kind: which alert it is */
    ALERT_HEAD = ALERT_KEY + 8,
};

/* ---- bytes ---- */

struct blob {
    uint8_t *data;
    size_t n, cap;
};

static int
blob_add(void *arg, const void *data, size_t n)
{
    struct blob *b = arg;

    if (n > b->cap - b->n) {
        size_t cap = b->cap ? b->cap : 4096;
        uint8_t *grown;

        while (cap - b->n < n)
            cap *= 2;
        grown = realloc(b->data, cap);
        if (!grown)
            return LW_ENOMEM;
        b->data = grown;
        b->cap = cap;
    }
    memcpy(b->data + b->n, data, n);
    b->n += n;
    return 0;
}

static void
blob_cut(struct blob *b, size_t at, size_t n)
{
    memmove(b->data + at, b->data + at + n, b->n - at - n);
    b->n -= n;
}

static void
blob_free(struct blob *b)
{
    free(b->data);
    *b = (struct blob){0};
}

/* ---- what is in force ---- */

/* A ledger, rules, the core that runs on them, and the setup record they were made from.
 */
struct force {
    struct blob setup;
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
};

static void
force_free(struct force *f)
{
    if (!f)
        return;
    lw_core_free(f->core);
    lw_ledger_free(f->ledger);
    blob_free(&f->setup);
    free(f);
}

/* From a setup record's bytes, yet without a core. */
static int
force_new(const void *setup, size_t n, struct lw_faults *faults, struct force **ret_force)
{
    struct force *f = calloc(1, sizeof *f);
    struct lw_ledger_text text;
    struct lw_unpacker u;
    const char *rules;
    size_t rules_n;
    int rc;

    if (!f)
        return LW_ENOMEM;
    rc = blob_add(&f->setup, setup, n);
    if (rc != 0)
        goto out;
    lw_unpack_init(&u, f->setup.data, f->setup.n);
    rc = lw_ledger_text_unpack(&u, &text);
    if (rc != 0)
        goto out;
    rules = lw_unpack_blob(&u, &rules_n);
    rc = u.rc;
    if (rc == 0)
        rc = lw_ledger_new(&text, faults, &f->ledger);
    if (rc == 0)
        rc = lw_rules_parse("rules.conf", rules, rules_n, faults, &f->rules);
    if (rc != 0)
        goto out;
    *ret_force = f;
    f = NULL;
out:
    force_free(f);
    return rc;
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

/* ---- running a journal's records ---- */

struct run {
    struct force *force; /* NULL before the first setup */
    lw_emit *emit;
    void *arg;
    struct engine_stats stats;
};

/* Puts a new ledger and new rules into force: takes them over, frees the old ones. */
static int
run_setup(struct run *run, struct force *next)
{
    int rc = lw_core_new(next->ledger, &next->rules, run->force ? run->force->core : NULL,
                         &next->core);

    if (rc != 0)
        return rc;
    lw_core_on_effect(next->core, run->emit, run->arg);
    force_free(run->force);
    run->force = next;
    return 0;
}

/* The state that a checkpoint holds: a setup, then the core's own. */
static int
run_checkpoint(struct run *run, const void *data, size_t n, struct lw_faults *faults)
{
    struct force *f = NULL;
    struct lw_unpacker u;
    const void *setup;
    size_t setup_n;
    int rc;

    lw_unpack_init(&u, data, n);
    setup = lw_unpack_blob(&u, &setup_n);
    if (u.rc != 0)
        return u.rc;
    rc = force_new(setup, setup_n, faults, &f);
    if (rc == 0)
        rc = lw_core_load(f->ledger, &f->rules, u.data + u.at, u.n - u.at, &f->core);
    if (rc != 0) {
        force_free(f);
        return rc;
    }
    lw_core_on_effect(f->core, run->emit, run->arg);
    run->force = f;
    return 0;
}

static void
run_event(struct run *run, const uint8_t *data, size_t n)
{
    struct lw_event event;

    if (!run->force || lw_event_unpack(data, n, run->force->ledger, &event) != 0)
        run->stats.unknown++;
    else
        lw_core_step(run->force->core, &event);
}

static int
run_record(struct run *run, const struct journal_record *record, struct lw_faults *faults)
{
    struct force *next;
    int rc;

    switch (record->kind) {
    case JOURNAL_READING:
        if (record->n >= 2)
            run_event(run, (const uint8_t *)record->data + 2, record->n - 2);
        return 0;
    case JOURNAL_EVENT:
        run_event(run, record->data, record->n);
        return 0;
    case JOURNAL_SETUP:
        rc = force_new(record->data, record->n, faults, &next);
        if (rc != 0)
            return rc;
        rc = run_setup(run, next);
        if (rc != 0)
            force_free(next);
        return rc;
    case JOURNAL_ALERT:
    case JOURNAL_ACK:
        break;
    }
    return 0;
}

/* ---- the engine ---- */

struct engine {
    struct journal *journal;
    struct run run;
    /* Alerts that no record has yet, each a u32 length (this machine's) and its record.
     */
    struct blob alerts;
    uint16_t judged; /* q of the reading under way */
};

/* The alarm is valid only now, so its text is made now. */
static void
add_alert(struct engine *e, const struct lw_effect *effect)
{
    const struct lw_core *core = e->run.force->core;
    const struct lw_alarm *alarm = effect->alert.alarm;
    size_t at = e->alerts.n, json_n;
    char json[LW_ALERT_TEXT];
    struct lw_packer p;
    uint32_t n;
    int rc = lw_alert_json(lw_core_ledger(core), lw_core_rules(core), effect->alert.kind,
                           alarm, json, &json_n);

    if (rc == 0 && at > ALERTS_MOST)
        rc = LW_EFULL;
    if (rc == 0) {
        n = (uint32_t)(ALERT_HEAD + json_n);
        rc = blob_add(&e->alerts, &n, sizeof n);
    }
    if (rc == 0) {
        lw_pack_init(&p, blob_add, &e->alerts);
        lw_pack_bytes(&p, alarm->id, sizeof alarm->id);
        lw_pack_u32(&p, alarm->revision);
        lw_pack_u8(&p, (uint8_t)effect->alert.kind);
        lw_pack_i64(&p, effect->at.ms);
        lw_pack_bytes(&p, json, json_n);
        rc = lw_pack_flush(&p);
    }
    if (rc != 0) {
        log_error("engine: an alert is lost: %s", lw_result_text(rc));
        e->alerts.n = at;
    }
}

static void
take_effect(void *arg, const struct lw_effect *effect)
{
    struct engine *e = arg;

    if (effect->kind == LW_EFFECT_STORE)
        e->judged = effect->reading->q;
    else
        add_alert(e, effect);
}

/* Journals the alerts that wait; returns how many. */
static uint64_t
flush_alerts(struct engine *e)
{
    uint64_t count = 0;
    uint32_t n;

    for (size_t at = 0; at < e->alerts.n; at += sizeof n + n, count++) {
        memcpy(&n, e->alerts.data + at, sizeof n);
        journal_append(e->journal, JOURNAL_ALERT, e->alerts.data + at + sizeof n, n);
    }
    e->alerts.n = 0;
    e->run.stats.alerts += count;
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

/* Runs the journal from its newest checkpoint on. Alerts that were raised and not
 * recorded (the crash came between) are recorded now; none is doubled or raised under a
 * new id. */
static int
recover(struct engine *e)
{
    struct lw_faults faults = {0};
    struct journal_reader *reader = NULL;
    struct journal_record record;
    uint64_t position, records = 0, odd = 0, late;
    int64_t begun = clock_io_us();
    void *data = NULL;
    size_t n;
    int rc = journal_checkpoint(e->journal, &position, &data, &n);

    if (rc == LW_ENOTFOUND)
        position = journal_start(e->journal);
    else if (rc == 0)
        rc = run_checkpoint(&e->run, data, n, &faults);
    free(data);
    if (rc != 0 && rc != LW_ENOTFOUND) {
        log_error("engine: the checkpoint cannot be loaded: %s", lw_result_text(rc));
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
        if (record.kind == JOURNAL_ALERT && !forget_alert(e, &record))
            odd++;
        rc = run_record(&e->run, &record, &faults);
        if (rc != 0) {
            log_error("engine: the journal's setup at %" PRIx64 " cannot be taken: %s",
                      record.position, lw_result_text(rc));
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
    bool first;
    int rc;

    if (!e)
        return LW_ENOMEM;
    e->journal = journal;
    e->run.emit = take_effect;
    e->run.arg = e;
    rc = recover(e);
    if (rc != 0)
        goto out;
    first = !e->run.force;
    rc = engine_setup(e, ledger, rules, rules_n, faults);
    if (rc != 0)
        goto out;
    journal_on_checkpoint(journal, save, e);
    if (first)
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

void
engine_event(struct engine *e, const struct lw_event *event)
{
    uint8_t bytes[2 + LW_EVENT_BYTES];
    int64_t begun = clock_thread_us(), took;
    bool reading = event->kind == LW_EVENT_READING;
    enum journal_kind kind = reading ? JOURNAL_READING : JOURNAL_EVENT;
    size_t n;

    if (!journal_room(e->journal, kind, sizeof bytes))
        return;
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
    e->run.stats.events++;
    e->run.stats.readings += reading;
    took = clock_thread_us() - begun;
    if (took > e->run.stats.step_us_max)
        e->run.stats.step_us_max = took;
}

const struct lw_core *
engine_core(const struct engine *e)
{
    return e->run.force->core;
}

void
engine_stats(const struct engine *e, struct engine_stats *ret_stats)
{
    *ret_stats = e->run.stats;
}

/* ---- replay ---- */

struct replay {
    struct run run;
    engine_alert *emit;
    void *arg;
};

static void
hand_over(void *arg, const struct lw_effect *effect)
{
    struct replay *r = arg;

    if (effect->kind == LW_EFFECT_ALERT)
        r->emit(r->arg, r->run.force->core, effect);
}

int
engine_replay(const char *dir, engine_alert *emit, void *arg, struct lw_faults *faults)
{
    struct replay r = {.emit = emit, .arg = arg, .run = {.emit = hand_over, .arg = &r}};
    struct journal_files *files = NULL;
    struct journal_record record;
    void *data = NULL;
    size_t n;
    int rc = journal_files_open(dir, &files);

    if (rc == LW_ENOTFOUND) {
        lw_fault_add(faults, dir, 0, 0, "no journal is in this directory");
        rc = LW_EPARSE;
    } else if (rc != 0) {
        lw_fault_add(faults, dir, 0, 0, "cannot read the journal: %s",
                     lw_result_text(rc));
    }
    if (rc != 0)
        return rc;
    rc = journal_files_checkpoint(files, &data, &n);
    if (rc == 0)
        rc = run_checkpoint(&r.run, data, n, faults);
    if (rc == LW_ENOTFOUND)
        rc = 0;
    if (rc != 0) {
        lw_fault_add(faults, dir, 0, 0, "the checkpoint cannot be loaded: %s",
                     lw_result_text(rc));
        goto out;
    }
    while ((rc = journal_files_next(files, &record)) != 0) {
        if (rc == 1)
            rc = run_record(&r.run, &record, faults);
        if (rc < 0) {
            lw_fault_add(faults, dir, 0, 0, "at %" PRIx64 ": %s",
                         rc == LW_EPARSE ? 0 : record.position, lw_result_text(rc));
            goto out;
        }
    }
out:
    free(data);
    force_free(r.run.force);
    journal_files_close(files);
    return rc;
}
