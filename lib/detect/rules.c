/* The rules by name, and every parameter with its default and the argument for it. */
#include <lodewatch/rules.h>

/* A feeder's point is a point too. */
enum {
    SITE = 1 << LW_SUBJECT_SITE,
    POINT = 1 << LW_SUBJECT_POINT | 1 << LW_SUBJECT_FEEDER,
    GATEWAY = 1 << LW_SUBJECT_GATEWAY
};

static const struct lw_rule_info RULE[LW_RULES] = {
    [LW_RULE_CLOSED_LOAD] = {"closed_load", LW_CLASS_CONSUMPTION, SITE, 1,
                             "关闭或无证点用电", "Load at a closed or unlicensed site"},
    [LW_RULE_LICENCE_GAP] = {"licence_gap", LW_CLASS_CONSUMPTION, SITE, 1,
                             "证照不全生产用电",
                             "Production load without a licence in force"},
    [LW_RULE_COMM_LOSS] = {"comm_loss", LW_CLASS_DATA, POINT | GATEWAY, 1, "通信中断",
                           "Communication lost"},
    [LW_RULE_REGISTER_JUMP] = {"register_jump", LW_CLASS_DATA, POINT, 1, "电能示值突变",
                               "Energy register jumped"},
    [LW_RULE_STUCK_REGISTER] = {"stuck_register", LW_CLASS_DATA, POINT, 1, "电能示值停走",
                                "Energy register stands still"},
    [LW_RULE_COVERAGE] = {"coverage", LW_CLASS_DATA, SITE, 1, "台账不全",
                          "Ledger incomplete"},
    [LW_RULE_FEEDER_RESIDUAL] = {"feeder_residual", LW_CLASS_CONSUMPTION, POINT, 1,
                                 "馈线不明损失电量",
                                 "Energy that a feeder loses to no meter"},
    [LW_RULE_DISPLACEMENT] = {"displacement", LW_CLASS_CONSUMPTION, POINT, 1,
                              "停用负荷转移", "Load that moved after a site was stopped"},
};

const struct lw_rule_info *
lw_rule_info(enum lw_rule_id rule)
{
    return &RULE[rule];
}

#define AT(member) offsetof(struct lw_rules, member)
#define WEEK_MS    (7 * LW_DAY)

