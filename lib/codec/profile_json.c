/* A meter profile from JSON. docs/profiles.md is the description for people. */
#include <lodewatch/profile.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <lodewatch/modbus.h>
#include <lodewatch/text.h>

#include "walk_json.h"

struct profile_parser {
    struct walk walk; /* first: the setters get a pointer to it */
    struct lw_profile *profile;
    const char *point_at[LW_PROFILE_POINTS];
};

static struct profile_parser *
parser(struct walk *w)
{
    return (struct profile_parser *)w;
}

/* ---- values ---- */

/* "0x…" with 1 to 16 digits. */
static bool
hex(json_t *json, uint64_t *ret)
{
    const char *s = json_string_value(json);
    uint64_t v = 0;
    if (!s || s[0] != '0' || s[1] != 'x' || !s[2] || strlen(s) > 18)
        return false;
    for (s += 2; *s; s++) {
        const char *digits = "0123456789abcdef";
        const char *d = strchr(digits, *s >= 'A' && *s <= 'F' ? *s + ('a' - 'A') : *s);
        if (!d)
            return false;
        v = v << 4 | (uint64_t)(d - digits);
    }
    *ret = v;
    return true;
}

static void
set_address(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    uint64_t address;
    if (!hex(v.json, &address) || address > 0xFFFF)
        walk_fault(
            w, v.at,
            "\"%s\": expected a 0-based address in hexadecimal, \"0x0000\" to \"0xFFFF\"",
            m->name);
    else
        *(uint16_t *)field = (uint16_t)address;
}

static void
set_type(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    const char *s = json_string_value(v.json);
    for (enum lw_register_type t = 0; s && t < LW_REGISTER_TYPES; t++) {
        if (strcmp(s, lw_register_type_name(t)) == 0) {
            *(enum lw_register_type *)field = t;
            return;
        }
    }
    walk_fault(w, v.at, "\"%s\": expected u16, i16, u32, i32, u64, i64, f32 or f64",
               m->name);
}

static void
set_low_first(struct walk *w, const struct walk_member *m, struct walk_node v,
              void *field)
{
    const char *s = json_string_value(v.json);
    if (!s || (strcmp(s, "high_first") != 0 && strcmp(s, "low_first") != 0))
        walk_fault(w, v.at, "\"%s\": expected \"high_first\" or \"low_first\"", m->name);
    else
        *(bool *)field = s[0] == 'l';
}

/* Two numbers or two addresses, the lesser first. */
static bool
get_pair(struct walk *w, struct walk_node v, struct walk_node ret[2])
{
    if (!json_is_array(v.json) || json_array_size(v.json) != 2) {
        walk_fault(w, v.at, "expected a pair: [from, to]");
        return false;
    }
    ret[0] = (struct walk_node){json_array_get(v.json, 0), walk_next(v.at)};
    ret[1] = (struct walk_node){json_array_get(v.json, 1),
                                walk_next(walk_after(w, ret[0].at))};
    return true;
}

static void
set_forbidden(struct walk *w, const struct walk_member *m, struct walk_node v,
              void *field)
{
    struct lw_profile *profile = parser(w)->profile;
    const char *s = v.at;
    size_t i;
    json_t *json;

    (void)field;
    if (!json_is_array(v.json) || json_array_size(v.json) > LW_PROFILE_FORBIDDEN) {
        walk_fault(w, v.at, "\"%s\": expected an array of at most %d pairs", m->name,
                   LW_PROFILE_FORBIDDEN);
        return;
    }
    json_array_foreach(v.json, i, json) {
        struct walk_node range = {json, walk_next(s)}, pair[2];
        struct lw_address_range *to = &profile->forbidden[i];
        s = walk_after(w, range.at);
        if (!get_pair(w, range, pair))
            continue;
        set_address(w, m, pair[0], &to->first);
        set_address(w, m, pair[1], &to->last);
        if (to->first > to->last)
            walk_fault(w, range.at, "\"%s\": the range ends before it begins", m->name);
    }
    profile->nforbidden = (uint16_t)json_array_size(v.json);
}

/* ---- bus and probe ---- */

static void
set_bus(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
#define BUS(name) offsetof(struct lw_profile, name)
    static const struct walk_member members[] = {
        {"max_registers", walk_set_u16, BUS(max_registers), 1, 125, false},
        {"max_gap", walk_set_u16, BUS(max_gap), 0, 124, false},
        {"min_gap_ms", walk_set_i32, BUS(min_gap_ms), 0, 60000, false},
        {"connect_pause_ms", walk_set_i32, BUS(connect_pause_ms), 0, 60000, false},
        {"timeout_ms", walk_set_i32, BUS(timeout_ms), 0, 60000, false},
        {"forbidden", set_forbidden, 0, 0, 0, false},
    };
    (void)m;
    walk_object(w, v, members, sizeof members / sizeof *members, field);
}

