/* Packs one closed day.
 *
 * The rows come out of the partition in the order of the key. A range of meters at a time
 * becomes blocks and hours, in one transaction with the row of `compaction` that says how
 * far it is and what its rows came to; before it commits, the blocks are read back and
 * unpacked, and must hold what the rows held. At the end one more transaction locks the
 * partition against writers, has PostgreSQL count and add it up itself, and drops it
 * where that is what was packed.
 *
 * So at every moment a reading is in the partition, or in a block, or in both; and who
 * reads the rows before the blocks sees each at least once. Rows that come while the day
 * is being packed are found by the count: then the day is packed again, with the blocks
 * that are there. The same serves readings that come when the partition is long gone: the
 * writer makes it again, and here its rows are put to those of the block. Where both have
 * a reading of one time, the block's stays, as what came first always does. */
#include "daemon/store/compact.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/text.h>

#include "daemon/store/copy_rows.h"
#include "daemon/store/drop_day.h"
#include "daemon/store/rollup.h"

enum {
    RANGE_METERS = 256,
    RANGE_BYTES = 4 << 20,
    TRIES = 3, /* each waits for locks as long as the server lets it */
    IN_TEXT = RANGE_METERS * 12,
    SQL = 1024
};

/* What a block must hold when it is read back. */
struct check {
    int32_t meter;
    uint32_t n;
    uint64_t sum;
};

/* What rows of the partition come to, as PostgreSQL can add them up too. */
struct totals {
    int64_t rows, p_w, imp_wh;
};

struct compact {
    struct pg_sync *from, *to;
    struct lw_day_codec *codec;
    uint8_t *block;
    size_t block_cap;

    const char *day;
    int64_t day_ms;
    char name[32]; /* of the partition */
    bool had;      /* there are blocks of this day already */
    struct history_day *done;

    int32_t meter; /* whose rows are coming; 0: none */
    struct lw_reading *row;
    size_t n;
    struct totals of_meter, of_range;

    struct lw_reading *other; /* of a block that was read */
    size_t nother;
    struct lw_reading *merged;

    struct copy_rows days, hours;
    struct check check[RANGE_METERS];
    uint32_t nchecks, nchecked;

    int rc;
    char error[COMPACT_ERROR];
};

static int __attribute__((format(printf, 2, 3)))
fail(struct compact *c, const char *format, ...)
{
    va_list args;

    if (c->rc == 0) {
        va_start(args, format);
        vsnprintf(c->error, sizeof(c->error), format, args);
        va_end(args);
        c->rc = LW_EIO;
    }
    return c->rc;
}

/* Runs on the connection on which blocks go. */
static int __attribute__((format(printf, 2, 3)))
run(struct compact *c, const char *format, ...)
{
    char sql[SQL + IN_TEXT];
    va_list args;

    if (c->rc < 0)
        return c->rc;
    va_start(args, format);
    vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    return pg_sync_run(c->to, sql) < 0 ? fail(c, "%s", c->to->error) : 0;
}

static void
add_totals(struct totals *to, const struct totals *more)
{
    to->rows += more->rows;
    to->p_w += more->p_w;
    to->imp_wh += more->imp_wh;
}

/* One number that changes with anything in the readings (as FNV does, by words). */
static uint64_t
sum_of(const struct lw_reading *r, size_t n)
{
    uint64_t sum = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < n; i++) {
        const uint64_t head[2] = {(uint64_t)r[i].time.ms,
                                  (uint64_t)r[i].have << 16 | r[i].q};

        for (int k = 0; k < 2; k++)
            sum = (sum ^ head[k]) * UINT64_C(1099511628211);
        for (int q = 0; q < LW_QUANTITIES; q++)
            sum = (sum ^ (uint64_t)r[i].value[q]) * UINT64_C(1099511628211);
    }
    return sum;
}

/* ---- one meter ---- */

static int
unpack(struct compact *c, const struct copy_field *d)
{
    int rc = d->data ? lw_day_unpack(c->codec, d->data, (size_t)d->n, c->other,
                                     LW_DAY_READINGS, &c->nother)
                     : LW_EPARSE;

    return rc < 0 ? fail(c, "a block of %s cannot be unpacked: %s", c->day,
                         lw_result_text(rc))
                  : 0;
}