const struct lw_ini_key lw_rule_keys[] = {
    {"closed_load", "floor_kw", LW_INI_DECIMAL, AT(closed_load.floor_w), 0, 1000000, 1000,
     "0.5",
     "kW allowed at a closed site with nothing on file: a meter's own use and a lamp."},
    {"closed_load", "for", LW_INI_DURATION, AT(closed_load.for_ms), 0, WEEK_MS, 0, "45m",
     "Excess without a break for so long raises: three quarter hours, so that one late "
     "register or a motor's start is no alarm."},
    {"closed_load", "clear", LW_INI_DURATION, AT(closed_load.clear_ms), 0, WEEK_MS, 0,
     "24h",
     "Explained without a break for so long returns: a crusher that runs every night is one "
     "alarm, not thirty."},
    {"closed_load", "least_kwh", LW_INI_DECIMAL, AT(closed_load.least_wh), 0, 1000000000,
     1000, "0", "kWh unexplained at least, beside the register's resolution."},
    {"licence_gap", "production_kw", LW_INI_DECIMAL, AT(licence_gap.production_w), 0,
     1000000000, 1000, "15",
     "kW above which a mine without a licence is producing, not being kept."},
    {"licence_gap", "production_share", LW_INI_DECIMAL, AT(licence_gap.production_milli),
     0, 1000, 1000, "0.15",
     "Share of contract_kw above which it is; whichever is more counts."},
    {"licence_gap", "for", LW_INI_DURATION, AT(licence_gap.for_ms), 0, WEEK_MS, 0, "1h",
     "Production for so long raises."},
    {"licence_gap", "clear", LW_INI_DURATION, AT(licence_gap.clear_ms), 0, WEEK_MS, 0,
     "24h", "No production for so long returns."},
    {"comm_loss", "intervals", LW_INI_INT, AT(comm_loss.intervals), 1, 10000, 0, "3",
     "Intervals of a meter without a good sample: one lost poll is a busy line."},
    {"comm_loss", "least", LW_INI_DURATION, AT(comm_loss.least_ms), 0, WEEK_MS, 0, "10m",
     "And at least so long, for meters with short intervals."},
    {"comm_loss", "clear", LW_INI_DURATION, AT(comm_loss.clear_ms), 0, WEEK_MS, 0, "1h",
     "Good samples for so long return it; so does a gateway without an overrun."},
    {"comm_loss", "overruns", LW_INI_INT, AT(comm_loss.overruns), 1, 1000000, 0, "10",
     "Reads of a gateway's meters that were due again before they were done: so many "
     "raise."},
    {"comm_loss", "overruns_for", LW_INI_DURATION, AT(comm_loss.overruns_for_ms), 0,
     WEEK_MS, 0, "30m",
     "And they must have come for so long: one slow minute is not the line's size."},
    {"register_jump", "clear", LW_INI_DURATION, AT(register_jump.clear_ms), 0, WEEK_MS, 0,
     "1h", "Good samples for so long return it."},
    {"stuck_register", "least_kw", LW_INI_DECIMAL, AT(stuck_register.least_w), 0, 1000000,
     1000, "0.1", "kW below which a register may stand: the meter's starting current."},
    {"stuck_register", "for", LW_INI_DURATION, AT(stuck_register.for_ms), 0, WEEK_MS, 0,
     "2h", "Power without energy for so long raises."},
    {"stuck_register", "steps", LW_INI_INT, AT(stuck_register.steps), 1, 1000000, 0, "5",
     "And so many steps of the register's resolution must have been due."},
    {"stuck_register", "clear", LW_INI_DURATION, AT(stuck_register.clear_ms), 0, WEEK_MS,
     0, "1h", "Good samples for so long return it."},
    {"coverage", "grace", LW_INI_DURATION, AT(coverage.grace_ms), 0, WEEK_MS, 0, "0s",
     "After a ledger comes into force, before its gaps are told."},
    {"feeder_residual", "learn", LW_INI_DURATION, AT(feeder_residual.learn_ms), LW_DAY,
     366 * LW_DAY, 0, "28d",
     "Loss and deviations are learned for so long from a feeder's first register, and then "
     "never again: four weeks have every weekday four times."},
    {"feeder_residual", "sigmas", LW_INI_DECIMAL, AT(feeder_residual.sigmas_milli), 1,
     100000, 1000, "6",
     "A window's residual must be so many of its usual deviations: with 14 lengths tried at "
     "every boundary a normal deviation passes six once in 2000 feeder-years."},
    {"feeder_residual", "share", LW_INI_DECIMAL, AT(feeder_residual.share_milli), 0, 1000,
     1000, "0.003",
     "And so much of the window's load: ten degrees more make copper's loss 4 % higher, "
     "0.15 % of the load of a poor feeder; and meters of class 0.5 drift."},
    {"feeder_residual", "most_loss", LW_INI_DECIMAL, AT(feeder_residual.most_loss_milli),
     0, 1000, 1000, "0.15",
     "A feeder that has lost a larger share of its load while it learned is not judged: "
     "lines and transformers lose 2 to 12 %, the rest are customers without a meter."},
    {"feeder_residual", "skew", LW_INI_DURATION, AT(feeder_residual.skew_ms), 0, LW_HOUR,
     0, "1m", "Registers may have been read so much apart."},
    {"feeder_residual", "clear", LW_INI_DURATION, AT(feeder_residual.clear_ms), LW_HOUR,
     WEEK_MS, 0, "24h",
     "Without a residual for so long returns: a tap that runs every night is one alarm."},
    {"displacement", "watch", LW_INI_DURATION, AT(displacement.watch_ms), 0, 366 * LW_DAY,
     0, "14d",
     "For so long after a site was stopped its load is looked for elsewhere: who moves his "
     "machines does so within days, and later a rise has other reasons."},
    {"displacement", "for", LW_INI_DURATION, AT(displacement.for_ms), 0, WEEK_MS, 0,
     "24h", "A neighbour's last 24 hours must have been alike for so long."},
    {"displacement", "least_kw", LW_INI_DECIMAL, AT(displacement.least_w), 0, 1000000000,
     1000, "2", "kW that the site must have lost, as a day's mean: less is a household."},
    {"displacement", "share_least", LW_INI_DECIMAL, AT(displacement.share_least_milli), 0,
     10000, 1000, "0.7",
     "Share of what was lost that must come up: some machines stay behind, or both sites' "
     "usual load is off by a sixth."},
    {"displacement", "share_most", LW_INI_DECIMAL, AT(displacement.share_most_milli), 0,
     10000, 1000, "1.4", "And at most: more is business of its own."},
    {"displacement", "overlap", LW_INI_DECIMAL, AT(displacement.overlap_milli), 0, 1000,
     1000, "0.6", "Share of what was lost that must come up at the same hours."},
    {"night", "from_minute", LW_INI_INT, AT(night.night_from_min), 0, 1439, 0, "1320",
     "Minute of the local day at which night begins: 22:00."},
    {"night", "to_minute", LW_INI_INT, AT(night.night_to_min), 0, 1439, 0, "360",
     "And ends: 06:00."},
};

const size_t lw_rule_nkeys = sizeof lw_rule_keys / sizeof lw_rule_keys[0];

int
lw_rules_parse(const char *file, const char *text, size_t n, struct lw_faults *faults,
               struct lw_rules *ret_rules)
{
    struct lw_rules rules = {0};
    int rc;

    lw_ini_defaults(lw_rule_keys, lw_rule_nkeys, &rules);
    rc = n == 0
             ? 0
             : lw_ini_parse(file, text, n, lw_rule_keys, lw_rule_nkeys, &rules, faults);
    if (rc == 0)
        *ret_rules = rules;
    return rc;
}
