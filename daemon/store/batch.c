/* A batch: from the journal's records to COPY's bytes. */
#include "daemon/store/batch.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/hash.h>
#include <lodewatch/pack.h>

#include "daemon/journal.h"

/* The order of the table, in which the widest come first. */
static const struct {
    enum lw_quantity quantity;
    uint8_t width;
} columns[] = {
    {LW_IMPORT, 8},    {LW_EXPORT, 8},       {LW_ACTIVE_POWER, 4},   {LW_CURRENT_A, 4},
    {LW_CURRENT_B, 4}, {LW_CURRENT_C, 4},    {LW_VOLTAGE_A, 4},      {LW_VOLTAGE_B, 4},
    {LW_VOLTAGE_C, 4}, {LW_POWER_FACTOR, 2}, {LW_REACTIVE_POWER, 4}, {LW_TEMPERATURE, 4},
    {LW_RAIN, 4},      {LW_WATER_LEVEL, 4},
};
enum {
    COLUMNS = sizeof(columns) / sizeof(columns[0])
};

static const char copy_head[] =
    "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and the final NUL: 19 */

enum {
    ROW_MOST = 2 + (COLUMNS + 3) * 12, /* bytes of one row in COPY */
    ALERT_HEAD = 16 + 4 + 1 + 8,       /* before an alert's JSON in its record */
};

int
batch_new(uint32_t cap, struct batch **ret_batch)
{
    struct batch *b = calloc(1, sizeof(*b));

    if (b) {
        b->cap = cap;
        b->row = calloc(cap, sizeof(*b->row));
        b->order = calloc(cap, sizeof(*b->order));
    }
    if (!b || !b->row || !b->order) {
        batch_free(b);
        return LW_ENOMEM;
    }
    batch_begin(b, 0);
    *ret_batch = b;
    return 0;
}

void
batch_free(struct batch *batch)
{
    if (!batch)
        return;
    free(batch->row);
    free(batch->order);
    free(batch->alerts.data);
    for (int i = 0; i < 5; i++)
        free(batch->last[i].data);
    free(batch);
}

void
batch_begin(struct batch *batch, uint64_t position)
{
    batch->first = batch->next = position;
    batch->nrows = batch->nalerts = batch->ndays = 0;
    batch->sorted = false;
    pg_array_begin(&batch->alerts, PG_TEXT);
}

void
batch_pass(struct batch *batch, const struct journal_record *record)
{
    batch->next = record->next;
}

static bool
fits(int64_t v, int width)
{
    int64_t most = width == 8 ? INT64_MAX : (INT64_C(1) << (8 * width - 1)) - 1;

    return v >= -most - 1 && v <= most;
}

/* Remembers the day; LW_EFULL where the batch touches too many. */
static int
add_day(struct batch *b, int64_t time)
{
    int32_t day = (int32_t)(lw_floor_to(time, LW_DAY) / LW_DAY);

    for (uint32_t i = b->ndays; i > 0; i--) {
        if (b->day[i - 1] == day)
            return 0;
    }
    if (b->ndays == BATCH_DAYS)
        return LW_EFULL;
    b->day[b->ndays++] = day;
    return 0;
}

/* A meter's readings are all of one share, in every release: the cursors in the database
 * stand for it. FNV leaves its upper bits to the first letters, so all of it is mixed. */
static enum batch_share
share_of(const char *id, size_t n)
{
    uint64_t mixed = lw_hash64(id, n) * UINT64_C(0x9e3779b97f4a7c15);

    return mixed >> 63 ? BATCH_READINGS_1 : BATCH_READINGS_0;
}

static int
add_reading(struct batch *b, struct keys *keys, enum batch_share share,
            const struct journal_record *record)
{
    struct lw_unpacker u;
    struct lw_reading r;
    const char *id;
    size_t id_n;
    uint32_t slot;
    const uint8_t *head;
    uint16_t q;
    int rc;

    lw_unpack_init(&u, record->data, record->n);
    head = lw_unpack_bytes(&u, 2);
    if (u.rc < 0)
        return LW_EPARSE;
    q = (uint16_t)(head[0] | head[1] << 8);
    if (q & LW_MARK_REPEATED) /* what came first stays */
        return 0;
    if ((rc = lw_reading_peek(head + 2, record->n - 2, &r, &id, &id_n)) < 0)
        return rc;
    if (share_of(id, id_n) != share)
        return 0;
    if (b->nrows == b->cap)
        return LW_EFULL;
    for (int i = 0; i < COLUMNS; i++) {
        if (lw_reading_has(&r, columns[i].quantity) &&
            !fits(r.value[columns[i].quantity], columns[i].width))
            return LW_ERANGE;
    }
    if (r.time.ms < LW_WALL_FIRST || r.time.ms > LW_WALL_LAST)
        return LW_ERANGE;
    if ((rc = keys_slot(keys, id, id_n, &slot)) < 0 || (rc = add_day(b, r.time.ms)) < 0)
        return rc == LW_EINVAL ? LW_EPARSE : rc;

    struct batch_row *row = &b->row[b->nrows++];

    row->time = r.time.ms;
    row->slot = slot;
    row->have = r.have;
    row->q = q;
    memcpy(row->value, r.value, sizeof(row->value));
    return 0;
}

static int
add_alert(struct batch *b, const struct journal_record *record)
{
    if (record->n <= ALERT_HEAD)
        return LW_EPARSE;
    if (b->alerts.n + record->n > BATCH_ALERT_BYTES && b->nalerts > 0)
        return LW_EFULL;
    pg_array_add(&b->alerts, (const char *)record->data + ALERT_HEAD,
                 record->n - ALERT_HEAD);
    if (b->alerts.failed)
        return LW_ENOMEM;
    b->nalerts++;
    return 0;
}

