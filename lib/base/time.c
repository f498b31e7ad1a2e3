/* Civil dates (proleptic Gregorian) and times as text. */
#include <lodewatch/time.h>

#include <string.h>

#include <lodewatch/text.h>

int64_t
lw_floor_to(int64_t t, int64_t step)
{
    int64_t rest = t % step;
    return t - (rest < 0 ? rest + step : rest);
}

static bool
is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool
lw_civil_valid(int year, int month, int mday)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (year < 1 || year > 9999 || month < 1 || month > 12 || mday < 1)
        return false;
    return mday <= lengths[month - 1] + (month == 2 && is_leap(year));
}

/* Days are counted in years that begin in March, so that the leap day is a year's last:
 * then month m (0 March .. 11 February) begins (153 m + 2) / 5 days into it. 400 years
 * have 146097 days; 1970-01-01 is day 719468 after 0000-03-01. */
enum {
    DAYS_400Y = 146097,
    DAYS_100Y = 36524,
    DAYS_4Y = 1461,
    DAY_1970 = 719468
};

int32_t
lw_civil_day(int year, int month, int mday)
{
    int y = month <= 2 ? year - 1 : year; /* 0 or more: year is 1 at least */
    int m = (month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + mday - 1 - DAY_1970;
}

struct lw_civil
lw_civil_at(lw_wall t, int offset_s)
{
    int64_t local = t.ms < LW_WALL_FIRST ? LW_WALL_FIRST : t.ms;
    local = (local > LW_WALL_LAST ? LW_WALL_LAST : local) + offset_s * LW_SECOND;
    local = local < LW_WALL_FIRST ? LW_WALL_FIRST : local;
    local = local > LW_WALL_LAST ? LW_WALL_LAST : local;

    struct lw_civil c = {.offset_s = offset_s};
    int64_t midnight = lw_floor_to(local, LW_DAY);
    int ms = (int)(local - midnight);

    c.day = (int32_t)(midnight / LW_DAY);
    c.minute = ms / (int)LW_MINUTE;
    c.second = ms / (int)LW_SECOND % 60;
    c.ms = ms % (int)LW_SECOND;

    /* The last century of 400 years and the last year of four are a day longer. */
    int days = c.day + DAY_1970; /* positive: year 1 and later */
    int rest = days % DAYS_400Y;
    int centuries = rest / DAYS_100Y < 3 ? rest / DAYS_100Y : 3;
    rest -= centuries * DAYS_100Y;
    int fours = rest / DAYS_4Y;
    rest -= fours * DAYS_4Y;
    int years = rest / 365 < 3 ? rest / 365 : 3;
    int in_year = rest - years * 365;
    int m = (5 * in_year + 2) / 153;

    c.mday = in_year - (153 * m + 2) / 5 + 1;
    c.month = m < 10 ? m + 3 : m - 9;
    c.year =
        days / DAYS_400Y * 400 + centuries * 100 + fours * 4 + years + (c.month <= 2);
    c.weekday = (days + 2) % 7; /* 0000-03-01 is a Wednesday */
    return c;
}

static void
format_civil(const struct lw_civil *c, char text[LW_TIME_TEXT])
{
    struct lw_text t;

    lw_text_init(&t, text, LW_TIME_TEXT);
    lw_text_addf(&t, "%04d-%02d-%02dT%02d:%02d:%02d", c->year, c->month, c->mday,
                 c->minute / 60, c->minute % 60, c->second);
    if (c->ms != 0)
        lw_text_addf(&t, ".%03d", c->ms);
    if (c->offset_s == 0) {
        lw_text_add(&t, "Z");
    } else {
        int minutes = (c->offset_s < 0 ? -c->offset_s : c->offset_s) / 60;
        lw_text_addf(&t, "%c%02d:%02d", c->offset_s < 0 ? '-' : '+', minutes / 60,
                     minutes % 60);
    }
}

void
lw_wall_format(lw_wall t, char text[LW_TIME_TEXT])
{
    struct lw_civil c = lw_civil_at(t, 0);
    format_civil(&c, text);
}

void
lw_wall_format_zone(lw_wall t, const struct lw_zone *zone, char text[LW_TIME_TEXT])
{
    struct lw_civil c = lw_zone_civil(zone, t);
    if (c.offset_s % 60 != 0)
        c = lw_civil_at(t, c.offset_s - c.offset_s % 60);
    format_civil(&c, text);
}

/* What is left to parse. */
struct cursor {
    const char *s;
    const char *end;
};

/* Takes a number of min..max digits; -1 where there is none. */
static int
take_digits(struct cursor *c, int min, int max)
{
    int value = 0, n = 0;
    for (; n < max && c->s < c->end && *c->s >= '0' && *c->s <= '9'; n++)
        value = value * 10 + (*c->s++ - '0');
    return n < min ? -1 : value;
}

static bool
take(struct cursor *c, char ch)
{
    if (c->s == c->end || *c->s != ch)
        return false;
    c->s++;
    return true;
}

/* [H]H:MM[:SS[.fraction]] */
static int
parse_time_of_day(struct cursor *c, int64_t *ret_ms)
{
    int hour = take_digits(c, 1, 2);
    int minute = take(c, ':') ? take_digits(c, 2, 2) : -1;
    int second = 0, ms = 0;

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return LW_EINVAL;
    if (take(c, ':')) {
        second = take_digits(c, 2, 2);
        if (second < 0 || second > 60)
            return LW_EINVAL;
        if (take(c, '.')) {
            const char *from = c->s;
            int digits = take_digits(c, 1, 3);
            if (digits < 0)
                return LW_EINVAL;
            ms = c->s - from == 1   ? digits * 100
                 : c->s - from == 2 ? digits * 10
                                    : digits;
            while (take_digits(c, 1, 9) >= 0)
                ;
        }
    }
    *ret_ms = hour * LW_HOUR + minute * LW_MINUTE + second * LW_SECOND + ms;
    return 0;
}

/* Z, +HH:MM or -HH:MM */
static int
parse_offset(struct cursor *c, int64_t *ret_ms)
{
    if (take(c, 'Z') || take(c, 'z')) {
        *ret_ms = 0;
        return 0;
    }
    bool west = take(c, '-');
    if (!west && !take(c, '+'))
        return LW_EINVAL;
    int hour = take_digits(c, 2, 2);
    int minute = take(c, ':') ? take_digits(c, 2, 2) : -1;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return LW_EINVAL;
    *ret_ms = (hour * LW_HOUR + minute * LW_MINUTE) * (west ? -1 : 1);
    return 0;
}

int
lw_wall_parse(const char *s, size_t n, const struct lw_zone *zone, enum lw_date_edge edge,
              lw_wall *ret_time)
{
    struct cursor c = {s, s + n};
    int64_t of_day = 0, offset = 0, t;

    int year = take_digits(&c, 4, 4);
    char dash = c.s < c.end ? *c.s : '\0';
    if (dash != '-' && dash != '/')
        return LW_EINVAL;
    int month = take(&c, dash) ? take_digits(&c, 1, 2) : -1;
    int mday = take(&c, dash) ? take_digits(&c, 1, 2) : -1;
    if (!lw_civil_valid(year, month, mday))
        return LW_EINVAL;
    int32_t day = lw_civil_day(year, month, mday);

    if (c.s == c.end) {
        if (zone == NULL)
            return LW_EINVAL;
        t = lw_zone_wall(zone, edge == LW_DATE_END ? day + 1 : day, 0).ms;
        t = t > LW_WALL_LAST ? LW_WALL_LAST : t; /* "9999-12-31" is for ever */
    } else {
        if (!take(&c, 'T') && !take(&c, 't') && !take(&c, ' '))
            return LW_EINVAL;
        if (parse_time_of_day(&c, &of_day) != 0)
            return LW_EINVAL;
        if (c.s == c.end && zone != NULL)
            t = lw_zone_wall(zone, day, of_day).ms;
        else if (parse_offset(&c, &offset) == 0 && c.s == c.end)
            t = day * LW_DAY + of_day - offset;
        else
            return LW_EINVAL;
    }
    if (t < LW_WALL_FIRST || t > LW_WALL_LAST)
        return LW_EINVAL;
    *ret_time = (lw_wall){t};
    return 0;
}
