/* A hash table from ids to rows: open addressing, at most half full. */
#include <stdlib.h>
#include <string.h>

#include <lodewatch/hash.h>

#include "build.h"

struct lw_idmap_slot {
    uint32_t tag; /* the hash's upper half: most strangers are told apart by it */
    int32_t row;  /* LW_NONE: free */
};

static const char *
id_of(const struct lw_idmap *map, int32_t row)
{
    return *(const char *const *)(const void *)(map->rows + map->stride * (size_t)row);
}

static bool
same(const char *have, const char *id, size_t n)
{
    size_t i = 0;
    while (i < n && have[i] != '\0' && have[i] == id[i])
        i++;
    return i == n && have[i] == '\0';
}

/* The slot that holds the id, or the free one where it belongs. */
static struct lw_idmap_slot *
slot_of(const struct lw_idmap *map, const char *id, size_t n, uint32_t *ret_tag)
{
    uint64_t hash = lw_hash64(id, n);
    uint32_t tag = (uint32_t)(hash >> 32);
    size_t i = (size_t)hash & map->mask;
    while (map->slot[i].row != LW_NONE &&
           (map->slot[i].tag != tag || !same(id_of(map, map->slot[i].row), id, n)))
        i = (i + 1) & map->mask;
    *ret_tag = tag;
    return &map->slot[i];
}

int
lw_idmap_new(struct lw_idmap *map, const void *rows, size_t stride, int32_t n,
             int32_t *next)
{
    size_t size = 16;
    while (size < 2 * (size_t)n)
        size *= 2;
    *map = (struct lw_idmap){malloc(size * sizeof(*map->slot)), size - 1, rows, stride};
    if (map->slot == NULL)
        return LW_ENOMEM;
    for (size_t i = 0; i < size; i++)
        map->slot[i] = (struct lw_idmap_slot){0, LW_NONE};

    /* From the last row to the first, so that the first one is found. */
    for (int32_t row = n - 1; row >= 0; row--) {
        const char *id = id_of(map, row);
        uint32_t tag;
        struct lw_idmap_slot *slot = slot_of(map, id, strlen(id), &tag);
        if (next != NULL)
            next[row] = slot->row;
        *slot = (struct lw_idmap_slot){tag, row};
    }
    return 0;
}

void
lw_idmap_free(struct lw_idmap *map)
{
    free(map->slot);
    map->slot = NULL;
}

int32_t
lw_idmap_find(const struct lw_idmap *map, const char *id, size_t n)
{
    uint32_t tag;
    return slot_of(map, id, n, &tag)->row;
}
