/* One table's CSV text into rows: each cell by the const table of its file's columns.
 * What a row says about other rows stays a reference until everything is read (check.c).
 */
#include <stdlib.h>
#include <string.h>

#include <lodewatch/csv.h>
#include <lodewatch/text.h>
#include <lodewatch/utf8.h>

#include "build.h"
#include "names.h"

enum cell_kind {
    CELL_ID,      /* const char *; the rules of an id */
    CELL_REF,     /* a reference: the id of a row, by place in lw_row */
    CELL_CODE,    /* const char *; digits that a spreadsheet could spoil */
    CELL_TEXT,    /* const char * */
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

#define COLUMN(row, member)                                                              \
    .offset = offsetof(row, member), .size = sizeof(((row *)0)->member)
#define NUMBER(per, low, high, blank)                                                    \
    .kind = CELL_NUMBER, .per_unit = (per), .min = (low), .max = (high),                 \
    .fallback = (blank)
#define ENUM(enum_type, blank) .kind = CELL_ENUM, .type = (enum_type), .fallback = (blank)
#define MAX_W                  INT64_C(10000000000) /* ten million kW */

#define T struct lw_area
static const struct column area_columns[] = {
    {"area_id", CELL_ID, true, COLUMN(T, id)},
    {"parent_id", CELL_REF, .type = REF_PARENT},
    {"level", ENUM(LW_ENUM_LEVEL, -1), COLUMN(T, level)}, /* -1: by its depth, check.c */
    {"name", CELL_TEXT, COLUMN(T, name)},
    {"name_en", CELL_TEXT, COLUMN(T, name_en)},
};
#undef T

#define T struct lw_contact
static const struct column contact_columns[] = {
    {"contact_id", CELL_ID, true, COLUMN(T, id)},
    {"area_id", CELL_REF, .type = REF_AREA},
    {"site_id", CELL_REF, .type = REF_SITE},
    {"role", CELL_TEXT, COLUMN(T, role)},
    {"rank", ENUM(LW_ENUM_RANK, LW_CHIEF), COLUMN(T, rank)},
    {"name", CELL_TEXT, COLUMN(T, name)},
    {"phone", CELL_CODE, COLUMN(T, phone)},
    {"channel", CELL_TEXT, COLUMN(T, channel)},
    {"user", CELL_TEXT, COLUMN(T, user)},
};
#undef T

#define T struct lw_site
static const struct column site_columns[] = {
    {"site_id", CELL_ID, true, COLUMN(T, id)},
    {"name", CELL_TEXT, COLUMN(T, name)},
    {"name_en", CELL_TEXT, COLUMN(T, name_en)},
    {"kind", ENUM(LW_ENUM_SITE_KIND, LW_SITE_OTHER), COLUMN(T, kind)},
    {"status", ENUM(LW_ENUM_STATUS, LW_STATUS_UNKNOWN), COLUMN(T, status)},
    {"status_since", CELL_FROM, COLUMN(T, status_since)},
    {"status_document", CELL_TEXT, COLUMN(T, status_document)},
    {"area_id", CELL_REF, .type = REF_AREA},
    {"lat", NUMBER(1000000, -90000000, 90000000, INT32_MIN), COLUMN(T, lat_udeg)},
    {"lon", NUMBER(1000000, -180000000, 180000000, INT32_MIN), COLUMN(T, lon_udeg)},
    {"datum", ENUM(LW_ENUM_DATUM, LW_DATUM_NONE), COLUMN(T, datum)},
    {"contract_kw", NUMBER(1000, 0, MAX_W, LW_NOT_GIVEN), COLUMN(T, contract_w)},
    {"credit_code", CELL_CODE, COLUMN(T, credit_code)},
    {"important_user", CELL_BOOL, COLUMN(T, important_user)},
    {"own_generation", CELL_BOOL, COLUMN(T, own_generation)},
    {"residents_downstream", CELL_BOOL, COLUMN(T, residents_downstream)},
    {"tags", CELL_TEXT, COLUMN(T, tags)},
};
enum {
    SITE_LAT = 8,
    SITE_LON = 9
};
#undef T

#define T struct lw_licence
static const struct column licence_columns[] = {
    {"site_id", CELL_REF, true, .type = REF_SITE},
    {"kind", .key = true, ENUM(LW_ENUM_LICENCE, LW_LICENCE_MINING), COLUMN(T, kind)},
    {"number", CELL_CODE, true, COLUMN(T, number)},
    {"valid_from", CELL_FROM, COLUMN(T, from)},
    {"valid_to", CELL_TO, COLUMN(T, to)},
    {"capacity_t_per_year", NUMBER(1, 0, 1000000000, LW_NOT_GIVEN),
     COLUMN(T, capacity_t)},
    {"kwh_per_tonne", NUMBER(1000, 1, 1000000000, LW_NOT_GIVEN), COLUMN(T, wh_per_tonne)},
};
#undef T

#define T struct lw_explanation
static const struct column explanation_columns[] = {
    {"explanation_id", CELL_ID, true, COLUMN(T, id)},
    {"site_id", CELL_REF, true, .type = REF_SITE},
    {"kind", ENUM(LW_ENUM_EXPLANATION, LW_EXPLANATION_OTHER), COLUMN(T, kind)},
    {"max_kw", NUMBER(1000, 0, MAX_W, LW_NOT_GIVEN), COLUMN(T, max_w)},
    {"hours", CELL_HOURS, COLUMN(T, hours)},
    {"valid_from", CELL_FROM, COLUMN(T, from)},
    {"valid_to", CELL_TO, COLUMN(T, to)},
    {"authority", CELL_TEXT, COLUMN(T, authority)},
    {"document", CELL_TEXT, COLUMN(T, document)},
    {"approved_by", CELL_TEXT, COLUMN(T, approved_by)},
    {"approved_by_2", CELL_TEXT, COLUMN(T, approved_by_2)},
    {"point_id", CELL_REF, .type = REF_POINT},
};
#undef T

#define T struct lw_gateway
static const struct column gateway_columns[] = {
    {"gateway_id", CELL_ID, true, COLUMN(T, id)},
    {"transport", ENUM(LW_ENUM_TRANSPORT, LW_TCP), COLUMN(T, transport)},
    {"address", CELL_TEXT, COLUMN(T, address)},
    {"registration", CELL_TEXT, COLUMN(T, registration)},
    {"max_inflight", NUMBER(1, 1, 64, 1), COLUMN(T, max_inflight)},
    {"min_gap_ms", NUMBER(1, 0, 60000, 0), COLUMN(T, min_gap_ms)},
    {"timeout_ms", NUMBER(1, 10, 60000, 1000), COLUMN(T, timeout_ms)},
    {"baud", NUMBER(1, 300, 4000000, 9600), COLUMN(T, baud)},
    {"parity", ENUM(LW_ENUM_PARITY, LW_PARITY_NONE), COLUMN(T, parity)},
    {"data_bits", NUMBER(1, 7, 8, 8), COLUMN(T, data_bits)},
    {"stop_bits", NUMBER(1, 1, 2, 1), COLUMN(T, stop_bits)},
};
#undef T

#define T struct lw_meter_row
static const struct column meter_columns[] = {
    {"meter_id", CELL_ID, true, COLUMN(T, meter.id)},
    {"installed_at", CELL_FROM, true, COLUMN(T, meter.installed)},
    {"removed_at", CELL_REMOVED, COLUMN(T, meter.removed)},
    {"point_id", CELL_REF, .type = REF_POINT},
    {"account_no", CELL_CODE, COLUMN(T, meter.account_no)},
    {"asset_no", CELL_CODE, COLUMN(T, meter.asset_no)},
    {"site_id", CELL_REF, .type = REF_SITE},
    {"role", ENUM(LW_ENUM_ROLE, LW_SUPPLY), COLUMN(T, role)},
    {"parent_id", CELL_REF, .type = REF_PARENT},
    {"gateway_id", CELL_REF, .type = REF_GATEWAY},
    {"unit", NUMBER(1, 0, 255, 1), COLUMN(T, meter.unit)},
    {"profile", CELL_TEXT, COLUMN(T, meter.profile)},
    {"interval_s", NUMBER(1, 1, 86400, 900), COLUMN(T, meter.interval_s)},
    {"ct_ratio", CELL_RATIO, .min = 1, .max = 1000000000, .fallback = 1000,
     COLUMN(T, meter.ct_milli)},
    {"pt_ratio", CELL_RATIO, .min = 1, .max = 1000000000, .fallback = 1000,
     COLUMN(T, meter.pt_milli)},
    {"rated_kw", NUMBER(1000, 1, MAX_W, LW_NOT_GIVEN), COLUMN(T, meter.rated_w)},
    /* In mWh as on the register, until finish_meter makes them primary. */
    {"energy_resolution_kwh", NUMBER(1000000, 1, INT64_C(1000000000000), LW_NOT_GIVEN),
     COLUMN(T, meter.resolution_wh)},
    {"energy_modulus_kwh", NUMBER(1000000, 1, INT64_C(1000000000000000000), LW_NOT_GIVEN),
     COLUMN(T, meter.modulus_wh)},
};
enum {
    METER_MODULUS = 17
};
#undef T

struct reader;

/* A file: its columns, the two that are a time span (or -1), and what else a row needs.
 */
struct sheet {
    const struct column *columns;
    int ncolumns;
    int from, to;
    size_t size;
    size_t extra; /* offset of the member */
    void (*finish)(struct reader *r, struct lw_row *row);
};

static void finish_site(struct reader *r, struct lw_row *row);
static void finish_meter(struct reader *r, struct lw_row *row);

#define SHEET(columns, row, from, to, finish)                                            \
    {                                                                                    \
        columns, (int)(sizeof(columns) / sizeof((columns)[0])), from, to, sizeof(row),   \
            offsetof(row, extra), finish                                                 \
    }

static const struct sheet sheets[] = {
    [LW_AREAS] = SHEET(area_columns, struct lw_area, -1, -1, NULL),
    [LW_CONTACTS] = SHEET(contact_columns, struct lw_contact, -1, -1, NULL),
    [LW_SITES] = SHEET(site_columns, struct lw_site, -1, -1, finish_site),
    [LW_LICENCES] = SHEET(licence_columns, struct lw_licence, 3, 4, NULL),
    [LW_EXPLANATIONS] = SHEET(explanation_columns, struct lw_explanation, 5, 6, NULL),
    [LW_GATEWAYS] = SHEET(gateway_columns, struct lw_gateway, -1, -1, NULL),
    [LW_METERS] = {meter_columns, sizeof(meter_columns) / sizeof(meter_columns[0]), 1, 2,
                   sizeof(struct lw_meter_row),
                   offsetof(struct lw_meter_row, meter.extra), finish_meter},
};

enum {
    COLUMNS = 18,
    UNKNOWN = -1,
    SHOWN = 60
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

#define FAULT(r, at, ...)                                                                \
    lw_fault_add((r)->b->faults, (r)->file, (at).line, (at).column, __VA_ARGS__)

/* `column "value" is not …`. */
static void
bad(struct reader *r, const struct lw_csv_cell *cell, const struct column *column,
    const char *why)
{
    FAULT(r, *cell, "%s \"%s\" %s", column->name, show(cell).text, why);
}

static const char *
keep(struct reader *r, const char *s, size_t n)
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
    return keep(r, cell->s, cell->n);
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

static void
read_cell(struct reader *r, const struct lw_csv_cell *cell, const struct column *column,
          struct lw_row *row)
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
        *(const char **)at = keep(r, cell->s, cell->n);
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

/* A row of blanks: what cells that are not there mean. */
static void
set_blank(const struct sheet *sheet, struct lw_row *row)
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
}

/* mWh on the register -> Wh after CT and PT, at least 1; LW_ERANGE. */
static int
primary_wh(const struct lw_meter *meter, int64_t *value)
{
    if (*value == LW_NOT_GIVEN)
        return 0;
    __extension__ typedef __int128 wide;
    wide nano = (wide)*value * meter->ct_milli; /* below 1e27 */
    wide limit = (wide)INT64_MAX * 1000000000;
    if (nano > limit / meter->pt_milli)
        return LW_ERANGE;
    wide wh = (nano * meter->pt_milli + 500000000) / 1000000000;
    *value = wh < 1 ? 1 : (int64_t)wh;
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
    set_blank(sheet, row);
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
            read_cell(r, &cell[i], column, row);
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
    if (sheet->finish != NULL)
        sheet->finish(r, row);
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
                       .sheet = &sheets[table],
                       .rows = &b->table[table]};
    struct lw_csv *csv = NULL;
    const struct lw_csv_cell *cells;
    const char *error;
    size_t ncells;
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
    b->lost[table] = r.lost || !r.ready;
    return r.rc;
}
