/* Which meters, and which span of time, a subcommand is about. */
#include "daemon/cli/meters.h"

#include <stdlib.h>
#include <string.h>

#include <lodewatch/ledger.h>

#include "daemon/cli/cli.h"
#include "daemon/files.h"

bool
cli_meters_option(struct cli_meters *meters, int option, const char *value)
{
    if (option == 'm' && meters->nmeters < CLI_METERS)
        meters->meter[meters->nmeters++] = value;
    else if (option == 's' && meters->nsites < CLI_METERS)
        meters->site[meters->nsites++] = value;
    else
        return false;
    return true;
}

static int
load_ledger(struct config *config, struct lw_faults *faults,
            struct lw_ledger **ret_ledger)
{
    struct config_texts *texts = NULL;
    int rc;

    config->rules[0] = '\0'; /* not what this is about */
    rc = config_texts_load(config, false, faults, &texts);
    if (rc == 0)
        rc = lw_ledger_new(config_texts_ledger(texts), faults, ret_ledger);
    if (rc < 0 && faults->n == 0)
        lw_fault_add(faults, "ledger", 0, 0, "%s", lw_result_text(rc));
    config_texts_free(texts);
    return rc;
}

static void
add_site(const struct lw_ledger *ledger, const char *id, struct pg_array *ids,
         struct lw_faults *faults)
{
    int32_t site = lw_ledger_site(ledger, id);

    if (site == LW_NONE)
        lw_fault_add(faults, "--site", 0, 0, "there is no site \"%s\" in the ledger", id);
    for (int32_t i = 0; i < ledger->nmeters && site != LW_NONE; i++) {
        const struct lw_meter *meter = &ledger->meter[i];

        if (ledger->point[meter->point].site == site)
            pg_array_add(ids, meter->id, strlen(meter->id));
    }
}

int
cli_meters_ids(const struct cli_meters *meters, struct config *config,
               struct lw_faults *faults, struct pg_array *ret_ids)
{
    struct lw_ledger *ledger = NULL;

    pg_array_begin(ret_ids, PG_TEXT);
    for (int i = 0; i < meters->nmeters; i++)
        pg_array_add(ret_ids, meters->meter[i], strlen(meters->meter[i]));
    if (meters->nsites > 0 && load_ledger(config, faults, &ledger) < 0)
        return CLI_INPUT;
    for (int i = 0; i < meters->nsites; i++)
        add_site(ledger, meters->site[i], ret_ids, faults);
    lw_ledger_free(ledger);
    if (pg_array_end(ret_ids) < 0)
        return CLI_FAILED;
    return faults->n > 0 ? CLI_INPUT : CLI_DONE;
}

int
cli_time(const struct config *config, const char *option, const char *text,
         enum lw_date_edge edge, lw_wall *time, struct lw_faults *faults)
{
    struct lw_zone *zone = NULL;
    char *tzif = NULL;
    size_t n = 0;
    int rc;

    if (!text)
        return CLI_DONE;
    if (files_zone(config->timezone, &tzif, &n) < 0 || lw_zone_new(tzif, n, &zone) < 0) {
        lw_fault_add(faults, config->timezone, 0, 0, "no such time zone");
        free(tzif);
        return CLI_INPUT;
    }
    rc = lw_wall_parse(text, strlen(text), zone, edge, time);
    if (rc < 0)
        lw_fault_add(faults, option, 0, 0,
                     "\"%s\" is no time; expected one such as 2025-03-12T18:31:07+08:00",
                     text);
    lw_zone_free(zone);
    free(tzif);
    return rc < 0 ? CLI_INPUT : CLI_DONE;
}