static void
set_probe(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
#define PROBE(name) offsetof(struct lw_probe, name)
    static const struct walk_member members[] = {
        {"function", walk_set_u8, PROBE(function), 3, 4, true},
        {"address", set_address, PROBE(address), 0, 0, true},
        {"type", set_type, PROBE(type), 0, 0, true},
        {"min", walk_set_number, PROBE(min), 0, 1e18, true},
        {"max", walk_set_number, PROBE(max), 0, 1e18, true},
    };
    struct lw_probe *probe = field;
    (void)m;
    probe->present = true;
    walk_object(w, v, members, sizeof members / sizeof *members, probe);
    if (probe->min > probe->max)
        walk_fault(w, v.at, "\"min\" is greater than \"max\"");
    if (probe->address + lw_register_words(probe->type) > 0x10000)
        walk_fault(w, v.at, "the register reaches over address 0xFFFF");
}

/* ---- points ---- */

/* The units that a map may be written in, and what one of them is in the CSV's unit. */
static const struct unit {
    enum lw_quantity first, last;
    const char *name;
    double factor;
} units[] = {
    {LW_ACTIVE_POWER, LW_ACTIVE_POWER, "W", 1e-3},
    {LW_ACTIVE_POWER, LW_ACTIVE_POWER, "kW", 1},
    {LW_ACTIVE_POWER, LW_ACTIVE_POWER, "MW", 1e3},
    {LW_REACTIVE_POWER, LW_REACTIVE_POWER, "var", 1e-3},
    {LW_REACTIVE_POWER, LW_REACTIVE_POWER, "kvar", 1},
    {LW_REACTIVE_POWER, LW_REACTIVE_POWER, "Mvar", 1e3},
    {LW_IMPORT, LW_EXPORT, "Wh", 1e-3},
    {LW_IMPORT, LW_EXPORT, "kWh", 1},
    {LW_IMPORT, LW_EXPORT, "MWh", 1e3},
    {LW_VOLTAGE_A, LW_VOLTAGE_C, "mV", 1e-3},
    {LW_VOLTAGE_A, LW_VOLTAGE_C, "V", 1},
    {LW_VOLTAGE_A, LW_VOLTAGE_C, "kV", 1e3},
    {LW_CURRENT_A, LW_CURRENT_C, "mA", 1e-3},
    {LW_CURRENT_A, LW_CURRENT_C, "A", 1},
    {LW_CURRENT_A, LW_CURRENT_C, "kA", 1e3},
    {LW_POWER_FACTOR, LW_POWER_FACTOR, "1", 1},
    {LW_POWER_FACTOR, LW_POWER_FACTOR, "%", 1e-2},
    {LW_TEMPERATURE, LW_TEMPERATURE, "degC", 1},
    {LW_RAIN, LW_RAIN, "mm/h", 1},
    {LW_WATER_LEVEL, LW_WATER_LEVEL, "mm", 1e-3},
    {LW_WATER_LEVEL, LW_WATER_LEVEL, "cm", 1e-2},
    {LW_WATER_LEVEL, LW_WATER_LEVEL, "m", 1},
};

/* A point while its members come in any order. */
struct point {
    struct lw_register reg;
    bool has_quantity;
    struct walk_node unit;
    struct walk_node missing;
};

static void
set_quantity(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    struct point *point = field;
    const char *s = json_string_value(v.json);
    int q = s ? lw_quantity_find(s, strlen(s)) : -1;
    if (q < 0) {
        walk_fault(w, v.at,
                   "\"%s\": expected a quantity, written as in a readings CSV "
                   "(\"active_power_kw\", \"import_kwh\" …)",
                   m->name);
        return;
    }
    for (size_t i = 0; i < parser(w)->profile->nregs; i++)
        if (parser(w)->profile->reg[i].quantity == (enum lw_quantity)q)
            walk_fault(w, v.at, "\"%s\": a point before this one already gives %s",
                       m->name, s);
    point->reg.quantity = (enum lw_quantity)q;
    point->has_quantity = true;
}

static void
set_node(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    (void)w;
    (void)m;
    *(struct walk_node *)field = v;
}

static void
set_scale_register(struct walk *w, const struct walk_member *m, struct walk_node v,
                   void *field)
{
    struct lw_register *reg = field;
    reg->has_scale_register = true;
    set_address(w, m, v, &reg->scale_register);
}