static void
on_block(void *arg, const char *data, size_t n)
{
    struct compact *c = arg;
    struct copy_field d;

    if (c->rc == 0 && copy_split(data, n, &d, 1) == 1)
        unpack(c, &d);
}

/* Puts the rows to those of the meter's block, if there is one. */
static void
merge(struct compact *c)
{
    char sql[SQL];
    size_t i = 0, k = 0, n = 0;

    c->nother = 0;
    snprintf(sql, sizeof(sql),
             "COPY (SELECT d FROM reading_day WHERE meter_id = %" PRId32
             " AND day = '%s') TO STDOUT (FORMAT binary)",
             c->meter, c->day);
    if (pg_sync_copy_rows(c->to, sql, on_block, c) < 0)
        fail(c, "%s", c->to->error);
    if (c->rc < 0 || c->nother == 0)
        return;
    while (i < c->nother || k < c->n) {
        bool block =
            k == c->n || (i < c->nother && c->other[i].time.ms <= c->row[k].time.ms);

        if (block && k < c->n && c->other[i].time.ms == c->row[k].time.ms)
            k++;
        if (n == LW_DAY_READINGS) {
            fail(c, "meter %" PRId32 " has more than %d readings on %s", c->meter,
                 LW_DAY_READINGS, c->day);
            return;
        }
        c->merged[n++] = block ? c->other[i++] : c->row[k++];
    }

    struct lw_reading *was = c->row;

    c->row = c->merged;
    c->merged = was;
    c->n = n;
}

/* All rows of the meter are there. */
static void
finish_meter(struct compact *c)
{
    size_t n;

    if (c->rc == 0 && c->had)
        merge(c);
    if (c->rc < 0)
        return;

    int rc = lw_day_pack(c->codec, c->row, c->n, c->block, c->block_cap, &n);

    if (rc < 0) {
        fail(c, "meter %" PRId32 " on %s cannot be packed: %s", c->meter, c->day,
             lw_result_text(rc));
        return;
    }
    rollup_day(&c->days, c->meter, c->day_ms, c->row, c->n, c->block, n);
    rollup_hours(&c->hours, c->meter, c->row, c->n);
    c->check[c->nchecks++] =
        (struct check){c->meter, (uint32_t)c->n, sum_of(c->row, c->n)};
    add_totals(&c->of_range, &c->of_meter);
    c->done->bytes += (int64_t)n;
}

/* ---- a range of meters ---- */

static void
on_written(void *arg, const char *data, size_t n)
{
    struct compact *c = arg;
    struct copy_field field[3];

    if (c->rc < 0 || copy_split(data, n, field, 3) != 1 || unpack(c, &field[2]) < 0)
        return;

    const struct check *check = &c->check[c->nchecked];

    if (c->nchecked == c->nchecks || copy_int(&field[0], 0) != check->meter ||
        copy_int(&field[1], 0) != check->n || c->nother != check->n ||
        sum_of(c->other, c->nother) != check->sum)
        fail(c, "the block of meter %" PRId64 " on %s does not hold what was packed",
             copy_int(&field[0], 0), c->day);
    else
        c->nchecked++;
}

/* Reads back what this transaction has written. */
static void
verify(struct compact *c, const char *meters)
{
    char sql[SQL + IN_TEXT];
    int64_t readings = 0;

    if (c->rc < 0)
        return;
    snprintf(sql, sizeof(sql),
             "COPY (SELECT meter_id, n, d FROM reading_day WHERE day = '%s' AND meter_id"
             " IN (%s) ORDER BY meter_id) TO STDOUT (FORMAT binary)",
             c->day, meters);
    c->nchecked = 0;
    if (pg_sync_copy_rows(c->to, sql, on_written, c) < 0)
        fail(c, "%s", c->to->error);
    if (c->nchecked != c->nchecks)
        fail(c, "%" PRIu32 " blocks of %" PRIu32 " were found again", c->nchecked,
             c->nchecks);
    for (uint32_t i = 0; i < c->nchecks; i++)
        readings += c->check[i].n;
    run(c,
        "SELECT sum(n) FROM reading_hour WHERE hour >= '%s 00:00Z' AND hour <"
        " timestamptz '%s 00:00Z' + interval '24 hours' AND meter_id IN (%s)",
        c->day, c->day, meters);
    if (c->rc == 0 && (!c->to->value || strtoll(c->to->value, NULL, 10) != readings))
        fail(c, "the hours of %s do not add up to its readings", c->day);
    c->done->readings += readings;
}

