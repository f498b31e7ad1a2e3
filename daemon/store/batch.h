/* A batch: what a stretch of the journal holds for the database, in the forms in which it
 * is sent. Built record by record; all memory is taken when it is made, but for the
 * arrays. */
#ifndef DAEMON_STORE_BATCH_H
#define DAEMON_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/quantity.h>
#include <lodewatch/result.h>

#include "daemon/store/keys.h"
#include "daemon/store/pg_bytes.h"

struct journal_record;

enum {
    BATCH_DAYS = 64,             /* UTC days that one batch may touch */
    BATCH_ALERT_BYTES = 1 << 20, /* bytes of alerts after which a batch is closed */
};

/* Which of the journal's records: readings are shared out by meter. */
enum batch_share {
    BATCH_READINGS_0,
    BATCH_READINGS_1,
    BATCH_ALERTS,
    BATCH_SHARES
};

struct batch_row {
    int64_t time; /* ms UTC */
    int64_t value[LW_QUANTITIES];
    uint32_t slot; /* of the meter's id in the keys */
    uint16_t have;
    uint16_t q;
};

struct batch {
    uint64_t first, next; /* the stretch of the journal */
    struct batch_row *row;
    uint32_t nrows, cap;
    uint32_t nalerts;
    struct pg_array alerts;  /* text[]: their JSON */
    int32_t day[BATCH_DAYS]; /* days since 1970 */
    uint32_t ndays;

    bool sorted;     /* then: */
    uint64_t *order; /* meter in the upper half, index of the row in the lower */
    uint32_t fed;    /* rows that COPY has taken */
    bool begun, ended;
    struct pg_array last[5]; /* the columns of meter_last: meter_id, ts, imp_wh, p_w, q */
};

LW_MUSTCHECK
int batch_new(uint32_t cap, struct batch **ret_batch);
void batch_free(struct batch *batch);
/* Empties it; its stretch begins at `position`. */
void batch_begin(struct batch *batch, uint64_t position);
/* Readings and alerts together. */
static inline uint32_t
batch_items(const struct batch *batch)
{
    return batch->nrows + batch->nalerts;
}

/* Adds what the record holds for this share, often nothing, and moves `next` behind it.
 * LW_EFULL: there is no room, the record is the next batch's. LW_EPARSE, LW_ERANGE: it
 * holds what cannot be stored; LW_ENOMEM. On all of these the batch is as it was. */
LW_MUSTCHECK
int batch_add(struct batch *batch, struct keys *keys, enum batch_share share,
              const struct journal_record *record);
/* Passes the record over. */
void batch_pass(struct batch *batch, const struct journal_record *record);

/* The ids in it that have no integer yet, each once, as text[]; returns how many.
 * LW_ENOMEM. */
LW_MUSTCHECK
int batch_unknown(const struct batch *batch, const struct keys *keys,
                  struct pg_array *ret_ids);
/* Puts the rows in the order of the tables' keys and makes the arrays. All ids are known.
 */
LW_MUSTCHECK
int batch_sort(struct batch *batch, const struct keys *keys);

/* COPY's bytes in binary form (a pg_feed; from the start after a sort). */
size_t batch_feed(void *batch, char *buf, size_t cap);

#endif
