/* The ledger (台账): areas, contacts, sites, licences, explanations, gateways and meters
 * of one deployment, checked as a whole. Immutable once made; plain data, all indices are
 * into its arrays, all strings belong to it and are UTF-8, never NULL ("" is "not
 * given"). `extra` is a JSON object's text: the cells of columns that are not ours, or
 * {}.
 *
 * It is made from the text of its seven CSV files, wherever they are from: a folder,
 * PostgreSQL (COPY … CSV) or the journal. So there is one parser and one form to record.
 */
#ifndef LODEWATCH_LEDGER_H
#define LODEWATCH_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/result.h>
#include <lodewatch/time.h>

enum {
    LW_NONE = -1
}; /* no index */

enum lw_table {
    LW_AREAS,
    LW_CONTACTS,
    LW_SITES,
    LW_LICENCES,
    LW_EXPLANATIONS,
    LW_GATEWAYS,
    LW_METERS,
    LW_TABLES
};

/* "areas.csv" … */
const char *lw_table_file(enum lw_table table);

enum {
    LW_ID_MAX = 64,            /* bytes of an id */
    LW_PERSON_MAX = 64,        /* bytes of the name of whoever reviewed */
    LW_LEDGER_ROWS = 2000000,  /* of one file */
    LW_LEDGER_CELL = 4096,     /* bytes of one cell */
    LW_LEDGER_BYTES = 1 << 30, /* of one file */
    LW_HOURS_SPANS = 16,
    LW_HOLIDAYS = 1000,
};

enum lw_area_level {
    LW_COUNTY,
    LW_TOWNSHIP,
    LW_VILLAGE,
    LW_GULLY,
    LW_OPENING
};

enum lw_site_kind {
    LW_COAL_MINE,
    LW_NON_COAL_MINE,
    LW_QUARRY,
    LW_SAND,
    LW_PROCESSING_PLANT,
    LW_COAL_WASHERY,
    LW_HAZARDOUS_CHEMICAL,
    LW_UNLICENSED_POINT,
    LW_SITE_OTHER,
};
enum {
    LW_SITE_KINDS = LW_SITE_OTHER + 1
};

enum lw_site_status {
    LW_CLOSED,
    LW_UNLICENSED,
    LW_SUSPENDED,
    LW_MAINTENANCE,
    LW_LICENSED,
    LW_RELOCATING,
    LW_CUT_OFF,
    LW_STATUS_UNKNOWN,
};
enum {
    LW_SITE_STATUSES = LW_STATUS_UNKNOWN + 1
};

enum lw_datum {
    LW_WGS84,
    LW_CGCS2000,
    LW_GCJ02,
    LW_DATUM_NONE
};

enum lw_licence_kind {
    LW_LICENCE_MINING,
    LW_LICENCE_SAFETY
};

enum lw_explanation_kind {
    LW_GUARD_HOUSE,
    LW_DEWATERING,
    LW_VENTILATION,
    LW_UNDER_MAINTENANCE,
    LW_RESCUE,
    LW_RESTART,
    LW_TEMPORARY_SUPPLY,
    LW_METERING_TEST,
    LW_RESIDENT,
    LW_GENERATION,
    LW_HEATING,
    LW_LIGHTING,
    LW_EXPLANATION_OTHER,
};

enum lw_transport {
    LW_TCP,
    LW_TLS,
    LW_RTU,
    LW_RTU_OVER_TCP,
    LW_DIAL_IN_TCP,
    LW_DIAL_IN_RTU,
};

enum lw_parity {
    LW_PARITY_NONE,
    LW_PARITY_EVEN,
    LW_PARITY_ODD
};

enum lw_meter_role {
    LW_SUPPLY,
    LW_SUB,
    LW_FEEDER,
    LW_CONTEXT
};

enum lw_contact_rank {
    LW_CHIEF,
    LW_DEPUTY
};

/* Names of the enums' values, as the English CSV writes them and as people read them.
 * One const table in lib/ledger/names.c has both, and every alias that is accepted. */
