/* post_cutoff: after an executed cutoff any advance of the register beyond its
 * resolution, in all since the cutoff or since what was told has ended, that no safety
 * supply on file explains. A silent meter is not dark: it neither raises nor clears. */
#include "lib/state.h"

static struct lw_evidence
evidence(const struct run *run)
{
    struct lw_evidence e = run_evidence(run);

    e.samples_expected = e.samples_good;
    e.confidence_milli = 999; /* the register counted it */
    e.finding = LW_FOUND_AFTER_CUTOFF;
    return e;
}

static void
cutoff_window(struct lw_core *core, const struct window *w)
{
    struct dark_run *dark = &core->site[w->site].dark;
    struct run *run = &dark->run;
    struct subject subject = {LW_SUBJECT_SITE, w->site};
    const struct expectation *x = &w->expected;
    struct lw_evidence found;
    int64_t mean_w = lw_muldiv(w->supply_wh, LW_HOUR, w->to - w->from);
    int64_t spare_wh;
    bool quiet;

    if (w->older)
        return;
    if (w->status != LW_CUT_OFF) {
        alarm_moot(core, LW_RULE_POST_CUTOFF, subject); /* the cutoff was lifted */
        run->from = NEVER;
        return;
    }
    if (x->unlimited)
        return;
    if (run->from == NEVER)
        *dark = (struct dark_run){.run = {.from = w->from, .to = w->from},
                                  .spare_wh = dark->spare_wh};
    run->to = w->to > run->to ? w->to : run->to;
    run->energy_wh += w->supply_wh;
    run->allowed_wh += x->allowed_wh;
    run->samples_good += w->samples_good;
    run->peak_w = mean_w > run->peak_w ? mean_w : run->peak_w;
    /* What a safety supply may draw between two steps of a coarse register is spared for
     * the next. */
    spare_wh = dark->spare_wh + x->allowed_wh - w->supply_wh;
    dark->spare_wh = clamp(spare_wh, 0, w->resolution_wh);
    if (spare_wh < 0) {
        run->excess_wh -= spare_wh;
        dark->clear_ms = 0;
    } else if (!w->partial && !x->unmeasured) {
        dark->clear_ms += w->to - w->from;
    }
    found = evidence(run);
    /* One step alone may hold what flowed before the cutoff; it is kept in mind. */
    quiet = dark->clear_ms >= w->rules->post_cutoff.clear_ms &&
            (run->excess_wh == 0 || run->excess_wh > w->resolution_wh);
    if (quiet) {
        alarm_return(core, LW_RULE_POST_CUTOFF, subject, &found);
        run->from = NEVER;
    } else if (run->excess_wh > w->resolution_wh) {
        alarm_set(core, LW_RULE_POST_CUTOFF, subject, LW_PRIORITY_URGENT, &found);
    }
}

const struct family detect_cutoff = {.window = cutoff_window};
