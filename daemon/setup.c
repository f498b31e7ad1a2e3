/* Everything that is read before the daemon can run, and a rehearsal with it: a ledger,
 * the rules and a poller are made and thrown away, so that what passes here can be put
 * into force without a fault half-way. */
#include "daemon/setup.h"

#include <string.h>

#include <event2/event.h>

#include <lodewatch/ledger.h>
#include <lodewatch/rules.h>

#include "daemon/clock.h"
#include "daemon/http/auth.h"
#include "daemon/poll/poller.h"

static void
ignore_event(void *arg, const struct lw_event *event)
{
    (void)arg;
    (void)event;
}

/* A poller on a base that never runs, so that it connects to nothing. */
static int
rehearse_poller(const struct lw_ledger *ledger, const struct profiles *profiles,
                struct lw_faults *faults)
{
    static const struct clock_options still = {.simulated = true, .rate = 1};
    struct event_base *base = event_base_new();
    struct clock *clock = NULL;
    struct poller *poller = NULL;
    int rc = base == NULL ? LW_ENOMEM : clock_new(base, &still, &clock);

    if (rc == 0) {
        rc = poller_new(base, clock, ledger, profiles, ignore_event, NULL, faults,
                        &poller);
    }
    poller_free(poller);
    clock_free(clock);
    if (base != NULL)
        event_base_free(base);
    return rc;
}

static int
rehearse(const struct setup *setup, struct lw_faults *faults)
{
    struct lw_ledger *ledger = NULL;
    struct lw_rules rules;
    struct auth auth;
    size_t n;
    const char *text = config_texts_rules(setup->texts, &n);
    int rc = lw_ledger_new(config_texts_ledger(setup->texts), faults, &ledger);
    int rules_rc = lw_rules_parse(setup->config.rules, text, n, faults, &rules);
    int auth_rc = auth_load(setup->config.token_file, &auth, faults);

    if (rc == 0 && ledger->nsites == 0 && ledger->nmeters == 0) {
        /* Not what anybody wants to run on; but what a new database looks like. */
        lw_fault_add(faults, "[daemon] ledger", 0, 0,
                     "it is empty: sites and meters were expected%s",
                     setup->config.ledger[0] == '\0' ? " (lodewatch import)" : "");
        rc = LW_EPARSE;
    }
    if (rc == 0)
        rc = rehearse_poller(ledger, setup->profiles, faults);
    lw_ledger_free(ledger);
    return rc != 0 ? rc : rules_rc != 0 ? rules_rc : auth_rc;
}

int
setup_load(const char *path, bool exercise, struct setup *ret_setup,
           struct lw_faults *faults)
{
    struct setup setup = {0};
    int rc = config_load(path, &setup.config, faults);

    if (rc != 0)
        return rc;
    rc = config_texts_load(&setup.config, exercise, faults, &setup.texts);
    int profiles_rc = profiles_load(setup.config.profiles, faults, &setup.profiles);
    rc = rc != 0 ? rc : profiles_rc;
    if (rc == 0)
        rc = rehearse(&setup, faults);
    if (rc != 0) {
        setup_free(&setup);
        return rc;
    }
    *ret_setup = setup;
    return 0;
}

void
setup_free(struct setup *setup)
{
    config_texts_free(setup->texts);
    profiles_free(setup->profiles);
    memset(setup, 0, sizeof *setup); /* a conninfo may hold a password */
}
