/* Fills the {places} of an alert's sentences from the alarm and the ledger. */
#include <inttypes.h>
#include <string.h>

#include <lodewatch/energy.h>
#include <lodewatch/text.h>

#include "filler.h"

static void fill(struct filler *f, const char *template);

void
fill_phrase(struct filler *f, enum phrase phrase)
{
    fill(f, lw_phrase(phrase, f->zh));
}

static void
put_site(struct filler *f)
{
    lw_form_site(f->out, f->site, f->zh);
}

static void
put_subject(struct filler *f)
{
    static const enum phrase phrase[] = {
        [LW_SUBJECT_POINT] = THE_POINT,
        [LW_SUBJECT_FEEDER] = THE_FEEDER,
        [LW_SUBJECT_GATEWAY] = THE_GATEWAY,
    };
    if (f->alert->alarm->subject_kind != LW_SUBJECT_SITE)
        fill_phrase(f, phrase[f->alert->alarm->subject_kind]);
    else if (f->site)
        put_site(f);
}

static void
put_id_of(struct filler *f)
{
    const struct lw_ledger *ledger = f->alert->ledger;
    const struct lw_metering_point *point = lw_alert_point(f->alert);
    int32_t i = f->alert->alarm->subject;

    if (point)
        lw_form_foreign(f->out, point->id);
    else if (f->alert->alarm->subject_kind == LW_SUBJECT_GATEWAY && i >= 0 &&
             i < ledger->ngateways)
        lw_form_foreign(f->out, ledger->gateway[i].id);
}

static void
put_duration(struct filler *f)
{
    const struct lw_evidence *e = &f->alert->alarm->evidence;
    lw_form_duration(f->out, lw_wall_since(e->to, e->from), f->zh);
}

static void
put_ack(struct filler *f)
{
    lw_form_duration(f->out, lw_alert_deadlines(f->alert->alarm->priority).ack_ms, f->zh);
}

static void
put_night(struct filler *f)
{
    if (f->alert->alarm->evidence.night)
        fill_phrase(f, AT_NIGHT);
}

static void
put_still(struct filler *f)
{
    fill_phrase(f, f->alert->alarm->occurrences > 1 ? AGAIN : STILL);
}

/* Most of the window was not heard. */
static void
put_gap(struct filler *f)
{
    const struct lw_evidence *e = &f->alert->alarm->evidence;

    if (2 * e->samples_good < e->samples_expected)
        fill_phrase(f, BY_REGISTER);
}

static void
put_gaps(struct filler *f)
{
    static const struct {
        int64_t bit;
        enum phrase phrase;
    } gaps[] = {
        {LW_GAP_METER, GAP_METER},
        {LW_GAP_POSITION, GAP_POSITION},
        {LW_GAP_RESPONSIBLE, GAP_RESPONSIBLE},
        {LW_GAP_STATUS, GAP_STATUS},
    };
    bool any = false;

    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
        if (f->alert->alarm->evidence.detail & gaps[i].bit) {
            if (any)
                fill_phrase(f, COMMA);
            any = true;
            fill_phrase(f, gaps[i].phrase);
        }
}

/* Rounded down: nothing is certain. */
static void
put_confidence(struct filler *f)
{
    lw_text_add_decimal(f->out, f->alert->alarm->evidence.confidence_milli / 10, 100, 2);
}

static void
put_sure(struct filler *f)
{
    if (f->alert->alarm->evidence.confidence_milli > 0)
        fill_phrase(f, CONFIDENCE);
}

static void
put_review(struct filler *f)
{
    const char *by;
    lw_wall at;

    if (!f->site)
        return;
    if (!lw_alert_review(f->alert, &by, &at))
        fill_phrase(f, PROVISIONAL);
    else
        fill_phrase(f, at.ms == LW_WALL_MIN.ms ? REVIEWED : REVIEWED_ON);
}

/* Of the tonnes that the energy makes, those that the allowed part of it does. */
static void
put_most_tonnes(struct filler *f)
{
    const struct lw_evidence *e = &f->alert->alarm->evidence;

    if (e->energy_wh > 0)
        lw_text_addf(f->out, "%" PRId64,
                     lw_muldiv(e->detail, e->energy_wh - e->excess_wh, e->energy_wh));
}

static void
put_more(struct filler *f)
{
    lw_text_addf(f->out, "%" PRId32, f->more);
}

