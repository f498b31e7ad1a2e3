/* Alerts as CloudEvents 1.0 structured JSON: docs/alerts.md describes every member, and
 * docs/schema/alert-1.schema.json is the contract. Members come in the order of the code.
 */
#include <inttypes.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/hash.h>
#include <lodewatch/text.h>

#include "values_json.h"

/* A standing alarm is updated at least weekly: an alert outlives the silence between. */
#define EXPIRES_MS (8 * LW_DAY)

/* The prefix and the deployment; whatever a URI does not take is escaped, and with it all
 * that CAP refuses in an identifier. */
void
put_deployment(struct lw_text *t, const char *name, const struct lw_ledger *ledger,
               const char *prefix)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    char text[32 + 3 * LW_ID_MAX];
    struct lw_text uri;

    lw_text_init(&uri, text, sizeof text);
    lw_text_add(&uri, prefix);
    for (const char *s = ledger->deployment; *s; s++)
        if (strchr(plain, *s))
            lw_text_addn(&uri, s, 1);
        else
            lw_text_addf(&uri, "%%%02X", (unsigned)(unsigned char)*s);
    put_text(t, name, text);
}

void
put_alarm_id(struct lw_text *t, const char *name, const struct lw_alert *alert)
{
    char hex[2 * sizeof alert->alarm->id + 1];

    lw_hex(alert->alarm->id, sizeof alert->alarm->id, hex);
    put_text(t, name, hex);
}

/* The id of the alarm's event of a revision. */
static void
put_event_id(struct lw_text *t, const char *name, const struct lw_alert *alert,
             uint32_t revision)
{
    char hex[2 * sizeof alert->alarm->id + 1], text[sizeof hex + 12];
    struct lw_text id;

    lw_hex(alert->alarm->id, sizeof alert->alarm->id, hex);
    lw_text_init(&id, text, sizeof text);
    lw_text_addf(&id, "%s.%" PRIu32, hex, revision);
    put_text(t, name, text);
}

/* A list of one or two words. */
static void
put_words(struct lw_text *t, const char *name, const char *a, const char *b)
{
    put_list(t, name);
    put_text(t, NULL, a);
    if (b)
        put_text(t, NULL, b);
    end_list(t);
}

static void
put_cap(struct lw_text *t, const struct lw_alert *alert)
{
    uint32_t revision = alert->alarm->revision;

    put_object(t, "cap");
    put_event_id(t, "identifier", alert, revision);
    put_deployment(t, "sender", alert->ledger, "lodewatch@");
    put_local(t, "sent", alert->ledger, alert->alarm->at);
    put_text(t, "status", alert->ledger->exercise ? "Exercise" : "Actual");
    put_text(t, "msgType", alert->kind == LW_ALERT_RAISED ? "Alert" : "Update");
    put_text(t, "scope", "Private");
    put_words(t, "addresses", "power-duty", NULL);
    put_list(t, "references");
    if (revision > 1)
        put_event_id(t, NULL, alert, revision - 1);
    end_list(t);
    put_list(t, "incidents");
    put_alarm_id(t, NULL, alert);
    end_list(t);
    end_object(t);
}

static void
put_part(struct lw_text *t, const char *name, const struct lw_alert *alert,
         enum lw_part part, bool zh)
{
    char text[LW_WORDS_TEXT];

    lw_words(alert, part, zh, text, sizeof text);
    put_text(t, name, text);
}

