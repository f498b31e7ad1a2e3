/* One table's CSV text into rows. What a row says about other rows stays a reference
 * until everything is read (check.c). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/text.h>
#include <lodewatch/utf8.h>

#include "names.h"
#include "read.h"

/* Blanks round a cell, the ideographic one too, are no part of it. */
static struct lw_csv_cell
trimmed(struct lw_csv_cell cell)
{
    static const char wide[] = "　";
    for (;;) {
        if (cell.n > 0 && (cell.s[0] == ' ' || cell.s[0] == '\t')) {
            cell.s++;
            cell.n--;
        } else if (cell.n >= 3 && memcmp(cell.s, wide, 3) == 0) {
            cell.s += 3;
            cell.n -= 3;
        } else if (cell.n > 0 &&
                   (cell.s[cell.n - 1] == ' ' || cell.s[cell.n - 1] == '\t')) {
            cell.n--;
        } else if (cell.n >= 3 && memcmp(cell.s + cell.n - 3, wide, 3) == 0) {
            cell.n -= 3;
        } else {
            return cell;
        }
    }
}

static void
finish_site(struct reader *r, struct lw_row *row)
{
    struct lw_site *site = lw_row_body(row);
    bool lat = site->lat_udeg != INT32_MIN, lon = site->lon_udeg != INT32_MIN;
    site->has_position = lat && lon;
    if (!site->has_position)
        site->lat_udeg = site->lon_udeg = 0;
    if (lat != lon && !row->faulty)
        FAULT(r, lat ? r->place[SITE_LAT] : r->place[SITE_LON],
              "lat and lon go together; expected both or none");
    if (site->reference_reviewed_at.ms != LW_WALL_MIN.ms &&
        *site->reference_reviewed_by == '\0' && !row->faulty)
        FAULT(r, r->place[SITE_REVIEWED_AT],
              "a review has a date and no name; expected reference_reviewed_by too");
}

/* mWh on the register -> Wh after CT and PT, at least 1; LW_ERANGE. */
static int
primary_wh(const struct lw_meter *meter, int64_t *value)
{
    if (*value == LW_NOT_GIVEN)
        return 0;
    double wh = (double)*value * (double)meter->ct_milli * (double)meter->pt_milli / 1e9;
    if (wh > 9e18)
        return LW_ERANGE;
    *value = wh < 1 ? 1 : llround(wh);
    return 0;
}

static void
finish_meter(struct reader *r, struct lw_row *row)
{
    struct lw_meter *meter = &((struct lw_meter_row *)lw_row_body(row))->meter;
    int rc = primary_wh(meter, &meter->resolution_wh);
    if (rc == 0)
        rc = primary_wh(meter, &meter->modulus_wh);
    if (rc != 0)
        FAULT(r, row->at,
              "the energy register times CT and PT is more than can be counted");
    else if (meter->modulus_wh != LW_NOT_GIVEN &&
             meter->modulus_wh <= meter->resolution_wh)
        FAULT(r, r->place[METER_MODULUS],
              "energy_modulus_kwh is not above energy_resolution_kwh");
    if (meter->profile[0] == '\0')
        meter->profile = "generic";
    meter->line = row->at.line;
    if (row->ref[REF_POINT].id[0] == '\0') {
        row->ref[REF_POINT].id = meter->id;
        row->ref[REF_POINT].at = row->at;
    }
}

/* How many bytes the text takes in a JSON string; written where `to` is not NULL. */
static size_t
json_string(const char *s, size_t n, char *to)
{
    static const char hex[] = "0123456789abcdef";
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        char piece[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        const char *from = s + i;
        size_t len = 1;
        if (c < ' ') {
            from = piece;
            len = 6;
        } else if (c == '"' || c == '\\') {
            piece[1] = (char)c;
            from = piece;
            len = 2;
        }
        if (to != NULL)
            memcpy(to + k, from, len);
        k += len;
    }
    return k;
}

