/* RFC 4180 CSV, a row at a time, with the position of every cell. */
#ifndef LODEWATCH_CSV_H
#define LODEWATCH_CSV_H

#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>

enum {
    LW_CSV_CELLS = 128,
    LW_CSV_ROW = 65536
};

struct lw_csv_cell {
    const char *s; /* NUL-terminated; in the reader's row buffer */
    uint32_t n;
    uint32_t line;   /* where it begins, from 1 */
    uint32_t column; /* in bytes, from 1 */
};

/* Takes text in pieces of any size, so that a file need not be in memory. */
struct lw_csv;
LW_MUSTCHECK
int lw_csv_new(struct lw_csv **ret_csv);
void lw_csv_free(struct lw_csv *csv);
/* Borrows `data` until it is used up. A BOM at the very start is skipped. */
void lw_csv_feed(struct lw_csv *csv, const char *data, size_t n);
/* Says that no more text comes: a last row without a line end is complete. */
void lw_csv_end(struct lw_csv *csv);
/* 1: a row (cells stay valid until the next call; blank lines are skipped); 0: the text
 * is at its end; LW_EAGAIN: feed more; LW_EPARSE: *ret_error says what, at *ret_cell's
 * place. */
LW_MUSTCHECK
int lw_csv_next(struct lw_csv *csv, const struct lw_csv_cell **ret_cells, size_t *ret_n,
                const char **ret_error);
/* Where the reader stands: after LW_EPARSE, the place of the fault. */
void lw_csv_position(const struct lw_csv *csv, uint32_t *ret_line, uint32_t *ret_column);

#endif
