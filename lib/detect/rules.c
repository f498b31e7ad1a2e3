/* The rules by name, and every parameter with its default and the argument for it. */
#include <stddef.h>

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
    [LW_RULE_NIGHT_LOAD] = {"night_load", LW_CLASS_CONSUMPTION, SITE, 1, "夜间异常用电",
                            "Unusual load at night"},
    [LW_RULE_PRODUCTION_SHAPE] = {"production_shape", LW_CLASS_CONSUMPTION, SITE, 1,
                                  "生产型用电", "Load of a working shape"},
    [LW_RULE_SLOW_CREEP] = {"slow_creep", LW_CLASS_CONSUMPTION, SITE, 1, "用电缓升",
                            "Slow rise of the load"},
    [LW_RULE_POST_CUTOFF] = {"post_cutoff", LW_CLASS_CONSUMPTION, SITE, 1, "停电后用电",
                             "Load after a cutoff"},
    [LW_RULE_RE_EMERGENCE] = {"re_emergence", LW_CLASS_CONSUMPTION, SITE, 1, "复燃",
                              "Load comes back"},
    [LW_RULE_COMM_LOSS] = {"comm_loss", LW_CLASS_DATA, POINT | GATEWAY, 1, "通信中断",
                           "Communication lost"},
    [LW_RULE_REGISTER_JUMP] = {"register_jump", LW_CLASS_DATA, POINT, 1, "电能示值突变",
                               "Energy register jumped"},
    [LW_RULE_STUCK_REGISTER] = {"stuck_register", LW_CLASS_DATA, POINT, 1, "电能示值停走",
                                "Energy register stands still"},
    [LW_RULE_COVERAGE] = {"coverage", LW_CLASS_DATA, SITE, 1, "台账不全",
                          "Ledger incomplete"},
    [LW_RULE_CT_REVERSAL] = {"ct_reversal", LW_CLASS_DATA, POINT, 1, "电能方向异常",
                             "Energy flows backwards"},
    [LW_RULE_PHASE_LOSS] = {"phase_loss", LW_CLASS_DATA, POINT, 1, "失压或失流",
                            "Voltage or current of a phase lost"},
    [LW_RULE_SUM_CHECK] = {"sum_check", LW_CLASS_DATA, POINT, 1, "电能与功率不符",
                           "Register and power disagree"},
    [LW_RULE_CLOCK_DRIFT] = {"clock_drift", LW_CLASS_DATA, POINT, 1, "电表时钟偏差",
                             "Meter clock wrong"},
    [LW_RULE_UNUSUAL_LOAD] = {"unusual_load", LW_CLASS_CONSUMPTION, SITE, 1,
                              "用电与平常不同", "Load unlike the site's own"},
    [LW_RULE_OVER_CONTRACT] = {"over_contract", LW_CLASS_CONSUMPTION, SITE, 1,
                               "超合同容量用电", "Demand above the contract"},
    [LW_RULE_OVER_LICENCE] = {"over_licence", LW_CLASS_CONSUMPTION, SITE, 1,
                              "电量折算产量超许可",
                              "Energy for more than the licensed output"},
    [LW_RULE_PROCESS_SHARE] = {"process_share", LW_CLASS_CONSUMPTION, SITE, 1,
                               "生产环节用电占比高",
                               "High share of production processes"},
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

#define AT(member) offsetof(struct lw_params, member)
#define WEEK_MS    (7 * LW_DAY)

