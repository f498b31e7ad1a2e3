/* The journal's consumer `store`: its readings and alerts into PostgreSQL, a batch and
 * the position behind it in one transaction. */
#ifndef DAEMON_STORE_WRITER_H
#define DAEMON_STORE_WRITER_H

#include "daemon/store/store.h"

struct writer;

/* `journal_id` names the journal in store_cursor. */
int writer_new(struct event_base *base, struct clock *clock, struct journal *journal,
               const struct store_options *options, const char *journal_id,
               struct writer **ret_writer);
void writer_free(struct writer *writer);
void writer_stats(const struct writer *writer, struct store_stats *ret_stats);
void writer_flush(struct writer *writer, int64_t most_ms, store_done *done, void *arg);

#endif
