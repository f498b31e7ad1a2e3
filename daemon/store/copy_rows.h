/* Rows in COPY's binary form, one way and the other. */
#ifndef DAEMON_STORE_COPY_ROWS_H
#define DAEMON_STORE_COPY_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lodewatch/reading.h>
#include <lodewatch/result.h>

/* ---- out of the database ---- */

struct copy_field {
    const uint8_t *data; /* borrowed; NULL is NULL */
    int32_t n;
};

/* Splits a piece that COPY TO STDOUT gave, a row as a rule, into its fields: 1; 0 where
 * there is no row in it; LW_EPARSE: not so many fields. */
LW_MUSTCHECK
int copy_split(const char *data, size_t n, struct copy_field *fields, int nfields);
/* An integer of any width; `otherwise` where it is NULL. */
int64_t copy_int(const struct copy_field *field, int64_t otherwise);

/* "meter_id, ts, q, …": what copy_reading expects. */
enum {
    COPY_READING = 3 + LW_QUANTITIES
};
void copy_reading_columns(FILE *to);
/* `received` is `time`, and the meter is the database's. LW_ERANGE: its time is no whole
 * millisecond. */
LW_MUSTCHECK
int copy_reading(const struct copy_field fields[COPY_READING],
                 struct lw_reading *ret_reading);

/* ---- into it ---- */

/* Rows for a COPY FROM STDIN, in memory. Zero is none; copy_free. */
struct copy_rows {
    FILE *to;
    char *data;
    size_t n;
    uint32_t rows;
};

LW_MUSTCHECK
int copy_begin(struct copy_rows *rows); /* LW_ENOMEM */
void copy_row(struct copy_rows *rows, int nfields);
void copy_put_int(struct copy_rows *rows, int64_t v, int width);
void copy_put_bytes(struct copy_rows *rows, const void *data, size_t n);
void copy_put_null(struct copy_rows *rows);
/* Then data and n are whole. LW_ENOMEM. */
LW_MUSTCHECK
int copy_end(struct copy_rows *rows);
void copy_free(struct copy_rows *rows);

#endif
