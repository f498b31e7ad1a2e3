/* The ledger as a whole: rows in their order, ids unique, references resolved, no cycles.
 * Areas, sites, contacts, licences and explanations here; meters in check_meters.c. */
#include <stdlib.h>
#include <string.h>

#include "build.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int
by_line(const struct lw_row *a, const struct lw_row *b)
{
    return COMPARE(a->at.line, b->at.line);
}

/* Every table's struct but the licence's begins with its id. */
static const char *
id_of(const struct lw_row *row)
{
    return *(const char *const *)lw_row_body(row);
}

static int
by_id(const void *a, const void *b)
{
    int order = strcmp(id_of(a), id_of(b));
    return order != 0 ? order : by_line(a, b);
}

static int
by_number(const void *a, const void *b)
{
    const struct lw_row *x = a, *y = b;
    const struct lw_licence *p = lw_row_body(x), *q = lw_row_body(y);
    int order = strcmp(x->ref[REF_SITE].id, y->ref[REF_SITE].id);
    if (order == 0)
        order = COMPARE(p->kind, q->kind);
    if (order == 0)
        order = strcmp(p->number, q->number);
    return order != 0 ? order : by_line(x, y);
}

static int
by_owner(const void *a, const void *b)
{
    const struct lw_contact *x = lw_row_body(a), *y = lw_row_body(b);
    int order = COMPARE(x->area, y->area);
    if (order == 0)
        order = COMPARE(x->site, y->site);
    if (order == 0)
        order = strcmp(x->role, y->role);
    if (order == 0)
        order = COMPARE(x->rank, y->rank);
    return order != 0 ? order : by_id(a, b);
}

static int
by_site_kind(const void *a, const void *b)
{
    const struct lw_licence *x = lw_row_body(a), *y = lw_row_body(b);
    int order = COMPARE(x->site, y->site);
    if (order == 0)
        order = COMPARE(x->kind, y->kind);
    if (order == 0)
        order = COMPARE(x->from.ms, y->from.ms);
    return order != 0 ? order : by_line(a, b);
}

static int
by_site_id(const void *a, const void *b)
{
    const struct lw_explanation *x = lw_row_body(a), *y = lw_row_body(b);
    int order = COMPARE(x->site, y->site);
    return order != 0 ? order : by_id(a, b);
}

void
lw_rows_sort(struct lw_rows *rows, lw_row_compare *compare)
{
    if (rows->n > 1)
        qsort(rows->data, (size_t)rows->n, rows->stride, compare);
}

int
lw_rows_settle(struct lw_build *b, enum lw_table table, size_t size)
{
    const struct lw_rows *rows = &b->table[table];
    char *settled = malloc((size_t)rows->n * size + 1);
    if (settled == NULL)
        return LW_ENOMEM;
    for (int32_t i = 0; i < rows->n; i++)
        memcpy(settled + (size_t)i * size, lw_row_body(lw_row_at(rows, i)), size);
    b->ledger->index->owned[table] = settled;
    return 0;
}

/* Sorts by the key and notes rows that have the key of the one before. */
static void
check_unique(struct lw_build *b, enum lw_table table, lw_row_compare *compare,
             const char *what)
{
    struct lw_rows *rows = &b->table[table];
    lw_rows_sort(rows, compare);
    for (int32_t i = 1; i < rows->n; i++) {
        /* Two of one key differ by their line alone. */
        struct lw_row *before = lw_row_at(rows, i - 1), *row = lw_row_at(rows, i);
        struct lw_place at = row->at;
        row->at.line = before->at.line;
        if (compare(before, row) == 0)
            lw_fault_add(b->faults, lw_build_file(b, table), at.line, at.column,
                         "%s is on line %u already", what, before->at.line);
        row->at = at;
    }
}

int32_t
lw_build_resolve(struct lw_build *b, enum lw_table table, const struct lw_ref *ref,
                 enum lw_table target)
{
    const struct lw_ledger_index *index = b->ledger->index;
    const struct lw_idmap *map = &index->point;
    const char *what = "point";

    if (ref->id[0] == '\0')
        return LW_NONE;
    if (target == LW_AREAS) {
        map = &index->area;
        what = "area";
    } else if (target == LW_SITES) {
        map = &index->site;
        what = "site";
    } else if (target == LW_GATEWAYS) {
        map = &index->gateway;
        what = "gateway";
    }
    int32_t found = lw_idmap_find(map, ref->id, strlen(ref->id));
    if (found == LW_NONE && !b->lost[target])
        lw_fault_add(b->faults, lw_build_file(b, table), ref->at.line, ref->at.column,
                     "no %s \"%s\"", what, ref->id);
    return found;
}

