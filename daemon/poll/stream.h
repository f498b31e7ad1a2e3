/* A connection as a stream of bytes that ends some time. It knows neither who made it
 * (dial.c, listener.c, rtu_line.c) nor what the bytes mean (framing.c), so that TLS can
 * come between. */
#ifndef DAEMON_POLL_STREAM_H
#define DAEMON_POLL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct stream;

enum {
    STREAM_REST = 512,         /* the most bytes that may be left for the next time */
    STREAM_BUFFER = 64 * 1024, /* what is read at once, by all streams */
    STREAM_FD_MIN = 1024,
};

/* What is read goes through one buffer, whichever stream it came by. */
struct stream_pool {
    struct event_base *base;
    uint8_t buffer[STREAM_BUFFER];
};

struct stream_owner {
    /* Returns how many of the bytes it used; the rest comes again with what follows.
     * Negative: the stream ends, `down` gets that error (-errno). It must not close the
     * stream itself. */
    ptrdiff_t (*bytes)(void *arg, const uint8_t *data, size_t n);
    /* It has ended and is closed. `error` is an errno; 0: the peer closed. */
    void (*down)(void *arg, int error);
};

/* `at_once`: the most bytes that are read and handed over together. */
int stream_new(struct stream_pool *pool, size_t at_once, const struct stream_owner *owner,
               void *arg, struct stream **ret_stream);
void stream_free(struct stream *stream);
/* It goes on with another pool. */
void stream_move(struct stream *stream, struct stream_pool *pool);

/* Takes a connected socket, which is closed with it. LW_ENOMEM: it is closed at once. */
int stream_open(struct stream *stream, int fd);
/* Without a call of `down`. */
void stream_close(struct stream *stream);
/* Sends all. Where that fails, `down` follows from the loop; so it does where the peer
 * left so much unread that a few requests do not fit. */
void stream_send(struct stream *stream, const void *data, size_t n);
/* Takes what has come in, without waiting for the loop to say so. */
void stream_take(struct stream *stream);
/* Drops what is left from the time before; was there anything? */
bool stream_forget(struct stream *stream);
/* Does the network hold back what was sent? */
bool stream_stalls(const struct stream *stream);

/* Every socket gets a number from STREAM_FD_MIN on, where the limit allows: libmodbus can
 * wait for none above (`FD_SET`), so that these are left to serial lines. Returns the new
 * number, the old one is closed. */
int stream_number(int fd);
/* A cable that was pulled is noticed. */
void stream_watch_cable(int fd);

#endif
