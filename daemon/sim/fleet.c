/* Units and their registers. A unit's registers are encoded once for each change of its
 * values and kept as the blocks of its profile, so that an answer is a copy. */
#include "daemon/sim/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/hash.h>
#include <lodewatch/profile.h>

#include "daemon/poll/plan.h"
#include "daemon/poll/poller.h"
#include "daemon/sim/load.h"
#include "daemon/sim/rows.h"

/* A profile laid into blocks; block i's registers begin at at[i] of a unit's image. */
struct map {
    const struct plan *plan;
    size_t at[LW_READ_BLOCKS + 2];
    size_t bytes;
    bool probe; /* its probe register is none of its points: it always has this value */
    uint8_t probe_data[8];
};

/* A SunSpec device: "SunS", the common model with the serial number, the meter's. */
enum {
    SUNSPEC_AT = 40000,
    COMMON_LENGTH = 66,
    MODEL_AT = SUNSPEC_AT + 2 + 2 + COMMON_LENGTH,
    MODEL_LENGTH = 105,
    SUNSPEC_END = MODEL_AT + 2 + MODEL_LENGTH + 2,
};

struct fleet {
    struct fleet_options of;
    struct plans plans;
    struct map *map;
    size_t nmaps;
    int32_t *map_of; /* meter -> map */
    int32_t *next;   /* meter -> the next row of the same unit */
    struct line *line;
    size_t nlines;
    int32_t served, others;
};

/* ---- making it ---- */

static bool
probe_is_apart(const struct lw_profile *profile)
{
    const struct lw_register *probe = &profile->probe.reg;
    bool apart = profile->probe.present && profile->sunspec == 0;
    for (size_t i = 0; i < profile->nregs; i++) {
        const struct lw_register *reg = &profile->reg[i];
        if (reg->function == probe->function &&
            reg->address < probe->address + lw_register_words(probe) &&
            probe->address < reg->address + lw_register_words(reg))
            apart = false;
    }
    return apart;
}

static int
add_map(struct fleet *fleet, const struct lw_profile *profile, int32_t *ret_map)
{
    static const struct lw_read_limits whole = {.max_gap = LW_MB_REGISTERS_MAX};
    size_t i = 0;
    while (i < fleet->nmaps && fleet->map[i].plan->profile != profile)
        i++;
    if (i == fleet->nmaps) {
        int plan = plans_get(&fleet->plans, profile, &whole);
        if (plan < 0)
            return plan;
        struct map *more = realloc(fleet->map, (i + 1) * sizeof *more);
        if (!more)
            return LW_ENOMEM;
        fleet->map = more;
        fleet->nmaps++;
        struct map *map = &more[i];
        *map = (struct map){.plan = fleet->plans.plan[plan]};
        for (int b = 0; b < map->plan->nblocks; b++) {
            map->at[b] = map->bytes;
            map->bytes += 2u * map->plan->block[b].read.count;
        }
        map->probe = probe_is_apart(profile);
        if (map->probe)
            lw_profile_put_probe(profile, map->probe_data);
    }
    *ret_map = (int32_t)i;
    return 0;
}

static bool
dials_in(const struct lw_gateway *gateway)
{
    return gateway->transport == LW_DIAL_IN_TCP || gateway->transport == LW_DIAL_IN_RTU;
}

/* Lines stand by address: the ledger has gateways by id, and two may share an endpoint.
 */
static int
by_address(const void *a, const void *b)
{
    const struct lw_gateway *x = ((const struct line *)a)->gateway;
    const struct lw_gateway *y = ((const struct line *)b)->gateway;
    int order = strcmp(x->address, y->address);
    if (order == 0)
        order = dials_in(x) - dials_in(y);
    return order != 0 || !dials_in(x) ? order : strcmp(x->registration, y->registration);
}

static struct line *
find_line(const struct fleet *fleet, int32_t gateway)
{
    struct line key = {.gateway = &fleet->of.ledger->gateway[gateway]};
    return bsearch(&key, fleet->line, fleet->nlines, sizeof key, by_address);
}

