/* Loads, minute by minute: power stands for a minute, and each point's energy is the sum
 * of its minutes. Points are laid out so that all that is below one follows it. */
#include "daemon/sim/load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/hash.h>
#include <lodewatch/text.h>

#include "daemon/sim/shapes.h"
#include "daemon/sim/table.h"

/* One row of the file. */
struct row {
    int32_t point;
    enum shape shape;
    int64_t watts;
    uint64_t key;
    lw_wall from, to;
    int from_minute, to_minute; /* of the local day; from_minute -1: not daily */
};

/* What flows through a point by its own rows alone. */
struct flow {
    int64_t w, var; /* in this minute */
    int64_t ws;     /* since the start, up to this minute's beginning */
};

struct load {
    const struct lw_ledger *ledger;
    uint64_t seed;
    struct row *row;
    int32_t nrows, cap;
    struct table_reader reader;

    int32_t *place; /* point -> where it stands in `flow` */
    int32_t *end;   /* place -> the first place that is not below it */
    struct flow *flow;
    int64_t *began_wh; /* meter -> its point's energy when it was put in */
    bool started;
    int64_t start; /* minute */
    struct shape_minute now;
};

/* ---- the file ---- */

enum {
    METER,
    SHAPE,
    KW,
    FROM,
    TO,
    COLUMNS
};
static const char *const columns[COLUMNS] = {"meter_id", "shape", "kw", "from", "to"};

/* "HH:MM", to 24:00; -1 where it is something else. */
static int
clock_time(const struct lw_csv_cell *cell)
{
    const char *s = cell->s;
    if (cell->n != 5 || s[2] != ':')
        return -1;
    for (size_t i = 0; i < 5; i++)
        if (i != 2 && (s[i] < '0' || s[i] > '9'))
            return -1;
    int hour = (s[0] - '0') * 10 + s[1] - '0', minute = (s[3] - '0') * 10 + s[4] - '0';
    return minute > 59 || hour * 60 + minute > 1440 ? -1 : hour * 60 + minute;
}

static bool
read_times(const struct load *load, const struct lw_csv_cell *from,
           const struct lw_csv_cell *to, struct row *row)
{
    row->from_minute = clock_time(from);
    row->to_minute = clock_time(to);
    if (row->from_minute >= 0 && row->to_minute >= 0)
        return true;
    row->from_minute = -1;
    const struct lw_zone *zone = load->ledger->zone;
    const char *expected = "expected nothing, or 08:00 in both, or a time such as "
                           "2025-03-12T18:31:07+08:00";
    if (from->n > 0 &&
        lw_wall_parse(from->s, from->n, zone, LW_DATE_START, &row->from) < 0) {
        table_fault(&load->reader, from, expected);
        return false;
    }
    if (to->n > 0 && lw_wall_parse(to->s, to->n, zone, LW_DATE_END, &row->to) < 0) {
        table_fault(&load->reader, to, expected);
        return false;
    }
    return true;
}

/* Any of the meter's rows will do: loads hang on its point. */
static int32_t
find_point(const struct lw_ledger *ledger, const char *meter)
{
    for (int32_t i = 0; i < ledger->nmeters; i++)
        if (strcmp(ledger->meter[i].id, meter) == 0)
            return ledger->meter[i].point;
    return LW_NONE;
}

static int
read_row(void *arg, const struct lw_csv_cell cell[TABLE_COLUMNS])
{
    struct load *load = arg;
    struct row row = {.from = LW_WALL_MIN, .to = LW_WALL_MAX};
    size_t distance;

    row.point = find_point(load->ledger, cell[METER].s);
    bool good = row.point != LW_NONE;
    if (!good)
        table_fault(&load->reader, &cell[METER], "this meter is not in meters.csv");
    row.shape = shape_find(cell[SHAPE].s, cell[SHAPE].n, &distance);
    if (distance > 0) {
        lw_fault_add(load->reader.faults, load->reader.path, cell[SHAPE].line,
                     cell[SHAPE].column,
                     "unknown shape \"%.40s\"; the nearest known one is \"%s\"",
                     cell[SHAPE].s, shape_name(row.shape));
        good = false;
    }
    if (cell[KW].n > 0 &&
        (lw_decimal_parse(cell[KW].s, cell[KW].n, 1000, &row.watts) < 0 ||
         row.watts < 0 || row.watts > 1000000000)) {
        table_fault(&load->reader, &cell[KW], "expected a number of kW, at most 1000000");
        good = false;
    }
    good &= read_times(load, &cell[FROM], &cell[TO], &row);
    if (!good)
        return LW_EPARSE;
    row.key = load->seed ^ lw_hash64(cell[METER].s, cell[METER].n) ^
              (uint64_t)load->nrows * UINT64_C(0x9E3779B97F4A7C15);
    if (load->nrows == load->cap) {
        int32_t cap = load->cap ? 2 * load->cap : 256;
        void *more = realloc(load->row, (size_t)cap * sizeof row);
        if (!more)
            return LW_ENOMEM;
        load->row = more;
        load->cap = cap;
    }
    load->row[load->nrows++] = row;
    return 0;
}