/* What came back and has ended again is told like a return. */
static enum lw_alert_kind
kind_of(const struct lw_alert *alert)
{
    if (alert->alarm->evidence.finding == LW_FOUND_OUTGROWN)
        return LW_ALERT_UPDATED;
    return lw_alert_is_over(alert) ? LW_ALERT_RETURNED : alert->kind;
}

/* What is said of an alarm that ends, and not because its load did. */
static bool
fill_ended(struct filler *f, enum phrase gone, enum phrase moot, enum phrase outgrown)
{
    switch ((enum lw_finding)f->alert->alarm->evidence.finding) {
    case LW_FOUND_GONE:
        fill_phrase(f, gone);
        return true;
    case LW_FOUND_MOOT:
        fill_phrase(f, moot);
        return true;
    case LW_FOUND_OUTGROWN:
        fill_phrase(f, outgrown);
        return true;
    default:
        return false;
    }
}

static void
put_headline(struct filler *f)
{
    const char *const headline[] = {
        [LW_ALERT_RAISED] = f->sentences->raised,
        [LW_ALERT_UPDATED] = f->sentences->updated,
        [LW_ALERT_RETURNED] = f->sentences->returned,
    };
    if (!fill_ended(f, GONE, MOOT, OUTGROWN))
        fill(f, headline[kind_of(f->alert)]);
}

static void
put_description(struct filler *f)
{
    bool back = lw_alert_is_over(f->alert);
    if (!fill_ended(f, GONE_WHY, GONE_WHY, OUTGROWN_WHY))
        fill(f, back ? f->sentences->back : f->sentences->active);
}

static void
put_instruction(struct filler *f)
{
    static const enum phrase phrase[] = {
        [LW_ALERT_RAISED] = ON_RAISED,
        [LW_ALERT_UPDATED] = ON_UPDATED,
        [LW_ALERT_RETURNED] = ON_RETURNED,
    };
    fill_phrase(f, phrase[kind_of(f->alert)]);
}

static void
put_where(struct filler *f)
{
    if (f->site)
        fill_phrase(f, WHERE);
}

static void
put_reader(struct filler *f)
{
    lw_form_foreign(f->out, f->alert->alarm->read_by);
}

static void
put_rule(struct filler *f)
{
    const struct lw_rule_info *rule =
        lw_rule_info((enum lw_rule_id)f->alert->alarm->rule);

    lw_text_add(f->out, f->zh ? rule->zh : rule->en);
}

/* How a place is filled: by a function, or by a member of something in a form. */
enum form {
    BY_FUNCTION,
    BY_ALERT,
    KW,
    KWH,
    STEP,
    COUNT,
    METERS,
    DURATION,
    DRIFT,
    PHASES_LOST,
    TIME,
    FOREIGN,
    TEXT
};
enum source {
    EVIDENCE,
    SITE,
    EXPLANATION,
    LICENCE,
    SENTENCES,
    TIP_OFF
};

#define EVIDENCE_OF(form, member)                                                        \
    form, EVIDENCE, offsetof(struct lw_evidence, member), NULL, NULL
#define SITE_OF(form, member) form, SITE, offsetof(struct lw_site, member), NULL, NULL
#define EXPLANATION_OF(form, member)                                                     \
    form, EXPLANATION, offsetof(struct lw_explanation, member), NULL, NULL
#define LICENCE_OF(form, member)                                                         \
    form, LICENCE, offsetof(struct lw_licence, member), NULL, NULL
#define SENTENCES_OF(member)                                                             \
    TEXT, SENTENCES, offsetof(struct sentences, member), NULL, NULL
#define TIP_OFF_OF(form, member)                                                         \
    form, TIP_OFF, offsetof(struct lw_tip_off, member), NULL, NULL
#define BY(function)   BY_FUNCTION, EVIDENCE, 0, function, NULL
#define OF_ALERT(form) BY_ALERT, EVIDENCE, 0, NULL, form

