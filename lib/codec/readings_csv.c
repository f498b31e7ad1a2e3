/* A readings CSV as events. The header says what the columns are, in any order. Made to
 * be fast: a year of a county is replayed through here. */
#include <lodewatch/codec.h>

#include <stdlib.h>
#include <string.h>

#include <lodewatch/text.h>

/* Columns that are no quantity stand after the quantities. */
enum {
    COLUMN_TIME = LW_QUANTITIES,
    COLUMN_METER,
    COLUMN_QUALITY,
    COLUMN_RECEIVED,
    COLUMNS,
};

static const char *const own_columns[] = {"time", "meter_id", "quality", "received_at"};
static const char *const qualities[] = {
    [LW_GOOD] = "good",
    [LW_SUSPECT] = "suspect",
    [LW_ESTIMATED] = "estimated",
    [LW_MISSING] = "missing",
};

const char *
lw_quality_name(enum lw_quality quality)
{
    return qualities[quality];
}

struct lw_readings {
    char file[LW_FAULT_FILE];
    const struct lw_ledger *ledger;
    struct lw_csv *csv;
    enum {
        HEADER,
        ROWS,
        REFUSED
    } state;
    size_t ncells;        /* in each row */
    int cell_of[COLUMNS]; /* -1: not in this file */
    lw_wall last;         /* the event before this one */
    /* The meters of a round are read at one time, written the same way. */
    char time_text[LW_TIME_TEXT];
    lw_wall time;
};

int
lw_readings_new(const char *file, const struct lw_ledger *ledger,
                struct lw_readings **ret_readings)
{
    struct lw_text name;
    struct lw_readings *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return LW_ENOMEM;
    if (lw_csv_new(&r->csv) != 0) {
        free(r);
        return LW_ENOMEM;
    }
    lw_text_init(&name, r->file, sizeof(r->file));
    lw_text_add(&name, file);
    r->ledger = ledger;
    r->last = LW_WALL_MIN;
    *ret_readings = r;
    return 0;
}

void
lw_readings_free(struct lw_readings *readings)
{
    if (readings == NULL)
        return;
    lw_csv_free(readings->csv);
    free(readings);
}

void
lw_readings_feed(struct lw_readings *readings, const char *data, size_t n)
{
    lw_csv_feed(readings->csv, data, n);
}

void
lw_readings_end(struct lw_readings *readings)
{
    lw_csv_end(readings->csv);
}

static int __attribute__((format(printf, 4, 5)))
refuse(const struct lw_readings *r, const struct lw_csv_cell *at,
       struct lw_fault *ret_fault, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lw_fault_setv(ret_fault, r->file, at->line, at->column, format, args);
    va_end(args);
    return LW_EPARSE;
}

/* ---- the header ---- */

static const char *
column_name(int column)
{
    return column < LW_QUANTITIES ? lw_quantity_info((enum lw_quantity)column)->name
                                  : own_columns[column - LW_QUANTITIES];
}

static int
refuse_column(const struct lw_readings *r, const struct lw_csv_cell *cell,
              struct lw_fault *ret_fault)
{
    int nearest = 0;
    size_t least = SIZE_MAX;

    for (int column = 0; column < COLUMNS; column++) {
        const char *name = column_name(column);
        size_t distance = lw_text_distance(cell->s, cell->n, name, strlen(name));
        if (distance < least) {
            least = distance;
            nearest = column;
        }
    }
    return refuse(r, cell, ret_fault, "unknown column \"%s\"; the nearest is \"%s\"",
                  cell->s, column_name(nearest));
}

static int
read_header(struct lw_readings *r, const struct lw_csv_cell *cells, size_t n,
            struct lw_fault *ret_fault)
{
    for (int column = 0; column < COLUMNS; column++)
        r->cell_of[column] = -1;
    r->ncells = n;
    for (size_t i = 0; i < n; i++) {
        int column = 0;
        while (column < COLUMNS && strcmp(cells[i].s, column_name(column)) != 0)
            column++;
        if (column == COLUMNS)
            return refuse_column(r, &cells[i], ret_fault);
        if (r->cell_of[column] >= 0)
            return refuse(r, &cells[i], ret_fault, "column \"%s\" stands twice",
                          cells[i].s);
        r->cell_of[column] = (int)i;
    }
    for (int column = COLUMN_TIME; column <= COLUMN_METER; column++) {
        if (r->cell_of[column] < 0)
            return refuse(r, &cells[0], ret_fault, "there is no column \"%s\"",
                          column_name(column));
    }
    return 0;
}

