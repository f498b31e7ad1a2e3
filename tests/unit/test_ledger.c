/* The ledger: what is accepted, what is refused and where, and how rows are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lodewatch/ledger.h>
#include <lodewatch/pack.h>

#define AREAS "area_id,parent_id,level,name\nC,,county,示例县\nT,C,township,甲镇\n"
#define SITES                                                                            \
    "site_id,name,kind,status,status_since,area_id\nS1,一号,coal_mine,closed,2025-09-01,T\nS2,二号,quarry,licensed,,T\n"
#define GATES "gateway_id,transport,address\nG1,tcp,127.0.0.1:1502\n"
#define METERS                                                                           \
    "meter_id,installed_at,removed_at,point_id,site_id,role,parent_id,gateway_id,unit\n"
#define GOOD_METERS                                                                      \
    METERS "F,2025-01-01,,F,,feeder,,G1,9\n"                                             \
           "M1,2025-01-01,2025-06-01T08:00:00Z,P1,S1,supply,F,G1,1\n"                    \
           "M1b,2025-06-01T08:00:00Z,,P1,S1,supply,F,G1,1\n"                             \
           "M2,2025-01-01,,,S1,sub,P1,G1,2\n"                                            \
           "WX,2025-01-01,,,,context,,G1,3\n"

static void
fill(struct lw_ledger_text *text, const char *const tables[LW_TABLES])
{
    *text = (struct lw_ledger_text){.deployment = ""};
    for (int i = 0; i < LW_TABLES; i++) {
        text->table[i].text = tables[i];
        text->table[i].n = tables[i] != NULL ? strlen(tables[i]) : 0;
    }
}

static struct lw_ledger *
make(const char *const tables[LW_TABLES])
{
    static struct lw_faults faults;
    struct lw_ledger_text text;
    struct lw_ledger *ledger = NULL;
    fill(&text, tables);
    faults = (struct lw_faults){0};
    int rc = lw_ledger_new(&text, &faults, &ledger);
    for (uint32_t i = 0; i < faults.kept; i++)
        print_message("%s:%u:%u: %s\n", faults.fault[i].file, faults.fault[i].line,
                      faults.fault[i].column, faults.fault[i].text);
    assert_int_equal(rc, 0);
    return ledger;
}

static struct lw_ledger *
make_good(void)
{
    const char *const tables[LW_TABLES] = {[LW_AREAS] = AREAS,
                                           [LW_SITES] = SITES,
                                           [LW_GATEWAYS] = GATES,
                                           [LW_METERS] = GOOD_METERS};
    return make(tables);
}

/* Each row: a good ledger with one table replaced; the one fault that is found. */
static const struct {
    const char *name;
    enum lw_table table;
    const char *text;
    const char *fault; /* "line:column: part of the text" */
} refused[] = {
    {"no key column", LW_SITES, "name\nx\n", "1:1: no column site_id"},
    {"a column twice, once in Chinese", LW_AREAS, "area_id,name,名称\nC,a,b\nT,a,b\n",
     "1:14: a second column for name"},
    {"a short row", LW_AREAS, "area_id,name\nC,x\nT\n",
     "3:1: 1 cells where the header has 2"},
    {"a blank key", LW_AREAS, AREAS ",C,village,x\n", "4:1: area_id is blank"},
    {"an id twice", LW_AREAS, AREAS "T,C,village,x\n", "4:1: this area_id is on line 3"},
    {"an id that a spreadsheet spoilt", LW_SITES, SITES "1.4E+12,x,other,closed,,T\n",
     "4:1: site_id \"1.4E+12\" is what a spreadsheet made"},
    {"a reference that a spreadsheet spoilt", LW_METERS,
     METERS "M1,2025-01-01,,,1.40824E+11,supply,,G1,1\n",
     "2:17: site_id \"1.40824E+11\" is what"},
    {"an account number spoilt", LW_METERS,
     "meter_id,installed_at,户号,site_id\nM1,2025-01-01,1.4e+09,S1\n",
     "2:15: account_no \"1.4e+09\" is what"},
    {"a slash in an id", LW_SITES, SITES "a/b,x,other,closed,,T\n",
     "4:1: site_id \"a/b\" has a slash"},
    {"an id too long", LW_SITES,
     SITES
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,x,other,closed,,T\n",
     "4:1: site_id \"aaaa"},
    {"a parent that is not there", LW_AREAS, AREAS "V,X,village,x\n",
     "4:3: no area \"X\""},
    {"areas in a circle", LW_AREAS, "area_id,parent_id\nC,\nT,V\nV,T\n",
     ":3: parent_id goes round in a circle"},
    {"an area of its own", LW_AREAS, "area_id,parent_id\nC,\nT,T\n",
     "3:3: parent_id goes round"},
    {"an unknown status", LW_SITES, "site_id,status\nS1,shut\nS2,closed\n",
     "2:4: status \"shut\" is none of closed, unlicensed,"},
    {"a time that is none", LW_SITES, "site_id,status_since\nS1,2025-02-30\nS2,\n",
     "2:4: status_since \"2025-02-30\" is no time"},
    {"a reference from a time that is none", LW_SITES,
     "site_id,reference_from\nS1,soon\nS2,\n", "2:4: reference_from \"soon\" is no time"},
    {"a reviewer's name too long", LW_SITES,
     "site_id,reference_reviewed_by\nS1,"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nS2,\n",
     "2:4: reference_reviewed_by \"aaaa"},
    {"a review's date that is none", LW_SITES,
     "site_id,reference_reviewed_by,reference_reviewed_at\nS1,张三,soon\nS2,,\n",
     "2:11: reference_reviewed_at \"soon\" is no time"},
    {"a review by nobody", LW_SITES,
     "site_id,reference_reviewed_at\nS1,2025-11-04\nS2,\n",
     "2:4: a review has a date and no name"},
    {"latitude without longitude", LW_SITES, "site_id,lat,lon\nS1,35.6,\nS2,,\n",
     "2:4: lat and lon go together"},
    {"latitude out of range", LW_SITES, "site_id,lat,lon\nS1,95,110\nS2,,\n",
     "2:4: lat \"95\" is out of range; expected -90 to 90"},
    {"a number with a unit", LW_SITES, "site_id,contract_kw\nS1,30kW\nS2,\n",
     "2:4: contract_kw \"30kW\" is no number"},
    {"neither yes nor no", LW_SITES, "site_id,important_user\nS1,maybe\nS2,\n",
     "2:4: important_user \"maybe\" is neither"},
    {"invalid UTF-8", LW_SITES, "site_id,name\nS1,ab\xff\nS2,\n",
     "2:6: this is not UTF-8"},
    {"a quote never closed", LW_SITES, SITES "S3,\"x\n",
     "4:4: a quote that is never closed"},
    {"a contact for nobody", LW_CONTACTS, "contact_id,area_id,site_id\nP,,\n",
     "2:1: a contact is for an area_id or for a site_id"},
    {"a contact for two", LW_CONTACTS, "contact_id,area_id,site_id\nP,C,S1\n",
     "2:1: a contact is for an area_id or for a site_id"},
    {"a contact's unknown site", LW_CONTACTS, "contact_id,site_id\nP,S9\n",
     "2:3: no site \"S9\""},
    {"a licence twice", LW_LICENCES,
     "site_id,kind,number\nS2,mining,1\nS2,safety,1\nS2,mining,1\n",
     "4:1: this site's licence of this kind and number is on line 2"},
    {"a licence that ends before it begins", LW_LICENCES,
     "site_id,kind,number,valid_from,valid_to\nS2,mining,1,2025-02-01,2025-01-01\n",
     "2:24: valid_to is not after valid_from"},
    {"an explanation of no site", LW_EXPLANATIONS, "explanation_id,site_id\nE,S7\n",
     "2:3: no site \"S7\""},
    {"an explanation by a supply meter", LW_EXPLANATIONS,
     "explanation_id,site_id,point_id\nE,S1,P1\n", "2:6: point \"P1\" is no sub-meter"},
    {"an explanation by another site's meter", LW_EXPLANATIONS,
     "explanation_id,site_id,point_id\nE,S2,M2\n", "2:6: point \"M2\" is no sub-meter"},
    {"hours that are none", LW_EXPLANATIONS,
     "explanation_id,site_id,hours\nE,S1,Mon-Fri 8-18\n", "2:6: hours \"Mon-Fri 8-18\""},
    {"a rate that is none", LW_GATEWAYS, "gateway_id,baud\nG1,10\n",
     "2:4: baud \"10\" is out"},
    {"an unknown gateway", LW_METERS, METERS "M1,2025-01-01,,,S1,supply,,G2,1\n",
     "2:28: no gateway \"G2\""},
    {"a supply without a site", LW_METERS, METERS "M1,2025-01-01,,,,supply,,G1,1\n",
     "2:1: a meter in the role supply needs a site_id"},
    {"a parent that is a sub-meter", LW_METERS,
     METERS "M1,2025-01-01,,,S1,sub,,G1,1\nM2,2025-01-01,,,S1,sub,M1,G1,2\n",
     "3:24: point \"M1\" is neither feeder nor supply"},
    {"points in a circle", LW_METERS,
     METERS "A,2025-01-01,,,,feeder,B,G1,1\nB,2025-01-01,,,,feeder,A,G1,2\n",
     ": parent_id goes round in a circle"},
    {"an exchange that overlaps", LW_METERS,
     METERS
     "M1,2025-01-01,2025-06-01,P,S1,supply,,G1,1\nM2,2025-05-31,,P,S1,supply,,G1,2\n",
     "3:1: a meter at this point is in place on line 2"},
    {"a meter in two places", LW_METERS,
     METERS "M1,2025-01-01,,P,S1,supply,,G1,1\nM1,2025-05-31,,Q,S1,supply,,G1,2\n",
     "3:1: this meter_id is in place on line 2"},
    {"two meters at one address", LW_METERS,
     METERS "M1,2025-01-01,,,S1,supply,,G1,1\nM2,2025-05-31,,,S1,supply,,G1,1\n",
     "3:1: a meter at this gateway and unit is in place on line 2"},
    {"rows of a point that disagree", LW_METERS,
     METERS
     "M1,2025-01-01,2025-06-01,P,S1,supply,,G1,1\nM2,2025-06-01,,P,S2,supply,,G1,1\n",
     "3:1: point \"P\" has another site_id than on line 2"},
    {"a meter removed before it came", LW_METERS,
     METERS "M1,2025-01-02,2025-01-01,,S1,supply,,G1,1\n",
     "2:15: removed_at is not after"},
    {"a unit out of range", LW_METERS, METERS "M1,2025-01-02,,,S1,supply,,G1,256\n",
     "2:31: unit \"256\" is out of range; expected 0 to 255"},
    {"a ratio that is none", LW_METERS,
     "meter_id,installed_at,site_id,ct_ratio\nM1,2025-01-01,S1,200/0\n",
     "2:18: ct_ratio \"200/0\" is out of range"},
};

