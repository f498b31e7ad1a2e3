/* What a checkpoint keeps of the core's state: each field by name, so that the next
 * release can read it. A new member is added here, or it is gone with the next start. */
#include "core_fields.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define RAISED(i) LW_FIELD(struct lw_core, flood.raised[i])

static const struct lw_field CORE[] = {
    LW_FIELD(struct lw_core, now),
    LW_FIELD(struct lw_core, starting),
    LW_FIELD(struct lw_core, covered),
    RAISED(0),
    RAISED(1),
    RAISED(2),
    RAISED(3),
    RAISED(4),
    RAISED(5),
    RAISED(6),
    RAISED(7),
    RAISED(8),
    RAISED(9),
    LW_FIELD(struct lw_core, flood.next),
    LW_FIELD(struct lw_core, flood.alarms),
};
_Static_assert(LW_FLOOD_ALARMS == 10, "each time is a field of the checkpoint");

#define MARK(i)                                                                          \
    LW_FIELD(struct meter_state, mark[i].at), LW_FIELD(struct meter_state, mark[i].wh)

#define PHASE(i)                                                                         \
    LW_FIELD(struct meter_state, wiring.voltage[i]),                                     \
        LW_FIELD(struct meter_state, wiring.share[i])

static const struct lw_field METER[] = {
    LW_FIELD(struct meter_state, newest),
    LW_FIELD(struct meter_state, heard),
    LW_FIELD(struct meter_state, back),
    LW_FIELD(struct meter_state, reg.at),
    LW_FIELD(struct meter_state, reg.wh),
    LW_FIELD(struct meter_state, reg.odd_at),
    LW_FIELD(struct meter_state, reg.odd_wh),
    LW_FIELD(struct meter_state, total_wh),
    LW_FIELD(struct meter_state, power_w),
    LW_FIELD(struct meter_state, moved),
    LW_FIELD(struct meter_state, due_mwh),
    LW_FIELD(struct meter_state, power_at),
    LW_FIELD(struct meter_state, promised_w),
    LW_FIELD(struct meter_state, jump_at),
    LW_FIELD(struct meter_state, stuck_at),
    LW_FIELD(struct meter_state, step_wh),
    LW_FIELD(struct meter_state, modulus_wh),
    LW_FIELD(struct meter_state, most_w),
    LW_FIELD(struct meter_state, serial),
    LW_FIELD(struct meter_state, reg.odd_w),
    LW_FIELD(struct meter_state, reg.carries_w),
    LW_FIELD(struct meter_state, reg.odd_n),
    LW_FIELD(struct meter_state, reg.odd_broken),
    LW_FIELD(struct meter_state, due_since),
    LW_FIELD(struct meter_state, stood_most),
    LW_FIELD(struct meter_state, mute),
    LW_FIELD(struct meter_state, same),
    LW_FIELD(struct meter_state, export_wh),
    LW_FIELD(struct meter_state, reversed),
    LW_FIELD(struct meter_state, reversed_seen),
    LW_FIELD(struct meter_state, reversed_at),
    LW_FIELD(struct meter_state, phase_lost),
    LW_FIELD(struct meter_state, phase_at),
    LW_FIELD(struct meter_state, returned),
    PHASE(0),
    PHASE(1),
    PHASE(2),
    LW_FIELD(struct meter_state, wiring.current),
    LW_FIELD(struct meter_state, wiring.power),
    LW_FIELD(struct meter_state, wiring.n),
    LW_FIELD(struct meter_state, sum.ms),
    LW_FIELD(struct meter_state, sum.register_wh),
    LW_FIELD(struct meter_state, sum.power_mwh),
    LW_FIELD(struct meter_state, sum.slack_mwh),
    LW_FIELD(struct meter_state, values),
    LW_FIELD(struct meter_state, power_n),
    LW_FIELD(struct meter_state, move_n),
    LW_FIELD(struct meter_state, grain_wh),
    LW_FIELD(struct meter_state, flaps),
    LW_FIELD(struct meter_state, same_n),
    LW_FIELD(struct meter_state, odd),
    LW_FIELD(struct meter_state, drifts),
    LW_FIELD(struct meter_state, failures),
    LW_FIELD(struct meter_state, silent),
    LW_FIELD(struct meter_state, exchanged),
    LW_FIELD_RAW(struct meter_state, seal.month.state),
    LW_FIELD(struct meter_state, seal.month.n),
    LW_FIELD_RAW(struct meter_state, seal.month.rest),
    LW_FIELD_RAW(struct meter_state, seal.before),
    LW_FIELD(struct meter_state, seal.n),
    LW_FIELD(struct meter_state, seal.nbefore),
    MARK(0),
    MARK(1),
    MARK(2),
    MARK(3),
};
_Static_assert(BOUNDARIES == 4, "each boundary is a field of the checkpoint");

