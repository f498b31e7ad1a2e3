/* What discipline inspection is told, and nobody else: an alarm's load fell not long
 * after somebody had read the alarm for the first time. An order of events, and no more.
 */
#ifndef LODEWATCH_TIP_OFF_H
#define LODEWATCH_TIP_OFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/alarm.h>
#include <lodewatch/ledger.h>
#include <lodewatch/words.h>

struct lw_tip_off {
    struct lw_alarm alarm; /* as it is: who read it when; its readings up to now */
    lw_wall fell;          /* about when */
    int64_t delay_ms;      /* from the reading to that */
    int64_t before_w;      /* beside what sub-meters measure... */
    int64_t after_w;
    int64_t expected_w; /* ...and what is expected there */
    int64_t gone_ms;    /* measured since it fell */
    int64_t load_ms;    /* so long has such load lasted since the alarm was raised... */
    int64_t falls;      /* ...and fallen so, before this time */
};

/* One part of the record (but LW_PART_LINE), one line, in Chinese or English. */
void lw_tip_off_words(const struct lw_ledger *ledger, const struct lw_tip_off *tip_off,
                      enum lw_part part, bool zh, char *text, size_t cap);

#endif
