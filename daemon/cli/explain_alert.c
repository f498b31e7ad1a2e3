/* Reads alerts for `lodewatch explain`, and prints what it makes of them. */
#include "daemon/cli/explain_alert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <lodewatch/codec.h>
#include <lodewatch/rules.h>

#include "daemon/cli/alert_words.h"

enum {
    NAME_COLUMNS = 22
};

/* --- what alerts say */

static void
copy(const json_t *value, char *text, size_t cap)
{
    snprintf(text, cap, "%s", json_is_string(value) ? json_string_value(value) : "");
}

static void
copy_time(const json_t *value, lw_wall *time)
{
    const char *s = json_is_string(value) ? json_string_value(value) : "";

    if (lw_wall_parse(s, strlen(s), NULL, LW_DATE_START, time) != 0)
        *time = (lw_wall){0};
}

static double
number(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const json_t *
member(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

/* A site draws what its supplies do; a point, itself. */
static void
take_meters(struct explained *x, const json_t *evidence)
{
    bool site = strncmp(x->subject, "site/", 5) == 0;
    char point[LW_ID_MAX + 1] = "", next[LW_ID_MAX + 1];
    const json_t *m;
    size_t i;

    x->nmeters = x->points = 0;
    x->more = json_integer_value(member(evidence, "meters_left_out")) > 0;
    json_array_foreach(member(evidence, "meters"), i, m) {
        const char *role = json_string_value(member(m, "role"));

        if (x->nmeters == EXPLAIN_METERS || !role ||
            (site && strcmp(role, "supply") != 0))
            continue;
        copy(member(m, "point_id"), next, sizeof next);
        x->points += strcmp(next, point) != 0;
        memcpy(point, next, sizeof point);
        copy(member(m, "id"), x->meter[x->nmeters].id, sizeof x->meter[0].id);
        lw_register_init(&x->meter[x->nmeters++].reg);
    }
}

static void
take_evidence(struct explained *x, const json_t *e)
{
    const json_t *readings = member(e, "readings"), *learned = member(e, "learned");

    copy_time(member(member(e, "window"), "from"), &x->from);
    copy_time(member(member(e, "window"), "to"), &x->to);
    x->mean_kw = number(member(e, "mean_kw"));
    x->peak_kw = number(member(e, "peak_kw"));
    x->energy_kwh = number(member(e, "energy_kwh"));
    x->expected_kw = number(member(e, "expected_kw"));
    x->excess_kwh = number(member(e, "excess_kwh"));
    x->confidence = number(member(e, "confidence"));
    x->samples_good = json_integer_value(member(e, "samples_good"));
    x->samples_expected = json_integer_value(member(e, "samples_expected"));
    x->readings = json_integer_value(member(readings, "count"));
    x->readings_meters = json_integer_value(member(readings, "meters"));
    copy_time(member(readings, "from"), &x->readings_from);
    copy_time(member(readings, "to"), &x->readings_to);
    copy(member(e, "readings_sha256"), x->sha256, sizeof x->sha256);
    copy_time(member(learned, "from"), &x->learned_from);
    copy_time(member(learned, "to"), &x->learned_to);
    copy(member(learned, "sha256"), x->learned_sha256, sizeof x->learned_sha256);
    take_meters(x, e);
}

/* "org.lodewatch.alert.raised.v1": raised */
static void
copy_kind(const json_t *type, char kind[EXPLAIN_WORD])
{
    static const char prefix[] = "org.lodewatch.alert.";
    const char *s = json_is_string(type) ? json_string_value(type) : "";

    if (strncmp(s, prefix, sizeof prefix - 1) == 0)
        s += sizeof prefix - 1;
    snprintf(kind, EXPLAIN_WORD, "%.*s", (int)strcspn(s, "."), s);
}

void
explain_init(struct explained *x)
{
    *x = (struct explained){.n = 0};
}

int
explain_take(struct explained *x, const char *json, size_t n)
{
    json_t *root = json_loadb(json, n, 0, NULL);
    const json_t *data = member(root, "data"), *alarm = member(data, "alarm"),
                 *e = member(data, "evidence");
    struct lw_alert_brief brief;
    struct explain_revision *r;

    if (!json_is_object(alarm) || !json_is_object(e) ||
        lw_alert_brief(json, n, &brief) != 0) {
        json_decref(root);
        return LW_EPARSE;
    }
    if (x->n == EXPLAIN_REVISIONS)
        x->n--;
    r = &x->revision[x->n++];
    r->number = (uint32_t)json_integer_value(member(alarm, "revision"));
    copy_time(member(root, "time"), &r->at);
    copy_kind(member(root, "type"), r->kind);
    copy(member(alarm, "priority"), r->priority, sizeof r->priority);
    r->mean_kw = number(member(e, "mean_kw"));
    r->expected_kw = number(member(e, "expected_kw"));
    r->excess_kwh = number(member(e, "excess_kwh"));
    copy(member(alarm, "id"), x->id, sizeof x->id);
    copy(member(root, "subject"), x->subject, sizeof x->subject);
    snprintf(x->rule, sizeof x->rule, "%s", brief.rule);
    /* What it says of its evidence; a return says something else. */
    if (strcmp(r->kind, "returned") != 0 || x->n == 1) {
        snprintf(x->zh, sizeof x->zh, "%s%s%s", brief.name, brief.name[0] ? "：" : "",
                 brief.zh);
        snprintf(x->en, sizeof x->en, "%s%s%s",
                 brief.name_en[0] ? brief.name_en : brief.name,
                 brief.name_en[0] || brief.name[0] ? ": " : "", brief.en);
        take_evidence(x, e);
    }
    json_decref(root);
    return 0;
}

/* --- the load around it */

/* Of a window that a row may give: a plot of more says nothing. */
#define SPAN_MOST (400 * LW_DAY)

bool
explain_span(struct explained *x, lw_wall *ret_from, lw_wall *ret_to)
{
    int64_t margin;

    if (x->nmeters == 0)
        return false;
    if (lw_wall_since(x->to, x->from) > SPAN_MOST)
        x->from.ms = x->to.ms - SPAN_MOST;
    margin = lw_wall_since(x->to, x->from) / 4;
    margin = margin > 3 * LW_HOUR ? margin : 3 * LW_HOUR;
    plot_init(&x->plot, x->from.ms - margin, x->to.ms + margin, x->points);
    /* A step more on each side: the register is compared with the reading before. */
    *ret_from = (lw_wall){x->plot.from - x->plot.step};
    *ret_to = (lw_wall){x->plot.from + (x->plot.lines + 1) * x->plot.step};
    return true;
}

void
explain_reading(struct explained *x, const char *meter, const struct lw_reading *r,
                int64_t modulus_wh)
{
    const struct lw_register_limits limits = {.modulus_wh = modulus_wh};

    if (lw_reading_quality(r) != LW_GOOD || !lw_reading_has(r, LW_IMPORT))
        return;
    for (int i = 0; i < x->nmeters; i++) {
        struct explain_meter *m = &x->meter[i];
        struct lw_register_step step;

        if (strcmp(m->id, meter) != 0 || r->time.ms <= m->reg.at)
            continue;
        step = lw_register_advance(&m->reg, &limits, r->time.ms, r->value[LW_IMPORT]);
        if (step.energy_wh > 0 || step.verdict == LW_REGISTER_ADVANCED)
            plot_add(&x->plot, step.from, r->time.ms, step.energy_wh);
    }
}

/* --- what is printed */

/* So wide, with one decimal; "-" where it is not given. */
static void
print_number(int width, double v)
{
    if (isnan(v))
        printf(" %*s", width, "-");
    else
        printf(" %*.1f", width, v);
}

/* A line's name, in both languages. */
static void
print_name(const char *name)
{
    printf("  ");
    print_padded(name, NAME_COLUMNS);
}

static void
print_row(const char *name, double v, const char *unit)
{
    if (isnan(v))
        return;
    print_name(name);
    printf(" %.1f %s\n", v, unit);
}

static void
print_span(const char *name, const struct lw_zone *zone, lw_wall from, lw_wall to)
{
    char a[LW_TIME_TEXT], b[LW_TIME_TEXT];

    lw_wall_format_zone(from, zone, a);
    lw_wall_format_zone(to, zone, b);
    print_name(name);
    printf(" %s – %s\n", a, b);
}

/* A word of the data's and its Chinese, so many columns wide. */
static void
print_word(const struct alert_word *word, int columns)
{
    char text[64];

    snprintf(text, sizeof text, "%s %s", word->zh, word->name);
    printf("  ");
    print_padded(text, columns);
}

static void
print_revisions(const struct explained *x, const struct lw_zone *zone)
{
    puts("      修订  时间                       预警           优先级       平均千瓦"
         "      应有千瓦  未说明千瓦时\n"
         "  revision  time                       alert          priority      mean kW"
         "   expected kW    excess kWh");
    for (int i = 0; i < x->n; i++) {
        const struct explain_revision *r = &x->revision[i];
        char time[LW_TIME_TEXT];

        lw_wall_format_zone(r->at, zone, time);
        printf("  %8u  %-25s", r->number, time);
        print_word(alert_kind(r->kind), 13);
        print_word(alert_priority(r->priority), 11);
        print_number(9, r->mean_kw);
        print_number(13, r->expected_kw);
        print_number(13, r->excess_kwh);
        putchar('\n');
    }
}

static void
print_evidence(const struct explained *x, const struct lw_zone *zone)
{
    print_span("时段 window", zone, x->from, x->to);
    print_row("平均 mean", x->mean_kw, "kW");
    print_row("最高 peak", x->peak_kw, "kW");
    print_row("用电量 energy", x->energy_kwh, "kWh");
    print_row("应有 expected", x->expected_kw, "kW");
    print_row("未说明 unexplained", x->excess_kwh, "kWh");
    if (!isnan(x->confidence)) {
        print_name("可信度 confidence");
        printf(" %.3f\n", x->confidence);
    }
    if (x->samples_expected > 0) {
        print_name("有效采样 good samples");
        printf(" %lld / %lld\n", x->samples_good, x->samples_expected);
    }
    if (x->readings > 0) {
        print_span("读数 readings", zone, x->readings_from, x->readings_to);
        print_name("条数 how many");
        printf(" %lld\n", x->readings);
        print_name("电表数 of meters");
        printf(" %lld\n", x->readings_meters);
        print_name("读数 their SHA-256");
        printf(" %s\n", x->sha256);
    }
    if (x->learned_sha256[0]) {
        print_span("基准时段 learned", zone, x->learned_from, x->learned_to);
        print_name("基准 its SHA-256");
        printf(" %s\n", x->learned_sha256);
    }
}

void
explain_print(const struct explained *x, const struct lw_zone *zone)
{
    const struct lw_rule_info *rule = NULL;
    bool expected = !isnan(x->expected_kw);

    for (int i = 0; i < LW_RULES; i++)
        if (strcmp(lw_rule_info((enum lw_rule_id)i)->id, x->rule) == 0)
            rule = lw_rule_info((enum lw_rule_id)i);
    printf("%s  %s  %s / %s\n\n", x->id, x->subject, rule ? rule->zh : x->rule,
           rule ? rule->en : x->rule);
    print_revisions(x, zone);
    printf("\n%s\n%s\n\n", x->zh, x->en);
    print_evidence(x, zone);
    if (x->plot.lines == 0)
        return;
    printf("\n  负荷，各段平均（* 在时段内%s）%s\n", expected ? "，│ 应有" : "",
           x->more ? "；另有电表未计入" : "");
    printf("  load, mean of each stretch (* in the window%s)%s\n",
           expected ? ", │ expected" : "",
           x->more ? "; there are more meters than these" : "");
    plot_print(&x->plot, zone, x->from.ms, x->to.ms,
               expected ? llrint(1000 * x->expected_kw) : -1);
}
