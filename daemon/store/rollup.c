/* What a meter's readings of a day come to: the rows of reading_day and reading_hour. */
#include "daemon/store/rollup.h"

#include <stdbool.h>

#include "daemon/store/pg_bytes.h"

static void
put_or_null(struct copy_rows *rows, bool there, int64_t v, int width)
{
    if (there)
        copy_put_int(rows, v, width);
    else
        copy_put_null(rows);
}

/* The first and the last import register among readings. */
static void
put_registers(struct copy_rows *rows, const struct lw_reading *r, size_t n)
{
    size_t first = 0, last = n;

    while (first < n && !lw_reading_has(&r[first], LW_IMPORT))
        first++;
    while (last > first && !lw_reading_has(&r[last - 1], LW_IMPORT))
        last--;
    put_or_null(rows, first < n, first < n ? r[first].value[LW_IMPORT] : 0, 8);
    put_or_null(rows, first < n, first < n ? r[last - 1].value[LW_IMPORT] : 0, 8);
}

static void
put_hour(struct copy_rows *rows, int32_t meter, int64_t hour, const struct lw_reading *r,
         size_t n)
{
    int64_t sum = 0, most = INT64_MIN;
    int32_t powers = 0;

    for (size_t i = 0; i < n; i++) {
        if (!lw_reading_has(&r[i], LW_ACTIVE_POWER))
            continue;
        powers++;
        sum += r[i].value[LW_ACTIVE_POWER];
        most = r[i].value[LW_ACTIVE_POWER] > most ? r[i].value[LW_ACTIVE_POWER] : most;
    }
    copy_row(rows, 8);
    copy_put_int(rows, meter, 4);
    copy_put_int(rows, pg_time(hour), 8);
    copy_put_int(rows, (int64_t)n, 4);
    copy_put_int(rows, powers, 4);
    copy_put_int(rows, sum, 8);
    put_or_null(rows, powers > 0, most, 4);
    put_registers(rows, r, n);
}

void
rollup_day(struct copy_rows *rows, int32_t meter, int64_t day_ms,
           const struct lw_reading *readings, size_t n, const uint8_t *block,
           size_t nblock)
{
    copy_row(rows, 6);
    copy_put_int(rows, meter, 4);
    copy_put_int(rows, (day_ms - PG_EPOCH_MS) / LW_DAY, 4);
    copy_put_int(rows, (int64_t)n, 4);
    put_registers(rows, readings, n);
    copy_put_bytes(rows, block, nblock);
}

void
rollup_hours(struct copy_rows *rows, int32_t meter, const struct lw_reading *readings,
             size_t n)
{
    for (size_t i = 0, next; i < n; i = next) {
        int64_t hour = lw_floor_to(readings[i].time.ms, LW_HOUR);

        for (next = i; next < n && readings[next].time.ms < hour + LW_HOUR;)
            next++;
        put_hour(rows, meter, hour, readings + i, next - i);
    }
}