static void
copy_in(struct compact *c, const char *table, struct copy_rows *rows)
{
    char sql[SQL];

    if (copy_end(rows) < 0)
        fail(c, "no memory for a range of meters");
    snprintf(sql, sizeof(sql), "COPY %s FROM STDIN (FORMAT binary)", table);
    if (c->rc == 0 && pg_sync_copy_in(c->to, sql, rows->data, rows->n) < 0)
        fail(c, "%s", c->to->error);
}

static void
list_meters(const struct compact *c, char text[IN_TEXT])
{
    struct lw_text t;

    lw_text_init(&t, text, IN_TEXT);
    for (uint32_t i = 0; i < c->nchecks; i++)
        lw_text_addf(&t, "%s%" PRId32, i > 0 ? "," : "", c->check[i].meter);
}

static void
begin_range(struct compact *c)
{
    c->nchecks = 0;
    c->of_range = (struct totals){0};
    if (copy_begin(&c->days) < 0 || copy_begin(&c->hours) < 0)
        fail(c, "no memory for a range of meters");
}

/* Writes what there is, and how far it is. */
static void
end_range(struct compact *c)
{
    char meters[IN_TEXT];

    if (c->rc == 0 && c->nchecks > 0) {
        list_meters(c, meters);
        run(c, "BEGIN");
        if (c->had)
            run(c,
                "DELETE FROM reading_day WHERE day = '%s' AND meter_id IN (%s);"
                "DELETE FROM reading_hour WHERE hour >= '%s 00:00Z' AND hour <"
                " timestamptz '%s 00:00Z' + interval '24 hours' AND meter_id IN (%s)",
                c->day, meters, c->day, c->day, meters);
        copy_in(c, ROLLUP_DAY, &c->days);
        copy_in(c, ROLLUP_HOUR, &c->hours);
        verify(c, meters);
        run(c,
            "UPDATE compaction SET meter_id = %" PRId32 ", rows = rows + %" PRId64
            ", p_w = p_w + %" PRId64 ", imp_wh = imp_wh + %" PRId64
            ", at = now() WHERE day = '%s'; COMMIT",
            c->check[c->nchecks - 1].meter, c->of_range.rows, c->of_range.p_w,
            c->of_range.imp_wh, c->day);
        c->done->meters += c->nchecks;
    }
    copy_free(&c->days);
    copy_free(&c->hours);
}

static void
on_row(void *arg, const char *data, size_t n)
{
    struct compact *c = arg;
    struct copy_field field[COPY_READING];
    struct lw_reading r;
    int rc;

    if (c->rc < 0 || (rc = copy_split(data, n, field, COPY_READING)) == 0)
        return;
    if (rc < 0 || copy_reading(field, &r) < 0) {
        fail(c, "a row of %s is none that lodewatch writes", c->name);
    } else if ((int32_t)r.meter != c->meter) {
        if (c->meter != 0)
            finish_meter(c);
        if (c->nchecks == RANGE_METERS || ftell(c->days.to) > RANGE_BYTES) {
            end_range(c);
            begin_range(c);
        }
        c->meter = (int32_t)r.meter;
        c->n = 0;
        c->of_meter = (struct totals){0};
    }
    if (c->rc == 0 && c->n == LW_DAY_READINGS)
        fail(c, "meter %" PRId32 " has more than %d readings on %s", c->meter,
             LW_DAY_READINGS, c->day);
    if (c->rc < 0) {
        pg_sync_give_up(c->from, c->error);
        return;
    }
    r.meter = 0; /* as a block gives it */
    c->row[c->n++] = r;
    c->of_meter.rows++;
    c->of_meter.p_w += r.value[LW_ACTIVE_POWER];
    c->of_meter.imp_wh += r.value[LW_IMPORT] & UINT32_MAX;
}

/* ---- a day ---- */

