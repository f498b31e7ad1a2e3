/* store.copy_rate: readings a second from the journal into PostgreSQL through the store,
 * with meter_last and the cursor, beside a bare binary COPY of the same rows, batch by
 * batch, into the same table from one connection. Both in the same run, by turns.
 *
 * bench_store [CONNINFO-FILE [READINGS [METERS [ROWS-OF-A-BATCH]]]]; without arguments
 * with a cluster of its own, from the tree's root. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "daemon/clock.h"
#include "daemon/files.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/store/store.h"
#include "tests/store_feed.h"

enum {
    ROUNDS = 5
};
#define GOAL  0.9
#define START INT64_C(1741737600000) /* 2025-03-12T00:00:00Z */

/* What the reference sends: the COPY bytes of each batch, taken from the table itself. */
struct batch {
    char *data;
    size_t n;
};

struct bench {
    struct event_base *base;
    struct event *tick;
    struct clock *clock;
    struct journal *journal;
    struct store *store;
    uint64_t readings;
    uint64_t rows; /* in a batch */
    int64_t started_us, ended_us;
};

static void
die(const char *what, const char *why)
{
    fprintf(stderr, "bench_store: %s: %s\n", what, why);
    exit(1);
}

static PGresult *
run(PGconn *pg, const char *sql, ExecStatusType expected)
{
    PGresult *r = PQexec(pg, sql);

    if (PQresultStatus(r) != expected)
        die(sql, PQerrorMessage(pg));
    return r;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct bench *b = arg;
    struct timeval tv = {0, 1000};
    struct store_stats s;

    (void)fd, (void)what;
    store_stats(b->store, &s);
    if (b->started_us == 0 && s.state == STORE_UP)
        b->started_us = clock_io_us();
    if (s.readings_stored == b->readings) {
        b->ended_us = clock_io_us();
        event_base_loopbreak(b->base);
    }
    event_add(b->tick, &tv);
}

/* The journal is there before the clock starts: what is measured is the way from it. */
static void
fill(struct bench *b, const char *dir, int32_t meters)
{
    struct journal_options options = {.dir = dir,
                                      .sync_ms = 50,
                                      .segment_bytes = INT64_C(1) << 31,
                                      .segment_ms = LW_HOUR,
                                      .keep_ms = LW_DAY,
                                      .max_bytes = INT64_C(1) << 33};
    struct store_feed feed;

    if (journal_open(b->base, &options, &b->journal) < 0)
        die(dir, "the journal cannot be opened");
    store_feed_init(&feed, meters, START, 60000);
    while (feed.next < b->readings) {
        for (uint64_t i = 0; i < b->rows; i++)
            store_feed_reading(&feed, b->journal, 0);
        while (journal_durable(b->journal) < journal_end(b->journal))
            event_base_loop(b->base, EVLOOP_ONCE);
    }
    store_feed_clear(&feed);
}

static double
store_rate(struct bench *b, const char *conninfo, const char *dir)
{
    struct store_options options = {.conninfo = conninfo,
                                    .journal_dir = dir,
                                    .batch_rows = (int64_t)b->rows,
                                    .batch_ms = 1000,
                                    .days_ahead = 0};
    struct timeval now = {0, 0};

    b->started_us = 0;
    if (store_new(b->base, b->clock, b->journal, &options, &b->store) < 0)
        die("store", "cannot be made");
    b->tick = event_new(b->base, -1, 0, on_tick, b);
    event_add(b->tick, &now);
    event_base_dispatch(b->base);
    store_free(b->store);
    event_free(b->tick);
    return (double)b->readings * 1e6 / (double)(b->ended_us - b->started_us);
}

/* The rows as they stand in the table, in the writer's order, as COPY gives them. */
static void
take_batches(PGconn *pg, struct batch *batch, size_t nbatches, int64_t seconds)
{
    for (size_t i = 0; i < nbatches; i++) {
        char sql[400];
        char *piece;
        int n;

        snprintf(sql, sizeof(sql),
                 "COPY (SELECT * FROM reading WHERE ts >= to_timestamp(%" PRId64 ") AND"
                 " ts < to_timestamp(%" PRId64
                 ") ORDER BY meter_id, ts) TO STDOUT (FORMAT binary)",
                 START / 1000 + (int64_t)i * seconds,
                 START / 1000 + (int64_t)(i + 1) * seconds);
        PQclear(run(pg, sql, PGRES_COPY_OUT));
        while ((n = PQgetCopyData(pg, &piece, 0)) > 0) {
            batch[i].data = realloc(batch[i].data, batch[i].n + (size_t)n);
            memcpy(batch[i].data + batch[i].n, piece, (size_t)n);
            batch[i].n += (size_t)n;
            PQfreemem(piece);
        }
        PQclear(PQgetResult(pg));
        while (PQgetResult(pg))
            ;
    }
}

