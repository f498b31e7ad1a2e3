/* The kinds of faults in one table, their file, and those that change a meter's values.
 */
#include "daemon/sim/faults.h"

#include <stdlib.h>
#include <string.h>

#include <lodewatch/text.h>

#include "daemon/sim/table.h"

enum level {
    OF_ANSWER,
    OF_VALUES,
    OF_GATEWAY
};

static const struct {
    const char *name;
    enum level level;
    int64_t per_unit; /* of `arg` */
    int64_t min, max; /* of `arg` as written; both 0: takes none */
    int64_t fallback; /* where it is blank; -1: it may not be */
} kinds[SIM_FAULTS] = {
    [SIM_SILENT] = {"silent", OF_ANSWER, 1, 0, 0, 0},
    [SIM_SLOW] = {"slow", OF_ANSWER, 1, 1, 600000, -1},
    [SIM_LATE] = {"late", OF_ANSWER, 1, 1, 600000, -1},
    [SIM_SPLIT] = {"split", OF_ANSWER, 1, 1, 259, 1},
    [SIM_WRONG_ID] = {"wrong_id", OF_ANSWER, 1, 0, 0, 0},
    [SIM_WRONG_UNIT] = {"wrong_unit", OF_ANSWER, 1, 0, 0, 0},
    [SIM_EXCEPTION] = {"exception", OF_ANSWER, 1, 1, 255, 4},
    [SIM_GARBAGE] = {"garbage", OF_ANSWER, 1, 0, 0, 0},
    [SIM_NOISE] = {"noise", OF_ANSWER, 1, 0, 0, 0},
    [SIM_HALF] = {"half", OF_ANSWER, 1, 0, 0, 0},
    [SIM_ROLLOVER] = {"rollover", OF_VALUES, 1000, 0, 1000000000, 1000},
    [SIM_EXCHANGE] = {"exchange", OF_VALUES, 1000, 0, 1000000000, 0},
    [SIM_STUCK] = {"stuck", OF_VALUES, 1, 0, 0, 0},
    [SIM_REVERSED_CT] = {"reversed_ct", OF_VALUES, 1, 1, 3, 1},
    [SIM_RECONNECT] = {"reconnect", OF_GATEWAY, 1, 1, 1000000, 1},
    [SIM_ONE_CONNECTION] = {"one_connection", OF_GATEWAY, 1, 0, 0, 0},
};

enum {
    GATEWAY,
    UNIT,
    FAULT,
    FROM,
    TO,
    ARG,
    COLUMNS
};
static const char *const columns[COLUMNS] = {"gateway_id", "unit", "fault",
                                             "from",       "to",   "arg"};

bool
sim_fault_of_values(enum sim_fault_kind kind)
{
    return kinds[kind].level == OF_VALUES;
}

bool
sim_fault_of_gateway(enum sim_fault_kind kind)
{
    return kinds[kind].level == OF_GATEWAY;
}

/* ---- the file ---- */

struct load {
    struct table_reader reader;
    const struct lw_ledger *ledger;
    struct sim_faults *to;
    int32_t cap;
};

static bool
read_time(const struct load *load, const struct lw_csv_cell *cell, enum lw_date_edge edge,
          lw_wall *ret)
{
    if (cell->n == 0)
        return true;
    if (lw_wall_parse(cell->s, cell->n, load->ledger->zone, edge, ret) == 0)
        return true;
    table_fault(&load->reader, cell, "expected a time such as 2025-03-12T18:31:07+08:00");
    return false;
}

static bool
read_number(const struct load *load, const struct lw_csv_cell *cell, int64_t min,
            int64_t max, int64_t per_unit, int64_t *ret)
{
    if (lw_decimal_parse(cell->s, cell->n, per_unit, ret) == 0 &&
        *ret >= min * per_unit && *ret <= max * per_unit)
        return true;
    lw_fault_add(load->reader.faults, load->reader.path, cell->line, cell->column,
                 "expected a number from %lld to %lld", (long long)min, (long long)max);
    return false;
}

static bool
read_kind(const struct load *load, const struct lw_csv_cell *cell,
          enum sim_fault_kind *ret)
{
    size_t nearest = 0, least = SIZE_MAX;
    for (size_t i = 0; i < SIM_FAULTS; i++) {
        size_t d =
            lw_text_distance(cell->s, cell->n, kinds[i].name, strlen(kinds[i].name));
        if (d < least) {
            least = d;
            nearest = i;
        }
    }
    *ret = (enum sim_fault_kind)nearest;
    if (least > 0)
        lw_fault_add(load->reader.faults, load->reader.path, cell->line, cell->column,
                     "unknown fault \"%.40s\"; the nearest known one is \"%s\"", cell->s,
                     kinds[nearest].name);
    return least == 0;
}

