/* Packs one closed day: its partition of `reading` becomes blocks and hours, and goes. */
#ifndef DAEMON_STORE_COMPACT_H
#define DAEMON_STORE_COMPACT_H

#include <lodewatch/day_pack.h>

#include "daemon/store/history.h"
#include "daemon/store/pg_sync.h"

enum {
    COMPACT_ERROR = 300
};

/* The memory for packing days, and the connections: rows come on one while blocks go on
 * the other. */
struct compact;
LW_MUSTCHECK
int compact_new(struct pg_sync *from, struct pg_sync *to, struct compact **ret_compact);
void compact_free(struct compact *compact);

/* `day` is "2025-03-12". May be ended at any moment: the next call goes on where the last
 * range of meters was committed. On an error the partition is as it was, and `error` says
 * why. */
LW_MUSTCHECK
int compact_day(struct compact *compact, const char *day, struct history_day *ret_done,
                char error[COMPACT_ERROR]);

#endif
