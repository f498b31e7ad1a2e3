/* Memory that is given back all at once. */
#include <stdlib.h>

#include "build.h"

struct lw_arena_block {
    struct lw_arena_block *before;
    size_t used;
    size_t size;
    char data[];
};

enum {
    BLOCK = 256 * 1024
};

char *
lw_arena_take(struct lw_arena *arena, size_t n)
{
    struct lw_arena_block *block = arena->block;
    if (block == NULL || block->size - block->used < n) {
        size_t size = n > BLOCK ? n : BLOCK;
        block = malloc(sizeof(*block) + size);
        if (block == NULL)
            return NULL;
        block->before = arena->block;
        block->used = 0;
        block->size = size;
        arena->block = block;
    }
    char *taken = block->data + block->used;
    block->used += n;
    return taken;
}

void
lw_arena_free(struct lw_arena *arena)
{
    while (arena->block != NULL) {
        struct lw_arena_block *before = arena->block->before;
        free(arena->block);
        arena->block = before;
    }
}
