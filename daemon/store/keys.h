/* The ledger's meter ids -> the integers that stand for them in the tables (meter_key).
 * The database gives the integers out; this is what was asked for since it was connected.
 */
#ifndef DAEMON_STORE_KEYS_H
#define DAEMON_STORE_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>

struct keys;

LW_MUSTCHECK
int keys_new(struct keys **ret_keys);
void keys_free(struct keys *keys);
/* The id's slot, which lasts until keys_free. LW_EINVAL: longer than LW_ID_MAX;
 * LW_ENOMEM. */
LW_MUSTCHECK
int keys_slot(struct keys *keys, const char *id, size_t n, uint32_t *ret_slot);
const char *keys_id(const struct keys *keys, uint32_t slot);
int32_t keys_meter(const struct keys *keys, uint32_t slot); /* 0: not known yet */
void keys_set(struct keys *keys, uint32_t slot, int32_t meter);
/* Another database may have given other integers: the ids stay, unknown. */
void keys_forget(struct keys *keys);

#endif
