/* What other rules would change: two cores over the same readings. An alarm of one is an
 * alarm of the other where subject and rule are the same and both stand at some time. */
#include "daemon/cli/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/core.h>
#include <lodewatch/text.h>

#include "daemon/cli/cli.h"

/* One alarm, from its raising to its return; of what came back, to the last one. */
struct span {
    uint8_t id[16];
    uint8_t rule, subject_kind, priority;
    int32_t subject;
    lw_wall raised, returned; /* LW_WALL_MAX: it stands at the end */
    int64_t excess_wh;
    int64_t before_wh; /* of it, when it had come before */
    uint32_t occurrences;
};

/* What one core did. */
struct side {
    struct lw_core *core;
    struct span *span;
    size_t n, cap;
    bool failed; /* no memory */
};

static struct span *
add_span(struct side *side)
{
    if (side->n == side->cap) {
        size_t cap = side->cap ? 2 * side->cap : 256;
        struct span *more = realloc(side->span, cap * sizeof *more);

        if (!more) {
            side->failed = true;
            return NULL;
        }
        side->span = more;
        side->cap = cap;
    }
    return &side->span[side->n++];
}

static struct span *
find_span(struct side *side, const uint8_t id[16])
{
    for (size_t i = side->n; i > 0; i--)
        if (memcmp(side->span[i - 1].id, id, sizeof side->span->id) == 0)
            return &side->span[i - 1];
    return NULL;
}

static void
on_effect(void *arg, const struct lw_effect *effect)
{
    struct side *side = arg;
    const struct lw_alarm *alarm = effect->alert.alarm;
    struct span *span;

    if (effect->kind != LW_EFFECT_ALERT)
        return;
    if (effect->alert.kind == LW_ALERT_RAISED) {
        span = add_span(side);
        if (!span)
            return;
        *span = (struct span){.rule = alarm->rule,
                              .subject_kind = alarm->subject_kind,
                              .subject = alarm->subject,
                              .raised = alarm->onset,
                              .returned = LW_WALL_MAX};
        memcpy(span->id, alarm->id, sizeof span->id);
    } else {
        span = find_span(side, alarm->id);
        if (!span)
            return;
    }
    span->priority = alarm->priority;
    if (alarm->occurrences > span->occurrences)
        span->before_wh = span->excess_wh;
    span->occurrences = alarm->occurrences;
    span->excess_wh = span->before_wh + alarm->evidence.excess_wh;
    span->returned = alarm->state == LW_ALARM_RETURNED_UNACKNOWLEDGED ||
                             alarm->state == LW_ALARM_NORMAL
                         ? alarm->at
                         : LW_WALL_MAX;
}

static bool
on_event(void *arg, const struct lw_event *event)
{
    struct side *side = arg;

    for (int i = 0; i < 2; i++)
        lw_core_step(side[i].core, event);
    return !side[0].failed && !side[1].failed;
}

/* --- side by side */

/* By what the alarms are about. */
static int
about(const struct span *a, const struct span *b)
{
    if (a->subject_kind != b->subject_kind)
        return a->subject_kind - b->subject_kind;
    if (a->subject != b->subject)
        return a->subject < b->subject ? -1 : 1;
    return a->rule - b->rule;
}

static int
by_subject_and_time(const void *va, const void *vb)
{
    const struct span *a = va, *b = vb;
    int order = about(a, b);

    if (order == 0 && a->raised.ms != b->raised.ms)
        order = a->raised.ms < b->raised.ms ? -1 : 1;
    return order;
}

enum change {
    SAME,
    CHANGED,
    GONE,
    NEW,
    CHANGES
};

/* Of the next span on each side, which come together; -1: neither has one. */
static int
pair(const struct span *a, const struct span *b)
{
    int order;

    if (!a || !b)
        return a ? GONE : b ? NEW : -1;
    order = about(a, b);
    if (order != 0)
        return order < 0 ? GONE : NEW;
    if (a->returned.ms < b->raised.ms)
        return GONE;
    if (b->returned.ms < a->raised.ms)
        return NEW;
    return a->raised.ms == b->raised.ms && a->returned.ms == b->returned.ms &&
                   a->excess_wh == b->excess_wh && a->priority == b->priority
               ? SAME
               : CHANGED;
}

