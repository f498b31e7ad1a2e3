/* The engine: the core and its journal. Every event of the daemon goes through
 * engine_event; everything that leaves reads the journal. It owns the ledger and rules in
 * force, and brings them back after a crash: checkpoint, then the journal since. */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include <lodewatch/core.h>
#include <lodewatch/fault.h>

struct engine;
struct journal;

struct engine_stats {
    uint64_t events;
    uint64_t readings;
    uint64_t alerts;
    uint64_t exchanges; /* meters whose serial number changed */
    uint64_t unknown;   /* events in the journal whose meter is in no ledger any more */
    int64_t step_us_max;
};

/* Takes over the state in the journal, then the given ledger and rules where they differ
 * from the recorded ones. The texts are copied. LW_EPARSE with faults. */
int engine_new(struct journal *journal, const struct lw_ledger_text *ledger,
               const char *rules, size_t rules_n, struct lw_faults *faults,
               struct engine **ret_engine);
void engine_free(struct engine *engine);

/* Journals the event, steps the core, journals the alerts that it emitted. Of a reading:
 * its quality and marks, as judged. */
uint16_t engine_event(struct engine *engine, const struct lw_event *event);

/* A new ledger or new rules, whole: on any fault the old ones stay. Pointers into the old
 * ledger are dead when it returns 0. */
int engine_setup(struct engine *engine, const struct lw_ledger_text *ledger,
                 const char *rules, size_t rules_n, struct lw_faults *faults);

const struct lw_core *engine_core(const struct engine *engine);
void engine_stats(const struct engine *engine, struct engine_stats *ret_stats);

/* `lodewatch replay --events`: runs a recording through a core of its own and hands every
 * alert to `emit`, which may ask the core for its ledger and rules. The faults name the
 * file. */
typedef void engine_alert(void *arg, const struct lw_core *core,
                          const struct lw_effect *effect);
int engine_replay(const char *dir, engine_alert *emit, void *arg,
                  struct lw_faults *faults);

#endif
