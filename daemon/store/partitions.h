/* The daily partitions of reading: which are known to be there, and which a batch needs.
 */
#ifndef DAEMON_STORE_PARTITIONS_H
#define DAEMON_STORE_PARTITIONS_H

#include <stdint.h>

#include "daemon/store/batch.h"

enum {
    PARTITIONS_KNOWN = 1024,
    PARTITIONS_AHEAD = 32
};

struct partitions {
    int32_t known[PARTITIONS_KNOWN]; /* days since 1970 */
    uint32_t n;
    struct pg_array missing; /* int4[] */
};

/* Takes the days as parameter. */
extern const char partitions_make[];

/* Collects in `missing` the days of the batch and from `today` on those `ahead` that are
 * not known to be there; returns how many. LW_ENOMEM. */
LW_MUSTCHECK
int partitions_missing(struct partitions *partitions, const struct batch *batch,
                       int32_t today, int32_t ahead);
/* They have been made. */
void partitions_made(struct partitions *partitions);
/* Another database, or somebody has dropped one. */
void partitions_forget(struct partitions *partitions);

#endif