/* Packs the meters that are not done yet. */
static void
pack_day(struct compact *c)
{
    char *sql = NULL;
    size_t n = 0;
    FILE *to;

    c->meter = 0;
    run(c, "SELECT 1 FROM reading_day WHERE day = '%s' LIMIT 1", c->day);
    c->had = c->rc == 0 && c->to->value != NULL;
    run(c, "SELECT meter_id FROM compaction WHERE day = '%s'", c->day);
    if (c->rc < 0)
        return;
    if (!(to = open_memstream(&sql, &n))) {
        fail(c, "no memory for a query");
        return;
    }
    fputs("COPY (SELECT ", to);
    copy_reading_columns(to);
    fprintf(to,
            " FROM %s WHERE meter_id > %s ORDER BY meter_id, ts) TO STDOUT"
            " (FORMAT binary)",
            c->name, c->to->value ? c->to->value : "0");
    fclose(to);
    begin_range(c);
    if (pg_sync_copy_rows(c->from, sql, on_row, c) < 0)
        fail(c, "%s", c->from->error);
    if (c->rc == 0 && c->meter != 0)
        finish_meter(c);
    end_range(c);
    free(sql);
}

static void
begin_day(struct compact *c, const char *day, struct history_day *done)
{
    char midnight[32];
    lw_wall time = {0};

    snprintf(midnight, sizeof(midnight), "%.10sT00:00:00Z", day);
    c->rc = lw_wall_parse(midnight, strlen(midnight), NULL, LW_DATE_START, &time);
    c->day = day;
    c->day_ms = time.ms;
    c->done = done;
    c->error[0] = '\0';
    *done = (struct history_day){0};
    snprintf(done->day, sizeof(done->day), "%.10s", day);
    snprintf(c->name, sizeof(c->name), "reading_%.4s%.2s%.2s", day, day + 5, day + 8);
}

/* The next packing begins with the first meter. */
static void
forget_progress(struct compact *c)
{
    c->done->readings = c->done->meters = c->done->bytes = 0;
    run(c,
        "UPDATE compaction SET meter_id = 0, rows = 0, p_w = 0, imp_wh = 0"
        " WHERE day = '%s'",
        c->day);
}

int
compact_day(struct compact *compact, const char *day, struct history_day *ret_done,
            char error[COMPACT_ERROR])
{
    struct compact *c = compact;
    enum drop drop = DROP_IN_USE;

    begin_day(c, day, ret_done);
    run(c,
        "SELECT reading_month('%s');"
        "INSERT INTO compaction(day) VALUES ('%s') ON CONFLICT DO NOTHING",
        day, day);
    for (int i = 0; c->rc == 0 && i < TRIES && drop != DROP_DONE; i++) {
        pack_day(c);
        if (c->rc == 0)
            drop = drop_day(c->to, c->name, day);
        if (c->rc == 0 && (drop == DROP_GREW || drop == DROP_OTHER))
            forget_progress(c);
        if (drop == DROP_FAILED)
            fail(c, "%s", c->to->error);
        if (drop == DROP_OTHER)
            fail(c,
                 "what PostgreSQL adds up in %s is not what was packed: it is kept, and"
                 " packed anew the next time",
                 c->name);
    }
    if (drop != DROP_DONE)
        fail(c, "%s is in use: it is dropped the next time", c->name);
    snprintf(error, COMPACT_ERROR, "%s", c->error);
    return c->rc;
}

int
compact_new(struct pg_sync *from, struct pg_sync *to, struct compact **ret_compact)
{
    struct compact *c = calloc(1, sizeof(*c));

    if (!c)
        return LW_ENOMEM;
    c->from = from;
    c->to = to;
    c->block_cap = lw_day_pack_most(LW_DAY_READINGS);
    c->block = malloc(c->block_cap);
    c->row = calloc(LW_DAY_READINGS, sizeof(*c->row));
    c->other = calloc(LW_DAY_READINGS, sizeof(*c->other));
    c->merged = calloc(LW_DAY_READINGS, sizeof(*c->merged));
    if (!c->block || !c->row || !c->other || !c->merged ||
        lw_day_codec_new(&c->codec) < 0) {
        compact_free(c);
        return LW_ENOMEM;
    }
    *ret_compact = c;
    return 0;
}

void
compact_free(struct compact *compact)
{
    if (!compact)
        return;
    lw_day_codec_free(compact->codec);
    free(compact->block);
    free(compact->row);
    free(compact->other);
    free(compact->merged);
    free(compact);
}
