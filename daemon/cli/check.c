/* `lodewatch check DIR`: is this ledger free of faults? Prints each one, imports nothing.
 * A file FILE.json is checked as a meter profile; --rules FILE as the rules' parameters.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <lodewatch/ledger.h>
#include <lodewatch/profile.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/run.h"
#include "daemon/faults.h"
#include "daemon/files.h"

static const char usage[] =
    "usage: lodewatch check [--timezone ZONE] [--json] DIR\n"
    "       lodewatch check [--json] PROFILE.json\n"
    "       lodewatch check [--json] --rules RULES.conf\n"
    "\n"
    "Reads the ledger's CSV files in DIR (areas, contacts, sites, licences, explanations,\n"
    "gateways, meters; UTF-8 or GB18030) and prints every fault as file:line:column: text.\n"
    "Imports nothing. A file .json is checked as a meter profile: lodewatch's own form, or\n"
    "SunSpec's model file. Exit code 0: no fault; 2: faults.\n"
    "\n"
    "  --rules FILE     check the rules' parameters in it instead\n"
    "  --timezone ZONE  of times without one (default " CLI_TIMEZONE ")\n"
    "  --json           print one JSON object: counts and faults\n"
    "  --help           print this\n";

static const struct option options[] = {
    {"timezone", required_argument, NULL, 'z'},
    {"rules", required_argument, NULL, 'r'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Loads and checks the ledger; NULL with faults. The text can go: the ledger has copies.
 */
static struct lw_ledger *
load(const char *dir, const char *zone, struct lw_faults *faults)
{
    struct files_ledger files = {0};
    struct lw_ledger *ledger = NULL;
    char *tzif = NULL;
    size_t tzif_n = 0;

    int rc = files_zone(zone, &tzif, &tzif_n);
    if (rc != 0)
        lw_fault_add(faults, zone, 0, 0,
                     "no such time zone; expected such as " CLI_TIMEZONE);
    if (rc == 0)
        rc = files_ledger_load(dir, faults, &files);
    if (rc == 0) {
        files.text.tzif = tzif;
        files.text.tzif_n = tzif_n;
        rc = lw_ledger_new(&files.text, faults, &ledger);
    }
    if (rc != 0 && faults->n == 0)
        lw_fault_add(faults, dir, 0, 0, "%s", lw_result_text(rc));
    files_ledger_free(&files);
    free(tzif);
    return ledger;
}

static bool
is_profile(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

static struct lw_profile *
load_profile(const char *path, struct lw_faults *faults)
{
    struct lw_profile *profile = NULL;
    char *json = NULL;
    size_t n = 0;
    int rc = files_read(path, LW_PROFILE_BYTES, &json, &n);

    if (rc == LW_EIO)
        lw_fault_add(faults, path, 0, 0, "cannot be read: %s", strerror(errno));
    else if (rc == 0)
        rc = lw_profile_new(path, json, n, faults, &profile);
    if (rc != 0 && faults->n == 0)
        lw_fault_add(faults, path, 0, 0, "%s", lw_result_text(rc));
    free(json);
    return profile;
}

/* Often a header that was misspelt. */
static void
print_unknown(const struct lw_ledger *ledger)
{
    for (int32_t i = 0; i < ledger->nunknown; i++)
        fprintf(stderr, "note: %s: column \"%s\" is none of ours; it is kept in extra\n",
                lw_table_file(ledger->unknown[i].table), ledger->unknown[i].name);
}

static void
print_json(const struct lw_faults *faults, const struct lw_ledger *ledger)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < faults->kept; i++) {
        const struct lw_fault *fault = &faults->fault[i];
        json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s}", "file", fault->file,
                                              "line", (int)fault->line, "column",
                                              (int)fault->column, "text", fault->text));
    }
    json_t *report =
        json_pack("{s:i, s:o}", "fault_count", (int)faults->n, "faults", list);
    if (ledger != NULL) {
        json_t *unknown = json_array();
        for (int32_t i = 0; i < ledger->nunknown; i++)
            json_array_append_new(unknown,
                                  json_pack("{s:s, s:s}", "file",
                                            lw_table_file(ledger->unknown[i].table),
                                            "column", ledger->unknown[i].name));
        json_object_set_new(report, "unknown_columns", unknown);
        json_object_set_new(
            report, "counts",
            json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "areas", ledger->nareas,
                      "contacts", ledger->ncontacts, "sites", ledger->nsites, "licences",
                      ledger->nlicences, "explanations", ledger->nexplanations,
                      "gateways", ledger->ngateways, "points", ledger->npoints, "meters",
                      ledger->nmeters));
    }
    json_dumpf(report, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(report);
}

static int
check_profile(const char *path, bool json, struct lw_faults *faults)
{
    struct lw_profile *profile = load_profile(path, faults);
    bool good = profile != NULL;

    if (json)
        print_json(faults, NULL);
    else if (good)
        printf("%s: no fault in %d points that are stored and %d that are shown\n",
               profile->id, profile->nregs, profile->nshown);
    else
        faults_print(stdout, faults);
    lw_profile_free(profile);
    return good ? CLI_DONE : CLI_INPUT;
}

static int
check_rules(const char *path, bool json, struct lw_faults *faults)
{
    struct lw_rules rules;
    int rc = run_rules(path, &rules, faults);

    if (json)
        print_json(faults, NULL);
    else if (rc == CLI_DONE)
        printf("%s: no fault in the rules' parameters\n", path);
    else
        faults_print(stdout, faults);
    return rc;
}

int
cli_check(int argc, char **argv)
{
    static struct lw_faults faults;
    const char *zone = CLI_TIMEZONE, *rules = NULL;
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'z':
            zone = optarg;
            break;
        case 'r':
            rules = optarg;
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
    if (optind != argc - (rules == NULL))
        return cli_misused(usage);
    if (rules != NULL)
        return check_rules(rules, json, &faults);
    if (is_profile(argv[optind]))
        return check_profile(argv[optind], json, &faults);
    struct lw_ledger *ledger = load(argv[optind], zone, &faults);
    if (json)
        print_json(&faults, ledger);
    else if (ledger == NULL)
        faults_print(stdout, &faults);
    else
        printf("%s: no fault in %d areas, %d contacts, %d sites, %d licences, "
               "%d explanations, %d gateways, %d meters at %d points\n",
               ledger->deployment, ledger->nareas, ledger->ncontacts, ledger->nsites,
               ledger->nlicences, ledger->nexplanations, ledger->ngateways,
               ledger->nmeters, ledger->npoints);
    if (ledger != NULL && !json)
        print_unknown(ledger);
    int rc = ledger != NULL ? CLI_DONE : CLI_INPUT;
    lw_ledger_free(ledger);
    return rc;
}
