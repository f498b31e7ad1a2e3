/* From the journal into PostgreSQL through the store, with meter_last, alerts and the
 * cursors, beside the same rows, batch by batch, in bare binary COPYs. In the same run,
 * by turns:
 * - store.copy_rate: beside COPY into the same table from one connection;
 * - store.ingest_rate: beside COPY into a table without an index from two;
 * - store.backlog_rate: as copy_rate, while live readings go on;
 * - store.callback: the longest turn of the loop in all this, thread CPU.
 *
 * bench_store [CONNINFO-FILE [READINGS [METERS [ROWS-OF-A-BATCH]]]]; without arguments
 * with a cluster of its own, from the tree's root. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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
    ROUNDS = 5, /* one, where they are long */
    LONG = 1000000,
    REFERENCE = 100, /* batches at most that the reference copies */
    LIVE = 5,        /* readings a millisecond while a backlog is brought */
    ALERTS = 500,    /* readings an alert */
};
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
    struct store_feed feed;
    bool live;
    uint64_t stored;
    int64_t started_us, ended_us, longest_us;
    bool over;
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
    for (int i = 0; b->live && i < LIVE && s.state == STORE_UP; i++)
        store_feed_reading(&b->feed, b->journal, 0);
    if (s.readings_stored >= b->readings && s.backlog == 0) {
        b->ended_us = clock_io_us();
        b->stored = s.readings_stored;
        b->over = true;
    }
    event_add(b->tick, &tv);
}

/* The journal is there before the clock starts: what is measured is the way from it. */
static void
fill(struct bench *b, const char *dir, int32_t meters)
{
    struct journal_options options = {.dir = dir,
                                      .sync_ms = 200,
                                      .segment_bytes = INT64_C(1) << 40,
                                      .segment_ms = LW_HOUR,
                                      .keep_ms = LW_DAY,
                                      .max_bytes = INT64_C(1) << 40};

    if (journal_open(b->base, &options, &b->journal) < 0)
        die(dir, "the journal cannot be opened");
    store_feed_init(&b->feed, meters, START, 60000);
    while (b->feed.next < b->readings) {
        for (uint64_t i = 0; i < b->rows; i++) {
            uint64_t n = b->feed.next;

            store_feed_reading(&b->feed, b->journal, 0);
            if (n % ALERTS == 0)
                store_feed_alert(b->journal, (uint32_t)(n / ALERTS / 4),
                                 (uint32_t)(n / ALERTS % 4 + 1), START + (int64_t)n);
        }
        while (journal_durable(b->journal) < journal_end(b->journal))
            event_base_loop(b->base, EVLOOP_ONCE);
    }
}

