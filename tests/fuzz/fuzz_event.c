/* Any bytes as a journalled event, and as a packed table: refused, or an event that
 * comes back as it is. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/pack.h>

#include "tests/unit/small_ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct thing {
    int64_t big;
    uint16_t small;
    uint8_t raw[3];
};

static const struct lw_field fields[] = {
    LW_FIELD(struct thing, big),
    LW_FIELD(struct thing, small),
    LW_FIELD_RAW(struct thing, raw),
};

static void
read_tables(const uint8_t *data, size_t size)
{
    struct lw_unpacker u;
    struct lw_table_head head;
    struct thing thing;

    lw_unpack_init(&u, data, size);
    while (u.at < u.n && lw_unpack_table(&u, &head) == 0) {
        if (head.count % 2 == 1)
            lw_unpack_skip_rows(&u, &head);
        for (uint64_t i = 0; head.count % 2 == 0 && i < head.count && u.rc == 0; i++)
            lw_unpack_row(&u, &head, fields, sizeof(fields) / sizeof(fields[0]), &thing);
    }
    assert(u.at <= u.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lw_ledger *ledger;
    struct lw_event event, back;
    uint8_t bytes[LW_EVENT_BYTES];

    if (ledger == NULL)
        ledger = small_ledger(SMALL_METERS);
    read_tables(data, size);
    if (lw_event_unpack(data, size, ledger, &event) != 0)
        return 0;
    size_t n = lw_event_pack(&event, ledger, bytes);
    int rc = lw_event_unpack(bytes, n, ledger, &back);
    assert(rc == 0 && back.kind == event.kind && back.at.ms == event.at.ms);
    if (event.kind == LW_EVENT_READING)
        assert(memcmp(&back.reading, &event.reading, sizeof(event.reading)) == 0);
    if (event.kind == LW_EVENT_ACT)
        assert(strcmp(back.act.by, event.act.by) == 0 &&
               strcmp(back.act.reason, event.act.reason) == 0 &&
               back.act.until.ms == event.act.until.ms);
    return 0;
}
