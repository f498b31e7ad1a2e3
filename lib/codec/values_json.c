/* JSON written straight into a text. */
#include <string.h>

#include <lodewatch/codec.h>
#include <lodewatch/utf8.h>

#include "values_json.h"

/* What a member or an item begins with. Nothing but an opening stands before the first:
 * strings end with their quote. */
static void
begin(struct lw_text *t, const char *name)
{
    char before = t->len > 0 ? t->data[t->len - 1] : '{';

    if (before != '{' && before != '[')
        lw_text_addn(t, ",", 1);
    if (name) {
        lw_text_addn(t, "\"", 1);
        lw_text_add(t, name);
        lw_text_addn(t, "\":", 2);
    }
}

void
put_object(struct lw_text *t, const char *name)
{
    begin(t, name);
    lw_text_addn(t, "{", 1);
}

void
end_object(struct lw_text *t)
{
    lw_text_addn(t, "}", 1);
}

void
put_list(struct lw_text *t, const char *name)
{
    begin(t, name);
    lw_text_addn(t, "[", 1);
}

void
end_list(struct lw_text *t)
{
    lw_text_addn(t, "]", 1);
}

void
put_null(struct lw_text *t, const char *name)
{
    begin(t, name);
    lw_text_addn(t, "null", 4);
}

void
put_bool(struct lw_text *t, const char *name, bool value)
{
    begin(t, name);
    lw_text_add(t, value ? "true" : "false");
}

void
put_integer(struct lw_text *t, const char *name, int64_t value)
{
    begin(t, name);
    lw_text_add_decimal(t, value, 1, 0);
}

static void
add_escaped(struct lw_text *t, unsigned char c)
{
    static const char brief[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *place = memchr(brief, c, sizeof brief - 1);
    char text[2] = {'\\'};

    if (!place) {
        lw_text_addf(t, "\\u%04X", c);
        return;
    }
    text[1] = letter[place - brief];
    lw_text_addn(t, text, 2);
}

/* Quoted, with all escaped that RFC 8259 asks for. */
static void
add_quoted(struct lw_text *t, const char *s, size_t n)
{
    const char *end = s + n;

    lw_text_addn(t, "\"", 1);
    while (s < end) {
        const char *plain = s;

        while (s < end && (unsigned char)*s >= ' ' && *s != '"' && *s != '\\')
            s++;
        lw_text_addn(t, plain, (size_t)(s - plain));
        if (s < end)
            add_escaped(t, (unsigned char)*s++);
    }
    lw_text_addn(t, "\"", 1);
}

void
lw_text_add_json(struct lw_text *t, const char *s)
{
    size_t n = strlen(s);

    add_quoted(t, s, lw_utf8_valid(s, n) == n ? n : 0);
}

void
put_text(struct lw_text *t, const char *name, const char *s)
{
    if (!s) {
        put_null(t, name);
        return;
    }
    begin(t, name);
    add_quoted(t, s, strlen(s));
}

void
put_foreign_n(struct lw_text *t, const char *name, const char *s, size_t n)
{
    char text[JSON_FOREIGN];

    if (n > JSON_FOREIGN)
        for (n = JSON_FOREIGN; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
            n--;
    for (size_t i = 0; i < n; i++)
        text[i] = (unsigned char)s[i] < ' ' ? ' ' : s[i];
    begin(t, name);
    add_quoted(t, text, n);
}

void
put_foreign(struct lw_text *t, const char *name, const char *s)
{
    put_foreign_n(t, name, s, strlen(s));
}

void
put_foreign_or_null(struct lw_text *t, const char *name, const char *s)
{
    if (*s)
        put_foreign(t, name, s);
    else
        put_null(t, name);
}

void
put_decimal(struct lw_text *t, const char *name, int64_t units, int64_t per_unit,
            int decimals)
{
    begin(t, name);
    lw_text_add_decimal(t, units, per_unit, decimals);
    while (!t->cut && decimals-- > 1 && t->data[t->len - 1] == '0')
        t->data[--t->len] = '\0';
}

void
put_kw(struct lw_text *t, const char *name, int64_t w)
{
    if (w == LW_NOT_GIVEN)
        put_null(t, name);
    else
        put_decimal(t, name, w, 1000, w > -10000 && w < 10000 ? 2 : 1);
}

void
put_kwh(struct lw_text *t, const char *name, int64_t wh)
{
    if (wh == LW_NOT_GIVEN)
        put_null(t, name);
    else
        put_decimal(t, name, wh, 1000, wh > -10000 && wh < 10000 ? 2 : 1);
}

void
put_utc(struct lw_text *t, const char *name, lw_wall time)
{
    char text[LW_TIME_TEXT];

    if (time.ms < LW_WALL_FIRST || time.ms > LW_WALL_LAST) {
        put_null(t, name);
        return;
    }
    lw_wall_format(time, text);
    put_text(t, name, text);
}

void
put_local(struct lw_text *t, const char *name, const struct lw_ledger *ledger,
          lw_wall time)
{
    char text[LW_TIME_TEXT];

    lw_wall_format_zone(time, ledger->zone, text);
    put_text(t, name, text);
}