/* The unknown columns' cells as a JSON object. */
static const char *
read_extra(struct reader *r, const struct lw_csv_cell *cells)
{
    size_t size = 3; /* {} and NUL */
    for (int i = 0; i < r->ncells; i++)
        if (r->column[i] == UNKNOWN && cells[i].n > 0)
            size += strlen(r->header[i]) + json_string(cells[i].s, cells[i].n, NULL) + 6;
    if (size == 3)
        return "{}";
    char *json = lw_arena_take(&r->b->ledger->index->arena, size);
    if (json == NULL) {
        r->rc = LW_ENOMEM;
        return "{}";
    }
    struct lw_text text;
    lw_text_init(&text, json, size);
    for (int i = 0; i < r->ncells; i++)
        if (r->column[i] == UNKNOWN && cells[i].n > 0) {
            lw_text_add(&text, text.len == 0 ? "{\"" : ",\"");
            lw_text_add(&text, r->header[i]);
            lw_text_add(&text, "\":\"");
            text.len += json_string(cells[i].s, cells[i].n, json + text.len);
            lw_text_add(&text, "\"");
        }
    lw_text_add(&text, "}");
    return json;
}

static struct lw_row *
add_row(struct reader *r)
{
    struct lw_rows *rows = r->rows;
    if (rows->n == rows->cap) {
        int32_t cap = rows->cap == 0 ? 64 : rows->cap * 2;
        char *data = realloc(rows->data, (size_t)cap * rows->stride);
        if (data == NULL) {
            r->rc = LW_ENOMEM;
            return NULL;
        }
        rows->data = data;
        rows->cap = cap;
    }
    return lw_row_at(rows, rows->n++);
}

static void
read_row(struct reader *r, const struct lw_csv_cell *cells, size_t n)
{
    const struct sheet *sheet = r->sheet;
    struct lw_csv_cell cell[LW_CSV_CELLS];
    uint32_t faults = r->b->faults->n;
    bool blank = true;

    for (size_t i = 0; i < n; i++) {
        cell[i] = trimmed(cells[i]);
        blank = blank && cell[i].n == 0;
    }
    if (blank)
        return;
    if (n != (size_t)r->ncells) {
        FAULT(r, cells[0], "%zu cells where the header has %d", n, r->ncells);
        r->lost = true;
        return;
    }
    struct lw_row *row = add_row(r);
    if (row == NULL)
        return;
    lw_cell_set_blank(sheet, row);
    memset(r->place, 0, sizeof(r->place));
    row->at = (struct lw_place){cells[0].line, cells[0].column};
    for (int i = 0; i < r->ncells && r->rc == 0; i++) {
        if (r->column[i] == UNKNOWN)
            continue;
        const struct column *column = &sheet->columns[r->column[i]];
        struct lw_place at = {cells[i].line, cells[i].column};
        r->place[r->column[i]] = at;
        if (r->column[i] == 0)
            row->at = at;
        if (column->kind == CELL_REF)
            row->ref[column->type].at = at;
        if (cell[i].n > LW_LEDGER_CELL)
            FAULT(r, at, "%s is longer than %d bytes", column->name, LW_LEDGER_CELL);
        else if (cell[i].n > 0)
            lw_cell_read(r, &cell[i], column, row);
        else if (column->key)
            FAULT(r, at, "%s is blank; it is a key", column->name);
    }
    char *body = lw_row_body(row);
    *(const char **)(void *)(body + sheet->extra) = read_extra(r, cell);
    if (r->b->faults->n == faults && sheet->to >= 0) {
        const struct column *from = &sheet->columns[sheet->from];
        const struct column *to = &sheet->columns[sheet->to];
        if (((lw_wall *)(void *)(body + from->offset))->ms >=
            ((lw_wall *)(void *)(body + to->offset))->ms)
            FAULT(r, r->place[sheet->to], "%s is not after %s", to->name, from->name);
    }
    row->faulty = r->b->faults->n != faults;
    if (sheet == &lw_sheets[LW_SITES])
        finish_site(r, row);
    else if (sheet == &lw_sheets[LW_METERS])
        finish_meter(r, row);
    else if (sheet == &lw_sheets[LW_GATEWAYS])
        ((struct lw_gateway *)lw_row_body(row))->line = row->at.line;
    /* A row without an id can be nothing to others; one with a fault may be. */
    if (sheet->columns[0].kind == CELL_ID && (*(const char **)(void *)body)[0] == '\0') {
        r->rows->n--;
        r->lost = true;
    }
}

/* The sheet's column that a header cell names, or UNKNOWN. */
static int
find_column(const struct sheet *sheet, const struct lw_csv_cell *cell)
{
    for (int i = 0; i < sheet->ncolumns; i++)
        if (lw_name_is_column(sheet->columns[i].name, cell->s, cell->n))
            return i;
    return sheet->columns[0].kind == CELL_ID && lw_name_is_own_id(cell->s, cell->n)
               ? 0
               : UNKNOWN;
}

