/* Bringing a stretch of the journal again: a range more in store_cursor. The daemon finds
 * it with its next batch, or when it starts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/journal_id.h"
#include "daemon/store/pg_sync.h"
#include "daemon/store/store.h"
#include "daemon/store/stream.h"

/* Each lane gets one range from the position, or from where its oldest range begins, up
 * to what is new; the ranges within that one go. The journal's id, position, open end. */
static const char sql[] =
    "BEGIN; SELECT FROM store_cursor WHERE journal_id = '%1$s' FOR UPDATE;"
    "INSERT INTO store_cursor(journal_id, lane, position, until, at)"
    " SELECT journal_id, lane, least(%2$" PRIu64 ", min(position)),"
    "  max(position) FILTER (WHERE until = %3$" PRIu64 "), now()"
    "  FROM store_cursor WHERE journal_id = '%1$s' GROUP BY journal_id, lane"
    "  HAVING max(position) FILTER (WHERE until = %3$" PRIu64 ") > %2$" PRIu64
    " ON CONFLICT (journal_id, lane, until) DO UPDATE SET position = excluded.position;"
    "DELETE FROM store_cursor AS c USING store_cursor AS all_of_it"
    " WHERE c.journal_id = '%1$s' AND all_of_it.journal_id = c.journal_id"
    "  AND all_of_it.lane = c.lane AND all_of_it.until <> %3$" PRIu64
    "  AND all_of_it.position <= c.position AND all_of_it.until > c.until;"
    "COMMIT;"
    "SELECT coalesce(max(until - position), 0) FROM store_cursor"
    " WHERE journal_id = '%1$s' AND until <> %3$" PRIu64;

int
store_respool(const char *conninfo, const char *journal_dir, uint64_t position,
              uint64_t *ret_bytes, struct lw_faults *faults)
{
    char id[JOURNAL_ID + 1];
    char text[sizeof(sql) + 9 * (JOURNAL_ID + 24)];
    struct pg_sync pg;
    int rc = journal_id_read(journal_dir, id);

    if (rc < 0) {
        lw_fault_add(faults, journal_dir, 0, 0, "store.id: %s", strerror(errno));
        return rc;
    }
    snprintf(text, sizeof(text), sql, id, position, STREAM_OPEN);
    rc = pg_sync_open(&pg, conninfo);
    if (rc == 0)
        rc = pg_sync_migrate(&pg);
    if (rc == 0)
        rc = pg_sync_run(&pg, text);
    if (rc < 0)
        lw_fault_add(faults, "PostgreSQL", 0, 0, "%s",
                     pg.error[0] ? pg.error : lw_result_text(rc));
    else
        *ret_bytes = pg.value ? strtoull(pg.value, NULL, 10) : 0;
    pg_sync_close(&pg);
    return rc;
}