static double
store_rate(struct bench *b, const char *conninfo, const char *dir, bool live)
{
    struct store_options options = {.conninfo = conninfo,
                                    .journal_dir = dir,
                                    .batch_rows = (int64_t)b->rows,
                                    .batch_ms = 1000,
                                    .days_ahead = 0};
    struct timeval now = {0, 0};

    b->started_us = 0;
    b->live = live;
    b->over = false;
    if (store_new(b->base, b->clock, b->journal, &options, &b->store) < 0)
        die("store", "cannot be made");
    b->tick = event_new(b->base, -1, 0, on_tick, b);
    event_add(b->tick, &now);
    while (!b->over) {
        int64_t began = clock_thread_us();

        event_base_loop(b->base, EVLOOP_ONCE);
        if (clock_thread_us() - began > b->longest_us)
            b->longest_us = clock_thread_us() - began;
    }
    store_free(b->store);
    event_free(b->tick);
    return (double)b->stored * 1e6 / (double)(b->ended_us - b->started_us);
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

/* Every `step`-th batch from the first one on. */
static void
bare_copy(PGconn *pg, const char *sql, const struct batch *batch, size_t nbatches,
          size_t first, size_t step)
{
    for (size_t i = first; i < nbatches; i += step) {
        PQclear(run(pg, sql, PGRES_COPY_IN));
        if (PQputCopyData(pg, batch[i].data, (int)batch[i].n) != 1 ||
            PQputCopyEnd(pg, NULL) != 1)
            die("COPY", PQerrorMessage(pg));

        PGresult *r = PQgetResult(pg);

        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            die("COPY", PQerrorMessage(pg));
        PQclear(r);
        PQclear(PQgetResult(pg));
    }
}

static double
bare_rate(PGconn *pg, const struct batch *batch, size_t nbatches, uint64_t readings)
{
    int64_t started = clock_io_us();

    bare_copy(pg, "COPY reading FROM STDIN (FORMAT binary)", batch, nbatches, 0, 1);
    return (double)readings * 1e6 / (double)(clock_io_us() - started);
}

/* Two connections, each from a process of its own, into a table without an index. */
static double
raw_rate(const char *conninfo, const struct batch *batch, size_t nbatches,
         uint64_t readings)
{
    int64_t started = clock_io_us();

    for (size_t i = 0; i < 2; i++) {
        if (fork() == 0) {
            bare_copy(PQconnectdb(conninfo), "COPY raw FROM STDIN (FORMAT binary)", batch,
                      nbatches, i, 2);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    return (double)readings * 1e6 / (double)(clock_io_us() - started);
}

static void
empty(PGconn *pg)
{
    PQclear(run(pg, "TRUNCATE reading, raw, meter_last, alert, alarm, store_cursor",
                PGRES_COMMAND_OK));
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
    execlp("python3", "python3", "tests/bench/with_cluster.py", self, (char *)NULL);
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
median(const double values[ROUNDS], int n)
{
    double v[ROUNDS];

    memcpy(v, values, sizeof(v));
    qsort(v, (size_t)n, sizeof(v[0]), ascending);
    return v[n / 2];
}

static void
print(const char *name, double value, const char *reference, double reference_value,
      double ratio, double goal)
{
    printf("%s\t%.0f\treadings/s\t%s\t%.0f\t%.2f\t%.1f\t%s\n", name, value, reference,
           reference_value, ratio, goal, ratio >= goal ? "ok" : "short");
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
    double store[ROUNDS], bare[ROUNDS], raw[ROUNDS], backlog[ROUNDS], ratio[3][ROUNDS];

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

    size_t nbatches = b.readings / b.rows < REFERENCE ? b.readings / b.rows : REFERENCE;
    uint64_t copied = nbatches * b.rows;
    int rounds = b.readings > LONG ? 1 : ROUNDS;
    struct batch *batch = calloc(nbatches, sizeof(*batch));

    /* The first run makes schema, partitions and the rows to compare with, and warms up.
     */
    store_rate(&b, conninfo, dir, false);

    PGconn *pg = PQconnectdb(conninfo);

    PQclear(run(pg, "CREATE TABLE raw (LIKE reading)", PGRES_COMMAND_OK));
    take_batches(pg, batch, nbatches, (int64_t)b.rows / meters * 60);
    for (int i = 0; i < rounds; i++) {
        empty(pg);
        bare[i] = bare_rate(pg, batch, nbatches, copied);
        empty(pg);
        raw[i] = raw_rate(conninfo, batch, nbatches, copied);
        empty(pg);
        store[i] = store_rate(&b, conninfo, dir, false);
        ratio[0][i] = store[i] / bare[i];
        ratio[1][i] = store[i] / raw[i];
    }
    for (int i = 0; i < rounds; i++) { /* the journal is longer after each of them */
        empty(pg);
        bare[i] = bare_rate(pg, batch, nbatches, copied);
        empty(pg);
        backlog[i] = store_rate(&b, conninfo, dir, true);
        ratio[2][i] = backlog[i] / bare[i];
    }
    print("store.copy_rate", median(store, rounds), "bare_copy", median(bare, rounds),
          median(ratio[0], rounds), 0.9);
    print("store.ingest_rate", median(store, rounds), "raw_copy_2", median(raw, rounds),
          median(ratio[1], rounds), 0.3);
    print("store.backlog_rate", median(backlog, rounds), "bare_copy",
          median(bare, rounds), median(ratio[2], rounds), 0.8);
    printf("store.callback\t%.1f\tms\tnone\t0\t0\t10\t%s\n", (double)b.longest_us / 1000,
           b.longest_us <= 10000 ? "ok" : "short");

    PQfinish(pg);
    journal_close(b.journal);
    store_feed_clear(&b.feed);
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
