/* The ledger's tables: one const table of columns each, and how each kind of cell is
 * written. What is written here is read back by lw_ledger_new as the same ledger. */
#include "daemon/store/ledger_table.h"

#include <inttypes.h>
#include <string.h>

#include <lodewatch/text.h>

enum kind {
    TEXT,
    AREA, /* an index: written as the id */
    SITE,
    GATEWAY,
    POINT,
    ENUM,
    NUMBER,   /* an integer in units of 1/per_unit */
    POSITION, /* the same, where the site has one */
    REGISTER, /* Wh after CT and PT: kWh as the register shows it */
    BOOL,
    TIME,
    HOURS,
};

#define MEMBER(row, member)                                                              \
    .offset = offsetof(row, member), .size = sizeof(((row *)0)->member)

#define T struct lw_area
static const struct ledger_column area_columns[] = {
    {"area_id", TEXT, MEMBER(T, id)},
    {"parent_id", AREA, MEMBER(T, parent)},
    {"level", ENUM, MEMBER(T, level), .type = LW_ENUM_LEVEL},
    {"name", TEXT, MEMBER(T, name)},
    {"name_en", TEXT, MEMBER(T, name_en)},
    {"extra", TEXT, MEMBER(T, extra)},
};
#undef T

#define T struct lw_contact
static const struct ledger_column contact_columns[] = {
    {"contact_id", TEXT, MEMBER(T, id)},
    {"area_id", AREA, MEMBER(T, area)},
    {"site_id", SITE, MEMBER(T, site)},
    {"role", TEXT, MEMBER(T, role)},
    {"rank", ENUM, MEMBER(T, rank), .type = LW_ENUM_RANK},
    {"name", TEXT, MEMBER(T, name)},
    {"phone", TEXT, MEMBER(T, phone)},
    {"channel", TEXT, MEMBER(T, channel)},
    {"user", TEXT, MEMBER(T, user)},
    {"extra", TEXT, MEMBER(T, extra)},
};
#undef T

#define T struct lw_site
static const struct ledger_column site_columns[] = {
    {"site_id", TEXT, MEMBER(T, id)},
    {"name", TEXT, MEMBER(T, name)},
    {"name_en", TEXT, MEMBER(T, name_en)},
    {"kind", ENUM, MEMBER(T, kind), .type = LW_ENUM_SITE_KIND},
    {"status", ENUM, MEMBER(T, status), .type = LW_ENUM_STATUS},
    {"status_since", TIME, MEMBER(T, status_since)},
    {"status_document", TEXT, MEMBER(T, status_document)},
    {"area_id", AREA, MEMBER(T, area)},
    {"lat", POSITION, MEMBER(T, lat_udeg), .per_unit = 1000000},
    {"lon", POSITION, MEMBER(T, lon_udeg), .per_unit = 1000000},
    {"datum", ENUM, MEMBER(T, datum), .type = LW_ENUM_DATUM},
    {"contract_kw", NUMBER, MEMBER(T, contract_w), .per_unit = 1000},
    {"credit_code", TEXT, MEMBER(T, credit_code)},
    {"important_user", BOOL, MEMBER(T, important_user)},
    {"own_generation", BOOL, MEMBER(T, own_generation)},
    {"residents_downstream", BOOL, MEMBER(T, residents_downstream)},
    {"tags", TEXT, MEMBER(T, tags)},
    {"reference_reviewed_by", TEXT, MEMBER(T, reference_reviewed_by)},
    {"reference_reviewed_at", TIME, MEMBER(T, reference_reviewed_at)},
    {"reference_from", TIME, MEMBER(T, reference_from)},
    {"extra", TEXT, MEMBER(T, extra)},
};
#undef T

#define T struct lw_licence
static const struct ledger_column licence_columns[] = {
    {"site_id", SITE, MEMBER(T, site)},
    {"kind", ENUM, MEMBER(T, kind), .type = LW_ENUM_LICENCE},
    {"number", TEXT, MEMBER(T, number)},
    {"valid_from", TIME, MEMBER(T, from)},
    {"valid_to", TIME, MEMBER(T, to)},
    {"capacity_t_per_year", NUMBER, MEMBER(T, capacity_t), .per_unit = 1},
    {"kwh_per_tonne", NUMBER, MEMBER(T, wh_per_tonne), .per_unit = 1000},
    {"extra", TEXT, MEMBER(T, extra)},
};
#undef T

#define T struct lw_explanation
static const struct ledger_column explanation_columns[] = {
    {"explanation_id", TEXT, MEMBER(T, id)},
    {"site_id", SITE, MEMBER(T, site)},
    {"kind", ENUM, MEMBER(T, kind), .type = LW_ENUM_EXPLANATION},
    {"max_kw", NUMBER, MEMBER(T, max_w), .per_unit = 1000},
    {"hours", HOURS, MEMBER(T, hours)},
    {"valid_from", TIME, MEMBER(T, from)},
    {"valid_to", TIME, MEMBER(T, to)},
    {"authority", TEXT, MEMBER(T, authority)},
    {"document", TEXT, MEMBER(T, document)},
    {"approved_by", TEXT, MEMBER(T, approved_by)},
    {"approved_by_2", TEXT, MEMBER(T, approved_by_2)},
    {"point_id", POINT, MEMBER(T, point)},
    {"extra", TEXT, MEMBER(T, extra)},
};
#undef T

