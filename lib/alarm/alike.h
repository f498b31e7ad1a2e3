/* An occurrence's height and energy, which are kept in the alarm, and what is like it. */
#ifndef LIB_ALARM_ALIKE_H
#define LIB_ALARM_ALIKE_H

#include "lib/state.h"

void alarm_measure(struct lw_alarm *alarm, const struct lw_evidence *e);
void alarm_measure_energy(struct lw_alarm *alarm);
/* What goes on is materially more than what was told. */
bool alarm_has_outgrown(const struct lw_alarm *alarm, const struct lw_evidence *e);
/* It has more energy than any occurrence before. */
bool alarm_is_largest(const struct lw_alarm *alarm, const struct lw_evidence *e);
/* What begins now is what has returned. */
bool alarm_is_alike(const struct lw_alarm *alarm, const struct lw_evidence *e,
                    int64_t now);

/* As high as the evidence shows it. */
int64_t alarm_height(const struct lw_evidence *e);

#endif
