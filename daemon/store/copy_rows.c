/* Rows in COPY's binary form, one way and the other. libpq hands out a row at a time; the
 * first one has COPY's head before it, and the last piece is no row. */
#include "daemon/store/copy_rows.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/pg_bytes.h"

enum {
    HEAD = 19 /* signature, flags, no extension */
};
static const char signature[] = "PGCOPY\n\377\r\n";

int
copy_split(const char *data, size_t n, struct copy_field *fields, int nfields)
{
    size_t at = n >= HEAD && memcmp(data, signature, sizeof(signature)) == 0 ? HEAD : 0;

    if (n - at < 2 || pg_get(data + at, 2) == -1)
        return 0;
    if (pg_get(data + at, 2) != nfields)
        return LW_EPARSE;
    at += 2;
    for (int i = 0; i < nfields; i++) {
        int64_t length = n - at < 4 ? -2 : pg_get(data + at, 4);

        at += 4;
        if (length < -1 || (length > 0 && (uint64_t)length > n - at))
            return LW_EPARSE;
        fields[i].data = length < 0 ? NULL : (const uint8_t *)data + at;
        fields[i].n = length < 0 ? 0 : (int32_t)length;
        at += (size_t)fields[i].n;
    }
    return 1;
}

int64_t
copy_int(const struct copy_field *field, int64_t otherwise)
{
    if (!field->data || field->n < 1 || field->n > 8)
        return otherwise;
    return pg_get(field->data, field->n);
}

void
copy_reading_columns(FILE *to)
{
    fputs("meter_id, ts, q", to);
    for (int q = 0; q < LW_QUANTITIES; q++)
        fprintf(to, ", %s", lw_quantity_info((enum lw_quantity)q)->stored);
}

int
copy_reading(const struct copy_field fields[COPY_READING], struct lw_reading *ret_reading)
{
    int64_t us = copy_int(&fields[1], 0);
    struct lw_reading r = {.meter = (uint32_t)copy_int(&fields[0], 0),
                           .q = (uint16_t)copy_int(&fields[2], 0)};

    if (us % 1000 != 0)
        return LW_ERANGE;
    r.time.ms = r.received.ms = us / 1000 + PG_EPOCH_MS;
    for (int q = 0; q < LW_QUANTITIES; q++) {
        const struct copy_field *field = &fields[3 + q];

        if (field->data) {
            r.have = (uint16_t)(r.have | 1u << q);
            r.value[q] = copy_int(field, 0);
        }
    }
    *ret_reading = r;
    return 0;
}

int
copy_begin(struct copy_rows *rows)
{
    static const char flags[HEAD - sizeof(signature)] = {0};

    *rows = (struct copy_rows){0};
    rows->to = open_memstream(&rows->data, &rows->n);
    if (!rows->to)
        return LW_ENOMEM;
    fwrite(signature, 1, sizeof(signature), rows->to); /* its NUL belongs to it */
    fwrite(flags, 1, sizeof(flags), rows->to);
    return 0;
}

static void
put(struct copy_rows *rows, int64_t v, int width)
{
    uint8_t bytes[8];

    pg_put(bytes, (uint64_t)v, width);
    fwrite(bytes, 1, (size_t)width, rows->to);
}

void
copy_row(struct copy_rows *rows, int nfields)
{
    put(rows, nfields, 2);
    rows->rows++;
}

void
copy_put_int(struct copy_rows *rows, int64_t v, int width)
{
    put(rows, width, 4);
    put(rows, v, width);
}

void
copy_put_bytes(struct copy_rows *rows, const void *data, size_t n)
{
    put(rows, (int64_t)n, 4);
    fwrite(data, 1, n, rows->to);
}

void
copy_put_null(struct copy_rows *rows)
{
    put(rows, -1, 4);
}

int
copy_end(struct copy_rows *rows)
{
    FILE *to = rows->to;
    bool failed;

    put(rows, -1, 2);
    failed = ferror(to) != 0;
    rows->to = NULL;
    return fclose(to) != 0 || failed ? LW_ENOMEM : 0;
}

void
copy_free(struct copy_rows *rows)
{
    if (rows->to)
        fclose(rows->to);
    free(rows->data);
    *rows = (struct copy_rows){0};
}
