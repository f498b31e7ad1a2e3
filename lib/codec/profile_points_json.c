/* A profile's points: where a value stands in the map, in what form, and what it is. */
#include "profile_json.h"

#include <string.h>

#include <lodewatch/text.h>

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

void
profile_set_address(struct walk *w, const struct walk_member *m, struct walk_node v,
                    void *field)
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

void
profile_set_type(struct walk *w, const struct walk_member *m, struct walk_node v,
                 void *field)
{
    const char *s = json_string_value(v.json);
    for (enum lw_register_type t = 0; s && t < LW_REGISTER_TYPES; t++) {
        if (strcmp(s, lw_register_type_name(t)) == 0) {
            *(enum lw_register_type *)field = t;
            return;
        }
    }
    walk_fault(w, v.at,
               "\"%s\": expected u16, i16, u32, i32, u64, i64, f32, f64, f32_4q, bits16, "
               "bits32 or string",
               m->name);
}

void
profile_set_low_first(struct walk *w, const struct walk_member *m, struct walk_node v,
                      void *field)
{
    const char *s = json_string_value(v.json);
    if (!s || (strcmp(s, "high_first") != 0 && strcmp(s, "low_first") != 0))
        walk_fault(w, v.at, "\"%s\": expected \"high_first\" or \"low_first\"", m->name);
    else
        *(bool *)field = s[0] == 'l';
}

bool
profile_pair(struct walk *w, struct walk_node v, struct walk_node ret[2])
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

void
profile_check_register(struct walk *w, const struct lw_register *reg, uint32_t types,
                       const char *at)
{
    char known[96];
    struct lw_text list;

    lw_text_init(&list, known, sizeof known);
    for (enum lw_register_type t = 0; t < LW_REGISTER_TYPES; t++)
        if (types >> t & 1)
            lw_text_addf(&list, "%s%s", list.len ? ", " : "", lw_register_type_name(t));
    if (!(types >> reg->type & 1))
        walk_fault(w, at, "\"type\": expected one of: %s", known);
    if ((reg->type == LW_TYPE_STRING) != (reg->length > 0))
        walk_fault(w, at, "\"length\": a string has one, in registers, and nothing else");
    if (reg->address + lw_register_words(reg) > 0x10000)
        walk_fault(w, at, "the register reaches over address 0xFFFF");
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
    struct walk_node modulus;
    struct walk_node max_per_hour;
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
    for (size_t i = 0; i < profile_parser(w)->profile->nregs; i++)
        if (profile_parser(w)->profile->reg[i].quantity == (enum lw_quantity)q)
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
set_class(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    static const char *const names[LW_POLL_CLASSES] = {
        [LW_POLL_FAST] = "fast", [LW_POLL_SLOW] = "slow", [LW_POLL_ONCE] = "once"};
    const char *s = json_string_value(v.json);
    for (enum lw_poll_class c = 0; s && c < LW_POLL_CLASSES; c++) {
        if (strcmp(s, names[c]) == 0) {
            *(enum lw_poll_class *)field = c;
            return;
        }
    }
    walk_fault(w, v.at, "\"%s\": expected \"fast\", \"slow\" or \"once\"", m->name);
}

static void
set_scale_register(struct walk *w, const struct walk_member *m, struct walk_node v,
                   void *field)
{
    struct lw_register *reg = field;
    reg->has_scale_register = true;
    profile_set_address(w, m, v, &reg->scale_register);
}

static void
set_range(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    struct lw_register *reg = field;
    struct walk_node pair[2];
    if (!profile_pair(w, v, pair))
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
            reg->modulus *= u->factor;
            reg->max_per_hour *= u->factor;
            return;
        }
        lw_text_addf(&list, "%s%s", list.len ? ", " : "", u->name);
    }
    walk_fault(w, point->unit.at, "\"unit\": expected one of: %s", known);
}

static void
set_missing(struct walk *w, struct lw_register *reg, struct walk_node v)
{
    unsigned digits = 4u * lw_register_words(reg);
    size_t n = json_is_array(v.json) ? json_array_size(v.json) : 1;

    if (n < 1 || n > LW_PROFILE_MISSING) {
        walk_fault(w, v.at, "\"missing\": expected 1 to %d values", LW_PROFILE_MISSING);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_is_array(v.json) ? json_array_get(v.json, i) : v.json;
        if (!hex(one, &reg->missing[i]) ||
            (digits < 16 && reg->missing[i] >> (4 * digits) != 0)) {
            walk_fault(w, v.at,
                       "\"missing\": expected the register's bits in hexadecimal, \"0x\" "
                       "and at most %u digits",
                       digits);
            return;
        }
    }
    reg->nmissing = (uint8_t)n;
}

/* Only what counts has a modulus. */
static void
check_counter(struct walk *w, const struct point *point)
{
    struct walk_node v = point->modulus.json ? point->modulus : point->max_per_hour;
    const struct lw_register *reg = &point->reg;

    if (!v.json)
        return;
    if (reg->modulus < 0 || reg->max_per_hour < 0)
        walk_fault(w, v.at, "expected a number above 0");
    if (!lw_quantity_info(reg->quantity)->counter)
        walk_fault(w, v.at, "only import_kwh and export_kwh count up");
}

static void
set_node_and_number(struct walk *w, const struct walk_member *m, struct walk_node v,
                    void *field)
{
    struct point *point = field;
    bool modulus = strcmp(m->name, "modulus") == 0;
    *(modulus ? &point->modulus : &point->max_per_hour) = v;
    walk_set_number(w, m, v, modulus ? &point->reg.modulus : &point->reg.max_per_hour);
}

