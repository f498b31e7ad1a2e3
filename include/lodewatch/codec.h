/* Structs <-> the forms in which they leave: CloudEvents JSON, readings CSV, and the
 * journal's binary records. */
#ifndef LODEWATCH_CODEC_H
#define LODEWATCH_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include <lodewatch/alarm.h>
#include <lodewatch/core.h>
#include <lodewatch/csv.h>
#include <lodewatch/event.h>
#include <lodewatch/ledger.h>
#include <lodewatch/text.h>
#include <lodewatch/tip_off.h>

enum {
    LW_ALERT_TEXT = 16384,
    LW_READING_TEXT = 1536,
    LW_EVENT_BYTES = 512
};

/* One alert as CloudEvents 1.0 structured JSON on one line, no newline at its end.
 * Deterministic. LW_EFULL: more than LW_ALERT_TEXT - 1 bytes. */
LW_MUSTCHECK
int lw_alert_json(const struct lw_ledger *ledger, const struct lw_rules *rules,
                  enum lw_alert_kind kind, const struct lw_alarm *alarm,
                  char text[LW_ALERT_TEXT], size_t *ret_n);
/* Its sentence for people, one line, in Chinese or English: "site: headline. why". */
void lw_alert_sentence(const struct lw_ledger *ledger, enum lw_alert_kind kind,
                       const struct lw_alarm *alarm, bool zh, char *text, size_t cap);

/* What discipline inspection is told, likewise; `at`: when it could be known. */
LW_MUSTCHECK
int lw_tip_off_json(const struct lw_ledger *ledger, const struct lw_rules *rules,
                    lw_wall at, const struct lw_tip_off *tip_off,
                    char text[LW_ALERT_TEXT], size_t *ret_n);

/* A readings CSV, row by row, as events. A row without quality is good; a row without a
 * value is a failed read, as is `missing`. After a fault in a row the next can be read.
 */
struct lw_readings;
LW_MUSTCHECK
int lw_readings_new(const char *file, const struct lw_ledger *ledger,
                    struct lw_readings **ret_readings);
void lw_readings_free(struct lw_readings *readings);
void lw_readings_feed(struct lw_readings *readings, const char *data, size_t n);
void lw_readings_end(struct lw_readings *readings);
/* 1: an event; 0: the end; LW_EAGAIN: feed more; LW_EPARSE with the fault. */
LW_MUSTCHECK
int lw_readings_next(struct lw_readings *readings, struct lw_event *ret_event,
                     struct lw_fault *ret_fault);

/* good, suspect, estimated, missing */
const char *lw_quality_name(enum lw_quality quality);
/* Adds a stored reading as one JSON object, its members named like the CSV's columns; at
 * most LW_READING_TEXT bytes. What was not measured is left out. */
void lw_reading_json(struct lw_text *t, const char *meter, const struct lw_reading *r);

/* The journal's form of an event: ids, not indices. Returns the length; at most
 * LW_EVENT_BYTES. */
size_t lw_event_pack(const struct lw_event *event, const struct lw_ledger *ledger,
                     uint8_t bytes[LW_EVENT_BYTES]);
/* LW_EPARSE; LW_EVERSION; LW_ENOTFOUND: its meter is not in this ledger (any more). */
LW_MUSTCHECK
int lw_event_unpack(const uint8_t *bytes, size_t n, const struct lw_ledger *ledger,
                    struct lw_event *ret_event);
/* A packed reading without a ledger: its meter's id, borrowed from `bytes`, instead of an
 * index. LW_EPARSE: no reading, or not whole; LW_EVERSION. */
LW_MUSTCHECK
int lw_reading_peek(const uint8_t *bytes, size_t n, struct lw_reading *ret_reading,
                    const char **ret_meter, size_t *ret_meter_n);

/* An act of a person as JSON (docs/http-api.md). LW_EPARSE with the fault: its texts are
 * constants. */
struct lw_act_fault {
    const char *where; /* the member; "": the whole */
    const char *what;
    const char *expected;
    const char *expected_zh;
};
LW_MUSTCHECK
int lw_act_parse(const char *json, size_t n, const struct lw_zone *zone,
                 struct lw_act *ret_act, struct lw_act_fault *ret_fault);
/* What is wrong with an `until` that the core refuses. */
void lw_act_until_fault(struct lw_act_fault *ret_fault);

/* A site of the core's ledger with its points, meters and what is known of them, as one
 * JSON object. LW_EFULL: more than LW_SITE_TEXT bytes (some 800 points); LW_ENOMEM. */
enum {
    LW_SITE_TEXT = 1 << 18
};
LW_MUSTCHECK
int lw_site_json(const struct lw_core *core, int32_t site, lw_wall now,
                 char text[LW_SITE_TEXT], size_t *ret_n);
/* Adds `s` as a JSON string, quoted and escaped; what is no UTF-8 becomes "". */
void lw_text_add_json(struct lw_text *t, const char *s);

/* What a message to people needs of an alert that lw_alert_json wrote; cut where it is
 * too long. LW_EPARSE. */
struct lw_alert_brief {
    char id[48];
    char type[48];
    char subject[LW_ID_MAX + 16];
    char rule[32];
    char priority[16];
    char time[LW_TIME_TEXT]; /* local, with its offset */
    char name[128];          /* the site's, or "" */
    char name_en[128];
    char zh[1024]; /* "headline. description" */
    char en[1024];
    uint32_t flood; /* it is the n-th alarm of a flood; 0: of none */
};
LW_MUSTCHECK
int lw_alert_brief(const char *json, size_t n, struct lw_alert_brief *ret_brief);

#endif
