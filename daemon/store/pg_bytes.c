/* Arrays in PostgreSQL's binary form: a head (dimensions, has nulls, the elements' type,
 * and the one dimension's length and lower bound), then each element with its length. */
#include "daemon/store/pg_bytes.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEAD = 20
};

static uint8_t *
room(struct pg_array *array, size_t n)
{
    if (array->n + n > array->cap) {
        size_t cap = 2 * (array->n + n);
        uint8_t *data = realloc(array->data, cap);

        if (!data) {
            array->failed = true;
            return NULL;
        }
        array->data = data;
        array->cap = cap;
    }
    array->n += n;
    return array->data + array->n - n;
}

void
pg_array_begin(struct pg_array *array, uint32_t element_type)
{
    array->n = 0;
    array->count = 0;
    array->failed = false;

    uint8_t *head = room(array, HEAD);

    if (head) {
        pg_put(head, 1, 4);
        pg_put(head + 4, 1, 4);
        pg_put(head + 8, element_type, 4);
        pg_put(head + 16, 1, 4);
    }
}

void
pg_array_add(struct pg_array *array, const void *data, size_t n)
{
    uint8_t *to = array->failed ? NULL : room(array, 4 + n);

    if (to) {
        pg_put(to, n, 4);
        memcpy(to + 4, data, n);
        array->count++;
    }
}

void
pg_array_add_int(struct pg_array *array, int64_t v, int width)
{
    uint8_t bytes[8];

    pg_put(bytes, (uint64_t)v, width);
    pg_array_add(array, bytes, (size_t)width);
}

void
pg_array_add_null(struct pg_array *array)
{
    uint8_t *to = array->failed ? NULL : room(array, 4);

    if (to) {
        pg_put(to, UINT32_MAX, 4);
        array->count++;
    }
}

int
pg_array_end(struct pg_array *array)
{
    if (array->failed)
        return LW_ENOMEM;
    pg_put(array->data + 12, array->count, 4);
    return 0;
}