static const struct place {
    const char *name;
    enum form form;
    enum source source;
    size_t offset;
    void (*put)(struct filler *f);
    void (*form_alert)(struct lw_text *out, const struct lw_alert *alert, bool zh);
} places[] = {
    {"ack", BY(put_ack)},
    {"action", SENTENCES_OF(action)},
    {"after_kw", TIP_OFF_OF(KW, after_w)},
    {"basis", OF_ALERT(lw_form_basis)},
    {"before_kw", TIP_OFF_OF(KW, before_w)},
    {"beneath", BY(fill_beneath)},
    {"candidates", OF_ALERT(lw_form_candidates)},
    {"confidence", BY(put_confidence)},
    {"description", BY(put_description)},
    {"delay", TIP_OFF_OF(DURATION, delay_ms)},
    {"detail_kw", EVIDENCE_OF(KW, detail)},
    {"document", SITE_OF(FOREIGN, status_document)},
    {"drift", EVIDENCE_OF(DRIFT, detail)},
    {"duration", BY(put_duration)},
    {"energy_kwh", EVIDENCE_OF(KWH, energy_wh)},
    {"event", SENTENCES_OF(event)},
    {"excess_kwh", EVIDENCE_OF(KWH, excess_wh)},
    {"expected_kw", EVIDENCE_OF(KW, expected_w)},
    {"explanations", BY(fill_explanations)},
    {"falls", TIP_OFF_OF(COUNT, falls)},
    {"fell", TIP_OFF_OF(TIME, fell)},
    {"from", EVIDENCE_OF(TIME, from)},
    {"gap", BY(put_gap)},
    {"gaps", BY(put_gaps)},
    {"gone", TIP_OFF_OF(DURATION, gone_ms)},
    {"headline", BY(put_headline)},
    {"heating_kw", EVIDENCE_OF(KW, detail)},
    {"id", EXPLANATION_OF(FOREIGN, id)},
    {"id_of", BY(put_id_of)},
    {"instruction", BY(put_instruction)},
    {"licence", BY(fill_licence)},
    {"licence_from", LICENCE_OF(TIME, from)},
    {"licence_states", BY(fill_licence_states)},
    {"licence_to", LICENCE_OF(TIME, to)},
    {"licences", BY(fill_licences)},
    {"licensed", EVIDENCE_OF(COUNT, detail2)},
    {"limit", BY(fill_limit)},
    {"limit_kw", EXPLANATION_OF(KW, max_w)},
    {"load", TIP_OFF_OF(DURATION, load_ms)},
    {"lost_kw", EVIDENCE_OF(KW, detail2)},
    {"mean_kw", EVIDENCE_OF(KW, mean_w)},
    {"meters", EVIDENCE_OF(METERS, detail2)},
    {"more", BY(put_more)},
    {"most_tonnes", BY(put_most_tonnes)},
    {"night", BY(put_night)},
    {"other_site", OF_ALERT(lw_form_other_site)},
    {"other_status", OF_ALERT(lw_form_other_status)},
    {"onset", TIP_OFF_OF(TIME, alarm.onset)},
    {"overruns", EVIDENCE_OF(COUNT, detail)},
    {"peak_kw", EVIDENCE_OF(KW, peak_w)},
    {"phases", EVIDENCE_OF(PHASES_LOST, detail)},
    {"read", TIP_OFF_OF(TIME, alarm.read)},
    {"reader", BY(put_reader)},
    {"review", BY(put_review)},
    {"reviewed", SITE_OF(TIME, reference_reviewed_at)},
    {"reviewer", SITE_OF(FOREIGN, reference_reviewed_by)},
    {"rule", BY(put_rule)},
    {"silent", EVIDENCE_OF(DURATION, detail)},
    {"silent_children", OF_ALERT(lw_form_silent_children)},
    {"since", SITE_OF(TIME, status_since)},
    {"site", BY(put_site)},
    {"sure", BY(put_sure)},
    {"status", BY(fill_status)},
    {"still", BY(put_still)},
    {"status_name", BY(fill_status_name)},
    {"step_kw", EVIDENCE_OF(KW, detail)},
    {"step_kwh", EVIDENCE_OF(STEP, detail)},
    {"subject", BY(put_subject)},
    {"tonnes", EVIDENCE_OF(COUNT, detail)},
    {"to", EVIDENCE_OF(TIME, to)},
    {"unlicensed", BY(fill_unlicensed)},
    {"valid_from", EXPLANATION_OF(TIME, from)},
    {"valid_to", EXPLANATION_OF(TIME, to)},
    {"what", BY(fill_what)},
    {"where", BY(put_where)},
    {"within", BY(fill_within)},
};