/* ---- the tree ---- */

/* Gives every point its place, depth first: below[p] points are placed right behind p. */
static int
lay_out(struct load *load)
{
    const struct lw_ledger *l = load->ledger;
    size_t n = (size_t)l->npoints + 1;
    int32_t *below = calloc(n, sizeof *below); /* with itself */
    int32_t *next = calloc(n, sizeof *next);   /* the next free place below it */
    int32_t root = 0;

    load->place = calloc(n, sizeof *load->place);
    load->end = calloc(n, sizeof *load->end);
    load->flow = calloc(n, sizeof *load->flow);
    load->began_wh = calloc((size_t)l->nmeters + 1, sizeof *load->began_wh);
    int rc = below && next && load->place && load->end && load->flow && load->began_wh
                 ? 0
                 : LW_ENOMEM;
    if (rc == 0) {
        for (int32_t p = 0; p < l->npoints; p++) {
            load->place[p] = LW_NONE;
            for (int32_t up = p; up != LW_NONE; up = l->point[up].parent)
                below[up]++;
        }
        for (int32_t p = 0; p < l->npoints; p++) {
            /* Those above it first, from the top down. */
            while (load->place[p] == LW_NONE) {
                int32_t top = p;
                while (l->point[top].parent != LW_NONE &&
                       load->place[l->point[top].parent] == LW_NONE)
                    top = l->point[top].parent;
                int32_t parent = l->point[top].parent;
                int32_t *from = parent == LW_NONE ? &root : &next[parent];
                load->place[top] = *from;
                load->end[*from] = *from + below[top];
                next[top] = *from + 1;
                *from += below[top];
            }
        }
    }
    free(below);
    free(next);
    return rc;
}

int
load_new(const char *path, const struct lw_ledger *ledger, uint64_t seed,
         struct lw_faults *faults, struct load **ret_load)
{
    struct load *load = calloc(1, sizeof *load);
    if (!load)
        return LW_ENOMEM;
    load->ledger = ledger;
    load->seed = seed;
    load->reader = (struct table_reader){.path = path,
                                         .columns = columns,
                                         .ncolumns = COLUMNS,
                                         .row = read_row,
                                         .arg = load,
                                         .faults = faults};
    int rc = lay_out(load);
    if (rc == 0 && path)
        rc = table_read(&load->reader);
    if (rc < 0) {
        load_free(load);
        return rc;
    }
    *ret_load = load;
    return 0;
}

void
load_free(struct load *load)
{
    if (!load)
        return;
    free(load->row);
    free(load->place);
    free(load->end);
    free(load->flow);
    free(load->began_wh);
    free(load);
}

/* ---- time goes on ---- */

static bool
runs(const struct row *row, const struct shape_minute *m)
{
    int64_t t = m->minute * LW_MINUTE;
    int at = m->minute_of_day;
    if (row->from_minute < 0)
        return t >= row->from.ms && t < row->to.ms;
    if (row->from_minute < row->to_minute)
        return at >= row->from_minute && at < row->to_minute;
    return at >= row->from_minute || at < row->to_minute;
}

/* All that flows through the point at t, which is in this minute. */
static struct flow
through(const struct load *load, int32_t point, lw_wall t)
{
    struct flow sum = {0};
    int32_t first = load->place[point];
    for (int32_t i = first; i < load->end[first]; i++) {
        sum.w += load->flow[i].w;
        sum.var += load->flow[i].var;
        sum.ws += load->flow[i].ws;
    }
    sum.ws += sum.w * (t.ms - load->now.minute * LW_MINUTE) / 1000;
    return sum;
}

static void
enter_minute(struct load *load, int64_t minute)
{
    load->now = shape_minute(minute, load->ledger->zone, load->seed);
    for (int32_t p = 0; p < load->ledger->npoints; p++)
        load->flow[p].w = load->flow[p].var = 0;
    for (int32_t i = 0; i < load->nrows; i++) {
        const struct row *row = &load->row[i];
        struct flow *flow = &load->flow[load->place[row->point]];
        int64_t w, var;
        if (!runs(row, &load->now))
            continue;
        shape_power(row->shape, row->key, &load->now, row->watts, &w, &var);
        flow->w += w;
        flow->var += var;
    }
    /* A meter that is put in now does not show what flowed before. */
    for (int32_t i = 0; i < load->ledger->nmeters; i++) {
        const struct lw_meter *meter = &load->ledger->meter[i];
        if (lw_floor_to(meter->installed.ms, LW_MINUTE) == minute * LW_MINUTE)
            load->began_wh[i] = through(load, meter->point, meter->installed).ws / 3600;
    }
}