static int
add_lines(struct fleet *fleet)
{
    const struct lw_ledger *l = fleet->of.ledger;
    size_t n = 0, kept = 0;

    fleet->line = calloc((size_t)l->ngateways + 1, sizeof *fleet->line);
    if (!fleet->line)
        return LW_ENOMEM;
    for (int32_t g = 0; g < l->ngateways; g++)
        if (l->gateway[g].transport != LW_TLS)
            fleet->line[n++].gateway = &l->gateway[g];
    qsort(fleet->line, n, sizeof *fleet->line, by_address);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || by_address(&fleet->line[kept - 1], &fleet->line[i]) != 0)
            fleet->line[kept++] = fleet->line[i];
    fleet->nlines = kept;
    return 0;
}

static int
add_meter(struct fleet *fleet, int32_t m, struct lw_faults *faults)
{
    const struct lw_meter *meter = &fleet->of.ledger->meter[m];
    struct line *line = NULL;

    if (meter->gateway != LW_NONE)
        line = find_line(fleet, meter->gateway);
    if (!line) {
        fleet->others++;
        return 0;
    }
    const struct lw_profile *profile = profiles_find(fleet->of.profiles, meter->profile);
    if (!profile) {
        lw_fault_add(
            faults, "meters.csv", 0, 0,
            "meter %s: there is no profile \"%s\" (a file of --profiles without .json)",
            meter->id, meter->profile);
        return LW_EPARSE;
    }
    int rc = add_map(fleet, profile, &fleet->map_of[m]);
    if (rc < 0)
        return rc;
    struct unit **unit = &line->unit[meter->unit];
    if (!*unit) {
        *unit = calloc(1, sizeof **unit);
        if (!*unit)
            return LW_ENOMEM;
        (*unit)->meter_first = LW_NONE;
    }
    fleet->next[m] = (*unit)->meter_first;
    (*unit)->meter_first = m;
    fleet->served++;
    return 0;
}

static int
add_fault(struct sim_fault **list, const struct sim_fault *fault)
{
    struct sim_fault *copy = malloc(sizeof *copy);
    if (!copy)
        return LW_ENOMEM;
    *copy = *fault;
    copy->next = *list;
    *list = copy;
    return 0;
}

static bool
concerns(const struct fleet *fleet, const struct sim_fault *fault,
         const struct unit *unit)
{
    for (int32_t m = unit->meter_first; m != LW_NONE; m = fleet->next[m])
        if (fleet->of.ledger->meter[m].gateway == fault->gateway)
            return true;
    return false;
}

static int
add_faults(struct fleet *fleet)
{
    int rc = 0;
    for (int32_t i = fleet->of.faults->n; i-- > 0 && rc == 0;) {
        const struct sim_fault *f = &fleet->of.faults->fault[i];
        struct line *line = find_line(fleet, f->gateway);
        if (!line)
            continue;
        if (sim_fault_of_gateway(f->kind))
            rc = add_fault(&line->faults, f);
        else
            for (int u = 0; u < 256 && rc == 0; u++)
                if (line->unit[u] && (f->unit < 0 || f->unit == u) &&
                    concerns(fleet, f, line->unit[u]))
                    rc = add_fault(&line->unit[u]->faults, f);
    }
    return rc;
}

int
fleet_new(const struct fleet_options *options, struct lw_faults *faults,
          struct fleet **ret_fleet)
{
    size_t n = (size_t)options->ledger->nmeters + 1;
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet)
        return LW_ENOMEM;
    fleet->of = *options;
    fleet->map_of = calloc(n, sizeof *fleet->map_of);
    fleet->next = calloc(n, sizeof *fleet->next);
    int rc = fleet->map_of && fleet->next ? add_lines(fleet) : LW_ENOMEM;
    for (int32_t m = 0; m < options->ledger->nmeters && rc != LW_ENOMEM; m++) {
        int one = add_meter(fleet, m, faults);
        rc = one < 0 ? one : rc;
    }
    if (rc == 0)
        rc = add_faults(fleet);
    if (rc < 0) {
        fleet_free(fleet);
        return rc;
    }
    *ret_fleet = fleet;
    return 0;
}

static void
free_faults(struct sim_fault *list)
{
    while (list) {
        struct sim_fault *next = list->next;
        free(list);
        list = next;
    }
}

