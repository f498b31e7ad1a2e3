/* A stored reading as JSON: what `lodewatch export` writes and the API answers. */
#include <lodewatch/codec.h>

void
lw_reading_json(struct lw_text *t, const char *meter, const struct lw_reading *r)
{
    char time[LW_TIME_TEXT];

    lw_wall_format(r->time, time);
    lw_text_addf(t, "{\"time\":\"%s\",\"meter_id\":", time);
    lw_text_add_json(t, meter);
    lw_text_addf(t, ",\"quality\":\"%s\"", lw_quality_name(lw_reading_quality(r)));
    for (int q = 0; q < LW_QUANTITIES; q++) {
        const struct lw_quantity_info *info = lw_quantity_info((enum lw_quantity)q);

        if (!lw_reading_has(r, (enum lw_quantity)q))
            continue;
        lw_text_addf(t, ",\"%s\":", info->name);
        lw_text_add_decimal(t, r->value[q], info->per_unit, info->decimals);
    }
    if (r->q & LW_MARK_LATE)
        lw_text_add(t, ",\"late\":true");
    lw_text_add(t, "}");
}
