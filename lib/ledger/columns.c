/* The columns of the seven files: one const table each. */
#include "read.h"

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
    {"reference_reviewed_by", CELL_TEXT, .max = LW_PERSON_MAX,
     COLUMN(T, reference_reviewed_by)},
    {"reference_reviewed_at", CELL_FROM, COLUMN(T, reference_reviewed_at)},
    {"reference_from", CELL_FROM, COLUMN(T, reference_from)},
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
#undef T

#define SHEET(columns, row, from, to)                                                    \
    {                                                                                    \
        columns, (int)(sizeof(columns) / sizeof((columns)[0])), from, to, sizeof(row),   \
            offsetof(row, extra)                                                         \
    }

const struct sheet lw_sheets[LW_TABLES] = {
    [LW_AREAS] = SHEET(area_columns, struct lw_area, -1, -1),
    [LW_CONTACTS] = SHEET(contact_columns, struct lw_contact, -1, -1),
    [LW_SITES] = SHEET(site_columns, struct lw_site, -1, -1),
    [LW_LICENCES] = SHEET(licence_columns, struct lw_licence, 3, 4),
    [LW_EXPLANATIONS] = SHEET(explanation_columns, struct lw_explanation, 5, 6),
    [LW_GATEWAYS] = SHEET(gateway_columns, struct lw_gateway, -1, -1),
    [LW_METERS] = {meter_columns, sizeof(meter_columns) / sizeof(meter_columns[0]), 1, 2,
                   sizeof(struct lw_meter_row),
                   offsetof(struct lw_meter_row, meter.extra)},
};
