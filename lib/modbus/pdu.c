/* The PDUs of the four read requests: writing them, holding replies against what was
 * asked, and the serving side of both.
 *
 * Source: Modbus Application Protocol V1.1b3, sections 4 to 6.4 and 7. */
#include <lodewatch/modbus.h>

#include <assert.h>
#include <string.h>

#include "words.h"

enum {
    EXCEPTION_BIT = 0x80
};

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

size_t
lw_mb_data_bytes(const struct lw_mb_request *req)
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

int
lw_mb_request(const struct lw_mb_request *req, uint8_t pdu[LW_MB_REQUEST])
{
    if (request_fault(req))
        return LW_EINVAL;
    pdu[0] = req->function;
    put16(pdu + 1, req->address);
    put16(pdu + 3, req->count);
    return 0;
}

int
lw_mb_reply(const struct lw_mb_request *req, const uint8_t *pdu, size_t n,
            const uint8_t **ret_data, size_t *ret_n)
{
    if (n < 2)
        return LW_EPROTO;
    if (pdu[0] == (req->function | EXCEPTION_BIT))
        return n == 2 && pdu[1] != 0 ? pdu[1] : LW_EPROTO;
    size_t want = lw_mb_data_bytes(req);
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
    if (n != LW_MB_REQUEST)
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
lw_mb_answer(const struct lw_mb_request *req, const uint8_t *data, size_t n, uint8_t *pdu)
{
    assert(n <= LW_MB_PDU_MAX - 2);
    pdu[0] = req->function;
    pdu[1] = (uint8_t)n;
    memcpy(pdu + 2, data, n);
    return 2 + n;
}

size_t
lw_mb_exception(uint8_t function, uint8_t code, uint8_t *pdu)
{
    pdu[0] = function | EXCEPTION_BIT;
    pdu[1] = code;
    return 2;
}