#define RUN(of)                                                                          \
    LW_FIELD(struct site_state, of.run.from), LW_FIELD(struct site_state, of.run.to),    \
        LW_FIELD(struct site_state, of.run.energy_wh),                                   \
        LW_FIELD(struct site_state, of.run.allowed_wh),                                  \
        LW_FIELD(struct site_state, of.run.excess_wh),                                   \
        LW_FIELD(struct site_state, of.run.peak_w),                                      \
        LW_FIELD(struct site_state, of.run.samples_good)

#define OVER_RUN(of)                                                                     \
    RUN(of), LW_FIELD(struct site_state, of.over_wh),                                    \
        LW_FIELD(struct site_state, of.spare_wh),                                        \
        LW_FIELD(struct site_state, of.clear_ms),                                        \
        LW_FIELD(struct site_state, of.night_ms)

#define DRAWN(drawn)                                                                     \
    LW_FIELD(struct site_state, drawn.from), LW_FIELD(struct site_state, drawn.wh),      \
        LW_FIELD(struct site_state, drawn.peak_w),                                       \
        LW_FIELD(struct site_state, drawn.samples_good)

#define LEARNED(member)     LW_FIELD(struct site_state, reference.member)
#define LEARNED_RAW(member) LW_FIELD_RAW(struct site_state, reference.member)
#define BY_WATER(water)                                                                  \
    LEARNED(water.known), LEARNED(water.reservoir), LEARNED(water.base_kw),              \
        LEARNED(water.slope_kw), LEARNED(water.spread_kw), LEARNED(water.most)

static const struct lw_field SITE[] = {
    LW_FIELD(struct site_state, closed),
    LW_FIELD(struct site_state, last_from),
    LW_FIELD(struct site_state, last_to),
    LW_FIELD(struct site_state, last_wh),
    LW_FIELD(struct site_state, last_allowed_wh),
    LW_FIELD(struct site_state, ngood),
    OVER_RUN(load),
    OVER_RUN(production),
    OVER_RUN(demand),
    LW_FIELD(struct site_state, output.number),
    DRAWN(output.month),
    DRAWN(output.year),
    LW_FIELD(struct site_state, share.ms),
    LW_FIELD(struct site_state, share.wh),
    LW_FIELD(struct site_state, share.allowed_wh),
    LW_FIELD(struct site_state, share.peak_w),
    LW_FIELD(struct site_state, share.windows),
    RUN(dark),
    LW_FIELD(struct site_state, dark.spare_wh),
    LW_FIELD(struct site_state, dark.clear_ms),
    LEARNED(since),
    LEARNED(frozen),
    LEARNED(next),
    LEARNED(day),
    LEARNED(unit_w),
    LEARNED(watched),
    LEARNED(compared),
    LEARNED(has_off),
    LEARNED(has_late),
    LEARNED(pumping),
    LEARNED(pumped_on),
    LEARNED(edge),
    LEARNED(off_kw),
    LEARNED(late_kw),
    LEARNED(late_cold),
    LEARNED(cold_day),
    LEARNED(cold_days),
    LEARNED(pump_kwh),
    LEARNED(pump_h),
    LEARNED(hour_kw),
    LEARNED(hour_capped_kw),
    LEARNED(in_hour),
    LEARNED_RAW(mean_kw),
    LEARNED(slope_kw),
    LEARNED(coldest),
    LEARNED(base_kw),
    LEARNED(core_kw),
    LEARNED(jump_kw),
    LEARNED(known_kw),
    LEARNED_RAW(most_kw),
    LEARNED_RAW(noise_kw),
    LEARNED(pump_kw),
    LEARNED(pump_noise_kw),
    LEARNED(pump_day_kw),
    LEARNED(pump_usual_kw),
    BY_WATER(rain),
    BY_WATER(level),
    LEARNED(month_most),
    LEARNED(doubt_kw),
    LEARNED_RAW(rings.hour),
    LEARNED_RAW(rings.capped),
    LEARNED_RAW(rings.pump),
    LEARNED_RAW(rings.held),
    LEARNED(rings.pumped),
    LEARNED(rings.nheld),
    LEARNED(rings.jumps),
    LEARNED(rings.fresh),
    LEARNED_RAW(rings.quarter),
    LEARNED(rings.before_kw),
    LEARNED(rings.beside_kw),
    LEARNED(rings.pump_before_kw),
    LEARNED_RAW(rings.pump_day),
    RUN(excess),
    LW_FIELD(struct site_state, excess.night_ms),
    LW_FIELD(struct site_state, excess.doubt),
    LW_FIELD(struct site_state, excess.quiet_ms),
    LW_FIELD(struct site_state, excess.within_ms),
    LW_FIELD(struct site_state, excess.confidence_milli),
    LW_FIELD(struct site_state, excess.since_wh),
    LW_FIELD(struct site_state, excess.low_w),
    LW_FIELD(struct site_state, excess.rule),
    LW_FIELD(struct site_state, excess.channel),
    LW_FIELD(struct site_state, excess.finding),
};

