/* What an alert says to people, in Chinese and English, and the checks that its reasons
 * rest on: which explanations and licences were in force in the evidence's window. */
#ifndef LODEWATCH_WORDS_H
#define LODEWATCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/alarm.h>
#include <lodewatch/ledger.h>

/* One revision of one alarm; all borrowed. */
struct lw_alert {
    const struct lw_ledger *ledger;
    enum lw_alert_kind kind;
    const struct lw_alarm *alarm;
};

enum lw_part {
    LW_PART_EVENT,
    LW_PART_HEADLINE,
    LW_PART_DESCRIPTION,
    LW_PART_INSTRUCTION,
    LW_PART_LINE, /* "site: headline. why", for a terminal */
};

enum {
    LW_WORDS_TEXT = 2048
}; /* holds any part in full */

/* Writes one part of the alert, one line, in Chinese or English. */
void lw_words(const struct lw_alert *alert, enum lw_part part, bool zh, char *text,
              size_t cap);

/* The site that the alert is about; NULL: none. */
const struct lw_site *lw_alert_site(const struct lw_alert *alert);
/* The point that it is about; NULL: it is not about one point. */
const struct lw_metering_point *lw_alert_point(const struct lw_alert *alert);
/* The moment that the ledger is judged at: the last one of the evidence's window (whose
 * end is exclusive); without a window the revision's time. */
lw_wall lw_alert_moment(const struct lw_alert *alert);

/* It has returned: for the first time, or as a revision of what came back. */
bool lw_alert_is_over(const struct lw_alert *alert);

/* What was found about an explanation or a licence at that moment. */
enum lw_checked {
    LW_CHECKED_NONE,
    LW_CHECKED_IN_FORCE,
    LW_CHECKED_NOT_YET,
    LW_CHECKED_EXPIRED,
    LW_CHECKED_OUTSIDE_HOURS,
    LW_CHECKED_EXCEEDED, /* in force, limited, and the load was above what is allowed */
    LW_CHECKED_BEYOND_WATER, /* in force, and the pump ran more than water explains */
};

const char *lw_checked_name(enum lw_checked checked);
/* It is in force, whether it suffices or not. */
bool lw_checked_holds(enum lw_checked checked);
/* Chosen by the alarm's site. An explanation that a sub-meter measures allows just what
 * that measured, so it is in force and never exceeded here. */
enum lw_checked lw_explanation_checked(const struct lw_alert *alert,
                                       const struct lw_explanation *explanation);
/* The site's licence of this kind that is in force, else the one that ended last, else
 * the one to come; NULL with LW_CHECKED_NONE: there is none. */
enum lw_checked lw_licence_checked(const struct lw_alert *alert,
                                   enum lw_licence_kind kind,
                                   const struct lw_licence **ret_licence);

/* Who has reviewed the reference that the alert compares with, and when (LW_WALL_MIN: no
 * date is on file). False: nobody, or it was learned anew since: it is provisional. */
bool lw_alert_review(const struct lw_alert *alert, const char **ret_by, lw_wall *ret_at);

/* Where the load that a feeder_residual alert is about may be looked for: an order for
 * visits. Returns how many there are. lib/alarm/candidates.c */
enum {
    LW_CANDIDATES = 5
};
struct lw_candidate {
    int32_t site;
    int rank;       /* by status: 0 first */
    int64_t metres; /* from the middle of the feeder's sites; LW_NOT_GIVEN */
};
int lw_feeder_candidates(const struct lw_alert *alert,
                         struct lw_candidate ret_candidate[LW_CANDIDATES]);

/* Within which an alarm is to be acknowledged, and checked, from its raising on. */
struct lw_deadlines {
    int64_t ack_ms;
    int64_t check_ms;
};
struct lw_deadlines lw_alert_deadlines(enum lw_priority priority);

#endif
