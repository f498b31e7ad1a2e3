/* Loads the ledger from PostgreSQL, parses it, and imports what came of it: the same
 * ledger, where nothing was lost on the way. ledger_driver CONNINFO-FILE prints "same N
 * changed N". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/files.h"
#include "daemon/store/store.h"

static struct lw_faults faults;

static int
fail(void)
{
    for (uint32_t i = 0; i < faults.kept; i++)
        fprintf(stderr, "%s:%u:%u: %s\n", faults.fault[i].file, faults.fault[i].line,
                faults.fault[i].column, faults.fault[i].text);
    return 1;
}

int
main(int argc, char **argv)
{
    struct lw_ledger_text text = {0};
    struct lw_ledger *ledger = NULL;
    struct store_import_counts counts;
    char *owned = NULL;
    char *conninfo;
    size_t n;
    uint32_t same = 0;
    uint32_t changed = 0;

    if (argc != 2 || files_read(argv[1], 4096, &conninfo, &n) < 0)
        return 2;
    conninfo[strcspn(conninfo, "\n")] = '\0';
    if (store_ledger_load(conninfo, &text, &owned, &faults) < 0 ||
        lw_ledger_new(&text, &faults, &ledger) < 0 ||
        store_ledger_import(conninfo, ledger, &counts, &faults) < 0)
        return fail();
    for (int i = 0; i < LW_TABLES; i++) {
        fprintf(stderr, "%.*s\n", (int)text.table[i].n, text.table[i].text);
        same += counts.same[i];
        changed += counts.added[i] + counts.changed[i] + counts.removed[i];
    }
    printf("same %u changed %u\n", same, changed);
    lw_ledger_free(ledger);
    free(owned);
    free(conninfo);
    return 0;
}
