/* Meter ids -> integers: open addressing over a growing array of ids. */
#include "daemon/store/keys.h"

#include <stdlib.h>
#include <string.h>

#include <lodewatch/hash.h>
#include <lodewatch/ledger.h>

struct key {
    char id[LW_ID_MAX + 1];
    int32_t meter;
};

struct keys {
    struct key *key;
    uint32_t n, cap;
    uint32_t *index; /* slot + 1, or 0; a power of two, at least twice cap */
    uint32_t mask;
};

/* Where the id is in the index, or the free place where it goes. */
static uint32_t
place(const struct keys *keys, const char *id, size_t n)
{
    uint32_t i = (uint32_t)lw_hash64(id, n) & keys->mask;

    while (keys->index[i]) {
        const char *there = keys->key[keys->index[i] - 1].id;

        if (memcmp(there, id, n) == 0 && there[n] == '\0')
            break;
        i = (i + 1) & keys->mask;
    }
    return i;
}

static int
grow(struct keys *keys)
{
    uint32_t cap = keys->cap ? 2 * keys->cap : 512;
    struct key *key = realloc(keys->key, cap * sizeof(*key));

    if (key)
        keys->key = key;

    uint32_t *index = calloc(2 * (size_t)cap, sizeof(*index));

    if (!key || !index) {
        free(index);
        return LW_ENOMEM;
    }
    free(keys->index);
    keys->index = index;
    keys->mask = 2 * cap - 1;
    keys->cap = cap;
    for (uint32_t slot = 0; slot < keys->n; slot++)
        index[place(keys, key[slot].id, strlen(key[slot].id))] = slot + 1;
    return 0;
}

int
keys_new(struct keys **ret_keys)
{
    struct keys *keys = calloc(1, sizeof(*keys));

    if (!keys || grow(keys) < 0) {
        keys_free(keys);
        return LW_ENOMEM;
    }
    *ret_keys = keys;
    return 0;
}

void
keys_free(struct keys *keys)
{
    if (!keys)
        return;
    free(keys->key);
    free(keys->index);
    free(keys);
}

int
keys_slot(struct keys *keys, const char *id, size_t n, uint32_t *ret_slot)
{
    if (n == 0 || n > LW_ID_MAX || memchr(id, '\0', n))
        return LW_EINVAL;

    uint32_t i = place(keys, id, n);

    if (!keys->index[i]) {
        if (keys->n == keys->cap) {
            if (grow(keys) < 0)
                return LW_ENOMEM;
            i = place(keys, id, n);
        }
        struct key *key = &keys->key[keys->n];

        memset(key, 0, sizeof(*key));
        memcpy(key->id, id, n);
        keys->index[i] = ++keys->n;
    }
    *ret_slot = keys->index[i] - 1;
    return 0;
}

const char *
keys_id(const struct keys *keys, uint32_t slot)
{
    return keys->key[slot].id;
}

int32_t
keys_meter(const struct keys *keys, uint32_t slot)
{
    return keys->key[slot].meter;
}

void
keys_set(struct keys *keys, uint32_t slot, int32_t meter)
{
    keys->key[slot].meter = meter;
}

void
keys_forget(struct keys *keys)
{
    for (uint32_t slot = 0; slot < keys->n; slot++)
        keys->key[slot].meter = 0;
}
