/* `lodewatch probe HOST:PORT`: which profile fits a device, and what it shows by it. Each
 * doubtful value, and each other way to read the registers that would make sense of it,
 * is told, so that a wrong map is found when the meter is commissioned. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/probe_device.h"
#include "daemon/faults.h"
#include "daemon/files.h"
#include "daemon/poll/poller.h"

enum {
    TIMEOUT_MS = 1000,
    TIMEOUT_MOST_MS = 60000,
    LIKELY_LEAST = 2, /* values that make another way of reading worth telling */
    FITTING_MOST = 16,
    TEXT = 256
};

static const char usage[] =
    "usage: lodewatch probe [OPTION]... HOST:PORT | DEVICE\n"
    "\n"
    "Finds the profile of a meter behind a gateway (Modbus TCP) or on a serial line (RTU;\n"
    "DEVICE is a path such as /dev/ttyUSB0) by the profiles' probe registers, and shows its serial number, its clock, and every point with its unit and\n"
    "its registers, before CT and PT. Warns of values that a meter in use would hardly show,\n"
    "and says where another word order or an address beside it would make sense of them.\n"
    "Only reads. Exit code 0: a profile fits; 1: none does, or there is no answer; 2: bad\n"
    "usage or a profile with a fault.\n"
    "\n"
    "  --unit N         the meter's address behind the gateway, 0 to 255 (default 1)\n"
    "  --rtu            the gateway passes RTU through\n"
    "  --baud N         of a serial line (default 9600)\n"
    "  --parity P       none (default), even or odd\n"
    "  --stop-bits N    1 (default) or 2\n"
    "  --profile ID     show the device by this profile, whether it fits or not\n"
    "  --profiles DIR   the folder with the profiles (default: the installed ones)\n"
    "  --timezone ZONE  of the meter's clock (default " CLI_TIMEZONE ")\n"
    "  --timeout MS     how long to wait for each answer (default 1000)\n"
    "  --json           print one JSON object\n"
    "  --help           print this\n";

