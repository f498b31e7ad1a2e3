/* Alerts as CloudEvents 1.0 structured JSON: docs/alerts.md describes every member, and
 * docs/schema/alert-1.schema.json is the contract. Members come in the order of the code.
 */
#include <inttypes.h>
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/hash.h>
#include <lodewatch/text.h>

#include "values_json.h"

#define put lw_json_put

/* A standing alarm is updated at least weekly: an alert outlives the silence between. */
#define EXPIRES_MS (8 * LW_DAY)

/* The prefix and the deployment; whatever a URI does not take is escaped, and with it all
 * that CAP refuses in an identifier. */
static json_t *
deployment(const struct lw_alert *alert, const char *prefix)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    char text[32 + 3 * LW_ID_MAX];
    struct lw_text t;

    lw_text_init(&t, text, sizeof text);
    lw_text_add(&t, prefix);
    for (const char *s = alert->ledger->deployment; *s; s++)
        if (strchr(plain, *s))
            lw_text_addn(&t, s, 1);
        else
            lw_text_addf(&t, "%%%02X", (unsigned)(unsigned char)*s);
    return json_string(text);
}

static json_t *
alarm_id(const struct lw_alert *alert)
{
    char hex[2 * sizeof alert->alarm->id + 1];
    lw_hex(alert->alarm->id, sizeof alert->alarm->id, hex);
    return json_string(hex);
}

/* The id of the alarm's event of a revision. */
static json_t *
event_id(const struct lw_alert *alert, uint32_t revision)
{
    char hex[2 * sizeof alert->alarm->id + 1];
    lw_hex(alert->alarm->id, sizeof alert->alarm->id, hex);
    return json_sprintf("%s.%" PRIu32, hex, revision);
}

static json_t *
cap(const struct lw_alert *alert)
{
    uint32_t revision = alert->alarm->revision;
    json_t *references = json_array();
    json_t *o = json_object();

    if (revision > 1)
        lw_json_append(&references, event_id(alert, revision - 1));
    put(&o, "identifier", event_id(alert, revision));
    put(&o, "sender", deployment(alert, "lodewatch@"));
    put(&o, "sent", lw_json_local(alert->ledger, alert->alarm->at));
    put(&o, "status", json_string(alert->ledger->exercise ? "Exercise" : "Actual"));
    put(&o, "msgType", json_string(alert->kind == LW_ALERT_RAISED ? "Alert" : "Update"));
    put(&o, "scope", json_string("Private"));
    put(&o, "addresses", json_pack("[s]", "power-duty"));
    put(&o, "references", references);
    put(&o, "incidents", json_pack("[o]", alarm_id(alert)));
    return o;
}

static json_t *
words(const struct lw_alert *alert, enum lw_part part, bool zh)
{
    char text[LW_WORDS_TEXT];
    lw_words(alert, part, zh, text, sizeof text);
    return json_string(text);
}

static json_t *
info(const struct lw_alert *alert, bool zh)
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
    json_t *o = json_object();

    put(&o, "language", json_string(zh ? "zh-CN" : "en"));
    put(&o, "category", json_pack("[s, s]", "Security", "Infra"));
    put(&o, "event", words(alert, LW_PART_EVENT, zh));
    put(&o, "responseType", json_pack("[s]", back ? "AllClear" : "Assess"));
    put(&o, "urgency", json_string(back ? "Past" : by_priority[priority].urgency));
    put(&o, "severity", json_string(by_priority[priority].severity));
    put(&o, "certainty", json_string("Observed"));
    put(&o, "effective", lw_json_local(alert->ledger, at));
    put(&o, "expires", lw_json_local(alert->ledger, lw_wall_add(at, EXPIRES_MS)));
    put(&o, "headline", words(alert, LW_PART_HEADLINE, zh));
    put(&o, "description", words(alert, LW_PART_DESCRIPTION, zh));
    put(&o, "instruction", words(alert, LW_PART_INSTRUCTION, zh));
    return o;
}

/* The rule's parameters: decimals in their own unit, durations in seconds. */
static json_t *
params(const struct lw_params *rules, const char *rule)
{
    json_t *o = json_object();

    for (size_t i = 0; i < lw_rule_nkeys; i++) {
        const struct lw_ini_key *key = &lw_rule_keys[i];
        const void *member = (const char *)rules + key->offset;
        char name[64];
        struct lw_text t;

        if (strcmp(key->section, rule) != 0)
            continue;
        lw_text_init(&t, name, sizeof name);
        lw_text_add(&t, key->name);
        if (key->type == LW_INI_DURATION) {
            lw_text_add(&t, "_s");
            put(&o, name, lw_json_decimal(*(const int64_t *)member, LW_SECOND, 3));
        } else if (key->type == LW_INI_DECIMAL) {
            put(&o, name, lw_json_decimal(*(const int64_t *)member, key->per_unit, 6));
        } else {
            put(&o, name, json_integer(*(const int64_t *)member));
        }
    }
    return o;
}

/* As the alarm's site has them; for all, where it has none. */
static const struct lw_params *
params_of(const struct lw_alert *alert, const struct lw_rules *rules)
{
    const struct lw_site *site = lw_alert_site(alert);

    return site ? &rules->of[lw_site_status_at(site, lw_alert_moment(alert))][site->kind]
                : &rules->all;
}

static json_t *
rule_object(const struct lw_alert *alert, const struct lw_rules *rules)
{
    const struct lw_rule_info *rule = lw_rule_info((enum lw_rule_id)alert->alarm->rule);
    bool load = rule->class == LW_CLASS_CONSUMPTION;
    json_t *o = json_object();

    put(&o, "id", json_string(rule->id));
    put(&o, "class", json_string(load ? "consumption" : "data"));
    put(&o, "version", json_integer(rule->version));
    put(&o, "params", params(params_of(alert, rules), rule->id));
    return o;
}

