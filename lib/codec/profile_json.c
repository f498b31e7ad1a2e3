/* A meter profile from JSON: its head, the bus, and what tells the device.
 * docs/profiles.md is the description for people. */
#include "profile_json.h"

#include <stdlib.h>
#include <string.h>

#include <lodewatch/modbus.h>

enum {
    SLOW_EVERY = 10 /* intervals, where the profile does not say */
};

static void
set_forbidden(struct walk *w, const struct walk_member *m, struct walk_node v,
              void *field)
{
    struct lw_profile *profile = profile_parser(w)->profile;
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
        if (!profile_pair(w, range, pair))
            continue;
        profile_set_address(w, m, pair[0], &to->first);
        profile_set_address(w, m, pair[1], &to->last);
        if (to->first > to->last)
            walk_fault(w, range.at, "\"%s\": the range ends before it begins", m->name);
    }
    profile->nforbidden = (uint16_t)json_array_size(v.json);
}

/* ---- bus, and what the device is ---- */

static void
set_parity(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    const char *s = json_string_value(v.json);
    if (!s || strlen(s) != 1 || !strchr("NEO", *s))
        walk_fault(w, v.at, "\"%s\": expected \"N\", \"E\" or \"O\"", m->name);
    else
        *(char *)field = *s;
}

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
        {"baud", walk_set_i32, BUS(baud), 300, 921600, false},
        {"parity", set_parity, BUS(parity), 0, 0, false},
        {"stop_bits", walk_set_u8, BUS(stop_bits), 1, 2, false},
    };
    (void)m;
    walk_object(w, v, members, sizeof members / sizeof *members, field);
}

/* One value, or the least and the greatest. */
struct probe_parts {
    struct lw_probe probe;
    double equals;
    bool has_equals, has_min, has_max;
};

static void
set_probe_number(struct walk *w, const struct walk_member *m, struct walk_node v,
                 void *field)
{
    struct probe_parts *parts = field;
    if (strcmp(m->name, "equals") == 0) {
        parts->has_equals = true;
        walk_set_number(w, m, v, &parts->equals);
    } else if (strcmp(m->name, "min") == 0) {
        parts->has_min = true;
        walk_set_number(w, m, v, &parts->probe.min);
    } else {
        parts->has_max = true;
        walk_set_number(w, m, v, &parts->probe.max);
    }
}

static void
set_probe(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    static const struct walk_member members[] = {
        PROFILE_REGISTER(offsetof(struct probe_parts, probe.reg), true),
        {"equals", set_probe_number, 0, 0, 1e18, false},
        {"min", set_probe_number, 0, 0, 1e18, false},
        {"max", set_probe_number, 0, 0, 1e18, false},
    };
    struct probe_parts parts = {.probe.present = true};
    (void)m;
    walk_object(w, v, members, sizeof members / sizeof *members, &parts);
    profile_check_register(w, &parts.probe.reg, PROFILE_TYPES_VALUE, v.at);
    if (parts.has_equals ? parts.has_min || parts.has_max
                         : !parts.has_min || !parts.has_max)
        walk_fault(w, v.at, "expected either \"equals\", or \"min\" and \"max\"");
    if (parts.has_equals)
        parts.probe.min = parts.probe.max = parts.equals;
    if (parts.probe.min > parts.probe.max)
        walk_fault(w, v.at, "\"min\" is greater than \"max\"");
    *(struct lw_probe *)field = parts.probe;
}

static void
set_serial(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    static const struct walk_member members[] = {
        PROFILE_REGISTER(offsetof(struct lw_serial, reg), true),
        {"length", walk_set_u16, offsetof(struct lw_serial, reg.length), 1,
         LW_PROFILE_STRING, false},
    };
    struct lw_serial *serial = field;
    (void)m;
    if (profile_parser(w)->profile->sunspec != 0)
        walk_fault(w, v.at, "\"serial\": SunSpec's own is read");
    *serial = (struct lw_serial){.present = true};
    profile_parser(w)->serial_at = v.at;
    walk_object(w, v, members, sizeof members / sizeof *members, serial);
    profile_check_register(w, &serial->reg, PROFILE_TYPES_SERIAL, v.at);
}

static void
set_clock_format(struct walk *w, const struct walk_member *m, struct walk_node v,
                 void *field)
{
    const char *s = json_string_value(v.json);
    for (enum lw_clock_format f = 0; s && f < LW_CLOCK_FORMATS; f++) {
        if (strcmp(s, lw_clock_format_name(f)) == 0) {
            *(enum lw_clock_format *)field = f;
            return;
        }
    }
    walk_fault(w, v.at, "\"%s\": expected unix, words, bytes or iec870_5_4", m->name);
}

