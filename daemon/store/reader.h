/* Reading back for the API, on a connection of its own. */
#ifndef DAEMON_STORE_READER_H
#define DAEMON_STORE_READER_H

#include "daemon/store/store.h"

struct reader;

int reader_new(struct event_base *base, const char *conninfo, struct reader **ret_reader);
/* Answers what still waits with an error. */
void reader_free(struct reader *reader);
void reader_alerts(struct reader *reader, const struct store_alerts_query *query,
                   store_answer *answer, void *arg);
void reader_readings(struct reader *reader, const struct store_readings_query *query,
                     store_answer *answer, void *arg);

#endif