/* Deadlines run from the raising; null once they are met or nobody is to meet them. */
static json_t *
alarm_object(const struct lw_alert *alert)
{
    const struct lw_alarm *a = alert->alarm;
    struct lw_deadlines in = lw_alert_deadlines((enum lw_priority)a->priority);
    bool ack = a->state == LW_ALARM_UNACKNOWLEDGED_ACTIVE ||
               a->state == LW_ALARM_RETURNED_UNACKNOWLEDGED;
    bool check = ack || a->state == LW_ALARM_ACKNOWLEDGED_ACTIVE;
    bool shelved = a->state == LW_ALARM_SHELVED;
    json_t *due = json_object();
    json_t *o = json_object();

    put(&due, "ack", ack ? lw_json_utc(lw_wall_add(a->onset, in.ack_ms)) : json_null());
    put(&due, "check",
        check ? lw_json_utc(lw_wall_add(a->onset, in.check_ms)) : json_null());
    put(&o, "id", alarm_id(alert));
    put(&o, "state", json_string(lw_alarm_state_name((enum lw_alarm_state)a->state)));
    put(&o, "priority", json_string(lw_priority_name((enum lw_priority)a->priority)));
    put(&o, "revision", json_integer(a->revision));
    put(&o, "occurrences", json_integer(a->occurrences));
    put(&o, "raised_at", lw_json_utc(a->onset));
    put(&o, "flood", a->flood > 0 ? json_integer(a->flood) : json_null());
    put(&o, "due", due);
    put(&o, "acknowledged_at",
        a->acknowledged_by[0] ? lw_json_utc(a->acknowledged) : json_null());
    put(&o, "acknowledged_by", lw_json_foreign_or_null(a->acknowledged_by));
    put(&o, "shelved_until", shelved ? lw_json_utc(a->shelved_until) : json_null());
    put(&o, "shelved_by", lw_json_foreign_or_null(shelved ? a->shelf_by : ""));
    put(&o, "shelved_reason", lw_json_foreign_or_null(shelved ? a->shelf_reason : ""));
    put(&o, "unshelved_by", lw_json_foreign_or_null(shelved ? "" : a->shelf_by));
    return o;
}

static json_t *
data(const struct lw_alert *alert, const struct lw_rules *rules)
{
    enum lw_rule_id rule = (enum lw_rule_id)alert->alarm->rule;
    bool load = lw_rule_info(rule)->class == LW_CLASS_CONSUMPTION;
    json_int_t left_out = 0;
    json_t *checked = load ? lw_json_explanations(alert, &left_out) : json_array();
    json_t *o = json_object();

    put(&o, "cap", cap(alert));
    put(&o, "info", json_pack("[o, o]", info(alert, true), info(alert, false)));
    put(&o, "site", lw_json_site(alert));
    put(&o, "rule", rule_object(alert, rules));
    put(&o, "evidence", lw_json_evidence(alert, load));
    put(&o, "explanations_checked", checked);
    put(&o, "explanations_left_out", json_integer(left_out));
    put(&o, "alarm", alarm_object(alert));
    put(&o, "confidentiality",
        json_pack("{s:s, s:[s], s:b}", "level", "restricted", "recipients", "power-duty",
                  "no_forward", 1));
    return o;
}

static json_t *
event(const struct lw_alert *alert, const struct lw_rules *rules)
{
    static const char *const types[] = {
        [LW_ALERT_RAISED] = "org.lodewatch.alert.raised.v1",
        [LW_ALERT_UPDATED] = "org.lodewatch.alert.updated.v1",
        [LW_ALERT_RETURNED] = "org.lodewatch.alert.returned.v1",
    };
    char subject[LW_ID_MAX + 16];
    json_t *o = json_object();

    lw_alarm_subject(alert->ledger, alert->alarm, subject);
    put(&o, "specversion", json_string("1.0"));
    put(&o, "id", event_id(alert, alert->alarm->revision));
    put(&o, "source", deployment(alert, "urn:lodewatch:"));
    put(&o, "type", json_string(types[alert->kind]));
    put(&o, "subject", json_string(subject));
    put(&o, "time", lw_json_utc(alert->alarm->at));
    put(&o, "datacontenttype", json_string("application/json"));
    put(&o, "dataschema", json_string("urn:lodewatch:schema:alert:1"));
    put(&o, "sequence", json_sprintf("%" PRIu32, alert->alarm->revision));
    put(&o, "data", data(alert, rules));
    return o;
}

int
lw_alert_json(const struct lw_ledger *ledger, const struct lw_rules *rules,
              enum lw_alert_kind kind, const struct lw_alarm *alarm,
              char text[LW_ALERT_TEXT], size_t *ret_n)
{
    const struct lw_alert alert = {.ledger = ledger, .kind = kind, .alarm = alarm};
    json_t *o = event(&alert, rules);
    size_t n = 0;

    if (o)
        n = json_dumpb(o, text, LW_ALERT_TEXT, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(o);
    if (n == 0)
        return LW_ENOMEM;
    if (n > LW_ALERT_TEXT)
        return LW_EFULL;
    *ret_n = n;
    return 0;
}

void
lw_alert_sentence(const struct lw_ledger *ledger, enum lw_alert_kind kind,
                  const struct lw_alarm *alarm, bool zh, char *text, size_t cap_n)
{
    const struct lw_alert alert = {.ledger = ledger, .kind = kind, .alarm = alarm};

    lw_words(&alert, LW_PART_LINE, zh, text, cap_n);
}
