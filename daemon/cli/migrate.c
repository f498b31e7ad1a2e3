/* `lodewatch migrate`: brings the database's schema to this program's version. */
#include <getopt.h>
#include <stdio.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/database.h"
#include "daemon/faults.h"
#include "daemon/store/store.h"

static const char usage[] =
    "usage: lodewatch migrate --config FILE | --conninfo-file FILE\n"
    "\n"
    "Brings the database's schema to this program's version; does nothing where it is\n"
    "there. The daemon does the same when it connects. Going back is not possible.\n"
    "\n" CLI_DATABASE_USAGE "  --help                print this\n";

static const struct option options[] = {
    CLI_DATABASE_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

int
cli_migrate(int argc, char **argv)
{
    static struct lw_faults faults;
    struct cli_database database = {0};
    int from, to, c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return CLI_DONE;
        }
        if (!cli_database_option(&database, c, optarg)) {
            fputs(usage, stderr);
            return CLI_INPUT;
        }
    }
    if (optind != argc) {
        fputs(usage, stderr);
        return CLI_INPUT;
    }

    static struct config config;
    int rc = cli_database_load(&database, &config, &faults);

    if (rc == CLI_DONE && store_migrate(config.conninfo, &from, &to, &faults) < 0)
        rc = CLI_FAILED;
    if (rc != CLI_DONE)
        faults_print(stderr, &faults);
    else if (from == to)
        printf("the schema is at version %d, nothing to do\n", to);
    else
        printf("the schema went from version %d to %d\n", from, to);
    return rc;
}
