/* The rules and their parameters. One const table names the rules; one const table of INI
 * keys has every parameter with its default, unit and argument (etc/rules.conf). */
#ifndef LODEWATCH_RULES_H
#define LODEWATCH_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ini.h>
#include <lodewatch/ledger.h>
#include <lodewatch/result.h>
#include <lodewatch/time.h>

enum lw_rule_id {
    LW_RULE_CLOSED_LOAD,
    LW_RULE_LICENCE_GAP,
    LW_RULE_NIGHT_LOAD,
    LW_RULE_PRODUCTION_SHAPE,
    LW_RULE_SLOW_CREEP,
    LW_RULE_POST_CUTOFF,
    LW_RULE_RE_EMERGENCE,
    LW_RULE_COMM_LOSS,
    LW_RULE_REGISTER_JUMP,
    LW_RULE_STUCK_REGISTER,
    LW_RULE_COVERAGE,
    LW_RULE_CT_REVERSAL,
    LW_RULE_PHASE_LOSS,
    LW_RULE_SUM_CHECK,
    LW_RULE_CLOCK_DRIFT,
    LW_RULE_UNUSUAL_LOAD,
    LW_RULE_OVER_CONTRACT,
    LW_RULE_OVER_LICENCE,
    LW_RULE_PROCESS_SHARE,
    LW_RULE_FEEDER_RESIDUAL,
    LW_RULE_DISPLACEMENT,
    LW_RULES
};

enum lw_rule_class {
    LW_CLASS_CONSUMPTION,
    LW_CLASS_DATA
};

enum lw_subject_kind {
    LW_SUBJECT_SITE,
    LW_SUBJECT_POINT,
    LW_SUBJECT_FEEDER, /* the feeder meter's point */
    LW_SUBJECT_GATEWAY,
};

enum {
    LW_SUBJECT_KINDS = LW_SUBJECT_GATEWAY + 1
};

struct lw_rule_info {
    const char *id; /* "closed_load" */
    enum lw_rule_class class;
    unsigned subjects; /* 1 << lw_subject_kind of what it can speak about */
    int version;       /* goes up when the rule can judge differently */
    const char *zh;
    const char *en;
};

const struct lw_rule_info *lw_rule_info(enum lw_rule_id rule);

