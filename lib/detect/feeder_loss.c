/* The technical loss of a feeder: what its lines and transformers use, learned as
 * a constant, a share of the load and a part that grows with its square. Copper heats by
 * the square of the current, iron by the voltage alone; the share is the difference
 * between the classes of the feeder's meter and of its children's. */
#include <math.h>

#include "lib/detect/feeder.h"

/* Meters of class 0.5 all over: their mean is within half a percent. */
#define CLASS_SHARE 0.005
/* A window that does not fit counts less: at three sigmas half. */
#define DOUBT (3.0 * 3.0)

void
loss_window_add(struct loss_window *w, double hours, double load_wh)
{
    w->term[0] += hours;
    w->term[1] += load_wh;
    w->term[2] += load_wh * load_wh / hours * 1e-6; /* MW per W: near one */
}

double
loss_of(const struct loss *loss, const struct loss_window *w)
{
    double wh = 0;

    for (int i = 0; i < LOSS_TERMS; i++)
        wh += loss->term[i] * w->term[i];
    return wh;
}

/* Solves for the terms by elimination, each scaled to its own weight. */
static void
loss_fit(struct loss *loss)
{
    double a[LOSS_TERMS][LOSS_TERMS + 1], scale[LOSS_TERMS];

    for (int i = 0; i < LOSS_TERMS; i++)
        scale[i] = loss->m[i][i] > 0 ? 1 / sqrt(loss->m[i][i]) : 0;
    for (int i = 0; i < LOSS_TERMS; i++) {
        for (int k = 0; k < LOSS_TERMS; k++)
            a[i][k] = loss->m[i][k] * scale[i] * scale[k] + (i == k ? 1e-9 : 0);
        if (i == 1)
            a[i][i] += scale[i] * scale[i] / (CLASS_SHARE * CLASS_SHARE);
        a[i][LOSS_TERMS] = loss->y[i] * scale[i];
    }
    /* Positive definite: no pivoting is needed. */
    for (int i = 0; i < LOSS_TERMS; i++)
        for (int k = 0; k < LOSS_TERMS; k++) {
            double share = a[k][i] / a[i][i];

            for (int j = i; k != i && j <= LOSS_TERMS; j++)
                a[k][j] -= share * a[i][j];
        }
    for (int i = 0; i < LOSS_TERMS; i++)
        loss->term[i] = a[i][LOSS_TERMS] / a[i][i] * scale[i];
}

void
loss_learn(struct loss *loss, const struct loss_window *w, double wh, double var)
{
    double weight = 1 / var;

    if (loss->windows > DAY_HOURS) {
        double off = wh - loss_of(loss, w);

        weight /= 1 + off * off / (DOUBT * var);
    }
    for (int i = 0; i < LOSS_TERMS; i++) {
        for (int k = 0; k < LOSS_TERMS; k++)
            loss->m[i][k] += weight * w->term[i] * w->term[k];
        loss->y[i] += weight * w->term[i] * wh;
    }
    loss->load_wh += w->term[1];
    loss->open_wh += wh;
    loss->windows++;
    loss_fit(loss);
}
