/* `lodewatch status`: how the daemon and its database are. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <lodewatch/result.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/http_ask.h"
#include "daemon/cli/status_gateways.h"
#include "daemon/config.h"
#include "daemon/faults.h"
#include "daemon/store/store.h"

static const char usage[] =
    "usage: lodewatch status [--json] --config FILE\n"
    "\n"
    "Asks the daemon that runs with this configuration how it is, and the database for its\n"
    "schema's version; shows the gateways, those with problems first. Exit code 0: the daemon\n"
    "is ready; 1: it is not, or does not answer.\n"
    "\n"
    "  --config FILE  the daemon's configuration\n"
    "  --json         print one JSON object\n"
    "  --help         print this\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'C'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* What people see of /metrics; --json has all that has no labels. */
static const struct {
    const char *metric;
    const char *label;
    const char *unit;
} figures[] = {
    {"lodewatch_gateways_up", "gateways connected", ""},
    {"lodewatch_gateways", "gateways in the ledger", ""},
    {"lodewatch_readings_total", "readings taken", ""},
    {"lodewatch_readings_stored_total", "readings stored", ""},
    {"lodewatch_store_behind_bytes", "waits for PostgreSQL", " bytes"},
    {"lodewatch_alerts_total", "alerts emitted", ""},
    {"lodewatch_journal_bytes", "journal", " bytes"},
    {"lodewatch_loop_stall_seconds", "longest stall", " s"},
};

/* The lines "name value" of the exposition format, as an object. */
static json_t *
parse_metrics(char *text)
{
    json_t *metrics = json_object();
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        char *space = strchr(line, ' ');

        if (line[0] == '#' || !space || memchr(line, '{', (size_t)(space - line)))
            continue;
        *space = '\0';
        json_object_set_new(metrics, line, json_real(strtod(space + 1, NULL)));
    }
    return metrics;
}

static const char *
failure(int rc)
{
    return rc == LW_EIO ? strerror(errno) : lw_result_text(rc);
}

/* {"ready": …, "checks": […]} as the daemon answers, or {"ready": false, "reason": …}. */
static json_t *
ask_ready(const struct config *config)
{
    char *body = NULL;
    int rc = http_ask(config->listen, "/readyz", NULL, NULL, &body);
    json_t *ready = rc > 0 ? json_loads(body, 0, NULL) : NULL;

    if (!ready || !json_is_object(ready)) {
        json_decref(ready);
        ready = json_pack("{s:b, s:s}", "ready", 0, "reason",
                          rc < 0 ? failure(rc) : "the answer is not this daemon's");
    }
    free(body);
    return ready;
}

static json_t *
ask_metrics(const struct config *config, const char *token)
{
    char *body = NULL;
    json_t *metrics = NULL;

    if (http_ask(config->listen, "/metrics", token, NULL, &body) == 200)
        metrics = parse_metrics(body);
    free(body);
    return metrics ? metrics : json_null();
}

/* {"version": …, "newest": …}, or why it is not known; null: there is no database. */
static json_t *
ask_schema(const struct config *config)
{
    static struct lw_faults faults;
    int version;

    if (config->conninfo[0] == '\0')
        return json_null();
    if (store_schema(config->conninfo, &version, &faults) < 0)
        return json_pack("{s:n, s:i, s:s}", "version", "newest", store_schema_newest(),
                         "reason", faults.fault[0].text);
    return json_pack("{s:i, s:i}", "version", version, "newest", store_schema_newest());
}

static void
print_status(const json_t *ready, const json_t *metrics, const json_t *schema)
{
    const char *reason = json_string_value(json_object_get(ready, "reason"));
    json_t *check;
    size_t i;

    printf("%-24s %s%s%s\n", "daemon",
           json_is_true(json_object_get(ready, "ready")) ? "ready" : "not ready",
           reason ? ": " : "", reason ? reason : "");
    json_array_foreach(json_object_get(ready, "checks"), i, check) {
        const char *name = json_string_value(json_object_get(check, "name"));
        const char *why = json_string_value(json_object_get(check, "reason"));

        printf("  %-22s %s\n", name ? name : "?", why ? why : "ok");
    }
    for (size_t f = 0; f < sizeof(figures) / sizeof(figures[0]); f++) {
        const json_t *value = json_object_get(metrics, figures[f].metric);

        if (value)
            printf("%-24s %.6g%s\n", figures[f].label, json_number_value(value),
                   figures[f].unit);
    }
    if (json_is_null(schema))
        printf("%-24s none is configured\n", "database");
    else if (json_is_integer(json_object_get(schema, "version")))
        printf("%-24s version %lld, this program knows up to %lld\n", "schema",
               (long long)json_integer_value(json_object_get(schema, "version")),
               (long long)json_integer_value(json_object_get(schema, "newest")));
    else
        printf("%-24s not known: %s\n", "schema",
               json_string_value(json_object_get(schema, "reason")));
}

static int
show(const struct config *config, bool json)
{
    json_t *ready = ask_ready(config);
    char *token = http_token(config->token_file);
    json_t *metrics = ask_metrics(config, token);
    json_t *gateways = status_ask_gateways(config->listen, token);
    json_t *schema = ask_schema(config);
    int rc = json_is_true(json_object_get(ready, "ready")) ? CLI_DONE : CLI_FAILED;

    if (json) {
        json_t *report = json_pack("{s:O, s:O, s:O, s:O}", "daemon", ready, "metrics",
                                   metrics, "schema", schema, "gateways", gateways);

        json_dumpf(report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
        putchar('\n');
        json_decref(report);
    } else {
        print_status(ready, metrics, schema);
        status_print_gateways(gateways);
    }
    free(token);
    json_decref(gateways);
    json_decref(ready);
    json_decref(metrics);
    json_decref(schema);
    return rc;
}

int
cli_status(int argc, char **argv)
{
    static struct lw_faults faults;
    static struct config config;
    const char *path = NULL;
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'C':
            path = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            return cli_help(usage);
        default:
            return cli_misused(usage);
        }
    }
    if (optind != argc || !path)
        return cli_misused(usage);
    if (config_load(path, &config, &faults) < 0) {
        faults_print(stderr, &faults);
        return CLI_INPUT;
    }
    return show(&config, json);
}
