/* Fills the {places} of an alert's sentences from the alarm and the ledger. */
#include <inttypes.h>
#include <string.h>

#include <lodewatch/text.h>

#include "sentences.h"

enum {
    EXPLANATIONS_TOLD = 3
};

/* What the places are filled from. */
struct filler {
    struct lw_text *out;
    const struct lw_alert *alert;
    const struct lw_site *site; /* or NULL */
    bool zh;
    const struct sentences *sentences;
    const struct lw_explanation *explanation; /* the one being told of */
    int32_t more;
    const struct lw_licence *licence;
    enum lw_licence_kind licence_kind;
};

static void fill(struct filler *f, const char *template);

static void
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
put_status_name(struct filler *f)
{
    if (f->site) {
        int status = (int)lw_site_status_at(f->site, lw_alert_moment(f->alert));
        lw_text_add(f->out, (f->zh ? lw_enum_zh : lw_enum_en)(LW_ENUM_STATUS, status));
    }
}

static void
put_status(struct filler *f)
{
    if (!f->site)
        return;
    bool begun = lw_alert_moment(f->alert).ms >= f->site->status_since.ms;
    fill_phrase(f, STATUS);
    if (begun && f->site->status_since.ms != LW_WALL_MIN.ms)
        fill_phrase(f, SINCE);
    if (begun && *f->site->status_document)
        fill_phrase(f, DOCUMENT);
    fill_phrase(f, STOP);
}

/* Those in force (or exceeded) first, then the others, each in the ledger's order. */
static void
put_explanations(struct filler *f)
{
    static const enum phrase phrase[] = {
        [LW_CHECKED_IN_FORCE] = IN_FORCE,
        [LW_CHECKED_NOT_YET] = NOT_YET,
        [LW_CHECKED_EXPIRED] = EXPIRED,
        [LW_CHECKED_EXCEEDED] = EXCEEDED,
        [LW_CHECKED_OUTSIDE_HOURS] = OUTSIDE_HOURS,
        [LW_CHECKED_BEYOND_WATER] = BEYOND_WATER,
    };
    int32_t told = 0;

    if (!f->site)
        return;
    if (f->site->explanation_n == 0) {
        fill_phrase(f, NOTHING_ON_FILE);
        return;
    }
    for (int others = 0; others < 2; others++)
        for (int32_t i = 0; i < f->site->explanation_n && told < EXPLANATIONS_TOLD; i++) {
            f->explanation =
                &f->alert->ledger->explanation[f->site->explanation_first + i];
            enum lw_checked checked = lw_explanation_checked(f->alert, f->explanation);
            if (lw_checked_holds(checked) == (others == 1))
                continue;
            fill_phrase(f, told++ == 0 ? ON_FILE : SEMICOLON);
            fill_phrase(f, phrase[checked]);
        }
    f->more = f->site->explanation_n - told;
    if (f->more > 0)
        fill_phrase(f, MORE);
    fill_phrase(f, STOP);
}

static void
put_what(struct filler *f)
{
    lw_text_add(f->out, (f->zh ? lw_enum_zh : lw_enum_en)(LW_ENUM_EXPLANATION,
                                                          (int)f->explanation->kind));
}

static void
put_limit(struct filler *f)
{
    if (f->explanation->max_w != LW_NOT_GIVEN)
        fill_phrase(f, LIMIT);
}

static void
put_licence(struct filler *f)
{
    fill_phrase(f, f->licence_kind == LW_LICENCE_MINING ? MINING : SAFETY);
}

/* Which are missing: evidence.detail2, bit 0 mining, bit 1 safety. */
static void
put_licences(struct filler *f)
{
    int64_t missing = f->alert->alarm->evidence.detail2;

    if (missing & 1)
        fill_phrase(f, MINING);
    if ((missing & 3) == 3)
        fill_phrase(f, BOTH_MISSING);
    if (missing & 2)
        fill_phrase(f, SAFETY);
}

/* A site may also not produce by its status alone, with both licences in force. */
static void
put_unlicensed(struct filler *f)
{
    fill_phrase(f, f->alert->alarm->evidence.detail2 & 3 ? UNLICENSED : BY_STATUS);
}