enum lw_enum_type {
    LW_ENUM_LEVEL,
    LW_ENUM_SITE_KIND,
    LW_ENUM_STATUS,
    LW_ENUM_DATUM,
    LW_ENUM_LICENCE,
    LW_ENUM_EXPLANATION,
    LW_ENUM_TRANSPORT,
    LW_ENUM_PARITY,
    LW_ENUM_ROLE,
    LW_ENUM_RANK,
};
const char *lw_enum_name(enum lw_enum_type type, int value); /* "closed" */
const char *lw_enum_zh(enum lw_enum_type type, int value);   /* "关闭" */
const char *lw_enum_en(enum lw_enum_type type, int value); /* "closed", for a sentence */

/* Hours of the week: `Mon-Fri 08:00-18:00; Holiday 22:00-06:00`. No span: always.
 * A span whose end is not after its start crosses midnight; one without days is for every
 * day, holidays too. */
struct lw_hours {
    uint8_t n;
    struct {
        uint8_t days; /* bit 0 Monday .. bit 6 Sunday, bit 7 Holiday */
        int16_t from; /* minute of the day, 0..1439 */
        int16_t to;   /* 1..1440 */
    } span[LW_HOURS_SPANS];
};
/* LW_EPARSE; *ret_column is where (from 1). */
LW_MUSTCHECK
int lw_hours_parse(const char *s, size_t n, struct lw_hours *ret_hours,
                   size_t *ret_column);

struct lw_area {
    const char *id, *name, *name_en, *extra;
    int32_t parent; /* area, or LW_NONE */
    enum lw_area_level level;
};

struct lw_contact {
    const char *id, *role, *name, *phone, *channel, *user, *extra;
    int32_t area; /* one of the two */
    int32_t site;
    enum lw_contact_rank rank;
};

struct lw_licence {
    const char *number, *extra;
    int32_t site;
    enum lw_licence_kind kind;
    lw_wall from;       /* LW_WALL_MIN: always was */
    lw_wall to;         /* exclusive; LW_WALL_MAX: no end */
    int64_t capacity_t; /* a year; LW_NOT_GIVEN */
    int64_t wh_per_tonne;
};

#define LW_NOT_GIVEN INT64_MIN

struct lw_explanation {
    const char *id, *authority, *document, *approved_by, *approved_by_2, *extra;
    int32_t site;
    enum lw_explanation_kind kind;
    int64_t max_w; /* LW_NOT_GIVEN: known of, not limited */
    struct lw_hours hours;
    lw_wall from;
    lw_wall to;
    int32_t point; /* the sub-meter's that measures it, or LW_NONE */
};

struct lw_gateway {
    const char *id, *address, *registration, *extra;
    enum lw_transport transport;
    int32_t max_inflight; /* default 1 */
    int32_t min_gap_ms;   /* default 0 */
    int32_t timeout_ms;   /* default 1000 */
    int32_t baud;         /* default 9600 */
    enum lw_parity parity;
    int32_t data_bits; /* default 8 */
    int32_t stop_bits; /* default 1 */
    uint32_t line;     /* of gateways.csv, for faults that only the poller finds */
};

/* One row of meters.csv: a meter at a point from `installed` until `removed`. */
struct lw_meter {
    const char *id, *account_no, *asset_no, *profile, *extra;
    int32_t point;
    int32_t parent;     /* the point above it, or LW_NONE: a point can be switched over */
    int32_t gateway;    /* or LW_NONE: it is not polled */
    uint8_t unit;       /* 0..255 */
    int32_t interval_s; /* 1..86400 */
    lw_wall installed;
    lw_wall removed;  /* LW_WALL_MAX: in place */
    int64_t ct_milli; /* ratio x 1000; 1000 where not given */
    int64_t pt_milli;
    int64_t rated_w;       /* LW_NOT_GIVEN */
    int64_t resolution_wh; /* primary: after CT x PT; LW_NOT_GIVEN */
    int64_t modulus_wh;    /* primary; LW_NOT_GIVEN */
    uint32_t line;         /* of meters.csv */
};

/* A metering point (计量点): it lasts when its meter is exchanged. */
struct lw_metering_point {
    const char *id;
    int32_t site;   /* or LW_NONE (feeder, context) */
    int32_t parent; /* the point above its newest meter, or LW_NONE */
    enum lw_meter_role role;
    int32_t meter_first; /* its meters, in the order of `installed` */
    int32_t meter_n;
};

