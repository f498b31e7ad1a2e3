/* Values in PostgreSQL's binary form: numbers in network order, times in microseconds
 * since 2000, one-dimensional arrays. */
#ifndef DAEMON_STORE_PG_BYTES_H
#define DAEMON_STORE_PG_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>
#include <lodewatch/time.h>

/* The types' OIDs, fixed in pg_type.dat. */
enum {
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_TIMESTAMPTZ = 1184,
    PG_INT2_ARRAY = 1005,
    PG_INT4_ARRAY = 1007,
    PG_TEXT_ARRAY = 1009,
    PG_INT8_ARRAY = 1016,
    PG_TIMESTAMPTZ_ARRAY = 1185,
};

/* Writes the low `width` (1..8) bytes of v. */
static inline void
pg_put(void *to, uint64_t v, int width)
{
    uint8_t *b = to;

    for (int i = width - 1; i >= 0; i--, v >>= 8)
        b[i] = (uint8_t)v;
}

/* The number in `width` (1..8) bytes. */
static inline int64_t
pg_get(const void *from, int width)
{
    const uint8_t *b = from;
    uint64_t v = b[0] & 0x80 ? UINT64_MAX : 0;

    for (int i = 0; i < width; i++)
        v = v << 8 | b[i];
    return (int64_t)v;
}

#define PG_EPOCH_MS INT64_C(946684800000) /* 2000-01-01T00:00:00Z */

static inline int64_t
pg_time(int64_t ms)
{
    return (ms - PG_EPOCH_MS) * 1000;
}

/* An array that is built element by element. Zero is a new one; free(array.data). */
struct pg_array {
    uint8_t *data;
    size_t n, cap;
    uint32_t count;
    bool failed; /* no memory: said at the end */
};

/* Begins anew, in the memory that is there. */
void pg_array_begin(struct pg_array *array, uint32_t element_type);
void pg_array_add(struct pg_array *array, const void *data, size_t n);
void pg_array_add_int(struct pg_array *array, int64_t v, int width);
void pg_array_add_null(struct pg_array *array);
/* LW_ENOMEM */
LW_MUSTCHECK
int pg_array_end(struct pg_array *array);

#endif