static const struct option options[] = {
    {"unit", required_argument, NULL, 'u'},
    {"rtu", no_argument, NULL, 'r'},
    {"baud", required_argument, NULL, ASK_BAUD},
    {"parity", required_argument, NULL, ASK_PARITY},
    {"stop-bits", required_argument, NULL, ASK_STOP_BITS},
    {"profile", required_argument, NULL, 'p'},
    {"profiles", required_argument, NULL, 'P'},
    {"timezone", required_argument, NULL, 'z'},
    {"timeout", required_argument, NULL, 't'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct ask_options device;
    const char *profile, *profiles, *timezone;
    uint8_t unit;
    bool json;
};

struct probe {
    struct arguments arguments;
    struct profiles *profiles;
    struct lw_zone *zone;
    struct ask *ask;
    const struct lw_profile *fitting[FITTING_MOST];
    int nfitting;
    struct probe_result best, other;
    bool found; /* `best` is a device that was read */
};

/* ---- finding ---- */

/* Whether anything answers, and which profiles' probe registers are as expected. */
static int
find_fitting(struct probe *p)
{
    bool answered = false;
    int rc = 0;

    for (int i = 0; i < profiles_n(p->profiles); i++) {
        const struct lw_profile *profile = profiles_at(p->profiles, i);
        if (!profile->probe.present && profile->sunspec == 0)
            continue;
        rc = probe_try(p->ask, p->arguments.unit, profile, &p->other);
        if (rc != 0 && rc != LW_EAGAIN) /* some devices are silent to what they lack */
            return rc;
        answered |= rc == 0;
        if (rc == 0 && p->other.fits && p->nfitting < FITTING_MOST)
            p->fitting[p->nfitting++] = profile;
    }
    return answered ? 0 : LW_EAGAIN;
}

static int
worth(const struct probe_result *r)
{
    return 2 * r->likely_so - r->others;
}

/* Reads the device by the profile, and keeps the result where it is the best so far. */
static int
consider(struct probe *p, const struct lw_profile *profile)
{
    int rc = probe_all(p->ask, p->arguments.unit, profile, p->zone, &p->other);

    if (rc == LW_EAGAIN)
        return 0;
    if (rc == 0 && (!p->found || worth(&p->other) > worth(&p->best))) {
        p->best = p->other;
        p->found = true;
    }
    return rc;
}

/* The one that makes most sense of the device: of those that fit; else of all, read in
 * whatever way. */
static int
find_best(struct probe *p)
{
    int rc = 0;

    if (p->arguments.profile) {
        rc = probe_all(p->ask, p->arguments.unit,
                       profiles_find(p->profiles, p->arguments.profile), p->zone,
                       &p->best);
        p->found = rc == 0;
        return rc;
    }
    rc = find_fitting(p);
    for (int i = 0; i < p->nfitting && rc == 0; i++)
        rc = consider(p, p->fitting[i]);
    for (int i = 0; i < profiles_n(p->profiles) && rc == 0 && p->nfitting == 0; i++)
        if (profiles_at(p->profiles, i)->sunspec == 0)
            rc = consider(p, profiles_at(p->profiles, i));
    if (p->nfitting == 0 && p->found && p->best.likely_so < LIKELY_LEAST)
        p->found = false;
    return rc;
}

/* ---- what is told ---- */

typedef void tell_fn(void *arg, const char *text);

static const char *
failure(int code, char text[TEXT])
{
    if (code > 0)
        snprintf(text, TEXT, "exception %d", code);
    else
        snprintf(text, TEXT, "%s",
                 code == LW_EAGAIN ? "no answer" : lw_result_text(code));
    return text;
}

static void
warn_probe(const struct probe_result *r, tell_fn *tell, void *arg)
{
    const struct lw_probe *probe = &r->profile->probe;
    char text[TEXT];

    if (r->fits)
        return;
    if (!probe->present && r->profile->sunspec == 0) {
        tell(arg, "the profile has no probe register: nothing tells a wrong one");
    } else if (isnan(r->probe_value)) {
        tell(arg, r->profile->sunspec != 0
                      ? "the device does not have this SunSpec model"
                      : "the profile's probe register cannot be read: it does not fit");
    } else {
        snprintf(text, sizeof text,
                 "the probe register 0x%04X is %.10g; %.10g to %.10g was expected: the "
                 "profile does not fit",
                 probe->reg.address, r->probe_value, probe->min, probe->max);
        tell(arg, text);
    }
}

static void
warn(const struct probe *p, tell_fn *tell, void *arg)
{
    const struct probe_result *r = &p->best;
    char text[TEXT];
    int doubtful = 0;

    warn_probe(r, tell, arg);
    for (int i = 0; i < r->n; i++)
        doubtful += r->point[i].doubtful;
    if (doubtful > 0) {
        snprintf(text, sizeof text, "%d values are not what a meter in use shows",
                 doubtful);
        tell(arg, text);
    }
    if (r->order) {
        snprintf(text, sizeof text,
                 "the %s seems to be wrong: %d values make sense the other way round, %d "
                 "as the profile has it",
                 r->order, r->likely_so, r->likely);
        tell(arg, text);
    }
    if (r->shift != 0) {
        snprintf(text, sizeof text,
                 "%sthe addresses seem to be too %s by one: %d values make sense beside "
                 "them, %d where the profile has them",
                 r->order ? "or " : "", r->shift > 0 ? "low" : "high", r->likely_so,
                 r->likely);
        tell(arg, text);
    }
    if (r->profile->unverified)
        tell(arg, "nobody has held this profile against a device yet");
}

/* ---- for people ---- */

static void
print_warning(void *arg, const char *text)
{
    (void)arg;
    printf("warning: %s\n", text);
}

static void
print_point(const struct probe_point *point)
{
    char text[TEXT];
    printf("%s %-22s %14s %-5s  %d 0x%04X ", point->doubtful ? "?" : " ", point->name,
           point->code == 0 ? point->value : failure(point->code, text), point->unit,
           point->reg->function, point->address);
    for (size_t i = 0; point->code == 0 && i < lw_register_words(point->reg); i++)
        printf(" %02X%02X", point->data[2 * i], point->data[2 * i + 1]);
    putchar('\n');
}

static void
print_text(const struct probe *p)
{
    const struct probe_result *r = &p->best;
    const struct lw_profile *profile = r->profile;

    printf("%s unit %d: %s (%s %s%s%s)\n", p->arguments.device.address, p->arguments.unit,
           profile->id, profile->vendor, profile->model, *profile->variant ? ", " : "",
           profile->variant);
    for (int i = 0; i < p->nfitting; i++)
        if (p->fitting[i] != profile)
            printf("fits less well: %s\n", p->fitting[i]->id);
    if (*r->serial)
        printf("serial number: %s\n", r->serial);
    if (r->has_drift)
        printf("its clock is %lld ms %s\n", (long long)llabs(r->drift_ms),
               r->drift_ms < 0 ? "behind" : "ahead");
    if (profile->baud != 0)
        printf("leaves its factory at %d baud, 8%c%d\n", (int)profile->baud,
               profile->parity ? profile->parity : 'N',
               profile->stop_bits ? profile->stop_bits : 1);
    printf("\n  %-22s %14s %-5s  FC, address and registers\n", "point", "value", "unit");
    for (int i = 0; i < r->n; i++)
        print_point(&r->point[i]);
    putchar('\n');
    warn(p, print_warning, NULL);
}

/* ---- for programs ---- */

static void
add_warning(void *arg, const char *text)
{
    json_array_append_new(arg, json_string(text));
}

static json_t *
point_json(const struct probe_point *point)
{
    char text[TEXT];
    json_t *registers = json_array();

    for (size_t i = 0; point->code == 0 && i < lw_register_words(point->reg); i++)
        json_array_append_new(
            registers, json_integer(point->data[2 * i] << 8 | point->data[2 * i + 1]));
    json_t *json = json_pack(
        "{s:s, s:s, s:s?, s:i, s:i, s:o, s:b}", "name", point->name, "unit", point->unit,
        "value", point->code == 0 ? point->value : NULL, "function", point->reg->function,
        "address", point->address, "registers", registers, "doubtful", point->doubtful);
    if (json && point->code != 0)
        json_object_set_new(json, "failure", json_string(failure(point->code, text)));
    return json;
}

static void
print_json(const struct probe *p)
{
    const struct probe_result *r = &p->best;
    json_t *points = json_array(), *warnings = json_array(), *fitting = json_array();

    for (int i = 0; p->found && i < r->n; i++)
        json_array_append_new(points, point_json(&r->point[i]));
    for (int i = 0; i < p->nfitting; i++)
        json_array_append_new(fitting, json_string(p->fitting[i]->id));
    if (p->found)
        warn(p, add_warning, warnings);
    json_t *report =
        json_pack("{s:s, s:i, s:s?, s:b, s:o, s:s?, s:o, s:o}", "address",
                  p->arguments.device.address, "unit", p->arguments.unit, "profile",
                  p->found ? r->profile->id : NULL, "fits", p->found && r->fits,
                  "fitting", fitting, "serial", p->found && *r->serial ? r->serial : NULL,
                  "points", points, "warnings", warnings);
    if (report && p->found && r->has_drift)
        json_object_set_new(report, "drift_ms", json_integer(r->drift_ms));
    json_dumpf(report, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(report);
}

/* ---- arguments ---- */

static bool
whole(const char *s, long most, long *ret)
{
    char *end;
    *ret = strtol(s, &end, 10);
    return *s >= '0' && *s <= '9' && *end == 0 && *ret <= most;
}

/* CLI_DONE: go on. */
static int
parse(int argc, char **argv, struct arguments *a, bool *ret_help)
{
    long n;
    int c;

    *a = (struct arguments){
        .profiles = "",
        .timezone = CLI_TIMEZONE,
        .unit = 1,
        .device = {.timeout_ms = TIMEOUT_MS, .baud = 9600, .stop_bits = 1}};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'u':
            if (!whole(optarg, 255, &n)) {
                fprintf(stderr, "--unit: expected 0 to 255, not \"%s\"\n", optarg);
                return CLI_INPUT;
            }
            a->unit = (uint8_t)n;
            break;
        case 't':
            if (!whole(optarg, TIMEOUT_MOST_MS, &n) || n == 0) {
                fprintf(stderr, "--timeout: expected 1 to %d ms, not \"%s\"\n",
                        TIMEOUT_MOST_MS, optarg);
                return CLI_INPUT;
            }
            a->device.timeout_ms = (int)n;
            break;
        case 'r':
            a->device.rtu = true;
            break;
        case ASK_BAUD:
        case ASK_PARITY:
        case ASK_STOP_BITS:
            if (!ask_line_option(c, optarg, &a->device))
                return CLI_INPUT;
            break;
        case 'p':
            a->profile = optarg;
            break;
        case 'P':
            a->profiles = optarg;
            break;
        case 'z':
            a->timezone = optarg;
            break;
        case 'j':
            a->json = true;
            break;
        case 'h':
            *ret_help = true;
            return CLI_DONE;
        default:
            return cli_misused(usage);
        }
    }
    if (optind != argc - 1)
        return cli_misused(usage);
    a->device.address = argv[optind];
    return CLI_DONE;
}