static void
check_point(struct walk *w, struct point *point, uint32_t types, const char *at)
{
    struct lw_register *reg = &point->reg;

    profile_check_register(w, reg, types, at);
    if (reg->has_scale_register && (types >> reg->type & 1) &&
        !(PROFILE_TYPES_WHOLE >> reg->type & 1))
        walk_fault(w, at, "\"scale_register\": only whole-number types have one");
    if (point->missing.json && reg->type == LW_TYPE_STRING)
        walk_fault(w, point->missing.at, "\"missing\": not of a string");
    else if (point->missing.json)
        set_missing(w, reg, point->missing);
}

/* A point that is polled and stored. */
static void
set_stored(struct walk *w, struct walk_node v)
{
#define REG(name)  offsetof(struct point, reg.name)
#define NODE(name) offsetof(struct point, name)
    static const struct walk_member members[] = {
        {"quantity", set_quantity, 0, 0, 0, true},
        PROFILE_REGISTER(offsetof(struct point, reg), true),
        {"unit", set_node, NODE(unit), 0, 0, true},
        {"class", set_class, REG(class), 0, 0, false},
        {"scale", walk_set_number, REG(scale), 1e-9, 1e9, false},
        {"offset", walk_set_number, REG(offset), 0, 1e9, false},
        {"scale_register", set_scale_register, NODE(reg), 0, 0, false},
        {"ct", walk_set_bool, REG(apply_ct), 0, 0, false},
        {"pt", walk_set_bool, REG(apply_pt), 0, 0, false},
        {"missing", set_node, NODE(missing), 0, 0, false},
        {"range", set_range, NODE(reg), 0, 1e15, false},
        {"modulus", set_node_and_number, 0, 1e-9, 1e15, false},
        {"max_per_hour", set_node_and_number, 0, 1e-9, 1e15, false},
    };
    struct profile_parser *p = profile_parser(w);
    struct point point = {.reg = {.function = 3, .scale = 1}};

    if (p->profile->nregs == LW_PROFILE_POINTS) {
        walk_fault(w, v.at, "more than %d points with a quantity", LW_PROFILE_POINTS);
        return;
    }
    walk_object(w, v, members, sizeof members / sizeof *members, &point);
    if (point.has_quantity) {
        uint32_t types = PROFILE_TYPES_VALUE;
        if (point.reg.quantity != LW_POWER_FACTOR)
            types &= ~(1u << LW_TYPE_F32_4Q);
        check_point(w, &point, types, v.at);
        check_counter(w, &point);
        if (point.unit.json)
            apply_unit(w, &point);
        lw_register_set_fraction(&point.reg);
    }
    p->point_at[p->profile->nregs] = v.at;
    p->profile->reg[p->profile->nregs++] = point.reg;
}

/* A point that people see when they commission the device. */
struct shown {
    struct point point;
    struct lw_shown shown;
};

static void
set_shown(struct walk *w, struct walk_node v)
{
#define SHOWN_REG(name) offsetof(struct shown, point.reg.name)
    static const struct walk_member members[] = {
        {"name", walk_set_string, offsetof(struct shown, shown.name), 1,
         sizeof((struct lw_shown *)0)->name - 1, true},
        PROFILE_REGISTER(offsetof(struct shown, point.reg), true),
        {"length", walk_set_u16, SHOWN_REG(length), 1, LW_PROFILE_STRING, false},
        {"unit", walk_set_string, offsetof(struct shown, shown.unit), 0,
         sizeof((struct lw_shown *)0)->unit - 1, false},
        {"scale", walk_set_number, SHOWN_REG(scale), 1e-9, 1e9, false},
        {"offset", walk_set_number, SHOWN_REG(offset), 0, 1e9, false},
        {"scale_register", set_scale_register, offsetof(struct shown, point.reg), 0, 0,
         false},
        {"missing", set_node, offsetof(struct shown, point.missing), 0, 0, false},
    };
    struct lw_profile *profile = profile_parser(w)->profile;
    struct shown shown = {.point = {.reg = {.function = 3, .scale = 1}}};

    if (profile->nshown == LW_PROFILE_SHOWN) {
        walk_fault(w, v.at, "more than %d points with a name", LW_PROFILE_SHOWN);
        return;
    }
    walk_object(w, v, members, sizeof members / sizeof *members, &shown);
    check_point(w, &shown.point, PROFILE_TYPES_SHOWN, v.at);
    shown.shown.reg = shown.point.reg;
    profile->shown[profile->nshown++] = shown.shown;
}

void
profile_set_points(struct walk *w, const struct walk_member *m, struct walk_node v,
                   void *field)
{
    const char *s = v.at;
    bool any = false;
    size_t i;
    json_t *json;

    (void)field;
    if (!json_is_array(v.json) || json_array_size(v.json) == 0 ||
        json_array_size(v.json) > LW_PROFILE_POINTS + LW_PROFILE_SHOWN) {
        walk_fault(w, v.at, "\"%s\": expected an array of 1 to %d points", m->name,
                   LW_PROFILE_POINTS + LW_PROFILE_SHOWN);
        return;
    }
    json_array_foreach(v.json, i, json) {
        struct walk_node node = {json, walk_next(s)};
        s = walk_after(w, node.at);
        if (json_object_get(json, "name"))
            set_shown(w, node);
        else
            set_stored(w, node);
    }
    for (i = 0; i < profile_parser(w)->profile->nregs; i++)
        any |= profile_parser(w)->profile->reg[i].class == LW_POLL_FAST;
    if (!any)
        walk_fault(w, v.at, "\"%s\": expected a point with a quantity of class fast",
                   m->name);
}
