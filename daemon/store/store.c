/* The store as the rest of the daemon sees it: a writer and a reader. */
#include "daemon/store/store.h"

#include <stdlib.h>

#include "daemon/store/journal_id.h"
#include "daemon/store/reader.h"
#include "daemon/store/writer.h"

struct store {
    struct writer *writer;
    struct reader *reader;
};

int
store_new(struct event_base *base, struct clock *clock, struct journal *journal,
          const struct store_options *options, struct store **ret_store)
{
    struct store *store;
    const char *read = options->read_conninfo && options->read_conninfo[0]
                           ? options->read_conninfo
                           : options->conninfo;
    char id[JOURNAL_ID + 1];
    int rc = journal_id_make(options->journal_dir, id);

    if (rc < 0)
        return rc;
    store = calloc(1, sizeof(*store));
    if (!store)
        return LW_ENOMEM;
    if ((rc = writer_new(base, clock, journal, options, id, &store->writer)) < 0 ||
        (rc = reader_new(base, read, &store->reader)) < 0) {
        store_free(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

void
store_free(struct store *store)
{
    if (!store)
        return;
    writer_free(store->writer);
    reader_free(store->reader);
    free(store);
}

void
store_stats(const struct store *store, struct store_stats *ret_stats)
{
    writer_stats(store->writer, ret_stats);
}

void
store_flush(struct store *store, int64_t most_ms, store_done *done, void *arg)
{
    writer_flush(store->writer, most_ms, done, arg);
}

void
store_alerts(struct store *store, const struct store_alerts_query *query,
             store_answer *answer, void *arg)
{
    reader_alerts(store->reader, query, answer, arg);
}

void
store_readings(struct store *store, const struct store_readings_query *query,
               store_answer *answer, void *arg)
{
    reader_readings(store->reader, query, answer, arg);
}
