/* Modbus TCP frames: the header before a PDU, and cutting a stream into frames.
 *
 * Source: Modbus Messaging on TCP/IP V1.0b, section 3.1.3 (MBAP: transaction, protocol 0,
 * length, unit). */
#include <lodewatch/modbus.h>

#include "words.h"

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
    int rc = lw_mb_request(req, frame + LW_MBAP_HEADER);
    if (rc == 0)
        put_header(frame, transaction, req->unit, LW_MB_REQUEST);
    return rc;
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

size_t
lw_mbap_answer(uint16_t transaction, const struct lw_mb_request *req, const uint8_t *data,
               size_t n, uint8_t *frame)
{
    size_t pdu_len = lw_mb_answer(req, data, n, frame + LW_MBAP_HEADER);
    put_header(frame, transaction, req->unit, pdu_len);
    return LW_MBAP_HEADER + pdu_len;
}

size_t
lw_mbap_exception(uint16_t transaction, uint8_t unit, uint8_t function, uint8_t code,
                  uint8_t *frame)
{
    size_t pdu_len = lw_mb_exception(function, code, frame + LW_MBAP_HEADER);
    put_header(frame, transaction, unit, pdu_len);
    return LW_MBAP_HEADER + pdu_len;
}
