/* One device, asked one request after the other, each waited for: for commands that
 * people run. The one place where `lodewatch probe` knows what carries the bytes. */
#ifndef DAEMON_CLI_ASK_H
#define DAEMON_CLI_ASK_H

#include <stdint.h>

#include <lodewatch/modbus.h>

struct ask;

enum {
    ASK_DATA = 2 * LW_MB_REGISTERS_MAX
};

/* Connects to "host:port" (Modbus TCP), each wait no longer than `timeout_ms`. LW_EINVAL:
 * that is no such address; LW_EIO (errno); LW_ENOMEM. */
LW_MUSTCHECK
int ask_open(const char *address, int timeout_ms, struct ask **ret_ask);
void ask_close(struct ask *ask);

/* 0: `data` has what was asked for; 1 to 255: the exception that came instead; LW_EAGAIN:
 * no answer in time; LW_EIO (errno); LW_EPROTO: what came is no Modbus TCP. */
LW_MUSTCHECK
int ask_read(struct ask *ask, const struct lw_mb_request *request,
             uint8_t data[ASK_DATA]);

#endif
