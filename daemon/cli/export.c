/* `lodewatch export`: a window of readings, open days and closed ones alike, as the CSV
 * that `lodewatch replay` reads, or as NDJSON; as it is read, a slice of time at once. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lodewatch/codec.h>
#include <lodewatch/text.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/database.h"
#include "daemon/cli/meters.h"
#include "daemon/cli/stored.h"
#include "daemon/faults.h"
#include "daemon/store/copy_rows.h"
#include "daemon/store/pg_sync.h"
#include "daemon/store/window.h"

static const char usage[] =
    "usage: lodewatch export --config FILE | --conninfo-file FILE --from T --to T\n"
    "                        [--meter ID]... [--site ID]... [--format csv|ndjson] [-o FILE]\n"
    "\n"
    "Writes the readings from T up to, not including, T, in the order of their times: those\n"
    "of the given meters and sites' meters, or all. `lodewatch replay` reads the CSV. Times\n"
    "without an offset are local; a date alone is its start. Failed reads are not stored,\n"
    "and so are not written.\n"
    "\n" CLI_DATABASE_USAGE
    "  --format FORMAT       csv (default) or ndjson: an object a line\n"
    "  -o FILE               write there, instead of to standard output; the file has its\n"
    "                        name once it is whole\n"
    "  --help                print this\n";

static const struct option long_options[] = {
    CLI_DATABASE_OPTIONS,
    CLI_METERS_OPTIONS,
    {"from", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 't'},
    {"format", required_argument, NULL, 'M'},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct key {
    int32_t meter;
    char *id;
};

struct job {
    struct cli_database database;
    struct cli_meters meters;
    const char *from_text, *to_text, *format, *output;
    lw_wall from, to;

    struct pg_sync pg;
    struct window *window;
    struct key *key; /* in the order of the integers */
    size_t nkeys;
    char *list; /* of the integers, for SQL; NULL: all meters */
    FILE *file;
    uint64_t written;
    struct lw_faults *faults;
};

/* ---- rows ---- */

