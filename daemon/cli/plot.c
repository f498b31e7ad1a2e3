/* A load curve on a terminal. */
#include "daemon/cli/plot.h"

#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 50 /* characters of the longest bar, each in eighths */
};

void
plot_init(struct plot *plot, int64_t from, int64_t to, int meters)
{
    static const int64_t STEPS[] = {15 * LW_MINUTE, 30 * LW_MINUTE, LW_HOUR,
                                    2 * LW_HOUR,    4 * LW_HOUR,    8 * LW_HOUR,
                                    LW_DAY,         7 * LW_DAY,     28 * LW_DAY};
    size_t i = 0;

    *plot = (struct plot){.meters = meters};
    while (i + 1 < sizeof STEPS / sizeof *STEPS &&
           (to - lw_floor_to(from, STEPS[i])) > PLOT_LINES * STEPS[i])
        i++;
    plot->step = STEPS[i];
    plot->from = lw_floor_to(from, plot->step);
    plot->lines = (int)((to - plot->from + plot->step - 1) / plot->step);
    if (plot->lines > PLOT_LINES)
        plot->lines = PLOT_LINES;
}

void
plot_add(struct plot *plot, int64_t from, int64_t to, int64_t wh)
{
    for (int i = 0; i < plot->lines && from < to; i++) {
        int64_t a = plot->from + i * plot->step, b = a + plot->step;
        double share;

        a = a > from ? a : from;
        b = b < to ? b : to;
        if (a >= b)
            continue;
        share = (double)(b - a) / (double)(to - from);
        plot->line[i].wh += share * (double)wh;
        plot->line[i].covered_ms += (double)(b - a);
    }
}

/* Mean power of what is known; a meter that was away for a part counts as the rest. */
static double
mean_w(const struct plot *plot, int i)
{
    const struct plot_line *l = &plot->line[i];

    return l->covered_ms > 0 ? l->wh * LW_HOUR / l->covered_ms * plot->meters : 0;
}

static void
print_bar(double eighths, double mark)
{
    static const char *const PART[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int full = (int)(eighths / 8), rest = (int)eighths % 8, at = (int)(mark / 8);

    for (int i = 0; i <= WIDTH; i++) {
        if (mark >= 0 && i == at)
            fputs("│", stdout);
        else if (i < full)
            fputs("█", stdout);
        else
            fputs(i == full ? PART[rest] : " ", stdout);
    }
}

void
plot_print(const struct plot *plot, const struct lw_zone *zone, int64_t from, int64_t to,
           int64_t expected_w)
{
    double most = (double)(expected_w > 1 ? expected_w : 1);

    for (int i = 0; i < plot->lines; i++)
        if (mean_w(plot, i) > most)
            most = mean_w(plot, i);
    for (int i = 0; i < plot->lines; i++) {
        int64_t at = plot->from + i * plot->step;
        bool within = at + plot->step > from && at < to;
        double w = mean_w(plot, i);
        char time[LW_TIME_TEXT];

        lw_wall_format_zone((lw_wall){at}, zone, time);
        printf("  %.5s %.5s %c ", time + 5, time + 11, within ? '*' : ' ');
        if (plot->line[i].covered_ms <= 0) {
            puts("无数据 no data");
            continue;
        }
        print_bar(w / most * 8 * WIDTH,
                  within ? (double)expected_w / most * 8 * WIDTH : -1);
        printf(" %8.1f kW\n", w / 1000);
    }
}
