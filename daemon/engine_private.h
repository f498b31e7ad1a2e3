/* A ledger and rules in force with their core, and running a journal's records through
 * it: shared by the engine and the replay. */
#ifndef DAEMON_ENGINE_PRIVATE_H
#define DAEMON_ENGINE_PRIVATE_H

#include <lodewatch/ledger.h>
#include <lodewatch/pack.h>
#include <lodewatch/rules.h>

#include "daemon/engine.h"
#include "daemon/journal.h"

struct blob {
    uint8_t *data;
    size_t n, cap;
};

int blob_add(void *arg, const void *data, size_t n); /* an lw_pack_write; LW_ENOMEM */
void blob_free(struct blob *b);

/* A ledger, rules, the core that runs on them, and the setup record they were made from.
 */
struct force {
    struct blob setup;
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
};

/* From a setup record's bytes, yet without a core. */
int force_new(const void *setup, size_t n, struct lw_faults *faults,
              struct force **ret_force);
void force_free(struct force *f);

struct run {
    struct force *force; /* NULL before the first setup */
    lw_emit *emit;
    void *arg;
    uint64_t unknown; /* events whose meter is in no ledger any more */
};

/* Puts a new ledger and new rules into force: takes them over, frees the old ones. */
int run_setup(struct run *run, struct force *next);
/* The state that a checkpoint holds: a setup, then the core's own. */
int run_checkpoint(struct run *run, const void *data, size_t n, struct lw_faults *faults);
/* Any record; alerts and acknowledgements are nothing to the core. */
int run_record(struct run *run, const struct journal_record *record,
               struct lw_faults *faults);

#endif