static void
print_side(const struct lw_ledger *ledger, const struct span *span)
{
    char raised[LW_TIME_TEXT], returned[LW_TIME_TEXT] = "", kwh[32];
    struct lw_text text;

    if (!span) {
        printf("\t\t\t\t");
        return;
    }
    lw_wall_format_zone(span->raised, ledger->zone, raised);
    if (span->returned.ms != LW_WALL_MAX.ms)
        lw_wall_format_zone(span->returned, ledger->zone, returned);
    lw_text_init(&text, kwh, sizeof kwh);
    lw_text_add_decimal(&text, span->excess_wh, 1000, 1);
    printf("\t%s\t%s\t%s\t%s", raised, returned,
           lw_priority_name((enum lw_priority)span->priority), kwh);
}

static void
print_change(const struct lw_ledger *ledger, enum change change, const struct span *a,
             const struct span *b)
{
    static const char *const NAME[CHANGES] = {"same", "changed", "gone", "new"};
    const struct span *any = a ? a : b;
    struct lw_alarm alarm = {.subject_kind = any->subject_kind, .subject = any->subject};
    char subject[LW_ID_MAX + 16];

    lw_alarm_subject(ledger, &alarm, subject);
    printf("%s\t%s\t%s", NAME[change], lw_rule_info((enum lw_rule_id)any->rule)->id,
           subject);
    print_side(ledger, a);
    print_side(ledger, b);
    putchar('\n');
}

static void
print_changes(const struct lw_ledger *ledger, struct side side[2])
{
    size_t at[2] = {0, 0};
    uint64_t count[CHANGES] = {0};
    int change;

    puts("change\trule\tsubject\traised_before\treturned_before\tpriority_before"
         "\texcess_kwh_before\traised_after\treturned_after\tpriority_after"
         "\texcess_kwh_after");
    for (int i = 0; i < 2; i++)
        if (side[i].n > 0)
            qsort(side[i].span, side[i].n, sizeof *side[i].span, by_subject_and_time);
    for (;;) {
        const struct span *a = at[0] < side[0].n ? &side[0].span[at[0]] : NULL;
        const struct span *b = at[1] < side[1].n ? &side[1].span[at[1]] : NULL;

        change = pair(a, b);
        if (change < 0)
            break;
        a = change == NEW ? NULL : a;
        b = change == GONE ? NULL : b;
        at[0] += a != NULL;
        at[1] += b != NULL;
        count[change]++;
        print_change(ledger, (enum change)change, a, b);
    }
    fprintf(stderr,
            "%zu alarms before 原有报警, %zu after 改后: %" PRIu64
            " the same 相同, %" PRIu64 " changed 有变, %" PRIu64 " gone 不再有, %" PRIu64
            " new 新增\n",
            side[0].n, side[1].n, count[SAME], count[CHANGED], count[GONE], count[NEW]);
}

int
compare_rules(struct run *run, const struct lw_rules *before,
              const struct lw_rules *after, struct lw_faults *faults)
{
    const struct lw_rules *const rules[2] = {before, after};
    struct side side[2] = {0};
    int status = CLI_DONE;

    for (int i = 0; i < 2 && status == CLI_DONE; i++) {
        if (lw_core_new(run->ledger, rules[i], NULL, &side[i].core) != 0)
            status = CLI_FAILED;
        else
            lw_core_on_effect(side[i].core, on_effect, &side[i]);
    }
    if (status == CLI_DONE)
        status = run_events(run, on_event, side, faults);
    if (status == CLI_DONE)
        print_changes(run->ledger, side);
    else if (status == CLI_FAILED)
        fputs("lodewatch replay: out of memory\n", stderr);
    for (int i = 0; i < 2; i++) {
        lw_core_free(side[i].core);
        free(side[i].span);
    }
    return status;
}
