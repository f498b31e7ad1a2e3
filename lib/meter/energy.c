/* Counter arithmetic: rollover, reset, leap, one wrong value. */
#include <lodewatch/energy.h>

/* Meters are rated for more than their connection's power; clocks and polls jitter. */
enum {
    OVERLOAD_MILLI = 1300,
    JITTER_MS = 60000
};

/* A meter that starts shows 0 for a while before it remembers its register. */
#define ZERO_MS LW_HOUR

int64_t
lw_muldiv(int64_t a, int64_t num, int64_t den)
{
    return (int64_t)((__int128)a * num / den);
}

void
lw_register_init(struct lw_register_state *state)
{
    state->at = INT64_MIN;
    state->wh = 0;
    state->odd_at = INT64_MIN;
    state->odd_wh = 0;
}

/* The most energy that can have flowed in `ms`. */
static int64_t
most_wh(const struct lw_register_limits *limits, int64_t ms)
{
    if (limits->most_w <= 0)
        return INT64_MAX;
    __int128 wh =
        (__int128)limits->most_w * OVERLOAD_MILLI / 1000 * (ms + JITTER_MS) / LW_HOUR;

    wh += 2 * (__int128)limits->resolution_wh;
    return wh > INT64_MAX ? INT64_MAX : (int64_t)wh;
}

/* From one value to the next: the energy between them, or -1. */
static int64_t
energy_between(const struct lw_register_limits *limits, int64_t from_wh, int64_t wh,
               int64_t ms, bool *ret_rolled)
{
    int64_t most = most_wh(limits, ms);
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

struct lw_register_step
lw_register_advance(struct lw_register_state *state,
                    const struct lw_register_limits *limits, int64_t at, int64_t wh)
{
    struct lw_register_step step = {.from = state->at};
    bool rolled = false;

    if (state->at == INT64_MIN) {
        step.verdict = LW_REGISTER_FIRST;
        goto believe;
    }
    step.energy_wh = energy_between(limits, state->wh, wh, at - state->at, &rolled);
    if (step.energy_wh >= 0) {
        step.verdict = rolled ? LW_REGISTER_ROLLED : LW_REGISTER_ADVANCED;
        /* A digit back is kept in mind, or its way up again would be energy. */
        if (step.energy_wh == 0)
            wh = state->wh;
        goto believe;
    }
    if (state->odd_at != INT64_MIN && state->odd_wh == 0 && wh == 0 &&
        at - state->odd_at < ZERO_MS) {
        step.energy_wh = 0;
        step.verdict = LW_REGISTER_ODD_FELL;
        return step;
    }
    if (state->odd_at != INT64_MIN) {
        step.energy_wh =
            energy_between(limits, state->odd_wh, wh, at - state->odd_at, &rolled);
        if (step.energy_wh >= 0) {
            step.from = state->odd_at;
            step.step_wh = state->odd_wh - state->wh;
            step.verdict = step.step_wh < 0 ? LW_REGISTER_FELL : LW_REGISTER_LEAPT;
            goto believe;
        }
    }
    step.energy_wh = 0;
    step.verdict = wh < state->wh ? LW_REGISTER_ODD_FELL : LW_REGISTER_ODD_LEAPT;
    state->odd_at = at;
    state->odd_wh = wh;
    return step;

believe:
    state->at = at;
    state->wh = wh;
    state->odd_at = INT64_MIN;
    return step;
}