static void
note_unknown(struct reader *r, const char *name)
{
    struct lw_ledger *ledger = r->b->ledger;
    enum lw_table table = (enum lw_table)(r->sheet - lw_sheets);
    ledger->index->unknown[ledger->nunknown++] = (struct lw_unknown_column){table, name};
}

static void
read_header(struct reader *r, const struct lw_csv_cell *cells, size_t n)
{
    bool seen[COLUMNS] = {false};
    uint32_t faults = r->b->faults->n;

    r->ncells = (int)n;
    for (size_t i = 0; i < n && r->rc == 0; i++) {
        struct lw_csv_cell cell = trimmed(cells[i]);
        int column = r->column[i] = find_column(r->sheet, &cell);
        if (column != UNKNOWN) {
            if (seen[column])
                FAULT(r, cell, "a second column for %s", r->sheet->columns[column].name);
            seen[column] = true;
            continue;
        }
        size_t size = json_string(cell.s, cell.n, NULL);
        char *name = lw_arena_take(&r->b->ledger->index->arena, size + 24);
        if (name == NULL) {
            r->rc = LW_ENOMEM;
            return;
        }
        r->header[i] = name;
        name[json_string(cell.s, cell.n, name)] = '\0';
        struct lw_text text;
        lw_text_init(&text, name + size, 24);
        if (size == 0)
            lw_text_addf(&text, "column %zu", i + 1);
        else
            note_unknown(r, name);
    }
    for (int i = 0; i < r->sheet->ncolumns; i++)
        if (r->sheet->columns[i].key && !seen[i])
            FAULT(r, cells[0], "no column %s", r->sheet->columns[i].name);
    r->ready = r->b->faults->n == faults;
}

/* Where in the text a byte stands. */
static struct lw_place
place_of(const char *text, size_t at)
{
    struct lw_place place = {1, 1};
    for (size_t i = 0; i < at; i++) {
        place.column++;
        if (text[i] == '\n')
            place = (struct lw_place){place.line + 1, 1};
    }
    return place;
}

const char *
lw_build_file(const struct lw_build *b, enum lw_table table)
{
    const char *file = b->text->table[table].file;
    return file != NULL ? file : lw_table_file(table);
}

int
lw_build_read(struct lw_build *b, enum lw_table table)
{
    const char *text = b->text->table[table].text;
    size_t n = text == NULL ? 0 : b->text->table[table].n;
    struct reader r = {.b = b,
                       .file = lw_build_file(b, table),
                       .sheet = &lw_sheets[table],
                       .rows = &b->table[table]};
    struct lw_csv *csv = NULL;
    const struct lw_csv_cell *cells;
    const char *error;
    size_t ncells;
    uint32_t before = b->faults->n;
    int rc = 0;

    r.rows->stride = sizeof(struct lw_row) + r.sheet->size;
    if (n == 0)
        return 0;
    if (n > LW_LEDGER_BYTES) {
        lw_fault_add(b->faults, r.file, 0, 0, "more than %d bytes", LW_LEDGER_BYTES);
        b->lost[table] = true;
        return 0;
    }
    size_t valid = lw_utf8_valid(text, n);
    if (valid < n) {
        FAULT(&r, place_of(text, valid), "this is not UTF-8");
        b->lost[table] = true;
        return 0;
    }
    rc = lw_csv_new(&csv);
    if (rc != 0)
        return rc;
    lw_csv_feed(csv, text, n);
    lw_csv_end(csv);
    while (r.rc == 0) {
        rc = lw_csv_next(csv, &cells, &ncells, &error);
        if (rc == 0)
            break;
        if (rc < 0) {
            struct lw_place at;
            lw_csv_position(csv, &at.line, &at.column);
            FAULT(&r, at, "%s", error);
            r.lost = true;
        } else if (!r.ready) {
            read_header(&r, cells, ncells);
        } else if (r.rows->n == LW_LEDGER_ROWS) {
            FAULT(&r, cells[0], "more than %d rows", LW_LEDGER_ROWS);
            r.lost = true;
            break;
        } else {
            read_row(&r, cells, ncells);
        }
        if (!r.ready)
            break; /* what follows says nothing */
    }
    lw_csv_free(csv);
    b->lost[table] = b->faults->n != before && (r.lost || !r.ready);
    return r.rc;
}
