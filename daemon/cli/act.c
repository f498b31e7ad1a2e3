/* `lodewatch read`, `ack`, `shelve` and `unshelve`: what the duty desk does to one alarm,
 * through the daemon. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <lodewatch/codec.h>
#include <lodewatch/result.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/http_ask.h"
#include "daemon/config.h"
#include "daemon/faults.h"

enum {
    READ,
    ACK,
    SHELVE,
    UNSHELVE
};

static const struct act {
    const char *act;
    const char *usage;
} acts[] = {
    [ACK] = {"acknowledge", "usage: lodewatch ack ALARM --by NAME --config FILE\n"
                            "\n"
                            "Says that somebody looks after the alarm with this id.\n"
                            "\n"},
    [SHELVE] =
        {"shelve",
         "usage: lodewatch shelve ALARM --until TIME --by NAME --reason TEXT\n"
         "                        --config FILE\n"
         "\n"
         "Puts one alarm aside, for at most 7 days. It comes back by itself, at once\n"
         "where it gets worse.\n"
         "\n"
         "  --until TIME   RFC 3339; without an offset it is local\n"
         "  --reason TEXT  why, for everybody to read\n"},
    [UNSHELVE] = {"unshelve", "usage: lodewatch unshelve ALARM --by NAME --config FILE\n"
                              "\n"
                              "Ends the shelving of an alarm before its time.\n"
                              "\n"},
    [READ] =
        {"read",
         "usage: lodewatch read ALARM --by NAME --config FILE\n"
         "\n"
         "Prints the alarm with this id, in Chinese and English; that it was read, when\n"
         "and by whom is recorded.\n"
         "\n"},
};

static const char common[] =
    "  --by NAME      who does it\n"
    "  --config FILE  the daemon's configuration; its token file must be readable\n"
    "  --help         print this\n";

enum option_key {
    OPTION_BY = 1,
    OPTION_UNTIL,
    OPTION_REASON,
    OPTION_CONFIG,
    OPTION_HELP
};

static const struct option options[] = {
    {"by", required_argument, NULL, OPTION_BY},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"reason", required_argument, NULL, OPTION_REASON},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void
print_usage(FILE *to, const struct act *act)
{
    fprintf(to, "%s%s", act->usage, common);
}

static const char *
text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "?";
}

static int
print_problem(int status, const char *body)
{
    json_t *problem = json_loads(body, 0, NULL);

    if (json_object_get(problem, "where"))
        fprintf(stderr, "lodewatch: %s %s; expected %s\n", text_of(problem, "where"),
                text_of(problem, "what"), text_of(problem, "expected"));
    else
        fprintf(stderr, "lodewatch: %d: %s\n", status, text_of(problem, "title"));
    json_decref(problem);
    return status == 400                    ? CLI_INPUT
           : status == 401 || status == 403 ? CLI_DENIED
                                            : CLI_FAILED;
}

static void
print_alarm(const char *body)
{
    json_t *event = json_loads(body, 0, NULL);
    const json_t *alarm = json_object_get(json_object_get(event, "data"), "alarm");
    const char *until = json_string_value(json_object_get(alarm, "shelved_until"));

    printf("%s %s: %s%s%s\n", text_of(alarm, "id"), text_of(event, "subject"),
           text_of(alarm, "state"), until ? " until " : "", until ? until : "");
    json_decref(event);
}

static void
print_words(const char *body)
{
    struct lw_alert_brief alert;

    if (lw_alert_brief(body, strlen(body), &alert) != 0)
        return;
    printf("    %s%s%s\n", alert.name, *alert.name ? "：" : "", alert.zh);
    printf("    %s%s%s\n", alert.name_en, *alert.name_en ? ": " : "", alert.en);
}

static int
post(const struct config *config, const json_t *act, bool words)
{
    char *json = json_dumps(act, JSON_COMPACT);
    char *token = http_token(config->token_file);
    char *body = NULL;
    int rc = CLI_DONE;
    int status =
        !json ? LW_EINVAL : http_ask(config->listen, "/api/v1/acts", token, json, &body);

    if (status == 200) {
        print_alarm(body);
        if (words)
            print_words(body);
    } else if (status > 0) {
        rc = print_problem(status, body);
    } else {
        fprintf(stderr, "lodewatch: the daemon does not answer: %s\n",
                status == LW_EIO ? strerror(errno) : lw_result_text(status));
        rc = CLI_FAILED;
    }
    free(body);
    free(token);
    free(json);
    return rc;
}

static int
run(const struct act *act, int argc, char **argv)
{
    static struct lw_faults faults;
    static struct config config;
    const char *path = NULL, *by = NULL, *until = NULL, *reason = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case OPTION_BY:
            by = optarg;
            break;
        case OPTION_UNTIL:
            until = optarg;
            break;
        case OPTION_REASON:
            reason = optarg;
            break;
        case OPTION_CONFIG:
            path = optarg;
            break;
        case OPTION_HELP:
            print_usage(stdout, act);
            return CLI_DONE;
        default:
            print_usage(stderr, act);
            return CLI_INPUT;
        }
    }
    if (argc - optind != 1 || !path || !by) {
        print_usage(stderr, act);
        return CLI_INPUT;
    }
    if (config_load(path, &config, &faults) < 0) {
        faults_print(stderr, &faults);
        return CLI_INPUT;
    }

    json_t *o = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "act", act->act, "alarm",
                          argv[optind], "by", by, "until", until, "reason", reason);

    if (!o) {
        fputs("lodewatch: an argument is not UTF-8\n", stderr);
        return CLI_INPUT;
    }
    int rc = post(&config, o, act == &acts[READ]);
    json_decref(o);
    return rc;
}

int
cli_read(int argc, char **argv)
{
    return run(&acts[READ], argc, argv);
}

int
cli_ack(int argc, char **argv)
{
    return run(&acts[ACK], argc, argv);
}

int
cli_shelve(int argc, char **argv)
{
    return run(&acts[SHELVE], argc, argv);
}

int
cli_unshelve(int argc, char **argv)
{
    return run(&acts[UNSHELVE], argc, argv);
}
