/* Any bytes as a TZif file: whatever zone it makes, its clocks can be read and set. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t moments[] = {
        INT64_MIN,     LW_WALL_FIRST, -1,           0,
        1740000000000, 4102444800000, LW_WALL_LAST, INT64_MAX,
    };
    struct lw_zone *zone;
    char text[LW_TIME_TEXT];
    lw_wall t;

    if (lw_zone_new(data, size, &zone) != 0)
        return 0;
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        struct lw_civil c = lw_zone_civil(zone, (lw_wall){moments[i]});
        assert(lw_civil_valid(c.year, c.month, c.mday));
        assert(c.offset_s > -86400 && c.offset_s < 86400);
        (void)lw_zone_wall(zone, c.day, c.minute * LW_MINUTE);
        lw_wall_format_zone((lw_wall){moments[i]}, zone, text);
        /* Within the years that can be written, text is exact to the millisecond. */
        if (moments[i] > LW_WALL_FIRST + LW_DAY && moments[i] < LW_WALL_LAST - LW_DAY) {
            size_t n = 0;
            while (text[n] != '\0')
                n++;
            int rc = lw_wall_parse(text, n, zone, LW_DATE_START, &t);
            assert(rc == 0 && t.ms == moments[i]);
        }
    }
    lw_zone_free(zone);
    return 0;
}
