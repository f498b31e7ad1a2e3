/* What a meter's readings of a day come to: the rows of reading_day and reading_hour. */
#ifndef DAEMON_STORE_ROLLUP_H
#define DAEMON_STORE_ROLLUP_H

#include "daemon/store/copy_rows.h"

/* The columns that they write, for COPY. */
#define ROLLUP_DAY "reading_day(meter_id, day, n, imp_first, imp_last, d)"
#define ROLLUP_HOUR                                                                      \
    "reading_hour(meter_id, hour, n, p_n, p_sum, p_max, imp_first, imp_last)"

void rollup_day(struct copy_rows *rows, int32_t meter, int64_t day_ms,
                const struct lw_reading *readings, size_t n, const uint8_t *block,
                size_t nblock);
/* A row for each hour in which there are readings. */
void rollup_hours(struct copy_rows *rows, int32_t meter,
                  const struct lw_reading *readings, size_t n);

#endif
