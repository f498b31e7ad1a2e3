/* Meters and points as a whole: exchanges that overlap, two meters at one address, rows
 * of a point that disagree, and the tree of points. */
#include <stdlib.h>
#include <string.h>

#include "build.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static const struct lw_meter_row *
meter_of(const struct lw_row *row)
{
    return lw_row_body(row);
}

static const char *
point_id(const struct lw_row *row)
{
    return row->ref[REF_POINT].id;
}

static int
by_time(const struct lw_row *a, const struct lw_row *b)
{
    int order = COMPARE(meter_of(a)->meter.installed.ms, meter_of(b)->meter.installed.ms);
    return order != 0 ? order : COMPARE(a->at.line, b->at.line);
}

static int
same_meter(const struct lw_row *a, const struct lw_row *b)
{
    return strcmp(meter_of(a)->meter.id, meter_of(b)->meter.id);
}

static int
same_address(const struct lw_row *a, const struct lw_row *b)
{
    const struct lw_meter *x = &meter_of(a)->meter, *y = &meter_of(b)->meter;
    int order = COMPARE(x->gateway, y->gateway);
    return order != 0 ? order : COMPARE(x->unit, y->unit);
}

static int
same_point(const struct lw_row *a, const struct lw_row *b)
{
    return strcmp(point_id(a), point_id(b));
}

static int
by_meter(const void *a, const void *b)
{
    int order = same_meter(a, b);
    return order != 0 ? order : by_time(a, b);
}

static int
by_address(const void *a, const void *b)
{
    int order = same_address(a, b);
    return order != 0 ? order : by_time(a, b);
}

static int
by_point(const void *a, const void *b)
{
    int order = same_point(a, b);
    return order != 0 ? order : by_time(a, b);
}

/* What only one row may hold at a time. The last leaves the rows as points need them. */
static const struct {
    lw_row_compare *order;
    int (*same)(const struct lw_row *a, const struct lw_row *b);
    const char *what;
} holds[] = {
    {by_meter, same_meter, "this meter_id is"},
    {by_address, same_address, "a meter at this gateway and unit is"},
    {by_point, same_point, "a meter at this point is"},
};

static void
check_overlaps(struct lw_build *b)
{
    struct lw_rows *rows = &b->table[LW_METERS];
    for (size_t k = 0; k < sizeof(holds) / sizeof(holds[0]); k++) {
        lw_rows_sort(rows, holds[k].order);
        const struct lw_row *holder = NULL; /* the row that holds it longest */
        for (int32_t i = 0; i < rows->n; i++) {
            const struct lw_row *row = lw_row_at(rows, i);
            bool same = holder != NULL && holds[k].same(holder, row) == 0;
            bool polled =
                holds[k].same != same_address || meter_of(row)->meter.gateway >= 0;
            lw_wall until = same ? meter_of(holder)->meter.removed : LW_WALL_MIN;
            if (same && polled && meter_of(row)->meter.installed.ms < until.ms)
                lw_fault_add(b->faults, lw_build_file(b, LW_METERS), row->at.line,
                             row->at.column, "%s in place on line %u at the same time",
                             holds[k].what, holder->at.line);
            if (!same || meter_of(row)->meter.removed.ms > until.ms)
                holder = row;
        }
    }
}

/* A point while the ledger is made: the rows of its meters, in order of time. */
struct point_rows {
    struct lw_metering_point point;
    int32_t first;
};

static int
by_site_point(const void *a, const void *b)
{
    const struct lw_metering_point *x = &((const struct point_rows *)a)->point;
    const struct lw_metering_point *y = &((const struct point_rows *)b)->point;
    /* LW_NONE as unsigned is the largest: those without a site come last. */
    int order = COMPARE((uint32_t)x->site, (uint32_t)y->site);
    return order != 0 ? order : strcmp(x->id, y->id);
}

static void
check_agree(struct lw_build *b, const struct lw_row *first, const struct lw_row *row)
{
    bool site = strcmp(first->ref[REF_SITE].id, row->ref[REF_SITE].id) == 0;
    bool role = meter_of(first)->role == meter_of(row)->role;
    if (!site || !role)
        lw_fault_add(b->faults, lw_build_file(b, LW_METERS), row->at.line, row->at.column,
                     "point \"%s\" has another %s than on line %u", point_id(row),
                     role ? "site_id" : "role", first->at.line);
}

