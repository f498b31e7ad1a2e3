/* How requests are written into a stream, and replies found in it: a const row each for
 * Modbus TCP, RTU, and the worker of a serial line. */
#ifndef DAEMON_POLL_FRAMING_H
#define DAEMON_POLL_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/modbus.h>

enum {
    FRAMING_REQUEST_MAX = 24
};

enum frame_kind {
    FRAME_REPLY,   /* a PDU; whether it is that of a request under way is to be seen */
    FRAME_OTHER,   /* another unit's or request's */
    FRAME_CORRUPT, /* its CRC is wrong */
    FRAME_NOISE,   /* bytes that are none */
    FRAME_UP,      /* the line is open */
    FRAME_TIMEOUT, /* the request's time is over */
    FRAME_GONE,    /* the line is: `error` */
};

struct frame {
    enum frame_kind kind;
    bool ends; /* the request of that transaction is over, though this is no reply */
    uint8_t unit;
    uint16_t transaction;
    int error;
    const uint8_t *pdu;
    size_t pdu_len;
};

struct framing {
    const char *what; /* the stream is to be */
    size_t request_n; /* bytes of a request, at most FRAMING_REQUEST_MAX */
    size_t at_once;   /* bytes that are read at once */
    bool numbered;    /* a reply names its transaction */
    bool settles;     /* a late reply may still be on the way: after a timeout, wait */
    void (*request)(uint16_t transaction, const struct lw_mb_request *mb, int32_t ms,
                    uint8_t *to);
    /* What stands at the head: its length; LW_EAGAIN; LW_EPROTO: where anything begins
     * cannot be known. `asked` NULL: nothing is under way. */
    int (*next)(const struct lw_mb_request *asked, const uint8_t *data, size_t n,
                struct frame *ret_frame);
};

extern const struct framing framing_mbap, framing_rtu, framing_line;

#endif
