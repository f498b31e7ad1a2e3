/* Numbers, durations, times and names in the form in which people read them. */
#include <inttypes.h>
#include <string.h>

#include "sentences.h"

enum {
    FOREIGN_MAX = 120
};

/* value / per_unit with at most so many decimals, none of them a needless 0. */
static void
add_number(struct lw_text *out, int64_t value, int64_t per_unit, int decimals)
{
    int64_t step = per_unit;
    for (int i = 0; i < decimals; i++)
        step /= 10;
    int64_t rounded = (value < 0 ? value - step / 2 : value + step / 2) / step;

    for (; decimals > 0 && rounded % 10 == 0; decimals--)
        rounded /= 10;
    lw_text_add_decimal(out, value, per_unit, decimals);
}

void
lw_form_kw(struct lw_text *out, int64_t w)
{
    add_number(out, w, 1000, w > -10000 && w < 10000 ? 2 : 1);
}

void
lw_form_kwh(struct lw_text *out, int64_t wh)
{
    add_number(out, wh, 1000, wh > -10000 && wh < 10000 ? 2 : 1);
}

/* Minutes up to two hours, hours up to two days, then days. */
void
lw_form_duration(struct lw_text *out, int64_t ms, bool zh)
{
    static const struct {
        int64_t from, unit;
        const char *zh, *en;
    } units[] = {
        {2 * LW_DAY, LW_DAY, "天", " day"},
        {2 * LW_HOUR, LW_HOUR, "小时", " hour"},
        {0, LW_MINUTE, "分钟", " minute"},
    };
    size_t i = 0;
    while (ms < units[i].from && i + 1 < sizeof units / sizeof *units)
        i++;
    /* Tenths; whole minutes. */
    int64_t tenths = (ms * 10 + units[i].unit / 2) / units[i].unit;
    if (units[i].unit == LW_MINUTE)
        tenths = (tenths + 5) / 10 * 10;
    add_number(out, tenths, 10, 1);
    lw_text_add(out, zh ? units[i].zh : units[i].en);
    if (!zh && tenths != 10)
        lw_text_add(out, "s");
}

void
lw_form_step(struct lw_text *out, int64_t wh)
{
    lw_form_kwh(out, wh < 0 ? -wh : wh);
}

void
lw_form_meters(struct lw_text *out, int64_t n, bool zh)
{
    lw_text_addf(out, "%" PRId64 "%s", n, zh ? "块电表" : n == 1 ? " meter" : " meters");
}

void
lw_form_drift(struct lw_text *out, int64_t ms, bool zh)
{
    if (zh)
        lw_text_add(out, ms < 0 ? "慢" : "快");
    lw_form_duration(out, ms < 0 ? -ms : ms, zh);
    if (!zh)
        lw_text_add(out, ms < 0 ? " slow" : " fast");
}

void
lw_form_phases(struct lw_text *out, int64_t lost, bool zh)
{
    const char *before = zh ? "" : "phase ";

    if ((lost & 7) == 0)
        lost >>= 3;
    for (int p = 0; p < 3; p++)
        if (lost >> p & 1) {
            lw_text_addf(out, "%s%c", before, 'A' + p);
            before = zh ? "、" : ", ";
        }
    if (zh)
        lw_text_add(out, "相");
}

void
lw_form_time(struct lw_text *out, const struct lw_zone *zone, lw_wall t)
{
    struct lw_civil c = lw_zone_civil(zone, t);
    lw_text_addf(out, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.mday, c.minute / 60,
                 c.minute % 60);
}

static void
add_water(struct lw_text *out, const struct lw_evidence *e, bool zh)
{
    lw_text_add(out, zh ? "不确定度" : "an uncertainty of ");
    lw_form_kw(out, e->detail2);
    lw_text_add(out, zh ? "千瓦" : " kW");
    if (e->detail == LW_NOT_GIVEN)
        return;
    lw_text_add(out, zh ? "，近7天降雨" : " and ");
    add_number(out, e->detail, 1000, 1);
    lw_text_add(out, zh ? "毫米" : " mm of rain in the last 7 days");
}

static void
add_peers(struct lw_text *out, const struct lw_evidence *e, bool zh)
{
    lw_text_addf(out, zh ? "%" PRId64 "处，中位数" : "%" PRId64 ", with a median of ",
                 e->detail2);
    lw_form_kw(out, e->detail);
    lw_text_add(out, zh ? "千瓦" : " kW");
}

void
lw_form_basis(struct lw_text *out, const struct lw_alert *alert, bool zh)
{
    const struct lw_evidence *e = &alert->alarm->evidence;

    if (e->finding == LW_FOUND_UNLIKE_PEERS)
        add_peers(out, e, zh);
    else
        add_water(out, e, zh);
}

void
lw_form_foreign(struct lw_text *out, const char *s)
{
    size_t n = strlen(s);
    bool cut = n > FOREIGN_MAX;

    if (cut)
        for (n = FOREIGN_MAX; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
            n--;
    for (size_t i = 0; i < n; i++)
        lw_text_addn(out, (unsigned char)s[i] < ' ' ? " " : s + i, 1);
    if (cut)
        lw_text_add(out, "…");
}
