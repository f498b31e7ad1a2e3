/* Finding a SunSpec model on the wire: "SunS" stands at one of three addresses, then
 * model after model, each its id, its length and so many registers. */
#ifndef LODEWATCH_SUNSPEC_H
#define LODEWATCH_SUNSPEC_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/profile.h>
#include <lodewatch/result.h>

struct lw_sunspec_walk {
    uint16_t model; /* the one that is looked for */
    uint16_t at;    /* of what is read next; of the model's id once it is found */
    uint8_t start;  /* which of the addresses is being tried */
    uint8_t models; /* passed since "SunS" was found; 0: it was not yet */
};

void lw_sunspec_begin(struct lw_sunspec_walk *walk, uint16_t model);
/* What to read next: two holding registers. */
struct lw_read_block lw_sunspec_next(const struct lw_sunspec_walk *walk);
/* Takes their four bytes, or NULL where the device refused to give them. 1: the model
 * begins at walk->at; 0: read on; LW_ENOTFOUND: the device does not have it. */
LW_MUSTCHECK
int lw_sunspec_take(struct lw_sunspec_walk *walk, const uint8_t *data);
/* Where "SunS" stands: the serial number's address is counted from there. */
uint16_t lw_sunspec_start(const struct lw_sunspec_walk *walk);

#endif
