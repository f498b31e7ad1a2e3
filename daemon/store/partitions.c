/* The daily partitions of reading. */
#include "daemon/store/partitions.h"

#include <stdbool.h>

const char partitions_make[] =
    "SELECT reading_partition(date '1970-01-01' + day) FROM unnest($1) AS day";

static bool
known(const struct partitions *p, int32_t day)
{
    for (uint32_t i = p->n; i > 0; i--) {
        if (p->known[i - 1] == day)
            return true;
    }
    return false;
}

static void
want(struct partitions *p, int32_t day)
{
    if (!known(p, day))
        pg_array_add_int(&p->missing, day, 4);
}

int
partitions_missing(struct partitions *partitions, const struct batch *batch,
                   int32_t today, int32_t ahead)
{
    int rc;

    pg_array_begin(&partitions->missing, PG_INT4);
    for (uint32_t i = 0; i < batch->ndays; i++)
        want(partitions, batch->day[i]);
    for (int32_t i = 0; i <= ahead && i <= PARTITIONS_AHEAD; i++)
        want(partitions, today + i);
    rc = pg_array_end(&partitions->missing);
    return rc < 0 ? rc : (int)partitions->missing.count;
}

void
partitions_made(struct partitions *partitions)
{
    const uint8_t *element =
        partitions->missing.data + 24; /* behind its head and length */

    for (uint32_t i = 0; i < partitions->missing.count; i++, element += 8) {
        uint32_t day = (uint32_t)element[0] << 24 | (uint32_t)element[1] << 16 |
                       (uint32_t)element[2] << 8 | element[3];

        if (partitions->n == PARTITIONS_KNOWN)
            partitions->n = 0;
        partitions->known[partitions->n++] = (int32_t)day;
    }
}

void
partitions_forget(struct partitions *partitions)
{
    partitions->n = 0;
}