static void
test_refused(void **state)
{
    (void)state;
    static struct lw_faults faults;
    int failed = 0;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        bool meters = refused[i].table == LW_EXPLANATIONS;
        const char *tables[LW_TABLES] = {[LW_AREAS] = AREAS,
                                         [LW_SITES] = SITES,
                                         [LW_GATEWAYS] = GATES,
                                         [LW_METERS] = meters ? GOOD_METERS : NULL};
        struct lw_ledger_text text;
        struct lw_ledger *ledger = NULL;
        char got[LW_FAULT_TEXT + 32];

        tables[refused[i].table] = refused[i].text;
        fill(&text, tables);
        faults = (struct lw_faults){0};
        int rc = lw_ledger_new(&text, &faults, &ledger);
        snprintf(got, sizeof(got), "%u:%u: %s", faults.fault[0].line,
                 faults.fault[0].column, faults.fault[0].text);
        if (rc != LW_EPARSE || faults.n != 1 || strstr(got, refused[i].fault) == NULL ||
            strcmp(faults.fault[0].file, lw_table_file(refused[i].table)) != 0)
            failed++, print_error("%s: rc %d, %u faults, first %s:%s\n", refused[i].name,
                                  rc, faults.n, faults.fault[0].file, got);
        assert_null(ledger);
    }
    assert_int_equal(failed, 0);
}