static void
put(struct filler *f, const struct place *place)
{
    const void *const base[] = {
        [EVIDENCE] = &f->alert->alarm->evidence,
        [SITE] = f->site,
        [EXPLANATION] = f->explanation,
        [LICENCE] = f->licence,
        [SENTENCES] = f->sentences,
        [TIP_OFF] = f->tip_off,
    };
    const void *member = (const char *)base[place->source] + place->offset;

    switch (place->form) {
    case BY_FUNCTION:
        place->put(f);
        break;
    case BY_ALERT:
        place->form_alert(f->out, f->alert, f->zh);
        break;
    case KW:
        lw_form_kw(f->out, *(const int64_t *)member);
        break;
    case KWH:
        lw_form_kwh(f->out, *(const int64_t *)member);
        break;
    case STEP:
        lw_form_step(f->out, *(const int64_t *)member);
        break;
    case METERS:
        lw_form_meters(f->out, *(const int64_t *)member, f->zh);
        break;
    case COUNT:
        lw_text_addf(f->out, "%" PRId64, *(const int64_t *)member);
        break;
    case DURATION:
        lw_form_duration(f->out, *(const int64_t *)member, f->zh);
        break;
    case DRIFT:
        lw_form_drift(f->out, *(const int64_t *)member, f->zh);
        break;
    case PHASES_LOST:
        lw_form_phases(f->out, *(const int64_t *)member, f->zh);
        break;
    case TIME:
        lw_form_time(f->out, f->alert->ledger->zone, *(const lw_wall *)member);
        break;
    case FOREIGN:
        lw_form_foreign(f->out, *(const char *const *)member);
        break;
    case TEXT:
        lw_text_add(f->out, *(const char *const *)member);
        break;
    }
}

/* Copies the template with its {places} filled; one that is unknown stays as it is, so
 * that a test of all rows sees it. */
static void
fill(struct filler *f, const char *template)
{
    for (const char *s = template; *s;) {
        size_t plain = strcspn(s, "{");
        lw_text_addn(f->out, s, plain);
        s += plain;
        if (*s != '{')
            break;
        size_t n = strcspn(s + 1, "}");
        const struct place *found = NULL;
        for (size_t i = 0; i < sizeof places / sizeof *places && !found; i++)
            if (places[i].name[0] == s[1] && strncmp(places[i].name, s + 1, n) == 0 &&
                places[i].name[n] == '\0')
                found = &places[i];
        if (found)
            put(f, found);
        else
            lw_text_addn(f->out, s, n + 2);
        s += n + 2;
    }
}

void
lw_words(const struct lw_alert *alert, enum lw_part part, bool zh, char *text, size_t cap)
{
    static const enum phrase phrase[] = {
        [LW_PART_EVENT] = EVENT,
        [LW_PART_HEADLINE] = HEADLINE,
        [LW_PART_DESCRIPTION] = DESCRIPTION,
        [LW_PART_INSTRUCTION] = INSTRUCTION,
        [LW_PART_LINE] = LINE,
    };
    const struct lw_alarm *alarm = alert->alarm;
    struct lw_text out;
    struct filler f = {
        .out = &out,
        .alert = alert,
        .site = lw_alert_site(alert),
        .sentences = lw_sentences((enum lw_rule_id)alarm->rule,
                                  (enum lw_finding)alarm->evidence.finding, zh),
        .zh = zh,
    };

    lw_text_init(&out, text, cap);
    fill_phrase(&f, phrase[part]);
    while (out.len > 0 && text[out.len - 1] == ' ')
        text[--out.len] = '\0';
    /* An English sentence may begin with the name of a kind of subject. */
    if (part == LW_PART_HEADLINE && text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 'a' + 'A');
}

void
lw_tip_off_words(const struct lw_ledger *ledger, const struct lw_tip_off *tip_off,
                 enum lw_part part, bool zh, char *text, size_t cap)
{
    static const enum phrase phrase[] = {
        [LW_PART_EVENT] = TIP_OFF_EVENT,
        [LW_PART_HEADLINE] = TIP_OFF_HEADLINE,
        [LW_PART_DESCRIPTION] = TIP_OFF_DESCRIPTION,
        [LW_PART_INSTRUCTION] = TIP_OFF_INSTRUCTION,
    };
    const struct lw_alert alert = {
        .ledger = ledger, .kind = LW_ALERT_UPDATED, .alarm = &tip_off->alarm};
    struct lw_text out;
    struct filler f = {.out = &out,
                       .alert = &alert,
                       .tip_off = tip_off,
                       .site = lw_alert_site(&alert),
                       .zh = zh};

    lw_text_init(&out, text, cap);
    fill_phrase(&f, phrase[part]);
}
