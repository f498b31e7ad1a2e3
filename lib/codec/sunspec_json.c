/* SunSpec's own model files (github.com/sunspec/models, json/model_203.json) as profiles:
 * the meters with whole numbers and scale factors, models 201 to 204.
 *
 * A file is {"id": 203, "group": {"label": …, "points": [{"name", "type", "size", "sf",
 * …}]}}; a point's address is the sum of the sizes before it, from the model's id on. */
#include "profile_json.h"

#include <string.h>

#include <lodewatch/text.h>

enum {
    MODEL_FIRST = 201,
    MODEL_LAST = 204,
    SERIAL_AT = 52, /* from the map's beginning: "SunS", then model 1 with it */
    SERIAL_LENGTH = 16,
    READ_MOST = 125,
    SIZE_MOST = 64,
};

/* SunSpec's types, with what each writes where a point is not implemented. */
static const struct {
    const char *name;
    enum lw_register_type type;
    uint64_t missing;
} types[] = {
    {"int16", LW_TYPE_I16, 0x8000},
    {"uint16", LW_TYPE_U16, 0xFFFF},
    {"int32", LW_TYPE_I32, 0x80000000},
    {"uint32", LW_TYPE_U32, 0xFFFFFFFF},
    {"acc32", LW_TYPE_U32, 0},
    {"acc64", LW_TYPE_U64, 0},
    {"bitfield32", LW_TYPE_BITS32, 0xFFFFFFFF},
};

/* Its points that we store; `scale` brings SunSpec's unit (W, Wh, %) to ours. */
static const struct {
    const char *name;
    enum lw_quantity quantity;
    double scale;
} stored[] = {
    {"AphA", LW_CURRENT_A, 1},     {"AphB", LW_CURRENT_B, 1},
    {"AphC", LW_CURRENT_C, 1},     {"PhVphA", LW_VOLTAGE_A, 1},
    {"PhVphB", LW_VOLTAGE_B, 1},   {"PhVphC", LW_VOLTAGE_C, 1},
    {"W", LW_ACTIVE_POWER, 1e-3},  {"VAR", LW_REACTIVE_POWER, 1e-3},
    {"PF", LW_POWER_FACTOR, 1e-2}, {"TotWhImp", LW_IMPORT, 1e-3},
    {"TotWhExp", LW_EXPORT, 1e-3},
};

static const char *const shown[] = {"Hz", "Evt"};

bool
profile_is_sunspec(const json_t *root)
{
    return json_object_get(root, "group") != NULL;
}

void
profile_set_sunspec(struct lw_profile *profile, uint16_t model)
{
    profile->sunspec = model;
    profile->serial = (struct lw_serial){
        .present = true,
        .reg = {.function = 3,
                .address = SERIAL_AT,
                .type = LW_TYPE_STRING,
                .length = SERIAL_LENGTH},
    };
}

/* ---- the model's points ---- */

struct model_point {
    const char *name, *type, *sf, *units;
    struct walk_node node;
    uint16_t address;
};

/* Reads one point of the list, which begins at `address`; returns where the next one
 * does, or 0 after a fault. */
static uint16_t
take_point(struct walk *w, struct walk_node v, uint16_t address, struct model_point *ret)
{
    const json_t *size = json_object_get(v.json, "size");
    const json_t *type = json_object_get(v.json, "type");
    const json_t *sf = json_object_get(v.json, "sf");

    if (!json_is_integer(size) || json_integer_value(size) < 1 ||
        json_integer_value(size) > SIZE_MOST || !json_is_string(type) ||
        !json_is_string(json_object_get(v.json, "name")) || (sf && !json_is_string(sf))) {
        walk_fault(
            w, v.at,
            "expected a point of SunSpec's: \"name\", \"type\", \"size\" from 1 to %d, "
            "and where it has an \"sf\", a point's name",
            SIZE_MOST);
        return 0;
    }
    *ret = (struct model_point){
        .name = json_string_value(json_object_get(v.json, "name")),
        .type = json_string_value(type),
        .sf = json_string_value(sf),
        .units = json_string_value(json_object_get(v.json, "units")),
        .node = v,
        .address = address,
    };
    return (uint16_t)(address + json_integer_value(size));
}

/* The address of the scale factor of that name; false where the model has none. */
static bool
find_scale(const json_t *points, const char *name, uint16_t *ret_address)
{
    json_int_t address = 0;
    size_t i;
    json_t *point;

    json_array_foreach(points, i, point) {
        const char *s = json_string_value(json_object_get(point, "name"));
        json_int_t size = json_integer_value(json_object_get(point, "size"));
        if (s && strcmp(s, name) == 0) {
            *ret_address = (uint16_t)address;
            return true;
        }
        if (size < 1 || size > SIZE_MOST || (address += size) > UINT16_MAX)
            return false;
    }
    return false;
}

