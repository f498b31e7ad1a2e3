/* What fills the {places} of an alert's sentences; fill.c has the table of them. */
#ifndef LIB_ALARM_FILLER_H
#define LIB_ALARM_FILLER_H

#include <lodewatch/text.h>
#include <lodewatch/tip_off.h>

#include "sentences.h"

/* What the places are filled from. */
struct filler {
    struct lw_text *out;
    const struct lw_alert *alert;
    const struct lw_tip_off *tip_off; /* or NULL: it is an alert */
    const struct lw_site *site;       /* or NULL */
    bool zh;
    const struct sentences *sentences;
    const struct lw_explanation *explanation; /* the one being told of */
    int32_t more;
    const struct lw_licence *licence;
    enum lw_licence_kind licence_kind;
};

/* Adds a phrase, its own places filled. */
void fill_phrase(struct filler *f, enum phrase phrase);

void fill_status_name(struct filler *f);
void fill_status(struct filler *f);
void fill_explanations(struct filler *f);
void fill_beneath(struct filler *f);
void fill_within(struct filler *f);
void fill_what(struct filler *f);
void fill_limit(struct filler *f);
void fill_licence(struct filler *f);
void fill_licences(struct filler *f);
void fill_unlicensed(struct filler *f);
void fill_licence_states(struct filler *f);

#endif
