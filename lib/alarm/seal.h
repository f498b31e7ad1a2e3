/* What alarms rest on, in a form that proves it later: docs/evidence.md. A part of
 * lib/state.h. */
#ifndef LIB_ALARM_SEAL_H
#define LIB_ALARM_SEAL_H

#include <lodewatch/alarm.h>
#include <lodewatch/hash.h>
#include <lodewatch/reading.h>

struct lw_core;

/* The readings of one meter, by months: that of its newest, and the one before. */
struct seal {
    struct lw_sha256 month;
    uint8_t before[LW_SHA256_SIZE];
    uint32_t n, nbefore; /* readings */
};

void seal_init(struct seal *seal);
/* Adds a reading as judged; `newest` is the time of the one before it, or NEVER. */
void seal_add(struct seal *seal, int64_t newest, const struct lw_reading *r);
/* Seals what the alarm's evidence rests on, as it is now. */
void seal_evidence(const struct lw_core *core, struct lw_alarm *alarm);

#endif
