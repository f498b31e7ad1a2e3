/* What a meter says of itself: its serial number and its clock. */
#include "register.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- the serial number ---- */

/* Two characters a register, until the first NUL; without the spaces around. */
static int
serial_string(const struct lw_register *reg, const uint8_t *data, char text[LW_SERIAL])
{
    size_t n = 0;
    for (size_t i = 0; i < 2u * reg->length; i++) {
        char c = (char)data[reg->low_byte_first ? i ^ 1 : i];
        if (c == 0)
            break;
        if (c < ' ' || c > '~')
            return LW_ENOTFOUND;
        if (n > 0 || c != ' ') {
            if (n == LW_SERIAL - 1)
                return LW_ENOTFOUND;
            text[n++] = c;
        }
    }
    while (n > 0 && text[n - 1] == ' ')
        n--;
    text[n] = 0;
    return n > 0 ? 0 : LW_ENOTFOUND;
}

int
lw_profile_serial(const struct lw_profile *profile, const uint8_t *data,
                  char text[LW_SERIAL])
{
    const struct lw_register *reg = &profile->serial.reg;
    if (reg->type == LW_TYPE_STRING)
        return serial_string(reg, data, text);
    uint64_t bits = register_get(reg, data);
    uint64_t ones = UINT64_MAX >> (64 - 16 * lw_register_words(reg));
    if (bits == 0 || bits == ones)
        return LW_ENOTFOUND;
    struct lw_text number;
    lw_text_init(&number, text, LW_SERIAL);
    lw_text_addf(&number, "%llu", (unsigned long long)bits);
    return 0;
}

void
lw_profile_put_serial(const struct lw_profile *profile, const char *text, uint8_t *data)
{
    const struct lw_register *reg = &profile->serial.reg;
    size_t n = 2u * lw_register_words(reg), length = strlen(text);
    uint64_t bits = 0;

    if (reg->type != LW_TYPE_STRING) {
        for (; *text >= '0' && *text <= '9'; text++)
            bits = bits * 10 + (uint64_t)(*text - '0');
        register_put(reg, bits, data);
        return;
    }
    for (size_t i = 0; i < n; i++)
        data[reg->low_byte_first ? i ^ 1 : i] = (uint8_t)(i < length ? text[i] : 0);
}

/* ---- the clock ---- */

static const struct {
    const char *name;
    uint16_t words;
} formats[LW_CLOCK_FORMATS] = {
    [LW_CLOCK_UNIX] = {"unix", 2},
    [LW_CLOCK_WORDS] = {"words", 6},
    [LW_CLOCK_BYTES] = {"bytes", 3},
    [LW_CLOCK_IEC870_5_4] = {"iec870_5_4", 4},
};

const char *
lw_clock_format_name(enum lw_clock_format format)
{
    assert(format < LW_CLOCK_FORMATS);
    return formats[format].name;
}

uint16_t
lw_clock_words(enum lw_clock_format format)
{
    assert(format < LW_CLOCK_FORMATS);
    return formats[format].words;
}

/* A date and time of day as the registers have it. */
struct shown {
    int year, month, mday, hour, minute, ms;
};

static uint16_t
word(const uint8_t *data, size_t i)
{
    return (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
}

static struct shown
shown_time(enum lw_clock_format format, const uint8_t *d)
{
    struct shown s = {0};
    switch (format) {
    case LW_CLOCK_WORDS:
        s = (struct shown){word(d, 0), word(d, 1), word(d, 2),
                           word(d, 3), word(d, 4), word(d, 5) * 1000};
        break;
    case LW_CLOCK_BYTES:
        s = (struct shown){d[0], d[1], d[2], d[3], d[4], d[5] * 1000};
        break;
    case LW_CLOCK_IEC870_5_4: /* with bits for the weekday and for summer time between */
        s = (struct shown){d[1] & 0x7f, d[2] & 0x0f, d[3] & 0x1f,
                           d[4] & 0x1f, d[5] & 0x3f, word(d, 3)};
        break;
    case LW_CLOCK_UNIX:
    case LW_CLOCK_FORMATS:
        break;
    }
    if (s.year < 100)
        s.year += 2000;
    return s;
}

static int64_t
local_ms(lw_wall t, const struct lw_zone *zone)
{
    return t.ms + lw_zone_civil(zone, t).offset_s * LW_SECOND;
}

/* Local times are compared with ours as local times, so that an hour that comes twice is
 * no drift. */
int
lw_profile_drift(const struct lw_profile *profile, const uint8_t *data,
                 const struct lw_zone *zone, lw_wall now, int64_t *ret_ms)
{
    const struct lw_meter_clock *clock = &profile->clock;
    int64_t ours = clock->utc ? now.ms : local_ms(now, zone);

    if (clock->format == LW_CLOCK_UNIX) {
        int64_t theirs = (int64_t)register_get(&clock->reg, data) * LW_SECOND;
        if (theirs == 0)
            return LW_EINVAL;
        *ret_ms = theirs - ours;
        return 0;
    }
    struct shown s = shown_time(clock->format, data);
    if (!lw_civil_valid(s.year, s.month, s.mday) || s.hour > 23 || s.minute > 59 ||
        s.ms > 60000)
        return LW_EINVAL;
    *ret_ms = lw_civil_day(s.year, s.month, s.mday) * LW_DAY + s.hour * LW_HOUR +
              s.minute * LW_MINUTE + s.ms - ours;
    return 0;
}

void
lw_profile_put_clock(const struct lw_profile *profile, const struct lw_zone *zone,
                     lw_wall now, uint8_t *data)
{
    const struct lw_meter_clock *clock = &profile->clock;
    struct lw_civil c = clock->utc ? lw_civil_at(now, 0) : lw_zone_civil(zone, now);
    uint8_t year = (uint8_t)(c.year % 100), month = (uint8_t)c.month;
    uint8_t mday = (uint8_t)c.mday, hour = (uint8_t)(c.minute / 60);
    uint8_t minute = (uint8_t)(c.minute % 60), second = (uint8_t)c.second;
    int ms = c.second * 1000 + c.ms;

    switch (clock->format) {
    case LW_CLOCK_UNIX:
        register_put(&clock->reg,
                     (uint64_t)(now.ms + (clock->utc ? 0 : c.offset_s) * LW_SECOND) /
                         LW_SECOND,
                     data);
        break;
    case LW_CLOCK_WORDS:
        memcpy(data,
               (uint8_t[]){0, year, 0, month, 0, mday, 0, hour, 0, minute, 0, second},
               12);
        break;
    case LW_CLOCK_BYTES:
        memcpy(data, (uint8_t[]){year, month, mday, hour, minute, second}, 6);
        break;
    case LW_CLOCK_IEC870_5_4:
        memcpy(data,
               (uint8_t[]){0, year, month, mday, hour, minute, (uint8_t)(ms >> 8),
                           (uint8_t)ms},
               8);
        break;
    case LW_CLOCK_FORMATS:
        break;
    }
}
