/* Days of made-up readings for the tests and benchmarks of the history: ten channels of
 * three-phase meters in the units that common meters have (1 W, 1 var, 0.1 V, 10 mA,
 * 1/1000, 1 Wh), the same for the same seed. What makes them hard to pack is in them:
 * noise of every reading and every channel, power that varies between two readings, so
 * that the register does not follow from them, machines that are switched, and an hour's
 * and a day's drift. */
#ifndef TESTS_DAY_FEED_H
#define TESTS_DAY_FEED_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/reading.h>

/* One meter, as it goes on. */
struct day_feed {
    uint64_t random;
    int kind; /* 0..9: how its site lives */
    double feeder, phase[3], share[3];
    double level, on_until, energy_wh;
    bool on;
};

static inline double
day_feed_uniform(struct day_feed *f)
{
    f->random = f->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(f->random >> 11) * 0x1p-53;
}

/* Of variance 1, near enough to normal. */
static inline double
day_feed_noise(struct day_feed *f)
{
    double sum = 0;

    for (int i = 0; i < 12; i++)
        sum += day_feed_uniform(f);
    return sum - 6;
}

static inline void
day_feed_init(struct day_feed *f, uint64_t seed, uint32_t meter)
{
    *f = (struct day_feed){.random = seed ^ (meter + 1) * UINT64_C(0x9E3779B97F4A7C15)};
    for (int i = 0; i < 5; i++)
        day_feed_uniform(f);
    f->kind = (int)(meter % 10);
    f->energy_wh = floor(1e8 * day_feed_uniform(f));
    f->level = 0.5 + day_feed_uniform(f);
    for (int i = 0; i < 3; i++)
        f->share[i] = 1 + 0.06 * day_feed_noise(f);
}

/* W at a minute of the day: closed sites with a guard house, one that is dark, machines
 * that run and stop, pumps, a village. */
static inline double
day_feed_watts(struct day_feed *f, double minute)
{
    double evening = exp(-pow((minute - 1200) / 150, 2));

    if (minute >= f->on_until) {
        static const double stay[10] = {4, 4, 4, 4, 1440, 20, 35, 15, 8, 600};

        f->on = !f->on;
        f->on_until = minute + stay[f->kind] * (0.3 - log(1 - day_feed_uniform(f)));
    }
    switch (f->kind) {
    case 0:
    case 1:
    case 2:
    case 3: /* guard house: lamps, a heater, a kettle */
        return f->level * (180 + 260 * evening + (f->on ? 120 : 0)) +
               (minute < 1380 && minute > 360 && day_feed_uniform(f) < 0.02 ? 1500 : 0);
    case 4: /* dark: the meter itself */
        return 0;
    case 5: /* crusher */
        return f->level * (f->on ? 90000 * (1 + 0.12 * day_feed_noise(f)) : 7000);
    case 6: /* washery */
        return f->level * 60000 * (f->on ? 1 : 0.8) * (1 + 0.02 * day_feed_noise(f));
    case 7:
    case 8: /* pumps */
        return f->level * (f->on ? 30000 * (1 + 0.004 * day_feed_noise(f)) : 60);
    default: /* village */
        return f->level * 40000 * (0.4 + evening) * (1 + 0.025 * day_feed_noise(f));
    }
}

/* The next reading, `step_ms` after the one before it. */
static inline struct lw_reading
day_feed_next(struct day_feed *f, int64_t time_ms, int64_t step_ms)
{
    static const double tan_phi[10] = {0.2,  0.2,  0.2,  0.2,  0,
                                       0.75, 0.55, 0.62, 0.62, 0.2};
    struct lw_reading r = {.time.ms = time_ms, .received.ms = time_ms};
    double minute = (double)lw_floor_to(time_ms % LW_DAY, 1) / 60000;
    double watts = day_feed_watts(f, minute);
    double own = watts * (1 + 0.004 * day_feed_noise(f)); /* the meter's averaging */
    double var = own * tan_phi[f->kind] * (1 + 0.01 * day_feed_noise(f));

    if (minute < 1)
        f->on_until = 0;
    f->energy_wh += watts * (double)step_ms / 3.6e6;
    f->feeder = 0.98 * f->feeder + 0.5 * day_feed_noise(f);
    r.have = (1u << LW_TEMPERATURE) - 1;
    r.have = (uint16_t)(r.have & ~(1u << LW_EXPORT));
    r.value[LW_ACTIVE_POWER] = llround(own);
    r.value[LW_REACTIVE_POWER] = llround(var);
    r.value[LW_IMPORT] = (int64_t)f->energy_wh;

    double va = sqrt(own * own + var * var);

    r.value[LW_POWER_FACTOR] = va > 0 ? llround(1000 * own / va) : 1000;
    for (int i = 0; i < 3; i++) {
        f->phase[i] = 0.9 * f->phase[i] + 0.3 * day_feed_noise(f);

        double dv = 2310 + 25 * sin((minute + 200) / 230) + 3 * f->feeder +
                    3 * f->phase[i] + 1 * day_feed_noise(f) - 0.0002 * own;
        double ma = va / 3 * f->share[i] / dv * 10000 * (1 + 0.004 * day_feed_noise(f));

        r.value[LW_VOLTAGE_A + i] = llround(dv);
        r.value[LW_CURRENT_A + i] = llround(ma / 10) * 10;
    }
    return r;
}

#endif
