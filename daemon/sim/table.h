/* A small CSV file with a header: the simulator's --shapes and --faults. */
#ifndef DAEMON_SIM_TABLE_H
#define DAEMON_SIM_TABLE_H

#include <stddef.h>

#include <lodewatch/csv.h>
#include <lodewatch/fault.h>

enum {
    TABLE_COLUMNS = 8,
    TABLE_BYTES = 1 << 26
};

struct table_reader {
    const char *path;
    const char *const *columns; /* all of them are required, in any order */
    size_t ncolumns;            /* at most TABLE_COLUMNS */
    /* cell[i] is of columns[i]. 0, or LW_EPARSE with a fault, or LW_ENOMEM. */
    int (*row)(void *arg, const struct lw_csv_cell cell[TABLE_COLUMNS]);
    void *arg;
    struct lw_faults *faults;
};

/* Reads all rows; those after one with a fault as well. LW_EPARSE, LW_EIO, LW_ENOMEM; a
 * fault says why, but for LW_ENOMEM. */
int table_read(const struct table_reader *reader);

void table_fault(const struct table_reader *reader, const struct lw_csv_cell *cell,
                 const char *text);

#endif
