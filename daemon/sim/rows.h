/* A readings file as the meters' state: each meter shows its newest row until the next.
 */
#ifndef DAEMON_SIM_ROWS_H
#define DAEMON_SIM_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>
#include <lodewatch/reading.h>

struct rows;

/* Opens the file (also .gz) and reads up to its first row, so that a wrong header is
 * found at once. LW_EPARSE and LW_EIO with a fault, LW_ENOMEM. The ledger must outlive
 * it. */
int rows_new(const char *path, const struct lw_ledger *ledger, struct lw_faults *faults,
             struct rows **ret_rows);
void rows_free(struct rows *rows);

/* Brings all meters to time t; going back reads the file anew. LW_EPARSE and LW_EIO with
 * a fault; then the meters stay as they are. */
int rows_advance(struct rows *rows, lw_wall t, struct lw_faults *faults);

/* What the meter (a row of the ledger) shows; NULL: it is silent. */
const struct lw_reading *rows_reading(const struct rows *rows, int32_t meter);
/* Changes whenever the meter's row does; never 0. */
int64_t rows_stamp(const struct rows *rows, int32_t meter);

#endif