void
fleet_free(struct fleet *fleet)
{
    if (!fleet)
        return;
    for (size_t i = 0; i < fleet->nlines; i++) {
        free_faults(fleet->line[i].faults);
        for (int u = 0; u < 256; u++) {
            struct unit *unit = fleet->line[i].unit[u];
            if (!unit)
                continue;
            free_faults(unit->faults);
            free(unit->image);
            free(unit);
        }
    }
    plans_clear(&fleet->plans);
    free(fleet->line);
    free(fleet->map);
    free(fleet->map_of);
    free(fleet->next);
    free(fleet);
}

size_t
fleet_lines(const struct fleet *fleet, struct line **ret_lines)
{
    *ret_lines = fleet->line;
    return fleet->nlines;
}

int32_t
fleet_served(const struct fleet *fleet, int32_t *ret_others)
{
    *ret_others = fleet->others;
    return fleet->served;
}

/* ---- answering ---- */

static int32_t
meter_in_place(const struct fleet *fleet, const struct unit *unit, lw_wall t)
{
    for (int32_t m = unit->meter_first; m != LW_NONE; m = fleet->next[m]) {
        const struct lw_meter *meter = &fleet->of.ledger->meter[m];
        if (t.ms >= meter->installed.ms && t.ms < meter->removed.ms)
            return m;
    }
    return LW_NONE;
}

static bool
has_value_faults(const struct unit *unit)
{
    for (const struct sim_fault *f = unit->faults; f; f = f->next)
        if (sim_fault_of_values(f->kind))
            return true;
    return false;
}

/* A number of its own for each row of meters.csv, and after each exchange beside it. */
static void
put_serial(const struct lw_profile *profile, const struct lw_meter *meter,
           const struct sim_fault *exchange, uint8_t *data)
{
    uint64_t most = profile->serial.reg.type == LW_TYPE_U16 ? 65000 : 99999999;
    uint64_t hash = lw_hash64(meter->id, strlen(meter->id));
    char text[LW_SERIAL];

    hash ^= (uint64_t)(meter->installed.ms / LW_SECOND);
    if (exchange)
        hash ^= (uint64_t)(exchange->from.ms / LW_SECOND);
    snprintf(text, sizeof text, "%llu", (unsigned long long)(1 + hash % most));
    lw_profile_put_serial(profile, text, data);
}

static void
put_block(const struct fleet *fleet, const struct unit *unit, const struct map *map,
          int b, const struct lw_meter *meter, const struct lw_reading *reading,
          lw_wall t, uint8_t *data)
{
    const struct plan_block *block = &map->plan->block[b];
    const struct lw_profile *profile = map->plan->profile;

    switch (block->kind) {
    case PLAN_SERIAL:
        put_serial(profile, meter, sim_fault_at(unit->faults, SIM_EXCHANGE, t), data);
        break;
    case PLAN_CLOCK:
        lw_profile_put_clock(profile, fleet->of.ledger->zone, t, data);
        break;
    case PLAN_SLOW:
    case PLAN_FAST:
    case PLAN_ONCE:
        lw_profile_encode(profile, &block->read, reading, meter->ct_milli,
                          meter->pt_milli, data);
    }
}

/* Brings the unit's image to time t. Loads are reckoned anew each second. */
static int
refresh(struct fleet *fleet, struct unit *unit, int32_t m, lw_wall t)
{
    const struct lw_meter *meter = &fleet->of.ledger->meter[m];
    const struct map *map = &fleet->map[fleet->map_of[m]];
    const struct lw_reading *row = NULL;
    bool bent = has_value_faults(unit) || map->plan->profile->clock.present;
    lw_wall second = {lw_floor_to(t.ms, LW_SECOND)};
    int64_t stamp = second.ms + 1; /* never 0, as rows' never is */
    struct lw_reading reading;

    if (fleet->of.rows) {
        row = rows_reading(fleet->of.rows, m);
        if (!row)
            return FLEET_SILENT;
        stamp = rows_stamp(fleet->of.rows, m);
    }
    if (!bent && stamp == unit->cached_stamp && m == unit->cached_meter)
        return 0;
    if (row)
        reading = *row;
    else
        load_read(fleet->of.load, m, second, &reading);
    if (bent)
        sim_faults_bend(unit->faults, meter, t, &reading);

    uint8_t *image = realloc(unit->image, map->bytes);
    if (!image)
        return LW_MB_DEVICE_FAILURE;
    unit->image = image;
    for (int b = 0; b < map->plan->nblocks; b++)
        put_block(fleet, unit, map, b, meter, &reading, t, image + map->at[b]);
    unit->cached_meter = m;
    unit->cached_stamp = stamp;
    return 0;
}

