/* Readings and alerts for the tests and the benchmark of the store: made up, always the
 * same, as the engine would append them to the journal. */
#ifndef TESTS_STORE_FEED_H
#define TESTS_STORE_FEED_H

#include <stdint.h>

#include <lodewatch/ledger.h>

struct journal;

struct store_feed {
    struct lw_ledger *ledger; /* meters "m000000" … */
    int32_t meters;
    int64_t start_ms, step_ms; /* every meter is read once a step */
    uint64_t next;             /* the number of the next reading */
};

/* Exits where it cannot. */
void store_feed_init(struct store_feed *feed, int32_t meters, int64_t start_ms,
                     int64_t step_ms);
void store_feed_clear(struct store_feed *feed);
/* Appends the next reading. */
void store_feed_reading(struct store_feed *feed, struct journal *journal, uint16_t q);
/* Appends revision `revision` of alarm number `alarm`. */
void store_feed_alert(struct journal *journal, uint32_t alarm, uint32_t revision,
                      int64_t at_ms);

#endif