static bool
make_register(struct walk *w, const json_t *points, const struct model_point *p,
              struct lw_register *reg)
{
    size_t t = 0;
    while (t < sizeof types / sizeof *types && strcmp(types[t].name, p->type) != 0)
        t++;
    if (t == sizeof types / sizeof *types) {
        walk_fault(w, p->node.at, "\"%.20s\": a type that meters have was expected",
                   p->type);
        return false;
    }
    *reg = (struct lw_register){
        .function = 3,
        .address = p->address,
        .type = types[t].type,
        .scale = 1,
        .nmissing = 1,
        .missing = {types[t].missing},
    };
    if (p->sf) {
        reg->has_scale_register = find_scale(points, p->sf, &reg->scale_register);
        if (!reg->has_scale_register)
            walk_fault(w, p->node.at, "its scale factor \"%.20s\" is no point", p->sf);
        return reg->has_scale_register;
    }
    return true;
}

static void
store_point(struct profile_parser *parser, const json_t *points,
            const struct model_point *p)
{
    struct lw_profile *profile = parser->profile;
    struct lw_register reg;

    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++) {
        if (strcmp(stored[i].name, p->name) != 0)
            continue;
        for (size_t k = 0; k < profile->nregs; k++) {
            if (profile->reg[k].quantity == stored[i].quantity) {
                walk_fault(&parser->walk, p->node.at, "a point before this one is %s too",
                           p->name);
                return;
            }
        }
        if (!make_register(&parser->walk, points, p, &reg))
            return;
        reg.quantity = stored[i].quantity;
        reg.scale = stored[i].scale;
        lw_register_set_fraction(&reg);
        parser->point_at[profile->nregs] = p->node.at;
        profile->reg[profile->nregs++] = reg;
    }
}

static void
show_point(struct profile_parser *parser, const json_t *points,
           const struct model_point *p)
{
    struct lw_profile *profile = parser->profile;

    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct lw_shown one = {.name = ""};
        struct lw_text text;
        if (strcmp(shown[i], p->name) != 0 || profile->nshown == LW_PROFILE_SHOWN ||
            !make_register(&parser->walk, points, p, &one.reg))
            continue;
        lw_text_init(&text, one.name, sizeof one.name);
        lw_text_add(&text, p->name);
        lw_text_init(&text, one.unit, sizeof one.unit);
        lw_text_add(&text, p->units ? p->units : "");
        profile->shown[profile->nshown++] = one;
    }
}

static void
take_points(struct profile_parser *parser, struct walk_node points)
{
    const char *s = points.at;
    uint16_t address = 0;
    size_t i;
    json_t *json;

    json_array_foreach(points.json, i, json) {
        struct model_point point;
        struct walk_node node = {json, walk_next(s)};
        s = walk_after(&parser->walk, node.at);
        uint16_t next = take_point(&parser->walk, node, address, &point);
        if (next <= address)
            return;
        store_point(parser, points.json, &point);
        show_point(parser, points.json, &point);
        address = next;
    }
}

void
profile_read_sunspec(struct profile_parser *parser, struct walk_node root)
{
    struct lw_profile *profile = parser->profile;
    struct walk *w = &parser->walk;
    struct walk_node id, group, points;
    struct lw_text text;

    if (!walk_get(w, root, "id", &id) || !json_is_integer(id.json) ||
        json_integer_value(id.json) < MODEL_FIRST ||
        json_integer_value(id.json) > MODEL_LAST) {
        walk_fault(w, root.at, "\"id\": expected a SunSpec meter, %d to %d", MODEL_FIRST,
                   MODEL_LAST);
        return;
    }
    if (!walk_get(w, root, "group", &group) || !walk_get(w, group, "points", &points) ||
        !json_is_array(points.json)) {
        walk_fault(w, root.at, "expected SunSpec's \"group\" with its \"points\"");
        return;
    }
    profile_set_sunspec(profile, (uint16_t)json_integer_value(id.json));
    profile->max_gap = READ_MOST - 1;
    lw_text_init(&text, profile->vendor, sizeof profile->vendor);
    lw_text_add(&text, "SunSpec");
    lw_text_init(&text, profile->model, sizeof profile->model);
    lw_text_addf(&text, "model %d", (int)profile->sunspec);
    lw_text_init(&text, profile->source, sizeof profile->source);
    lw_text_add(&text, "SunSpec's own model file");
    take_points(parser, points);
    if (profile->nregs == 0)
        walk_fault(w, points.at, "none of its points is a quantity that is stored");
}
