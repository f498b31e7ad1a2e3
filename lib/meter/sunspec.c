/* The walk along a SunSpec device's models. Source: SunSpec Device Information Model
 * Specification, "Modbus map": bases 40000, 50000 and 0; the id 0xFFFF ends the map. */
#include <lodewatch/sunspec.h>

#include <string.h>

enum {
    STARTS = 3,
    MODELS_MOST = 64,
    END = 0xFFFF
};

static const uint16_t starts[STARTS] = {40000, 50000, 0};

void
lw_sunspec_begin(struct lw_sunspec_walk *walk, uint16_t model)
{
    *walk = (struct lw_sunspec_walk){.model = model, .at = starts[0]};
}

struct lw_read_block
lw_sunspec_next(const struct lw_sunspec_walk *walk)
{
    return (struct lw_read_block){.function = 3, .address = walk->at, .count = 2};
}

uint16_t
lw_sunspec_start(const struct lw_sunspec_walk *walk)
{
    return starts[walk->start];
}

static int
look_for_start(struct lw_sunspec_walk *walk, const uint8_t *data)
{
    if (data && memcmp(data, "SunS", 4) == 0) {
        walk->models = 1;
        walk->at = (uint16_t)(walk->at + 2);
        return 0;
    }
    if (++walk->start == STARTS)
        return LW_ENOTFOUND;
    walk->at = starts[walk->start];
    return 0;
}

int
lw_sunspec_take(struct lw_sunspec_walk *walk, const uint8_t *data)
{
    if (walk->models == 0)
        return look_for_start(walk, data);
    if (!data)
        return LW_ENOTFOUND;
    uint32_t id = (uint32_t)(data[0] << 8 | data[1]);
    uint32_t next = walk->at + 2u + (uint32_t)(data[2] << 8 | data[3]);
    if (id == walk->model)
        return 1;
    if (id == END || walk->models++ == MODELS_MOST || next > 0xFFFE)
        return LW_ENOTFOUND;
    walk->at = (uint16_t)next;
    return 0;
}
