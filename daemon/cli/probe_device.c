/* Reads a device register by register, and asks of each value whether a meter in use
 * would show it. Values that are 0 say nothing either way. */
#include "daemon/cli/probe_device.h"

#include <math.h>
#include <string.h>

#include <lodewatch/sunspec.h>

#include "daemon/clock.h"

/* In the CSV unit, before CT and PT: from `min` to `max`, and not below `least` where it
 * is not 0 (a float with its words exchanged is next to nothing). */
static const struct {
    const char *unit;
    double min, max, least;
} likely[LW_QUANTITIES] = {
    [LW_ACTIVE_POWER] = {"kW", -2e4, 2e4, 1e-4},
    [LW_REACTIVE_POWER] = {"kvar", -2e4, 2e4, 1e-4},
    [LW_IMPORT] = {"kWh", 0, 1e8, 1e-3},
    [LW_EXPORT] = {"kWh", 0, 1e8, 1e-3},
    [LW_VOLTAGE_A] = {"V", 30, 5e5, 30},
    [LW_VOLTAGE_B] = {"V", 30, 5e5, 30},
    [LW_VOLTAGE_C] = {"V", 30, 5e5, 30},
    [LW_CURRENT_A] = {"A", -2e4, 2e4, 1e-3},
    [LW_CURRENT_B] = {"A", -2e4, 2e4, 1e-3},
    [LW_CURRENT_C] = {"A", -2e4, 2e4, 1e-3},
    [LW_POWER_FACTOR] = {"", -1, 1, 1e-3},
    [LW_TEMPERATURE] = {"degC", -60, 80, 1e-3},
    [LW_RAIN] = {"mm/h", 0, 500, 1e-3},
    [LW_WATER_LEVEL] = {"m", -1000, 10000, 1e-3},
};

/* Where the device has its SunSpec models; 0 for others. */
struct base {
    uint16_t start;
    uint16_t model;
};

static int
read_registers(struct ask *ask, uint8_t unit, uint8_t function, uint16_t address,
               uint16_t count, uint8_t *data)
{
    struct lw_mb_request request = {
        .unit = unit, .function = function, .address = address, .count = count};
    uint8_t got[ASK_DATA];
    int rc;

    if (address + count > 0x10000)
        return LW_MB_ILLEGAL_ADDRESS;
    rc = ask_read(ask, &request, got);
    if (rc == 0)
        memcpy(data, got, 2u * count);
    return rc;
}

/* Nothing more can be read. */
static bool
lost(int rc)
{
    return rc == LW_EIO || rc == LW_EPROTO;
}

/* 0, LW_ENOTFOUND, or what became of the connection. */
static int
find_model(struct ask *ask, uint8_t unit, uint16_t model, struct base *ret_base)
{
    struct lw_sunspec_walk walk;
    uint8_t data[4];
    int rc;

    lw_sunspec_begin(&walk, model);
    for (;;) {
        struct lw_read_block block = lw_sunspec_next(&walk);
        rc = read_registers(ask, unit, block.function, block.address, block.count, data);
        if (rc < 0)
            return rc;
        rc = lw_sunspec_take(&walk, rc == 0 ? data : NULL);
        if (rc < 0)
            return rc;
        if (rc == 1)
            break;
    }
    *ret_base = (struct base){.start = lw_sunspec_start(&walk), .model = walk.at};
    return 0;
}

static int
try_profile(struct ask *ask, uint8_t unit, const struct lw_profile *profile,
            struct base *base, struct probe_result *result)
{
    const struct lw_probe *probe = &profile->probe;
    uint8_t data[8];
    int rc = 0;

    *result = (struct probe_result){.profile = profile, .probe_value = NAN};
    *base = (struct base){0};
    if (profile->sunspec != 0) {
        rc = find_model(ask, unit, profile->sunspec, base);
        result->fits = rc == 0;
    }
    if (rc == 0 && probe->present) {
        rc = read_registers(ask, unit, probe->reg.function,
                            (uint16_t)(base->model + probe->reg.address),
                            lw_register_words(&probe->reg), data);
        if (rc == 0)
            result->probe_value = lw_register_raw(&probe->reg, data);
        result->fits = rc == 0 && result->probe_value >= probe->min &&
                       result->probe_value <= probe->max;
    }
    return rc < 0 && rc != LW_ENOTFOUND ? rc : 0;
}

int
probe_try(struct ask *ask, uint8_t unit, const struct lw_profile *profile,
          struct probe_result *ret_result)
{
    struct base base;
    return try_profile(ask, unit, profile, &base, ret_result);
}

/* ---- points ---- */

static int
read_point(struct ask *ask, uint8_t unit, const struct base *base,
           struct probe_point *point)
{
    const struct lw_register *reg = point->reg;
    uint8_t scale[2];
    struct lw_text text;

    point->address = (uint16_t)(base->model + reg->address);
    point->code = read_registers(ask, unit, reg->function, point->address,
                                 lw_register_words(reg), point->data);
    if (point->code == 0 && reg->has_scale_register) {
        uint16_t at = (uint16_t)(base->model + reg->scale_register);
        point->code = read_registers(ask, unit, reg->function, at, 1, scale);
        if (point->code == 0 && !lw_scale_exponent(scale, &point->exponent))
            point->code = LW_ENOTFOUND;
    }
    lw_text_init(&text, point->value, sizeof point->value);
    if (point->code == 0)
        lw_register_text(reg, point->exponent, point->data, &text);
    return lost(point->code) ? point->code : 0;
}

