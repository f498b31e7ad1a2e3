/* What a sink of alerts is: one row in notify.c's table, one file. Private to
 * daemon/notify. */
#ifndef DAEMON_NOTIFY_SINK_H
#define DAEMON_NOTIFY_SINK_H

#include <stddef.h>

#include "daemon/notify/notify.h"

struct sink_type {
    const char *name; /* of the journal's consumer */
    bool inspection;  /* it gets inspection's records and no alerts; nothing that it does
                       * is logged or counted, since that would tell of them */
    /* LW_ENOTFOUND: this sink is not configured, or not there; LW_EIO (errno), logged. */
    int (*open)(const struct notify_options *options, void **ret_sink);
    /* One alert's JSON. LW_EAGAIN: not now; LW_EIO (errno): later, perhaps. Either way it
     * is called again with the same alert. */
    int (*deliver)(void *sink, const char *json, size_t n);
    /* After some deliveries: they are safe when it returns 0. NULL: they are anyway. */
    int (*flush)(void *sink);
    /* NULL: nothing to open anew. */
    void (*reopen)(void *sink);
    void (*close)(void *sink);
};

extern const struct sink_type sink_ndjson, sink_journald, sink_inspection;

#endif
