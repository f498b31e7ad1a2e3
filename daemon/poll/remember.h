/* What is kept when a poller takes another one's place (SIGHUP): the connections of
 * endpoints that did not change, what was counted, and of each meter that did not change
 * its phase, its backoff and what was learnt of it. In memory alone: after a restart all
 * of it begins anew. */
#ifndef DAEMON_POLL_REMEMBER_H
#define DAEMON_POLL_REMEMBER_H

struct poller;
struct remembered;

/* Takes it out of a poller, which can only be freed then. NULL: there is none, or memory
 * is exhausted; then all begins anew. */
struct remembered *poller_remember(struct poller *poller);
/* Puts it into another one that was just made, of a ledger that may have changed. */
void poller_recall(struct poller *poller, struct remembered *remembered);
/* What nobody recalled is over: its connections are closed. */
void remembered_free(struct remembered *remembered);

#endif
