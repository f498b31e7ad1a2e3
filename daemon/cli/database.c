/* Which database a subcommand is about. */
#include "daemon/cli/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/files.h"

bool
cli_database_option(struct cli_database *database, int option, const char *value)
{
    if (option == 'C')
        database->config_file = value;
    else if (option == 'F')
        database->conninfo_file = value;
    return option == 'C' || option == 'F';
}

static int
read_conninfo(const char *path, struct config *config, struct lw_faults *faults)
{
    char *text;
    size_t n;

    if (files_read(path, sizeof(config->conninfo) - 1, &text, &n) < 0) {
        lw_fault_add(faults, path, 0, 0, "%s", strerror(errno));
        return CLI_INPUT;
    }
    snprintf(config->conninfo, sizeof(config->conninfo), "%.*s",
             (int)strcspn(text, "\r\n"), text);
    free(text);
    return CLI_DONE;
}

int
cli_database_load(const struct cli_database *database, struct config *ret_config,
                  struct lw_faults *faults)
{
    if (!database->config_file && !database->conninfo_file) {
        lw_fault_add(faults, "lodewatch", 0, 0,
                     "--config or --conninfo-file was expected");
        return CLI_INPUT;
    }
    lw_ini_defaults(config_keys, config_nkeys, ret_config);
    if (database->config_file &&
        config_load(database->config_file, ret_config, faults) < 0) {
        if (faults->n == 0)
            lw_fault_add(faults, database->config_file, 0, 0, "%s", strerror(errno));
        return CLI_INPUT;
    }
    if (database->conninfo_file)
        return read_conninfo(database->conninfo_file, ret_config, faults);
    if (ret_config->conninfo[0] == '\0') {
        lw_fault_add(faults, database->config_file, 0, 0,
                     "[database] conninfo is empty: no database is configured");
        return CLI_INPUT;
    }
    return CLI_DONE;
}
