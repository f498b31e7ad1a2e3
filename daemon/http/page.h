/* A list as an answer: made over as many turns of the loop as it takes, so that a long
 * one does not keep the poller waiting. Private to daemon/http. */
#ifndef DAEMON_HTTP_PAGE_H
#define DAEMON_HTTP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/http/call.h"

enum {
    PAGE_DEFAULT = 100,
    PAGE_MOST = 1000
};

struct page;

struct page_source {
    const char *name; /* of the list's member */
    /* Adds the items after the one with the id `after` ("": from the first on) until
     * page_full or there are no more. 1: there are more; 0: there are not; LW_ENOTFOUND:
     * what `after` names is gone; LW_EIO: nothing is
     * polled; LW_ENOMEM. Between two calls anything may change. */
    int (*fill)(struct page *page, const struct rooms *rooms, const char *after);
};

/* Answers {"NAME":[item, …],"at":"…","next":…} with up to `limit` items after `after`,
 * now or later. `next` is what `after` asks for the next page. */
void page_get(struct http_call *call, const struct page_source *source);

/* What was asked for. */
const struct http_query *page_query(const struct page *page);
int page_add(struct page *page, const char *id, const char *item, size_t n);
bool page_full(const struct page *page);

#endif
