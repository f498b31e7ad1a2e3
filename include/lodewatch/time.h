/* Time: int64 milliseconds. Wall and monotonic time are two types, so that mixing them
 * does not compile. Nothing here reads a clock. */
#ifndef LODEWATCH_TIME_H
#define LODEWATCH_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>

typedef struct {
    int64_t ms; /* since 1970-01-01T00:00:00Z, without leap seconds */
} lw_wall;

typedef struct {
    int64_t ms; /* since some fixed moment; never goes back */
} lw_mono;

#define LW_SECOND INT64_C(1000)
#define LW_MINUTE (60 * LW_SECOND)
#define LW_HOUR   (60 * LW_MINUTE)
#define LW_DAY    (24 * LW_HOUR)

/* "no time": before and after everything. */
#define LW_WALL_MIN ((lw_wall){INT64_MIN})
#define LW_WALL_MAX ((lw_wall){INT64_MAX})

/* 0001-01-01 to 9999-12-31: what RFC 3339 can write. */
#define LW_WALL_FIRST INT64_C(-62135596800000)
#define LW_WALL_LAST  INT64_C(253402300799999)

static inline lw_wall
lw_wall_add(lw_wall t, int64_t ms)
{
    return (lw_wall){t.ms + ms};
}

static inline int64_t
lw_wall_since(lw_wall t, lw_wall since)
{
    return t.ms - since.ms;
}

static inline lw_mono
lw_mono_add(lw_mono t, int64_t ms)
{
    return (lw_mono){t.ms + ms};
}

static inline int64_t
lw_mono_since(lw_mono t, lw_mono since)
{
    return t.ms - since.ms;
}

/* Largest multiple of `step` that is not above t (also before 1970). step > 0. */
int64_t lw_floor_to(int64_t t, int64_t step);

/* A civil date and time of day in some zone. */
struct lw_civil {
    int32_t day;  /* days since 1970-01-01 in that zone */
    int year;     /* 1..9999 */
    int month;    /* 1..12 */
    int mday;     /* 1..31 */
    int weekday;  /* 0 Monday .. 6 Sunday */
    int minute;   /* of the day, 0..1439 */
    int second;   /* 0..59 */
    int ms;       /* 0..999 */
    int offset_s; /* east of UTC */
};

/* The civil time at a fixed offset; moments beyond what RFC 3339 can write are taken as
 * the first or last it can. */
struct lw_civil lw_civil_at(lw_wall t, int offset_s);

/* A time zone's table. Immutable; read at the edge (TZif) and passed in. */
struct lw_zone;

/* Parses a TZif file (RFC 8536, version 1 to 4, footer included). LW_EPARSE, LW_ENOMEM.
 */
LW_MUSTCHECK
int lw_zone_new(const void *tzif, size_t n, struct lw_zone **ret_zone);
/* A zone at a fixed offset from UTC (0: UTC itself). */
LW_MUSTCHECK
int lw_zone_new_fixed(int offset_s, struct lw_zone **ret_zone);
void lw_zone_free(struct lw_zone *zone);
struct lw_civil lw_zone_civil(const struct lw_zone *zone, lw_wall t);
/* The moment at which the zone's clocks show this (the earlier one where twice; where
 * clocks skip it, the moment of the skip). */
lw_wall lw_zone_wall(const struct lw_zone *zone, int32_t day, int64_t ms_of_day);

int32_t lw_civil_day(int year, int month, int mday);
bool lw_civil_valid(int year, int month, int mday);

enum {
    LW_TIME_TEXT = 32
};

/* "2025-03-12T18:31:07Z"; milliseconds only where they are not 0. */
void lw_wall_format(lw_wall t, char text[LW_TIME_TEXT]);
/* "2025-03-13T02:31:07+08:00" in the zone (offsets of odd seconds, before the 20th
 * century's time zones, are written to the minute; the moment stays exact). */
void lw_wall_format_zone(lw_wall t, const struct lw_zone *zone, char text[LW_TIME_TEXT]);

/* What a date without a time means. */
enum lw_date_edge {
    LW_DATE_START, /* the start of that day in the zone (…_from, …_since) */
    LW_DATE_END,   /* the end of it: the start of the next day (…_to) */
};

/* Parses RFC 3339 ("2025-03-12T18:31:07.5+08:00"), and as local time of `zone`
 * "2025/3/12 8:00[:00]", "2025-03-12 08:00[:00]" and the date alone. Digits after the
 * millisecond are dropped; a leap second is the second after it. LW_EINVAL; so is local
 * time where `zone` is NULL. */
LW_MUSTCHECK
int lw_wall_parse(const char *s, size_t n, const struct lw_zone *zone,
                  enum lw_date_edge edge, lw_wall *ret_time);

#endif
