/* The journal's form of an event. A meter is named as the ledger's file names it, by its
 * id and when it was installed: indices change with each ledger. Quantities and failures
 * are written as their numbers, so new ones are only ever added at the end.
 *
 * u8 form (of the release that began with the kind), u8 kind, int at; then
 *   a reading: the meter, int time - at, int have, int q, an int for each bit of have
 *   a failed read: the meter, u8 why, u8 exception
 *   a clock step: int by_ms
 *   a meter's clock: the meter, int drift_ms
 *   a meter's serial number: the meter, u8 length, the text
 *   a meter's counter: the meter, int step_wh, int modulus_wh, int most_w
 *   an act: u8 kind, the alarm's id, u8 length, who; of a shelving also int until - at,
 *     u8 length, why
 * where the meter is u8 length, the id, int installed. */
#include <lodewatch/codec.h>

#include <assert.h>
#include <string.h>

#include <lodewatch/pack.h>

enum {
    FORM = 2,      /* the newest */
    FORM_FIRST = 1 /* without what meters say of themselves */
};

static void
pack_text(struct lw_packer *p, const char *s)
{
    lw_pack_u8(p, (uint8_t)strlen(s));
    lw_pack_bytes(p, s, strlen(s));
}

static uint8_t
form_of(enum lw_event_kind kind)
{
    return kind >= LW_EVENT_METER_CLOCK ? FORM : FORM_FIRST;
}

static void
pack_meter(struct lw_packer *p, const struct lw_ledger *ledger, uint32_t meter)
{
    assert(meter < (uint32_t)ledger->nmeters);
    const struct lw_meter *m = &ledger->meter[meter];
    size_t n = strlen(m->id);
    assert(n <= LW_ID_MAX);
    lw_pack_u8(p, (uint8_t)n);
    lw_pack_bytes(p, m->id, n);
    lw_pack_int(p, m->installed.ms);
}