int
batch_add(struct batch *batch, struct keys *keys, enum batch_share share,
          const struct journal_record *record)
{
    int rc = 0;

    if (record->kind == JOURNAL_READING && share != BATCH_ALERTS)
        rc = add_reading(batch, keys, share, record);
    else if (record->kind == JOURNAL_ALERT && share == BATCH_ALERTS)
        rc = add_alert(batch, record);
    if (rc == 0)
        batch_pass(batch, record);
    return rc;
}

int
batch_unknown(const struct batch *batch, const struct keys *keys,
              struct pg_array *ret_ids)
{
    uint8_t *asked = NULL; /* a bit a slot */
    size_t slots = 0;

    pg_array_begin(ret_ids, PG_TEXT);
    for (uint32_t i = 0; i < batch->nrows; i++) {
        uint32_t slot = batch->row[i].slot;

        if (keys_meter(keys, slot) == 0 && slot >= slots)
            slots = slot + 1;
    }
    if (slots == 0)
        return 0;
    asked = calloc(slots / 8 + 1, 1);
    if (!asked)
        return LW_ENOMEM;
    for (uint32_t i = 0; i < batch->nrows; i++) {
        uint32_t slot = batch->row[i].slot;

        if (keys_meter(keys, slot) == 0 && !(asked[slot / 8] >> slot % 8 & 1)) {
            const char *id = keys_id(keys, slot);

            asked[slot / 8] |= (uint8_t)(1 << slot % 8);
            pg_array_add(ret_ids, id, strlen(id));
        }
    }
    free(asked);

    int rc = pg_array_end(ret_ids);

    return rc < 0 ? rc : (int)ret_ids->count;
}

static int
by_meter(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void
add_last(struct batch *b, int32_t meter, const struct batch_row *row)
{
    pg_array_add_int(&b->last[0], meter, 4);
    pg_array_add_int(&b->last[1], pg_time(row->time), 8);
    if (row->have >> LW_IMPORT & 1)
        pg_array_add_int(&b->last[2], row->value[LW_IMPORT], 8);
    else
        pg_array_add_null(&b->last[2]);
    if (row->have >> LW_ACTIVE_POWER & 1)
        pg_array_add_int(&b->last[3], row->value[LW_ACTIVE_POWER], 4);
    else
        pg_array_add_null(&b->last[3]);
    pg_array_add_int(&b->last[4], row->q, 2);
}

int
batch_sort(struct batch *batch, const struct keys *keys)
{
    static const uint32_t types[5] = {PG_INT4, PG_TIMESTAMPTZ, PG_INT8, PG_INT4, PG_INT2};
    const struct batch_row *newest = NULL;
    int rc = pg_array_end(&batch->alerts);

    for (uint32_t i = 0; i < batch->nrows; i++)
        batch->order[i] =
            (uint64_t)(uint32_t)keys_meter(keys, batch->row[i].slot) << 32 | i;
    qsort(batch->order, batch->nrows, sizeof(*batch->order), by_meter);
    batch->sorted = true;
    batch->fed = 0;
    batch->begun = batch->ended = false;

    for (int i = 0; i < 5; i++)
        pg_array_begin(&batch->last[i], types[i]);
    for (uint32_t i = 0; i < batch->nrows; i++) {
        const struct batch_row *row = &batch->row[(uint32_t)batch->order[i]];
        bool ends =
            i + 1 == batch->nrows || batch->order[i] >> 32 != batch->order[i + 1] >> 32;

        if (!newest || row->time > newest->time)
            newest = row;
        if (ends) {
            add_last(batch, (int32_t)(batch->order[i] >> 32), newest);
            newest = NULL;
        }
    }
    for (int i = 0; i < 5 && rc == 0; i++)
        rc = pg_array_end(&batch->last[i]);
    return rc;
}

/* Writes 12 bytes, of which the last ones may not count. */
static char *
field(char *p, int64_t v, int width)
{
    uint32_t n = htobe32((uint32_t)width);
    uint64_t bytes = htobe64((uint64_t)v << (64 - 8 * width));

    memcpy(p, &n, 4);
    memcpy(p + 4, &bytes, 8);
    return p + 4 + width;
}

static char *
encode(char *p, int32_t meter, const struct batch_row *row)
{
    pg_put(p, COLUMNS + 3, 2);
    p = field(p + 2, pg_time(row->time), 8);
    p = field(p, meter, 4);
    p = field(p, row->q, 2);
    for (int i = 0; i < COLUMNS; i++) {
        if (row->have >> columns[i].quantity & 1) {
            p = field(p, row->value[columns[i].quantity], columns[i].width);
        } else {
            pg_put(p, UINT32_MAX, 4);
            p += 4;
        }
    }
    return p;
}

size_t
batch_feed(void *batch, char *buf, size_t cap)
{
    struct batch *b = batch;
    char *p = buf;

    if (!b->begun) {
        memcpy(p, copy_head, 19);
        p += 19;
        b->begun = true;
    }
    while (b->fed < b->nrows && (size_t)(p - buf) + ROW_MOST + 2 <= cap) {
        uint64_t order = b->order[b->fed++];

        p = encode(p, (int32_t)(order >> 32), &b->row[(uint32_t)order]);
    }
    if (b->fed == b->nrows && !b->ended) {
        pg_put(p, UINT16_MAX, 2);
        p += 2;
        b->ended = true;
    }
    return (size_t)(p - buf);
}
