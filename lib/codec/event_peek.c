/* A packed reading for those who have no ledger: its meter by id instead of by index. */
#include <lodewatch/codec.h>

#include <lodewatch/pack.h>

enum {
    FORM = 1
}; /* event_pack.c has it */

int
lw_reading_peek(const uint8_t *bytes, size_t n, struct lw_reading *ret_reading,
                const char **ret_meter, size_t *ret_meter_n)
{
    struct lw_reading r = {.meter = UINT32_MAX};
    struct lw_unpacker u;
    const char *meter;
    size_t meter_n;

    lw_unpack_init(&u, bytes, n);
    if (lw_unpack_u8(&u) != FORM || lw_unpack_u8(&u) != LW_EVENT_READING)
        return LW_EPARSE;
    r.received.ms = lw_unpack_i64(&u);
    meter = lw_unpack_blob(&u, &meter_n);
    lw_unpack_i64(&u); /* when the meter was installed */
    r.time.ms = lw_unpack_i64(&u);

    uint32_t have = lw_unpack_u32(&u);

    r.have = (uint16_t)have;
    r.q = (uint16_t)lw_unpack_u32(&u);
    for (int q = 0; q < LW_QUANTITIES; q++) {
        if (lw_reading_has(&r, (enum lw_quantity)q))
            r.value[q] = lw_unpack_i64(&u);
    }
    if (u.rc != 0 || u.at != n || have >> LW_QUANTITIES != 0)
        return LW_EPARSE;
    *ret_reading = r;
    *ret_meter = meter;
    *ret_meter_n = meter_n;
    return 0;
}