int
lw_build_no_cycles(struct lw_build *b, enum lw_table table, int32_t n, int32_t *parent,
                   const struct lw_place *place)
{
    /* From each start upwards, marking the way; meeting one's own mark is a cycle. */
    int32_t *way = calloc((size_t)n + 1, sizeof(*way));
    if (way == NULL)
        return LW_ENOMEM;
    for (int32_t start = 0; start < n; start++) {
        int32_t i = start, last = LW_NONE;
        while (i != LW_NONE && way[i] == 0) {
            way[i] = start + 1;
            last = i;
            i = parent[i];
        }
        if (i != LW_NONE && way[i] == start + 1) {
            lw_fault_add(b->faults, lw_build_file(b, table), place[last].line,
                         place[last].column, "parent_id goes round in a circle");
            parent[last] = LW_NONE;
        }
    }
    free(way);
    return 0;
}

static int
check_areas(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_rows *rows = &b->table[LW_AREAS];
    const char *root = NULL;

    /* The first root in the file's order names the deployment. */
    for (int32_t i = 0; i < rows->n && root == NULL; i++)
        if (lw_row_at(rows, i)->ref[REF_PARENT].id[0] == '\0')
            root = id_of(lw_row_at(rows, i));
    const char *name = root != NULL ? root : "lodewatch";
    if (ledger->deployment[0] == '\0' && strlen(name) <= LW_ID_MAX)
        memcpy(ledger->deployment, name, strlen(name) + 1);

    check_unique(b, LW_AREAS, by_id, "this area_id");
    int rc = lw_rows_settle(b, LW_AREAS, sizeof(struct lw_area));
    if (rc != 0)
        return rc;
    struct lw_area *area = ledger->index->owned[LW_AREAS];
    ledger->area = area;
    ledger->nareas = rows->n;
    rc = lw_idmap_new(&ledger->index->area, area, sizeof(*area), rows->n, NULL);
    if (rc != 0)
        return rc;

    int32_t *parent = malloc(((size_t)rows->n + 1) * sizeof(*parent));
    struct lw_place *place = malloc(((size_t)rows->n + 1) * sizeof(*place));
    rc = parent == NULL || place == NULL ? LW_ENOMEM : 0;
    for (int32_t i = 0; rc == 0 && i < rows->n; i++) {
        const struct lw_ref *ref = &lw_row_at(rows, i)->ref[REF_PARENT];
        parent[i] = lw_build_resolve(b, LW_AREAS, ref, LW_AREAS);
        place[i] = ref->at;
    }
    if (rc == 0)
        rc = lw_build_no_cycles(b, LW_AREAS, rows->n, parent, place);
    for (int32_t i = 0; rc == 0 && i < rows->n; i++) {
        area[i].parent = parent[i];
        if ((int)area[i].level < 0) { /* not given: by its depth */
            int depth = LW_COUNTY;
            for (int32_t up = parent[i]; up != LW_NONE && depth < LW_OPENING;
                 up = parent[up])
                depth++;
            area[i].level = (enum lw_area_level)depth;
        }
    }
    free(parent);
    free(place);
    return rc;
}

static int
check_sites(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_rows *rows = &b->table[LW_SITES];

    check_unique(b, LW_SITES, by_id, "this site_id");
    for (int32_t i = 0; i < rows->n; i++) {
        struct lw_row *row = lw_row_at(rows, i);
        struct lw_site *site = lw_row_body(row);
        site->area = lw_build_resolve(b, LW_SITES, &row->ref[REF_AREA], LW_AREAS);
    }
    int rc = lw_rows_settle(b, LW_SITES, sizeof(struct lw_site));
    if (rc != 0)
        return rc;
    ledger->site = ledger->index->owned[LW_SITES];
    ledger->nsites = rows->n;
    return lw_idmap_new(&ledger->index->site, ledger->site, sizeof(struct lw_site),
                        rows->n, NULL);
}

static int
check_gateways(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_rows *rows = &b->table[LW_GATEWAYS];

    check_unique(b, LW_GATEWAYS, by_id, "this gateway_id");
    int rc = lw_rows_settle(b, LW_GATEWAYS, sizeof(struct lw_gateway));
    if (rc != 0)
        return rc;
    ledger->gateway = ledger->index->owned[LW_GATEWAYS];
    ledger->ngateways = rows->n;
    return lw_idmap_new(&ledger->index->gateway, ledger->gateway,
                        sizeof(struct lw_gateway), rows->n, NULL);
}

