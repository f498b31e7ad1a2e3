/* JSON values that the alerts' encoders share. Private to this folder.
 *
 * Whoever returns a json_t returns NULL where memory is exhausted; put and append take
 * that on: they free what was made so far and leave NULL, so that one test at the end is
 * enough. */
#ifndef LIB_CODEC_VALUES_JSON_H
#define LIB_CODEC_VALUES_JSON_H

#include <jansson.h>

#include <lodewatch/words.h>

void lw_json_put(json_t **object, const char *name, json_t *value);
void lw_json_append(json_t **list, json_t *value);

/* A text of the ledger's: without control characters, cut between characters after
 * LW_JSON_FOREIGN bytes. The second: null where it is empty. */
enum {
    LW_JSON_FOREIGN = 160
};
json_t *lw_json_foreign_n(const char *s, size_t n);
json_t *lw_json_foreign(const char *s);
json_t *lw_json_foreign_or_null(const char *s);

/* units / per_unit (a power of ten), rounded half away from zero to so many decimals. */
json_t *lw_json_decimal(int64_t units, int64_t per_unit, int decimals);
json_t *lw_json_kw(int64_t w);   /* LW_NOT_GIVEN: null */
json_t *lw_json_kwh(int64_t wh); /* LW_NOT_GIVEN: null */
json_t *lw_json_utc(lw_wall t);  /* null where RFC 3339 cannot write it: no time */
json_t *lw_json_local(const struct lw_ledger *ledger, lw_wall t);

/* The parts of an alert that come from the ledger and the evidence: alert_body_json.c. Of
 * the bounded list *ret_left_out were left out. */
json_t *lw_json_site(const struct lw_alert *alert);
json_t *lw_json_evidence(const struct lw_alert *alert, bool load);
json_t *lw_json_explanations(const struct lw_alert *alert, json_int_t *ret_left_out);

#endif
