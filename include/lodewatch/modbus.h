/* Modbus: the four read requests and MBAP framing (Modbus Application Protocol V1.1b3,
 * Messaging on TCP/IP V1.0b). Function codes 1 to 4 are all there is here. RTU framing is
 * in rtu.h. */
#ifndef LODEWATCH_MODBUS_H
#define LODEWATCH_MODBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>

enum lw_mb_function {
    LW_MB_READ_COILS = 1,
    LW_MB_READ_DISCRETE_INPUTS = 2,
    LW_MB_READ_HOLDING_REGISTERS = 3,
    LW_MB_READ_INPUT_REGISTERS = 4,
};

enum lw_mb_exception {
    LW_MB_ILLEGAL_FUNCTION = 1,
    LW_MB_ILLEGAL_ADDRESS = 2,
    LW_MB_ILLEGAL_VALUE = 3,
    LW_MB_DEVICE_FAILURE = 4,
    LW_MB_ACKNOWLEDGE = 5,
    LW_MB_DEVICE_BUSY = 6,
    LW_MB_NO_PATH = 10,   /* a gateway's: the unit's line is not available */
    LW_MB_NO_ANSWER = 11, /* a gateway's: the unit did not answer */
};

enum {
    LW_MB_REGISTERS_MAX = 125,
    LW_MB_BITS_MAX = 2000,
    LW_MB_PDU_MAX = 253,
    LW_MB_REQUEST = 5, /* the size of every request's PDU */
    LW_MBAP_HEADER = 7,
    LW_MBAP_MAX = LW_MBAP_HEADER + LW_MB_PDU_MAX,
    LW_MBAP_REQUEST = 12, /* the size of every request of ours */
};

struct lw_mb_request {
    uint8_t unit;
    uint8_t function; /* 1..4 */
    uint16_t address; /* 0-based, as on the wire */
    uint16_t count;   /* registers 1..125 or bits 1..2000 */
};

struct lw_mbap_frame {
    uint16_t transaction;
    uint8_t unit;
    const uint8_t *pdu; /* borrowed from the buffer */
    size_t pdu_len;     /* 1..253 */
};

/* Writes a request's PDU; LW_EINVAL for another function code or a count out of range. */
LW_MUSTCHECK
int lw_mb_request(const struct lw_mb_request *req, uint8_t pdu[LW_MB_REQUEST]);
/* How many data bytes answer the request. */
size_t lw_mb_data_bytes(const struct lw_mb_request *req);

/* Writes a request; LW_EINVAL for another function code or a count out of range. */
LW_MUSTCHECK
int lw_mbap_request(uint16_t transaction, const struct lw_mb_request *req,
                    uint8_t frame[LW_MBAP_REQUEST]);

/* Finds the frame at the head of `data`. Returns its whole length; LW_EAGAIN: more bytes
 * are needed; LW_EPROTO: this is no Modbus TCP stream (protocol id or length), and where
 * the next frame begins cannot be known. */
LW_MUSTCHECK
int lw_mbap_next(const uint8_t *data, size_t n, struct lw_mbap_frame *ret_frame);

/* Holds a reply's PDU against the request. 0: *ret_data has exactly the bytes asked for;
 * 1..255: the exception code that it carries; LW_EPROTO: it answers something else. */
LW_MUSTCHECK
int lw_mb_reply(const struct lw_mb_request *req, const uint8_t *pdu, size_t n,
                const uint8_t **ret_data, size_t *ret_n);

/* The serving side, for the simulator. A request's PDU -> *ret_req (unit untouched).
 * 0, or the exception code to answer with. */
int lw_mb_parse_request(const uint8_t *pdu, size_t n, struct lw_mb_request *ret_req);
/* A reply with `n` data bytes (a byte count is put before them), or an exception: the PDU
 * (LW_MB_PDU_MAX), or the frame (LW_MBAP_MAX). Returns its length. */
size_t lw_mb_answer(const struct lw_mb_request *req, const uint8_t *data, size_t n,
                    uint8_t *pdu);
size_t lw_mb_exception(uint8_t function, uint8_t code, uint8_t *pdu);
size_t lw_mbap_answer(uint16_t transaction, const struct lw_mb_request *req,
                      const uint8_t *data, size_t n, uint8_t *frame);
size_t lw_mbap_exception(uint16_t transaction, uint8_t unit, uint8_t function,
                         uint8_t code, uint8_t *frame);

#endif