static int
read_row(void *arg, const struct lw_csv_cell cell[TABLE_COLUMNS])
{
    struct load *load = arg;
    struct sim_fault f = {.unit = -1, .from = LW_WALL_MIN, .to = LW_WALL_MAX};
    int64_t unit = -1;

    if (!read_kind(load, &cell[FAULT], &f.kind))
        return LW_EPARSE;
    f.gateway = lw_ledger_gateway(load->ledger, cell[GATEWAY].s);
    bool good = f.gateway != LW_NONE;
    if (!good)
        table_fault(&load->reader, &cell[GATEWAY], "this gateway is not in gateways.csv");
    if (cell[UNIT].n > 0 && sim_fault_of_gateway(f.kind)) {
        table_fault(&load->reader, &cell[UNIT],
                    "this fault is a gateway's; leave it blank");
        good = false;
    } else if (cell[UNIT].n > 0) {
        good &= read_number(load, &cell[UNIT], 0, 255, 1, &unit);
    }
    good &= read_time(load, &cell[FROM], LW_DATE_START, &f.from);
    good &= read_time(load, &cell[TO], LW_DATE_END, &f.to);
    f.arg = kinds[f.kind].fallback * kinds[f.kind].per_unit;
    if (cell[ARG].n > 0 || f.arg < 0)
        good &= read_number(load, &cell[ARG], kinds[f.kind].min, kinds[f.kind].max,
                            kinds[f.kind].per_unit, &f.arg);
    if (!good)
        return LW_EPARSE;
    f.unit = (int32_t)unit;
    if (load->to->n == load->cap) {
        int32_t cap = load->cap ? 2 * load->cap : 16;
        void *more = realloc(load->to->fault, (size_t)cap * sizeof f);
        if (!more)
            return LW_ENOMEM;
        load->to->fault = more;
        load->cap = cap;
    }
    load->to->fault[load->to->n++] = f;
    return 0;
}

int
sim_faults_load(const char *path, const struct lw_ledger *ledger,
                struct lw_faults *faults, struct sim_faults *ret)
{
    struct load load = {
        .reader = {.path = path,
                   .columns = columns,
                   .ncolumns = COLUMNS,
                   .row = read_row,
                   .faults = faults},
        .ledger = ledger,
        .to = ret,
    };
    load.reader.arg = &load;
    return table_read(&load.reader);
}

void
sim_faults_free(struct sim_faults *faults)
{
    free(faults->fault);
    *faults = (struct sim_faults){0};
}

/* ---- in force ---- */

static bool
in_force(const struct sim_fault *f, lw_wall t)
{
    return t.ms >= f->from.ms && t.ms < f->to.ms;
}

const struct sim_fault *
sim_fault_at(const struct sim_fault *list, enum sim_fault_kind kind, lw_wall t)
{
    for (; list; list = list->next)
        if (list->kind == kind && in_force(list, t))
            return list;
    return NULL;
}

/* The register goes on from `start` instead of from where it was. */
static void
restart(const struct lw_meter *meter, struct lw_reading *r, int64_t first, int64_t start)
{
    int64_t modulus = meter->modulus_wh == LW_NOT_GIVEN ? 0 : meter->modulus_wh;
    int64_t advance = r->value[LW_IMPORT] - first;
    if (advance < 0 && modulus > 0)
        advance += modulus;
    int64_t v = start + advance;
    r->value[LW_IMPORT] = modulus > 0 ? v % modulus : v;
}

/* `phases` of three balanced ones are counted backwards, in power and in energy. */
static void
reverse(struct lw_reading *r, const struct lw_reading *first, int64_t phases)
{
    static const enum lw_quantity current[] = {LW_CURRENT_A, LW_CURRENT_B, LW_CURRENT_C};
    int64_t net = 3 - 2 * phases;
    int64_t advance = (r->value[LW_IMPORT] - first->value[LW_IMPORT]) * net / 3;
    r->value[LW_ACTIVE_POWER] = r->value[LW_ACTIVE_POWER] * net / 3;
    r->value[LW_IMPORT] = first->value[LW_IMPORT] + (advance > 0 ? advance : 0);
    r->value[LW_EXPORT] = first->value[LW_EXPORT] + (advance < 0 ? -advance : 0);
    for (int64_t i = 0; i < phases; i++)
        r->value[current[i]] = -r->value[current[i]];
}

void
sim_faults_bend(struct sim_fault *list, const struct lw_meter *meter, lw_wall t,
                struct lw_reading *reading)
{
    int64_t modulus = meter->modulus_wh;
    for (struct sim_fault *f = list; f; f = f->next) {
        if (!sim_fault_of_values(f->kind) || !in_force(f, t))
            continue;
        if (!f->begun) {
            f->begun = true;
            f->first = *reading;
        }
        switch (f->kind) {
        case SIM_ROLLOVER:
            if (modulus != LW_NOT_GIVEN)
                restart(meter, reading, f->first.value[LW_IMPORT],
                        f->arg < modulus ? modulus - f->arg : 0);
            break;
        case SIM_EXCHANGE:
            restart(meter, reading, f->first.value[LW_IMPORT], f->arg);
            break;
        case SIM_STUCK:
            *reading = f->first;
            break;
        default: /* SIM_REVERSED_CT */
            reverse(reading, &f->first, f->arg);
            break;
        }
    }
}
