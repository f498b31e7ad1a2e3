/* A readings CSV: the events it becomes, and the places of its faults. */
#include "unit.h"

#include <stdlib.h>

#include <lodewatch/codec.h>
#include <lodewatch/text.h>

#include "tests/unit/small_ledger.h"

static struct lw_ledger *ledger;

static int
set_up(void **state)
{
    (void)state;
    ledger = small_ledger(SMALL_METERS);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    lw_ledger_free(ledger);
    return 0;
}

/* "measured meter/point quality name=value …", with "at received" where that differs. */
static void
describe(const struct lw_event *e, struct lw_text *out)
{
    static const char *const qualities[] = {"good", "suspect", "estimated", "missing"};
    char time[LW_TIME_TEXT];
    bool reading = e->kind == LW_EVENT_READING;
    uint32_t meter = reading ? e->reading.meter : e->failed.meter;

    check(meter < (uint32_t)ledger->nmeters);
    lw_wall_format(reading ? e->reading.time : e->at, time);
    lw_text_addf(out, "%s %s/%s", time, ledger->meter[meter].id,
                 ledger->point[ledger->meter[meter].point].id);
    if (!reading) {
        check_int(e->kind, LW_EVENT_READ_FAILED);
        check_int(e->failed.why, LW_FAIL_MISSING);
        lw_text_add(out, " failed\n");
        return;
    }
    check_int(e->at.ms, e->reading.received.ms);
    if (e->at.ms != e->reading.time.ms) {
        lw_wall_format(e->at, time);
        lw_text_addf(out, " at %s", time);
    }
    lw_text_addf(out, " %s", qualities[lw_reading_quality(&e->reading)]);
    for (int q = 0; q < LW_QUANTITIES; q++) {
        if (lw_reading_has(&e->reading, (enum lw_quantity)q))
            lw_text_addf(out, " %s=%lld", lw_quantity_info((enum lw_quantity)q)->stored,
                         (long long)e->reading.value[q]);
        else
            check_int(e->reading.value[q], 0);
    }
    lw_text_add(out, "\n");
}

static void
read_all(const char *text, size_t piece, struct lw_text *out)
{
    struct lw_readings *readings;
    struct lw_event event;
    struct lw_fault fault;
    size_t at = 0, n = strlen(text);
    int rc;

    check_int(lw_readings_new("r.csv", ledger, &readings), 0);
    while ((rc = lw_readings_next(readings, &event, &fault)) != 0) {
        if (rc == 1) {
            describe(&event, out);
        } else if (rc == LW_EPARSE) {
            check_text(fault.file, "r.csv");
            lw_text_addf(out, "!%u:%u %s\n", fault.line, fault.column, fault.text);
        } else if (at == n) {
            lw_readings_end(readings);
        } else {
            size_t next = n - at < piece ? n - at : piece;
            lw_readings_feed(readings, text + at, next);
            at += next;
        }
    }
    lw_readings_free(readings);
}

#define HEAD "time,meter_id,quality,active_power_kw,import_kwh\n"