/* The registers from `block` on into those that were asked for, where they overlap. */
static void
overlap(const struct lw_mb_request *req, uint8_t *data, uint32_t block, uint32_t count,
        const uint8_t *image)
{
    uint32_t from = req->address > block ? req->address : block;
    uint32_t end = (uint32_t)req->address + req->count;
    uint32_t to = end < block + count ? end : block + count;
    if (from < to)
        memcpy(data + 2 * (from - req->address), image + 2 * (from - block),
               2 * (to - from));
}

/* What stands around a SunSpec device's models. */
static void
copy_sunspec(uint16_t model, const struct lw_mb_request *req, uint8_t *data)
{
    const uint8_t meter[] = {(uint8_t)(model >> 8), (uint8_t)model, 0, MODEL_LENGTH};
    static const uint8_t start[] = {'S', 'u', 'n', 'S', 0, 1, 0, COMMON_LENGTH};
    static const uint8_t end[] = {0xFF, 0xFF, 0, 0};

    overlap(req, data, SUNSPEC_AT, 4, start);
    overlap(req, data, MODEL_AT, 2, meter);
    overlap(req, data, SUNSPEC_END - 2, 2, end);
}

static uint32_t
block_at(const struct map *map, const struct plan_block *block)
{
    uint32_t at = block->read.address;
    if (map->plan->profile->sunspec != 0)
        at += block->kind == PLAN_SERIAL ? SUNSPEC_AT : MODEL_AT;
    return at;
}

/* Between its first and its last register a meter has registers that nobody asked for:
 * they read 0, but for those that it forbids. Outside it has none. */
static int
copy_registers(const struct map *map, const uint8_t *image,
               const struct lw_mb_request *req, uint8_t *data)
{
    const struct lw_profile *profile = map->plan->profile;
    uint32_t first = req->address, end = first + req->count;
    uint32_t low = UINT32_MAX, high = 0;

    if (req->function != LW_MB_READ_HOLDING_REGISTERS &&
        req->function != LW_MB_READ_INPUT_REGISTERS)
        return LW_MB_ILLEGAL_ADDRESS; /* it has no bits */
    for (size_t i = 0; i < profile->nforbidden; i++)
        if (first <= profile->forbidden[i].last && profile->forbidden[i].first < end)
            return LW_MB_ILLEGAL_ADDRESS;
    memset(data, 0, 2u * req->count);
    for (int b = 0; b < map->plan->nblocks; b++) {
        const struct plan_block *block = &map->plan->block[b];
        uint32_t at = block_at(map, block);
        if (block->read.function != req->function)
            continue;
        low = at < low ? at : low;
        high = at + block->read.count > high ? at + block->read.count : high;
        overlap(req, data, at, block->read.count, image + map->at[b]);
    }
    if (map->probe && profile->probe.reg.function == req->function) {
        const struct lw_register *probe = &profile->probe.reg;
        uint16_t words = lw_register_words(probe);
        low = probe->address < low ? probe->address : low;
        high = probe->address + words > high ? (uint32_t)probe->address + words : high;
        overlap(req, data, probe->address, words, map->probe_data);
    }
    if (profile->sunspec != 0) {
        copy_sunspec(profile->sunspec, req, data);
        low = SUNSPEC_AT;
        high = SUNSPEC_END;
    }
    return first >= low && end <= high ? 0 : LW_MB_ILLEGAL_ADDRESS;
}

int
fleet_answer(struct fleet *fleet, struct unit *unit, lw_wall t,
             const struct lw_mb_request *req, uint8_t *data)
{
    int32_t m = unit ? meter_in_place(fleet, unit, t) : LW_NONE;
    int rc = m == LW_NONE ? FLEET_SILENT : refresh(fleet, unit, m, t);
    if (rc == FLEET_SILENT && fleet->of.missing_is_exception)
        return LW_MB_NO_ANSWER;
    if (rc != 0)
        return rc;
    return copy_registers(&fleet->map[fleet->map_of[m]], unit->image, req, data);
}
