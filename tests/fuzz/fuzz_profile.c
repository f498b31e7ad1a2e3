/* Any text as a profile, SunSpec's form included; one that is accepted must lay out,
 * encode and decode anything, and find a model among any registers. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/profile.h>
#include <lodewatch/sunspec.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
poll(const struct lw_profile *profile, const struct lw_read_limits *limits,
     uint8_t registers[2 * 125])
{
    struct lw_read_block blocks[LW_READ_BLOCKS];
    struct lw_event event = {.kind = LW_EVENT_METER_COUNTER};

    for (enum lw_poll_class c = 0; c < LW_POLL_CLASSES; c++) {
        size_t nblocks = lw_profile_blocks(profile, c, limits, blocks);
        for (size_t b = 0; b < nblocks; b++) {
            struct lw_reading reading = {0};
            assert(blocks[b].count >= 1 && blocks[b].count <= profile->max_registers);
            (void)lw_profile_decode(profile, &blocks[b], registers, 40000, 100000,
                                    &reading);
            lw_profile_encode(profile, &blocks[b], &reading, 40000, 100000, registers);
            if (lw_profile_counter(profile, &reading, 40000, 100000, &event))
                assert(event.counter.step_wh >= 0 && event.counter.modulus_wh >= 0 &&
                       event.counter.most_w >= 0);
        }
    }
}

static void
identify(const struct lw_profile *profile, uint8_t registers[2 * 125])
{
    static struct lw_zone *zone;
    char serial[LW_SERIAL];
    int64_t drift;
    lw_wall now = {INT64_C(1700000000000)};

    if (zone == NULL && lw_zone_new_fixed(8 * 3600, &zone) != 0)
        return;
    if (profile->serial.present) {
        if (lw_profile_serial(profile, registers, serial) == 0) {
            assert(serial[0] != 0 && strlen(serial) < LW_SERIAL);
            lw_profile_put_serial(profile, serial, registers);
        }
    }
    if (profile->clock.present) {
        (void)lw_profile_drift(profile, registers, zone, now, &drift);
        lw_profile_put_clock(profile, zone, now, registers);
        int rc = lw_profile_drift(profile, registers, zone, now, &drift);
        assert(rc == 0 && drift > -1000 && drift <= 0);
    }
    if (profile->probe.present) {
        lw_profile_put_probe(profile, registers);
        (void)lw_register_raw(&profile->probe.reg, registers);
    }
}

static void
show(const struct lw_profile *profile, const uint8_t registers[2 * 125])
{
    for (size_t i = 0; i < profile->nshown; i++) {
        char line[64];
        struct lw_text text;
        lw_text_init(&text, line, sizeof line);
        lw_register_text(&profile->shown[i].reg, (int)i % 3, registers, &text);
    }
}

static void
walk(uint16_t model, const uint8_t registers[2 * 125])
{
    struct lw_sunspec_walk walk;
    int steps = 0, rc = 0;

    lw_sunspec_begin(&walk, model);
    while (rc == 0) {
        struct lw_read_block next = lw_sunspec_next(&walk);
        assert(next.address + next.count <= 0x10000 && ++steps < 100);
        rc = lw_sunspec_take(&walk, steps % 7 == 0 ? NULL
                                    : steps == 1   ? (const uint8_t *)"SunS"
                                                   : registers + 4 * steps % 240);
    }
    assert(rc == 1 || rc == LW_ENOTFOUND);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct lw_faults faults;
    struct lw_profile *profile;
    uint8_t registers[2 * 125];

    faults.n = faults.kept = 0;
    if (lw_profile_new("fuzz.json", (const char *)data, n, &faults, &profile) < 0) {
        assert(faults.n > 0 && faults.fault[0].text[0]);
        return 0;
    }
    for (size_t i = 0; i < sizeof registers; i++)
        registers[i] = data[(i * 31) % n];
    struct lw_read_limits limits = {.split = n & 1 ? UINT64_MAX : 0,
                                    .max_gap = (uint16_t)(n % 126)};
    show(profile, registers);
    walk(profile->sunspec, registers);
    poll(profile, &limits, registers);
    identify(profile, registers);
    lw_profile_free(profile);
    return 0;
}