static void
advance(struct load *load, int64_t minute)
{
    if (!load->started || minute < load->now.minute) {
        if (!load->started || minute < load->start)
            load->start = minute;
        load->started = true;
        memset(load->flow, 0, (size_t)load->ledger->npoints * sizeof *load->flow);
        memset(load->began_wh, 0, (size_t)load->ledger->nmeters * sizeof *load->began_wh);
        enter_minute(load, load->start);
    }
    while (load->now.minute < minute) {
        for (int32_t p = 0; p < load->ledger->npoints; p++)
            load->flow[p].ws += 60 * load->flow[p].w;
        enter_minute(load, load->now.minute + 1);
    }
}

/* ---- what a meter shows of it ---- */

static void
put(struct lw_reading *r, enum lw_quantity q, int64_t value)
{
    const struct lw_quantity_info *info = lw_quantity_info(q);
    r->have = (uint16_t)(r->have | 1u << q);
    r->value[q] = value < info->min ? info->min : value > info->max ? info->max : value;
}

/* The register: where this meter began, what flowed since, in its steps, up to its end.
 */
static int64_t
register_wh(struct load *load, int32_t meter, int64_t flowed_wh)
{
    const struct lw_meter *m = &load->ledger->meter[meter];
    bool first = load->ledger->point[m->point].meter_first == meter;
    uint64_t key =
        load->seed ^ lw_hash64(m->id, strlen(m->id)) ^ (uint64_t)m->installed.ms;
    int64_t modulus = m->modulus_wh == LW_NOT_GIVEN ? 0 : m->modulus_wh;
    int64_t wh = (int64_t)(shape_noise(key, 0) * 4e8); /* it has run for years */

    if (!first) /* exchanged: almost new */
        wh = (int64_t)(shape_noise(key, 0) * 5000);
    else if (modulus > 0 && wh > modulus / 2)
        wh = (int64_t)(shape_noise(key, 0) * (double)(modulus / 2));
    wh += flowed_wh - load->began_wh[meter];
    if (m->resolution_wh > 0)
        wh = lw_floor_to(wh, m->resolution_wh);
    return modulus > 0 ? wh % modulus : wh;
}

/* Three phases at 220 V, or at 100/√3 V times PT, none quite like the others. */
static void
phases(const struct load *load, const struct lw_meter *m, const struct flow *flow,
       struct lw_reading *r)
{
    static const double share[3] = {1.03, 0.99, 0.98};
    uint64_t key = load->seed ^ lw_hash64(m->id, strlen(m->id));
    double nominal = m->pt_milli > 1000 ? 57.735 * (double)m->pt_milli / 1000 : 220;
    double va =
        sqrt((double)flow->w * (double)flow->w + (double)flow->var * (double)flow->var);

    for (unsigned i = 0; i < 3; i++) {
        double v = nominal * (0.985 + 0.04 * shape_smooth(key ^ i, load->now.minute, 45));
        put(r, LW_VOLTAGE_A + i, llround(v * 10));
        put(r, LW_CURRENT_A + i, llround(va / 3 * share[i] / v * 1000));
    }
    put(r, LW_POWER_FACTOR, va > 0 ? llround((double)flow->w / va * 1000) : 1000);
}

void
load_read(struct load *load, int32_t meter, lw_wall t, struct lw_reading *ret)
{
    const struct lw_meter *m = &load->ledger->meter[meter];
    struct lw_reading r = {.time = t, .received = t, .meter = (uint32_t)meter};

    int64_t minute = lw_floor_to(t.ms, LW_MINUTE) / LW_MINUTE;
    advance(load, minute);
    if (load->ledger->point[m->point].role == LW_CONTEXT) {
        put(&r, LW_TEMPERATURE, llround(load->now.temperature_c * 1000));
        put(&r, LW_RAIN, llround(load->now.rain_mm_h * 1000));
        put(&r, LW_WATER_LEVEL, llround(load->now.water_level_m * 1000));
    } else {
        struct flow flow = through(load, m->point, t);
        put(&r, LW_ACTIVE_POWER, flow.w);
        put(&r, LW_REACTIVE_POWER, flow.var);
        put(&r, LW_IMPORT, register_wh(load, meter, flow.ws / 3600));
        put(&r, LW_EXPORT, 0);
        phases(load, m, &flow, &r);
    }
    *ret = r;
}
