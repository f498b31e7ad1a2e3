/* `lodewatch watch`: alerts as they come, as sentences in Chinese and English. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lodewatch/codec.h>

#include "daemon/cli/alert_words.h"
#include "daemon/cli/cli.h"

static const char usage[] =
    "usage: lodewatch watch [--all] [FILE]\n"
    "\n"
    "Prints the alerts of an NDJSON file (default: standard input) as sentences in Chinese\n"
    "and English, as they come: tail -F alerts.ndjson | lodewatch watch\n"
    "\n"
    "In a flood (more than 10 alarms in 10 minutes) an alert is one line.\n"
    "\n"
    "  --all   low priorities and updates too, and all of each\n"
    "  --help  print this\n";

static void
print_alert(const struct lw_alert_brief *alert, bool all, bool colour)
{
    const struct alert_word *priority = alert_priority(alert->priority);
    const struct alert_word *kind = alert_kind(alert->type);
    bool low = strcmp(alert->priority, "low") == 0;
    bool updated = strstr(alert->type, ".updated.") != NULL;

    if (!all && (low || updated))
        return;
    printf("%s%.16s  %s %s / %s %s  %s  %s%s\n", colour ? priority->colour : "",
           alert->time, priority->zh, kind->zh, priority->name, kind->name, alert->rule,
           alert->subject, colour ? "\033[0m" : "");
    /* In a flood the line is what there is time for. */
    if (alert->flood > 0 && !all)
        return;
    printf("    %s%s%s\n", alert->name, *alert->name ? "：" : "", alert->zh);
    printf("    %s%s%s\n\n", alert->name_en, *alert->name_en ? ": " : "", alert->en);
    fflush(stdout);
}

static int
watch(FILE *in, const char *name, bool all)
{
    bool colour = isatty(STDOUT_FILENO);
    struct lw_alert_brief alert;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int rc = CLI_DONE;

    for (uint32_t number = 1; (n = getline(&line, &cap, in)) >= 0; number++) {
        if (n <= 1)
            continue;
        if (n > LW_ALERT_TEXT || lw_alert_brief(line, (size_t)n, &alert) != 0) {
            fprintf(stderr, "%s:%u:1: not an alert; expected one CloudEvent a line\n",
                    name, number);
            rc = CLI_INPUT;
        } else {
            print_alert(&alert, all, colour);
        }
    }
    if (ferror(in) || ferror(stdout)) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        rc = CLI_FAILED;
    }
    free(line);
    return rc;
}

int
cli_watch(int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool all = false;
    const char *name = "-";
    FILE *in = stdin;
    int option, rc;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'a':
            all = true;
            break;
        case 'h':
            return cli_help(usage);
        default:
            return cli_misused(usage);
        }
    }
    if (argc - optind > 1)
        return cli_misused(usage);
    if (optind < argc && strcmp(argv[optind], "-") != 0) {
        name = argv[optind];
        in = fopen(name, "re");
    }
    if (!in) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return CLI_INPUT;
    }
    rc = watch(in, name, all);
    if (in != stdin)
        fclose(in);
    return rc;
}
