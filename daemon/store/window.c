/* A window of readings over both tiers. */
#include "daemon/store/window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/store/copy_rows.h"

int
window_new(struct window **ret_window)
{
    struct window *w = calloc(1, sizeof(*w));

    if (w)
        w->block = calloc(LW_DAY_READINGS, sizeof(*w->block));
    if (!w || !w->block || lw_day_codec_new(&w->codec) < 0) {
        window_free(w);
        return LW_ENOMEM;
    }
    *ret_window = w;
    return 0;
}

void
window_free(struct window *window)
{
    if (!window)
        return;
    lw_day_codec_free(window->codec);
    free(window->block);
    free(window->row);
    free(window);
}

void
window_begin(struct window *window, lw_wall from, lw_wall to, size_t most)
{
    window->from = from;
    window->to = to;
    window->most = most;
    window->n = 0;
    window->rc = 0;
}

static void
put_meters(FILE *to, const char *meters)
{
    if (meters)
        fprintf(to, " AND meter_id IN (%s)", meters[0] ? meters : "NULL");
}

char *
window_rows_sql(const struct window *window, const char *meters)
{
    char from[LW_TIME_TEXT], to[LW_TIME_TEXT];
    char *sql = NULL;
    size_t n;
    FILE *text = open_memstream(&sql, &n);

    if (!text)
        return NULL;
    lw_wall_format(window->from, from);
    lw_wall_format(window->to, to);
    fputs("COPY (SELECT ", text);
    copy_reading_columns(text);
    fprintf(text, " FROM reading WHERE ts >= '%s' AND ts < '%s'", from, to);
    put_meters(text, meters);
    if (window->most > 0)
        fprintf(text, " ORDER BY ts LIMIT %zu", window->most);
    fputs(") TO STDOUT (FORMAT binary)", text);
    fclose(text);
    return sql;
}

char *
window_blocks_sql(const struct window *window, const char *meters)
{
    char day[LW_TIME_TEXT];
    char *sql = NULL;
    size_t n;
    FILE *text = open_memstream(&sql, &n);

    if (!text)
        return NULL;
    lw_wall_format(window->from, day);
    fprintf(text, "COPY (SELECT meter_id, d FROM reading_day WHERE day = '%.10s'", day);
    put_meters(text, meters);
    fputs(") TO STDOUT (FORMAT binary)", text);
    fclose(text);
    return sql;
}

static void
add(struct window *w, const struct lw_reading *r, bool hot)
{
    if (r->time.ms < w->from.ms || r->time.ms >= w->to.ms)
        return;
    if (w->n == WINDOW_ROWS) {
        w->rc = LW_EFULL;
        return;
    }
    if (w->n == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 1024;
        struct window_row *row = realloc(w->row, cap * sizeof(*row));

        if (!row) {
            w->rc = LW_ENOMEM;
            return;
        }
        w->row = row;
        w->cap = cap;
    }
    w->row[w->n++] = (struct window_row){*r, hot};
}

void
window_take_row(void *window, const char *data, size_t n)
{
    struct window *w = window;
    struct copy_field field[COPY_READING];
    struct lw_reading r;
    int rc;

    if (w->rc < 0 || (rc = copy_split(data, n, field, COPY_READING)) == 0)
        return;
    if (rc < 0 || copy_reading(field, &r) < 0)
        w->rc = LW_EPARSE;
    else
        add(w, &r, true);
}

void
window_take_block(void *window, const char *data, size_t n)
{
    struct window *w = window;
    struct copy_field field[2];
    size_t before = w->n;
    size_t k = 0;
    int rc;

    if (w->rc < 0 || (rc = copy_split(data, n, field, 2)) == 0)
        return;
    if (rc < 0 || !field[1].data)
        w->rc = LW_EPARSE;
    else
        w->rc = lw_day_unpack(w->codec, field[1].data, (size_t)field[1].n, w->block,
                              LW_DAY_READINGS, &k);
    for (size_t i = 0; i < k && w->rc == 0; i++) {
        if (w->most > 0 && w->n - before == w->most)
            break;
        w->block[i].meter = (uint32_t)copy_int(&field[0], 0);
        add(w, &w->block[i], false);
    }
}

static int
by_time(const void *a, const void *b)
{
    const struct window_row *x = a, *y = b;

    if (x->reading.time.ms != y->reading.time.ms)
        return x->reading.time.ms < y->reading.time.ms ? -1 : 1;
    if (x->reading.meter != y->reading.meter)
        return x->reading.meter < y->reading.meter ? -1 : 1;
    return (int)x->hot - (int)y->hot;
}

void
window_end(struct window *window)
{
    struct window_row *row = window->row;
    size_t n = 0;

    if (window->n > 1)
        qsort(row, window->n, sizeof(*row), by_time);
    for (size_t i = 0; i < window->n; i++) {
        if (n > 0 && row[n - 1].reading.time.ms == row[i].reading.time.ms &&
            row[n - 1].reading.meter == row[i].reading.meter)
            continue;
        row[n++] = row[i];
    }
    window->n = n;
}
