/* The sentences that alerts are made of: the tables' form. Private to this folder. */
#ifndef LIB_ALARM_SENTENCES_H
#define LIB_ALARM_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>

#include <lodewatch/text.h>
#include <lodewatch/words.h>

struct sentences {
    enum lw_rule_id rule;
    enum lw_finding finding;
    bool zh; /* else English */
    const char *event;
    const char *raised; /* headline of the first revision */
    const char *updated;
    const char *returned;
    const char *active; /* description while it stands */
    const char *back;   /* description of the return */
    const char *action; /* what to do, as the end of the instruction's sentence */
};

/* The first row of a rule also serves a finding that has no row of its own. */
struct sentences_of {
    const struct sentences *row;
    size_t n;
};
extern const struct sentences_of lw_words_site, lw_words_reference, lw_words_data,
    lw_words_feeder;

/* The row for a rule and finding; the rule's first row serves a finding without one. */
const struct sentences *lw_sentences(enum lw_rule_id rule, enum lw_finding finding,
                                     bool zh);

/* What stands around the rows' sentences and in their places. */
enum phrase {
    EVENT,
    HEADLINE,
    DESCRIPTION,
    INSTRUCTION,
    LINE,
    WHERE,
    ON_RAISED,
    ON_UPDATED,
    ON_RETURNED,
    AT_NIGHT,
    STILL,
    AGAIN,
    BY_REGISTER,
    CONFIDENCE,
    PROVISIONAL,
    REVIEWED,
    REVIEWED_ON,
    STATUS,
    SINCE,
    DOCUMENT,
    NOTHING_ON_FILE,
    ON_FILE,
    LIMIT,
    IN_FORCE,
    MEASURED,
    NOT_YET,
    EXPIRED,
    OUTSIDE_HOURS,
    EXCEEDED,
    BEYOND_WATER,
    BENEATH,
    WITHIN_CEILINGS,
    ABOVE_CEILINGS,
    UNLIKE,
    MORE,
    SEMICOLON,
    STOP,
    COMMA,
    GONE,
    GONE_WHY,
    MOOT,
    OUTGROWN,
    OUTGROWN_WHY,
    UNLICENSED,
    BY_STATUS,
    BOTH_MISSING,
    NONE_ON_FILE,
    LICENCE_TO,
    LICENCE_FROM,
    MINING,
    SAFETY,
    GAP_METER,
    GAP_POSITION,
    GAP_RESPONSIBLE,
    GAP_STATUS,
    CANDIDATES,
    ALL_HEARD,
    SILENT_CHILDREN,
    AND_MORE,
    THE_POINT,
    THE_FEEDER,
    THE_GATEWAY,
    TIP_OFF_EVENT,
    TIP_OFF_HEADLINE,
    TIP_OFF_DESCRIPTION,
    TIP_OFF_INSTRUCTION,
    PHRASES,
};

const char *lw_phrase(enum phrase phrase, bool zh);

void lw_form_kw(struct lw_text *out, int64_t w);
void lw_form_kwh(struct lw_text *out, int64_t wh);
void lw_form_duration(struct lw_text *out, int64_t ms, bool zh);
/* By how much a register moved, up or down. */
void lw_form_step(struct lw_text *out, int64_t wh);
/* "3 meters". */
void lw_form_meters(struct lw_text *out, int64_t n, bool zh);
/* "7 minutes fast". */
void lw_form_drift(struct lw_text *out, int64_t ms, bool zh);
/* "phase A, C": bits 0-2 a voltage, without one bits 3-5 a current. */
void lw_form_phases(struct lw_text *out, int64_t lost, bool zh);
/* "2025-03-13 02:31" on the zone's clocks. */
void lw_form_time(struct lw_text *out, const struct lw_zone *zone, lw_wall t);
/* Which of the feeder's children are silent; which sites to look at first. */
void lw_form_silent_children(struct lw_text *out, const struct lw_alert *alert, bool zh);
void lw_form_candidates(struct lw_text *out, const struct lw_alert *alert, bool zh);
/* The site that lost a load, and its status. */
void lw_form_other_site(struct lw_text *out, const struct lw_alert *alert, bool zh);
void lw_form_other_status(struct lw_text *out, const struct lw_alert *alert, bool zh);
/* What it was compared with: how far a pump may be from what water explains, and the
 * rain; how many sites are like it, and their median. */
void lw_form_basis(struct lw_text *out, const struct lw_alert *alert, bool zh);
void lw_form_site(struct lw_text *out, const struct lw_site *site, bool zh);
/* Text of the ledger's: on one line, and of bounded length. */
void lw_form_foreign(struct lw_text *out, const char *s);

#endif