static void
put_info(struct lw_text *t, const struct lw_alert *alert, bool zh)
{
    static const struct {
        const char *urgency, *severity;
    } by_priority[] = {
        [LW_PRIORITY_LOW] = {"Future", "Minor"},
        [LW_PRIORITY_MEDIUM] = {"Expected", "Moderate"},
        [LW_PRIORITY_HIGH] = {"Expected", "Severe"},
        [LW_PRIORITY_URGENT] = {"Immediate", "Extreme"},
    };
    bool back = alert->kind == LW_ALERT_RETURNED;
    uint8_t priority = alert->alarm->priority;
    lw_wall at = alert->alarm->at;

    put_object(t, NULL);
    put_text(t, "language", zh ? "zh-CN" : "en");
    put_words(t, "category", "Security", "Infra");
    put_part(t, "event", alert, LW_PART_EVENT, zh);
    put_words(t, "responseType", back ? "AllClear" : "Assess", NULL);
    put_text(t, "urgency", back ? "Past" : by_priority[priority].urgency);
    put_text(t, "severity", by_priority[priority].severity);
    put_text(t, "certainty", "Observed");
    put_local(t, "effective", alert->ledger, at);
    put_local(t, "expires", alert->ledger, lw_wall_add(at, EXPIRES_MS));
    put_part(t, "headline", alert, LW_PART_HEADLINE, zh);
    put_part(t, "description", alert, LW_PART_DESCRIPTION, zh);
    put_part(t, "instruction", alert, LW_PART_INSTRUCTION, zh);
    end_object(t);
}

/* The rule's parameters: decimals in their own unit, durations in seconds. */
void
put_params(struct lw_text *t, const struct lw_params *rules, const char *rule)
{
    put_object(t, "params");
    for (size_t i = 0; i < lw_rule_nkeys; i++) {
        const struct lw_ini_key *key = &lw_rule_keys[i];
        const void *member = (const char *)rules + key->offset;
        char name[64];
        struct lw_text full;

        if (strcmp(key->section, rule) != 0)
            continue;
        if (key->type == LW_INI_DURATION) {
            lw_text_init(&full, name, sizeof name);
            lw_text_addf(&full, "%s_s", key->name);
            put_decimal(t, name, *(const int64_t *)member, LW_SECOND, 3);
        } else if (key->type == LW_INI_DECIMAL) {
            put_decimal(t, key->name, *(const int64_t *)member, key->per_unit, 6);
        } else {
            put_integer(t, key->name, *(const int64_t *)member);
        }
    }
    end_object(t);
}

/* As the alarm's site has them; for all, where it has none. */
static const struct lw_params *
params_of(const struct lw_alert *alert, const struct lw_rules *rules)
{
    const struct lw_site *site = lw_alert_site(alert);

    return site ? &rules->of[lw_site_status_at(site, lw_alert_moment(alert))][site->kind]
                : &rules->all;
}

static void
put_rule(struct lw_text *t, const struct lw_alert *alert, const struct lw_rules *rules)
{
    const struct lw_rule_info *rule = lw_rule_info((enum lw_rule_id)alert->alarm->rule);
    bool load = rule->class == LW_CLASS_CONSUMPTION;

    put_object(t, "rule");
    put_text(t, "id", rule->id);
    put_text(t, "class", load ? "consumption" : "data");
    put_integer(t, "version", rule->version);
    put_params(t, params_of(alert, rules), rule->id);
    end_object(t);
}

static void
put_utc_if(struct lw_text *t, const char *name, bool given, lw_wall time)
{
    if (given)
        put_utc(t, name, time);
    else
        put_null(t, name);
}

/* Deadlines run from the raising; null once they are met or nobody is to meet them. */
static void
put_alarm(struct lw_text *t, const struct lw_alert *alert)
{
    const struct lw_alarm *a = alert->alarm;
    struct lw_deadlines in = lw_alert_deadlines((enum lw_priority)a->priority);
    bool ack = a->state == LW_ALARM_UNACKNOWLEDGED_ACTIVE ||
               a->state == LW_ALARM_RETURNED_UNACKNOWLEDGED;
    bool check = ack || a->state == LW_ALARM_ACKNOWLEDGED_ACTIVE;
    bool shelved = a->state == LW_ALARM_SHELVED;

    put_object(t, "alarm");
    put_alarm_id(t, "id", alert);
    put_text(t, "state", lw_alarm_state_name((enum lw_alarm_state)a->state));
    put_text(t, "priority", lw_priority_name((enum lw_priority)a->priority));
    put_integer(t, "revision", a->revision);
    put_integer(t, "occurrences", a->occurrences);
    put_utc(t, "raised_at", a->onset);
    if (a->flood > 0)
        put_integer(t, "flood", a->flood);
    else
        put_null(t, "flood");
    put_object(t, "due");
    put_utc_if(t, "ack", ack, lw_wall_add(a->onset, in.ack_ms));
    put_utc_if(t, "check", check, lw_wall_add(a->onset, in.check_ms));
    end_object(t);
    put_utc_if(t, "acknowledged_at", a->acknowledged_by[0], a->acknowledged);
    put_foreign_or_null(t, "acknowledged_by", a->acknowledged_by);
    put_utc_if(t, "shelved_until", shelved, a->shelved_until);
    put_foreign_or_null(t, "shelved_by", shelved ? a->shelf_by : "");
    put_foreign_or_null(t, "shelved_reason", shelved ? a->shelf_reason : "");
    put_foreign_or_null(t, "unshelved_by", shelved ? "" : a->shelf_by);
    end_object(t);
}