static void
test_every_fault(void **state)
{
    (void)state;
    static struct lw_faults faults;
    const char *const tables[LW_TABLES] = {
        [LW_SITES] = "site_id,kind,area_id\nS1,x,\nS2,y,Z\n,other,\n",
        [LW_METERS] = METERS "M,x,,,S3,supply,,,300\n"};
    struct lw_ledger_text text;
    struct lw_ledger *ledger = NULL;
    fill(&text, tables);
    assert_int_equal(lw_ledger_new(&text, &faults, &ledger), LW_EPARSE);
    /* kind twice, the blank id, area Z, installed_at, unit; but not site S3: it may be
     * the one whose id is blank */
    assert_int_equal(faults.n, 6);
}

static void
test_order(void **state)
{
    (void)state;
    struct lw_ledger *l = make_good();
    static const char *const points[] = {"M2", "P1", "F", "WX"};
    static const char *const meters[] = {"M2", "M1", "M1b", "F", "WX"};
    assert_string_equal(l->deployment, "C");
    assert_int_equal(l->npoints, 4);
    assert_int_equal(l->nmeters, 5);
    for (int i = 0; i < 4; i++)
        assert_string_equal(l->point[i].id, points[i]);
    for (int i = 0; i < 5; i++)
        assert_string_equal(l->meter[i].id, meters[i]);
    assert_int_equal(l->point[1].meter_first, 1);
    assert_int_equal(l->point[1].meter_n, 2);
    assert_int_equal(l->point[1].parent, 2);
    assert_int_equal(l->point[0].parent, 1);
    assert_int_equal(l->point[2].site, LW_NONE);
    assert_int_equal(l->site[0].point_first, 0);
    assert_int_equal(l->site[0].point_n, 2);
    assert_int_equal(l->site[1].point_n, 0);
    assert_int_equal(l->area[1].parent, 0);
    assert_int_equal(l->site[1].status_since.ms, INT64_MIN);
    lw_ledger_free(l);
}

