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
    char journal_id[64 + 1]; /* letters, digits and hyphens */

    struct keys *keys;
    struct partitions partitions;
    struct pg_array ids;

    struct batch *batch;
    bool merge;  /* rows may be there already */
    bool routed; /* rows go to the parent, which finds the partition */
    int32_t today, ahead;
    int step;
    uint64_t rows;    /* that are new in the database */
    uint64_t updated; /* of meter_last */
    char error[200], sqlstate[8];
};

LW_MUSTCHECK
int send_init(struct send *send, struct pg_conn *conn, const char *journal_id,
              send_done *done, void *arg);
void send_clear(struct send *send);
/* A new connection, perhaps to another database: forget what the last one knew. */
void send_forget(struct send *send);
/* Sorts a batch that has to wait, so that the database does not wait for it then. */
void send_prepare(struct send *send, struct batch *batch);
/* Makes partitions from the day `today` on `ahead` days, beside those of the batch. */
void send_start(struct send *send, struct batch *batch, bool merge, int32_t today,
                int32_t ahead);

#endif
