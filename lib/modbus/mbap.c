/* Modbus TCP frames: writing read requests, cutting a stream into frames, and holding
 * replies against what was asked.
 *
 * Sources: Modbus Application Protocol V1.1b3, sections 4 to 6.4 and 7; Modbus Messaging
 * on TCP/IP V1.0b, section 3.1.3 (MBAP: transaction, protocol 0, length, unit). */
#include <lodewatch/modbus.h>

#include <assert.h>
#include <string.h>

enum {
    EXCEPTION_BIT = 0x80,
    REQUEST_PDU = 5
};

static void
put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint16_t
get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool
is_bits(uint8_t function)
{
    return function == LW_MB_READ_COILS || function == LW_MB_READ_DISCRETE_INPUTS;
}

static bool
is_read(uint8_t function)
{
    return function >= LW_MB_READ_COILS && function <= LW_MB_READ_INPUT_REGISTERS;
}

/* How many data bytes answer the request. */
static size_t
data_bytes(const struct lw_mb_request *req)
{
    return is_bits(req->function) ? (req->count + 7u) / 8u : 2u * req->count;
}

/* 0, or the exception code that the specification has for the first thing wrong. */
static int
request_fault(const struct lw_mb_request *req)
{
    if (!is_read(req->function))
        return LW_MB_ILLEGAL_FUNCTION;
    if (req->count == 0 ||
        req->count > (is_bits(req->function) ? LW_MB_BITS_MAX : LW_MB_REGISTERS_MAX))
        return LW_MB_ILLEGAL_VALUE;
    if (req->address + req->count > 0x10000)
        return LW_MB_ILLEGAL_ADDRESS;
    return 0;
}

static void
put_header(uint8_t *frame, uint16_t transaction, uint8_t unit, size_t pdu_len)
{
    put16(frame, transaction);
    put16(frame + 2, 0);
    put16(frame + 4, pdu_len + 1); /* the unit is counted */
    frame[6] = unit;
}

int
lw_mbap_request(uint16_t transaction, const struct lw_mb_request *req,
                uint8_t frame[LW_MBAP_REQUEST])
{
    if (request_fault(req))
        return LW_EINVAL;
    put_header(frame, transaction, req->unit, REQUEST_PDU);
    frame[7] = req->function;
    put16(frame + 8, req->address);
    put16(frame + 10, req->count);
    return 0;
}

int
lw_mbap_next(const uint8_t *data, size_t n, struct lw_mbap_frame *ret_frame)
{
    /* Judged as soon as the bytes are there, so that garbage is not waited upon. */
    if (n >= 4 && get16(data + 2) != 0)
        return LW_EPROTO;
    if (n < 6)
        return LW_EAGAIN;
    size_t length = get16(data + 4);
    if (length < 2 || length > LW_MB_PDU_MAX + 1)
        return LW_EPROTO;
    if (n < 6 + length)
        return LW_EAGAIN;
    *ret_frame = (struct lw_mbap_frame){
        .transaction = get16(data),
        .unit = data[6],
        .pdu = data + LW_MBAP_HEADER,
        .pdu_len = length - 1,
    };
    return (int)(6 + length);
}

int
lw_mb_reply(const struct lw_mb_request *req, const uint8_t *pdu, size_t n,
            const uint8_t **ret_data, size_t *ret_n)
{
    if (n < 2)
        return LW_EPROTO;
    if (pdu[0] == (req->function | EXCEPTION_BIT))
        return n == 2 && pdu[1] != 0 ? pdu[1] : LW_EPROTO;
    size_t want = data_bytes(req);
    if (pdu[0] != req->function || pdu[1] != want || n != 2 + want)
        return LW_EPROTO;
    *ret_data = pdu + 2;
    *ret_n = want;
    return 0;
}

int
lw_mb_parse_request(const uint8_t *pdu, size_t n, struct lw_mb_request *ret_req)
{
    if (n == 0 || !is_read(pdu[0]))
        return LW_MB_ILLEGAL_FUNCTION;
    if (n != REQUEST_PDU)
        return LW_MB_ILLEGAL_VALUE;
    struct lw_mb_request req = {
        .unit = ret_req->unit,
        .function = pdu[0],
        .address = get16(pdu + 1),
        .count = get16(pdu + 3),
    };
    int code = request_fault(&req);
    if (code == 0)
        *ret_req = req;
    return code;
}

size_t
lw_mbap_answer(uint16_t transaction, const struct lw_mb_request *req, const uint8_t *data,
               size_t n, uint8_t *frame)
{
    assert(n <= LW_MB_PDU_MAX - 2);
    put_header(frame, transaction, req->unit, 2 + n);
    frame[7] = req->function;
    frame[8] = (uint8_t)n;
    memcpy(frame + 9, data, n);
    return 9 + n;
}

size_t
lw_mbap_exception(uint16_t transaction, uint8_t unit, uint8_t function, uint8_t code,
                  uint8_t *frame)
{
    put_header(frame, transaction, unit, 2);
    frame[7] = function | EXCEPTION_BIT;
    frame[8] = code;
    return 9;
}
