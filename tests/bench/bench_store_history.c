/* The history beside the plain tables, in one run: what a packed reading takes on disk
 * (store.history_bytes) and how fast days are packed and copied in (store.pack_rate),
 * beside wide rows, copied bare into a table without an index; and three questions (24
 * hours of a meter, 90 days of hours, the last reading of 100,000 meters), each beside
 * the same question to the wide rows.
 *
 * bench_store_history [CONNINFO-FILE [METERS]]; without arguments with a cluster of its
 * own, from the tree's root. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <lodewatch/day_pack.h>

#include "daemon/clock.h"
#include "daemon/files.h"
#include "daemon/log.h"
#include "daemon/store/copy_rows.h"
#include "daemon/store/history.h"
#include "daemon/store/pg_bytes.h"
#include "daemon/store/pg_sync.h"
#include "daemon/store/rollup.h"
#include "daemon/store/store.h"
#include "daemon/store/window.h"
#include "tests/day_feed.h"

enum {
    MINUTES = 1440,
    ROUNDS = 5,
    ASKED = 200,
    LONG_METERS = 50,
    LONG_DAYS = 90,
    QUARTERS = 96,
};
#define START INT64_C(1741737600000) /* 2025-03-12T00:00:00Z */

struct bench {
    PGconn *pg;
    struct pg_sync sync;
    struct lw_day_codec *codec;
    int32_t meters;
    struct lw_reading *day; /* meters x MINUTES */
    struct copy_rows wide;
};

static void
die(const char *what, const char *why)
{
    fprintf(stderr, "bench_store_history: %s: %s\n", what, why);
    exit(1);
}

static char *
ask(struct bench *b, const char *sql)
{
    PGresult *r = PQexec(b->pg, sql);
    char *value = NULL;

    if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
        die(sql, PQerrorMessage(b->pg));
    if (PQntuples(r) > 0)
        value = strdup(PQgetvalue(r, 0, 0));
    PQclear(r);
    return value;
}

static void
run(struct bench *b, const char *sql)
{
    free(ask(b, sql));
}

static double
number(struct bench *b, const char *sql)
{
    char *text = ask(b, sql);
    double v = text ? atof(text) : 0;

    free(text);
    return v;
}

static void
copy(struct bench *b, const char *table, const struct copy_rows *rows)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "COPY %s FROM STDIN (FORMAT binary)", table);
    PQclear(PQexec(b->pg, sql));
    for (size_t at = 0; at < rows->n; at += 65536) {
        size_t n = rows->n - at < 65536 ? rows->n - at : 65536;

        if (PQputCopyData(b->pg, rows->data + at, (int)n) != 1)
            die(sql, PQerrorMessage(b->pg));
    }
    if (PQputCopyEnd(b->pg, NULL) != 1)
        die(sql, PQerrorMessage(b->pg));

    PGresult *r = PQgetResult(b->pg);

    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die(sql, PQerrorMessage(b->pg));
    PQclear(r);
    PQclear(PQgetResult(b->pg));
}

static void
begin(struct copy_rows *rows)
{
    if (copy_begin(rows) < 0)
        die("memory", "none");
}

static void
end(struct copy_rows *rows)
{
    if (copy_end(rows) < 0)
        die("memory", "none");
}

/* In the order of the table's columns, which is not that of the quantities. */
static void
put_wide(struct copy_rows *rows, int32_t meter, const struct lw_reading *r)
{
    static const struct {
        int quantity, width;
    } columns[] = {
        {LW_ACTIVE_POWER, 4}, {LW_CURRENT_A, 4},    {LW_CURRENT_B, 4},
        {LW_CURRENT_C, 4},    {LW_VOLTAGE_A, 4},    {LW_VOLTAGE_B, 4},
        {LW_VOLTAGE_C, 4},    {LW_POWER_FACTOR, 2}, {LW_REACTIVE_POWER, 4},
        {LW_TEMPERATURE, 4},  {LW_RAIN, 4},         {LW_WATER_LEVEL, 4},
    };

    copy_row(rows, 17);
    copy_put_int(rows, pg_time(r->time.ms), 8);
    copy_put_int(rows, r->value[LW_IMPORT], 8);
    copy_put_null(rows);
    copy_put_int(rows, meter, 4);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (lw_reading_has(r, (enum lw_quantity)columns[i].quantity))
            copy_put_int(rows, r->value[columns[i].quantity], columns[i].width);
        else
            copy_put_null(rows);
    }
    copy_put_int(rows, r->q, 2);
}

