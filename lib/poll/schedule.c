/* When a meter is read: phases, and backoff for what is silent. */
#include <lodewatch/schedule.h>

#include <assert.h>

#include <lodewatch/hash.h>

int64_t
lw_phase(int64_t interval_ms, int32_t gateway, int32_t ngateways, int32_t place,
         int32_t nplaces)
{
    assert(interval_ms > 0 && gateway >= 0 && gateway < ngateways);
    assert(place >= 0 && place < nplaces);

    if (interval_ms >= LW_ALIGN_FROM_S * LW_SECOND)
        return gateway * (int64_t)LW_GATEWAY_STEP_MS % interval_ms;
    /* A gateway's meters divide the interval, and within each part the gateways follow
     * one another: neither a gateway nor our own loop gets two requests at once. */
    int64_t from = interval_ms * place / nplaces;
    int64_t to = interval_ms * (place + 1) / nplaces;
    return from + (to - from) * gateway / ngateways;
}

lw_wall
lw_phase_next(lw_wall t, int64_t interval_ms, int64_t phase_ms)
{
    int64_t last = lw_floor_to(t.ms - phase_ms, interval_ms) + phase_ms;
    return (lw_wall){last + interval_ms};
}

int64_t
lw_backoff(uint32_t failures, int64_t base_ms, int64_t most_ms, uint64_t seed)
{
    if (failures <= 1)
        return 0;
    int64_t delay = base_ms;
    for (uint32_t i = 2; i < failures && delay < most_ms; i++)
        delay *= 2;
    if (delay > most_ms)
        delay = most_ms;

    const uint64_t mixed[] = {seed, failures};
    uint64_t share = lw_hash64(mixed, sizeof(mixed)) % 1024;
    return delay + delay / 4 * (int64_t)share / 1024;
}
