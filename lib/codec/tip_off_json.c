/* What discipline inspection is told, as a CloudEvent: docs/rules/tip_off.md, and
 * docs/schema/tip_off-1.schema.json is the contract. */
#include <inttypes.h>

#include <lodewatch/codec.h>
#include <lodewatch/hash.h>

#include "values_json.h"

static void
put_part(struct lw_text *t, const char *name, const struct lw_ledger *ledger,
         const struct lw_tip_off *tip_off, enum lw_part part, bool zh)
{
    char text[LW_WORDS_TEXT];

    lw_tip_off_words(ledger, tip_off, part, zh, text, sizeof text);
    put_text(t, name, text);
}

static void
put_info(struct lw_text *t, const struct lw_ledger *ledger,
         const struct lw_tip_off *tip_off)
{
    put_list(t, "info");
    for (int zh = 1; zh >= 0; zh--) {
        put_object(t, NULL);
        put_text(t, "language", zh ? "zh-CN" : "en");
        put_part(t, "event", ledger, tip_off, LW_PART_EVENT, zh);
        put_part(t, "headline", ledger, tip_off, LW_PART_HEADLINE, zh);
        put_part(t, "description", ledger, tip_off, LW_PART_DESCRIPTION, zh);
        put_part(t, "instruction", ledger, tip_off, LW_PART_INSTRUCTION, zh);
        end_object(t);
    }
    end_list(t);
}

static void
put_rule(struct lw_text *t, const struct lw_alert *alert, const struct lw_rules *rules,
         const struct lw_site *site)
{
    int status = (int)lw_site_status_at(site, lw_alert_moment(alert));

    put_object(t, "rule");
    put_text(t, "id", "tip_off");
    put_integer(t, "version", 1);
    put_params(t, &rules->of[status][site->kind], "tip_off");
    end_object(t);
}

static void
put_site_name(struct lw_text *t, const struct lw_site *site)
{
    put_object(t, "site");
    put_foreign(t, "id", site->id);
    put_foreign_or_null(t, "name", site->name);
    put_foreign_or_null(t, "name_en", site->name_en);
    end_object(t);
}

static void
put_data(struct lw_text *t, const struct lw_alert *alert, const struct lw_rules *rules,
         const struct lw_tip_off *tip_off)
{
    const struct lw_alarm *alarm = alert->alarm;
    const struct lw_site *site = &alert->ledger->site[alarm->site];

    put_object(t, "data");
    put_bool(t, "exercise", alert->ledger->exercise);
    put_info(t, alert->ledger, tip_off);
    put_rule(t, alert, rules, site);
    put_site_name(t, site);
    put_object(t, "alarm");
    put_alarm_id(t, "id", alert);
    put_text(t, "rule", lw_rule_info((enum lw_rule_id)alarm->rule)->id);
    put_utc(t, "raised_at", alarm->onset);
    put_integer(t, "occurrences", alarm->occurrences);
    end_object(t);
    put_object(t, "read");
    put_utc(t, "at", alarm->read);
    put_foreign(t, "by", alarm->read_by);
    put_bool(t, "verified", false); /* a name under the token that all share */
    end_object(t);
    put_object(t, "load");
    put_utc(t, "fell_at", tip_off->fell);
    put_integer(t, "delay_s", tip_off->delay_ms / LW_SECOND);
    put_kw(t, "before_kw", tip_off->before_w);
    put_kw(t, "after_kw", tip_off->after_w);
    put_kw(t, "expected_kw", tip_off->expected_w);
    put_integer(t, "gone_s", tip_off->gone_ms / LW_SECOND);
    end_object(t);
    put_object(t, "before");
    put_integer(t, "load_s", tip_off->load_ms / LW_SECOND);
    put_integer(t, "falls", tip_off->falls);
    end_object(t);
    put_readings(t, &alarm->evidence);
    put_text(t, "confidentiality", "inspection");
    end_object(t);
}

int
lw_tip_off_json(const struct lw_ledger *ledger, const struct lw_rules *rules, lw_wall at,
                const struct lw_tip_off *tip_off, char text[LW_ALERT_TEXT], size_t *ret_n)
{
    const struct lw_alert alert = {
        .ledger = ledger, .kind = LW_ALERT_UPDATED, .alarm = &tip_off->alarm};
    char hex[2 * sizeof tip_off->alarm.id + 1], id[sizeof hex + 24];
    char subject[LW_ID_MAX + 16];
    struct lw_text t, name;

    lw_hex(tip_off->alarm.id, sizeof tip_off->alarm.id, hex);
    lw_text_init(&name, id, sizeof id);
    lw_text_addf(&name, "%s.tip_off.%" PRIu32, hex, tip_off->alarm.occurrences);
    lw_alarm_subject(ledger, &tip_off->alarm, subject);
    lw_text_init(&t, text, LW_ALERT_TEXT);
    put_object(&t, NULL);
    put_text(&t, "specversion", "1.0");
    put_text(&t, "id", id);
    put_deployment(&t, "source", ledger, "urn:lodewatch:");
    put_text(&t, "type", "org.lodewatch.audit.tip_off.v1");
    put_text(&t, "subject", subject);
    put_utc(&t, "time", at);
    put_text(&t, "datacontenttype", "application/json");
    put_text(&t, "dataschema", "urn:lodewatch:schema:tip_off:1");
    put_data(&t, &alert, rules, tip_off);
    end_object(&t);
    if (t.cut)
        return LW_EFULL;
    *ret_n = t.len;
    return 0;
}
