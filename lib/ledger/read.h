/* Reading one table: its columns (columns.c), its cells (cells.c), its rows (read.c). */
#ifndef LEDGER_READ_H
#define LEDGER_READ_H

#include <lodewatch/csv.h>

#include "build.h"

enum cell_kind {
    CELL_ID,      /* const char *; the rules of an id */
    CELL_REF,     /* a reference: the id of a row, by place in lw_row */
    CELL_CODE,    /* const char *; digits that a spreadsheet could spoil */
    CELL_TEXT,    /* const char *; of at most `max` bytes, where that is not 0 */
    CELL_ENUM,    /* int */
    CELL_NUMBER,  /* an integer of 1, 4 or 8 bytes, in units of 1/per_unit */
    CELL_RATIO,   /* "40" or "200/5", in 1/1000 */
    CELL_BOOL,    /* bool */
    CELL_FROM,    /* lw_wall; blank: always was */
    CELL_TO,      /* lw_wall; blank: no end */
    CELL_REMOVED, /* the same, but a date alone is the start of that day: on the day of an
                     exchange one meter goes and its successor comes */
    CELL_HOURS,   /* struct lw_hours */
};

struct column {
    const char *name;
    enum cell_kind kind;
    bool key; /* must be there and not blank */
    uint16_t offset;
    uint16_t size;
    int type; /* an enum's lw_enum_type, a reference's place in lw_row */
    int64_t per_unit, min, max;
    int64_t fallback; /* of a blank cell */
};

/* A file's columns, and the two that are a time span (or -1). */
struct sheet {
    const struct column *columns;
    int ncolumns;
    int from, to;
    size_t size;  /* of the table's struct */
    size_t extra; /* where in it the unknown columns go */
};

extern const struct sheet lw_sheets[LW_TABLES];

enum {
    COLUMNS = 20,
    SITE_LAT = 8,
    SITE_LON = 9,
    SITE_REVIEWED_AT = 18,
    METER_MODULUS = 17,
    UNKNOWN = -1
};

struct reader {
    struct lw_build *b;
    const char *file;
    const struct sheet *sheet;
    struct lw_rows *rows;
    bool lost;                      /* a row could not be read */
    bool ready;                     /* the header has been read */
    int ncells;                     /* of it */
    int column[LW_CSV_CELLS];       /* the cell's column in the sheet, or UNKNOWN */
    char *header[LW_CSV_CELLS];     /* of an unknown one: its name, as JSON text */
    struct lw_place place[COLUMNS]; /* of this row's cells, by column */
    int rc;                         /* LW_ENOMEM */
};

#define FAULT(r, at, ...)                                                                \
    lw_fault_add((r)->b->faults, (r)->file, (at).line, (at).column, __VA_ARGS__)

/* A copy that lives as long as the ledger; "" and r->rc where memory is exhausted. */
const char *lw_cell_keep(struct reader *r, const char *s, size_t n);
/* Makes a row of blanks: what cells that are not there mean. */
void lw_cell_set_blank(const struct sheet *sheet, struct lw_row *row);
/* Reads a cell that is not blank into its member of the row, or notes the fault. */
void lw_cell_read(struct reader *r, const struct lw_csv_cell *cell,
                  const struct column *column, struct lw_row *row);

#endif