static void
put_licence_states(struct filler *f)
{
    static const enum phrase phrase[] = {
        [LW_CHECKED_NONE] = NONE_ON_FILE,
        [LW_CHECKED_NOT_YET] = LICENCE_FROM,
        [LW_CHECKED_EXPIRED] = LICENCE_TO,
    };
    bool any = false;

    for (int kind = LW_LICENCE_MINING; kind <= LW_LICENCE_SAFETY; kind++) {
        f->licence_kind = (enum lw_licence_kind)kind;
        enum lw_checked checked =
            lw_licence_checked(f->alert, f->licence_kind, &f->licence);
        if (checked == LW_CHECKED_IN_FORCE)
            continue;
        if (any)
            fill_phrase(f, SEMICOLON);
        any = true;
        fill_phrase(f, phrase[checked]);
    }
    if (any)
        fill_phrase(f, STOP);
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

static void
put_confidence(struct filler *f)
{
    lw_text_add_decimal(f->out, f->alert->alarm->evidence.confidence_milli, 1000, 2);
}

static void
put_more(struct filler *f)
{
    lw_text_addf(f->out, "%" PRId32, f->more);
}

static void
put_headline(struct filler *f)
{
    const char *const headline[] = {
        [LW_ALERT_RAISED] = f->sentences->raised,
        [LW_ALERT_UPDATED] = f->sentences->updated,
        [LW_ALERT_RETURNED] = f->sentences->returned,
    };
    if (f->alert->alarm->evidence.finding == LW_FOUND_GONE)
        fill_phrase(f, GONE);
    else
        fill(f, headline[f->alert->kind]);
}

static void
put_description(struct filler *f)
{
    bool back = f->alert->kind == LW_ALERT_RETURNED;
    if (f->alert->alarm->evidence.finding == LW_FOUND_GONE)
        fill_phrase(f, GONE_WHY);
    else
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
    fill_phrase(f, phrase[f->alert->kind]);
}

static void
put_where(struct filler *f)
{
    if (f->site)
        fill_phrase(f, WHERE);
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
    SENTENCES
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
    {"basis", OF_ALERT(lw_form_basis)},
    {"candidates", OF_ALERT(lw_form_candidates)},
    {"confidence", BY(put_confidence)},
    {"description", BY(put_description)},
    {"detail_kw", EVIDENCE_OF(KW, detail)},
    {"document", SITE_OF(FOREIGN, status_document)},
    {"drift", EVIDENCE_OF(DRIFT, detail)},
    {"duration", BY(put_duration)},
    {"energy_kwh", EVIDENCE_OF(KWH, energy_wh)},
    {"event", SENTENCES_OF(event)},
    {"excess_kwh", EVIDENCE_OF(KWH, excess_wh)},
    {"expected_kw", EVIDENCE_OF(KW, expected_w)},
    {"explanations", BY(put_explanations)},
    {"from", EVIDENCE_OF(TIME, from)},
    {"gaps", BY(put_gaps)},
    {"headline", BY(put_headline)},
    {"heating_kw", EVIDENCE_OF(KW, detail)},
    {"id", EXPLANATION_OF(FOREIGN, id)},
    {"id_of", BY(put_id_of)},
    {"instruction", BY(put_instruction)},
    {"licence", BY(put_licence)},
    {"licence_from", LICENCE_OF(TIME, from)},
    {"licence_states", BY(put_licence_states)},
    {"licence_to", LICENCE_OF(TIME, to)},
    {"licences", BY(put_licences)},
    {"licensed", EVIDENCE_OF(COUNT, detail2)},
    {"limit", BY(put_limit)},
    {"limit_kw", EXPLANATION_OF(KW, max_w)},
    {"lost_kw", EVIDENCE_OF(KW, detail2)},
    {"mean_kw", EVIDENCE_OF(KW, mean_w)},
    {"meters", EVIDENCE_OF(METERS, detail2)},
    {"more", BY(put_more)},
    {"night", BY(put_night)},
    {"other_site", OF_ALERT(lw_form_other_site)},
    {"other_status", OF_ALERT(lw_form_other_status)},
    {"overruns", EVIDENCE_OF(COUNT, detail)},
    {"peak_kw", EVIDENCE_OF(KW, peak_w)},
    {"phases", EVIDENCE_OF(PHASES_LOST, detail)},
    {"silent", EVIDENCE_OF(DURATION, detail)},
    {"silent_children", OF_ALERT(lw_form_silent_children)},
    {"since", SITE_OF(TIME, status_since)},
    {"site", BY(put_site)},
    {"status", BY(put_status)},
    {"status_name", BY(put_status_name)},
    {"step_kw", EVIDENCE_OF(KW, detail)},
    {"step_kwh", EVIDENCE_OF(STEP, detail)},
    {"subject", BY(put_subject)},
    {"tonnes", EVIDENCE_OF(COUNT, detail)},
    {"to", EVIDENCE_OF(TIME, to)},
    {"unlicensed", BY(put_unlicensed)},
    {"valid_from", EXPLANATION_OF(TIME, from)},
    {"valid_to", EXPLANATION_OF(TIME, to)},
    {"what", BY(put_what)},
    {"where", BY(put_where)},
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
