/* RFC 4180 CSV as a state machine over pieces of text. Line ends are LF or CRLF; a fault
 * loses its line and no more, so that a reader can list every fault of a file. */
#include <lodewatch/csv.h>

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum state {
    CSV_TEXT,   /* at the very start, where a byte order mark may stand */
    CSV_ROW,    /* at the start of a line */
    CSV_CELL,   /* at the start of a cell */
    CSV_PLAIN,  /* in a cell without quotes */
    CSV_QUOTED, /* in a cell with quotes */
    CSV_QUOTE,  /* after a quote in it: its end, or one of two */
    CSV_CR,     /* after a carriage return: the line must end */
    CSV_SKIP,   /* in what is left of a line with a fault */
};

struct lw_csv {
    const char *at; /* the text that is left */
    const char *end;
    bool ended;
    enum state state;
    uint32_t line;
    uint32_t column;
    uint32_t fault_line;
    uint32_t fault_column;
    size_t mark; /* bytes of the byte order mark that were seen */
    size_t ncells;
    size_t used; /* of `row` */
    struct lw_csv_cell cell[LW_CSV_CELLS];
    char row[LW_CSV_ROW];
};

int
lw_csv_new(struct lw_csv **ret_csv)
{
    struct lw_csv *csv = calloc(1, sizeof(*csv));
    if (csv == NULL)
        return LW_ENOMEM;
    csv->line = 1;
    csv->column = 1;
    *ret_csv = csv;
    return 0;
}

void
lw_csv_free(struct lw_csv *csv)
{
    free(csv);
}

void
lw_csv_feed(struct lw_csv *csv, const char *data, size_t n)
{
    assert(csv->at == csv->end && !csv->ended);
    csv->at = data;
    csv->end = data + n;
}

void
lw_csv_end(struct lw_csv *csv)
{
    csv->ended = true;
}

void
lw_csv_position(const struct lw_csv *csv, uint32_t *ret_line, uint32_t *ret_column)
{
    *ret_line = csv->fault_line;
    *ret_column = csv->fault_column;
}

static int
fault(struct lw_csv *csv, const char *error, const char **ret_error)
{
    csv->fault_line = csv->line;
    csv->fault_column = csv->column;
    csv->state = CSV_SKIP;
    *ret_error = error;
    return LW_EPARSE;
}

static void
pass(struct lw_csv *csv)
{
    csv->at++;
    csv->column++;
}

static void
pass_line_end(struct lw_csv *csv)
{
    csv->at++;
    csv->line++;
    csv->column = 1;
}

static int
open_cell(struct lw_csv *csv, const char **ret_error)
{
    if (csv->ncells == LW_CSV_CELLS)
        return fault(csv, "more than 128 cells in a row", ret_error);
    csv->cell[csv->ncells++] = (struct lw_csv_cell){
        .s = csv->row + csv->used,
        .line = csv->line,
        .column = csv->column,
    };
    csv->state = CSV_CELL;
    return 0;
}

/* Ends the last cell with a NUL, for which put_run leaves room. */
static void
close_cell(struct lw_csv *csv)
{
    struct lw_csv_cell *cell = &csv->cell[csv->ncells - 1];
    cell->n = (uint32_t)(csv->row + csv->used - cell->s);
    csv->row[csv->used++] = '\0';
}

/* Puts the next n bytes, in which no line ends, into the row. */
static int
put_run(struct lw_csv *csv, size_t n, const char **ret_error)
{
    if (n >= sizeof(csv->row) - csv->used)
        return fault(csv, "a row of more than 65535 bytes", ret_error);
    memcpy(csv->row + csv->used, csv->at, n);
    csv->used += n;
    csv->at += n;
    csv->column += (uint32_t)n;
    return 0;
}

/* What ends a run of ordinary text, outside and inside quotes. */
static const bool ends_plain[256] = {
    ['\0'] = true, [','] = true, ['"'] = true, ['\n'] = true, ['\r'] = true};
static const bool ends_quoted[256] = {['\0'] = true, ['"'] = true, ['\n'] = true};

static size_t
run_length(const struct lw_csv *csv, const bool ends[256])
{
    const char *p = csv->at;
    while (p < csv->end && !ends[(unsigned char)*p])
        p++;
    return (size_t)(p - csv->at);
}

/* What follows a cell's text; 1: its row is complete. */
static int
end_cell(struct lw_csv *csv, const char *otherwise, const char **ret_error)
{
    switch (*csv->at) {
    case ',':
        if (csv->used == sizeof(csv->row) - 1)
            return fault(csv, "a row of more than 65535 bytes", ret_error);
        close_cell(csv);
        pass(csv);
        return open_cell(csv, ret_error);
    case '\n':
        close_cell(csv);
        pass_line_end(csv);
        csv->state = CSV_ROW;
        return 1;
    case '\r':
        pass(csv);
        csv->state = CSV_CR;
        return 0;
    case '\0':
        return fault(csv, "a NUL byte: this is not a text file", ret_error);
    default:
        return fault(csv, otherwise, ret_error);
    }
}

static int
step_text(struct lw_csv *csv, const char **ret_error)
{
    static const char bom[3] = {'\xEF', '\xBB', '\xBF'};

    if (*csv->at == bom[csv->mark]) {
        csv->at++;
        if (++csv->mark == sizeof(bom))
            csv->state = CSV_ROW;
        return 0;
    }
    if (csv->mark > 0)
        return fault(csv, "a broken byte order mark: this is not UTF-8", ret_error);
    csv->state = CSV_ROW;
    return 0;
}

