/* The parts of /metrics. Private to daemon/http. */
#ifndef DAEMON_HTTP_METRICS_H
#define DAEMON_HTTP_METRICS_H

#include "daemon/poll/poller.h"

struct evbuffer;

/* The two lines before a metric's figures. */
void metrics_head(struct evbuffer *out, const char *name, const char *type,
                  const char *help);
/* `poller` NULL: nothing is polled. */
void metrics_add_poll(struct evbuffer *out, const struct poller *poller,
                      const struct poller_stats *stats, const struct lw_ledger *ledger);

#endif
