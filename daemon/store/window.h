/* A window of readings over both tiers: rows of the open days, blocks of the closed ones,
 * in the order of time and meter, each reading once.
 *
 * Ask for the rows first, then for the blocks. Compaction commits a block before it drops
 * the rows, so what moves in between comes twice and is told once; the other way round it
 * might not come at all. */
#ifndef DAEMON_STORE_WINDOW_H
#define DAEMON_STORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include <lodewatch/day_pack.h>

enum {
    WINDOW_ROWS = 1 << 20, /* at most, some 150 MB */
};

struct window_row {
    struct lw_reading reading; /* meter: the database's integer */
    bool hot;                  /* it came as a row */
};

struct window {
    lw_wall from, to; /* `to` exclusive */
    size_t most;
    size_t n;
    struct window_row *row;
    int rc; /* LW_EFULL: more than WINDOW_ROWS; LW_EPARSE: something stored is damaged */
    size_t cap;
    struct lw_day_codec *codec;
    struct lw_reading *block;
};

LW_MUSTCHECK
int window_new(struct window **ret_window);
void window_free(struct window *window);
/* Empties it, for another span; one that ends with the UTC day in which it begins. Where
 * one meter is asked for, the first `most` readings of each tier are enough; 0: all. */
void window_begin(struct window *window, lw_wall from, lw_wall to, size_t most);
/* The two questions, COPY … TO STDOUT; `meters` are integers, separated by commas; NULL:
 * all. Owned by the caller; NULL: no memory. */
char *window_rows_sql(const struct window *window, const char *meters);
char *window_blocks_sql(const struct window *window, const char *meters);
/* Take their answers, piece by piece (pg_take). */
void window_take_row(void *window, const char *data, size_t n);
void window_take_block(void *window, const char *data, size_t n);
/* Puts what came in order. */
void window_end(struct window *window);

#endif