static double
bare_rate(PGconn *pg, const struct batch *batch, size_t nbatches, uint64_t readings)
{
    int64_t started = clock_io_us();

    for (size_t i = 0; i < nbatches; i++) {
        PQclear(run(pg, "COPY reading FROM STDIN (FORMAT binary)", PGRES_COPY_IN));
        if (PQputCopyData(pg, batch[i].data, (int)batch[i].n) != 1 ||
            PQputCopyEnd(pg, NULL) != 1)
            die("COPY", PQerrorMessage(pg));

        PGresult *r = PQgetResult(pg);

        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            die("COPY", PQerrorMessage(pg));
        PQclear(r);
        PQclear(PQgetResult(pg));
    }
    return (double)readings * 1e6 / (double)(clock_io_us() - started);
}

static void
empty(PGconn *pg)
{
    PQclear(run(pg, "TRUNCATE reading, meter_last, store_cursor", PGRES_COMMAND_OK));
    PQclear(run(pg, "CHECKPOINT", PGRES_COMMAND_OK));
}

/* Without arguments: a database of its own, by the tests' harness. */
static int
own_cluster(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n < 0)
        return 1;
    self[n] = '\0';
    execlp("python3", "python3", "tests/bench/bench_store.py", self, (char *)NULL);
    perror("python3");
    return 1;
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double
median(const double values[ROUNDS])
{
    double v[ROUNDS];

    memcpy(v, values, sizeof(v));
    qsort(v, ROUNDS, sizeof(v[0]), ascending);
    return v[ROUNDS / 2];
}

int
main(int argc, char **argv)
{
    struct bench b = {.readings = argc > 2 ? strtoull(argv[2], NULL, 10) : 400000,
                      .rows = argc > 4 ? strtoull(argv[4], NULL, 10) : 10000};
    int32_t meters = argc > 3 ? atoi(argv[3]) : 1000;
    char dir[] = "/tmp/bench_store.XXXXXX";
    char *conninfo;
    size_t n;
    double store[ROUNDS], bare[ROUNDS], ratio[ROUNDS];

    if (argc < 2)
        return own_cluster();
    if (files_read(argv[1], 4096, &conninfo, &n) < 0 || !mkdtemp(dir))
        return 2;
    conninfo[strcspn(conninfo, "\n")] = '\0';
    if (b.rows % (uint64_t)meters != 0 || b.readings % b.rows != 0)
        die("arguments", "a batch must be whole rounds of the meters");
    log_open("bench_store", LOG_WARN);
    b.base = event_base_new();
    if (clock_new(b.base, &(struct clock_options){0}, &b.clock) < 0)
        return 1;
    fill(&b, dir, meters);

    size_t nbatches = b.readings / b.rows;
    struct batch *batch = calloc(nbatches, sizeof(*batch));

    /* The first run makes schema, partitions and the rows to compare with, and warms up.
     */
    store_rate(&b, conninfo, dir);

    PGconn *pg = PQconnectdb(conninfo);

    take_batches(pg, batch, nbatches, (int64_t)b.rows / meters * 60);
    for (int i = 0; i < ROUNDS; i++) {
        empty(pg);
        bare[i] = bare_rate(pg, batch, nbatches, b.readings);
        empty(pg);
        store[i] = store_rate(&b, conninfo, dir);
        ratio[i] = store[i] / bare[i];
    }
    printf("store.copy_rate\t%.0f\treadings/s\tbare_copy\t%.0f\t%.2f\t%.1f\t%s\n",
           median(store), median(bare), median(ratio), GOAL,
           median(ratio) >= GOAL ? "ok" : "short");

    PQfinish(pg);
    journal_close(b.journal);
    clock_free(b.clock);
    event_base_free(b.base);
    for (size_t i = 0; i < nbatches; i++)
        free(batch[i].data);
    free(batch);
    free(conninfo);

    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}