#define T struct lw_gateway
static const struct ledger_column gateway_columns[] = {
    {"gateway_id", TEXT, MEMBER(T, id)},
    {"transport", ENUM, MEMBER(T, transport), .type = LW_ENUM_TRANSPORT},
    {"address", TEXT, MEMBER(T, address)},
    {"registration", TEXT, MEMBER(T, registration)},
    {"max_inflight", NUMBER, MEMBER(T, max_inflight), .per_unit = 1},
    {"min_gap_ms", NUMBER, MEMBER(T, min_gap_ms), .per_unit = 1},
    {"timeout_ms", NUMBER, MEMBER(T, timeout_ms), .per_unit = 1},
    {"baud", NUMBER, MEMBER(T, baud), .per_unit = 1},
    {"parity", ENUM, MEMBER(T, parity), .type = LW_ENUM_PARITY},
    {"data_bits", NUMBER, MEMBER(T, data_bits), .per_unit = 1},
    {"stop_bits", NUMBER, MEMBER(T, stop_bits), .per_unit = 1},
    {"extra", TEXT, MEMBER(T, extra)},
};
#undef T

#define T struct lw_meter
#define P struct lw_metering_point
static const struct ledger_column meter_columns[] = {
    {"meter_id", TEXT, MEMBER(T, id)},
    {"installed_at", TIME, MEMBER(T, installed)},
    {"point_id", POINT, MEMBER(T, point)},
    {"account_no", TEXT, MEMBER(T, account_no)},
    {"asset_no", TEXT, MEMBER(T, asset_no)},
    {"site_id", SITE, true, MEMBER(P, site)},
    {"role", ENUM, true, MEMBER(P, role), .type = LW_ENUM_ROLE},
    {"parent_id", POINT, MEMBER(T, parent)},
    {"gateway_id", GATEWAY, MEMBER(T, gateway)},
    {"unit", NUMBER, MEMBER(T, unit), .per_unit = 1},
    {"profile", TEXT, MEMBER(T, profile)},
    {"interval_s", NUMBER, MEMBER(T, interval_s), .per_unit = 1},
    {"ct_ratio", NUMBER, MEMBER(T, ct_milli), .per_unit = 1000},
    {"pt_ratio", NUMBER, MEMBER(T, pt_milli), .per_unit = 1000},
    {"rated_kw", NUMBER, MEMBER(T, rated_w), .per_unit = 1000},
    {"energy_resolution_kwh", REGISTER, MEMBER(T, resolution_wh)},
    {"energy_modulus_kwh", REGISTER, MEMBER(T, modulus_wh)},
    {"removed_at", TIME, MEMBER(T, removed)},
    {"extra", TEXT, MEMBER(T, extra)},
};
#undef T
#undef P

#define TABLE(name, columns, keys, order)                                                \
    {                                                                                    \
        name, columns, sizeof(columns) / sizeof((columns)[0]), keys, order               \
    }

static const struct ledger_table tables[LW_TABLES] = {
    [LW_AREAS] = TABLE("area", area_columns, 1, "area_id"),
    [LW_CONTACTS] = TABLE("contact", contact_columns, 1, "contact_id"),
    [LW_SITES] = TABLE("site", site_columns, 1, "site_id"),
    [LW_LICENCES] = TABLE("licence", licence_columns, 3, "site_id, kind, number"),
    [LW_EXPLANATIONS] = TABLE("explanation", explanation_columns, 1, "explanation_id"),
    [LW_GATEWAYS] = TABLE("gateway", gateway_columns, 1, "gateway_id"),
    [LW_METERS] = TABLE("meter", meter_columns, 2, "meter_id, installed_at"),
};

const struct ledger_table *
ledger_table(enum lw_table table)
{
    return &tables[table];
}

void
ledger_column_sql(const struct ledger_column *column, FILE *to)
{
    const char *name = column->name;

    if (column->kind == TIME)
        fprintf(
            to,
            "to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS %s",
            name, name);
    else if (column->kind == BOOL)
        fprintf(to, "%s::text", name);
    else
        fprintf(to, "\"%s\"", name);
}

/* Cells -------------------------------------------------------------------------------
 */

static void
put_text(const char *s, FILE *to)
{
    if (s[0] == '\0' || strcmp(s, "{}") == 0) /* not given: NULL */
        return;
    fputc('"', to);
    for (; *s; s++) {
        if (*s == '"')
            fputc('"', to);
        fputc(*s, to);
    }
    fputc('"', to);
}

static void
put_decimal(int64_t v, int64_t per_unit, FILE *to)
{
    char text[48];
    struct lw_text t;
    int decimals = 0;

    for (int64_t unit = per_unit; unit > 1; unit /= 10)
        decimals++;
    lw_text_init(&t, text, sizeof(text));
    lw_text_add_decimal(&t, v, per_unit, decimals);
    fputs(text, to);
}

