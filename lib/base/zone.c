/* Time zones from TZif files (RFC 8536): a table of transitions, and a rule (the footer,
 * a POSIX TZ string) for all time after them. */
#include <lodewatch/time.h>

#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 44,
    TRANSITIONS_MAX = 10000,
    OFFSET_LIMIT_S = 24 * 3600,     /* what "+HH:MM" can write, exclusive */
    RULE_TIME_LIMIT_S = 168 * 3600, /* RFC 8536, 3.3.1: -167..167 hours */
};

/* A day of the year on which clocks change, and when on it (local time, in seconds). */
struct rule {
    char form; /* 'M': week and weekday of a month; 'J': 1..365 without 29 February;
                * 'N': 0..365 */
    int month, week, weekday; /* 1..12, 1..5 (5: the last), 0 Sunday .. 6 */
    int day;
    int time_s;
};

struct lw_zone {
    int first_s; /* the offset before the first transition */
    bool has_footer;
    bool has_summer; /* the footer's clocks change */
    int std_s, summer_s;
    struct rule begins, ends;
    size_t n;
    struct transition {
        int64_t at_s; /* from here on, UTC */
        int offset_s;
    } transition[];
};

/* ---- the file ---- */

static uint32_t
big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t
big_signed(const uint8_t *p, size_t size)
{
    if (size == 4)
        return (int32_t)big32(p);
    return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

/* One of a file's data blocks. */
struct block {
    uint32_t transitions, types;
    size_t time_size; /* 4 in version 1, 8 after it */
    const uint8_t *at;
    const uint8_t *type_of;
    const uint8_t *type; /* 6 bytes each: i32 offset, u8 summer, u8 name */
    size_t len;          /* header and data */
    char version;
};

static int
read_block(const uint8_t *p, size_t n, size_t time_size, struct block *ret_block)
{
    struct block b = {.time_size = time_size};

    if (n < HEADER || memcmp(p, "TZif", 4) != 0)
        return LW_EPARSE;
    b.version = (char)p[4];
    size_t ut_flags = big32(p + 20), std_flags = big32(p + 24), leaps = big32(p + 28);
    size_t chars = big32(p + 40);
    b.transitions = big32(p + 32);
    b.types = big32(p + 36);
    /* Leap seconds: these files ("right/…") count time otherwise than we do. */
    if (b.types == 0 || b.types > 256 || b.transitions > TRANSITIONS_MAX || leaps != 0 ||
        chars > 65536 || ut_flags > b.types || std_flags > b.types)
        return LW_EPARSE;
    b.at = p + HEADER;
    b.type_of = b.at + b.transitions * time_size;
    b.type = b.type_of + b.transitions;
    b.len = HEADER + b.transitions * (time_size + 1) + b.types * 6 + chars + ut_flags +
            std_flags;
    if (b.len > n)
        return LW_EPARSE;
    *ret_block = b;
    return 0;
}

static int
read_transitions(const struct block *b, struct lw_zone *zone)
{
    for (uint32_t i = 0; i < b->types; i++) {
        int64_t offset = big_signed(b->type + 6 * (size_t)i, 4);
        if (offset <= -OFFSET_LIMIT_S || offset >= OFFSET_LIMIT_S)
            return LW_EPARSE;
    }
    zone->first_s = (int)big_signed(b->type, 4);
    for (uint32_t i = 0; i < b->transitions; i++) {
        struct transition *tr = &zone->transition[i];
        if (b->type_of[i] >= b->types)
            return LW_EPARSE;
        tr->at_s = big_signed(b->at + i * b->time_size, b->time_size);
        tr->offset_s = (int)big_signed(b->type + 6 * (size_t)b->type_of[i], 4);
        if (i > 0 && tr->at_s <= tr[-1].at_s)
            return LW_EPARSE;
    }
    zone->n = b->transitions;
    return 0;
}

/* ---- the footer ---- */

/* What is left of the footer; `bad` once it is not of the form. */
struct cursor {
    const char *s;
    const char *end;
    bool bad;
};

static bool
at(const struct cursor *c, char ch)
{
    return c->s < c->end && *c->s == ch;
}

static bool
take(struct cursor *c, char ch)
{
    if (!at(c, ch))
        return false;
    c->s++;
    return true;
}

static int
take_number(struct cursor *c, int min, int max)
{
    const char *from = c->s;
    int value = 0;

    while (c->s < c->end && *c->s >= '0' && *c->s <= '9' && value <= max)
        value = value * 10 + (*c->s++ - '0');
    if (c->s == from || value < min || value > max) {
        c->bad = true;
        return min;
    }
    return value;
}

/* "CST", or "<+0330>" */
static void
skip_name(struct cursor *c)
{
    const char *from = c->s;

    if (take(c, '<')) {
        while (c->s < c->end && *c->s != '>')
            c->s++;
        c->bad |= !take(c, '>');
        return;
    }
    while (c->s < c->end &&
           ((*c->s >= 'A' && *c->s <= 'Z') || (*c->s >= 'a' && *c->s <= 'z')))
        c->s++;
    c->bad |= c->s == from;
}

/* [+-]hh[:mm[:ss]] in seconds */
static int
take_time(struct cursor *c)
{
    bool negative = take(c, '-');
    if (!negative)
        (void)take(c, '+');
    int s = take_number(c, 0, 167) * 3600;
    if (take(c, ':')) {
        s += take_number(c, 0, 59) * 60;
        if (take(c, ':'))
            s += take_number(c, 0, 59);
    }
    return negative ? -s : s;
}

/* POSIX writes offsets west of UTC as positive. */
static int
take_offset(struct cursor *c)
{
    int offset = -take_time(c);
    c->bad |= offset <= -OFFSET_LIMIT_S || offset >= OFFSET_LIMIT_S;
    return offset;
}

/* ",M3.2.0/2", ",J60" or ",59" */
static struct rule
take_rule(struct cursor *c)
{
    struct rule r = {.form = 'N', .time_s = 2 * 3600};

    c->bad |= !take(c, ',');
    if (take(c, 'M')) {
        r.form = 'M';
        r.month = take_number(c, 1, 12);
        c->bad |= !take(c, '.');
        r.week = take_number(c, 1, 5);
        c->bad |= !take(c, '.');
        r.weekday = take_number(c, 0, 6);
    } else if (take(c, 'J')) {
        r.form = 'J';
        r.day = take_number(c, 1, 365);
    } else {
        r.day = take_number(c, 0, 365);
    }
    if (take(c, '/'))
        r.time_s = take_time(c);
    return r;
}

static int
read_footer(const char *s, size_t n, struct lw_zone *zone)
{
    const char *end = n > 0 ? memchr(s + 1, '\n', n - 1) : NULL;
    if (end == NULL || s[0] != '\n')
        return LW_EPARSE;
    struct cursor c = {s + 1, end, false};
    if (c.s == c.end)
        return 0; /* nothing is known of later times: the last transition holds */

    zone->has_footer = true;
    skip_name(&c);
    zone->std_s = take_offset(&c);
    if (c.s < c.end && !c.bad) {
        zone->has_summer = true;
        skip_name(&c);
        zone->summer_s = at(&c, ',') ? zone->std_s + 3600 : take_offset(&c);
        c.bad |= zone->summer_s >= OFFSET_LIMIT_S;
        zone->begins = take_rule(&c);
        zone->ends = take_rule(&c);
    }
    return c.bad || c.s != c.end ? LW_EPARSE : 0;
}

int
lw_zone_new(const void *tzif, size_t n, struct lw_zone **ret_zone)
{
    const uint8_t *p = tzif;
    struct lw_zone *zone = NULL;
    struct block b;

    int rc = read_block(p, n, 4, &b);
    if (rc == 0 && b.version >= '2') {
        p += b.len;
        n -= b.len;
        rc = read_block(p, n, 8, &b);
    }
    if (rc != 0)
        goto out;
    zone = calloc(1, sizeof(*zone) + b.transitions * sizeof(zone->transition[0]));
    if (zone == NULL) {
        rc = LW_ENOMEM;
        goto out;
    }
    rc = read_transitions(&b, zone);
    if (rc == 0 && b.version >= '2')
        rc = read_footer((const char *)p + b.len, n - b.len, zone);
    if (rc != 0)
        goto out;
    *ret_zone = zone;
    zone = NULL;
out:
    lw_zone_free(zone);
    return rc;
}

int
lw_zone_new_fixed(int offset_s, struct lw_zone **ret_zone)
{
    if (offset_s <= -OFFSET_LIMIT_S || offset_s >= OFFSET_LIMIT_S)
        return LW_EINVAL;
    struct lw_zone *zone = calloc(1, sizeof(*zone));
    if (zone == NULL)
        return LW_ENOMEM;
    zone->first_s = offset_s;
    *ret_zone = zone;
    return 0;
}

void
lw_zone_free(struct lw_zone *zone)
{
    free(zone);
}

/* ---- what clocks show ---- */

/* The moment (UTC, in seconds) at which clocks `offset_s` east change in this year. */
static int64_t
rule_at(const struct rule *r, int year, int offset_s)
{
    int32_t first = lw_civil_day(year, 1, 1);
    int32_t day;

    if (r->form == 'M') {
        first = lw_civil_day(year, r->month, 1);
        int weekday = (int)((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day = first + (r->weekday - weekday + 7) % 7 + 7 * (r->week - 1);
        if (!lw_civil_valid(year, r->month, day - first + 1))
            day -= 7; /* the fifth is the last, which may be the fourth */
    } else {
        day = first + (r->form == 'J' ? r->day - 1 : r->day);
        if (r->form == 'J' && r->day >= 60 && lw_civil_valid(year, 2, 29))
            day++;
    }
    return day * INT64_C(86400) + r->time_s - offset_s;
}

static int
footer_offset(const struct lw_zone *zone, int64_t t_s)
{
    if (!zone->has_summer)
        return zone->std_s;
    int year = lw_civil_at((lw_wall){t_s * LW_SECOND}, zone->std_s).year;
    int64_t begins = rule_at(&zone->begins, year, zone->std_s);
    int64_t ends = rule_at(&zone->ends, year, zone->summer_s);
    bool summer =
        begins < ends ? t_s >= begins && t_s < ends : t_s < ends || t_s >= begins;
    return summer ? zone->summer_s : zone->std_s;
}

static int
offset_at(const struct lw_zone *zone, lw_wall t)
{
    int64_t ms = t.ms < LW_WALL_FIRST ? LW_WALL_FIRST : t.ms; /* LW_WALL_MIN */
    int64_t t_s = lw_floor_to(ms, LW_SECOND) / LW_SECOND;
    size_t low = 0, high = zone->n; /* transitions before `low` are not after t */

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (zone->transition[mid].at_s <= t_s)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == zone->n && zone->has_footer)
        return footer_offset(zone, t_s);
    return low == 0 ? zone->first_s : zone->transition[low - 1].offset_s;
}

struct lw_civil
lw_zone_civil(const struct lw_zone *zone, lw_wall t)
{
    return lw_civil_at(t, offset_at(zone, t));
}

lw_wall
lw_zone_wall(const struct lw_zone *zone, int32_t day, int64_t ms_of_day)
{
    int64_t local = day * LW_DAY + ms_of_day;
    /* Offsets are less than a day, and clocks are not changed twice in two days. */
    int before_s = offset_at(zone, (lw_wall){local - LW_DAY});
    int after_s = offset_at(zone, (lw_wall){local + LW_DAY});
    lw_wall early = {local - before_s * LW_SECOND};
    lw_wall late = {local - after_s * LW_SECOND};

    /* Where clocks are put back, `early` is the first time that they show this. */
    if (offset_at(zone, early) == before_s)
        return early;
    if (offset_at(zone, late) == after_s)
        return late;
    /* Clocks skip it: `late` is before the skip and `early` after it. */
    int64_t low = late.ms, high = early.ms;
    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;
        if (offset_at(zone, (lw_wall){mid}) == before_s)
            low = mid;
        else
            high = mid;
    }
    return (lw_wall){high};
}