static int
check_contacts(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_rows *rows = &b->table[LW_CONTACTS];

    check_unique(b, LW_CONTACTS, by_id, "this contact_id");
    for (int32_t i = 0; i < rows->n; i++) {
        struct lw_row *row = lw_row_at(rows, i);
        const struct lw_ref *area = &row->ref[REF_AREA], *site = &row->ref[REF_SITE];
        struct lw_contact *contact = lw_row_body(row);
        if ((area->id[0] == '\0') == (site->id[0] == '\0') && !row->faulty)
            lw_fault_add(b->faults, lw_build_file(b, LW_CONTACTS), row->at.line,
                         row->at.column,
                         "a contact is for an area_id or for a site_id; "
                         "expected one of them");
        contact->area = lw_build_resolve(b, LW_CONTACTS, area, LW_AREAS);
        contact->site = lw_build_resolve(b, LW_CONTACTS, site, LW_SITES);
    }
    lw_rows_sort(rows, by_owner);
    int rc = lw_rows_settle(b, LW_CONTACTS, sizeof(struct lw_contact));
    if (rc != 0)
        return rc;
    ledger->contact = ledger->index->owned[LW_CONTACTS];
    ledger->ncontacts = rows->n;
    return 0;
}

static int
check_licences(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_site *sites = ledger->index->owned[LW_SITES];
    struct lw_rows *rows = &b->table[LW_LICENCES];

    check_unique(b, LW_LICENCES, by_number,
                 "this site's licence of this kind and number");
    for (int32_t i = 0; i < rows->n; i++) {
        struct lw_row *row = lw_row_at(rows, i);
        struct lw_licence *licence = lw_row_body(row);
        licence->site = lw_build_resolve(b, LW_LICENCES, &row->ref[REF_SITE], LW_SITES);
    }
    lw_rows_sort(rows, by_site_kind);
    int rc = lw_rows_settle(b, LW_LICENCES, sizeof(struct lw_licence));
    if (rc != 0)
        return rc;
    ledger->licence = ledger->index->owned[LW_LICENCES];
    ledger->nlicences = rows->n;
    for (int32_t i = rows->n - 1; i >= 0 && ledger->licence[i].site != LW_NONE; i--) {
        sites[ledger->licence[i].site].licence_first = i;
        sites[ledger->licence[i].site].licence_n++;
    }
    return 0;
}

/* The point that an explanation names must be a sub-meter of its site. */
static int32_t
check_explained_point(struct lw_build *b, const struct lw_row *row, int32_t site)
{
    const struct lw_ref *ref = &row->ref[REF_POINT];
    int32_t i = lw_build_resolve(b, LW_EXPLANATIONS, ref, LW_METERS);
    if (i != LW_NONE) {
        const struct lw_metering_point *point = &b->ledger->point[i];
        if (point->role != LW_SUB || point->site != site)
            lw_fault_add(b->faults, lw_build_file(b, LW_EXPLANATIONS), ref->at.line,
                         ref->at.column, "point \"%s\" is no sub-meter of this site",
                         ref->id);
    }
    return i;
}

static int
check_explanations(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_site *sites = ledger->index->owned[LW_SITES];
    struct lw_rows *rows = &b->table[LW_EXPLANATIONS];

    check_unique(b, LW_EXPLANATIONS, by_id, "this explanation_id");
    for (int32_t i = 0; i < rows->n; i++) {
        struct lw_row *row = lw_row_at(rows, i);
        struct lw_explanation *explanation = lw_row_body(row);
        explanation->site =
            lw_build_resolve(b, LW_EXPLANATIONS, &row->ref[REF_SITE], LW_SITES);
        explanation->point = check_explained_point(b, row, explanation->site);
    }
    lw_rows_sort(rows, by_site_id);
    int rc = lw_rows_settle(b, LW_EXPLANATIONS, sizeof(struct lw_explanation));
    if (rc != 0)
        return rc;
    ledger->explanation = ledger->index->owned[LW_EXPLANATIONS];
    ledger->nexplanations = rows->n;
    for (int32_t i = rows->n - 1; i >= 0 && ledger->explanation[i].site != LW_NONE; i--) {
        sites[ledger->explanation[i].site].explanation_first = i;
        sites[ledger->explanation[i].site].explanation_n++;
    }
    return 0;
}

int
lw_build_check(struct lw_build *b)
{
    /* In the order in which they name each other. */
    static int (*const checks[])(struct lw_build *) = {
        check_areas,    check_sites,           check_gateways,     check_contacts,
        check_licences, lw_build_check_meters, check_explanations,
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        int rc = checks[i](b);
        if (rc != 0)
            return rc;
    }
    return 0;
}
