/* What a cell says, by the kind of its column. */
#include <string.h>

#include <lodewatch/text.h>
#include <lodewatch/utf8.h>

#include "names.h"
#include "read.h"

enum {
    SHOWN = 60
};

/* A value as a fault may show it: short, on one line, whole characters. */
struct shown {
    char text[SHOWN + 4];
};

static struct shown
show(const struct lw_csv_cell *cell)
{
    struct shown shown;
    size_t n = cell->n;
    bool cut = n > SHOWN;
    if (cut)
        n = lw_utf8_valid(cell->s, SHOWN);
    for (size_t i = 0; i < n; i++)
        shown.text[i] = (unsigned char)cell->s[i] < ' ' ? '?' : cell->s[i];
    memcpy(shown.text + n, "...", 4);
    if (!cut)
        shown.text[n] = '\0';
    return shown;
}

/* `column "value" is not …`. */
static void
bad(struct reader *r, const struct lw_csv_cell *cell, const struct column *column,
    const char *why)
{
    FAULT(r, *cell, "%s \"%s\" %s", column->name, show(cell).text, why);
}

const char *
lw_cell_keep(struct reader *r, const char *s, size_t n)
{
    if (n == 0)
        return "";
    char *kept = lw_arena_take(&r->b->ledger->index->arena, n + 1);
    if (kept == NULL) {
        r->rc = LW_ENOMEM;
        return "";
    }
    memcpy(kept, s, n);
    kept[n] = '\0';
    return kept;
}

static const char *
read_text(struct reader *r, const struct lw_csv_cell *cell, const struct column *column)
{
    char why[LW_FAULT_TEXT];
    struct lw_text text;

    if (column->max == 0 || cell->n <= (size_t)column->max)
        return lw_cell_keep(r, cell->s, cell->n);
    lw_text_init(&text, why, sizeof(why));
    lw_text_addf(&text, "is longer than %d bytes", (int)column->max);
    bad(r, cell, column, why);
    return "";
}

/* "1.4E+12": digits that a spreadsheet has shown as a number, with most of them gone. */
static bool
is_spoilt(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && ((s[i] >= '0' && s[i] <= '9') || s[i] == '.'))
        i++;
    if (i == 0 || i + 2 >= n || (s[i] != 'E' && s[i] != 'e') ||
        (s[i + 1] != '+' && s[i + 1] != '-'))
        return false;
    i += 2;
    while (i < n && s[i] >= '0' && s[i] <= '9')
        i++;
    return i == n;
}

/* An id, or other text that must not be spoilt; "" with a fault where it is none. */
static const char *
read_code(struct reader *r, const struct lw_csv_cell *cell, const struct column *column)
{
    if (is_spoilt(cell->s, cell->n)) {
        bad(r, cell, column,
            "is what a spreadsheet made of a long number: its digits are lost; format the "
            "column as text and enter it anew");
        return "";
    }
    if (column->kind != CELL_CODE) {
        if (cell->n > LW_ID_MAX) {
            bad(r, cell, column, "is longer than the 64 bytes that an id may have");
            return "";
        }
        for (size_t i = 0; i < cell->n; i++)
            if ((unsigned char)cell->s[i] < ' ' || cell->s[i] == 0x7f ||
                cell->s[i] == '/') {
                bad(r, cell, column, "has a slash or a control character, as no id may");
                return "";
            }
    }
    return lw_cell_keep(r, cell->s, cell->n);
}

static void
put(const struct column *column, void *body, int64_t value)
{
    char *at = (char *)body + column->offset;
    switch (column->size) {
    case 1:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case 4:
        *(int32_t *)(void *)at = (int32_t)value;
        break;
    default:
        *(int64_t *)(void *)at = value;
        break;
    }
}

static void
read_enum(struct reader *r, const struct lw_csv_cell *cell, const struct column *column,
          void *body)
{
    enum lw_enum_type type = (enum lw_enum_type)column->type;
    int value = lw_name_find(type, cell->s, cell->n);
    if (value >= 0) {
        put(column, body, value);
        return;
    }
    char why[LW_FAULT_TEXT];
    struct lw_text text;
    lw_text_init(&text, why, sizeof(why));
    lw_text_add(&text, "is none of");
    for (int i = 0; lw_enum_name(type, i)[0] != '\0'; i++)
        lw_text_addf(&text, "%s %s", i == 0 ? "" : ",", lw_enum_name(type, i));
    bad(r, cell, column, why);
}

/* "40", or "200/5" as on the current transformer's plate. */
static int
parse_ratio(const char *s, size_t n, int64_t *ret_milli)
{
    const char *slash = memchr(s, '/', n);
    if (slash == NULL)
        return lw_decimal_parse(s, n, 1000, ret_milli);
    size_t first = (size_t)(slash - s);
    int64_t primary, secondary;
    int rc = lw_decimal_parse(s, first, 1000, &primary);
    if (rc == 0)
        rc = lw_decimal_parse(slash + 1, n - first - 1, 1000, &secondary);
    if (rc != 0)
        return rc;
    if (secondary <= 0 || primary <= 0 || primary > INT64_MAX / 1000)
        return LW_ERANGE;
    *ret_milli = (primary * 1000 + secondary / 2) / secondary;
    return 0;
}