/* A day of all meters; as rows in the order in which they come in, minute by minute. */
static void
make_day(struct bench *b)
{
    b->day = calloc((size_t)b->meters * MINUTES, sizeof(*b->day));
    if (!b->day)
        die("memory", "none");
    for (int32_t m = 0; m < b->meters; m++) {
        struct day_feed feed;

        day_feed_init(&feed, 1, (uint32_t)m);
        for (int i = 0; i < MINUTES; i++)
            b->day[m * MINUTES + i] =
                day_feed_next(&feed, START + i * LW_MINUTE, LW_MINUTE);
    }
    begin(&b->wide);
    for (int i = 0; i < MINUTES; i++) {
        for (int32_t m = 0; m < b->meters; m++)
            put_wide(&b->wide, m + 1, &b->day[m * MINUTES + i]);
    }
    end(&b->wide);
}

/* Packs and copies in: in ranges, a transaction each, as the compaction does. */
static void
pack_day(struct bench *b)
{
    static uint8_t block[1 << 20];

    for (int32_t m = 0; m < b->meters;) {
        struct copy_rows days, hours;

        begin(&days);
        begin(&hours);
        for (int32_t last = m + 256; m < last && m < b->meters; m++) {
            const struct lw_reading *r = &b->day[m * MINUTES];
            size_t n;

            if (lw_day_pack(b->codec, r, MINUTES, block, sizeof(block), &n) < 0)
                die("pack", "refused");
            rollup_day(&days, m + 1, START, r, MINUTES, block, n);
            rollup_hours(&hours, m + 1, r, MINUTES);
        }
        end(&days);
        end(&hours);
        run(b, "BEGIN");
        copy(b, ROLLUP_DAY, &days);
        copy(b, ROLLUP_HOUR, &hours);
        run(b, "COMMIT");
        copy_free(&days);
        copy_free(&hours);
    }
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double
median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof(*values), ascending);
    return values[n / 2];
}

static void
print(const char *name, double value, const char *unit, const char *reference, double ref,
      double ratio, double goal, bool ok)
{
    printf("%s\t%.4g\t%s\t%s\t%.4g\t%.3f\t%.4g\t%s\n", name, value, unit, reference, ref,
           ratio, goal, ok ? "ok" : "short");
    fflush(stdout);
}

/* The goal is a value that it must not be above. */
static void
print_most(const char *name, double value, const char *unit, const char *reference,
           double ref, double goal)
{
    print(name, value, unit, reference, ref, value / ref, goal, value <= goal);
}

/* The goal is how many times the reference it must be at least. */
static void
print_rate(const char *name, double value, const char *reference, double ref,
           double ratio, double goal)
{
    print(name, value, "readings/s", reference, ref, ratio, goal, ratio >= goal);
}

static void
bench_pack(struct bench *b)
{
    double packed[ROUNDS], bare[ROUNDS], ratio[ROUNDS];
    double n = (double)b->meters * MINUTES;

    run(b, "SELECT reading_month('2025-03-12')");
    for (int i = 0; i < ROUNDS; i++) {
        int64_t started;

        run(b, "DROP TABLE IF EXISTS bare; CREATE TABLE bare(LIKE reading);"
               "TRUNCATE reading_day, reading_hour");
        run(b, "CHECKPOINT");
        started = clock_io_us();
        copy(b, "bare", &b->wide);
        bare[i] = n * 1e6 / (double)(clock_io_us() - started);
        run(b, "CHECKPOINT");
        started = clock_io_us();
        pack_day(b);
        packed[i] = n * 1e6 / (double)(clock_io_us() - started);
        ratio[i] = packed[i] / bare[i];
    }
    print_rate("store.pack_rate", median(packed, ROUNDS), "bare_copy",
               median(bare, ROUNDS), median(ratio, ROUNDS), 2.2);

    double bytes = number(b, "SELECT sum(octet_length(d)) FROM reading_day") / n;
    double disk = number(b, "SELECT pg_total_relation_size('reading_day_202503')") / n;
    double wide = number(b, "SELECT pg_total_relation_size('bare')") / n;

    print_most("store.pack_bytes_per_reading", bytes, "B", "bare_row", wide, 8);
    print_most("store.disk_bytes_per_reading", disk, "B", "bare_row", wide, 8);
}

static void
no_day(void *arg, const struct history_day *day)
{
    (void)arg, (void)day;
}

/* The whole way of a closed day: out of its partition, packed, in, verified, dropped. */
static void
bench_compact(struct bench *b, const char *conninfo)
{
    static const struct history_options options = {.hot_days = 1};
    static const struct history_report report = {.day = no_day};
    static struct lw_faults faults;
    double n = (double)b->meters * MINUTES;
    double bare, compacted;
    int64_t started;

    run(b, "TRUNCATE reading_day, reading_hour; SELECT reading_partition('2025-03-12')");
    copy(b, "reading", &b->wide);
    run(b, "CHECKPOINT");
    started = clock_io_us();
    copy(b, "bare", &b->wide);
    bare = n * 1e6 / (double)(clock_io_us() - started);
    started = clock_io_us();
    if (history_compact(conninfo, &options, &report, &faults) < 0)
        die("compaction", faults.fault[0].text);
    compacted = n * 1e6 / (double)(clock_io_us() - started);
    print_rate("store.compact_rate", compacted, "bare_copy", bare, compacted / bare, 0.3);
}