static void
set_range(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    struct lw_register *reg = field;
    struct walk_node pair[2];
    if (!get_pair(w, v, pair))
        return;
    reg->has_range = true;
    walk_set_number(w, m, pair[0], &reg->min);
    walk_set_number(w, m, pair[1], &reg->max);
    if (reg->min > reg->max)
        walk_fault(w, v.at, "\"%s\": the range ends before it begins", m->name);
}

/* Brings what is written in the point's unit to the quantity's CSV unit. */
static void
apply_unit(struct walk *w, struct point *point)
{
    const char *name = json_string_value(point->unit.json);
    struct lw_register *reg = &point->reg;
    char known[64];
    struct lw_text list;

    lw_text_init(&list, known, sizeof known);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const struct unit *u = &units[i];
        if (reg->quantity < u->first || reg->quantity > u->last)
            continue;
        if (name && strcmp(name, u->name) == 0) {
            reg->scale *= u->factor;
            reg->offset *= u->factor;
            reg->min *= u->factor;
            reg->max *= u->factor;
            return;
        }
        lw_text_addf(&list, "%s%s", list.len ? ", " : "", u->name);
    }
    walk_fault(w, point->unit.at, "\"unit\": expected one of: %s", known);
}

static void
check_point(struct walk *w, struct point *point, const char *at)
{
    struct lw_register *reg = &point->reg;
    unsigned bits = 16u * lw_register_words(reg->type);

    if (point->unit.json && point->has_quantity) {
        apply_unit(w, point);
        lw_register_set_fraction(reg);
    }
    if (reg->address + lw_register_words(reg->type) > 0x10000)
        walk_fault(w, at, "the register reaches over address 0xFFFF");
    if (reg->has_scale_register && (reg->type == LW_TYPE_F32 || reg->type == LW_TYPE_F64))
        walk_fault(w, at, "\"scale_register\": only whole-number types have one");
    if (point->missing.json) {
        reg->has_missing = hex(point->missing.json, &reg->missing) &&
                           (bits == 64 || reg->missing >> bits == 0);
        if (!reg->has_missing)
            walk_fault(
                w, point->missing.at,
                "\"missing\": expected the register's bits in hexadecimal, \"0x\" and at most "
                "%u digits",
                bits / 4);
    }
}

static void
set_points(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
#define REG(name) offsetof(struct point, reg.name)
    static const struct walk_member members[] = {
        {"quantity", set_quantity, 0, 0, 0, true},
        {"function", walk_set_u8, REG(function), 3, 4, true},
        {"address", set_address, REG(address), 0, 0, true},
        {"type", set_type, REG(type), 0, 0, true},
        {"unit", set_node, offsetof(struct point, unit), 0, 0, true},
        {"word_order", set_low_first, REG(low_word_first), 0, 0, false},
        {"byte_order", set_low_first, REG(low_byte_first), 0, 0, false},
        {"scale", walk_set_number, REG(scale), 1e-9, 1e9, false},
        {"offset", walk_set_number, REG(offset), 0, 1e9, false},
        {"scale_register", set_scale_register, offsetof(struct point, reg), 0, 0, false},
        {"ct", walk_set_bool, REG(apply_ct), 0, 0, false},
        {"pt", walk_set_bool, REG(apply_pt), 0, 0, false},
        {"missing", set_node, offsetof(struct point, missing), 0, 0, false},
        {"range", set_range, offsetof(struct point, reg), 0, 1e15, false},
    };
    const char *s = v.at;
    size_t i;
    json_t *json;

    (void)field;
    if (!json_is_array(v.json) || json_array_size(v.json) == 0 ||
        json_array_size(v.json) > LW_PROFILE_POINTS) {
        walk_fault(w, v.at, "\"%s\": expected an array of 1 to %d points", m->name,
                   LW_PROFILE_POINTS);
        return;
    }
    json_array_foreach(v.json, i, json) {
        struct walk_node node = {json, walk_next(s)};
        struct point point = {.reg = {.function = 3, .scale = 1}};
        s = walk_after(w, node.at);
        walk_object(w, node, members, sizeof members / sizeof *members, &point);
        check_point(w, &point, node.at);
        parser(w)->point_at[parser(w)->profile->nregs] = node.at;
        parser(w)->profile->reg[parser(w)->profile->nregs++] = point.reg;
    }
}

/* What can only be seen when bus and points are both there: each point, with its scale
 * register, has to fit into one read that the device allows. */
