/* What alerts about feeders tell from the ledger: the site that lost a load, silent
 * meters, sites to look at first. */
#include <inttypes.h>

#include "sentences.h"

void
lw_form_site(struct lw_text *out, const struct lw_site *site, bool zh)
{
    const char *name = zh || !*site->name_en ? site->name : site->name_en;

    lw_form_foreign(out, *name ? name : site->id);
}

void
lw_form_other_site(struct lw_text *out, const struct lw_alert *alert, bool zh)
{
    int32_t other = alert->alarm->evidence.other;

    if (other > 0)
        lw_form_site(out, &alert->ledger->site[other - 1], zh);
}

void
lw_form_other_status(struct lw_text *out, const struct lw_alert *alert, bool zh)
{
    int32_t other = alert->alarm->evidence.other;
    lw_wall at = lw_alert_moment(alert);

    if (other > 0)
        lw_text_add(out, (zh ? lw_enum_zh : lw_enum_en)(
                             LW_ENUM_STATUS, (int)lw_site_status_at(
                                                 &alert->ledger->site[other - 1], at)));
}

void
lw_form_silent_children(struct lw_text *out, const struct lw_alert *alert, bool zh)
{
    const struct lw_evidence *e = &alert->alarm->evidence;
    int named = 0;

    if (e->nsilent == 0) {
        lw_text_add(out, lw_phrase(ALL_HEARD, zh));
        return;
    }
    lw_text_add(out, lw_phrase(SILENT_CHILDREN, zh));
    for (int i = 0; i < LW_SILENT_NAMED; i++) {
        if (e->silent[i] <= 0)
            continue;
        if (named++ > 0)
            lw_text_add(out, lw_phrase(COMMA, zh));
        lw_form_foreign(out, alert->ledger->point[e->silent[i] - 1].id);
    }
    if (e->nsilent > named) {
        lw_text_add(out, lw_phrase(AND_MORE, zh));
        lw_text_addf(out, "%" PRIu16 "%s", e->nsilent, zh ? "块" : "");
    }
    lw_text_add(out, lw_phrase(STOP, zh));
}

void
lw_form_candidates(struct lw_text *out, const struct lw_alert *alert, bool zh)
{
    struct lw_candidate candidate[LW_CANDIDATES];
    int n = lw_feeder_candidates(alert, candidate);

    if (n == 0)
        return;
    lw_text_add(out, lw_phrase(CANDIDATES, zh));
    for (int i = 0; i < n; i++) {
        const struct lw_site *site = &alert->ledger->site[candidate[i].site];
        int status = (int)lw_site_status_at(site, lw_alert_moment(alert));

        if (i > 0)
            lw_text_add(out, lw_phrase(COMMA, zh));
        lw_form_site(out, site, zh);
        lw_text_addf(out, zh ? "（%s）" : " (%s)",
                     (zh ? lw_enum_zh : lw_enum_en)(LW_ENUM_STATUS, status));
    }
    lw_text_add(out, lw_phrase(STOP, zh));
}
