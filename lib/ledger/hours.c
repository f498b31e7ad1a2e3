/* When an explanation holds: hours of the week and holidays, and a site's status. */
#include <stdlib.h>
#include <string.h>

#include <lodewatch/ledger.h>

enum {
    DAILY = 0xff,
    SUNDAY = 1 << 6,
    HOLIDAY = 1 << 7
};

enum token_kind {
    TOKEN_DAY,
    TOKEN_DASH,
    TOKEN_COMMA,
    TOKEN_END
};

/* What stands between the times: names of days (with their bits) and the marks, as people
 * write them in English and in Chinese. Of two that begin alike the longer comes first.
 */
static const struct {
    const char *text;
    enum token_kind kind;
    uint8_t days;
} tokens[] = {
    {"weekdays", TOKEN_DAY, 0x1f},
    {"holidays", TOKEN_DAY, 0x80},
    {"holiday", TOKEN_DAY, 0x80},
    {"weekend", TOKEN_DAY, 0x60},
    {"monday", TOKEN_DAY, 0x01},
    {"tuesday", TOKEN_DAY, 0x02},
    {"wednesday", TOKEN_DAY, 0x04},
    {"thursday", TOKEN_DAY, 0x08},
    {"friday", TOKEN_DAY, 0x10},
    {"saturday", TOKEN_DAY, 0x20},
    {"sunday", TOKEN_DAY, 0x40},
    {"daily", TOKEN_DAY, 0xff},
    {"mon", TOKEN_DAY, 0x01},
    {"tue", TOKEN_DAY, 0x02},
    {"wed", TOKEN_DAY, 0x04},
    {"thu", TOKEN_DAY, 0x08},
    {"fri", TOKEN_DAY, 0x10},
    {"sat", TOKEN_DAY, 0x20},
    {"sun", TOKEN_DAY, 0x40},
    {"星期一", TOKEN_DAY, 0x01},
    {"星期二", TOKEN_DAY, 0x02},
    {"星期三", TOKEN_DAY, 0x04},
    {"星期四", TOKEN_DAY, 0x08},
    {"星期五", TOKEN_DAY, 0x10},
    {"星期六", TOKEN_DAY, 0x20},
    {"星期日", TOKEN_DAY, 0x40},
    {"星期天", TOKEN_DAY, 0x40},
    {"周一", TOKEN_DAY, 0x01},
    {"周二", TOKEN_DAY, 0x02},
    {"周三", TOKEN_DAY, 0x04},
    {"周四", TOKEN_DAY, 0x08},
    {"周五", TOKEN_DAY, 0x10},
    {"周六", TOKEN_DAY, 0x20},
    {"周日", TOKEN_DAY, 0x40},
    {"周天", TOKEN_DAY, 0x40},
    {"周末", TOKEN_DAY, 0x60},
    {"工作日", TOKEN_DAY, 0x1f},
    {"节假日", TOKEN_DAY, 0x80},
    {"法定节假日", TOKEN_DAY, 0x80},
    {"每天", TOKEN_DAY, 0xff},
    {"每日", TOKEN_DAY, 0xff},
    {"-", TOKEN_DASH, 0},
    {"–", TOKEN_DASH, 0},
    {"—", TOKEN_DASH, 0},
    {"~", TOKEN_DASH, 0},
    {"～", TOKEN_DASH, 0},
    {"至", TOKEN_DASH, 0},
    {"到", TOKEN_DASH, 0},
    {",", TOKEN_COMMA, 0},
    {"，", TOKEN_COMMA, 0},
    {"、", TOKEN_COMMA, 0},
    {";", TOKEN_END, 0},
    {"；", TOKEN_END, 0},
};

struct reader {
    const char *s;
    size_t n;
    size_t at;
};

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void
skip_blanks(struct reader *r)
{
    while (r->at < r->n && (r->s[r->at] == ' ' || r->s[r->at] == '\t'))
        r->at++;
}

/* Takes the text if it comes next. */
static bool
take(struct reader *r, const char *text)
{
    size_t i = 0;
    while (text[i] != '\0') {
        if (r->at + i >= r->n || lower(r->s[r->at + i]) != text[i])
            return false;
        i++;
    }
    r->at += i;
    return true;
}

/* Takes the next token of that kind: its index, or -1. */
static int
take_token(struct reader *r, enum token_kind kind)
{
    skip_blanks(r);
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        if (tokens[i].kind == kind && take(r, tokens[i].text))
            return (int)i;
    }
    return -1;
}

