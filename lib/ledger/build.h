/* How a ledger is made: rows as read (read.c), put in order and checked as a whole
 * (check.c, check_meters.c), then kept with hash tables over the ids (ledger.c). */
#ifndef LEDGER_BUILD_H
#define LEDGER_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/csv.h>
#include <lodewatch/ledger.h>

/* Strings and extras live here until the ledger goes. */
struct lw_arena {
    struct lw_arena_block *block;
};
/* n bytes, not set; NULL: memory is exhausted. */
char *lw_arena_take(struct lw_arena *arena, size_t n);
void lw_arena_free(struct lw_arena *arena);

/* A hash table from ids to the rows of an array whose structs begin with the id. */
struct lw_idmap {
    struct lw_idmap_slot *slot;
    size_t mask;
    const char *rows;
    size_t stride;
};
/* Of rows with the same id the first is found. `next` (or NULL) gets, for each row, the
 * next one with its id, or LW_NONE. LW_ENOMEM. */
LW_MUSTCHECK
int lw_idmap_new(struct lw_idmap *map, const void *rows, size_t stride, int32_t n,
                 int32_t *next);
void lw_idmap_free(struct lw_idmap *map);
/* The row, or LW_NONE. */
int32_t lw_idmap_find(const struct lw_idmap *map, const char *id, size_t n);

struct lw_ledger_index {
    struct lw_arena arena;
    struct lw_zone *zone;
    struct lw_idmap area, site, gateway, point, meter;
    int32_t *next_meter;    /* the next row of the same meter id */
    void *owned[LW_TABLES]; /* the ledger's arrays */
    struct lw_metering_point *points;
    int32_t *holidays;
    struct lw_unknown_column unknown[LW_TABLES * LW_CSV_CELLS];
};

/* Where a cell stands; line 0: the column is not in the file. */
struct lw_place {
    uint32_t line;
    uint32_t column;
};

/* A cell that names a row elsewhere; id is "" where it is blank. */
struct lw_ref {
    const char *id;
    struct lw_place at;
};

/* Which reference of a row is which. */
enum {
    REF_PARENT = 0,
    REF_AREA = 0,
    REF_SITE = 1,
    REF_POINT = 2,
    REF_GATEWAY = 3,
    REFS = 4
};

/* A row as read: this head, then the struct of its table. */
struct lw_row {
    struct lw_place at;
    bool faulty; /* a cell of it is; then what it lacks is no fault of its own */
    struct lw_ref ref[REFS];
};

/* What a row of meters.csv says, also of its point. */
struct lw_meter_row {
    struct lw_meter meter;
    enum lw_meter_role role;
};

struct lw_rows {
    char *data;
    size_t stride;
    int32_t n;
    int32_t cap;
};

struct lw_build {
    const struct lw_ledger_text *text;
    struct lw_faults *faults;
    struct lw_ledger *ledger;
    struct lw_rows table[LW_TABLES];
    bool lost[LW_TABLES]; /* rows that could not be read: what names them is no fault */
};

static inline struct lw_row *
lw_row_at(const struct lw_rows *rows, int32_t i)
{
    return (struct lw_row *)(rows->data + rows->stride * (size_t)i);
}

/* The table's struct behind the head. */
static inline void *
lw_row_body(const struct lw_row *row)
{
    return (char *)(uintptr_t)(row + 1);
}

/* The table's file name in faults. */
const char *lw_build_file(const struct lw_build *b, enum lw_table table);

/* Reads a table's text into its rows. Faults are noted; LW_ENOMEM. */
LW_MUSTCHECK
int lw_build_read(struct lw_build *b, enum lw_table table);
/* Everything but meters: order, references, cycles; fills the ledger. LW_ENOMEM. */
LW_MUSTCHECK
int lw_build_check(struct lw_build *b);

/* Of check.c, for check_meters.c. */
typedef int lw_row_compare(const void *a, const void *b);
void lw_rows_sort(struct lw_rows *rows, lw_row_compare *compare);
/* Copies the rows' structs into an array that the ledger owns. */
LW_MUSTCHECK
int lw_rows_settle(struct lw_build *b, enum lw_table table, size_t size);
/* The row of `target` that a reference in `table` names (of LW_METERS: the point), or
 * LW_NONE: blank, or a fault where there is none. */
int32_t lw_build_resolve(struct lw_build *b, enum lw_table table,
                         const struct lw_ref *ref, enum lw_table target);
/* Notes each cycle of parent[] once (at place[]) and breaks it, so that parents can be
 * followed. LW_ENOMEM. */
LW_MUSTCHECK
int lw_build_no_cycles(struct lw_build *b, enum lw_table table, int32_t n,
                       int32_t *parent, const struct lw_place *place);

/* Points, meters and what hangs on them. LW_ENOMEM. */
LW_MUSTCHECK
int lw_build_check_meters(struct lw_build *b);

#endif