/* Every parameter, by rule. Times in ms, power in W, energy in Wh. */
struct lw_params {
    struct {
        int64_t floor_w;  /* allowed at a closed site that nobody has explained */
        int64_t for_ms;   /* excess for so long raises */
        int64_t clear_ms; /* explained for so long returns */
        int64_t least_wh; /* and at least so much energy is unexplained */
    } closed_load;
    struct {
        int64_t production_w;
        int64_t production_milli; /* of contract_kw, whichever is more */
        int64_t for_ms;
        int64_t clear_ms;
    } licence_gap;
    struct {
        int64_t intervals; /* of the meter, without a good sample: it is silent */
        int64_t least_ms;
        int64_t gateway_ms; /* all silent behind a gateway with no closed site */
        int64_t feeder_ms;  /* a feeder's meter, or a site that is not to produce */
        int64_t point_ms;   /* any other point but a closed site's */
        int64_t clear_ms;
        int64_t overruns; /* reads of a gateway's meters, */
        int64_t overruns_for_ms;
    } comm_loss;
    struct {
        int64_t erratic_ms; /* no value that can be, for so long */
        int64_t clear_ms;
    } register_jump;
    struct {
        int64_t least_w; /* power that must have moved the register */
        int64_t for_ms;
        int64_t steps;     /* and so many steps of the register's resolution were due */
        int64_t frozen_ms; /* all values the same to the last digit */
        int64_t times;     /* the longest stand, once the power is gone too */
        int64_t clear_ms;
    } stuck_register;
    struct {
        int64_t least_w;
        int64_t for_ms;
        int64_t clear_ms;
    } ct_reversal;
    struct {
        int64_t voltage_milli; /* of the usual voltage, below which it is gone */
        int64_t for_ms;
        int64_t clear_ms;
    } phase_loss;
    struct {
        int64_t share_milli;
        int64_t least_wh;
        int64_t over_ms;
    } sum_check;
    struct {
        int64_t most_ms;
        int64_t readings; /* of the clock, in a row */
    } clock_drift;
    struct {
        int64_t learn_ms;       /* before it judges */
        int64_t ratio_milli;    /* of 24 hours to their usual load, or its inverse */
        int64_t spreads_milli;  /* and so many times the site's mean deviation */
        int64_t extremes_milli; /* and of its largest of the last weeks */
        int64_t clear_ms;
    } unusual_load;
    struct {
        int64_t ratio_milli;     /* of contract_kw */
        int64_t suspended_milli; /* of it, where capacity is suspended */
        int64_t for_ms;
        int64_t clear_ms;
    } over_contract;
    struct {
        int64_t month_milli; /* of the year's licensed output */
        int64_t year_milli;
        int64_t spread_milli; /* of kWh a tonne, as a standard deviation */
    } over_licence;
    struct {
        int64_t share_milli; /* of a day's load that nothing explains */
        int64_t least_wh;
        int64_t over_ms;
    } process_share;
    struct {
        int64_t grace_ms; /* after a ledger came into force */
    } coverage;
    struct {
        int64_t edge_ms;         /* by which habits move along the day */
        int64_t most_milli;      /* times the most that was seen while it learned */
        int64_t spread_milli;    /* and standard deviations of the same mean */
        int64_t base_milli;      /* and of the site's usual load, up to eight hours */
        int64_t base_long_milli; /* and over a day and more */
        int64_t heating_milli;   /* and of the heating at this temperature */
        int64_t pair_milli;      /* all that, times this, for two intervals */
        int64_t long_milli;      /* and for a day and more */
        int64_t least_w;         /* no limit is lower */
        int64_t least_long_w;    /* of a day and more */
        int64_t known_milli;     /* a level that was there while it learned, times this */
        int64_t start_milli;     /* of that: a start or stop */
        int64_t starts;          /* so many of them within three hours */
        int64_t pump_milli;      /* of a pump's ceiling, above which it is taken to run */
        int64_t wear_milli;      /* of a pump's power, by which it changes */
        int64_t sure_milli;      /* of a limit: told at once; less, when seen again */
        int64_t peers;           /* sites like it, at least, to compare with them */
        int64_t peers_spread_milli;
        int64_t pumped_milli;  /* of what water explains of it, and the season moves */
        int64_t shift_w;       /* the profile's swing that is a shift's */
        int64_t shift_milli;   /* and as a share of its mean */
        int64_t differs_w;     /* by which an hour differs from day to day */
        int64_t differs_milli; /* and as a share of the mean */
        int64_t clear_ms;
    } reference;
    struct {
        int64_t clear_ms;
    } post_cutoff;
    struct {
        int64_t watch_ms;   /* after a site was closed */
        int64_t most_milli; /* of the limits that apply otherwise */
    } re_emergence;
    struct {
        int64_t learn_ms;        /* from the feeder's first register on; then frozen */
        int64_t sigmas_milli;    /* of a window's own deviation */
        int64_t share_milli;     /* of the window's load */
        int64_t most_loss_milli; /* of the load, when learned */
        int64_t skew_ms;         /* by which meters' clocks may be apart */
        int64_t clear_ms;
    } feeder_residual;
    struct {
        int64_t watch_ms;                            /* after a site was stopped */
        int64_t for_ms;                              /* alike for so long raises */
        int64_t least_w;                             /* of lost load */
        int64_t share_least_milli, share_most_milli; /* of it that must come up */
        int64_t overlap_milli;                       /* at the same hours */
    } displacement;
    struct {
        int64_t within_ms;   /* from the first reading to the fall */
        int64_t for_ms;      /* gone for so long is a fall */
        int64_t usual_milli; /* falls in that time by themselves: it says nothing */
    } tip_off;
    struct {
        int64_t night_from_min; /* minute of the day in the deployment's zone */
        int64_t night_to_min;
    } night;
};

/* A rules file: the parameters for all, and as its sections [rule STATUS KIND] have them
 * for sites of a status and kind. */
struct lw_rules {
    struct lw_params all;
    struct lw_params of[LW_SITE_STATUSES][LW_SITE_KINDS];
};

extern const struct lw_ini_key lw_rule_keys[];
extern const size_t lw_rule_nkeys;

/* Parses a rules file over the defaults; n = 0 gives the defaults. */
LW_MUSTCHECK
int lw_rules_parse(const char *file, const char *text, size_t n, struct lw_faults *faults,
                   struct lw_rules *ret_rules);

#endif
