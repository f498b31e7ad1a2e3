/* The end of a day's partition. */
#ifndef DAEMON_STORE_DROP_DAY_H
#define DAEMON_STORE_DROP_DAY_H

#include "daemon/store/pg_sync.h"

enum drop {
    DROP_DONE,
    DROP_GREW,  /* it has more rows than were packed */
    DROP_OTHER, /* it adds up to something else than what was packed */
    DROP_IN_USE,
    DROP_FAILED /* pg->error */
};

/* Has PostgreSQL add up the partition `name`, closed to writers, and drops it with the
 * row of `compaction` for `day` where that row says the same. */
enum drop drop_day(struct pg_sync *pg, const char *name, const char *day);

#endif