/* "Mon-Fri,Holiday 08:00-18:00; Sat 08:00-12:00" */
static void
put_hours(const struct lw_hours *hours, FILE *to)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu",
                                       "Fri", "Sat", "Sun", "Holiday"};

    if (hours->n == 0)
        return;
    fputc('"', to);
    for (int i = 0; i < hours->n; i++) {
        unsigned from = (unsigned)hours->span[i].from;
        unsigned until = (unsigned)hours->span[i].to;
        const char *comma = i == 0 ? "" : "; ";

        for (int day = 0; day < 8; day++) {
            if (hours->span[i].days >> day & 1) {
                fprintf(to, "%s%s", comma, days[day]);
                comma = ",";
            }
        }
        fprintf(to, " %02u:%02u-%02u:%02u", from / 60, from % 60, until / 60, until % 60);
    }
    fputc('"', to);
}

static void
put_time(int64_t ms, FILE *to)
{
    char text[LW_TIME_TEXT];

    if (ms < LW_WALL_FIRST || ms > LW_WALL_LAST) /* always was, no end */
        return;
    lw_wall_format((lw_wall){ms}, text);
    fputs(text, to);
}

/* The number whose product with CT and PT, rounded, is `wh`. */
static void
put_register(const struct lw_meter *meter, int64_t wh, FILE *to)
{
    if (wh == LW_NOT_GIVEN)
        return;

    __extension__ typedef __int128 wide;
    wide ratio = (wide)meter->ct_milli * meter->pt_milli;     /* in 1/1,000,000 */
    wide micro = ((wide)wh * 1000000000 + ratio / 2) / ratio; /* kWh in 1/1,000,000 */

    put_decimal((int64_t)micro, 1000000, to);
}

static int64_t
number(const void *at, uint8_t size)
{
    return size == 1   ? *(const uint8_t *)at
           : size == 4 ? *(const int32_t *)at
                       : *(const int64_t *)at;
}

static void
put_cell(const struct lw_ledger *ledger, const struct ledger_column *column,
         const void *row, FILE *to)
{
    const char *base = row;

    if (column->of_point)
        base = (const char *)&ledger->point[((const struct lw_meter *)row)->point];

    const void *at = base + column->offset;
    int64_t v =
        column->kind == TEXT || column->kind == HOURS ? 0 : number(at, column->size);

    switch ((enum kind)column->kind) {
    case TEXT:
        put_text(*(const char *const *)at, to);
        break;
    case AREA:
        put_text(v == LW_NONE ? "" : ledger->area[v].id, to);
        break;
    case SITE:
        put_text(v == LW_NONE ? "" : ledger->site[v].id, to);
        break;
    case GATEWAY:
        put_text(v == LW_NONE ? "" : ledger->gateway[v].id, to);
        break;
    case POINT:
        put_text(v == LW_NONE ? "" : ledger->point[v].id, to);
        break;
    case ENUM:
        put_text(lw_enum_name((enum lw_enum_type)column->type, (int)v), to);
        break;
    case POSITION:
        if (((const struct lw_site *)row)->has_position)
            put_decimal(v, column->per_unit, to);
        break;
    case NUMBER:
        if (v != LW_NOT_GIVEN)
            put_decimal(v, column->per_unit, to);
        break;
    case REGISTER:
        put_register(row, v, to);
        break;
    case BOOL:
        fputs(v ? "true" : "false", to);
        break;
    case TIME:
        put_time(v, to);
        break;
    case HOURS:
        put_hours(at, to);
        break;
    }
}

void
ledger_table_csv(const struct lw_ledger *ledger, enum lw_table table, FILE *to)
{
    const struct {
        const void *rows;
        size_t size;
        int32_t n;
    } rows[LW_TABLES] = {
        [LW_AREAS] = {ledger->area, sizeof(*ledger->area), ledger->nareas},
        [LW_CONTACTS] = {ledger->contact, sizeof(*ledger->contact), ledger->ncontacts},
        [LW_SITES] = {ledger->site, sizeof(*ledger->site), ledger->nsites},
        [LW_LICENCES] = {ledger->licence, sizeof(*ledger->licence), ledger->nlicences},
        [LW_EXPLANATIONS] = {ledger->explanation, sizeof(*ledger->explanation),
                             ledger->nexplanations},
        [LW_GATEWAYS] = {ledger->gateway, sizeof(*ledger->gateway), ledger->ngateways},
        [LW_METERS] = {ledger->meter, sizeof(*ledger->meter), ledger->nmeters},
    };
    const struct ledger_table *t = &tables[table];

    for (int32_t i = 0; i < rows[table].n; i++) {
        const char *row = (const char *)rows[table].rows + (size_t)i * rows[table].size;

        for (int c = 0; c < t->ncolumns; c++) {
            if (c > 0)
                fputc(',', to);
            put_cell(ledger, &t->column[c], row, to);
        }
        fputc('\n', to);
    }
}
