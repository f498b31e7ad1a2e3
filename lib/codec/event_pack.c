/* The journal's form of an event. A meter is named as the ledger's file names it, by its
 * id and when it was installed: indices change with each ledger. Quantities and failures
 * are written as their numbers, so new ones are only ever added at the end.
 *
 * u8 form, u8 kind, i64 at; then
 *   a reading: the meter, i64 time, u32 have, u32 q, an i64 for each bit of have
 *   a failed read: the meter, u8 why, u8 exception
 *   a clock step: i64 by_ms
 * where the meter is string id, i64 installed. */
#include <lodewatch/codec.h>

#include <assert.h>
#include <string.h>

#include <lodewatch/pack.h>

enum {
    FORM = 1
};

static void
pack_meter(struct lw_packer *p, const struct lw_ledger *ledger, uint32_t meter)
{
    assert(meter < (uint32_t)ledger->nmeters);
    lw_pack_string(p, ledger->meter[meter].id);
    lw_pack_i64(p, ledger->meter[meter].installed.ms);
}

size_t
lw_event_pack(const struct lw_event *event, const struct lw_ledger *ledger,
              uint8_t bytes[LW_EVENT_BYTES])
{
    const struct lw_reading *r = &event->reading;
    struct lw_packer p;

    lw_pack_init(&p, NULL, NULL); /* an event never fills its buffer */
    lw_pack_u8(&p, FORM);
    lw_pack_u8(&p, (uint8_t)event->kind);
    lw_pack_i64(&p, event->at.ms);
    switch (event->kind) {
    case LW_EVENT_READING:
        pack_meter(&p, ledger, r->meter);
        lw_pack_i64(&p, r->time.ms);
        lw_pack_u32(&p, r->have);
        lw_pack_u32(&p, r->q);
        for (int q = 0; q < LW_QUANTITIES; q++) {
            if (lw_reading_has(r, (enum lw_quantity)q))
                lw_pack_i64(&p, r->value[q]);
        }
        break;
    case LW_EVENT_READ_FAILED:
        pack_meter(&p, ledger, event->failed.meter);
        lw_pack_u8(&p, (uint8_t)event->failed.why);
        lw_pack_u8(&p, event->failed.exception);
        break;
    case LW_EVENT_TICK:
        break;
    case LW_EVENT_CLOCK_STEP:
        lw_pack_i64(&p, event->step.by_ms);
        break;
    }
    assert(p.rc == 0 && p.len <= LW_EVENT_BYTES);
    memcpy(bytes, p.buf, p.len);
    return p.len;
}

/* A time that arithmetic is safe with; else the unpacker's rc says so. */
static lw_wall
unpack_time(struct lw_unpacker *u)
{
    lw_wall t = {lw_unpack_i64(u)};
    if (t.ms < LW_WALL_FIRST || t.ms > LW_WALL_LAST)
        u->rc = LW_EPARSE;
    return t;
}

struct meter_key {
    const char *id; /* not NUL-terminated */
    size_t n;
    lw_wall installed;
};

static struct meter_key
unpack_meter(struct lw_unpacker *u)
{
    struct meter_key key;
    key.id = lw_unpack_blob(u, &key.n);
    key.installed.ms = lw_unpack_i64(u);
    return key;
}

/* The row that was packed, or, where people have corrected its dates, the one in place.
 */
static int
find_meter(const struct lw_ledger *ledger, const struct meter_key *key, lw_wall t,
           uint32_t *ret_meter)
{
    int32_t meter = lw_ledger_meter(ledger, key->id, key->n, key->installed);
    if (meter == LW_NONE)
        meter = lw_ledger_meter(ledger, key->id, key->n, t);
    if (meter == LW_NONE)
        return LW_ENOTFOUND;
    *ret_meter = (uint32_t)meter;
    return 0;
}

static void
unpack_reading(struct lw_unpacker *u, struct lw_reading *r)
{
    r->time = unpack_time(u);
    uint32_t have = lw_unpack_u32(u);
    uint32_t q = lw_unpack_u32(u);
    if (have >> LW_QUANTITIES != 0 || q > UINT16_MAX) {
        u->rc = LW_EPARSE;
        return;
    }
    r->have = (uint16_t)have;
    r->q = (uint16_t)q;
    for (int i = 0; i < LW_QUANTITIES; i++) {
        const struct lw_quantity_info *info = lw_quantity_info((enum lw_quantity)i);
        if (!lw_reading_has(r, (enum lw_quantity)i))
            continue;
        r->value[i] = lw_unpack_i64(u);
        if (r->value[i] < info->min || r->value[i] > info->max)
            u->rc = LW_EPARSE;
    }
}

int
lw_event_unpack(const uint8_t *bytes, size_t n, const struct lw_ledger *ledger,
                struct lw_event *ret_event)
{
    struct lw_event event = {.kind = LW_EVENT_TICK};
    struct meter_key key = {.id = NULL};
    struct lw_unpacker u;
    int rc = 0;

    lw_unpack_init(&u, bytes, n);
    uint8_t form = lw_unpack_u8(&u);
    if (form != FORM)
        return form > FORM ? LW_EVERSION : LW_EPARSE;
    event.kind = (enum lw_event_kind)lw_unpack_u8(&u);
    event.at = unpack_time(&u);
    switch (event.kind) {
    case LW_EVENT_READING:
        key = unpack_meter(&u);
        unpack_reading(&u, &event.reading);
        event.reading.received = event.at;
        break;
    case LW_EVENT_READ_FAILED:
        key = unpack_meter(&u);
        event.failed.why = (enum lw_read_failure)lw_unpack_u8(&u);
        event.failed.exception = lw_unpack_u8(&u);
        if (event.failed.why < LW_FAIL_TIMEOUT || event.failed.why > LW_FAIL_MISSING)
            u.rc = LW_EPARSE;
        break;
    case LW_EVENT_TICK:
        break;
    case LW_EVENT_CLOCK_STEP:
        event.step.by_ms = lw_unpack_i64(&u);
        break;
    default:
        u.rc = LW_EPARSE;
    }
    if (u.rc != 0 || u.at != n)
        return LW_EPARSE;
    if (event.kind == LW_EVENT_READING)
        rc = find_meter(ledger, &key, event.reading.time, &event.reading.meter);
    else if (event.kind == LW_EVENT_READ_FAILED)
        rc = find_meter(ledger, &key, event.at, &event.failed.meter);
    if (rc == 0)
        *ret_event = event;
    return rc;
}
