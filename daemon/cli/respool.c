/* `lodewatch respool`: has the daemon fill a restored database again from its journal. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/result.h>
#include <lodewatch/time.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/database.h"
#include "daemon/faults.h"
#include "daemon/journal.h"
#include "daemon/store/store.h"

static const char usage[] =
    "usage: lodewatch respool --config FILE --from T\n"
    "\n"
    "Has the daemon bring everything into PostgreSQL again that arrived at T or later and\n"
    "is still in its journal ([journal] keep). What is there stays as it is; what is\n"
    "missing comes, each reading and alert once. Says what the journal no longer has. The\n"
    "daemon begins within a minute, or when it starts; lodewatch_store_backlog_bytes in\n"
    "/metrics is what is left to do.\n"
    "\n"
    "  --config FILE  the daemon's configuration\n"
    "  --from T       such as 2025-03-12T18:31:07+08:00\n"
    "  --help         print this\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'C'},
    {"from", required_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void
print_found(lw_wall from, const struct journal_found *found)
{
    char begins[LW_TIME_TEXT], ends[LW_TIME_TEXT];

    if (found->first_ms > from.ms) {
        lw_wall_format(from, begins);
        lw_wall_format((lw_wall){found->first_ms}, ends);
        printf("the journal begins at %s: what arrived from %s on until then is not in "
               "it\n",
               ends, begins);
    }
    if (found->lost.readings > 0) {
        lw_wall_format((lw_wall){found->lost.first_ms}, begins);
        lw_wall_format((lw_wall){found->lost.last_ms}, ends);
        printf("%" PRIu64 " readings that arrived from %s to %s are not in it any more\n",
               found->lost.readings, begins, ends);
    }
}

static int
respool(const struct config *config, lw_wall from, struct lw_faults *faults)
{
    char dir[CONFIG_PATH + 16];
    struct journal_found found;
    uint64_t bytes;

    snprintf(dir, sizeof dir, "%s/journal", config->state_dir);
    int rc = journal_find(dir, from.ms, &found);
    if (rc < 0) {
        lw_fault_add(faults, dir, 0, 0, "%s",
                     rc == LW_EIO         ? strerror(errno)
                     : rc == LW_ENOTFOUND ? "there are no readings in it"
                                          : lw_result_text(rc));
        return CLI_FAILED;
    }
    print_found(from, &found);
    if (store_respool(config->conninfo, dir, found.position, &bytes, faults) < 0)
        return CLI_FAILED;
    if (bytes == 0)
        puts("nothing to do: the daemon has not stored anything of that yet, and will");
    else
        printf("the daemon brings %" PRIu64 " bytes of its journal again\n", bytes);
    return CLI_DONE;
}

int
cli_respool(int argc, char **argv)
{
    static struct lw_faults faults;
    static struct config config;
    struct cli_database database = {0};
    const char *from = NULL;
    lw_wall time;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h')
            return cli_help(usage);
        if (c == 'f') {
            from = optarg;
        } else if (!cli_database_option(&database, c, optarg)) {
            return cli_misused(usage);
        }
    }
    if (optind != argc || from == NULL)
        return cli_misused(usage);

    int rc = cli_database_load(&database, &config, &faults);
    if (rc == CLI_DONE &&
        lw_wall_parse(from, strlen(from), NULL, LW_DATE_START, &time) != 0) {
        lw_fault_add(&faults, "--from", 0, 0,
                     "\"%s\" is no time; expected one such as 2025-03-12T18:31:07+08:00",
                     from);
        rc = CLI_INPUT;
    }
    if (rc == CLI_DONE)
        rc = respool(&config, time, &faults);
    if (rc != CLI_DONE)
        faults_print(stderr, &faults);
    return rc;
}
