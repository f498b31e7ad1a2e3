/* Streams a readings file in the order of its rows, which is the order of `received_at`
 * (or `time`): in memory are each meter's present row and one piece of text. */
#include "daemon/sim/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <lodewatch/codec.h>

enum {
    PIECE = 1 << 16
};

struct slot {
    struct lw_reading reading;
    bool speaks;
    int64_t stamp;
    int64_t cadence; /* ms: the least between two of its rows; 0: not known yet */
};

struct rows {
    const char *path;
    const struct lw_ledger *ledger;
    gzFile file;
    struct lw_readings *parser;
    struct lw_event next;
    bool has_next;
    lw_wall at;
    int64_t stamp;
    struct slot *slot; /* by meter of the ledger */
    char piece[PIECE];
};

static int
read_piece(struct rows *rows, struct lw_faults *faults)
{
    int n = gzread(rows->file, rows->piece, PIECE);
    if (n < 0) {
        int code;
        lw_fault_add(faults, rows->path, 0, 0, "%s", gzerror(rows->file, &code));
        return LW_EIO;
    }
    if (n == 0)
        lw_readings_end(rows->parser);
    else
        lw_readings_feed(rows->parser, rows->piece, (size_t)n);
    return 0;
}

/* The next row, if there is one, into `next`. */
static int
read_next(struct rows *rows, struct lw_faults *faults)
{
    struct lw_fault fault;
    int rc;

    rows->has_next = false;
    while ((rc = lw_readings_next(rows->parser, &rows->next, &fault)) == LW_EAGAIN) {
        rc = read_piece(rows, faults);
        if (rc < 0)
            return rc;
    }
    if (rc == LW_EPARSE)
        lw_fault_add(faults, fault.file, fault.line, fault.column, "%s", fault.text);
    if (rc < 0)
        return rc;
    rows->has_next = rc == 1;
    return 0;
}

static void
close_file(struct rows *rows)
{
    lw_readings_free(rows->parser);
    rows->parser = NULL;
    if (rows->file)
        gzclose(rows->file);
    rows->file = NULL;
}

static int
rewind_file(struct rows *rows, struct lw_faults *faults)
{
    close_file(rows);
    rows->at = LW_WALL_MIN;
    for (int32_t i = 0; i < rows->ledger->nmeters; i++)
        rows->slot[i] = (struct slot){.stamp = ++rows->stamp};
    rows->file = gzopen(rows->path, "rb");
    if (!rows->file) {
        lw_fault_add(faults, rows->path, 0, 0, "%s", strerror(errno));
        return LW_EIO;
    }
    int rc = lw_readings_new(rows->path, rows->ledger, &rows->parser);
    return rc < 0 ? rc : read_next(rows, faults);
}

int
rows_new(const char *path, const struct lw_ledger *ledger, struct lw_faults *faults,
         struct rows **ret_rows)
{
    struct rows *rows = calloc(1, sizeof *rows);
    int rc = LW_ENOMEM;
    if (!rows)
        return rc;
    rows->path = path;
    rows->ledger = ledger;
    rows->slot = calloc((size_t)ledger->nmeters + 1, sizeof *rows->slot);
    if (rows->slot)
        rc = rewind_file(rows, faults);
    if (rc < 0) {
        rows_free(rows);
        return rc;
    }
    *ret_rows = rows;
    return 0;
}

void
rows_free(struct rows *rows)
{
    if (!rows)
        return;
    close_file(rows);
    free(rows->slot);
    free(rows);
}

static void
show(struct rows *rows, const struct lw_event *event)
{
    bool reading = event->kind == LW_EVENT_READING;
    struct slot *slot = &rows->slot[reading ? event->reading.meter : event->failed.meter];
    /* A row that came late does not take the meter back. */
    if (reading && slot->speaks && event->reading.time.ms < slot->reading.time.ms)
        return;
    if (reading && slot->speaks) {
        int64_t apart = event->reading.time.ms - slot->reading.time.ms;

        if (slot->cadence == 0 || apart < slot->cadence)
            slot->cadence = apart;
    }
    slot->speaks = reading;
    slot->stamp = ++rows->stamp;
    if (reading)
        slot->reading = event->reading;
}

int
rows_advance(struct rows *rows, lw_wall t, struct lw_faults *faults)
{
    int rc = t.ms < rows->at.ms ? rewind_file(rows, faults) : 0;
    while (rc == 0 && rows->has_next && rows->next.at.ms <= t.ms) {
        show(rows, &rows->next);
        rc = read_next(rows, faults);
    }
    rows->at = t;
    return rc;
}

/* A row that is not there is silence too: an old value is not shown as a new one. */
const struct lw_reading *
rows_reading(const struct rows *rows, int32_t meter)
{
    const struct slot *slot = &rows->slot[meter];
    int64_t holds = rows->ledger->meter[meter].interval_s * LW_SECOND;

    if (slot->cadence > holds)
        holds = slot->cadence;
    return slot->speaks && rows->at.ms - slot->reading.time.ms < holds ? &slot->reading
                                                                       : NULL;
}

int64_t
rows_stamp(const struct rows *rows, int32_t meter)
{
    return rows->slot[meter].stamp;
}
