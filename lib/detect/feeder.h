/* What the files about feeders share: a feeder's residual is what its own meter counts
 * and none of its children does, less the technical loss that was learned. */
#ifndef LIB_DETECT_FEEDER_H
#define LIB_DETECT_FEEDER_H

#include "lib/state.h"

enum {
    FEEDER_LAGS = 14,
    FEEDER_RING = 194, /* intervals that are kept: the longest lag and a little */
    LEARN_EVERY = 8,   /* intervals of a window that the loss is learned from */
    LOSS_TERMS = 3,
    SHIFT_HOURS = 8,
};

/* Window lengths that are judged, in intervals: of 15 minutes, up to two days. */
extern const int feeder_lag[FEEDER_LAGS];

/* A register at the feeder's boundaries. */
struct gauge {
    int32_t row;  /* of meters.csv: whose register it is; LW_NONE */
    bool awaited; /* the open boundary waits for it */
    bool away;    /* it was waited for in vain; it is not again until it answers */
    bool broken;  /* between `at` and the marks some energy was not counted */
    struct boundary mark[BOUNDARIES];
    int64_t newest; /* the last boundary for which there was an answer, good or not */
    int64_t at;     /* the last boundary that is accounted for; NEVER */
    int64_t wh;     /* the register there */
};

/* Without its marks, which are of its row: where there is none, there are none. */
void gauge_clear(struct gauge *g);

/* Whether it draws what another lost: until that is told, hours on end for which it has
 * been so; while it stands, for which it has not. */
struct follower {
    uint8_t hours;
};

/* A metering point below a feeder. Means are W, by hour of the (UTC) day. */
struct child {
    struct gauge gauge;
    int32_t point;
    int32_t feeder;   /* above it */
    uint32_t learned; /* intervals that the profile rests on */
    float usual_w[DAY_HOURS];
    uint8_t days[DAY_HOURS]; /* quarters of an hour in usual_w, up to four weeks' */
    float day_wh[DAY_HOURS]; /* of the last 24 hours, by hour */
    float mean_w;
    float most_w;                 /* mean of the strongest interval ever */
    float strongest_w[DAY_HOURS]; /* mean of the strongest shift ever, by its last hour */
    struct follower follower;
};

/* One interval of a feeder, and its end. */
struct stretch {
    float open_wh; /* counted by the feeder and by no child */
    float load_wh; /* counted by the feeder */
    float unseen2; /* Wh^2: energy that no register will ever tell */
    float late2;   /* Wh^2: by how much children that were silent at its end and came
                      back may have drawn earlier than was put down */
    float spread2; /* W^2: how far the children were from their means */
    bool known;    /* the feeder's register is known at its end */
};

/* Technical loss: W at no load, a share of the load (the meters' classes), and a share
 * that grows with the load; by weighted least squares. */
struct loss {
    double m[LOSS_TERMS][LOSS_TERMS];
    double y[LOSS_TERMS];
    double term[LOSS_TERMS];
    double load_wh, open_wh; /* of all windows that it was learned from */
    uint32_t windows;
};

struct feeder {
    struct gauge gauge;
    int32_t point;
    int32_t child_first, nchildren;
    int64_t interval; /* ms */
    int64_t open;     /* the boundary that closes next; NEVER */
    int64_t begun;    /* the first boundary ever; NEVER */
    int64_t since;    /* no window begins before: its register was not known; NEVER */
    int32_t awaited;
    float stopped_w; /* the most that those drew whose sites were stopped a while ago */
    uint8_t over;    /* boundaries in a row at which a window was too much */
    struct stretch ring[FEEDER_RING];
    struct loss loss;
    float noise_wh[FEEDER_LAGS]; /* mean deviation of a window's residual, as a sigma */
    uint32_t noise_n[FEEDER_LAGS];
    float worst_wh[FEEDER_LAGS]; /* the most of a window's residual, in the mean day... */
    float day_most_wh[FEEDER_LAGS]; /* ...and in the one that goes on */
    uint32_t worst_days;
    struct run excess;        /* since the step */
    int64_t step_w;           /* its size */
    int32_t confidence_milli; /* of it, by the window that was the furthest beyond */
    struct follower follower;
};

static inline struct stretch *
feeder_stretch(struct feeder *f, int64_t end)
{
    return &f->ring[end / f->interval % FEEDER_RING];
}

/* The hour of the day that the interval with this end lies in. */
static inline int
feeder_hour(const struct feeder *f, int64_t end)
{
    return (int)((end - f->interval) / LW_HOUR % DAY_HOURS);
}

static inline double
feeder_hours(int64_t ms)
{
    return (double)ms / (double)LW_HOUR;
}

/* --- feeder.c */
void feeder_reopen(struct lw_core *core, struct feeder *f);

/* --- feeder_loss.c */
/* A window: its hours, its load, the integral of the load's square. */
struct loss_window {
    double term[LOSS_TERMS];
};
void loss_window_add(struct loss_window *w, double hours, double load_wh);
double loss_of(const struct loss *loss, const struct loss_window *w);
/* Learns from a window in which so much was lost, give or take. */
void loss_learn(struct loss *loss, const struct loss_window *w, double wh, double var);

/* --- feeder_child.c */
/* What one boundary brings together about the children. */
struct tally {
    double counted_wh; /* in the interval that ends here */
    double unseen2;
    double spread2;
    /* By window: Wh^2 that those who are silent may have drawn above their usual, and
     * their usual itself, which nobody has measured. */
    double silent2[FEEDER_LAGS];
    double usual_wh[FEEDER_LAGS];
    uint16_t silent;
    struct {
        int32_t point;
        double could_w;
    } strongest[LW_SILENT_NAMED]; /* of the silent, by what they may draw */
};
/* The register is known at the boundary. */
void child_counted(struct lw_core *core, struct feeder *f, struct child *c, int64_t at,
                   int64_t wh, struct tally *tally);
/* Its meter was taken away, after it was heard last. */
void child_gone(struct lw_core *core, struct feeder *f, struct child *c, int64_t at,
                struct tally *tally);
/* It is not. */
void child_silent(struct lw_core *core, struct feeder *f, struct child *c, int64_t at,
                  struct tally *tally);

/* --- feeder_judge.c */
void feeder_judge(struct lw_core *core, struct feeder *f, int64_t at,
                  const struct tally *tally);

/* --- displacement.c */
/* The site was stopped a while ago: what it lost may turn up elsewhere. */
bool displacement_watches(const struct lw_core *core, int32_t site, int64_t at);
/* The most that the children of such sites ever drew. */
float displacement_stopped_w(const struct lw_core *core, const struct feeder *f,
                             int64_t at);
/* Once an hour. */
void displacement_hour(struct lw_core *core, struct feeder *f, int64_t at);

#endif