static void
read_number(struct reader *r, const struct lw_csv_cell *cell, const struct column *column,
            void *body)
{
    bool ratio = column->kind == CELL_RATIO;
    int64_t value = 0;
    int rc = ratio ? parse_ratio(cell->s, cell->n, &value)
                   : lw_decimal_parse(cell->s, cell->n, column->per_unit, &value);
    if (rc == LW_EINVAL) {
        bad(r, cell, column,
            ratio ? "is no ratio; expected 40 or 200/5"
                  : "is no number; expected digits and a point");
    } else if (rc != 0 || value < column->min || value > column->max) {
        char why[LW_FAULT_TEXT];
        struct lw_text text;
        int64_t per_unit = ratio ? 1000 : column->per_unit;
        lw_text_init(&text, why, sizeof(why));
        lw_text_add(&text, "is out of range; expected ");
        int decimals = per_unit == 1 ? 0 : per_unit == 1000 ? 3 : 6;
        lw_text_add_decimal(&text, column->min, per_unit,
                            column->min % per_unit ? decimals : 0);
        lw_text_add(&text, " to ");
        lw_text_add_decimal(&text, column->max, per_unit, 0);
        bad(r, cell, column, why);
    } else {
        put(column, body, value);
    }
}

static void
read_time(struct reader *r, const struct lw_csv_cell *cell, const struct column *column,
          void *body)
{
    lw_wall *at = (lw_wall *)(void *)((char *)body + column->offset);
    enum lw_date_edge edge = column->kind == CELL_TO ? LW_DATE_END : LW_DATE_START;
    if (column->kind != CELL_FROM && lw_name_is_endless(cell->s, cell->n))
        return;
    if (lw_wall_parse(cell->s, cell->n, r->b->ledger->zone, edge, at) != 0)
        bad(r, cell, column,
            "is no time; expected 2025-03-12T08:00:00+08:00, or local time as "
            "2025-03-12 08:00, or a date");
}

void
lw_cell_read(struct reader *r, const struct lw_csv_cell *cell,
             const struct column *column, struct lw_row *row)
{
    void *body = lw_row_body(row);
    void *at = (char *)body + column->offset;
    size_t where;
    int yes;

    switch (column->kind) {
    case CELL_REF:
        row->ref[column->type].id = read_code(r, cell, column);
        break;
    case CELL_ID:
    case CELL_CODE:
        *(const char **)at = read_code(r, cell, column);
        break;
    case CELL_TEXT:
        *(const char **)at = read_text(r, cell, column);
        break;
    case CELL_ENUM:
        read_enum(r, cell, column, body);
        break;
    case CELL_NUMBER:
    case CELL_RATIO:
        read_number(r, cell, column, body);
        break;
    case CELL_BOOL:
        yes = lw_name_find_bool(cell->s, cell->n);
        *(bool *)at = yes == 1;
        if (yes < 0)
            bad(r, cell, column, "is neither yes nor no");
        break;
    case CELL_FROM:
    case CELL_TO:
    case CELL_REMOVED:
        read_time(r, cell, column, body);
        break;
    case CELL_HOURS:
        if (lw_hours_parse(cell->s, cell->n, at, &where) != 0)
            FAULT(r, *cell,
                  "hours \"%s\": not understood from byte %zu on; expected such as "
                  "Mon-Fri 08:00-18:00; Holiday 22:00-06:00",
                  show(cell).text, where);
        break;
    }
}

void
lw_cell_set_blank(const struct sheet *sheet, struct lw_row *row)
{
    void *body = lw_row_body(row);
    memset(row, 0, sizeof(*row) + sheet->size);
    for (int i = 0; i < REFS; i++)
        row->ref[i].id = "";
    for (int i = 0; i < sheet->ncolumns; i++) {
        const struct column *column = &sheet->columns[i];
        void *at = (char *)body + column->offset;
        switch (column->kind) {
        case CELL_ID:
        case CELL_CODE:
        case CELL_TEXT:
            *(const char **)at = "";
            break;
        case CELL_ENUM:
        case CELL_NUMBER:
        case CELL_RATIO:
            put(column, body, column->fallback);
            break;
        case CELL_FROM:
            *(lw_wall *)at = LW_WALL_MIN;
            break;
        case CELL_TO:
        case CELL_REMOVED:
            *(lw_wall *)at = LW_WALL_MAX;
            break;
        case CELL_REF:
        case CELL_BOOL:
        case CELL_HOURS:
            break;
        }
    }
}