/* ---- a row ---- */

static int
read_time(struct lw_readings *r, const struct lw_csv_cell *cell, lw_wall *ret_time,
          struct lw_fault *ret_fault)
{
    if (strcmp(cell->s, r->time_text) == 0 && cell->n > 0) {
        *ret_time = r->time;
        return 0;
    }
    if (lw_wall_parse(cell->s, cell->n, r->ledger->zone, LW_DATE_START, ret_time) != 0)
        return refuse(r, cell, ret_fault,
                      "\"%s\" is no time; expected one such as 2025-03-12T18:31:07+08:00",
                      cell->s);
    if (cell->n < sizeof(r->time_text)) {
        memcpy(r->time_text, cell->s, cell->n + 1);
        r->time = *ret_time;
    }
    return 0;
}

/* The meter is known or not, or in place at other times. */
static int
refuse_meter(const struct lw_readings *r, const struct lw_csv_cell *cell, lw_wall t,
             struct lw_fault *ret_fault)
{
    const struct lw_ledger *ledger = r->ledger;
    char times[LW_FAULT_TEXT] = "", time[LW_TIME_TEXT];
    struct lw_text text;

    lw_text_init(&text, times, sizeof(times));
    for (int32_t i = 0; i < ledger->nmeters; i++) {
        const struct lw_meter *m = &ledger->meter[i];
        if (strcmp(m->id, cell->s) != 0)
            continue;
        lw_wall_format_zone(m->installed, ledger->zone, time);
        lw_text_addf(&text, "%s from %s", text.len > 0 ? "," : "", time);
        if (m->removed.ms != LW_WALL_MAX.ms) {
            lw_wall_format_zone(m->removed, ledger->zone, time);
            lw_text_addf(&text, " to %s", time);
        }
    }
    if (text.len == 0)
        return refuse(r, cell, ret_fault, "meter \"%s\" is not in the ledger", cell->s);
    lw_wall_format_zone(t, ledger->zone, time);
    return refuse(r, cell, ret_fault, "meter \"%s\" is not in place at %s; it is%s",
                  cell->s, time, times);
}

static int
read_quality(const struct lw_readings *r, const struct lw_csv_cell *cell, uint16_t *ret_q,
             struct lw_fault *ret_fault)
{
    for (uint16_t q = LW_GOOD; q <= LW_MISSING; q++) {
        if (strcmp(cell->s, qualities[q]) == 0) {
            *ret_q = q;
            return 0;
        }
    }
    return refuse(r, cell, ret_fault,
                  "\"%s\" is no quality; expected good, suspect, estimated or missing",
                  cell->s);
}

static int
read_value(const struct lw_readings *r, const struct lw_csv_cell *cell,
           enum lw_quantity q, struct lw_reading *reading, struct lw_fault *ret_fault)
{
    const struct lw_quantity_info *info = lw_quantity_info(q);
    char range[80];
    struct lw_text text;

    if (cell->n == 0)
        return 0;
    int rc = lw_decimal_parse(cell->s, cell->n, info->per_unit, &reading->value[q]);
    if (rc == LW_EINVAL)
        return refuse(r, cell, ret_fault, "\"%s\" is no number", cell->s);
    if (rc != 0 || reading->value[q] < info->min || reading->value[q] > info->max) {
        lw_text_init(&text, range, sizeof(range));
        lw_text_add_decimal(&text, info->min, info->per_unit, 0);
        lw_text_add(&text, " to ");
        lw_text_add_decimal(&text, info->max, info->per_unit, 0);
        return refuse(r, cell, ret_fault, "%s is not from %s", cell->s, range);
    }
    reading->have |= (uint16_t)(1u << q);
    return 0;
}

