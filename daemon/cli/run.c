/* A run over recorded readings: loads what it needs and shows it event by event. */
#include "daemon/cli/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include <lodewatch/codec.h>

#include "daemon/cli/cli.h"
#include "daemon/files.h"

enum {
    CHUNK = 256 * 1024,
    RULES_BYTES = 1 << 20,
    HOLIDAYS_BYTES = 1 << 20
};

bool
run_option(struct run_source *source, int c, const char *value)
{
    switch (c) {
    case 'l':
        source->ledger = value;
        return true;
    case 'f':
        source->from = value;
        return true;
    case 't':
        source->to = value;
        return true;
    case 'd':
        source->deployment = value;
        return true;
    case 'z':
        source->timezone = value;
        return true;
    case 'y':
        source->holidays = value;
        return true;
    }
    return false;
}

/* --- what a run needs */

static int
read_text(const char *file, size_t most, char **ret_text, size_t *ret_n,
          struct lw_faults *faults)
{
    int rc = files_read(file, most, ret_text, ret_n);

    if (rc != 0)
        lw_fault_add(faults, file, 0, 0, "cannot be read: %s", strerror(errno));
    return rc;
}

static int
load_ledger(struct run *run, struct lw_faults *faults)
{
    const struct run_source *s = run->source;
    const char *timezone = s->timezone ? s->timezone : CLI_TIMEZONE;
    struct files_ledger files = {0};
    char *tzif = NULL, *holidays = NULL;
    size_t tzif_n = 0, holidays_n = 0;
    int rc = files_zone(timezone, &tzif, &tzif_n);

    if (rc != 0)
        lw_fault_add(faults, timezone, 0, 0,
                     "no such time zone; expected such as " CLI_TIMEZONE);
    if (rc == 0 && s->holidays)
        rc = read_text(s->holidays, HOLIDAYS_BYTES, &holidays, &holidays_n, faults);
    if (rc == 0)
        rc = files_ledger_load(s->ledger, faults, &files);
    if (rc == 0) {
        files.text.deployment = s->deployment ? s->deployment : "";
        files.text.tzif = tzif;
        files.text.tzif_n = tzif_n;
        files.text.holidays = holidays;
        files.text.holidays_n = holidays_n;
        rc = lw_ledger_new(&files.text, faults, &run->ledger);
    }
    if (rc != 0 && faults->n == 0)
        lw_fault_add(faults, s->ledger, 0, 0, "%s", lw_result_text(rc));
    files_ledger_free(&files);
    free(tzif);
    free(holidays);
    return rc == 0 ? CLI_DONE : CLI_INPUT;
}

static int
parse_time(const struct run *run, const char *option, const char *s, lw_wall *time,
           struct lw_faults *faults)
{
    if (s == NULL ||
        lw_wall_parse(s, strlen(s), run->ledger->zone, LW_DATE_START, time) == 0)
        return CLI_DONE;
    lw_fault_add(faults, option, 0, 0,
                 "\"%s\" is no time; expected one such as 2025-03-12T18:31:07+08:00", s);
    return CLI_INPUT;
}

int
run_open(struct run *run, const struct run_source *source, struct lw_faults *faults)
{
    *run = (struct run){.source = source, .from = LW_WALL_MIN, .to = LW_WALL_MAX};
    int status = load_ledger(run, faults);

    if (status == CLI_DONE)
        status = parse_time(run, "--from", source->from, &run->from, faults);
    if (status == CLI_DONE)
        status = parse_time(run, "--to", source->to, &run->to, faults);
    if (status != CLI_DONE)
        run_close(run);
    return status;
}

void
run_close(struct run *run)
{
    lw_ledger_free(run->ledger);
    run->ledger = NULL;
}

int
run_rules(const char *file, struct lw_rules *ret_rules, struct lw_faults *faults)
{
    char *text = NULL;
    size_t n = 0;
    int rc = 0;

    if (file)
        rc = read_text(file, RULES_BYTES, &text, &n, faults);
    if (rc == 0)
        rc = lw_rules_parse(file ? file : "", text, n, faults, ret_rules);
    free(text);
    return rc == 0 ? CLI_DONE : CLI_INPUT;
}

/* --- its rows */

struct rows {
    struct run *run;
    const char *name;
    struct lw_readings *parser;
    lw_wall last; /* of the events that were shown */
    bool over;    /* the first row at or after `to` was seen */
    run_event *each;
    void *arg;
};

/* Shows the rows of what was fed. */
static int
show_rows(struct rows *r, struct lw_faults *faults)
{
    struct lw_event event;
    struct lw_fault fault;
    int rc;

    while ((rc = lw_readings_next(r->parser, &event, &fault)) == 1) {
        if (event.at.ms < r->run->from.ms)
            continue;
        if (event.at.ms >= r->run->to.ms) {
            r->over = true;
            return CLI_DONE;
        }
        r->run->readings++;
        r->last = event.at;
        if (!r->each(r->arg, &event))
            return CLI_FAILED;
    }
    if (rc != LW_EPARSE)
        return CLI_DONE;
    lw_fault_add(faults, fault.file, fault.line, fault.column, "%s", fault.text);
    return CLI_INPUT;
}

/* Reads the file, plain or compressed, to its end or to `to`. */
static int
read_rows(struct rows *r, gzFile file, struct lw_faults *faults)
{
    static char chunk[CHUNK];
    int status = CLI_DONE, error, n;

    while (status == CLI_DONE && !r->over && (n = gzread(file, chunk, CHUNK)) > 0) {
        lw_readings_feed(r->parser, chunk, (size_t)n);
        status = show_rows(r, faults);
    }
    if (status != CLI_DONE || r->over)
        return status;
    const char *text = gzerror(file, &error);
    if (error != Z_OK && error != Z_STREAM_END) {
        lw_fault_add(faults, r->name, 0, 0, "cannot be read: %s",
                     error == Z_ERRNO ? strerror(errno) : text);
        return CLI_INPUT;
    }
    lw_readings_end(r->parser);
    return show_rows(r, faults);
}

/* The tick that closes the run: timers due by its end take effect. */
static bool
show_end(const struct rows *r)
{
    struct lw_event tick = {.kind = LW_EVENT_TICK, .at = r->run->to};

    if (tick.at.ms == LW_WALL_MAX.ms)
        tick.at = r->last;
    return tick.at.ms == LW_WALL_MIN.ms || r->each(r->arg, &tick);
}

int
run_events(struct run *run, run_event *each, void *arg, struct lw_faults *faults)
{
    const char *path = run->source->readings;
    bool standard_input = strcmp(path, "-") == 0;
    struct rows rows = {.run = run,
                        .name = standard_input ? "standard input" : path,
                        .last = LW_WALL_MIN,
                        .each = each,
                        .arg = arg};
    gzFile file = standard_input ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    int status;

    if (file == NULL) {
        lw_fault_add(faults, rows.name, 0, 0, "cannot be read: %s", strerror(errno));
        return CLI_INPUT;
    }
    gzbuffer(file, CHUNK);
    run->readings = 0;
    if (lw_readings_new(rows.name, run->ledger, &rows.parser) != 0) {
        fputs("lodewatch: out of memory\n", stderr);
        status = CLI_FAILED;
    } else {
        status = read_rows(&rows, file, faults);
        if (status == CLI_DONE && !show_end(&rows))
            status = CLI_FAILED;
    }
    lw_readings_free(rows.parser);
    gzclose(file);
    return status;
}