struct lw_site {
    const char *id, *name, *name_en, *status_document, *credit_code, *tags, *extra;
    enum lw_site_kind kind;
    enum lw_site_status status;
    lw_wall status_since; /* before it the site is LW_STATUS_UNKNOWN */
    int32_t area;         /* or LW_NONE */
    bool has_position;
    int32_t lat_udeg; /* 1/1,000,000 degree */
    int32_t lon_udeg;
    enum lw_datum datum;
    int64_t contract_w; /* LW_NOT_GIVEN */
    bool important_user, own_generation, residents_downstream;
    const char *reference_reviewed_by; /* "": nobody, it is provisional */
    lw_wall reference_reviewed_at;     /* LW_WALL_MIN: no date is on file */
    lw_wall reference_from; /* what was learned before it is refused; LW_WALL_MIN */
    int32_t point_first, point_n;
    int32_t licence_first, licence_n;
    int32_t explanation_first, explanation_n;
};

/* A column that is none of ours; its cells are in `extra`. */
struct lw_unknown_column {
    enum lw_table table;
    const char *name; /* as in a JSON string */
};

struct lw_ledger {
    char deployment[LW_ID_MAX + 1];
    bool exercise; /* on a simulated clock: alerts say so */
    const struct lw_zone *zone;
    const int32_t *holidays; /* civil days, ascending */
    int32_t nholidays;

    const struct lw_area *area;               /* by id */
    const struct lw_contact *contact;         /* by area, site, role, rank */
    const struct lw_site *site;               /* by id */
    const struct lw_licence *licence;         /* by site, kind, from */
    const struct lw_explanation *explanation; /* by site, id */
    const struct lw_gateway *gateway;         /* by id */
    const struct lw_metering_point *point;    /* by site, id; those without a site last */
    const struct lw_meter *meter;             /* by point, installed */
    int32_t nareas, ncontacts, nsites, nlicences, nexplanations, ngateways, npoints,
        nmeters;
    const struct lw_unknown_column *unknown; /* as in the files */
    int32_t nunknown;
    /* and what belongs to the module */
    struct lw_ledger_index *index;
};

/* What a ledger is made from; all borrowed. Text that is NULL is an empty file. */
struct lw_ledger_text {
    const char *deployment; /* "" : the id of the first root area */
    bool exercise;
    const void *tzif; /* the zone's TZif file; NULL: UTC */
    size_t tzif_n;
    const char *holidays; /* `[calendar] holidays`: a date a line; "" is none */
    size_t holidays_n;
    struct {
        const char *file; /* the name for faults; NULL: lw_table_file() */
        const char *text; /* UTF-8 */
        size_t n;
    } table[LW_TABLES];
};

/* LW_EPARSE with every fault found, LW_ENOMEM. */
LW_MUSTCHECK
int lw_ledger_new(const struct lw_ledger_text *text, struct lw_faults *faults,
                  struct lw_ledger **ret_ledger);
void lw_ledger_free(struct lw_ledger *ledger);

int32_t lw_ledger_site(const struct lw_ledger *ledger, const char *id);
int32_t lw_ledger_gateway(const struct lw_ledger *ledger, const char *id);
int32_t lw_ledger_point(const struct lw_ledger *ledger, const char *id);
/* The row of the meter with this id that is in place at t, else LW_NONE. */
int32_t lw_ledger_meter(const struct lw_ledger *ledger, const char *id, size_t n,
                        lw_wall t);

/* The site's status at t: `unknown` before status_since. */
static inline enum lw_site_status
lw_site_status_at(const struct lw_site *site, lw_wall t)
{
    return t.ms < site->status_since.ms ? LW_STATUS_UNKNOWN : site->status;
}
bool lw_ledger_is_holiday(const struct lw_ledger *ledger, int32_t day);
/* Are these hours on at t, in the ledger's zone? No span at all: always. On a holiday
 * only Holiday spans apply; a span that crosses midnight belongs to the day it begins on.
 */
bool lw_hours_at(const struct lw_ledger *ledger, const struct lw_hours *hours, lw_wall t);

/* The whole text packed as one blob, and back (borrowed from it): the journal's record of
 * a ledger. lib/ledger/ledger_pack.c */
struct lw_packer;
struct lw_unpacker;
void lw_ledger_text_pack(const struct lw_ledger_text *text, struct lw_packer *p);
LW_MUSTCHECK
int lw_ledger_text_unpack(struct lw_unpacker *u, struct lw_ledger_text *ret_text);

#endif
