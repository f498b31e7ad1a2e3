/* Readings and alerts for the tests and the benchmark of the store: made up, always the
 * same, as the engine would append them to the journal. */
#ifndef TESTS_STORE_FEED_H
#define TESTS_STORE_FEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/codec.h>

#include "daemon/journal.h"

struct store_feed {
    struct lw_ledger *ledger; /* meters "m000000" … */
    int32_t meters;
    int64_t start_ms, step_ms; /* every meter is read once a step */
    uint64_t next;             /* the number of the next reading */
};

/* The ledger's texts; free *ret_owned. */
static inline struct lw_ledger_text
store_feed_text(int32_t meters, char **ret_owned)
{
    struct lw_ledger_text text = {0};
    char *csv = NULL;
    size_t n = 0, sites_at, gateways_at;
    FILE *to = open_memstream(&csv, &n);

    fprintf(to,
            "meter_id,installed_at,site_id,role,gateway_id,unit,profile,interval_s\n");
    for (int32_t i = 0; i < meters; i++)
        fprintf(to, "m%06d,2000-01-01T00:00:00Z,s%d,supply,g%d,%d,generic,60\n", i, i / 4,
                i / 200, i % 200 + 1);
    fflush(to);
    sites_at = n;
    fprintf(to, "site_id,name,kind,status,status_since,area_id\n");
    for (int32_t i = 0; i <= meters / 4; i++)
        fprintf(to, "s%d,S,quarry,closed,2000-01-01T00:00:00Z,a\n", i);
    fflush(to);
    gateways_at = n;
    fprintf(to, "gateway_id,transport,address\n");
    for (int32_t i = 0; i <= meters / 200; i++)
        fprintf(to, "g%d,tcp,127.0.0.1:%d\n", i, 1000 + i);
    fclose(to);
    text.table[LW_METERS].text = csv;
    text.table[LW_METERS].n = sites_at;
    text.table[LW_SITES].text = csv + sites_at;
    text.table[LW_SITES].n = gateways_at - sites_at;
    text.table[LW_GATEWAYS].text = csv + gateways_at;
    text.table[LW_GATEWAYS].n = n - gateways_at;
    text.table[LW_AREAS].text = "area_id,level,name\na,county,A\n";
    text.table[LW_AREAS].n = strlen(text.table[LW_AREAS].text);
    *ret_owned = csv;
    return text;
}

/* Exits where it cannot. */
static inline void
store_feed_init(struct store_feed *feed, int32_t meters, int64_t start_ms,
                int64_t step_ms)
{
    static struct lw_faults faults;
    char *owned;
    struct lw_ledger_text text = store_feed_text(meters, &owned);

    *feed =
        (struct store_feed){.meters = meters, .start_ms = start_ms, .step_ms = step_ms};
    if (lw_ledger_new(&text, &faults, &feed->ledger) < 0) {
        fprintf(stderr, "store_feed: %s:%u: %s\n", faults.fault[0].file,
                faults.fault[0].line, faults.fault[0].text);
        exit(1);
    }
    free(owned);
}

static inline void
store_feed_clear(struct store_feed *feed)
{
    lw_ledger_free(feed->ledger);
}

/* The next reading. */
static inline struct lw_event
store_feed_event(struct store_feed *feed)
{
    uint64_t round = feed->next / (uint64_t)feed->meters;
    uint32_t meter = (uint32_t)(feed->next % (uint64_t)feed->meters);
    int64_t noise = (int64_t)(feed->next * 2654435761u % 997);
    struct lw_event event = {.kind = LW_EVENT_READING};
    struct lw_reading *r = &event.reading;

    r->time.ms = feed->start_ms + (int64_t)round * feed->step_ms;
    r->received.ms = r->time.ms + 120;
    event.at = r->received;
    r->meter = meter;
    r->value[LW_ACTIVE_POWER] = 2000 + noise;
    r->value[LW_REACTIVE_POWER] = 300 + noise / 3;
    r->value[LW_IMPORT] = 1000000 + (int64_t)round * 40 + meter;
    r->value[LW_EXPORT] = 0;
    for (int i = 0; i < 3; i++) {
        r->value[LW_VOLTAGE_A + i] = 2300 + noise % 40;
        r->value[LW_CURRENT_A + i] = 3000 + noise * 3;
    }
    r->value[LW_POWER_FACTOR] = 950;
    r->have = (1u << LW_TEMPERATURE) - 1; /* the eleven electric ones */
    feed->next++;
    return event;
}

/* Appends the next reading. */
static inline void
store_feed_reading(struct store_feed *feed, struct journal *journal, uint16_t q)
{
    struct lw_event event = store_feed_event(feed);
    uint8_t bytes[2 + LW_EVENT_BYTES];

    bytes[0] = (uint8_t)q;
    bytes[1] = (uint8_t)(q >> 8);

    size_t n = lw_event_pack(&event, feed->ledger, bytes + 2);

    journal_append(journal, JOURNAL_READING, bytes, n + 2);
}

/* Appends revision `revision` of alarm number `alarm`. */
static inline void
store_feed_alert(struct journal *journal, uint32_t alarm, uint32_t revision,
                 int64_t at_ms)
{
    char time[LW_TIME_TEXT];
    char record[1024] = {0}; /* the store does not read its head */

    lw_wall_format((lw_wall){at_ms}, time);

    int n = snprintf(
        record + 29, sizeof(record) - 29,
        "{\"specversion\":\"1.0\",\"id\":\"%032x.%u\",\"source\":\"urn:test\","
        "\"type\":\"org.lodewatch.alert.%s.v1\",\"subject\":\"site/s\","
        "\"time\":\"%s\",\"data\":{\"site\":{\"id\":\"s\"},"
        "\"rule\":{\"id\":\"closed_load\"},\"alarm\":{\"id\":\"%032x\","
        "\"state\":\"unacknowledged_active\",\"priority\":\"high\","
        "\"revision\":%u},\"name\":\"关闭\"}}",
        alarm, revision, revision == 1 ? "raised" : "updated", time, alarm, revision);

    journal_append(journal, JOURNAL_ALERT, record, 29 + (size_t)n);
}

#endif
