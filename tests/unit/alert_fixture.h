/* A small county and an alarm in it, for the tests of words and JSON. */
#ifndef TESTS_UNIT_ALERT_FIXTURE_H
#define TESTS_UNIT_ALERT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <lodewatch/codec.h>
#include <lodewatch/words.h>

static const char fixture_areas[] = "area_id,parent_id,level,name,name_en\n"
                                    "C,,county,示例县,Example\n"
                                    "T1,C,township,一乡,First\n"
                                    "V1,T1,village,一村,Village\n";
static const char fixture_contacts[] = "contact_id,area_id,site_id,role,rank,name\n"
                                       "p-county,C,,governor,chief,甲\n"
                                       "p-deputy,V1,,grid,deputy,乙\n"
                                       "p-site,,S1,guard,chief,丙\n";
static const char fixture_sites[] =
    "site_id,name,name_en,kind,status,status_since,status_document,area_id,lat,lon,datum,"
    "residents_downstream,tags\n"
    "S1,一号矿点,Pit One,non_coal_mine,closed,2024-11-02T00:00:00Z,示例〔2024〕7号,V1,35.6,"
    "110.98,CGCS2000,yes,举报;夜间\n"
    "S2,二号矿,,coal_mine,licensed,2024-01-01T00:00:00Z,,T1,,,,,\n"
    "S3,三号矿点,Pit Three,quarry,closed,2024-01-01T00:00:00Z,,V1,35,111,WGS84,,\n";
static const char fixture_licences[] =
    "site_id,kind,number,valid_from,valid_to\n"
    "S2,mining,C-1,2020-01-01T00:00:00Z,2030-01-01T00:00:00Z\n"
    "S2,safety,A-1,2018-01-01T00:00:00Z,2021-01-01T00:00:00Z\n"
    "S2,safety,A-2,2021-01-01T00:00:00Z,2025-01-01T00:00:00Z\n";
static const char fixture_explanations[] =
    "explanation_id,site_id,kind,max_kw,hours,valid_from,valid_to,document\n"
    "X1,S1,maintenance,30,,2025-03-01T00:00:00Z,2025-03-10T16:00:00Z,示例〔2025〕1号\n"
    "X2,S1,guard_house,2,,2024-11-02T00:00:00Z,,\n"
    "X3,S1,dewatering,5.5,08:00-18:00,2024-11-02T00:00:00Z,,\n"
    "X4,S1,heating,,,2025-11-01T00:00:00Z,,\n";
static const char fixture_gateways[] =
    "gateway_id,transport,address\nG1,tcp,127.0.0.1:502\n";
static const char fixture_meters[] =
    "meter_id,installed_at,point_id,site_id,role,gateway_id,unit,profile,interval_s,ct_ratio,"
    "removed_at\n"
    "m-old,2024-01-01T00:00:00Z,P1,S1,supply,G1,1,generic,900,40,2025-01-01T00:00:00Z\n"
    "m-221,2025-01-01T00:00:00Z,P1,S1,supply,G1,1,generic,900,40,\n"
    "m-2,2024-01-01T00:00:00Z,P2,S2,supply,G1,2,generic,900,,\n"
    "m-3,2024-01-01T00:00:00Z,P3,S3,supply,G1,3,generic,900,,\n"
    "m-f,2024-01-01T00:00:00Z,F1,,feeder,G1,4,generic,900,,\n";

static struct lw_ledger *
fixture_ledger_of(const struct lw_ledger_text *text)
{
    static struct lw_faults faults;
    struct lw_ledger *ledger = NULL;

    faults = (struct lw_faults){0};
    if (lw_ledger_new(text, &faults, &ledger) != 0) {
        for (uint32_t i = 0; i < faults.kept; i++)
            fprintf(stderr, "%s:%u:%u: %s\n", faults.fault[i].file, faults.fault[i].line,
                    faults.fault[i].column, faults.fault[i].text);
        fail_msg("the fixture's ledger has faults");
    }
    return ledger;
}

#define FIXTURE_TABLE(name)                                                              \
    {                                                                                    \
        .text = fixture_##name, .n = sizeof(fixture_##name) - 1                          \
    }

static struct lw_ledger_text
fixture_text(void)
{
    return (struct lw_ledger_text){
        .deployment = "example-county",
        .holidays = "",
        .table =
            {
                [LW_AREAS] = FIXTURE_TABLE(areas),
                [LW_CONTACTS] = FIXTURE_TABLE(contacts),
                [LW_SITES] = FIXTURE_TABLE(sites),
                [LW_LICENCES] = FIXTURE_TABLE(licences),
                [LW_EXPLANATIONS] = FIXTURE_TABLE(explanations),
                [LW_GATEWAYS] = FIXTURE_TABLE(gateways),
                [LW_METERS] = FIXTURE_TABLE(meters),
            },
    };
}

static lw_wall
fixture_time(const char *s)
{
    lw_wall t = LW_WALL_MIN;
    assert_int_equal(lw_wall_parse(s, strlen(s), NULL, LW_DATE_START, &t), 0);
    return t;
}

/* 86.149 kW for an hour of the night at the closed site S1. */
static struct lw_alarm
fixture_alarm(void)
{
    struct lw_alarm alarm = {
        .rule = LW_RULE_CLOSED_LOAD,
        .subject_kind = LW_SUBJECT_SITE,
        .state = LW_ALARM_UNACKNOWLEDGED_ACTIVE,
        .priority = LW_PRIORITY_HIGH,
        .revision = 1,
        .occurrences = 1,
        .onset = fixture_time("2025-03-12T18:31:00Z"),
        .at = fixture_time("2025-03-12T18:31:00Z"),
        .evidence =
            {
                .from = fixture_time("2025-03-12T17:30:00Z"),
                .to = fixture_time("2025-03-12T18:30:00Z"),
                .mean_w = 86149,
                .peak_w = 131000,
                .energy_wh = 86149,
                .expected_w = 2000,
                .excess_wh = 84149,
                .samples_expected = 4,
                .samples_good = 4,
                .finding = LW_FOUND_OVER_ALLOWANCE,
                .night = 1,
                .readings_from = fixture_time("2025-02-01T00:00:00Z"),
                .readings_to = fixture_time("2025-03-12T18:30:00Z"),
                .readings = 3851,
                .readings_meters = 1,
            },
    };
    for (size_t i = 0; i < sizeof(alarm.id); i++)
        alarm.id[i] = (uint8_t)(0x5f + i);
    memset(alarm.evidence.sha256, 0xab, sizeof(alarm.evidence.sha256));
    return alarm;
}

#endif
