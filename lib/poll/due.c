/* The heap of what is due: a binary heap that knows where each key stands, so that one
 * can be moved or removed. */
#include <lodewatch/schedule.h>

#include <assert.h>
#include <stdlib.h>

struct entry {
    int64_t at;
    int32_t key;
};

struct lw_due {
    int32_t capacity;
    int32_t n;
    int32_t *place; /* of each key in the heap; -1: not in it */
    struct entry heap[];
};

int
lw_due_new(int32_t capacity, struct lw_due **ret_due)
{
    assert(capacity >= 0);
    size_t keys = (size_t)capacity;
    struct lw_due *due = malloc(sizeof(*due) + keys * sizeof(due->heap[0]));
    int32_t *place = malloc(keys * sizeof(place[0]) + 1);
    if (due == NULL || place == NULL) {
        free(due);
        free(place);
        return LW_ENOMEM;
    }
    for (size_t key = 0; key < keys; key++)
        place[key] = -1;
    due->capacity = capacity;
    due->n = 0;
    due->place = place;
    *ret_due = due;
    return 0;
}

void
lw_due_free(struct lw_due *due)
{
    if (due == NULL)
        return;
    free(due->place);
    free(due);
}

/* Without branches: no processor foresees who is first among those below. */
static bool
is_before(const struct entry *a, const struct entry *b)
{
    return (a->at < b->at) | ((a->at == b->at) & (a->key < b->key));
}

static void
put(struct lw_due *due, int32_t i, struct entry e)
{
    due->heap[i] = e;
    due->place[e.key] = i;
}

/* Puts e where the heap has a hole at i: nearer the top or farther from it, as it is due.
 */
static void
fill(struct lw_due *due, int32_t i, struct entry e)
{
    while (i > 0 && is_before(&e, &due->heap[(i - 1) / 2])) {
        put(due, i, due->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (;;) {
        int64_t child = 2 * (int64_t)i + 1;
        if (child + 1 < due->n)
            child += is_before(&due->heap[child + 1], &due->heap[child]);
        if (child >= due->n || is_before(&e, &due->heap[child]))
            break;
        put(due, i, due->heap[child]);
        i = (int32_t)child;
    }
    put(due, i, e);
}

void
lw_due_set(struct lw_due *due, int32_t key, int64_t at)
{
    assert(key >= 0 && key < due->capacity);
    int32_t i = due->place[key];
    if (i < 0)
        i = due->n++;
    fill(due, i, (struct entry){at, key});
}

void
lw_due_remove(struct lw_due *due, int32_t key)
{
    assert(key >= 0 && key < due->capacity);
    int32_t i = due->place[key];
    if (i < 0)
        return;
    due->place[key] = -1;
    due->n--;
    if (i < due->n)
        fill(due, i, due->heap[due->n]);
}

bool
lw_due_has(const struct lw_due *due, int32_t key)
{
    assert(key >= 0 && key < due->capacity);
    return due->place[key] >= 0;
}

bool
lw_due_get(const struct lw_due *due, int32_t key, int64_t *ret_at)
{
    if (!lw_due_has(due, key))
        return false;
    *ret_at = due->heap[due->place[key]].at;
    return true;
}

bool
lw_due_first(const struct lw_due *due, int32_t *ret_key, int64_t *ret_at)
{
    if (due->n == 0)
        return false;
    *ret_key = due->heap[0].key;
    *ret_at = due->heap[0].at;
    return true;
}

int32_t
lw_due_count(const struct lw_due *due)
{
    return due->n;
}
