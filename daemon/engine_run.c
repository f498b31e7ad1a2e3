/* Running a journal's records through a core: after a crash, and for a replay. */
#include "daemon/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

int
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

void
blob_free(struct blob *b)
{
    free(b->data);
    *b = (struct blob){0};
}

void
force_free(struct force *f)
{
    if (!f)
        return;
    lw_core_free(f->core);
    lw_ledger_free(f->ledger);
    blob_free(&f->setup);
    free(f);
}

int
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

int
run_setup(struct run *run, struct force *next)
{
    int rc = lw_core_new(next->ledger, &next->rules, run->force ? run->force->core : NULL,
                         &next->core);

    if (rc != 0)
        return rc;
    lw_core_on_effect(next->core, run->emit, run->arg);
    if (run->force)
        lw_core_retire(run->force->core, next->core);
    force_free(run->force);
    run->force = next;
    return 0;
}

int
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
        run->unknown++;
    else
        lw_core_step(run->force->core, &event);
}

int
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
    case JOURNAL_INSPECTION:
    case JOURNAL_ACK:
    case JOURNAL_GAP:
        break;
    }
    return 0;
}

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
    uint64_t at = 0;
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
        if (rc == 1) {
            at = record.next;
            rc = run_record(&r.run, &record, faults);
        }
        if (rc < 0) {
            lw_fault_add(faults, dir, 0, 0, "after position %" PRIx64 ": %s", at,
                         lw_result_text(rc));
            goto out;
        }
    }
out:
    free(data);
    force_free(r.run.force);
    journal_files_close(files);
    return rc;
}