static int
take_digits(struct reader *r)
{
    int v = 0, n = 0;
    while (r->at < r->n && r->s[r->at] >= '0' && r->s[r->at] <= '9' && n < 2) {
        v = v * 10 + (r->s[r->at] - '0');
        r->at++;
        n++;
    }
    return n > 0 ? v : -1;
}

/* "8:00" to "24:00": the minute of the day. -1: not a time, and where it began. */
static int
take_time(struct reader *r)
{
    skip_blanks(r);
    size_t start = r->at;
    int hour = take_digits(r);
    if (hour >= 0 && (take(r, ":") || take(r, "："))) {
        size_t minute_at = r->at;
        int minute = take_digits(r);
        if (r->at == minute_at + 2 && minute < 60 && hour * 60 + minute <= 1440)
            return hour * 60 + minute;
    }
    r->at = start;
    return -1;
}

/* Is it one day of the week? */
static bool
is_weekday(int days)
{
    return days <= SUNDAY && (days & (days - 1)) == 0;
}

/* "Mon-Fri,Holiday": bits; 0 where no day is named, -1 where what is begun does not end.
 */
static int
take_days(struct reader *r)
{
    int days = 0;
    int token = take_token(r, TOKEN_DAY);
    while (token >= 0) {
        int first = tokens[token].days;
        if (take_token(r, TOKEN_DASH) >= 0) {
            token = take_token(r, TOKEN_DAY);
            if (token < 0 || !is_weekday(first) || !is_weekday(tokens[token].days))
                return -1;
            /* Sat-Mon goes round the week's end. */
            for (int day = first; day != tokens[token].days;
                 day = day == SUNDAY ? 1 : day << 1) {
                days |= day;
            }
        }
        days |= tokens[token].days;
        if (take_token(r, TOKEN_COMMA) < 0)
            break;
        token = take_token(r, TOKEN_DAY);
        if (token < 0)
            return -1;
    }
    return days;
}

static int
take_span(struct reader *r, int days, struct lw_hours *hours)
{
    int from = take_time(r);
    if (from < 0 || from == 1440 || take_token(r, TOKEN_DASH) < 0)
        return LW_EPARSE;
    int to = take_time(r);
    if (to < 0 || hours->n == LW_HOURS_SPANS)
        return LW_EPARSE;
    hours->span[hours->n].days = (uint8_t)days;
    hours->span[hours->n].from = (int16_t)from;
    hours->span[hours->n].to = (int16_t)(to == 0 ? 1440 : to);
    hours->n++;
    return 0;
}

int
lw_hours_parse(const char *s, size_t n, struct lw_hours *ret_hours, size_t *ret_column)
{
    struct reader r = {s, n, 0};
    struct lw_hours hours = {0};
    skip_blanks(&r);
    while (r.at < r.n) {
        int days = take_days(&r);
        if (days < 0)
            goto fault;
        do {
            if (take_span(&r, days == 0 ? DAILY : days, &hours) < 0)
                goto fault;
        } while (take_token(&r, TOKEN_COMMA) >= 0);
        if (take_token(&r, TOKEN_END) < 0 && r.at < r.n)
            goto fault;
        skip_blanks(&r);
    }
    *ret_hours = hours;
    return 0;
fault:
    *ret_column = r.at + 1;
    return LW_EPARSE;
}

static int
compare_days(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

bool
lw_ledger_is_holiday(const struct lw_ledger *ledger, int32_t day)
{
    return ledger->nholidays > 0 &&
           bsearch(&day, ledger->holidays, (size_t)ledger->nholidays, sizeof(day),
                   compare_days) != NULL;
}

static uint8_t
day_bit(const struct lw_ledger *ledger, int32_t day, int weekday)
{
    return (uint8_t)(lw_ledger_is_holiday(ledger, day) ? HOLIDAY : 1 << weekday);
}

bool
lw_hours_at(const struct lw_ledger *ledger, const struct lw_hours *hours, lw_wall t)
{
    if (hours->n == 0)
        return true;
    struct lw_civil c = lw_zone_civil(ledger->zone, t);
    uint8_t today = day_bit(ledger, c.day, c.weekday);
    uint8_t before = day_bit(ledger, c.day - 1, (c.weekday + 6) % 7);
    for (int i = 0; i < hours->n; i++) {
        int from = hours->span[i].from, to = hours->span[i].to;
        bool crosses = to <= from;
        if ((hours->span[i].days & today) != 0 && c.minute >= from &&
            (crosses || c.minute < to)) {
            return true;
        }
        if (crosses && (hours->span[i].days & before) != 0 && c.minute < to)
            return true;
    }
    return false;
}
