/* `lodewatch migrate`: brings the database's schema to this program's version. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include <lodewatch/result.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/database.h"
#include "daemon/faults.h"
#include "daemon/store/store.h"

static const char usage[] =
    "usage: lodewatch migrate [--roles] --config FILE | --conninfo-file FILE\n"
    "\n"
    "Brings the database's schema to this program's version; does nothing where it is\n"
    "there. The daemon does the same when it connects, if it may. Going back is not\n"
    "possible.\n"
    "\n"
    "  --roles               also make the roles lodewatch_owner, lodewatch_ingest,\n"
    "                        lodewatch_api and lodewatch_analyst, give the tables to the\n"
    "                        first and their rights to the others\n" CLI_DATABASE_USAGE
    "  --help                print this\n";

static const struct option options[] = {
    CLI_DATABASE_OPTIONS,
    {"roles", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
status(int rc)
{
    return rc == LW_EDENIED ? CLI_DENIED : rc < 0 ? CLI_FAILED : CLI_DONE;
}

int
cli_migrate(int argc, char **argv)
{
    static struct lw_faults faults;
    struct cli_database database = {0};
    int from, to, c;
    bool roles = false;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h')
            return cli_help(usage);
        if (c == 'r') {
            roles = true;
        } else if (!cli_database_option(&database, c, optarg)) {
            return cli_misused(usage);
        }
    }
    if (optind != argc)
        return cli_misused(usage);

    static struct config config;
    int rc = cli_database_load(&database, &config, &faults);

    if (rc == CLI_DONE)
        rc = status(store_migrate(config.conninfo, &from, &to, &faults));
    if (rc == CLI_DONE && roles)
        rc = status(store_roles(config.conninfo, &faults));
    if (rc != CLI_DONE)
        faults_print(stderr, &faults);
    else if (from == to)
        printf("the schema is at version %d, nothing to do\n", to);
    else
        printf("the schema went from version %d to %d\n", from, to);
    if (rc == CLI_DONE && roles)
        puts("the roles are there, and lodewatch_owner has the tables");
    return rc;
}
