/* Counter arithmetic: rollover, reset, leap, one wrong value, a register that counts
 * down, a load above the connection's rating. */
#include <lodewatch/energy.h>

/* Meters are rated for more than their connection's power; clocks and polls jitter. */
enum {
    OVERLOAD_MILLI = 1300,
    JITTER_MS = 60000
};

/* A meter that starts shows 0 for a while before it remembers its register. */
#define ZERO_MS LW_HOUR

/* So many steps in a row above the limit, none of them so many times another, are a load
 * that flows, whatever the ledger says of the connection. */
enum {
    EVEN_STEPS = 3,
    EVEN_TIMES = 4
};

int64_t
lw_muldiv(int64_t a, int64_t num, int64_t den)
{
    int64_t product;

    /* A division of 128 bits takes ten times as long, and is hardly ever needed. */
    if (!__builtin_mul_overflow(a, num, &product))
        return product / den;
    return (int64_t)((__int128)a * num / den);
}

void
lw_register_init(struct lw_register_state *state)
{
    *state = (struct lw_register_state){.at = INT64_MIN, .odd_at = INT64_MIN};
}

/* The most energy that a connection for `w` lets through in `ms`. */
static int64_t
through(int64_t w, const struct lw_register_limits *limits, int64_t ms)
{
    __int128 wh = (__int128)w * OVERLOAD_MILLI / 1000 * (ms + JITTER_MS) / LW_HOUR;

    wh += 2 * (__int128)limits->resolution_wh;
    return limits->most_w <= 0 || wh > INT64_MAX ? INT64_MAX : (int64_t)wh;
}

/* The most that can have flowed: as the limits say, or as was seen. */
static int64_t
most_wh(const struct lw_register_state *state, const struct lw_register_limits *limits,
        int64_t ms)
{
    return through(limits->most_w > state->carries_w ? limits->most_w : state->carries_w,
                   limits, ms);
}

/* From one value to the next: the energy between them, or -1. */
static int64_t
energy_between(const struct lw_register_state *state,
               const struct lw_register_limits *limits, int64_t from_wh, int64_t wh,
               int64_t ms, bool *ret_rolled)
{
    int64_t most = most_wh(state, limits, ms);
    int64_t delta = wh - from_wh;

    *ret_rolled = false;
    if (delta >= 0)
        return delta <= most ? delta : -1;
    /* Registers in floating point step back by a digit now and then. */
    if (-delta <= limits->resolution_wh)
        return 0;
    if (limits->modulus_wh <= 0 || most == INT64_MAX || wh < 0 ||
        from_wh >= limits->modulus_wh)
        return -1;
    delta += limits->modulus_wh;
    *ret_rolled = delta >= 0 && delta <= most;
    return *ret_rolled ? delta : -1;
}

/* A value that cannot be: is it one of several that came at an even rate? */
static bool
flows_evenly(struct lw_register_state *state, int64_t at, int64_t wh)
{
    bool first = state->odd_at == INT64_MIN;
    int64_t ms = at - (first ? state->at : state->odd_at);
    int64_t step_wh = wh - (first ? state->wh : state->odd_wh);
    int64_t w = 0;

    if (step_wh > 0) {
        __int128 rate = (__int128)step_wh * LW_HOUR / ms;

        w = rate > INT64_MAX / EVEN_TIMES ? 0 : (int64_t)rate;
    }
    if (!first && w > 0 && state->odd_w > 0 && w <= EVEN_TIMES * state->odd_w &&
        state->odd_w <= EVEN_TIMES * w)
        return ++state->odd_n >= EVEN_STEPS;
    /* A load may begin small. But where little follows much, the much was a leap. */
    state->odd_broken = !first && (state->odd_broken || w < state->odd_w);
    state->odd_n = w > 0 && (first || w > state->odd_w);
    state->odd_w = w;
    return false;
}

/* The register fell, and falls again no faster than energy flows: it counts down. */
static bool
counts_down(const struct lw_register_state *state,
            const struct lw_register_limits *limits, int64_t at, int64_t wh)
{
    return state->odd_at != INT64_MIN && state->odd_wh < state->wh &&
           wh < state->odd_wh && limits->most_w > 0 &&
           state->wh - state->odd_wh <=
               most_wh(state, limits, state->odd_at - state->at) &&
           state->odd_wh - wh <= most_wh(state, limits, at - state->odd_at);
}

static struct lw_register_step
believe(struct lw_register_state *state, struct lw_register_step step, int64_t at,
        int64_t wh)
{
    state->at = at;
    state->wh = wh;
    state->odd_at = INT64_MIN;
    state->odd_n = 0;
    return step;
}

struct lw_register_step
lw_register_advance(struct lw_register_state *state,
                    const struct lw_register_limits *limits, int64_t at, int64_t wh)
{
    struct lw_register_step step = {.from = state->at};
    bool rolled = false;

    if (state->at == INT64_MIN) {
        step.verdict = LW_REGISTER_FIRST;
        return believe(state, step, at, wh);
    }
    step.energy_wh =
        energy_between(state, limits, state->wh, wh, at - state->at, &rolled);
    if (step.energy_wh >= 0) {
        step.verdict = rolled ? LW_REGISTER_ROLLED
                       : step.energy_wh > through(limits->most_w, limits, at - state->at)
                           ? LW_REGISTER_CARRIED
                           : LW_REGISTER_ADVANCED;
        /* A digit back is kept in mind, or its way up again would be energy. */
        return believe(state, step, at, step.energy_wh == 0 ? state->wh : wh);
    }
    step.energy_wh = 0;
    if (state->odd_at != INT64_MIN && state->odd_wh == 0 && wh == 0 &&
        at - state->odd_at < ZERO_MS) {
        step.verdict = LW_REGISTER_ODD_FELL;
        return step;
    }
    if (counts_down(state, limits, at, wh)) {
        /* Half of the way down is remembered as odd, so that the next is judged alike. */
        step.verdict = LW_REGISTER_BACKWARDS;
        step.step_wh = wh - state->wh;
        state->at = state->odd_at;
        state->wh = state->odd_wh;
        state->odd_at = at;
        state->odd_wh = wh;
        return step;
    }
    if (state->odd_at != INT64_MIN) {
        step.energy_wh =
            energy_between(state, limits, state->odd_wh, wh, at - state->odd_at, &rolled);
        if (step.energy_wh >= 0) {
            step.from = state->odd_at;
            step.step_wh = state->odd_wh - state->wh;
            step.verdict = step.step_wh < 0 ? LW_REGISTER_FELL : LW_REGISTER_LEAPT;
            return believe(state, step, at, wh);
        }
        step.energy_wh = 0;
    }
    if (flows_evenly(state, at, wh)) {
        state->carries_w = EVEN_TIMES * state->odd_w;
        step.verdict = state->odd_broken ? LW_REGISTER_LEAPT : LW_REGISTER_CARRIED;
        step.energy_wh = wh - state->wh;
        if (state->odd_broken) {
            step.from = state->odd_at;
            step.step_wh = state->odd_wh - state->wh;
            step.energy_wh = wh - state->odd_wh;
        }
        return believe(state, step, at, wh);
    }
    step.verdict = wh < state->wh ? LW_REGISTER_ODD_FELL : LW_REGISTER_ODD_LEAPT;
    state->odd_at = at;
    state->odd_wh = wh;
    return step;
}
