/* A site with its points and meters, as the API shows it. */
#include <lodewatch/codec.h>

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static json_t *
text_or_null(const char *s)
{
    return s[0] == '\0' ? json_null() : json_string(s);
}

static json_t *
time_or_null(lw_wall t)
{
    char text[LW_TIME_TEXT];

    if (t.ms < LW_WALL_FIRST || t.ms > LW_WALL_LAST)
        return json_null();
    lw_wall_format(t, text);
    return json_string(text);
}

/* W as kW, Wh as kWh. */
static json_t *
kilo_or_null(int64_t value)
{
    return value == LW_NOT_GIVEN ? json_null() : json_real((double)value / 1000);
}

static json_t *
meter_json(const struct lw_core *core, int32_t index)
{
    const struct lw_ledger *ledger = lw_core_ledger(core);
    const struct lw_meter *meter = &ledger->meter[index];
    struct lw_meter_view view;

    lw_core_meter(core, index, &view);
    return json_pack(
        "{s:s, s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "id", meter->id, "gateway",
        meter->gateway == LW_NONE ? json_null()
                                  : json_string(ledger->gateway[meter->gateway].id),
        "unit", (int)meter->unit, "profile", meter->profile, "installed_at",
        time_or_null(meter->installed), "removed_at", time_or_null(meter->removed),
        "last_good", time_or_null(view.last_good), "power_kw", kilo_or_null(view.power_w),
        "import_kwh", kilo_or_null(view.import_wh), "failures",
        (json_int_t)view.failures);
}

/* Takes `item` over; -1 where it is NULL. */
static int
append(json_t *list, json_t *item)
{
    return json_array_append_new(list, item);
}

static json_t *
point_json(const struct lw_core *core, int32_t index)
{
    const struct lw_ledger *ledger = lw_core_ledger(core);
    const struct lw_metering_point *point = &ledger->point[index];
    json_t *meters = json_array();
    int rc = meters == NULL ? -1 : 0;

    for (int32_t i = 0; i < point->meter_n && rc == 0; i++)
        rc = append(meters, meter_json(core, point->meter_first + i));
    if (rc != 0) {
        json_decref(meters);
        return NULL;
    }
    return json_pack(
        "{s:s, s:s, s:o, s:o}", "id", point->id, "role",
        lw_enum_name(LW_ENUM_ROLE, (int)point->role), "parent",
        text_or_null(point->parent == LW_NONE ? "" : ledger->point[point->parent].id),
        "meters", meters);
}

static json_t *
area_json(const struct lw_ledger *ledger, int32_t index)
{
    if (index == LW_NONE)
        return json_null();
    const struct lw_area *area = &ledger->area[index];
    return json_pack("{s:s, s:s, s:o}", "id", area->id, "name", area->name, "name_en",
                     text_or_null(area->name_en));
}

static json_t *
balance_json(const struct lw_core *core, int32_t site)
{
    struct lw_site_view view;

    lw_core_site(core, site, &view);
    if (view.from.ms == LW_WALL_MIN.ms)
        return json_null(); /* no interval has closed yet */
    return json_pack("{s:o, s:o, s:o, s:o}", "from", time_or_null(view.from), "to",
                     time_or_null(view.to), "mean_kw", kilo_or_null(view.mean_w),
                     "expected_kw", kilo_or_null(view.expected_w));
}

static json_t *
position_json(const struct lw_site *site)
{
    if (!site->has_position)
        return json_null();
    return json_pack("{s:f, s:f, s:o}", "lat", site->lat_udeg / 1e6, "lon",
                     site->lon_udeg / 1e6, "datum",
                     site->datum == LW_DATUM_NONE
                         ? json_null()
                         : json_string(lw_enum_name(LW_ENUM_DATUM, (int)site->datum)));
}

/* Writes `json`, which it takes over, into text. */
static int
dump(json_t *json, char *text, size_t cap, size_t *ret_n)
{
    size_t n;

    if (json == NULL)
        return LW_ENOMEM;
    n = json_dumpb(json, text, cap, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(json);
    if (n == 0 || n > cap)
        return n == 0 ? LW_ENOMEM : LW_EFULL;
    *ret_n = n;
    return 0;
}

int
lw_site_json(const struct lw_core *core, int32_t site, lw_wall now,
             char text[LW_SITE_TEXT], size_t *ret_n)
{
    const struct lw_ledger *ledger = lw_core_ledger(core);
    const struct lw_site *s = &ledger->site[site];
    json_t *points = json_array();
    int rc = points == NULL ? -1 : 0;

    for (int32_t i = 0; i < s->point_n && rc == 0; i++)
        rc = append(points, point_json(core, s->point_first + i));
    if (rc != 0) {
        json_decref(points);
        return LW_ENOMEM;
    }
    return dump(json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
                          s->id, "name", s->name, "name_en", text_or_null(s->name_en),
                          "kind", lw_enum_name(LW_ENUM_SITE_KIND, (int)s->kind), "status",
                          lw_enum_name(LW_ENUM_STATUS, (int)lw_site_status_at(s, now)),
                          "status_since", time_or_null(s->status_since), "area",
                          area_json(ledger, s->area), "position", position_json(s),
                          "balance", balance_json(core, site), "points", points),
                text, LW_SITE_TEXT, ret_n);
}
