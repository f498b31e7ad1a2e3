/* process_share: at a mine that is to be kept and not to produce, pumps and fans with
 * meters of their own should be most of its load. Over a day, too much of it is neither
 * they nor anything else that is explained: hoists and transport. */
#include "lib/state.h"

/* What was measured is measured; what it was used for is inferred. */
enum {
    SURE = 900
};

/* Drainage or ventilation with a sub-meter, in force: what the rest is compared with. */
static bool
is_kept(const struct lw_core *core, const struct lw_site *site, int64_t at)
{
    for (int32_t i = site->explanation_first;
         i < site->explanation_first + site->explanation_n; i++) {
        const struct lw_explanation *e = &core->ledger->explanation[i];

        if ((e->kind == LW_DEWATERING || e->kind == LW_VENTILATION) &&
            e->point != LW_NONE && e->from.ms <= at && at < e->to.ms)
            return true;
    }
    return false;
}

static bool
concerns(const struct lw_core *core, const struct window *w)
{
    const struct lw_site *site = &core->ledger->site[w->site];

    return site_is_mine(site->kind) &&
           (w->status == LW_SUSPENDED || w->status == LW_MAINTENANCE ||
            w->status == LW_RELOCATING) &&
           is_kept(core, site, w->from);
}

/* The day is whole: judge it, and begin the next. */
static void
close_day(struct lw_core *core, const struct window *w, struct share *s)
{
    struct subject subject = {LW_SUBJECT_SITE, w->site};
    int64_t other_wh = s->wh - s->allowed_wh;
    struct lw_evidence e = {
        .from = {w->to - s->ms},
        .to = {w->to},
        .mean_w = lw_muldiv(s->wh, LW_HOUR, s->ms),
        .energy_wh = s->wh,
        .expected_w = lw_muldiv(s->allowed_wh, LW_HOUR, s->ms),
        .excess_wh = other_wh,
        .peak_w = s->peak_w,
        .samples_expected = (uint32_t)(s->ms / core->site[w->site].interval),
        .samples_good = (uint32_t)s->windows,
        .confidence_milli = SURE,
        .finding = LW_FOUND_PROCESS_SHARE,
    };

    if (other_wh >= w->rules->process_share.least_wh &&
        other_wh > lw_muldiv(s->wh, w->rules->process_share.share_milli, 1000))
        alarm_set(core, LW_RULE_PROCESS_SHARE, subject,
                  alarm_site_priority(core, w->site), &e);
    else
        alarm_return(core, LW_RULE_PROCESS_SHARE, subject, &e);
    *s = (struct share){0};
}

static void
share_window(struct lw_core *core, const struct window *w)
{
    struct share *s = &core->site[w->site].share;
    const struct expectation *x = &w->expected;
    int64_t mean_w = lw_muldiv(w->supply_wh, LW_HOUR, w->to - w->from);

    if (w->older)
        return;
    if (!concerns(core, w)) {
        alarm_moot(core, LW_RULE_PROCESS_SHARE,
                   (struct subject){LW_SUBJECT_SITE, w->site});
        *s = (struct share){0};
        return;
    }
    if (w->partial || x->unmeasured || x->unlimited)
        return;
    s->ms += w->to - w->from;
    s->wh += w->supply_wh;
    s->windows++;
    if (mean_w > s->peak_w)
        s->peak_w = mean_w;
    s->allowed_wh += x->allowed_wh < w->supply_wh ? x->allowed_wh : w->supply_wh;
    if (s->ms >= w->rules->process_share.over_ms)
        close_day(core, w, s);
}

const struct family detect_share = {.window = share_window};