static void
put_data(struct lw_text *t, const struct lw_alert *alert, const struct lw_rules *rules)
{
    enum lw_rule_id rule = (enum lw_rule_id)alert->alarm->rule;
    bool load = lw_rule_info(rule)->class == LW_CLASS_CONSUMPTION;

    put_object(t, "data");
    put_cap(t, alert);
    put_list(t, "info");
    put_info(t, alert, true);
    put_info(t, alert, false);
    end_list(t);
    put_site(t, alert);
    put_rule(t, alert, rules);
    put_evidence(t, alert, load);
    put_explanations(t, alert, load);
    put_alarm(t, alert);
    put_object(t, "confidentiality");
    put_text(t, "level", "restricted");
    put_words(t, "recipients", "power-duty", NULL);
    put_bool(t, "no_forward", true);
    end_object(t);
    end_object(t);
}

static void
put_event(struct lw_text *t, const struct lw_alert *alert, const struct lw_rules *rules)
{
    static const char *const types[] = {
        [LW_ALERT_RAISED] = "org.lodewatch.alert.raised.v1",
        [LW_ALERT_UPDATED] = "org.lodewatch.alert.updated.v1",
        [LW_ALERT_RETURNED] = "org.lodewatch.alert.returned.v1",
    };
    char subject[LW_ID_MAX + 16], sequence[16];
    struct lw_text number;

    lw_alarm_subject(alert->ledger, alert->alarm, subject);
    lw_text_init(&number, sequence, sizeof sequence);
    lw_text_add_decimal(&number, alert->alarm->revision, 1, 0);
    put_object(t, NULL);
    put_text(t, "specversion", "1.0");
    put_event_id(t, "id", alert, alert->alarm->revision);
    put_deployment(t, "source", alert->ledger, "urn:lodewatch:");
    put_text(t, "type", types[alert->kind]);
    put_text(t, "subject", subject);
    put_utc(t, "time", alert->alarm->at);
    put_text(t, "datacontenttype", "application/json");
    put_text(t, "dataschema", "urn:lodewatch:schema:alert:1");
    put_text(t, "sequence", sequence);
    put_data(t, alert, rules);
    end_object(t);
}

int
lw_alert_json(const struct lw_ledger *ledger, const struct lw_rules *rules,
              enum lw_alert_kind kind, const struct lw_alarm *alarm,
              char text[LW_ALERT_TEXT], size_t *ret_n)
{
    const struct lw_alert alert = {.ledger = ledger, .kind = kind, .alarm = alarm};
    struct lw_text t;

    lw_text_init(&t, text, LW_ALERT_TEXT);
    put_event(&t, &alert, rules);
    if (t.cut)
        return LW_EFULL;
    *ret_n = t.len;
    return 0;
}

void
lw_alert_sentence(const struct lw_ledger *ledger, enum lw_alert_kind kind,
                  const struct lw_alarm *alarm, bool zh, char *text, size_t cap_n)
{
    const struct lw_alert alert = {.ledger = ledger, .kind = kind, .alarm = alarm};

    lw_words(&alert, LW_PART_LINE, zh, text, cap_n);
}