static const struct lw_field USUAL[] = {
    LW_FIELD_RAW(struct profile, cell),
    LW_FIELD_RAW(struct profile, weeks),
    LW_FIELD(struct profile, week_wh),
    LW_FIELD(struct profile, from),
    LW_FIELD(struct profile, hour),
    LW_FIELD(struct profile, part),
    LW_FIELD(struct profile, part_ms),
    LW_FIELD(struct profile, part_wh),
    LW_FIELD_RAW(struct profile, day.wh),
    LW_FIELD_RAW(struct profile, day.usual_wh),
    LW_FIELD_RAW(struct profile, day.explained_wh),
    LW_FIELD_RAW(struct profile, day.excused),
    LW_FIELD(struct profile, level),
    LW_FIELD(struct profile, spread),
    LW_FIELD_RAW(struct profile, extreme),
    LW_FIELD_RAW(struct profile, yesterday),
    LW_FIELD_RAW(struct profile, today),
    LW_FIELD(struct profile, judged),
    LW_FIELD(struct profile, clear),
};

static const struct lw_field LOG[] = {
    LW_FIELD_RAW(struct hour_log, hour),     LW_FIELD(struct hour_log, pump_n),
    LW_FIELD(struct hour_log, pump_mean),    LW_FIELD(struct hour_log, pump_sq),
    LW_FIELD_RAW(struct hour_log, pump_day), LW_FIELD_RAW(struct hour_log, heard),
    LW_FIELD(struct hour_log, jumps),        LW_FIELD(struct hour_log, jump_sum),
    LW_FIELD(struct hour_log, before_kw),
};

static const struct lw_field GATEWAY[] = {
    LW_FIELD(struct gateway_state, heard),
    LW_FIELD(struct gateway_state, back),
    LW_FIELD(struct gateway_state, overran),
    LW_FIELD(struct gateway_state, overran_from),
    LW_FIELD(struct gateway_state, overruns),
    LW_FIELD(struct gateway_state, returned),
    LW_FIELD(struct gateway_state, flaps),
};

#define VOTE(i)                                                                          \
    LW_FIELD(struct weather, vote[i].day), LW_FIELD(struct weather, vote[i].judged),     \
        LW_FIELD(struct weather, vote[i].over)

static const struct lw_field WEATHER[] = {
    LW_FIELD(struct weather, hour),
    LW_FIELD_RAW(struct weather, cold),
    LW_FIELD(struct weather, coldest),
    LW_FIELD(struct weather, stood),
    LW_FIELD(struct weather, stood_mc),
    LW_FIELD(struct weather, rain.at),
    LW_FIELD_RAW(struct weather, rain.day),
    LW_FIELD(struct weather, level.at),
    LW_FIELD_RAW(struct weather, level.day),
    VOTE(0),
    VOTE(1),
};

