/* SIGHUP: configuration, ledger, rules and profiles anew, whole or not at all. */
#include <stdlib.h>
#include <string.h>

#include <lodewatch/core.h>

#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/faults.h"
#include "daemon/log.h"
#include "daemon/notify/notify.h"
#include "daemon/notify/service.h"
#include "daemon/poll/poller.h"
#include "daemon/poll/remember.h"
#include "daemon/store/store.h"

static bool
journal_options_differ(const struct config *a, const struct config *b)
{
    return strcmp(a->state_dir, b->state_dir) != 0 || a->sync_ms != b->sync_ms ||
           a->segment_bytes != b->segment_bytes || a->segment_ms != b->segment_ms ||
           a->keep_ms != b->keep_ms || a->max_bytes != b->max_bytes ||
           a->max_age_ms != b->max_age_ms;
}

static bool
store_options_differ(const struct config *a, const struct config *b)
{
    return strcmp(a->conninfo, b->conninfo) != 0 ||
           strcmp(a->read_conninfo, b->read_conninfo) != 0 ||
           a->batch_rows != b->batch_rows || a->batch_ms != b->batch_ms ||
           a->days_ahead != b->days_ahead || a->backlog_rate != b->backlog_rate;
}

static bool
alert_options_differ(const struct config *a, const struct config *b)
{
    return strcmp(a->ndjson, b->ndjson) != 0 || a->journald != b->journald ||
           strcmp(a->inspection, b->inspection) != 0;
}

/* The new ledger, rules and profiles; the poller keeps pointers into the ledger, so it
 * goes first and comes anew, whichever ledger holds then. */
static int
put_into_force(struct daemon *d, struct setup *fresh, struct lw_faults *faults)
{
    size_t n;
    const char *rules = config_texts_rules(fresh->texts, &n);

    struct remembered *remembered = poller_remember(d->rooms.poller);
    poller_free(d->rooms.poller);
    d->rooms.poller = NULL;
    int rc = engine_setup(d->rooms.engine, config_texts_ledger(fresh->texts), rules, n,
                          faults);
    if (rc == 0) {
        struct setup old = d->setup;
        d->setup = *fresh;
        *fresh = old;
        config_texts_keep(&d->setup.config, d->setup.texts);
        log_level_set((enum log_level)config_log_level(d->setup.config.log_level));
    }
    int poller_rc = daemon_start_poller(d, faults);
    if (poller_rc == 0)
        poller_recall(d->rooms.poller, remembered);
    remembered_free(remembered);
    return rc != 0 ? rc : poller_rc;
}

/* Reading the ledger waits for PostgreSQL, and polling with it; so not where it is known
 * to be away. */
static int
check_database(const struct daemon *d, struct lw_faults *faults)
{
    struct store_stats stats;
    struct config config;
    int rc = config_load(d->arguments.config, &config, faults);

    if (rc != 0 || config.ledger[0] != '\0' || d->rooms.store == NULL ||
        strcmp(config.conninfo, d->setup.config.conninfo) != 0)
        return rc;
    store_stats(d->rooms.store, &stats);
    if (stats.state == STORE_UP)
        return 0;
    lw_fault_add(faults, d->arguments.config, 0, 0,
                 "[database] conninfo: PostgreSQL, which has the ledger, is away");
    return LW_EPARSE;
}

static int
reload(struct daemon *d, struct lw_faults *faults)
{
    struct setup fresh;
    int rc = check_database(d, faults);

    if (rc != 0)
        return rc;
    rc = setup_load(d->arguments.config, d->arguments.simulated, &fresh, faults);

    if (rc != 0)
        return rc;
    const struct config *config = &fresh.config;
    const struct config *old = &d->setup.config;
    if (journal_options_differ(config, old)) {
        log_note("state_dir and [journal] change with the next start only");
        memcpy(fresh.config.state_dir, old->state_dir, sizeof old->state_dir);
    }
    bool alerts = alert_options_differ(config, old);
    if (alerts)
        rc = daemon_start_notify(d, config);
    else
        notify_reopen(d->rooms.notify);
    if (rc == 0)
        rc = daemon_start_http(d, config, faults);
    if (rc != 0 && alerts && daemon_start_notify(d, old) != 0)
        log_error("alerts are kept in the journal until [alerts] is mended");
    if (rc == 0 && store_options_differ(config, old)) {
        store_free(d->rooms.store);
        d->rooms.store = NULL;
        rc = daemon_start_store(d, config);
        if (rc != 0)
            (void)daemon_start_store(d, old); /* which says why, where it cannot either */
    }
    if (rc == 0)
        rc = put_into_force(d, &fresh, faults);
    setup_free(&fresh);
    return rc;
}

void
daemon_reload(struct daemon *d)
{
    struct lw_faults *faults = calloc(1, sizeof *faults);

    service_reloading();
    int rc = faults == NULL ? LW_ENOMEM : reload(d, faults);
    if (rc == 0) {
        log_note("reloaded %s", d->arguments.config);
    } else {
        if (faults != NULL)
            faults_log(faults);
        log_error("not reloaded (%s): everything stays as it was", lw_result_text(rc));
    }
    free(faults);
    service_ready();
}
