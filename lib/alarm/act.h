/* What people do to alarms, for the core and its alarms. */
#ifndef LIB_ALARM_ACT_H
#define LIB_ALARM_ACT_H

#include "lib/state.h"

/* Does what lw_core_may allows, and tells it. */
void act_step(struct lw_core *core, const struct lw_act *act);
/* It got worse: what was put aside is not this. By its height: the energy of a steady
 * load doubles by itself. */
bool shelf_broken(const struct lw_alarm *alarm, enum lw_priority priority,
                  const struct lw_evidence *evidence);
/* Back to what it was, where it is shelved; tells nobody. */
void shelf_end(struct lw_alarm *alarm);
/* It begins anew: nobody has looked at that yet. */
void act_forget(struct lw_alarm *alarm);
/* Ends, and tells, the shelves whose time is over. */
void shelf_timer(struct lw_core *core);

#endif