size_t
lw_event_pack(const struct lw_event *event, const struct lw_ledger *ledger,
              uint8_t bytes[LW_EVENT_BYTES])
{
    const struct lw_reading *r = &event->reading;
    struct lw_packer p;

    lw_pack_init(&p, NULL, NULL); /* an event never fills its buffer */
    lw_pack_u8(&p, form_of(event->kind));
    lw_pack_u8(&p, (uint8_t)event->kind);
    lw_pack_int(&p, event->at.ms);
    switch (event->kind) {
    case LW_EVENT_READING:
        pack_meter(&p, ledger, r->meter);
        lw_pack_int(&p, lw_wall_since(r->time, event->at));
        lw_pack_int(&p, r->have);
        lw_pack_int(&p, r->q);
        for (int q = 0; q < LW_QUANTITIES; q++) {
            if (lw_reading_has(r, (enum lw_quantity)q))
                lw_pack_int(&p, r->value[q]);
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
        lw_pack_int(&p, event->step.by_ms);
        break;
    case LW_EVENT_METER_CLOCK:
        pack_meter(&p, ledger, event->clock.meter);
        lw_pack_int(&p, event->clock.drift_ms);
        break;
    case LW_EVENT_METER_SERIAL:
        pack_meter(&p, ledger, event->serial.meter);
        pack_text(&p, event->serial.text);
        break;
    case LW_EVENT_METER_COUNTER:
        pack_meter(&p, ledger, event->counter.meter);
        lw_pack_int(&p, event->counter.step_wh);
        lw_pack_int(&p, event->counter.modulus_wh);
        lw_pack_int(&p, event->counter.most_w);
        break;
    case LW_EVENT_ACT:
        lw_pack_u8(&p, (uint8_t)event->act.kind);
        lw_pack_bytes(&p, event->act.alarm, LW_ACT_ALARM);
        pack_text(&p, event->act.by);
        if (event->act.kind == LW_ACT_SHELVE) {
            lw_pack_int(&p, lw_wall_since(event->act.until, event->at));
            pack_text(&p, event->act.reason);
        }
        break;
    }
    assert(p.rc == 0 && p.len <= LW_EVENT_BYTES);
    memcpy(bytes, p.buf, p.len);
    return p.len;
}

static int64_t
unpack_between(struct lw_unpacker *u, int64_t min, int64_t max)
{
    int64_t v = lw_unpack_int(u);
    if (v < min || v > max)
        u->rc = LW_EPARSE;
    return u->rc == 0 ? v : 0;
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
    key.n = lw_unpack_u8(u);
    key.id = lw_unpack_bytes(u, key.n);
    key.installed.ms = lw_unpack_int(u);
    return key;
}

static void
unpack_reading(struct lw_unpacker *u, lw_wall at, struct lw_reading *r)
{
    r->received = at;
    r->time.ms = at.ms + unpack_between(u, LW_WALL_FIRST - at.ms, LW_WALL_LAST - at.ms);
    r->have = (uint16_t)unpack_between(u, 0, (1 << LW_QUANTITIES) - 1);
    r->q = (uint16_t)unpack_between(u, 0, UINT16_MAX);
    for (int q = 0; q < LW_QUANTITIES; q++) {
        const struct lw_quantity_info *info = lw_quantity_info((enum lw_quantity)q);
        if (lw_reading_has(r, (enum lw_quantity)q))
            r->value[q] = unpack_between(u, info->min, info->max);
    }
}

static void
unpack_serial(struct lw_unpacker *u, char text[LW_SERIAL])
{
    size_t n = lw_unpack_u8(u);
    const uint8_t *s = lw_unpack_bytes(u, n);

    if (u->rc == 0 && (n == 0 || n >= LW_SERIAL))
        u->rc = LW_EPARSE;
    for (size_t i = 0; i < n && u->rc == 0; i++)
        if (s[i] < ' ' || s[i] > '~')
            u->rc = LW_EPARSE;
    if (u->rc != 0)
        return;
    memcpy(text, s, n);
    text[n] = 0;
}

static void
unpack_act_text(struct lw_unpacker *u, char *text, size_t most)
{
    size_t n = lw_unpack_u8(u);
    const char *s = lw_unpack_bytes(u, n);

    if (u->rc == 0 && !lw_act_text(s, n, most))
        u->rc = LW_EPARSE;
    if (u->rc != 0)
        return;
    memcpy(text, s, n);
    text[n] = 0;
}

static void
unpack_act(struct lw_unpacker *u, lw_wall at, struct lw_act *act)
{
    uint8_t kind = lw_unpack_u8(u);
    const void *id = lw_unpack_bytes(u, LW_ACT_ALARM);

    if (kind < LW_ACT_ACKNOWLEDGE || kind > LW_ACT_LAST)
        u->rc = LW_EPARSE;
    if (u->rc != 0)
        return;
    *act = (struct lw_act){.kind = (enum lw_act_kind)kind};
    memcpy(act->alarm, id, LW_ACT_ALARM);
    unpack_act_text(u, act->by, LW_ACT_BY);
    if (act->kind != LW_ACT_SHELVE)
        return;
    act->until.ms =
        at.ms + unpack_between(u, LW_WALL_FIRST - at.ms, LW_WALL_LAST - at.ms);
    unpack_act_text(u, act->reason, LW_ACT_REASON);
}

/* All of an event but its meter's index, which stays 0. */
static int
unpack_event(const uint8_t *bytes, size_t n, struct lw_event *ret_event,
             struct meter_key *ret_key)
{
    struct lw_event event = {.kind = LW_EVENT_TICK};
    struct meter_key key = {.id = NULL};
    struct lw_unpacker u;

    lw_unpack_init(&u, bytes, n);
    uint8_t form = lw_unpack_u8(&u);
    if (form < FORM_FIRST || form > FORM)
        return form > FORM ? LW_EVERSION : LW_EPARSE;
    event.kind = (enum lw_event_kind)lw_unpack_u8(&u);
    if (u.rc == 0 && form_of(event.kind) != form)
        return LW_EPARSE;
    event.at.ms = unpack_between(&u, LW_WALL_FIRST, LW_WALL_LAST);
    switch (event.kind) {
    case LW_EVENT_READING:
        key = unpack_meter(&u);
        unpack_reading(&u, event.at, &event.reading);
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
        event.step.by_ms = lw_unpack_int(&u);
        break;
    case LW_EVENT_METER_CLOCK:
        key = unpack_meter(&u);
        event.clock.drift_ms = lw_unpack_int(&u);
        break;
    case LW_EVENT_METER_SERIAL:
        key = unpack_meter(&u);
        unpack_serial(&u, event.serial.text);
        break;
    case LW_EVENT_METER_COUNTER:
        key = unpack_meter(&u);
        event.counter.step_wh = unpack_between(&u, 0, INT64_MAX);
        event.counter.modulus_wh = unpack_between(&u, 0, INT64_MAX);
        event.counter.most_w = unpack_between(&u, 0, INT64_MAX);
        break;
    case LW_EVENT_ACT:
        unpack_act(&u, event.at, &event.act);
        break;
    default:
        u.rc = LW_EPARSE;
    }
    if (u.rc != 0 || u.at != n)
        return LW_EPARSE;
    *ret_event = event;
    *ret_key = key;
    return 0;
}

/* The row that was packed, or, where its dates were corrected, the one in place. */
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

int
lw_event_unpack(const uint8_t *bytes, size_t n, const struct lw_ledger *ledger,
                struct lw_event *ret_event)
{
    struct lw_event event;
    struct meter_key key;

    int rc = unpack_event(bytes, n, &event, &key);
    if (rc == 0 && event.kind == LW_EVENT_READING)
        rc = find_meter(ledger, &key, event.reading.time, &event.reading.meter);
    else if (rc == 0 && event.kind == LW_EVENT_READ_FAILED)
        rc = find_meter(ledger, &key, event.at, &event.failed.meter);
    else if (rc == 0 && event.kind == LW_EVENT_METER_CLOCK)
        rc = find_meter(ledger, &key, event.at, &event.clock.meter);
    else if (rc == 0 && event.kind == LW_EVENT_METER_SERIAL)
        rc = find_meter(ledger, &key, event.at, &event.serial.meter);
    else if (rc == 0 && event.kind == LW_EVENT_METER_COUNTER)
        rc = find_meter(ledger, &key, event.at, &event.counter.meter);
    if (rc == 0)
        *ret_event = event;
    return rc;
}

int
lw_reading_peek(const uint8_t *bytes, size_t n, struct lw_reading *ret_reading,
                const char **ret_meter, size_t *ret_meter_n)
{
    struct lw_event event;
    struct meter_key key;

    int rc = unpack_event(bytes, n, &event, &key);
    if (rc == 0 && event.kind != LW_EVENT_READING)
        rc = LW_EPARSE;
    if (rc != 0)
        return rc;
    *ret_reading = event.reading;
    ret_reading->meter = UINT32_MAX;
    *ret_meter = key.id;
    *ret_meter_n = key.n;
    return 0;
}
