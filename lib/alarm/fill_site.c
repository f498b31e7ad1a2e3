/* What alerts tell of their site: its status, which explanations were checked and why
 * each did not suffice, and its licences. */
#include "filler.h"

enum {
    EXPLANATIONS_TOLD = 3
};

void
fill_status_name(struct filler *f)
{
    if (f->site) {
        int status = (int)lw_site_status_at(f->site, lw_alert_moment(f->alert));
        lw_text_add(f->out, (f->zh ? lw_enum_zh : lw_enum_en)(LW_ENUM_STATUS, status));
    }
}

void
fill_status(struct filler *f)
{
    if (!f->site)
        return;
    bool begun = lw_alert_moment(f->alert).ms >= f->site->status_since.ms;
    fill_phrase(f, STATUS);
    if (begun && f->site->status_since.ms != LW_WALL_MIN.ms)
        fill_phrase(f, SINCE);
    if (begun && *f->site->status_document)
        fill_phrase(f, DOCUMENT);
    fill_phrase(f, STOP);
}

/* Those in force, sufficient or not, first, then the others, each in the ledger's order.
 */
void
fill_explanations(struct filler *f)
{
    static const enum phrase phrase[] = {
        [LW_CHECKED_IN_FORCE] = IN_FORCE,
        [LW_CHECKED_NOT_YET] = NOT_YET,
        [LW_CHECKED_EXPIRED] = EXPIRED,
        [LW_CHECKED_EXCEEDED] = EXCEEDED,
        [LW_CHECKED_OUTSIDE_HOURS] = OUTSIDE_HOURS,
        [LW_CHECKED_BEYOND_WATER] = BEYOND_WATER,
    };
    int32_t told = 0;

    if (!f->site)
        return;
    if (f->site->explanation_n == 0) {
        fill_phrase(f, NOTHING_ON_FILE);
        return;
    }
    for (int others = 0; others < 2; others++)
        for (int32_t i = 0; i < f->site->explanation_n && told < EXPLANATIONS_TOLD; i++) {
            f->explanation =
                &f->alert->ledger->explanation[f->site->explanation_first + i];
            enum lw_checked checked = lw_explanation_checked(f->alert, f->explanation);
            bool measured = f->explanation->point != LW_NONE;
            if (lw_checked_holds(checked) == (others == 1))
                continue;
            fill_phrase(f, told++ == 0 ? ON_FILE : SEMICOLON);
            fill_phrase(f, checked == LW_CHECKED_IN_FORCE && measured ? MEASURED
                                                                      : phrase[checked]);
        }
    f->more = f->site->explanation_n - told;
    if (f->more > 0)
        fill_phrase(f, MORE);
    fill_phrase(f, STOP);
}

/* The ceilings in force together, of what no sub-meter measures; 0: none. */
static int64_t
ceilings_w(const struct filler *f)
{
    int64_t sum = 0;

    for (int32_t i = 0; f->site && i < f->site->explanation_n; i++) {
        const struct lw_explanation *e =
            &f->alert->ledger->explanation[f->site->explanation_first + i];

        if (e->max_w != LW_NOT_GIVEN && e->point == LW_NONE &&
            lw_checked_holds(lw_explanation_checked(f->alert, e)))
            sum += e->max_w;
    }
    return sum;
}

void
fill_beneath(struct filler *f)
{
    if (f->alert->alarm->evidence.peak_w <= ceilings_w(f))
        fill_phrase(f, BENEATH);
}

void
fill_within(struct filler *f)
{
    int64_t w = ceilings_w(f);

    fill_phrase(f, w == 0                                  ? UNLIKE
                   : f->alert->alarm->evidence.peak_w <= w ? WITHIN_CEILINGS
                                                           : ABOVE_CEILINGS);
}

void
fill_what(struct filler *f)
{
    lw_text_add(f->out, (f->zh ? lw_enum_zh : lw_enum_en)(LW_ENUM_EXPLANATION,
                                                          (int)f->explanation->kind));
}

void
fill_limit(struct filler *f)
{
    if (f->explanation->max_w != LW_NOT_GIVEN)
        fill_phrase(f, LIMIT);
}

void
fill_licence(struct filler *f)
{
    fill_phrase(f, f->licence_kind == LW_LICENCE_MINING ? MINING : SAFETY);
}

/* Which are missing: evidence.detail2, bit 0 mining, bit 1 safety. */
void
fill_licences(struct filler *f)
{
    int64_t missing = f->alert->alarm->evidence.detail2;

    if (missing & 1)
        fill_phrase(f, MINING);
    if ((missing & 3) == 3)
        fill_phrase(f, BOTH_MISSING);
    if (missing & 2)
        fill_phrase(f, SAFETY);
}

/* A site may also not produce by its status alone, with both licences in force. */
void
fill_unlicensed(struct filler *f)
{
    fill_phrase(f, f->alert->alarm->evidence.detail2 & 3 ? UNLICENSED : BY_STATUS);
}

void
fill_licence_states(struct filler *f)
{
    static const enum phrase phrase[] = {
        [LW_CHECKED_NONE] = NONE_ON_FILE,
        [LW_CHECKED_NOT_YET] = LICENCE_FROM,
        [LW_CHECKED_EXPIRED] = LICENCE_TO,
    };

    for (int kind = LW_LICENCE_MINING; kind <= LW_LICENCE_SAFETY; kind++) {
        f->licence_kind = (enum lw_licence_kind)kind;
        enum lw_checked checked =
            lw_licence_checked(f->alert, f->licence_kind, &f->licence);
        if (checked == LW_CHECKED_IN_FORCE)
            continue;
        fill_phrase(f, phrase[checked]);
        fill_phrase(f, STOP);
    }
}