const struct lw_ini_key lw_rule_keys[] = {
    {"closed_load", "floor_kw", LW_INI_DECIMAL, AT(closed_load.floor_w), 0, 1000000, 1000,
     "0.5",
     "kW allowed at a closed site with nothing on file: a meter's own use and a lamp."},
    {"closed_load", "for", LW_INI_DURATION, AT(closed_load.for_ms), 0, WEEK_MS, 0, "45m",
     "Excess without a break for so long raises: three quarter hours, so that one late "
     "register or a motor's start is no alarm."},
    {"closed_load", "clear", LW_INI_DURATION, AT(closed_load.clear_ms), 0, WEEK_MS, 0,
     "2h",
     "Explained without a break for so long returns. A crusher that runs every night is "
     "one alarm, not thirty: for two weeks the returned one is told again."},
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
    {"unusual_load", "learn", LW_INI_DURATION, AT(unusual_load.learn_ms), LW_DAY,
     365 * LW_DAY, 0, "28d",
     "A site's weeks are learned for so long before it is judged: each hour of the week "
     "four times."},
    {"unusual_load", "ratio", LW_INI_DECIMAL, AT(unusual_load.ratio_milli), 1000, 100000,
     1000, "1.6",
     "Of the last 24 hours to the usual load of these hours, or its inverse: a second "
     "shift or a lost one is more, weather and orders are mostly less."},
    {"unusual_load", "spreads", LW_INI_DECIMAL, AT(unusual_load.spreads_milli), 0, 100000,
     1000, "3", "And so many times the site's own mean deviation."},
    {"unusual_load", "extremes", LW_INI_DECIMAL, AT(unusual_load.extremes_milli), 1,
     100000, 1000, "1.25",
     "And so many times the largest of its own deviations, which are forgotten by half in "
     "twelve weeks: what it does every month is not unusual."},
    {"unusual_load", "clear", LW_INI_DURATION, AT(unusual_load.clear_ms), 0, WEEK_MS, 0,
     "24h", "Hours without deviation, so many, return it."},
    {"over_contract", "ratio", LW_INI_DECIMAL, AT(over_contract.ratio_milli), 1000,
     100000, 1000, "1.05", "Of contract_kw: what meters and their reading may add."},
    {"over_contract", "suspended_share", LW_INI_DECIMAL,
     AT(over_contract.suspended_milli), 0, 1000, 1000, "0.1",
     "Of contract_kw above what is explained, at a works that is suspended or moving: an "
     "office and its lights stay below it."},
    {"over_contract", "for", LW_INI_DURATION, AT(over_contract.for_ms), 0, WEEK_MS, 0,
     "30m", "Two demand intervals of 15 minutes: a motor's start is no demand."},
    {"over_contract", "clear", LW_INI_DURATION, AT(over_contract.clear_ms), 0, WEEK_MS, 0,
     "24h",
     "Within the contract for so long returns: every afternoon's peak is one alarm."},
    {"over_licence", "month_share", LW_INI_DECIMAL, AT(over_licence.month_milli), 0,
     100000, 1000, "0.1",
     "Of the year's licensed output in one month: beyond a tenth a coal mine is taken to "
     "exceed its capacity (major hazards of coal mines, 2020)."},
    {"over_licence", "year_share", LW_INI_DECIMAL, AT(over_licence.year_milli), 0, 100000,
     1000, "1.1", "And in the year: by the same rule, a tenth more than licensed."},
    {"over_licence", "spread", LW_INI_DECIMAL, AT(over_licence.spread_milli), 10, 1000,
     1000, "0.2",
     "By so much, as a standard deviation, is kwh_per_tonne off: depth, water and roof "
     "differ from seam to seam. It says how sure the finding is, and raises nothing."},
    {"process_share", "share", LW_INI_DECIMAL, AT(process_share.share_milli), 0, 1000,
     1000, "0.5",
     "Of a day's load that neither the metered pumps and fans nor any ceiling explains: at "
     "a mine that is only kept they are most of it."},
    {"process_share", "least_kwh", LW_INI_DECIMAL, AT(process_share.least_wh), 0,
     1000000000, 1000, "100",
     "And so many kWh of it: a hoist that works a shift takes more."},
    {"process_share", "over", LW_INI_DURATION, AT(process_share.over_ms), LW_HOUR,
     WEEK_MS, 0, "24h", "Time that is judged at once: pumps run when the sump is full."},
    {"comm_loss", "intervals", LW_INI_INT, AT(comm_loss.intervals), 1, 10000, 0, "4",
     "Intervals of a meter without a good sample: two lost polls are a busy line, and the "
     "third may come late. At a closed site this is told at once."},
    {"comm_loss", "least", LW_INI_DURATION, AT(comm_loss.least_ms), 0, WEEK_MS, 0, "30m",
     "And at least so long, for meters with short intervals: a modem dials in again."},
    {"comm_loss", "gateway", LW_INI_DURATION, AT(comm_loss.gateway_ms), 0, WEEK_MS, 0,
     "2h",
     "Everything behind a gateway silent, no closed site among it: no restart lasts "
     "so long."},
    {"comm_loss", "feeder", LW_INI_DURATION, AT(comm_loss.feeder_ms), 0, WEEK_MS, 0, "4h",
     "A feeder's meter, without which no balance closes, or a site that is suspended, "
     "moving or under maintenance: within a shift."},
    {"comm_loss", "point", LW_INI_DURATION, AT(comm_loss.point_ms), 0, WEEK_MS, 0, "24h",
     "Any other point: its register tells later what passed, and a field crew goes out "
     "for what has been silent for a day."},
    {"comm_loss", "clear", LW_INI_DURATION, AT(comm_loss.clear_ms), 0, WEEK_MS, 0, "1h",
     "Good samples for so long return it; so does a gateway without an overrun."},
    {"comm_loss", "overruns", LW_INI_INT, AT(comm_loss.overruns), 1, 1000000, 0, "10",
     "Reads of a gateway's meters that were due again before they were done: so many "
     "raise."},
    {"comm_loss", "overruns_for", LW_INI_DURATION, AT(comm_loss.overruns_for_ms), 0,
     WEEK_MS, 0, "30m",
     "And they must have come for so long: one slow minute is not the line's size."},
    {"register_jump", "erratic", LW_INI_DURATION, AT(register_jump.erratic_ms), 0,
     WEEK_MS, 0, "6h",
     "The meter answers, and no value of its register can be, for so long."},
    {"register_jump", "clear", LW_INI_DURATION, AT(register_jump.clear_ms), 0, WEEK_MS, 0,
     "1h", "Good samples for so long return it."},
    {"stuck_register", "least_kw", LW_INI_DECIMAL, AT(stuck_register.least_w), 0, 1000000,
     1000, "0.1", "kW below which a register may stand: the meter's starting current."},
    {"stuck_register", "for", LW_INI_DURATION, AT(stuck_register.for_ms), 0, WEEK_MS, 0,
     "2h", "Power without energy for so long raises."},
    {"stuck_register", "steps", LW_INI_INT, AT(stuck_register.steps), 1, 1000000, 0, "5",
     "And so many steps of the register's resolution must have been due."},
    {"stuck_register", "frozen", LW_INI_DURATION, AT(stuck_register.frozen_ms), 0,
     WEEK_MS, 0, "6h",
     "All values the same to the last digit, voltage or current among them, for so long: "
     "the mains are never still for an hour."},
    {"stuck_register", "times", LW_INI_INT, AT(stuck_register.times), 1, 1000, 0, "3",
     "Once a meter gives no power any more: its register stands so many times longer than "
     "it ever did."},
    {"stuck_register", "clear", LW_INI_DURATION, AT(stuck_register.clear_ms), 0, WEEK_MS,
     0, "1h", "Good samples for so long return it."},
    {"ct_reversal", "least_kw", LW_INI_DECIMAL, AT(ct_reversal.least_w), 0, 1000000, 1000,
     "0.1", "kW in either direction below which a meter's sign means nothing."},
    {"ct_reversal", "for", LW_INI_DURATION, AT(ct_reversal.for_ms), 0, WEEK_MS, 0, "2h",
     "Backwards for so long, never forwards: a hoist that brakes feeds back for seconds."},
    {"ct_reversal", "clear", LW_INI_DURATION, AT(ct_reversal.clear_ms), 0, WEEK_MS, 0,
     "1h", "Good samples for so long return it."},
    {"phase_loss", "voltage_share", LW_INI_DECIMAL, AT(phase_loss.voltage_milli), 0, 1000,
     1000, "0.78",
     "Share of its usual voltage below which a phase that carries current has lost it: what "
     "meters themselves record as voltage loss (DL/T 645)."},
    {"phase_loss", "for", LW_INI_DURATION, AT(phase_loss.for_ms), 0, WEEK_MS, 0, "2h",
     "For so long: a fuse is changed, and a fault on the line switched off, within it."},
    {"phase_loss", "clear", LW_INI_DURATION, AT(phase_loss.clear_ms), 0, WEEK_MS, 0, "1h",
     "Good samples for so long return it."},
    {"sum_check", "share", LW_INI_DECIMAL, AT(sum_check.share_milli), 0, 1000, 1000,
     "0.2",
     "Share of the energy by which register and power may differ, beside what the power "
     "may have done between its samples: meters are right to a few percent, and a phase "
     "that is lost takes a third."},
    {"sum_check", "least_kwh", LW_INI_DECIMAL, AT(sum_check.least_wh), 0, 1000000000,
     1000, "5", "kWh over the time that is checked, below which nothing is said."},
    {"sum_check", "over", LW_INI_DURATION, AT(sum_check.over_ms), LW_HOUR, WEEK_MS, 0,
     "24h", "Time that is checked at once: a day holds all that a site does."},
    {"clock_drift", "most", LW_INI_DURATION, AT(clock_drift.most_ms), 0, WEEK_MS, 0, "5m",
     "By which a meter's clock may differ from ours: beyond it its demands and tariffs are "
     "those of another quarter hour."},
    {"clock_drift", "readings", LW_INI_INT, AT(clock_drift.readings), 1, 100, 0, "2",
     "Readings of the clock in a row: one may have waited on a busy line."},
    {"coverage", "grace", LW_INI_DURATION, AT(coverage.grace_ms), 0, WEEK_MS, 0, "0s",
     "After a ledger comes into force, before its gaps are told."},
    {"reference", "edge", LW_INI_DURATION, AT(reference.edge_ms), 0, LW_DAY / 4, 0, "2h",
     "By which a load may be earlier or later than it was: an hour of summer time, an hour "
     "of habit. Dusk and dawn add to it as the nights grow."},
    {"reference", "most", LW_INI_DECIMAL, AT(reference.most_milli), 1000, 10000, 1000,
     "1.15",
     "Times the most that was seen over the same length while it learned: voltage moves a "
     "heater's load by a tenth, and four weeks have not seen all."},
    {"reference", "spread", LW_INI_DECIMAL, AT(reference.spread_milli), 0, 10000, 1000,
     "1.5",
     "And so many standard deviations of that mean: half a year has more extremes "
     "than four weeks."},
    {"reference", "base", LW_INI_DECIMAL, AT(reference.base_milli), 0, 10000, 1000, "0.1",
     "And of the site's usual load, over up to eight hours: appliances, and voltage, which "
     "varies by 5 % and acts as its square."},
    {"reference", "base_long", LW_INI_DECIMAL, AT(reference.base_long_milli), 0, 10000,
     1000, "0.04", "The same over a day and more, which evens most of that out."},
    {"reference", "heating", LW_INI_DECIMAL, AT(reference.heating_milli), 0, 10000, 1000,
     "0.1",
     "And of what heating takes at this temperature, as wind and sun are not known."},
    {"reference", "pair", LW_INI_DECIMAL, AT(reference.pair_milli), 1000, 10000, 1000,
     "1.4",
     "The limit of an hour, times this, for two intervals: a kettle is no finding."},
    {"reference", "long", LW_INI_DECIMAL, AT(reference.long_milli), 1000, 10000, 1000,
     "1.6",
     "And the limits of a day and more, times this: a season drifts, and what is "
     "slow can wait."},
    {"reference", "least_kw", LW_INI_DECIMAL, AT(reference.least_w), 0, 1000000, 1000,
     "1",
     "kW over the reference that are no finding, over up to eight hours: a guard who cooks, "
     "or a fan heater for a visitor."},
    {"reference", "least_long_kw", LW_INI_DECIMAL, AT(reference.least_long_w), 0, 1000000,
     1000, "0.2", "The same over a day and more: a lamp that burns on."},
    {"reference", "sure", LW_INI_DECIMAL, AT(reference.sure_milli), 1000, 10000, 1000,
     "1.25",
     "Times a limit: what is over that is told at once, what is less when it is there "
     "again within a week. A limit from four weeks is itself uncertain by a quarter."},
    {"reference", "known", LW_INI_DECIMAL, AT(reference.known_milli), 1000, 10000, 1000,
     "1.1", "A level that a site reached while it learned is known up to so many times."},
    {"reference", "start", LW_INI_DECIMAL, AT(reference.start_milli), 0, 10000, 1000,
     "0.6", "Of that level: a step up or down by so much is a machine's start or stop,"},
    {"reference", "starts", LW_INI_INT, AT(reference.starts), 2, 12, 0, "4",
     "and so many within three hours are a machine at work: who is on site for a visit "
     "starts and stops once."},
    {"reference", "pump", LW_INI_DECIMAL, AT(reference.pump_milli), 0, 1000, 1000, "0.6",
     "Of an unmetered pump's max_kw, above which it is taken to run: ceilings have a "
     "reserve, and what is above half of it is no guard."},
    {"reference", "wear", LW_INI_DECIMAL, AT(reference.wear_milli), 0, 1000, 1000, "0.03",
     "Of a pump's power, by which head and wear change it."},
    {"reference", "pumped", LW_INI_DECIMAL, AT(reference.pumped_milli), 0, 100000, 1000,
     "1",
     "Of the mean that rain and water level explain of a pump over four days: what seeps in "
     "without rain may double as seasons change, and a stuck switch makes it many times."},
    {"reference", "peers", LW_INI_INT, AT(reference.peers), 4, 1000000, 0, "12",
     "Sites of the same status and kind, at least, for one to be compared with: the quartiles "
     "of fewer are chance."},
    {"reference", "peers_spread", LW_INI_DECIMAL, AT(reference.peers_spread_milli), 0,
     100000, 1000, "2.5",
     "Interquartile ranges above the upper quartile of their logarithms: four standard "
     "deviations, which one lawful site in 40,000 exceeds."},
    {"reference", "shift_kw", LW_INI_DECIMAL, AT(reference.shift_w), 0, 1000000000, 1000,
     "8",
     "A profile that swings by more is a shift's, where no heating is declared: lamps of a "
     "closed site take less than 5 kW. Above all that is declared, any is."},
    {"reference", "shift_share", LW_INI_DECIMAL, AT(reference.shift_milli), 0, 10000,
     1000, "0.45", "And by this share of its mean, heating left out."},
    {"reference", "differs_kw", LW_INI_DECIMAL, AT(reference.differs_w), 0, 1000000000,
     1000, "6",
     "The deviation of an hour from day to day that is a machine's: what a household "
     "switches on and off at random is less."},
    {"reference", "differs_share", LW_INI_DECIMAL, AT(reference.differs_milli), 0, 10000,
     1000, "0.15",
     "And as a share of the mean: weather and habit move a load by a tenth."},
    {"reference", "clear", LW_INI_DURATION, AT(reference.clear_ms), 0, WEEK_MS, 0, "2h",
     "Quiet for so long returns what two intervals or an hour showed; what it took longer "
     "to see returns after as long."},
    {"post_cutoff", "clear", LW_INI_DURATION, AT(post_cutoff.clear_ms), 0, WEEK_MS, 0,
     "24h", "No advance of the register for so long returns it: a night and a day."},
    {"re_emergence", "watch", LW_INI_DURATION, AT(re_emergence.watch_ms), 0, 366 * LW_DAY,
     0, "90d", "After a closing that was seen: the look-back period of the campaign."},
    {"re_emergence", "limit", LW_INI_DECIMAL, AT(re_emergence.most_milli), 0, 1000, 1000,
     "0.7",
     "Of the other limits: who was closed last month begins small, and the cost of "
     "one more look is small while the case is open."},
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
     0, "7d",
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
    {"tip_off", "within", LW_INI_DURATION, AT(tip_off.within_ms), LW_MINUTE, LW_DAY, 0,
     "60m",
     "A load that falls so soon after its alarm was first read is recorded: a call and a "
     "machine's end take minutes, and in a longer time any shift would end."},
    {"tip_off", "for", LW_INI_DURATION, AT(tip_off.for_ms), LW_MINUTE, LW_DAY, 0, "30m",
     "Gone without a break for so long is a fall: two quarter hours, so that a jam or a "
     "change of trucks is none. It must be less than the rules' clear."},
    {"tip_off", "usual", LW_INI_DECIMAL, AT(tip_off.usual_milli), 1, 100000, 1000, "0.5",
     "Falls of such load in such a time, by what it did before: from so many on another "
     "one says nothing, and is not recorded."},
    {"night", "from_minute", LW_INI_INT, AT(night.night_from_min), 0, 1439, 0, "1320",
     "Minute of the local day at which night begins: 22:00."},
    {"night", "to_minute", LW_INI_INT, AT(night.night_to_min), 0, 1439, 0, "360",
     "And ends: 06:00."},
};

const size_t lw_rule_nkeys = sizeof lw_rule_keys / sizeof lw_rule_keys[0];
