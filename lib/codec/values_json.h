/* JSON written straight into a text, for what the alerts' encoders share. Private to this
 * folder.
 *
 * Each function adds one member of the object that is open, or with the name NULL one
 * item of the list. Nothing is allocated; what does not fit cuts the text, which the
 * caller asks for once, at the end. */
#ifndef LIB_CODEC_VALUES_JSON_H
#define LIB_CODEC_VALUES_JSON_H

#include <lodewatch/text.h>
#include <lodewatch/words.h>

void put_object(struct lw_text *t, const char *name); /* opens it... */
void end_object(struct lw_text *t);                   /* ...and closes it */
void put_list(struct lw_text *t, const char *name);
void end_list(struct lw_text *t);

void put_null(struct lw_text *t, const char *name);
void put_bool(struct lw_text *t, const char *name, bool value);
void put_integer(struct lw_text *t, const char *name, int64_t value);
/* NULL: null. */
void put_text(struct lw_text *t, const char *name, const char *s);
/* A text of the ledger's: without control characters, cut between characters after
 * JSON_FOREIGN bytes. The third: null where it is empty. */
enum {
    JSON_FOREIGN = 160
};
void put_foreign_n(struct lw_text *t, const char *name, const char *s, size_t n);
void put_foreign(struct lw_text *t, const char *name, const char *s);
void put_foreign_or_null(struct lw_text *t, const char *name, const char *s);

/* units / per_unit (a power of ten), rounded half away from zero to so many decimals, of
 * which one is always there, the others where they are not zero. */
void put_decimal(struct lw_text *t, const char *name, int64_t units, int64_t per_unit,
                 int decimals);
void put_kw(struct lw_text *t, const char *name, int64_t w);   /* LW_NOT_GIVEN: null */
void put_kwh(struct lw_text *t, const char *name, int64_t wh); /* LW_NOT_GIVEN: null */
/* null where RFC 3339 cannot write it: no time */
void put_utc(struct lw_text *t, const char *name, lw_wall time);
void put_local(struct lw_text *t, const char *name, const struct lw_ledger *ledger,
               lw_wall time);

/* Parts of an alert that the record of a tip-off has too: alert_json.c. */
void put_deployment(struct lw_text *t, const char *name, const struct lw_ledger *ledger,
                    const char *prefix);
void put_params(struct lw_text *t, const struct lw_params *rules, const char *rule);
void put_alarm_id(struct lw_text *t, const char *name, const struct lw_alert *alert);
/* alert_body_json.c */
void put_readings(struct lw_text *t, const struct lw_evidence *e);

/* The parts of an alert that come from the ledger and the evidence: alert_body_json.c. */
void put_site(struct lw_text *t, const struct lw_alert *alert);
void put_evidence(struct lw_text *t, const struct lw_alert *alert, bool load);
void put_explanations(struct lw_text *t, const struct lw_alert *alert, bool load);

#endif