static void
check_reads(struct profile_parser *p)
{
    struct lw_profile *profile = p->profile;
    struct lw_read_block blocks[LW_READ_BLOCKS];
    size_t n = lw_profile_blocks(profile, UINT64_MAX, blocks);

    for (size_t i = 0; i < n; i++) {
        uint32_t last = blocks[i].address + blocks[i].count - 1u;
        const char *at = p->point_at[0];
        for (size_t r = 0; r < profile->nregs; r++)
            if (blocks[i].regs >> r & 1)
                at = p->point_at[r];
        if (blocks[i].count > profile->max_registers)
            walk_fault(&p->walk, at,
                       "takes %u registers in one read, and \"max_registers\" is %u",
                       blocks[i].count, profile->max_registers);
        for (size_t f = 0; f < profile->nforbidden; f++)
            if (blocks[i].address <= profile->forbidden[f].last &&
                profile->forbidden[f].first <= last)
                walk_fault(&p->walk, at, "lies in the forbidden range 0x%04X to 0x%04X",
                           profile->forbidden[f].first, profile->forbidden[f].last);
    }
}

/* "etc/profiles/generic.json" is the profile `generic`. */
static void
set_id(struct profile_parser *p)
{
    const char *base = strrchr(p->walk.file, '/');
    base = base ? base + 1 : p->walk.file;
    size_t n = strlen(base);
    if (n > 5 && strcmp(base + n - 5, ".json") == 0)
        n -= 5;
    bool good = n > 0 && n < LW_PROFILE_ID;
    for (size_t i = 0; i < n && good; i++)
        good = (base[i] >= 'a' && base[i] <= 'z') || (base[i] >= '0' && base[i] <= '9') ||
               base[i] == '-' || base[i] == '_';
    if (!good)
        lw_fault_add(
            p->walk.faults, p->walk.file, 0, 0,
            "a profile's file name is its id: expected a-z, 0-9, - and _, at most "
            "%d, then .json",
            LW_PROFILE_ID - 1);
    else
        memcpy(p->profile->id, base, n);
}

/* jansson's position is the end of what it did not like; its text quotes that. */
static const char *
syntax_at(const struct walk *w, const json_error_t *error)
{
    size_t end = (size_t)error->position < w->n ? (size_t)error->position : w->n;
    const char *quoted = strstr(error->text, "near '");
    if (quoted) {
        size_t n = strlen(quoted += 6) - 1;
        if (n <= end && memcmp(w->text + end - n, quoted, n) == 0)
            end -= n;
    }
    return w->text + end;
}

int
lw_profile_new(const char *file, const char *json, size_t n, struct lw_faults *faults,
               struct lw_profile **ret_profile)
{
#define TOP(name) offsetof(struct lw_profile, name)
    static const struct walk_member members[] = {
        {"vendor", walk_set_string, TOP(vendor), 0,
         sizeof((struct lw_profile *)0)->vendor - 1, true},
        {"model", walk_set_string, TOP(model), 0,
         sizeof((struct lw_profile *)0)->model - 1, true},
        {"source", walk_set_string, TOP(source), 0,
         sizeof((struct lw_profile *)0)->source - 1, true},
        {"unverified", walk_set_bool, TOP(unverified), 0, 0, false},
        {"bus", set_bus, 0, 0, 0, false},
        {"probe", set_probe, TOP(probe), 0, 0, false},
        {"points", set_points, 0, 0, 0, true},
    };
    struct profile_parser p = {
        .walk = {.file = file, .text = json, .n = n, .faults = faults}};
    uint32_t before = faults->n;
    json_error_t error;
    json_t *root = NULL;
    int rc = LW_EPARSE;

    if (n > LW_PROFILE_BYTES) {
        lw_fault_add(faults, file, 0, 0, "larger than %d bytes", LW_PROFILE_BYTES);
        return LW_EPARSE;
    }
    p.profile = calloc(1, sizeof *p.profile);
    if (!p.profile)
        return LW_ENOMEM;
    p.profile->max_registers = LW_MB_REGISTERS_MAX;

    /* jansson takes a NUL behind a number for white space; the walk does not. */
    const char *nul = memchr(json, 0, n);
    if (nul) {
        walk_fault(&p.walk, nul, "a NUL byte is no JSON");
        goto out;
    }
    root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        /* Where memory is exhausted, jansson mostly says nothing at all. */
        if (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory)
            rc = LW_ENOMEM;
        else
            walk_fault(&p.walk, syntax_at(&p.walk, &error), "%s", error.text);
        goto out;
    }
    set_id(&p);
    walk_object(&p.walk, (struct walk_node){root, walk_start(json)}, members,
                sizeof members / sizeof *members, p.profile);
    if (faults->n == before)
        check_reads(&p);
    if (faults->n != before)
        goto out;
    *ret_profile = p.profile;
    p.profile = NULL;
    rc = 0;
out:
    json_decref(root);
    lw_profile_free(p.profile);
    return rc;
}

void
lw_profile_free(struct lw_profile *profile)
{
    free(profile);
}
