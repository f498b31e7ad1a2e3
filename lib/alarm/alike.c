/* Whether what comes back is what was told, or another matter: by its height, its energy,
 * and how long ago it was. */
#include "lib/alarm/alike.h"
#include "lib/state.h"

/* It is the same up to so many tenths of the most that was told, down to so many of the
 * least, and up to so many times its energy: what a person who has it on the desk would
 * not call another matter. */
enum {
    ALIKE_MOST = 16,
    ALIKE_LEAST = 3,
    ALIKE_ENERGY = 3
};

/* The confidence of what is a quarter over its limit: 1 - 0.1 / 1.25^2. */
enum {
    SLIGHT_MILLI = 936
};

/* By a reference, which says of every interval how high it is: level_w; 0: not at all. */
static bool
compared(const struct lw_evidence *e)
{
    return e->finding == LW_FOUND_UNLIKE_REFERENCE ||
           e->finding == LW_FOUND_DURING_SILENCE || e->finding == LW_FOUND_PREEXISTING ||
           e->finding == LW_FOUND_PUMPED_ON || e->finding == LW_FOUND_UNLIKE_PEERS;
}

/* How high an occurrence is, and how much: above the reference; but where it is above a
 * ceiling, all of it, since a hair above the ceiling and two are not two matters. */
static int64_t
over_w(const struct lw_evidence *e)
{
    if (compared(e))
        return e->level_w;
    return e->finding == LW_FOUND_OVER_ALLOWANCE ? e->mean_w : e->mean_w - e->expected_w;
}

static int64_t
over_wh(const struct lw_evidence *e)
{
    if (compared(e))
        return e->since_wh;
    return e->finding == LW_FOUND_OVER_ALLOWANCE ? e->energy_wh : e->excess_wh;
}

int64_t
alarm_height(const struct lw_evidence *e)
{
    return compared(e) ? over_w(e) : over_w(e) + e->peak_w - e->mean_w;
}

/* The lowest by its mean, the highest by its peak. */
void
alarm_measure(struct lw_alarm *alarm, const struct lw_evidence *e)
{
    int64_t over = over_w(e), peak = alarm_height(e);

    if (compared(e) && e->level_w == 0)
        return;
    if (peak > alarm->most_over_w)
        alarm->most_over_w = peak;
    if (over < alarm->least_over_w)
        alarm->least_over_w = over;
}

void
alarm_measure_energy(struct lw_alarm *alarm)
{
    int64_t wh = over_wh(&alarm->evidence);

    if (wh > alarm->most_wh)
        alarm->most_wh = wh;
}

bool
alarm_has_outgrown(const struct lw_alarm *alarm, const struct lw_evidence *e)
{
    return over_w(e) != 0 && (10 * over_w(e) > ALIKE_MOST * alarm->most_over_w ||
                              over_wh(e) > ALIKE_ENERGY * alarm->most_wh);
}

bool
alarm_is_largest(const struct lw_alarm *alarm, const struct lw_evidence *e)
{
    return over_wh(e) > alarm->most_wh;
}

/* Most of it was not heard: nobody knows what else it was. */
static bool
behind_silence(const struct lw_evidence *e)
{
    return 2 * (int64_t)e->samples_good < e->samples_expected;
}

/* A little over a limit that itself is uncertain by a quarter. */
static bool
is_slight(const struct lw_evidence *e)
{
    return compared(e) && e->confidence_milli < SLIGHT_MILLI;
}

/* What a feeder loses has no owner: only what comes back before a weekend is over is the
 * same tap. A rhythm of weeks is known once it has been seen twice. What is slight, and
 * was, is no news for as long as it took to learn its limit. */
static int64_t
remembered_ms(const struct lw_alarm *alarm, const struct lw_evidence *e)
{
    if (alarm->rule == LW_RULE_FEEDER_RESIDUAL)
        return 60 * LW_HOUR;
    if (is_slight(&alarm->evidence) && is_slight(e))
        return 28 * LW_DAY;
    return (alarm->occurrences < 2 ? 7 : 14) * LW_DAY;
}

bool
alarm_is_alike(const struct lw_alarm *alarm, const struct lw_evidence *e, int64_t now)
{
    if (lw_rule_info((enum lw_rule_id)alarm->rule)->class == LW_CLASS_DATA &&
        alarm->evidence.finding != e->finding)
        return false;
    return !behind_silence(e) && now - alarm->returned.ms <= remembered_ms(alarm, e) &&
           !alarm_has_outgrown(alarm, e) &&
           10 * over_w(e) >= ALIKE_LEAST * alarm->least_over_w;
}