static bool
is_zero(const struct probe_point *point)
{
    for (size_t i = 0; i < 2u * lw_register_words(point->reg); i++)
        if (point->data[i] != 0)
            return false;
    return true;
}

/* 1: likely; -1: not; 0: it says nothing. */
static int
judge(const struct probe_point *point, const struct lw_register *as, const uint8_t *data)
{
    enum lw_quantity q = as->quantity;
    double value;

    if (!point->stored || point->code != 0 || is_zero(point) ||
        lw_register_missing(as, data))
        return 0;
    if (!lw_register_value(as, point->exponent, data, &value))
        return -1;
    if (value < likely[q].min || value > likely[q].max ||
        (fabs(value) < likely[q].least && fabs(value) > 0))
        return -1;
    return as->has_range && (value < as->min || value > as->max) ? -1 : 1;
}

static void
judge_as_given(struct probe_result *r)
{
    for (int i = 0; i < r->n; i++) {
        struct probe_point *point = &r->point[i];
        int verdict = judge(point, point->reg, point->data);
        point->doubtful = verdict < 0;
        r->likely += verdict > 0;
        r->others += verdict < 0 || (point->stored && point->code != 0);
    }
    r->likely_so = r->likely;
}

/* ---- what if ---- */

static void
judge_orders(struct probe_result *r)
{
    static const struct {
        const char *name;
        bool words, bytes;
    } orders[] = {
        {"word_order", true, false},
        {"byte_order", false, true},
        {"word_order and byte_order", true, true},
    };
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        int n = 0;
        for (int i = 0; i < r->n; i++) {
            struct lw_register as = *r->point[i].reg;
            as.low_word_first ^= orders[o].words;
            as.low_byte_first ^= orders[o].bytes;
            n += judge(&r->point[i], &as, r->point[i].data) > 0;
        }
        if (n > r->likely_so) {
            r->likely_so = n;
            r->order = orders[o].name;
        }
    }
}

static int
judge_shift(struct ask *ask, uint8_t unit, int shift, struct probe_result *r)
{
    int n = 0;
    for (int i = 0; i < r->n; i++) {
        struct probe_point moved = r->point[i];
        if (!moved.stored || moved.address + shift < 0 || moved.address + shift > 0xFFFF)
            continue;
        moved.code = read_registers(ask, unit, moved.reg->function,
                                    (uint16_t)(moved.address + shift),
                                    lw_register_words(moved.reg), moved.data);
        if (lost(moved.code))
            return moved.code;
        n += judge(&moved, moved.reg, moved.data) > 0;
    }
    /* With floats, exchanged words and a shift can look alike: then both are told. */
    if (n > r->likely_so)
        r->order = NULL;
    if (n > r->likely && n >= r->likely_so) {
        r->likely_so = n;
        r->shift = shift;
    }
    return 0;
}

/* ---- the whole device ---- */

static int
read_identity(struct ask *ask, uint8_t unit, const struct base *base,
              const struct lw_zone *zone, struct probe_result *r)
{
    const struct lw_serial *serial = &r->profile->serial;
    const struct lw_meter_clock *clock = &r->profile->clock;
    uint8_t data[2 * LW_PROFILE_STRING];
    int rc = 0;

    if (serial->present) {
        rc = read_registers(ask, unit, serial->reg.function,
                            (uint16_t)(base->start + serial->reg.address),
                            lw_register_words(&serial->reg), data);
        if (rc == 0 && lw_profile_serial(r->profile, data, r->serial) != 0)
            r->serial[0] = 0;
    }
    if (!lost(rc) && clock->present) {
        rc = read_registers(ask, unit, clock->reg.function,
                            (uint16_t)(base->model + clock->reg.address),
                            lw_clock_words(clock->format), data);
        r->has_drift = rc == 0 && lw_profile_drift(r->profile, data, zone, clock_system(),
                                                   &r->drift_ms) == 0;
    }
    return lost(rc) ? rc : 0;
}

int
probe_all(struct ask *ask, uint8_t unit, const struct lw_profile *profile,
          const struct lw_zone *zone, struct probe_result *ret_result)
{
    struct probe_result *r = ret_result;
    struct base base;
    int rc = try_profile(ask, unit, profile, &base, r);

    if (rc == 0)
        rc = read_identity(ask, unit, &base, zone, r);
    for (size_t i = 0; i < profile->nregs && rc == 0; i++) {
        const struct lw_register *reg = &profile->reg[i];
        struct probe_point *point = &r->point[r->n++];
        *point = (struct probe_point){.name = lw_quantity_info(reg->quantity)->name,
                                      .unit = likely[reg->quantity].unit,
                                      .reg = reg,
                                      .stored = true};
        rc = read_point(ask, unit, &base, point);
    }
    for (size_t i = 0; i < profile->nshown && rc == 0; i++) {
        const struct lw_shown *shown = &profile->shown[i];
        struct probe_point *point = &r->point[r->n++];
        *point = (struct probe_point){
            .name = shown->name, .unit = shown->unit, .reg = &shown->reg};
        rc = read_point(ask, unit, &base, point);
    }
    if (rc != 0)
        return rc;
    judge_as_given(r);
    if (r->others == 0)
        return 0;
    judge_orders(r);
    rc = judge_shift(ask, unit, 1, r);
    return rc == 0 ? judge_shift(ask, unit, -1, r) : rc;
}