static void
test_files(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"every quantity",
         "time,meter_id,quality,active_power_kw,reactive_power_kvar,import_kwh,export_kwh,"
         "voltage_a_v,voltage_b_v,voltage_c_v,current_a_a,current_b_a,current_c_a,power_factor,"
         "temperature_c,rain_mm_h,water_level_m\n"
         "2025-02-01T00:00:00Z,M1,good,1.5,-0.25,275615.90,0.001,230.1,230.2,230.3,5.125,5.25,"
         "5.5,-0.95,-12.5,2.4,1.25\n",
         "2025-02-01T00:00:00Z M1/P1 good p_w=1500 q_var=-250 imp_wh=275615900 exp_wh=1 "
         "v1_dv=2301 v2_dv=2302 v3_dv=2303 i1_ma=5125 i2_ma=5250 i3_ma=5500 pf_m=-950 "
         "temp_mc=-12500 rain_um_h=2400 level_mm=1250\n"},
        {"columns in any order",
         "import_kwh,meter_id,time\n7,M1,2025/2/1 8:00\n8.5,煤-WX,2025-02-01T08:00:00+08:00\n",
         "2025-02-01T00:00:00Z M1/P1 good imp_wh=7000\n"
         "2025-02-01T00:00:00Z 煤-WX/煤-WX good imp_wh=8500\n"},
        {"qualities",
         HEAD "2025-02-01T00:00:00Z,M1,suspect,1,\n2025-02-01T00:00:00Z,M1,estimated,2,\n"
              "2025-02-01T00:00:00Z,M1,,3,\n",
         "2025-02-01T00:00:00Z M1/P1 suspect p_w=1000\n"
         "2025-02-01T00:00:00Z M1/P1 estimated p_w=2000\n"
         "2025-02-01T00:00:00Z M1/P1 good p_w=3000\n"},
        {"failed reads",
         HEAD "2025-02-01T00:00:00Z,M1,missing,,\n2025-02-01T00:00:01Z,M1,good,,\n",
         "2025-02-01T00:00:00Z M1/P1 failed\n2025-02-01T00:00:01Z M1/P1 failed\n"},
        {"order of received_at",
         "time,received_at,meter_id,rain_mm_h\n"
         "2025-02-01T00:15:00Z,2025-02-01T00:15:02Z,M1,0\n"
         "2025-02-01T00:00:00Z,2025-02-01T00:16:00Z,M1,1\n" /* late */
         "2025-02-01T00:20:00Z,,M1,\n"
         "2025-02-01T00:19:00Z,2025-02-01T00:19:30Z,M1,1\n",
         "2025-02-01T00:15:00Z M1/P1 at 2025-02-01T00:15:02Z good rain_um_h=0\n"
         "2025-02-01T00:00:00Z M1/P1 at 2025-02-01T00:16:00Z good rain_um_h=1000\n"
         "2025-02-01T00:20:00Z M1/P1 failed\n"
         "!5:22 earlier than the row before it; rows are in the order of received_at, or of "
         "time where that is not given\n"},
        {"exchanged and moved meters",
         HEAD "2025-02-28T15:59:59Z,M2,good,1,\n2025-03-31T16:00:00Z,M2,good,1,\n"
              "2025-05-31T23:59:59.999Z,M1,good,1,\n2025-06-01T00:00:00Z,M1b,good,1,\n",
         "2025-02-28T15:59:59Z M2/P2 good p_w=1000\n"
         "2025-03-31T16:00:00Z M2/P3 good p_w=1000\n"
         "2025-05-31T23:59:59.999Z M1/P1 good p_w=1000\n"
         "2025-06-01T00:00:00Z M1b/P1 good p_w=1000\n"},
        {"meters that are not in place",
         HEAD "2025-03-01T00:00:00Z,M2,good,1,\n2025-06-01T00:00:00Z,M1,good,1,\n"
              "2025-06-01T00:00:00Z,M3,good,1,\n",
         "!2:22 meter \"M2\" is not in place at 2025-03-01T08:00:00+08:00; it is from "
         "2025-01-01T00:00:00+08:00 to 2025-03-01T00:00:00+08:00, from "
         "2025-04-01T00:00:00+08:00\n"
         "!3:22 meter \"M1\" is not in place at 2025-06-01T08:00:00+08:00; it is from "
         "2025-01-01T00:00:00+08:00 to 2025-06-01T08:00:00+08:00\n"
         "!4:22 meter \"M3\" is not in the ledger\n"},
        {"cells that cannot be",
         HEAD
         "yesterday,M1,good,1,\n2025-02-01T00:00:00Z,M1,Good,1,\n"
         "2025-02-01T00:00:00Z,M1,good,1kW,\n2025-02-01T00:00:00Z,M1,good,nan,\n"
         "2025-02-01T00:00:00Z,M1,good,,-1\n2025-02-01T00:00:00Z,M1,good,2000000.001,\n"
         "2025-02-01T00:00:00Z,M1,good,99999999999999999999,\n",
         "!2:1 \"yesterday\" is no time; expected one such as 2025-03-12T18:31:07+08:00\n"
         "!3:25 \"Good\" is no quality; expected good, suspect, estimated or missing\n"
         "!4:30 \"1kW\" is no number\n!5:30 \"nan\" is no number\n"
         "!6:31 -1 is not from 0 to 1000000000000\n"
         "!7:30 2000000.001 is not from -2000000 to 2000000\n"
         "!8:30 99999999999999999999 is not from -2000000 to 2000000\n"},
        {"short, long and broken rows",
         HEAD "2025-02-01T00:00:00Z,M1\n2025-02-01T00:00:00Z,M1,good,1,2,\n"
              "2025-02-01T00:00:00Z,M1,go\"od,1,2\n2025-02-01T00:00:00Z,M1,good,1,2\n",
         "!2:1 a row of 2 cells under a header of 5\n!3:1 a row of 6 cells under a header of 5\n"
         "!4:27 a quote in a cell that does not begin with one\n"
         "2025-02-01T00:00:00Z M1/P1 good p_w=1000 imp_wh=2000\n"},
        {"no header", "", "!1:0 there is no header\n"},
        {"header without rows", HEAD, ""},
        {"unknown column", "time,meter_id,active_power_w\n1,2,3\n",
         "!1:15 unknown column \"active_power_w\"; the nearest is \"active_power_kw\"\n"},
        {"column twice", "time,meter_id,time\n", "!1:15 column \"time\" stands twice\n"},
        {"no meter", "time,rain_mm_h\n1,2\n", "!1:1 there is no column \"meter_id\"\n"},
        {"no time", "meter_id,rain_mm_h\n1,2\n", "!1:1 there is no column \"time\"\n"},
        {"broken header", "time,meter\"id\n1,2\n",
         "!1:11 a quote in a cell that does not begin with one\n"},
    };
    static const size_t pieces[] = {100000, 1, 7};
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        for (size_t p = 0; p < LENGTH(pieces); p++) {
            char buf[2048];
            struct lw_text out;
            row(rows[i].name);
            lw_text_init(&out, buf, sizeof(buf));
            read_all(rows[i].text, pieces[p], &out);
            check_text(buf, rows[i].want);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
