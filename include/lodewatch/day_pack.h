/* One meter's readings, a day of them as a rule, as one block of bits: what the store
 * keeps of days that are closed. Without loss and without floating point. */
#ifndef LODEWATCH_DAY_PACK_H
#define LODEWATCH_DAY_PACK_H

#include <stddef.h>
#include <stdint.h>

#include <lodewatch/reading.h>

enum {
    LW_DAY_FORMAT = 1,         /* the first byte of a block */
    LW_DAY_READINGS = 1 << 17, /* in a block at most: one a second, and some */
};

/* The memory that packing and unpacking work in; each thread has its own. LW_ENOMEM. */
struct lw_day_codec;
LW_MUSTCHECK
int lw_day_codec_new(struct lw_day_codec **ret_codec);
void lw_day_codec_free(struct lw_day_codec *codec);

/* So many bytes are always enough for n readings. */
size_t lw_day_pack_most(size_t n);

/* Packs n readings, each later than the one before it: time, values, quality and marks.
 * Meter and `received` are not kept; `have` has no bits beyond the quantities.
 * LW_EINVAL: not so, none at all, or too many; LW_EFULL: `cap` is too small. */
LW_MUSTCHECK
int lw_day_pack(struct lw_day_codec *codec, const struct lw_reading *readings, size_t n,
                uint8_t *bytes, size_t cap, size_t *ret_n);

/* The readings again, with meter 0 and `received` as `time`; what was not measured is 0.
 * LW_EPARSE: not a block, or one that is damaged; LW_EVERSION: of a newer release;
 * LW_EFULL: more than `cap` readings. On all of these `readings` holds anything. */
LW_MUSTCHECK
int lw_day_unpack(struct lw_day_codec *codec, const uint8_t *bytes, size_t n,
                  struct lw_reading *readings, size_t cap, size_t *ret_n);

#endif