static void
put_csv_text(struct lw_text *t, const char *s)
{
    if (strpbrk(s, ",\"\r\n") == NULL) {
        lw_text_add(t, s);
        return;
    }
    lw_text_add(t, "\"");
    for (; *s; s++)
        lw_text_addn(t, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    lw_text_add(t, "\"");
}

static void
put_csv(struct lw_text *t, const char *id, const struct lw_reading *r)
{
    char time[LW_TIME_TEXT];

    lw_wall_format(r->time, time);
    lw_text_addf(t, "%s,", time);
    put_csv_text(t, id);
    lw_text_addf(t, ",%s", lw_quality_name(lw_reading_quality(r)));
    for (int q = 0; q < LW_QUANTITIES; q++) {
        const struct lw_quantity_info *info = lw_quantity_info((enum lw_quantity)q);

        lw_text_add(t, ",");
        if (lw_reading_has(r, (enum lw_quantity)q))
            lw_text_add_decimal(t, r->value[q], info->per_unit, info->decimals);
    }
}

static void
put_header(FILE *file)
{
    fputs("time,meter_id,quality", file);
    for (int q = 0; q < LW_QUANTITIES; q++)
        fprintf(file, ",%s", lw_quantity_info((enum lw_quantity)q)->name);
    fputc('\n', file);
}

static const struct {
    const char *name;
    void (*put)(struct lw_text *t, const char *id, const struct lw_reading *r);
    void (*header)(FILE *file);
} formats[] = {
    {"csv", put_csv, put_header},
    {"ndjson", lw_reading_json, NULL},
};
enum {
    FORMATS = sizeof(formats) / sizeof(formats[0])
};

static int
by_meter(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    return x->meter < y->meter ? -1 : x->meter > y->meter;
}

static int
put_rows(struct job *e, int format)
{
    char line[LW_READING_TEXT];

    for (size_t i = 0; i < e->window->n; i++) {
        const struct lw_reading *r = &e->window->row[i].reading;
        struct key wanted = {.meter = (int32_t)r->meter};
        const struct key *key =
            bsearch(&wanted, e->key, e->nkeys, sizeof(wanted), by_meter);
        struct lw_text t;

        if (!key) /* a meter that came up meanwhile */
            continue;
        lw_text_init(&t, line, sizeof(line) - 1);
        formats[format].put(&t, key->id, r);
        line[t.len] = '\n';
        fwrite(line, 1, t.len + 1, e->file);
        e->written++;
    }
    if (ferror(e->file)) {
        lw_fault_add(e->faults, e->output ? e->output : "standard output", 0, 0, "%s",
                     strerror(errno));
        return CLI_FAILED;
    }
    return CLI_DONE;
}

/* ---- slices of time ---- */

static void
show_progress(const struct job *e, lw_wall at)
{
    enum {
        WIDTH = 30
    };
    static const char bar[WIDTH + 1] = "##############################";
    char day[LW_TIME_TEXT];
    int64_t done = (at.ms - e->from.ms) / 1000, all = (e->to.ms - e->from.ms) / 1000;
    int part = all > 0 ? (int)(done * WIDTH / all) : WIDTH;

    lw_wall_format(at, day);
    fprintf(stderr, "\r[%-*.*s] %3d%% %.10s %" PRIu64 " readings", WIDTH, part, bar,
            part * 100 / WIDTH, day, e->written);
    if (at.ms >= e->to.ms)
        fputc('\n', stderr);
}

/* A day at a time, or less where a day does not fit into memory. */
static int
write_all(struct job *e, int format)
{
    bool progress = isatty(STDERR_FILENO) && (e->output || !isatty(STDOUT_FILENO));
    int64_t length = LW_DAY;
    int status = CLI_DONE;

    if (formats[format].header)
        formats[format].header(e->file);
    for (lw_wall t = e->from; t.ms < e->to.ms && status == CLI_DONE;) {
        lw_wall end = {lw_floor_to(t.ms, LW_DAY) + LW_DAY};
        int rc;

        end.ms = t.ms + length < end.ms ? t.ms + length : end.ms;
        end.ms = end.ms < e->to.ms ? end.ms : e->to.ms;
        rc = stored_load(&e->pg, e->window, e->list, t, end, e->faults);
        if (rc == LW_EFULL && end.ms - t.ms > 1) {
            length = (end.ms - t.ms) / 2;
            continue;
        }
        if (rc < 0) {
            if (e->faults->n == 0)
                lw_fault_add(e->faults, "PostgreSQL", 0, 0, "%s", lw_result_text(rc));
            return CLI_FAILED;
        }
        status = put_rows(e, format);
        t = end;
        if (progress)
            show_progress(e, t);
    }
    return status;
}

/* ---- what is asked for ---- */

static void
take_key(void *arg, const char *data, size_t n)
{
    struct job *e = arg;
    struct copy_field field[2];
    struct key *more = e->key;

    if (copy_split(data, n, field, 2) != 1 || !field[1].data)
        return;
    if (e->nkeys % 1024 == 0)
        more = realloc(e->key, (e->nkeys + 1024) * sizeof(*more));
    if (more) {
        e->key = more;
        more[e->nkeys] =
            (struct key){(int32_t)copy_int(&field[0], 0),
                         strndup((const char *)field[1].data, (size_t)field[1].n)};
    }
    if (!more || !more[e->nkeys++].id)
        pg_sync_give_up(&e->pg, "no memory for the meters");
}

/* Their integers, and all names. */
static int
load_keys(struct job *e, struct config *config)
{
    struct pg_array ids = {0};
    struct pg_sync *pg = &e->pg;
    int status = CLI_DONE;
    int rc = 0;

    if (e->meters.nmeters + e->meters.nsites > 0) {
        status = cli_meters_ids(&e->meters, config, e->faults, &ids);
        if (status == CLI_DONE)
            rc = pg_sync_run_with(
                pg,
                "SELECT coalesce(string_agg(meter_id::text, ','), '') FROM meter_key"
                " WHERE id = ANY($1)",
                &(struct pg_param){PG_TEXT_ARRAY, ids.data, ids.n}, 1);
        if (status == CLI_DONE && rc == 0)
            e->list = strdup(pg->value);
        free(ids.data);
    }
    if (status == CLI_DONE && rc == 0)
        rc = pg_sync_copy_rows(
            pg,
            "COPY (SELECT meter_id, id FROM meter_key ORDER BY meter_id) TO STDOUT"
            " (FORMAT binary)",
            take_key, e);
    if (rc < 0)
        lw_fault_add(e->faults, "PostgreSQL", 0, 0, "%s", pg->error);
    return rc < 0 ? CLI_FAILED : status;
}

static int
open_file(struct job *e, char part[CONFIG_PATH + 8])
{
    e->file = stdout;
    if (!e->output)
        return CLI_DONE;
    snprintf(part, CONFIG_PATH + 8, "%s.part", e->output);
    e->file = fopen(part, "we");
    if (e->file)
        return CLI_DONE;
    lw_fault_add(e->faults, part, 0, 0, "%s", strerror(errno));
    return CLI_FAILED;
}

static int
close_file(struct job *e, const char *part, int status)
{
    bool good = fflush(e->file) == 0;

    if (!e->output)
        return good ? status : CLI_FAILED;
    good = fsync(fileno(e->file)) == 0 && good;
    good = fclose(e->file) == 0 && good;
    if (status == CLI_DONE && good && rename(part, e->output) == 0)
        return CLI_DONE;
    if (status == CLI_DONE)
        lw_fault_add(e->faults, e->output, 0, 0, "%s", strerror(errno));
    unlink(part);
    return status == CLI_DONE ? CLI_FAILED : status;
}

static int
run(struct job *e, int format)
{
    static struct config config;
    char part[CONFIG_PATH + 8] = "";
    int status = cli_database_load(&e->database, &config, e->faults);

    if (status == CLI_DONE)
        status =
            cli_time(&config, "--from", e->from_text, LW_DATE_START, &e->from, e->faults);
    if (status == CLI_DONE)
        status = cli_time(&config, "--to", e->to_text, LW_DATE_START, &e->to, e->faults);
    if (status != CLI_DONE)
        return status;
    if (window_new(&e->window) < 0 || pg_sync_open(&e->pg, config.conninfo) < 0 ||
        pg_sync_run(&e->pg, "SET statement_timeout = '10min'") < 0) {
        lw_fault_add(e->faults, "PostgreSQL", 0, 0, "%s", e->pg.error);
        return CLI_FAILED;
    }
    status = load_keys(e, &config);
    if (status == CLI_DONE)
        status = open_file(e, part);
    if (status == CLI_DONE)
        status = close_file(e, part, write_all(e, format));
    return status;
}

static int
find_format(const char *name)
{
    for (int i = 0; i < FORMATS; i++) {
        if (strcmp(formats[i].name, name) == 0)
            return i;
    }
    return FORMATS;
}

static bool
take_option(struct job *e, int option, const char *value)
{
    switch (option) {
    case 'f':
        e->from_text = value;
        return true;
    case 't':
        e->to_text = value;
        return true;
    case 'o':
        e->output = value;
        return strlen(value) <= CONFIG_PATH;
    case 'M':
        e->format = value;
        return find_format(value) < FORMATS;
    default:
        return cli_meters_option(&e->meters, option, value) ||
               cli_database_option(&e->database, option, value);
    }
}

int
cli_export(int argc, char **argv)
{
    static struct lw_faults faults;
    struct job e = {.format = "csv", .faults = &faults};
    int c, status;

    while ((c = getopt_long(argc, argv, "o:", long_options, NULL)) != -1) {
        if (c == 'h')
            return cli_help(usage);
        if (!take_option(&e, c, optarg))
            return cli_misused(usage);
    }
    if (optind != argc || !e.from_text || !e.to_text)
        return cli_misused(usage);
    status = run(&e, find_format(e.format));
    faults_print(stderr, &faults);
    pg_sync_close(&e.pg);
    window_free(e.window);
    for (size_t i = 0; i < e.nkeys; i++)
        free(e.key[i].id);
    free(e.key);
    free(e.list);
    return status;
}