static void
test_lookup(void **state)
{
    (void)state;
    struct lw_ledger *l = make_good();
    lw_wall exchange;
    assert_int_equal(
        lw_wall_parse("2025-06-01T08:00:00Z", 20, l->zone, LW_DATE_START, &exchange), 0);
    lw_wall before = lw_wall_add(exchange, -1);
    static const struct {
        const char *id;
        bool after;
        int32_t row;
    } rows[] = {
        {"M1", false, 1},       {"M1", true, LW_NONE}, {"M1b", false, LW_NONE},
        {"M1b", true, 2},       {"M2", true, 0},       {"M", true, LW_NONE},
        {"M22", true, LW_NONE}, {"", true, LW_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(lw_ledger_meter(l, rows[i].id, strlen(rows[i].id),
                                         rows[i].after ? exchange : before),
                         rows[i].row);
    /* The id need not end where it is asked for, nor hold text. */
    assert_int_equal(lw_ledger_meter(l, "M1b,1.5", 3, exchange), 2);
    assert_int_equal(lw_ledger_meter(l, "M1\0\0\0\0\0", 7, before), LW_NONE);
    assert_int_equal(lw_ledger_site(l, "S2"), 1);
    assert_int_equal(lw_ledger_site(l, "S3"), LW_NONE);
    assert_int_equal(lw_ledger_gateway(l, "G1"), 0);
    assert_int_equal(lw_ledger_point(l, "P1"), 1);
    lw_ledger_free(l);
}

/* A meter that comes back to where it was before. */
static void
test_moved(void **state)
{
    (void)state;
    const char *const tables[LW_TABLES] = {[LW_AREAS] = AREAS,
                                           [LW_SITES] = SITES,
                                           [LW_GATEWAYS] = GATES,
                                           [LW_METERS] = METERS
                                           "M,2025-01-01,2025-02-01,P,S1,supply,,G1,1\n"
                                           "N,2025-02-01,2025-03-01,P,S1,supply,,G1,1\n"
                                           "M,2025-03-01,,P,S1,supply,,G1,1\n"
                                           "M,2025-02-01,2025-03-01,Q,S2,supply,,G1,2\n"};
    struct lw_ledger *l = make(tables);
    lw_wall t;
    static const struct {
        const char *at, *point;
    } rows[] = {{"2025-01-05", "P"}, {"2025-02-05", "Q"}, {"2025-03-05", "P"}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lw_wall_parse(rows[i].at, 10, l->zone, LW_DATE_START, &t), 0);
        int32_t row = lw_ledger_meter(l, "M", 1, t);
        assert_int_not_equal(row, LW_NONE);
        assert_string_equal(l->point[l->meter[row].point].id, rows[i].point);
    }
    assert_int_equal(lw_ledger_meter(l, "M", 1, (lw_wall){0}), LW_NONE);
    lw_ledger_free(l);
}

/* Whether a closed site's reference was reviewed, and from when on it is learned. */
static void
test_review(void **state)
{
    static const struct {
        const char *name, *sites, *by;
        int64_t from, at;
    } rows[] = {
        {"no such columns", SITES, "", INT64_MIN, INT64_MIN},
        {"blank",
         "site_id,reference_reviewed_by,reference_reviewed_at,reference_from\n"
         "S1,,,\nS2,,,\n",
         "", INT64_MIN, INT64_MIN},
        {"reviewed, and refused before",
         "site_id,reference_reviewed_by,reference_from\n"
         "S1,张三,2025-11-04T00:00:00Z\nS2,,\n",
         "张三", INT64_C(1762214400000), INT64_MIN},
        {"in Chinese",
         "矿点编号,基准复核人,基准起始日期,基准复核日期\nS1,张三,2025/11/4,2025/11/5\nS2,,,\n",
         "张三", INT64_C(1762214400000), INT64_C(1762300800000)},
        {"a name as long as may be",
         "site_id,reference_reviewed_by\nS1,"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nS2,\n",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", INT64_MIN,
         INT64_MIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const tables[LW_TABLES] = {
            [LW_AREAS] = AREAS, [LW_SITES] = rows[i].sites};
        struct lw_ledger *l = make(tables);

        if (strcmp(l->site[0].reference_reviewed_by, rows[i].by) != 0 ||
            l->site[0].reference_from.ms != rows[i].from ||
            l->site[0].reference_reviewed_at.ms != rows[i].at)
            fail_msg("row \"%s\": \"%s\", %lld, %lld", rows[i].name,
                     l->site[0].reference_reviewed_by,
                     (long long)l->site[0].reference_from.ms,
                     (long long)l->site[0].reference_reviewed_at.ms);
        lw_ledger_free(l);
    }
}

/* What a county's register really looks like. */
static void
test_chinese(void **state)
{
    (void)state;
    const char *const tables[LW_TABLES] = {
        [LW_AREAS] =
            "\xef\xbb\xbf编号,名称,上级,级别\r\n140824,示例县,,县级\r\n01,甲镇,140824,乡\r\n",
        [LW_SITES] =
            "矿点编号, 矿点名称 ,类型,监管状态,状态日期,所属区域,纬度,经度,坐标系,"
            "合同容量（kW）,重要用户,备注\r\n"
            "K-1,一号井,煤矿,政策性关闭,2024/11/2,01,35.6,110.98,国家2000,160,否,\"停\"\"用\"\"\"\r\n",
        [LW_LICENCES] = "站点编号,证照类型,编号,有效期起,有效期止,核定产能(万吨/年)\n"
                        "K-1,采矿证,C1,2020-01-01,长期,30\n",
        [LW_EXPLANATIONS] =
            "说明编号,站点编号,类型,最大功率(kW),用电时段,有效期止,审批人,复核人\n"
            "E1,K-1,看护,3,周一至周五 08:00-18:00；节假日 22:00-06:00,"
            "2026-01-31,甲,乙\n",
        [LW_GATEWAYS] =
            "网关编号,通信方式,地址,波特率,校验位\nG,485,/dev/ttyS1,2400,偶校验\n",
        [LW_METERS] =
            "表号,装表日期,户号,站点编号,计量点性质,网关,站号,型号,CT变比,PT变比,"
            "电量分辨率kWh,满码\n"
            "D1,2024-01-01,0012345678,K-1,总表,G,17,sdm630,200/5,100,0.01,"
            "999999.99\n"};
    struct lw_ledger *l = make(tables);
    assert_string_equal(l->deployment, "140824");
    assert_int_equal(l->area[0].level, LW_TOWNSHIP);
    assert_int_equal(l->site[0].kind, LW_COAL_MINE);
    assert_int_equal(l->site[0].status, LW_CLOSED);
    assert_int_equal(l->site[0].datum, LW_CGCS2000);
    assert_int_equal(l->site[0].lon_udeg, 110980000);
    assert_int_equal(l->site[0].contract_w, 160000);
    assert_string_equal(l->site[0].name, "一号井");
    assert_string_equal(l->site[0].extra, "{\"备注\":\"停\\\"用\\\"\"}");
    assert_int_equal(l->licence[0].kind, LW_LICENCE_MINING);
    assert_int_equal(l->licence[0].to.ms, INT64_MAX);
    assert_int_equal(l->licence[0].capacity_t, LW_NOT_GIVEN); /* not in our unit */
    assert_int_equal(l->nunknown, 2);
    assert_string_equal(l->unknown[0].name, "备注");
    assert_int_equal(l->unknown[1].table, LW_LICENCES);
    assert_string_equal(l->licence[0].extra, "{\"核定产能(万吨/年)\":\"30\"}");
    assert_int_equal(l->explanation[0].max_w, 3000);
    assert_int_equal(l->explanation[0].hours.n, 2);
    /* A date alone in …_to is its end (UTC here: no zone was given). */
    lw_wall end;
    assert_int_equal(lw_wall_parse("2026-02-01", 10, l->zone, LW_DATE_START, &end), 0);
    assert_int_equal(l->explanation[0].to.ms, end.ms);
    assert_int_equal(l->gateway[0].parity, LW_PARITY_EVEN);
    assert_int_equal(l->gateway[0].data_bits, 8);
    assert_string_equal(l->meter[0].account_no, "0012345678");
    assert_int_equal(l->meter[0].ct_milli, 40000);
    assert_int_equal(l->meter[0].resolution_wh, 10 * 40 * 100);
    assert_int_equal(l->meter[0].modulus_wh, INT64_C(999999990) * 40 * 100);
    assert_int_equal(l->meter[0].interval_s, 900);
    lw_ledger_free(l);
}

/* Each enum: its names lead back to it, and Chinese does. */
static void
test_names(void **state)
{
    (void)state;
    static const struct {
        enum lw_enum_type type;
        int n;
    } types[] = {{LW_ENUM_LEVEL, LW_OPENING + 1},
                 {LW_ENUM_SITE_KIND, LW_SITE_OTHER + 1},
                 {LW_ENUM_STATUS, LW_STATUS_UNKNOWN + 1},
                 {LW_ENUM_DATUM, LW_DATUM_NONE + 1},
                 {LW_ENUM_LICENCE, LW_LICENCE_SAFETY + 1},
                 {LW_ENUM_EXPLANATION, LW_EXPLANATION_OTHER + 1},
                 {LW_ENUM_TRANSPORT, LW_DIAL_IN_RTU + 1},
                 {LW_ENUM_PARITY, LW_PARITY_ODD + 1},
                 {LW_ENUM_ROLE, LW_CONTEXT + 1},
                 {LW_ENUM_RANK, LW_DEPUTY + 1}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (int v = 0; v < types[i].n; v++) {
            bool none = types[i].type == LW_ENUM_DATUM && v == LW_DATUM_NONE;
            assert_int_equal(lw_enum_name(types[i].type, v)[0] == '\0', none);
            assert_int_equal(lw_enum_zh(types[i].type, v)[0] == '\0', none);
            assert_int_equal(lw_enum_en(types[i].type, v)[0] == '\0', none);
        }
        assert_string_equal(lw_enum_name(types[i].type, types[i].n), "");
        assert_string_equal(lw_enum_zh(types[i].type, -1), "");
    }
    /* All kinds and statuses by their Chinese names, through the parser. */
    char text[8192];
    size_t at = (size_t)snprintf(text, sizeof(text), "site_id,kind,status\n");
    for (int kind = 0; kind <= LW_SITE_OTHER; kind++)
        for (int status = 0; status <= LW_STATUS_UNKNOWN; status++)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "S%d%d,%s,%s\n", kind,
                                   status, lw_enum_zh(LW_ENUM_SITE_KIND, kind),
                                   lw_enum_zh(LW_ENUM_STATUS, status));
    const char *const tables[LW_TABLES] = {[LW_SITES] = text};
    struct lw_ledger *l = make(tables);
    for (int32_t i = 0; i < l->nsites; i++) {
        assert_int_equal(l->site[i].kind, l->site[i].id[1] - '0');
        assert_int_equal(l->site[i].status, l->site[i].id[2] - '0');
    }
    lw_ledger_free(l);
}

static void
test_blank(void **state)
{
    (void)state;
    const char *const tables[LW_TABLES] = {
        [LW_SITES] = "site_id\nS\n\n",
        [LW_METERS] = "site_id,meter_id,installed_at\nS,M,2025-01-01\n,,\n"};
    struct lw_ledger *l = make(tables);
    assert_string_equal(l->deployment, "lodewatch");
    assert_int_equal(l->site[0].status, LW_STATUS_UNKNOWN);
    assert_int_equal(l->site[0].area, LW_NONE);
    assert_false(l->site[0].has_position);
    assert_string_equal(l->site[0].extra, "{}");
    assert_int_equal(l->nmeters, 1);
    assert_int_equal(l->meter[0].gateway, LW_NONE);
    assert_string_equal(l->meter[0].profile, "generic");
    assert_string_equal(l->point[0].id, "M");
    lw_ledger_free(l);
    const char *const nothing[LW_TABLES] = {NULL};
    l = make(nothing);
    assert_int_equal(l->nsites + l->nmeters + l->nareas, 0);
    assert_int_equal(lw_ledger_meter(l, "M", 1, (lw_wall){0}), LW_NONE);
    lw_ledger_free(l);
}

struct bytes {
    uint8_t data[16384];
    size_t n;
};

static int
collect(void *arg, const void *data, size_t n)
{
    struct bytes *bytes = arg;
    assert_true(bytes->n + n <= sizeof(bytes->data));
    memcpy(bytes->data + bytes->n, data, n);
    bytes->n += n;
    return 0;
}

static void
test_pack(void **state)
{
    (void)state;
    static struct bytes bytes, again;
    static struct lw_packer p;
    const char *const tables[LW_TABLES] = {[LW_AREAS] = AREAS,
                                           [LW_SITES] = SITES,
                                           [LW_GATEWAYS] = GATES,
                                           [LW_METERS] = GOOD_METERS};
    struct lw_ledger_text text, back;
    struct lw_unpacker u;

    fill(&text, tables);
    text.deployment = "示例";
    text.exercise = true;
    text.holidays = "2026-01-01\n";
    text.holidays_n = 11;
    lw_pack_init(&p, collect, &bytes);
    lw_ledger_text_pack(&text, &p);
    assert_int_equal(lw_pack_flush(&p), 0);

    lw_unpack_init(&u, bytes.data, bytes.n);
    assert_int_equal(lw_ledger_text_unpack(&u, &back), 0);
    assert_string_equal(back.deployment, "示例");
    assert_true(back.exercise);
    assert_null(back.tzif);
    lw_pack_init(&p, collect, &again);
    lw_ledger_text_pack(&back, &p);
    assert_int_equal(lw_pack_flush(&p), 0);
    assert_int_equal(again.n, bytes.n);
    assert_memory_equal(again.data, bytes.data, bytes.n);

    static struct lw_faults faults;
    struct lw_ledger *l = NULL;
    assert_int_equal(lw_ledger_new(&back, &faults, &l), 0);
    assert_int_equal(l->nmeters, 5);
    assert_int_equal(l->nholidays, 1);
    lw_ledger_free(l);

    for (size_t n = 0; n < bytes.n; n++) { /* cut anywhere: refused, never overrun */
        lw_unpack_init(&u, bytes.data, n);
        assert_int_equal(lw_ledger_text_unpack(&u, &back), LW_EPARSE);
    }
    bytes.data[0] = 99;
    lw_unpack_init(&u, bytes.data, bytes.n);
    assert_int_equal(lw_ledger_text_unpack(&u, &back), LW_EVERSION);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_every_fault),
        cmocka_unit_test(test_order),   cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_moved),   cmocka_unit_test(test_review),
        cmocka_unit_test(test_chinese), cmocka_unit_test(test_names),
        cmocka_unit_test(test_blank),   cmocka_unit_test(test_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