static void
set_clock(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
#define CLOCK(name) offsetof(struct lw_meter_clock, name)
    static const struct walk_member members[] = {
        {"function", walk_set_u8, CLOCK(reg.function), 3, 4, true},
        {"address", profile_set_address, CLOCK(reg.address), 0, 0, true},
        {"format", set_clock_format, CLOCK(format), 0, 0, true},
        {"word_order", profile_set_low_first, CLOCK(reg.low_word_first), 0, 0, false},
        {"utc", walk_set_bool, CLOCK(utc), 0, 0, false},
    };
    struct lw_meter_clock *clock = field;
    (void)m;
    clock->present = true;
    profile_parser(w)->clock_at = v.at;
    clock->reg.type = LW_TYPE_U32; /* what `unix` reads */
    walk_object(w, v, members, sizeof members / sizeof *members, clock);
    if (clock->reg.address + lw_clock_words(clock->format) > 0x10000)
        walk_fault(w, v.at, "the register reaches over address 0xFFFF");
    if (clock->reg.low_word_first && clock->format != LW_CLOCK_UNIX)
        walk_fault(w, v.at, "\"word_order\": only the format unix has one");
}

static void
set_sunspec(struct walk *w, const struct walk_member *m, struct walk_node v, void *field)
{
    uint16_t model = 0;
    (void)field;
    walk_set_u16(w, m, v, &model);
    if (profile_parser(w)->profile->serial.present)
        walk_fault(w, v.at, "\"serial\": SunSpec's own is read");
    profile_set_sunspec(profile_parser(w)->profile, model);
}

static void
check_read(struct profile_parser *p, const struct lw_read_block *block, const char *at)
{
    const struct lw_profile *profile = p->profile;
    uint32_t count = block->count == 0 ? 0x10000 : block->count; /* the whole map */
    uint32_t last = block->address + count - 1;

    if (count > profile->max_registers)
        walk_fault(&p->walk, at,
                   "takes %u registers in one read, and \"max_registers\" is %u", count,
                   profile->max_registers);
    for (size_t f = 0; f < profile->nforbidden; f++)
        if (block->address <= profile->forbidden[f].last &&
            profile->forbidden[f].first <= last)
            walk_fault(&p->walk, at, "lies in the forbidden range 0x%04X to 0x%04X",
                       profile->forbidden[f].first, profile->forbidden[f].last);
}

static void
check_identity(struct profile_parser *p, const struct lw_register *reg, uint16_t words,
               const char *at)
{
    check_read(p, &(struct lw_read_block){.address = reg->address, .count = words}, at);
}

/* What can only be seen when bus and points are both there: each point, with its scale
 * register, has to fit into one read that the device allows; so have serial number and
 * clock. SunSpec's own serial number is far from the model. */
static void
check_reads(struct profile_parser *p)
{
    const struct lw_profile *profile = p->profile;
    const struct lw_register *serial = &profile->serial.reg;
    static const struct lw_read_limits alone = {.split = UINT64_MAX};
    struct lw_read_block blocks[LW_READ_BLOCKS];

    for (enum lw_poll_class c = 0; c < LW_POLL_CLASSES; c++) {
        size_t n = lw_profile_blocks(profile, c, &alone, blocks);
        for (size_t i = 0; i < n; i++)
            check_read(p, &blocks[i], p->point_at[__builtin_ctzll(blocks[i].regs)]);
    }
    if (profile->serial.present && profile->sunspec == 0)
        check_identity(p, serial, lw_register_words(serial), p->serial_at);
    if (profile->clock.present)
        check_identity(p, &profile->clock.reg, lw_clock_words(profile->clock.format),
                       p->clock_at);
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
        {"variant", walk_set_string, TOP(variant), 0,
         sizeof((struct lw_profile *)0)->variant - 1, false},
        {"source", walk_set_string, TOP(source), 0,
         sizeof((struct lw_profile *)0)->source - 1, true},
        {"unverified", walk_set_bool, TOP(unverified), 0, 0, false},
        {"bus", set_bus, 0, 0, 0, false},
        {"slow_every", walk_set_u16, TOP(slow_every), 2, 1000, false},
        {"probe", set_probe, TOP(probe), 0, 0, false},
        {"serial", set_serial, TOP(serial), 0, 0, false},
        {"clock", set_clock, TOP(clock), 0, 0, false},
        {"sunspec", set_sunspec, 0, 1, 0xFFFE, false},
        {"points", profile_set_points, 0, 0, 0, true},
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
    p.profile->slow_every = SLOW_EVERY;

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
    struct walk_node top = {root, walk_start(json)};
    if (profile_is_sunspec(root))
        profile_read_sunspec(&p, top);
    else
        walk_object(&p.walk, top, members, sizeof members / sizeof *members, p.profile);
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
