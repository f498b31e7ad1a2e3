/* `lodewatch hold`: readings that are evidence stay, whatever retention says. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/database.h"
#include "daemon/cli/meters.h"
#include "daemon/faults.h"
#include "daemon/store/pg_sync.h"

static const char usage[] =
    "usage: lodewatch hold add --reason TEXT [--case REF] [--meter ID]... [--site ID]...\n"
    "                          [--from T] [--to T] --config FILE | --conninfo-file FILE\n"
    "       lodewatch hold list    --config FILE | --conninfo-file FILE\n"
    "       lodewatch hold release ID... --config FILE | --conninfo-file FILE\n"
    "\n"
    "Readings of a held meter in the span of a hold are not dropped, however old they are.\n"
    "A site's hold is one for each of its meters, past ones too. Without --from it begins\n"
    "with the first reading, without --to it has no end. A released hold stays in the list.\n"
    "\n" CLI_DATABASE_USAGE "  --help                print this\n";

static const struct option long_options[] = {
    CLI_DATABASE_OPTIONS,
    CLI_METERS_OPTIONS,
    {"from", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 't'},
    {"reason", required_argument, NULL, 'r'},
    {"case", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct hold {
    struct cli_database database;
    struct cli_meters meters;
    const char *from, *to, *reason, *case_ref;
    char **rest; /* the arguments behind the verb */
    int nrest;
    struct config *config;
    struct pg_sync pg;
    struct lw_faults *faults;
};

static int
refuse(const struct hold *h, const char *what)
{
    lw_fault_add(h->faults, "lodewatch hold", 0, 0, "%s", what);
    return CLI_INPUT;
}

static int
answer(struct hold *h, int rc)
{
    if (rc < 0)
        lw_fault_add(h->faults, "PostgreSQL", 0, 0, "%s", h->pg.error);
    return rc < 0 ? CLI_FAILED : CLI_DONE;
}

static struct pg_param
text_param(const char *text)
{
    return (struct pg_param){PG_TEXT, text, text ? strlen(text) : 0};
}

/* The site is noted where the hold is of one site alone. */
static int
add(struct hold *h)
{
    static const char sql[] =
        "INSERT INTO evidence_hold(meter_id, site_id, holds_from, holds_to, reason, case_ref)"
        " SELECT DISTINCT id, $2, $3, $4, $5, $6 FROM unnest($1) AS id";
    struct pg_array ids = {0};
    lw_wall from = LW_WALL_MIN, to = LW_WALL_MAX;
    uint8_t from_bytes[8], to_bytes[8];
    int status;

    if (!h->reason || h->reason[0] == '\0')
        return refuse(h, "a hold has a --reason");
    if (h->meters.nmeters + h->meters.nsites == 0 || h->nrest > 0)
        return refuse(h, "--meter or --site was expected");
    status = cli_time(h->config, "--from", h->from, LW_DATE_START, &from, h->faults);
    if (status == CLI_DONE)
        status = cli_time(h->config, "--to", h->to, LW_DATE_END, &to, h->faults);
    if (status == CLI_DONE && from.ms >= to.ms)
        return refuse(h, "--from is not before --to");
    if (status == CLI_DONE)
        status = cli_meters_ids(&h->meters, h->config, h->faults, &ids);
    if (status == CLI_DONE) {
        pg_put(from_bytes, h->from ? (uint64_t)pg_time(from.ms) : 0, 8);
        pg_put(to_bytes, h->to ? (uint64_t)pg_time(to.ms) : 0, 8);

        const struct pg_param params[] = {
            {PG_TEXT_ARRAY, ids.data, ids.n},
            text_param(h->meters.nsites == 1 && h->meters.nmeters == 0 ? h->meters.site[0]
                                                                       : NULL),
            {PG_TIMESTAMPTZ, h->from ? from_bytes : NULL, 8},
            {PG_TIMESTAMPTZ, h->to ? to_bytes : NULL, 8},
            text_param(h->reason),
            text_param(h->case_ref),
        };

        status = answer(h, pg_sync_run_with(&h->pg, sql, params, 6));
    }
    free(ids.data);
    if (status == CLI_DONE)
        printf("%lu meters are held\n", h->pg.touched);
    return status;
}

static int
list(struct hold *h)
{
    if (h->nrest > 0)
        return refuse(h, "list takes no more arguments");
    return answer(h, pg_sync_copy_out(
                         &h->pg,
                         "COPY (SELECT hold_id, meter_id, site_id, holds_from, holds_to,"
                         " reason, case_ref, placed_at, released_at FROM evidence_hold"
                         " ORDER BY hold_id) TO STDOUT (FORMAT csv, HEADER)",
                         stdout));
}

static int
release(struct hold *h)
{
    int status = CLI_DONE;

    if (h->nrest == 0)
        return refuse(h, "the numbers of holds were expected, as `list` shows them");
    for (int i = 0; i < h->nrest && status == CLI_DONE; i++) {
        const struct pg_param id = text_param(h->rest[i]);

        if (strspn(h->rest[i], "0123456789") != strlen(h->rest[i]) ||
            strlen(h->rest[i]) > 18)
            return refuse(h, "the numbers of holds were expected, as `list` shows them");
        status = answer(
            h, pg_sync_run_with(&h->pg,
                                "UPDATE evidence_hold SET released_at = now()"
                                " WHERE hold_id = $1::text::int8 AND released_at IS NULL",
                                &id, 1));
        if (status == CLI_DONE && h->pg.touched == 0) {
            lw_fault_add(h->faults, "lodewatch hold", 0, 0, "no hold %s stands",
                         h->rest[i]);
            status = CLI_INPUT;
        }
    }
    return status;
}

static const struct {
    const char *name;
    int (*run)(struct hold *h);
} verbs[] = {{"add", add}, {"list", list}, {"release", release}};

static int
run(struct hold *h, const char *verb)
{
    size_t i = 0;
    int status;

    while (i < sizeof(verbs) / sizeof(verbs[0]) && strcmp(verbs[i].name, verb) != 0)
        i++;
    if (i == sizeof(verbs) / sizeof(verbs[0]))
        return refuse(h, "add, list or release was expected");
    status = cli_database_load(&h->database, h->config, h->faults);
    if (status == CLI_DONE) {
        int rc = pg_sync_open(&h->pg, h->config->conninfo);

        status = answer(h, rc == 0 ? pg_sync_migrate(&h->pg) : rc);
    }
    return status == CLI_DONE ? verbs[i].run(h) : status;
}

static bool
take_option(struct hold *h, int option, const char *value)
{
    switch (option) {
    case 'f':
        h->from = value;
        return true;
    case 't':
        h->to = value;
        return true;
    case 'r':
        h->reason = value;
        return true;
    case 'c':
        h->case_ref = value;
        return true;
    default:
        return cli_meters_option(&h->meters, option, value) ||
               cli_database_option(&h->database, option, value);
    }
}

int
cli_hold(int argc, char **argv)
{
    static struct lw_faults faults;
    static struct config config;
    struct hold h = {.config = &config, .faults = &faults};
    int c, status;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (c == 'h')
            return cli_help(usage);
        if (!take_option(&h, c, optarg))
            return cli_misused(usage);
    }
    if (optind == argc)
        return cli_misused(usage);
    h.rest = argv + optind + 1;
    h.nrest = argc - optind - 1;
    status = run(&h, argv[optind]);
    faults_print(stderr, &faults);
    pg_sync_close(&h.pg);
    return status;
}
