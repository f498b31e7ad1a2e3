/* The history: days that are closed go out of `reading` into packed blocks, one a meter
 * and day, and into hours; what is older than is to be kept goes, but for what is held as
 * evidence. Run by `lodewatch compact`, a process of its own. */
#ifndef DAEMON_STORE_HISTORY_H
#define DAEMON_STORE_HISTORY_H

#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/result.h>

struct history_options {
    int64_t hot_days;   /* whole days before today that stay as rows */
    int64_t day_months; /* the readings are kept so long; 0: for ever */
    int64_t hour_years; /* their hours are kept so long; 0: for ever */
};

struct history_day {
    char day[16]; /* "2025-03-12" */
    int64_t readings;
    int64_t meters;
    int64_t bytes; /* of their blocks */
};

/* What was done, told as it is done. */
struct history_report {
    void (*day)(void *arg, const struct history_day *day);
    void (*dropped)(void *arg, const char *table, int64_t rows); /* rows -1: all of it */
    void *arg;
};

/* A day that fails is left as it is and the next one follows; LW_EIO then, with faults.
 * One at a time: LW_EIO where another one is at work. */
LW_MUSTCHECK
int history_compact(const char *conninfo, const struct history_options *options,
                    const struct history_report *report, struct lw_faults *faults);

#endif
