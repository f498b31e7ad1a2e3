/* Families of rules: what each listens to, and what those about a site share. A part of
 * lib/state.h. */
#ifndef LIB_DETECT_FAMILY_H
#define LIB_DETECT_FAMILY_H

#include "lib/state.h"

/* --- detect/: a family of rules listens to what concerns it; families.c has the table.
 */
struct family {
    void (*window)(struct lw_core *core, const struct window *window);
    void (*reading)(struct lw_core *core, int32_t meter, const struct judged *judged);
    void (*failed)(struct lw_core *core, int32_t meter, enum lw_read_failure why);
    void (*meter_timer)(struct lw_core *core, int32_t meter);
    void (*gateway_timer)(struct lw_core *core, int32_t gateway);
    void (*meter_clock)(struct lw_core *core, int32_t meter, int64_t drift_ms);
    void (*ledger)(struct lw_core *core); /* a ledger has been in force for a while */
};
extern const struct family detect_tip_off;   /* tip_off: before those that it follows */
extern const struct family detect_site_load; /* closed_load, licence_gap */
extern const struct family detect_silence;   /* comm_loss */
extern const struct family detect_overrun;   /* comm_loss, too */
extern const struct family detect_register;  /* register_jump */
extern const struct family detect_stuck;     /* stuck_register */
extern const struct family detect_wiring;    /* ct_reversal, phase_loss */
extern const struct family detect_sum;       /* sum_check */
extern const struct family detect_clock;     /* clock_drift */
extern const struct family detect_pattern;  /* night_load, production_shape, slow_creep */
extern const struct family detect_cutoff;   /* post_cutoff */
extern const struct family detect_weather;  /* no rule: what context instruments say */
extern const struct family detect_feeder;   /* feeder_residual, displacement */
extern const struct family detect_coverage; /* coverage */
extern const struct family detect_unusual;  /* unusual_load */
extern const struct family detect_over;     /* over_contract, over_licence */
extern const struct family detect_share;    /* process_share */
extern const struct family *const detect_families[];
extern const int detect_nfamilies;

/* --- detect/site_load.c: runs of windows in which a site draws too much */
/* What a rule says about one window. */
struct view {
    bool concerns;   /* the rule speaks about this site at this time */
    bool moot;       /* and by the ledger never will: what stands has lost its ground */
    int64_t most_wh; /* that it may have drawn */
    int64_t allowed_wh; /* of which so much is explained: what the alert calls expected */
    bool partial;       /* something is not measured: it may raise, not clear */
    enum lw_finding finding;
    int64_t missing; /* licences: bit 0 mining, bit 1 safety */
};
struct patience {
    enum lw_rule_id rule;
    int64_t for_ms, clear_ms, least_wh;
    enum lw_priority least;
};
/* A run as evidence; whose it is knows what is missing. */
struct lw_evidence run_evidence(const struct run *run);
/* How many samples the site's supplies give in a time. */
int64_t samples_expected(const struct lw_core *core, int32_t site, int64_t ms);
/* How soon somebody must look: at a site where nothing may run at once if it draws what
 * production draws, else within a shift. */
enum lw_priority load_priority(const struct lw_core *core, int32_t site,
                               const struct lw_evidence *evidence);
/* Whether the site is above what it may draw: then that is told at once, since what was
 * learned of the site says that it is no motor's start, and how soon somebody must look.
 */
bool site_load_hasten(struct lw_core *core, int32_t site, enum lw_priority least);
/* Adds the window to the run; raises, updates or returns the rule's alarm. */
void site_run(struct lw_core *core, const struct window *w, struct over_run *o,
              const struct view *v, const struct patience *p);
bool site_is_mine(enum lw_site_kind kind);
/* By the site's parameters. */
bool is_night(const struct lw_core *core, const struct lw_params *rules, int64_t at);
/* W over ms, in Wh. */
int64_t energy_wh(int64_t w, int64_t ms);
static inline int64_t
clamp(int64_t v, int64_t least, int64_t most)
{
    return v < least ? least : v > most ? most : v;
}

/* --- detect/sure.c: evidence.confidence_milli */
/* By how many times its limit it is off: at a limit one in ten would be wrong, and that
 * falls with the square of what is beyond. */
int32_t sure_beyond(double times);
/* By how many standard deviations it is above what a declared value, off by as much
 * either way, allows: at none every second would be wrong; from one on half of what
 * Chebyshev leaves to both sides. */
int32_t sure_spread(double sigmas);

#endif