/* Gathers the rows, which are in order of point and time, into points by site and id. */
static void
gather_points(struct lw_build *b, struct point_rows *points, int32_t *ret_n)
{
    struct lw_rows *rows = &b->table[LW_METERS];
    const char *file = lw_build_file(b, LW_METERS);
    int32_t n = 0;
    for (int32_t i = 0; i < rows->n; i++) {
        const struct lw_row *row = lw_row_at(rows, i);
        if (n > 0 && strcmp(points[n - 1].point.id, point_id(row)) == 0) {
            check_agree(b, lw_row_at(rows, points[n - 1].first), row);
            points[n - 1].point.meter_n++;
            continue;
        }
        enum lw_meter_role role = meter_of(row)->role;
        const struct lw_ref *site = &row->ref[REF_SITE];
        points[n++] = (struct point_rows){
            .point = {.id = point_id(row),
                      .site = lw_build_resolve(b, LW_METERS, site, LW_SITES),
                      .role = role,
                      .meter_n = 1},
            .first = i};
        if (site->id[0] == '\0' && (role == LW_SUPPLY || role == LW_SUB) && !row->faulty)
            lw_fault_add(b->faults, file, row->at.line, row->at.column,
                         "a meter in the role %s needs a site_id",
                         lw_enum_name(LW_ENUM_ROLE, (int)role));
    }
    if (n > 1)
        qsort(points, (size_t)n, sizeof(*points), by_site_point);
    *ret_n = n;
}

/* Makes the ledger's points and meters of the gathered ones. */
static int
settle_points(struct lw_build *b, const struct point_rows *points, int32_t n)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_rows *rows = &b->table[LW_METERS];
    struct lw_site *sites = ledger->index->owned[LW_SITES];
    struct lw_metering_point *point = malloc(((size_t)n + 1) * sizeof(*point));
    struct lw_meter *meter = malloc(((size_t)rows->n + 1) * sizeof(*meter));
    int32_t nmeters = 0;

    ledger->point = ledger->index->points = point;
    ledger->meter = ledger->index->owned[LW_METERS] = meter;
    if (point == NULL || meter == NULL)
        return LW_ENOMEM;
    for (int32_t i = 0; i < n; i++) {
        point[i] = points[i].point;
        point[i].meter_first = nmeters;
        for (int32_t k = 0; k < point[i].meter_n; k++) {
            meter[nmeters] = meter_of(lw_row_at(rows, points[i].first + k))->meter;
            meter[nmeters++].point = i;
        }
        if (point[i].site != LW_NONE && sites[point[i].site].point_n++ == 0)
            sites[point[i].site].point_first = i;
    }
    ledger->npoints = n;
    ledger->nmeters = nmeters;
    return lw_idmap_new(&ledger->index->point, point, sizeof(*point), n, NULL);
}

static int
check_tree(struct lw_build *b, const struct point_rows *points, int32_t n)
{
    struct lw_metering_point *point = b->ledger->index->points;
    struct lw_meter *meter = b->ledger->index->owned[LW_METERS];
    int32_t *parent = malloc(((size_t)n + 1) * sizeof(*parent));
    struct lw_place *place = malloc(((size_t)n + 1) * sizeof(*place));
    int rc = parent == NULL || place == NULL ? LW_ENOMEM : 0;

    for (int32_t i = 0; rc == 0 && i < n; i++) {
        /* A point can be switched over to another feeder: each row has its own. */
        for (int32_t k = 0; k < point[i].meter_n; k++) {
            const struct lw_row *row =
                lw_row_at(&b->table[LW_METERS], points[i].first + k);
            const struct lw_ref *ref = &row->ref[REF_PARENT];
            int32_t up = parent[i] = lw_build_resolve(b, LW_METERS, ref, LW_METERS);

            meter[point[i].meter_first + k].parent = up;
            place[i] = ref->at;
            if (up != LW_NONE && point[up].role != LW_FEEDER &&
                point[up].role != LW_SUPPLY)
                lw_fault_add(
                    b->faults, lw_build_file(b, LW_METERS), ref->at.line, ref->at.column,
                    "point \"%s\" is neither feeder nor supply; nothing hangs on it",
                    ref->id);
        }
    }
    if (rc == 0)
        rc = lw_build_no_cycles(b, LW_METERS, n, parent, place);
    for (int32_t i = 0; rc == 0 && i < n; i++)
        point[i].parent = parent[i];
    free(parent);
    free(place);
    return rc;
}

int
lw_build_check_meters(struct lw_build *b)
{
    struct lw_ledger *ledger = b->ledger;
    struct lw_rows *rows = &b->table[LW_METERS];
    int32_t npoints = 0;
    int rc;

    for (int32_t i = 0; i < rows->n; i++) {
        struct lw_row *row = lw_row_at(rows, i);
        struct lw_meter_row *meter = lw_row_body(row);
        meter->meter.gateway =
            lw_build_resolve(b, LW_METERS, &row->ref[REF_GATEWAY], LW_GATEWAYS);
    }
    check_overlaps(b);

    struct point_rows *points = malloc(((size_t)rows->n + 1) * sizeof(*points));
    if (points == NULL)
        return LW_ENOMEM;
    gather_points(b, points, &npoints);
    rc = settle_points(b, points, npoints);
    if (rc == 0)
        rc = check_tree(b, points, npoints);
    free(points);
    if (rc != 0)
        return rc;

    ledger->index->next_meter = malloc(((size_t)rows->n + 1) * sizeof(int32_t));
    if (ledger->index->next_meter == NULL)
        return LW_ENOMEM;
    return lw_idmap_new(&ledger->index->meter, ledger->meter, sizeof(struct lw_meter),
                        ledger->nmeters, ledger->index->next_meter);
}
