/* A ledger of a few meters: one exchanged, one moved. For tests and fuzzers. */
#ifndef TESTS_SMALL_LEDGER_H
#define TESTS_SMALL_LEDGER_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/ledger.h>

static inline struct lw_ledger *
small_ledger(const char *meters)
{
    static struct lw_faults faults;
    static char tzif[65536];
    struct lw_ledger_text text = {.deployment = "", .holidays = "", .tzif = tzif};
    struct lw_ledger *ledger = NULL;

    FILE *file = fopen("/usr/share/zoneinfo/Asia/Shanghai", "rb");
    assert(file != NULL);
    text.tzif_n = fread(tzif, 1, sizeof(tzif), file);
    fclose(file);
    text.table[LW_AREAS].text = "area_id,parent_id,level,name\nC,,county,示例县\n";
    text.table[LW_SITES].text =
        "site_id,name,kind,status,status_since,area_id\nS1,一号,coal_mine,closed,2024-09-01,C\n"
        "S2,二号,quarry,closed,2024-09-01,C\n";
    text.table[LW_GATEWAYS].text =
        "gateway_id,transport,address\nG1,tcp,127.0.0.1:1502\n";
    text.table[LW_METERS].text = meters;
    for (int i = 0; i < LW_TABLES; i++)
        text.table[i].n = text.table[i].text == NULL ? 0 : strlen(text.table[i].text);
    faults.n = faults.kept = 0;
    int rc = lw_ledger_new(&text, &faults, &ledger);
    if (rc != 0)
        fprintf(stderr, "%u: %s\n", faults.fault[0].line, faults.fault[0].text);
    assert(rc == 0);
    return ledger;
}

#define SMALL_METERS                                                                     \
    "meter_id,installed_at,removed_at,point_id,site_id,role,gateway_id,unit\n"           \
    "M1,2025-01-01,2025-06-01 08:00,P1,S1,supply,G1,1\n"                                 \
    "M1b,2025-06-01 08:00,,P1,S1,supply,G1,1\n"                                          \
    "M2,2025-01-01,2025-03-01,P2,S1,supply,G1,2\n"                                       \
    "M2,2025-04-01,,P3,S2,supply,G1,3\n"                                                 \
    "煤-WX,2025-01-01,,,,context,G1,4\n"

#endif
