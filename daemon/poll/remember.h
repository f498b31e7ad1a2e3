/* What the poller has learnt of devices and does not want to learn again after a reload:
 * which registers a device refuses to give together. It is kept in memory alone: after a
 * restart each such meter has one more read refused. */
#ifndef DAEMON_POLL_REMEMBER_H
#define DAEMON_POLL_REMEMBER_H

struct poller;
struct remembered;

/* Of a poller that is about to be freed. NULL: nothing, or memory is exhausted; then it
 * is learnt anew. */
struct remembered *poller_remember(const struct poller *poller);
/* Tells it to another one, of a ledger that may have changed; what concerns a meter or a
 * profile that is not the same any more is left out. */
void poller_recall(struct poller *poller, const struct remembered *remembered);
void remembered_free(struct remembered *remembered);

#endif
