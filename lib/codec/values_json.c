/* JSON values that the alerts' encoders share. */
#include <string.h>

#include "values_json.h"

void
lw_json_put(json_t **object, const char *name, json_t *value)
{
    if (json_object_set_new(*object, name, value)) {
        json_decref(*object);
        *object = NULL;
    }
}

void
lw_json_append(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value)) {
        json_decref(*list);
        *list = NULL;
    }
}

json_t *
lw_json_foreign_n(const char *s, size_t n)
{
    char text[LW_JSON_FOREIGN];

    if (n > LW_JSON_FOREIGN)
        for (n = LW_JSON_FOREIGN; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
            n--;
    for (size_t i = 0; i < n; i++)
        text[i] = (unsigned char)s[i] < ' ' ? ' ' : s[i];
    return json_stringn(text, n);
}

json_t *
lw_json_foreign(const char *s)
{
    return lw_json_foreign_n(s, strlen(s));
}

json_t *
lw_json_foreign_or_null(const char *s)
{
    return *s ? lw_json_foreign(s) : json_null();
}

/* The double nearest to a short decimal prints as that decimal with 15 digits. */
json_t *
lw_json_decimal(int64_t units, int64_t per_unit, int decimals)
{
    int64_t scale = 1;
    for (int i = 0; i < decimals; i++)
        scale *= 10;
    int64_t step = per_unit > scale ? per_unit / scale : 1;
    int64_t rounded = (units < 0 ? units - step / 2 : units + step / 2) / step;

    return json_real((double)rounded / ((double)per_unit / (double)step));
}

json_t *
lw_json_kw(int64_t w)
{
    return w == LW_NOT_GIVEN ? json_null()
                             : lw_json_decimal(w, 1000, w > -10000 && w < 10000 ? 2 : 1);
}

json_t *
lw_json_kwh(int64_t wh)
{
    return wh == LW_NOT_GIVEN ? json_null() : lw_json_decimal(wh, 1000, 1);
}

json_t *
lw_json_utc(lw_wall t)
{
    char text[LW_TIME_TEXT];

    if (t.ms < LW_WALL_FIRST || t.ms > LW_WALL_LAST)
        return json_null();
    lw_wall_format(t, text);
    return json_string(text);
}

json_t *
lw_json_local(const struct lw_ledger *ledger, lw_wall t)
{
    char text[LW_TIME_TEXT];
    lw_wall_format_zone(t, ledger->zone, text);
    return json_string(text);
}