/* ---- questions ---- */

/* The median time of a question, asked about many meters. */
static double
p50(struct bench *b, void (*question)(struct bench *b, int32_t meter), int32_t meters,
    int asked)
{
    static double us[ASKED];

    for (int i = 0; i < asked; i++) {
        int64_t started = clock_io_us();

        question(b, 1 + i * 37 % meters);
        us[i] = (double)(clock_io_us() - started);
    }
    return median(us, asked) / 1000;
}

static struct window *window;

/* As the export and the API ask. */
static void
window_of(struct bench *b, int32_t meter)
{
    char meters[16];
    char *rows, *blocks;

    snprintf(meters, sizeof(meters), "%" PRId32, meter);
    window_begin(window, (lw_wall){START}, (lw_wall){START + LW_DAY}, 0);
    rows = window_rows_sql(window, meters);
    blocks = window_blocks_sql(window, meters);
    if (pg_sync_copy_rows(&b->sync, rows, window_take_row, window) < 0 ||
        pg_sync_copy_rows(&b->sync, blocks, window_take_block, window) < 0)
        die("window", b->sync.error);
    window_end(window);
    if (window->n != MINUTES)
        die("window", "not the whole day");
    free(rows);
    free(blocks);
}

static void
ask_about(struct bench *b, const char *statement, int32_t meter, int rows)
{
    char text[16];
    const char *values[1] = {text};

    snprintf(text, sizeof(text), "%" PRId32, meter);

    PGresult *r = PQexecPrepared(b->pg, statement, 1, values, NULL, NULL, 1);

    if (PQntuples(r) != rows)
        die(statement, PQresultStatus(r) == PGRES_TUPLES_OK ? "not all rows"
                                                            : PQerrorMessage(b->pg));
    PQclear(r);
}

/* The block alone, as who keeps a statement prepared asks for it. */
static void
packed_day(struct bench *b, int32_t meter)
{
    static struct lw_reading readings[MINUTES];
    char text[16];
    const char *values[1] = {text};
    size_t n;

    snprintf(text, sizeof(text), "%" PRId32, meter);

    PGresult *r = PQexecPrepared(b->pg, "packed", 1, values, NULL, NULL, 1);

    if (PQntuples(r) != 1 ||
        lw_day_unpack(b->codec, (const uint8_t *)PQgetvalue(r, 0, 0),
                      (size_t)PQgetlength(r, 0, 0), readings, MINUTES, &n) < 0)
        die("packed", PQerrorMessage(b->pg));
    PQclear(r);
}

static void
wide_day(struct bench *b, int32_t meter)
{
    ask_about(b, "wide", meter, MINUTES);
}

static void
packed_hours(struct bench *b, int32_t meter)
{
    ask_about(b, "hours", meter, LONG_DAYS * 24);
}

static void
wide_hours(struct bench *b, int32_t meter)
{
    ask_about(b, "wide_hours", meter, LONG_DAYS * 24);
}

static void
last_of_all(struct bench *b, int32_t meter)
{
    (void)meter;
    ask_about(b, "last", 0, 100000);
}

static void
wide_last(struct bench *b, int32_t meter)
{
    (void)meter;
    ask_about(b, "wide_last", 0, 100000);
}

static void
prepare(struct bench *b, const char *name, const char *sql)
{
    PGresult *r = PQprepare(b->pg, name, sql, 1, (const Oid[]){PG_INT4});

    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die(sql, PQerrorMessage(b->pg));
    PQclear(r);
}

/* Days of a few meters, as rows and as hours. */
static void
make_long(struct bench *b)
{
    static struct lw_reading day[QUARTERS];
    struct copy_rows rows, hours;

    begin(&hours);
    begin(&rows);
    for (int32_t m = 0; m < LONG_METERS; m++) {
        struct day_feed feed;

        day_feed_init(&feed, 2, (uint32_t)m);
        for (int d = 0; d < LONG_DAYS; d++) {
            for (int i = 0; i < QUARTERS; i++) {
                day[i] = day_feed_next(&feed, START + d * LW_DAY + i * 15 * LW_MINUTE,
                                       15 * LW_MINUTE);
                put_wide(&rows, m + 1, &day[i]);
            }
            rollup_hours(&hours, m + 1, day, QUARTERS);
        }
    }
    end(&rows);
    end(&hours);
    run(b,
        "SELECT reading_partition('2025-03-12'::date + d), reading_month('2025-03-12'::date + d)"
        " FROM generate_series(0, 89) AS d");
    copy(b, "reading", &rows);
    copy(b, ROLLUP_HOUR, &hours);
    copy_free(&rows);
    copy_free(&hours);
}

