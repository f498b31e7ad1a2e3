/* Modbus RTU framing (Modbus over Serial Line V1.02, section 2.5): unit, PDU, CRC-16.
 * Over TCP there is no silence that ends a frame, and replies carry no number; so a reply
 * is found by its shape, which the request foretells, and its CRC. */
#ifndef LODEWATCH_RTU_H
#define LODEWATCH_RTU_H

#include <stdbool.h>

#include <lodewatch/modbus.h>

enum {
    LW_RTU_REQUEST = 8, /* the size of every request of ours */
    LW_RTU_MAX = 256,
};

/* Bits on the line for a byte: a start bit, eight of data (RTU has no other), parity if
 * any, stop bits. */
static inline int32_t
lw_rtu_bits(bool parity, int32_t stop_bits)
{
    return 1 + 8 + parity + stop_bits;
}

/* CRC-16 (0x8005 reflected, begun at 0xFFFF); on the wire its low byte comes first. */
uint16_t lw_rtu_crc(const uint8_t *data, size_t n);
/* Puts the CRC behind the n bytes of a frame; returns n + 2. */
size_t lw_rtu_seal(uint8_t *frame, size_t n);

/* Writes a request; LW_EINVAL for another function code or a count out of range. */
LW_MUSTCHECK
int lw_rtu_request(const struct lw_mb_request *req, uint8_t frame[LW_RTU_REQUEST]);

enum lw_rtu_kind {
    LW_RTU_REPLY,   /* has the shape of the request's reply, and a good CRC */
    LW_RTU_OTHER,   /* a whole reply with a good CRC, to something else */
    LW_RTU_CORRUPT, /* has the shape of the request's reply, and a bad CRC */
    LW_RTU_NOISE,   /* no frame at all */
};

struct lw_rtu_piece {
    enum lw_rtu_kind kind;
    uint8_t unit;       /* REPLY and OTHER */
    const uint8_t *pdu; /* borrowed from the buffer */
    size_t pdu_len;
};

/* What stands at the head of `data`: returns the piece's length; LW_EAGAIN: it may be the
 * beginning of the reply, or there is nothing. Less than LW_RTU_MAX bytes wait so.
 * `asked` NULL: nothing is under way, and nothing is waited for. Only a REPLY's PDU is
 * for lw_mb_reply; what is counted as which of the others may depend on how the bytes
 * came. */
LW_MUSTCHECK
int lw_rtu_next(const struct lw_mb_request *asked, const uint8_t *data, size_t n,
                struct lw_rtu_piece *ret_piece);

/* The serving side, for the simulator: the request at the head. Returns its length, with
 * the unit and the PDU as it came (lw_mb_parse_request judges it); LW_EAGAIN; LW_EPROTO:
 * the first LW_RTU_REQUEST bytes are none. */
LW_MUSTCHECK
int lw_rtu_take_request(const uint8_t *data, size_t n, uint8_t *ret_unit,
                        const uint8_t **ret_pdu, size_t *ret_pdu_len);

#endif
