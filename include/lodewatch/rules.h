/* The rules and their parameters. One const table names the rules; one const table of INI
 * keys has every parameter with its default, unit and argument (etc/rules.conf). */
#ifndef LODEWATCH_RULES_H
#define LODEWATCH_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ini.h>
#include <lodewatch/result.h>
#include <lodewatch/time.h>

enum lw_rule_id {
    LW_RULE_CLOSED_LOAD,
    LW_RULE_LICENCE_GAP,
    LW_RULE_COMM_LOSS,
    LW_RULE_REGISTER_JUMP,
    LW_RULE_STUCK_REGISTER,
    LW_RULE_COVERAGE,
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
struct lw_rules {
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
        int64_t intervals; /* of the meter, without a good sample */
        int64_t least_ms;
        int64_t clear_ms;
        int64_t overruns; /* reads of a gateway's meters, */
        int64_t overruns_for_ms;
    } comm_loss;
    struct {
        int64_t clear_ms;
    } register_jump;
    struct {
        int64_t least_w; /* power that must have moved the register */
        int64_t for_ms;
        int64_t steps; /* and so many steps of the register's resolution were due */
        int64_t clear_ms;
    } stuck_register;
    struct {
        int64_t grace_ms; /* after a ledger came into force */
    } coverage;
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
        int64_t night_from_min; /* minute of the day in the deployment's zone */
        int64_t night_to_min;
    } night;
};

extern const struct lw_ini_key lw_rule_keys[];
extern const size_t lw_rule_nkeys;

/* Parses a rules file over the defaults; n = 0 gives the defaults. */
LW_MUSTCHECK
int lw_rules_parse(const char *file, const char *text, size_t n, struct lw_faults *faults,
                   struct lw_rules *ret_rules);

#endif
