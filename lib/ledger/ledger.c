/* The ledger made, kept and asked: text in, immutable struct out, rows found by id. */
#include <stdlib.h>
#include <string.h>

#include <lodewatch/text.h>

#include "build.h"

static int
compare_days(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* A date a line; what follows a blank, a comma or '#' is a remark. */
static int
read_holidays(struct lw_build *b)
{
    static const char file[] = "holidays";
    const char *s = b->text->holidays, *end;
    int32_t n = 0;

    if (s == NULL)
        return 0;
    end = s + b->text->holidays_n;
    int32_t *days = malloc(LW_HOLIDAYS * sizeof(*days));
    if (days == NULL)
        return LW_ENOMEM;
    b->ledger->holidays = b->ledger->index->holidays = days;
    if (end - s >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
        s += 3;
    for (uint32_t line = 1; s < end; line++) {
        const char *eol = memchr(s, '\n', (size_t)(end - s));
        const char *next = eol != NULL ? eol + 1 : end;
        size_t len = 0;
        while (s + len < next && memchr(" \t\r\n,#", s[len], 6) == NULL)
            len++;
        lw_wall day;
        if (len > 0 && (len > 10 ||
                        lw_wall_parse(s, len, b->ledger->zone, LW_DATE_START, &day) != 0))
            lw_fault_add(b->faults, file, line, 1,
                         "no date; expected such as 2026-01-01");
        else if (n == LW_HOLIDAYS && len > 0)
            lw_fault_add(b->faults, file, line, 1, "more than %d holidays", LW_HOLIDAYS);
        else if (len > 0)
            days[n++] = lw_zone_civil(b->ledger->zone, day).day;
        s = next;
    }
    if (n > 1)
        qsort(days, (size_t)n, sizeof(*days), compare_days);
    b->ledger->nholidays = n;
    return 0;
}

static int
read_zone(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    int rc = b->text->tzif == NULL
                 ? lw_zone_new_fixed(0, &ledger->index->zone)
                 : lw_zone_new(b->text->tzif, b->text->tzif_n, &ledger->index->zone);
    if (rc == LW_EPARSE)
        lw_fault_add(b->faults, "timezone", 0, 0, "this is no TZif file");
    ledger->zone = ledger->index->zone;
    return rc;
}

static int
build(struct lw_build *b)
{
    int rc = read_zone(b);
    if (rc == 0)
        rc = read_holidays(b);
    for (enum lw_table table = LW_AREAS; rc == 0 && table < LW_TABLES; table++)
        rc = lw_build_read(b, table);
    if (rc == 0)
        rc = lw_build_check(b);
    for (enum lw_table table = LW_AREAS; table < LW_TABLES; table++)
        free(b->table[table].data);
    return rc;
}

int
lw_ledger_new(const struct lw_ledger_text *text, struct lw_faults *faults,
              struct lw_ledger **ret_ledger)
{
    struct lw_ledger *ledger = calloc(1, sizeof(*ledger));
    struct lw_build b = {.text = text, .faults = faults, .ledger = ledger};
    uint32_t before = faults->n;
    const char *deployment = text->deployment != NULL ? text->deployment : "";
    int rc;

    if (ledger == NULL)
        return LW_ENOMEM;
    ledger->index = calloc(1, sizeof(*ledger->index));
    if (ledger->index == NULL) {
        rc = LW_ENOMEM;
        goto out;
    }
    struct lw_text id;
    lw_text_init(&id, ledger->deployment, sizeof(ledger->deployment));
    lw_text_add(&id, deployment);
    if (id.cut)
        lw_fault_add(faults, "deployment", 0, 0, "longer than %d bytes", LW_ID_MAX);
    ledger->exercise = text->exercise;
    ledger->unknown = ledger->index->unknown;
    rc = build(&b);
    if (rc == 0 && faults->n != before)
        rc = LW_EPARSE;
out:
    if (rc != 0)
        lw_ledger_free(ledger);
    else
        *ret_ledger = ledger;
    return rc;
}

void
lw_ledger_free(struct lw_ledger *ledger)
{
    if (ledger == NULL)
        return;
    struct lw_ledger_index *index = ledger->index;
    if (index != NULL) {
        lw_arena_free(&index->arena);
        lw_zone_free(index->zone);
        lw_idmap_free(&index->area);
        lw_idmap_free(&index->site);
        lw_idmap_free(&index->gateway);
        lw_idmap_free(&index->point);
        lw_idmap_free(&index->meter);
        free(index->next_meter);
        for (int table = 0; table < LW_TABLES; table++)
            free(index->owned[table]);
        free(index->points);
        free(index->holidays);
    }
    free(index);
    free(ledger);
}

int32_t
lw_ledger_site(const struct lw_ledger *ledger, const char *id)
{
    return lw_idmap_find(&ledger->index->site, id, strlen(id));
}

int32_t
lw_ledger_gateway(const struct lw_ledger *ledger, const char *id)
{
    return lw_idmap_find(&ledger->index->gateway, id, strlen(id));
}

int32_t
lw_ledger_point(const struct lw_ledger *ledger, const char *id)
{
    return lw_idmap_find(&ledger->index->point, id, strlen(id));
}

int32_t
lw_ledger_meter(const struct lw_ledger *ledger, const char *id, size_t n, lw_wall t)
{
    int32_t i = lw_idmap_find(&ledger->index->meter, id, n);
    while (i != LW_NONE &&
           (t.ms < ledger->meter[i].installed.ms || t.ms >= ledger->meter[i].removed.ms))
        i = ledger->index->next_meter[i];
    return i;
}