static int
load(struct probe *p)
{
    static struct lw_faults faults;
    char *tzif = NULL;
    size_t n = 0;
    int rc = profiles_load(p->arguments.profiles, &faults, &p->profiles);

    if (rc != 0) {
        faults_print(stderr, &faults);
        return rc;
    }
    if (p->arguments.profile && !profiles_find(p->profiles, p->arguments.profile)) {
        fprintf(stderr, "there is no profile \"%s\"\n", p->arguments.profile);
        return LW_ENOTFOUND;
    }
    rc = files_zone(p->arguments.timezone, &tzif, &n);
    if (rc == 0)
        rc = lw_zone_new(tzif, n, &p->zone);
    if (rc != 0)
        fprintf(stderr, "%s: no such time zone; expected such as " CLI_TIMEZONE "\n",
                p->arguments.timezone);
    free(tzif);
    return rc;
}

static int
run(struct probe *p)
{
    const char *address = p->arguments.device.address;
    int rc = ask_open(&p->arguments.device, &p->ask);

    if (rc == LW_EINVAL) {
        fprintf(stderr, "%s: expected HOST:PORT, or a device such as /dev/ttyUSB0\n",
                address);
        return CLI_INPUT;
    }
    if (rc == 0)
        rc = find_best(p);
    if (rc != 0) {
        const char *why = rc == LW_EIO      ? strerror(errno)
                          : rc == LW_EAGAIN ? "no answer"
                          : rc == LW_EPROTO ? "what answers there is no "
                                            : lw_result_text(rc);
        fprintf(stderr, "%s unit %d: %s%s\n", address, p->arguments.unit, why,
                rc == LW_EPROTO ? ask_protocol(p->ask) : "");
        return CLI_FAILED;
    }
    if (p->arguments.json)
        print_json(p);
    else if (p->found)
        print_text(p);
    if (!p->found)
        fprintf(stderr,
                "%s unit %d answers, and no profile with a probe register fits; see "
                "--profile\n",
                address, p->arguments.unit);
    return p->found && (p->best.fits ||
                        (p->arguments.profile && !p->best.profile->probe.present))
               ? CLI_DONE
               : CLI_FAILED;
}

int
cli_probe(int argc, char **argv)
{
    static struct probe p;
    bool help = false;
    int rc = parse(argc, argv, &p.arguments, &help);

    if (help)
        fputs(usage, stdout);
    if (help || rc != CLI_DONE)
        return rc;
    rc = load(&p) == 0 ? run(&p) : CLI_INPUT;
    ask_close(p.ask);
    lw_zone_free(p.zone);
    profiles_free(p.profiles);
    return rc;
}