/* A line of plain cells that is at hand as a whole is taken in one go: most files are
 * made of nothing else. False: it is anything else, and nothing of it was taken. */
static bool
take_line(struct lw_csv *csv)
{
    const char *line_end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    size_t n = line_end ? (size_t)(line_end - csv->at) : 0;
    char *at = csv->row, *end, *comma;

    if (n > 0 && csv->at[n - 1] == '\r')
        n--;
    if (n == 0 || n >= sizeof(csv->row) || memchr(csv->at, '"', n) ||
        memchr(csv->at, '\r', n) || memchr(csv->at, '\0', n))
        return false;
    memcpy(csv->row, csv->at, n);
    end = csv->row + n;
    do {
        comma = memchr(at, ',', (size_t)(end - at));
        if (csv->ncells == LW_CSV_CELLS) {
            csv->ncells = 0;
            return false;
        }
        char *cell_end = comma ? comma : end;
        csv->cell[csv->ncells++] = (struct lw_csv_cell){
            .s = at,
            .n = (uint32_t)(cell_end - at),
            .line = csv->line,
            .column = 1 + (uint32_t)(at - csv->row),
        };
        *cell_end = '\0';
        at = cell_end + 1;
    } while (comma);
    csv->at = line_end;
    pass_line_end(csv);
    return true;
}

static int
step_row(struct lw_csv *csv, const char **ret_error)
{
    csv->used = 0;
    csv->ncells = 0;
    if (take_line(csv))
        return 1;
    if (*csv->at == '\n') {
        pass_line_end(csv);
        return 0;
    }
    if (*csv->at == '\r') {
        pass(csv);
        csv->state = CSV_CR;
        return 0;
    }
    return open_cell(csv, ret_error);
}

static int
step_quoted(struct lw_csv *csv, const char **ret_error)
{
    int rc = put_run(csv, run_length(csv, ends_quoted), ret_error);
    if (rc != 0 || csv->at == csv->end)
        return rc;
    switch (*csv->at) {
    case '"':
        pass(csv);
        csv->state = CSV_QUOTE;
        return 0;
    case '\n':
        rc = put_run(csv, 1, ret_error);
        if (rc == 0) {
            csv->line++;
            csv->column = 1;
        }
        return rc;
    default:
        return fault(csv, "a NUL byte: this is not a text file", ret_error);
    }
}

/* Takes at least a byte or changes the state. 1: a row is complete. */
static int
step(struct lw_csv *csv, const char **ret_error)
{
    int rc;

    switch (csv->state) {
    case CSV_TEXT:
        return step_text(csv, ret_error);
    case CSV_ROW:
        return step_row(csv, ret_error);
    case CSV_CELL:
        if (*csv->at != '"') {
            csv->state = CSV_PLAIN;
            return 0;
        }
        pass(csv);
        csv->state = CSV_QUOTED;
        return 0;
    case CSV_PLAIN:
        rc = put_run(csv, run_length(csv, ends_plain), ret_error);
        if (rc != 0 || csv->at == csv->end)
            return rc;
        return end_cell(csv, "a quote in a cell that does not begin with one", ret_error);
    case CSV_QUOTED:
        return step_quoted(csv, ret_error);
    case CSV_QUOTE:
        if (*csv->at == '"') {
            csv->state = CSV_QUOTED;
            return put_run(csv, 1, ret_error);
        }
        return end_cell(csv, "text after the closing quote", ret_error);
    case CSV_CR:
        if (*csv->at != '\n')
            return fault(csv, "a carriage return that ends no line", ret_error);
        pass_line_end(csv);
        csv->state = CSV_ROW;
        if (csv->ncells == 0)
            return 0;
        close_cell(csv);
        return 1;
    case CSV_SKIP:
        if (*csv->at == '\n') {
            csv->state = CSV_ROW;
            pass_line_end(csv);
        } else {
            pass(csv);
        }
        return 0;
    }
    return 0;
}

/* What the end of the text makes of an unfinished row; 1: a row. */
static int
finish(struct lw_csv *csv, const char **ret_error)
{
    enum state state = csv->state;
    csv->state = CSV_ROW;
    switch (state) {
    case CSV_QUOTED:
        /* Where it begins is more help than where the text ends. */
        csv->line = csv->cell[csv->ncells - 1].line;
        csv->column = csv->cell[csv->ncells - 1].column;
        (void)fault(csv, "a quote that is never closed", ret_error);
        csv->state = CSV_ROW;
        return LW_EPARSE;
    case CSV_CELL:
    case CSV_PLAIN:
    case CSV_QUOTE:
    case CSV_CR:
        if (csv->ncells == 0)
            return 0;
        close_cell(csv);
        return 1;
    default:
        return 0;
    }
}

int
lw_csv_next(struct lw_csv *csv, const struct lw_csv_cell **ret_cells, size_t *ret_n,
            const char **ret_error)
{
    int rc = 0;

    while (rc == 0 && csv->at < csv->end)
        rc = step(csv, ret_error);
    if (rc == 0 && !csv->ended)
        return LW_EAGAIN;
    if (rc == 0)
        rc = finish(csv, ret_error);
    if (rc == 1) {
        *ret_cells = csv->cell;
        *ret_n = csv->ncells;
    }
    return rc;
}