static int
read_values(const struct lw_readings *r, const struct lw_csv_cell *cells,
            struct lw_reading *reading, struct lw_fault *ret_fault)
{
    for (int q = 0; q < LW_QUANTITIES; q++) {
        if (r->cell_of[q] < 0)
            continue;
        int rc =
            read_value(r, &cells[r->cell_of[q]], (enum lw_quantity)q, reading, ret_fault);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The row's cell in an own column, or NULL where it is empty or the file has none. */
static const struct lw_csv_cell *
own_cell(const struct lw_readings *r, const struct lw_csv_cell *cells, int column)
{
    if (r->cell_of[column] < 0 || cells[r->cell_of[column]].n == 0)
        return NULL;
    return &cells[r->cell_of[column]];
}

static int
read_row(struct lw_readings *r, const struct lw_csv_cell *cells, size_t n,
         struct lw_event *ret_event, struct lw_fault *ret_fault)
{
    if (n != r->ncells)
        return refuse(r, &cells[0], ret_fault, "a row of %zu cells under a header of %zu",
                      n, r->ncells);

    const struct lw_csv_cell *time_cell = &cells[r->cell_of[COLUMN_TIME]];
    const struct lw_csv_cell *received_cell = own_cell(r, cells, COLUMN_RECEIVED);
    const struct lw_csv_cell *meter_cell = &cells[r->cell_of[COLUMN_METER]];
    const struct lw_csv_cell *quality_cell = own_cell(r, cells, COLUMN_QUALITY);
    struct lw_reading reading = {.q = LW_GOOD};

    int rc = read_time(r, time_cell, &reading.time, ret_fault);
    reading.received = reading.time;
    if (rc == 0 && received_cell != NULL)
        rc = read_time(r, received_cell, &reading.received, ret_fault);
    if (rc == 0 && quality_cell != NULL)
        rc = read_quality(r, quality_cell, &reading.q, ret_fault);
    if (rc == 0)
        rc = read_values(r, cells, &reading, ret_fault);
    if (rc != 0)
        return rc;
    if (reading.received.ms < r->last.ms)
        return refuse(
            r, received_cell != NULL ? received_cell : time_cell, ret_fault,
            "earlier than the row before it; rows are in the order of received_at, "
            "or of time where that is not given");
    int32_t meter =
        lw_ledger_meter(r->ledger, meter_cell->s, meter_cell->n, reading.time);
    if (meter == LW_NONE)
        return refuse_meter(r, meter_cell, reading.time, ret_fault);

    r->last = reading.received;
    reading.meter = (uint32_t)meter;
    /* A row in which nothing was measured is a failed read, whatever it calls itself. */
    ret_event->at = reading.received;
    if (reading.q == LW_MISSING || reading.have == 0) {
        ret_event->kind = LW_EVENT_READ_FAILED;
        ret_event->failed.meter = reading.meter;
        ret_event->failed.why = LW_FAIL_MISSING;
        ret_event->failed.exception = 0;
    } else {
        ret_event->kind = LW_EVENT_READING;
        ret_event->reading = reading;
    }
    return 0;
}

static int
read_first_row(struct lw_readings *r, struct lw_fault *ret_fault)
{
    const struct lw_csv_cell *cells;
    struct lw_csv_cell place = {.line = 1};
    const char *error = NULL;
    size_t n;

    int rc = lw_csv_next(r->csv, &cells, &n, &error);
    if (rc == LW_EAGAIN)
        return rc;
    if (rc == LW_EPARSE)
        lw_csv_position(r->csv, &place.line, &place.column);
    if (rc == 1)
        rc = read_header(r, cells, n, ret_fault);
    else
        rc = refuse(r, &place, ret_fault, "%s", rc == 0 ? "there is no header" : error);
    /* Without its header nothing in the file has a meaning. */
    r->state = rc == 0 ? ROWS : REFUSED;
    return rc;
}

int
lw_readings_next(struct lw_readings *readings, struct lw_event *ret_event,
                 struct lw_fault *ret_fault)
{
    struct lw_readings *r = readings;
    const struct lw_csv_cell *cells;
    struct lw_csv_cell place = {.n = 0};
    const char *error = NULL;
    size_t n;

    if (r->state == HEADER) {
        int rc = read_first_row(r, ret_fault);
        if (rc != 0)
            return rc;
    }
    if (r->state == REFUSED)
        return 0;
    int rc = lw_csv_next(r->csv, &cells, &n, &error);
    if (rc == LW_EPARSE) {
        lw_csv_position(r->csv, &place.line, &place.column);
        return refuse(r, &place, ret_fault, "%s", error);
    }
    if (rc == 1) {
        rc = read_row(r, cells, n, ret_event, ret_fault);
        return rc == 0 ? 1 : rc;
    }
    return rc;
}
