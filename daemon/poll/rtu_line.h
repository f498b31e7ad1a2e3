/* A serial line: libmodbus in a thread of its own. What the thread and the loop share is
 * a pair of sockets, over which fixed records go; so a line is a stream to its bus, like
 * all others, and no memory is shared. */
#ifndef DAEMON_POLL_RTU_LINE_H
#define DAEMON_POLL_RTU_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/ledger.h>
#include <lodewatch/modbus.h>

#include "daemon/poll/framing.h"

struct rtu_line_options {
    const char *device;
    int32_t baud;
    enum lw_parity parity;
    int32_t stop_bits;
};

/* Is it one of the rates that libmodbus knows? It takes any other for 9600. */
bool rtu_line_knows_baud(int32_t baud);

struct rtu_line_request {
    uint16_t transaction;
    int32_t timeout_ms; /* the time on the wire comes on top of it */
    struct lw_mb_request mb;
};

struct rtu_line_reply {
    enum frame_kind kind;
    int error; /* with FRAME_GONE: errno */
    uint16_t transaction;
    uint16_t pdu_len;
    uint8_t unit;
    uint8_t pdu[LW_MB_PDU_MAX];
};

/* Starts the line's worker, which opens the device: the first record on *ret_fd is
 * FRAME_UP, or FRAME_GONE and why not. Closing the socket ends the worker, after the
 * request that it may be at. LW_EIO with errno. */
int rtu_line_open(const struct rtu_line_options *options, int *ret_fd);
/* The most ms that the worker takes for a request. */
int32_t rtu_line_longest_ms(const struct rtu_line_options *options, int32_t timeout_ms);

#endif