#define EVIDENCE(member) LW_FIELD(struct lw_alarm, evidence.member)

static const struct lw_field ALARM[] = {
    LW_FIELD_RAW(struct lw_alarm, id),
    LW_FIELD(struct lw_alarm, rule),
    LW_FIELD(struct lw_alarm, subject_kind),
    LW_FIELD(struct lw_alarm, state),
    LW_FIELD(struct lw_alarm, priority),
    LW_FIELD(struct lw_alarm, subject),
    LW_FIELD(struct lw_alarm, site),
    LW_FIELD(struct lw_alarm, revision),
    LW_FIELD(struct lw_alarm, flood),
    LW_FIELD(struct lw_alarm, onset),
    LW_FIELD(struct lw_alarm, at),
    LW_FIELD(struct lw_alarm, occurrences),
    LW_FIELD(struct lw_alarm, returned),
    LW_FIELD(struct lw_alarm, least_over_w),
    LW_FIELD(struct lw_alarm, most_over_w),
    LW_FIELD(struct lw_alarm, most_wh),
    LW_FIELD(struct lw_alarm, acknowledged),
    LW_FIELD(struct lw_alarm, shelved_until),
    LW_FIELD(struct lw_alarm, shelved_over_w),
    LW_FIELD_RAW(struct lw_alarm, acknowledged_by),
    LW_FIELD_RAW(struct lw_alarm, shelf_by),
    LW_FIELD_RAW(struct lw_alarm, shelf_reason),
    LW_FIELD(struct lw_alarm, read),
    LW_FIELD_RAW(struct lw_alarm, read_by),
    LW_FIELD(struct lw_alarm, course.to),
    LW_FIELD(struct lw_alarm, course.high_w[0]),
    LW_FIELD(struct lw_alarm, course.high_w[1]),
    LW_FIELD(struct lw_alarm, course.high_ms),
    LW_FIELD(struct lw_alarm, course.fell),
    LW_FIELD(struct lw_alarm, course.low_ms),
    LW_FIELD(struct lw_alarm, course.falls),
    LW_FIELD(struct lw_alarm, course.told),
    EVIDENCE(from),
    EVIDENCE(to),
    EVIDENCE(mean_w),
    EVIDENCE(peak_w),
    EVIDENCE(energy_wh),
    EVIDENCE(expected_w),
    EVIDENCE(excess_wh),
    EVIDENCE(level_w),
    EVIDENCE(since_wh),
    EVIDENCE(samples_expected),
    EVIDENCE(samples_good),
    EVIDENCE(detail),
    EVIDENCE(detail2),
    EVIDENCE(confidence_milli),
    EVIDENCE(finding),
    EVIDENCE(night),
    EVIDENCE(silent[0]),
    EVIDENCE(silent[1]),
    EVIDENCE(silent[2]),
    EVIDENCE(nsilent),
    EVIDENCE(other),
    EVIDENCE(readings_from),
    EVIDENCE(readings_to),
    EVIDENCE(readings),
    EVIDENCE(readings_meters),
    LW_FIELD_RAW(struct lw_alarm, evidence.sha256),
    EVIDENCE(learned_from),
    EVIDENCE(learned_to),
    LW_FIELD_RAW(struct lw_alarm, evidence.learned_sha256),
};

static const struct lw_field TIMER[] = {
    LW_FIELD(struct timer, key),
    LW_FIELD(struct timer, at),
};

const struct fields core_fields = {CORE, N(CORE)};
const struct fields meter_fields = {METER, N(METER)};
const struct fields site_fields = {SITE, N(SITE)};
const struct fields profile_fields = {USUAL, N(USUAL)};
const struct fields log_fields = {LOG, N(LOG)};
const struct fields gateway_fields = {GATEWAY, N(GATEWAY)};
const struct fields weather_fields = {WEATHER, N(WEATHER)};
const struct fields alarm_fields = {ALARM, N(ALARM)};
const struct fields timer_fields = {TIMER, N(TIMER)};
