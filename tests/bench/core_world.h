/* What the core's benchmarks share: closed sites, each with a meter that is read every
 * quarter hour. The includer defines SITES and STEPS. */
#ifndef TESTS_BENCH_CORE_WORLD_H
#define TESTS_BENCH_CORE_WORLD_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/codec.h>

#include "daemon/clock.h"

#define READINGS (SITES * STEPS)

static void
stop(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(1);
}

/* A growing text. */
struct sheet {
    char *s;
    size_t n, cap;
};

__attribute__((format(printf, 2, 3))) static void
add(struct sheet *t, const char *format, ...)
{
    va_list args;

    if (t->cap - t->n < 512) {
        t->cap = 2 * t->cap + 65536;
        t->s = realloc(t->s, t->cap);
        if (!t->s)
            stop("no memory");
    }
    va_start(args, format);
    t->n += (size_t)vsnprintf(t->s + t->n, t->cap - t->n, format, args);
    va_end(args);
}

static struct lw_ledger *
make_ledger(void)
{
    struct sheet sheet[LW_TABLES] = {0};
    struct lw_ledger_text text = {.deployment = "bench"};
    static struct lw_faults faults;
    struct lw_ledger *ledger = NULL;

    add(&sheet[LW_AREAS], "area_id,parent_id,level,name\nC,,county,C\n");
    add(&sheet[LW_CONTACTS], "contact_id,area_id,rank,name\nP,C,chief,P\n");
    add(&sheet[LW_SITES],
        "site_id,name,kind,status,status_since,area_id,lat,lon,contract_kw\n");
    add(&sheet[LW_EXPLANATIONS], "explanation_id,site_id,kind,max_kw,valid_from\n");
    add(&sheet[LW_GATEWAYS], "gateway_id,transport,address\n");
    add(&sheet[LW_METERS],
        "meter_id,point_id,site_id,role,gateway_id,unit,profile,interval_s,"
        "rated_kw,energy_resolution_kwh,installed_at\n");
    for (int i = 0; i < SITES; i++) {
        add(&sheet[LW_SITES],
            "S%04d,S,coal_mine,closed,2025-01-01T00:00:00Z,C,35,110,200\n", i);
        add(&sheet[LW_EXPLANATIONS], "E%04d,S%04d,guard_house,5,2025-01-01T00:00:00Z\n",
            i, i);
        if (i % 100 == 0)
            add(&sheet[LW_GATEWAYS], "G%d,tcp,127.0.0.1:%d\n", i / 100, 15000 + i);
        add(&sheet[LW_METERS],
            "M%04d,P%04d,S%04d,supply,G%d,%d,generic,900,200,0.1,2025-01-01T00:00:00Z\n",
            i, i, i, i / 100, 1 + i % 100);
    }
    for (int t = 0; t < LW_TABLES; t++) {
        text.table[t].text = sheet[t].s;
        text.table[t].n = sheet[t].n;
    }
    if (lw_ledger_new(&text, &faults, &ledger) != 0)
        stop(faults.fault[0].text);
    for (int t = 0; t < LW_TABLES; t++)
        free(sheet[t].s);
    return ledger;
}

/* Guard houses below their ceilings, and a crusher at one site in fifty. */
static struct sheet
make_readings(void)
{
    struct sheet sheet = {0};
    static int64_t wh[SITES];

    add(&sheet, "time,meter_id,quality,active_power_kw,import_kwh\n");
    for (int step = 0; step < STEPS; step++) {
        char time[LW_TIME_TEXT];

        lw_wall_format((lw_wall){INT64_C(1735689600000) + step * 15 * LW_MINUTE}, time);
        for (int i = 0; i < SITES; i++) {
            int64_t w = 2000 + (i * 37 + step * 101) % 2500;

            if (i % 50 == 0 && step % 96 > 80)
                w = 60000;
            wh[i] += w / 4;
            add(&sheet, "%s,M%04d,good,%.2f,%.1f\n", time, i, (double)w / 1000,
                (double)wh[i] / 1000);
        }
    }
    return sheet;
}

static inline double
parse(const struct lw_ledger *ledger, const struct sheet *sheet, struct lw_event *events)
{
    struct lw_readings *readings;
    struct lw_fault fault;
    int64_t begun = clock_thread_us();
    int n = 0;

    if (lw_readings_new("readings.csv", ledger, &readings) != 0)
        stop("no memory");
    lw_readings_feed(readings, sheet->s, sheet->n);
    lw_readings_end(readings);
    while (n < READINGS && lw_readings_next(readings, &events[n], &fault) == 1)
        n++;
    if (n != READINGS)
        stop(fault.text);
    lw_readings_free(readings);
    return READINGS / ((double)(clock_thread_us() - begun) / 1e6);
}

#endif
