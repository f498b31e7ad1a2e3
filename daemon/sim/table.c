/* A small CSV file with a header, row by row, its cells in the order of the columns asked
 * for. */
#include "daemon/sim/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/files.h"

void
table_fault(const struct table_reader *reader, const struct lw_csv_cell *cell,
            const char *text)
{
    lw_fault_add(reader->faults, reader->path, cell->line, cell->column, "%s", text);
}

static int
read_header(const struct table_reader *reader, const struct lw_csv_cell *cells, size_t n,
            size_t place[TABLE_COLUMNS])
{
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        size_t c = 0;
        while (c < reader->ncolumns && strcmp(cells[i].s, reader->columns[c]) != 0)
            c++;
        if (c == reader->ncolumns) {
            lw_fault_add(reader->faults, reader->path, cells[i].line, cells[i].column,
                         "unknown column \"%.40s\"", cells[i].s);
            rc = LW_EPARSE;
        }
    }
    for (size_t c = 0; c < reader->ncolumns; c++) {
        place[c] = 0;
        while (place[c] < n && strcmp(cells[place[c]].s, reader->columns[c]) != 0)
            place[c]++;
        if (place[c] == n) {
            lw_fault_add(reader->faults, reader->path, 1, 0, "the column %s is missing",
                         reader->columns[c]);
            rc = LW_EPARSE;
        }
    }
    return rc;
}

static int
read_rows(const struct table_reader *reader, struct lw_csv *csv)
{
    const struct lw_csv_cell *cells;
    size_t n, width = 0, place[TABLE_COLUMNS];
    const char *error;
    int rc = 0, got;

    while ((got = lw_csv_next(csv, &cells, &n, &error)) == 1 && rc != LW_ENOMEM) {
        struct lw_csv_cell cell[TABLE_COLUMNS];
        if (width == 0) {
            rc = read_header(reader, cells, n, place);
            if (rc < 0)
                return rc;
            width = n;
            continue;
        }
        if (n != width) {
            table_fault(reader, cells, "this row has not as many cells as the header");
            rc = LW_EPARSE;
            continue;
        }
        for (size_t c = 0; c < reader->ncolumns; c++)
            cell[c] = cells[place[c]];
        int row = reader->row(reader->arg, cell);
        if (row < 0)
            rc = row;
    }
    if (got < 0) {
        uint32_t line, column;
        lw_csv_position(csv, &line, &column);
        lw_fault_add(reader->faults, reader->path, line, column, "%s", error);
        return LW_EPARSE;
    }
    if (width == 0) {
        lw_fault_add(reader->faults, reader->path, 0, 0, "empty; expected a header");
        return LW_EPARSE;
    }
    return rc;
}

int
table_read(const struct table_reader *reader)
{
    struct lw_csv *csv = NULL;
    char *text = NULL;
    size_t n;

    int rc = files_read(reader->path, TABLE_BYTES, &text, &n);
    if (rc == LW_EIO)
        lw_fault_add(reader->faults, reader->path, 0, 0, "%s", strerror(errno));
    if (rc == 0)
        rc = lw_csv_new(&csv);
    if (rc == 0) {
        lw_csv_feed(csv, text, n);
        lw_csv_end(csv);
        rc = read_rows(reader, csv);
    }
    lw_csv_free(csv);
    free(text);
    return rc;
}
