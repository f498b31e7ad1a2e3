/* One device, asked one request after the other, each waited for: for commands that
 * people run. The one place where `lodewatch probe` knows what carries the bytes. */
#ifndef DAEMON_CLI_ASK_H
#define DAEMON_CLI_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/ledger.h>
#include <lodewatch/modbus.h>

struct ask;

enum {
    ASK_DATA = 2 * LW_MB_REGISTERS_MAX,
    ASK_BAUD = 0x100, /* options of a serial line */
    ASK_PARITY,
    ASK_STOP_BITS
};

struct ask_options {
    const char *address; /* "host:port", or a serial line's device, which begins with / */
    bool rtu;            /* over TCP: RTU, not Modbus TCP */
    int timeout_ms;      /* of each wait; on a serial line the wire's time comes on top */
    int32_t baud;
    enum lw_parity parity;
    int32_t stop_bits;
};

/* Takes what the user said of a serial line; false, with a word on stderr: it is wrong.
 */
bool ask_line_option(int option, const char *text, struct ask_options *options);

/* Connects. LW_EINVAL: that is no such address; LW_EIO (errno); LW_ENOMEM. */
LW_MUSTCHECK
int ask_open(const struct ask_options *options, struct ask **ret_ask);
void ask_close(struct ask *ask);
/* What is spoken there: "Modbus TCP". */
const char *ask_protocol(const struct ask *ask);

/* 0: `data` has what was asked for; 1 to 255: the exception that came instead; LW_EAGAIN:
 * no answer in time; LW_EIO (errno); LW_EPROTO: what came is not that protocol. */
LW_MUSTCHECK
int ask_read(struct ask *ask, const struct lw_mb_request *request,
             uint8_t data[ASK_DATA]);

#endif
