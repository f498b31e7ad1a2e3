/* `lodewatch import DIR`: a ledger folder into PostgreSQL: all of it, or nothing. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <lodewatch/ledger.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/database.h"
#include "daemon/faults.h"
#include "daemon/store/store.h"

static const char usage[] =
    "usage: lodewatch import [--json] DIR --config FILE | --conninfo-file FILE\n"
    "\n"
    "Checks the ledger's CSV files in DIR as a whole, as `lodewatch check` does, and brings\n"
    "the ledger in PostgreSQL to their content in one transaction: rows are added, changed\n"
    "and removed. With any fault (file:line:column: text, exit code 2) nothing is imported.\n"
    "\n" CLI_DATABASE_USAGE
    "  --json                print one JSON object: what was added, changed, removed, the same\n"
    "  --help                print this\n";

static const struct option options[] = {
    CLI_DATABASE_OPTIONS,
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
read_ledger(const char *dir, struct config *config, struct lw_faults *faults,
            struct lw_ledger **ret_ledger)
{
    struct config_texts *texts = NULL;
    int rc;

    if (strlen(dir) >= sizeof(config->ledger)) {
        lw_fault_add(faults, dir, 0, 0, "%s", strerror(ENAMETOOLONG));
        return LW_EPARSE;
    }
    strcpy(config->ledger, dir);
    config->rules[0] = '\0'; /* not what this is about */
    rc = config_texts_load(config, false, faults, &texts);
    if (rc == 0)
        rc = lw_ledger_new(config_texts_ledger(texts), faults, ret_ledger);
    if (rc < 0 && faults->n == 0)
        lw_fault_add(faults, dir, 0, 0, "%s", lw_result_text(rc));
    config_texts_free(texts);
    return rc;
}

static void
print_counts(const struct store_import_counts *counts, bool json)
{
    json_t *report = json_object();

    for (int i = 0; i < LW_TABLES; i++) {
        const char *file = lw_table_file((enum lw_table)i);

        if (json)
            json_object_set_new(
                report, file,
                json_pack("{s:i, s:i, s:i, s:i}", "added", (int)counts->added[i],
                          "changed", (int)counts->changed[i], "removed",
                          (int)counts->removed[i], "same", (int)counts->same[i]));
        else
            printf("%-16s %7u added %7u changed %7u removed %7u the same\n", file,
                   counts->added[i], counts->changed[i], counts->removed[i],
                   counts->same[i]);
    }
    if (json) {
        json_dumpf(report, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(report);
}

int
cli_import(int argc, char **argv)
{
    static struct lw_faults faults;
    static struct config config;
    struct cli_database database = {0};
    struct store_import_counts counts;
    struct lw_ledger *ledger = NULL;
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            return cli_help(usage);
        } else if (c == 'j') {
            json = true;
        } else if (!cli_database_option(&database, c, optarg)) {
            return cli_misused(usage);
        }
    }
    if (optind != argc - 1)
        return cli_misused(usage);

    int rc = cli_database_load(&database, &config, &faults);

    if (rc == CLI_DONE && read_ledger(argv[optind], &config, &faults, &ledger) < 0)
        rc = CLI_INPUT;
    if (rc == CLI_DONE &&
        store_ledger_import(config.conninfo, ledger, &counts, &faults) < 0)
        rc = CLI_FAILED;
    if (rc == CLI_DONE)
        print_counts(&counts, json);
    else
        faults_print(stderr, &faults);
    lw_ledger_free(ledger);
    return rc;
}
