/* What a person does to one alarm: never to a rule, a site or all. */
#ifndef LODEWATCH_ACT_H
#define LODEWATCH_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/time.h>

enum lw_act_kind {
    LW_ACT_ACKNOWLEDGE = 1,
    LW_ACT_SHELVE, /* put aside for a time: a repair is under way, and known of */
    LW_ACT_UNSHELVE,
    LW_ACT_READ, /* somebody looks at it: recorded, and told nobody */
    LW_ACT_LAST = LW_ACT_READ,
};

enum {
    LW_ACT_ALARM = 16,
    LW_ACT_BY = 64,      /* bytes */
    LW_ACT_REASON = 200, /* bytes */
};
#define LW_SHELVED_MOST (7 * LW_DAY)

struct lw_act {
    enum lw_act_kind kind;
    uint8_t alarm[LW_ACT_ALARM]; /* its id */
    lw_wall until;               /* LW_ACT_SHELVE; else 0 */
    char by[LW_ACT_BY + 1];
    char reason[LW_ACT_REASON + 1]; /* LW_ACT_SHELVE; else "" */
};

/* acknowledge, shelve, unshelve, read */
const char *lw_act_name(enum lw_act_kind kind);
/* UTF-8 of 1 to `most` bytes on one line, and more than spaces. */
bool lw_act_text(const char *s, size_t n, size_t most);

#endif
