/* One batch into PostgreSQL: its steps, from the ids of new meters to COMMIT. */
#ifndef DAEMON_STORE_SEND_H
#define DAEMON_STORE_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/batch.h"
#include "daemon/store/keys.h"
#include "daemon/store/partitions.h"

struct pg_answer;
struct pg_conn;

/* `failed` NULL: committed. Else what was refused; the transaction is rolled back. Not
 * called where the connection is lost. */
typedef void send_done(void *arg, const struct pg_answer *failed);

struct send {
    struct pg_conn *conn;
    send_done *done;
    void *arg;
    char cursor[128]; /* which rows of store_cursor: a condition in SQL */

    struct keys *keys;
    struct partitions partitions;
    struct pg_array ids;

    struct batch *batch;
    uint64_t recorded, until; /* the range that the batch is of, in store_cursor */
    bool merge;               /* rows may be there already */
    bool routed;              /* rows go to the parent, which finds the partition */
    int32_t today, ahead;
    int step;
    uint64_t rows;    /* that are new in the database */
    uint64_t updated; /* of meter_last */
    int ranges;       /* that the cursor has then; 0: ours is not there any more */
    char error[200], sqlstate[8];
};

/* `cursor` says which rows of store_cursor are this connection's. */
LW_MUSTCHECK
int send_init(struct send *send, struct pg_conn *conn, const char *cursor,
              send_done *done, void *arg);
void send_clear(struct send *send);
/* A new connection, perhaps to another database: forget what the last one knew. */
void send_forget(struct send *send);
/* Sorts a batch that has to wait, so that the database does not wait for it then. */
void send_prepare(struct send *send, struct batch *batch);
/* Makes partitions from the day `today` on `ahead` days, beside those of the batch. The
 * range in store_cursor, from `recorded` to `until`, begins behind the batch then, and is
 * gone once the batch reaches its end. */
void send_start(struct send *send, struct batch *batch, uint64_t recorded, uint64_t until,
                bool merge, int32_t today, int32_t ahead);

#endif
