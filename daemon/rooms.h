/* The rooms of the running daemon, as main.c wires them. A room that is not there is
 * NULL; a reload may change a pointer, so nobody keeps one from it. */
#ifndef DAEMON_ROOMS_H
#define DAEMON_ROOMS_H

struct rooms {
    struct loop *loop;
    struct clock *clock;
    struct journal *journal;
    struct engine *engine;
    struct poller *poller;
    struct store *store; /* NULL: no database is configured */
    struct notify *notify;
    struct http *http; /* NULL: nothing listens */
};

#endif
