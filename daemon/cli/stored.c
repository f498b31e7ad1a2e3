/* Stored readings of a span, for the subcommands that show them. */
#include "daemon/cli/stored.h"

#include <stdlib.h>

static int
ask(struct pg_sync *pg, char *sql, pg_take *take, struct window *window,
    struct lw_faults *faults)
{
    int rc = sql ? pg_sync_copy_rows(pg, sql, take, window) : LW_ENOMEM;

    if (rc < 0)
        lw_fault_add(faults, "PostgreSQL", 0, 0, "%s",
                     sql ? pg->error : lw_result_text(rc));
    free(sql);
    return rc;
}

/* Rows before blocks: see window.h. */
int
stored_load(struct pg_sync *pg, struct window *window, const char *meters, lw_wall from,
            lw_wall to, struct lw_faults *faults)
{
    window_begin(window, from, to, 0);
    if (ask(pg, window_rows_sql(window, meters), window_take_row, window, faults) < 0 ||
        ask(pg, window_blocks_sql(window, meters), window_take_block, window, faults) < 0)
        return LW_EIO;
    window_end(window);
    if (window->rc < 0 && window->rc != LW_EFULL)
        lw_fault_add(faults, "PostgreSQL", 0, 0, "the stored readings cannot be read: %s",
                     lw_result_text(window->rc));
    return window->rc;
}
