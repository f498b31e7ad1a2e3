/* Any bytes as a readings CSV: events are in order, of meters in place, and within what
 * may be stored; each comes back from the journal's form as it was. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/codec.h>

#include "tests/unit/small_ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_event(const struct lw_ledger *ledger, const struct lw_event *e)
{
    struct lw_event back;
    uint8_t bytes[LW_EVENT_BYTES];

    size_t n = lw_event_pack(e, ledger, bytes);
    int rc = lw_event_unpack(bytes, n, ledger, &back);
    assert(rc == 0 && back.kind == e->kind && back.at.ms == e->at.ms);
    if (e->kind == LW_EVENT_READ_FAILED) {
        assert(back.failed.meter == e->failed.meter);
        return;
    }
    const struct lw_reading *r = &e->reading;
    const struct lw_meter *meter = &ledger->meter[r->meter];
    assert(meter->installed.ms <= r->time.ms && r->time.ms < meter->removed.ms);
    assert(r->have != 0 && memcmp(&back.reading, r, sizeof(*r)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lw_ledger *ledger;
    struct lw_readings *readings;
    struct lw_event event;
    struct lw_fault fault;
    lw_wall last = LW_WALL_MIN;
    size_t at = 0;
    int rc;

    if (ledger == NULL)
        ledger = small_ledger(SMALL_METERS);
    if (lw_readings_new("fuzz", ledger, &readings) != 0)
        return 0;
    while ((rc = lw_readings_next(readings, &event, &fault)) != 0) {
        if (rc == 1) {
            assert(event.at.ms >= last.ms);
            last = event.at;
            check_event(ledger, &event);
        } else if (rc == LW_EPARSE) {
            assert(fault.line >= 1 && fault.text[0] != '\0');
        } else if (at == size) {
            lw_readings_end(readings);
        } else {
            size_t next = size - at < 100 ? size - at : 100;
            lw_readings_feed(readings, (const char *)data + at, next);
            at += next;
        }
    }
    lw_readings_free(readings);
    return 0;
}
