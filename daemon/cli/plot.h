/* A load curve on a terminal: a line a stretch of time, a bar as long as its mean power.
 */
#ifndef DAEMON_CLI_PLOT_H
#define DAEMON_CLI_PLOT_H

#include <stdint.h>

#include <lodewatch/time.h>

enum {
    PLOT_LINES = 48,
    PLOT_METERS = 64 /* meters whose sum is drawn */
};

struct plot_line {
    double wh;
    double covered_ms; /* of all meters together */
};

struct plot {
    int64_t from, step; /* ms */
    int lines, meters;
    struct plot_line line[PLOT_LINES];
};

/* For at least the time from `from` to `to`, in steps that fall on round times. */
void plot_init(struct plot *plot, int64_t from, int64_t to, int meters);
/* What one meter measured between two times. */
void plot_add(struct plot *plot, int64_t from, int64_t to, int64_t wh);
/* `expected_w` is drawn as a mark in the lines between `from` and `to`. */
void plot_print(const struct plot *plot, const struct lw_zone *zone, int64_t from,
                int64_t to, int64_t expected_w);

#endif