static void
bench_questions(struct bench *b)
{
    double ms, ref;

    run(b, "CREATE TABLE wide(LIKE reading INCLUDING ALL)");
    copy(b, "wide", &b->wide);
    run(b, "VACUUM ANALYZE");
    prepare(b, "packed",
            "SELECT d FROM reading_day WHERE meter_id = $1 AND day = '2025-03-12'");
    prepare(b, "wide",
            "SELECT * FROM wide WHERE meter_id = $1 AND"
            " ts >= '2025-03-12 00:00Z' AND ts < '2025-03-13 00:00Z' ORDER BY ts");
    p50(b, packed_day, b->meters, ASKED); /* warm */
    p50(b, wide_day, b->meters, ASKED);
    ms = p50(b, packed_day, b->meters, ASKED);
    ref = p50(b, wide_day, b->meters, ASKED);
    print_most("store.day_p50", ms, "ms", "wide_rows", ref, 0.2);
    if (window_new(&window) < 0)
        die("memory", "none");
    p50(b, window_of, b->meters, ASKED);
    ms = p50(b, window_of, b->meters, ASKED);
    print_most("store.window_p50", ms, "ms", "wide_rows", ref, 2);
    window_free(window);

    run(b, "TRUNCATE reading_day, reading_hour, wide");
    make_long(b);
    run(b, "VACUUM ANALYZE");
    prepare(b, "hours",
            "SELECT hour, n, p_n, p_sum, p_max, imp_first, imp_last FROM reading_hour"
            " WHERE meter_id = $1 AND hour >= '2025-03-12 00:00Z'"
            " AND hour < '2025-06-10 00:00Z' ORDER BY hour");
    prepare(
        b, "wide_hours",
        "SELECT date_trunc('hour', ts, 'UTC') AS hour, count(*), count(p_w), sum(p_w),"
        " max(p_w), min(imp_wh), max(imp_wh) FROM reading WHERE meter_id = $1"
        " AND ts >= '2025-03-12 00:00Z' AND ts < '2025-06-10 00:00Z' GROUP BY 1 ORDER BY 1");
    p50(b, packed_hours, LONG_METERS, ASKED);
    p50(b, wide_hours, LONG_METERS, ASKED / 4);
    ms = p50(b, packed_hours, LONG_METERS, ASKED);
    ref = p50(b, wide_hours, LONG_METERS, ASKED / 4);
    print_most("store.hours_90d_p50", ms, "ms", "wide_rows", ref, 3);

    run(b, "INSERT INTO meter_last(meter_id, ts, imp_wh, p_w, q) SELECT g, now(), g, g, 0"
           " FROM generate_series(1, 100000) AS g");
    run(b,
        "INSERT INTO wide(meter_id, ts, imp_wh, p_w) SELECT g, timestamptz '2025-03-12 00:00Z'"
        " + h * interval '1 hour', g, g FROM generate_series(0, 9) AS h,"
        " generate_series(1, 100000) AS g");
    run(b, "VACUUM ANALYZE");
    prepare(b, "last",
            "SELECT meter_id, ts, imp_wh, p_w, q FROM meter_last WHERE meter_id > $1");
    prepare(b, "wide_last",
            "SELECT DISTINCT ON (meter_id) meter_id, ts, imp_wh, p_w, q FROM wide"
            " WHERE meter_id > $1 ORDER BY meter_id, ts DESC");
    p50(b, last_of_all, 1, 3);
    ms = p50(b, last_of_all, 1, 7);
    ref = p50(b, wide_last, 1, 3);
    print_most("store.last_100k_p50", ms, "ms", "wide_rows", ref, 150);
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

int
main(int argc, char **argv)
{
    struct bench b = {.meters = argc > 2 ? atoi(argv[2]) : 300};
    static struct lw_faults faults;
    char *conninfo;
    size_t n;
    int from, to;

    if (argc < 2)
        return own_cluster();
    if (files_read(argv[1], 4096, &conninfo, &n) < 0)
        return 2;
    conninfo[strcspn(conninfo, "\n")] = '\0';
    log_open("bench_store_history", LOG_WARN);
    if (store_migrate(conninfo, &from, &to, &faults) < 0 ||
        pg_sync_open(&b.sync, conninfo) < 0 || lw_day_codec_new(&b.codec) < 0)
        die("PostgreSQL", "cannot be used");
    b.pg = PQconnectdb(conninfo);
    make_day(&b);
    bench_pack(&b);
    bench_compact(&b, conninfo);
    bench_questions(&b);

    PQfinish(b.pg);
    pg_sync_close(&b.sync);
    copy_free(&b.wide);
    lw_day_codec_free(b.codec);
    free(b.day);
    free(conninfo);
    return 0;
}
