/* RTU frames: writing read requests, and finding their replies in a stream of bytes that
 * may also hold other units' frames, pieces of frames and garbage.
 *
 * Sources: Modbus over Serial Line V1.02, section 2.5.1 and appendix B (CRC). */
#include <lodewatch/rtu.h>

#include <string.h>

enum {
    EXCEPTION_BIT = 0x80,
    EXCEPTION_FRAME = 5, /* unit, function, code, CRC */
    AROUND_DATA = 5,     /* unit, function, byte count; CRC */
    DATA_MAX = 250,
};

/* Four bits at a time: what they do to the register. */
uint16_t
lw_rtu_crc(const uint8_t *data, size_t n)
{
    static const uint16_t nibble[16] = {
        0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
        0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
    };
    unsigned crc = 0xFFFF;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return (uint16_t)crc;
}

size_t
lw_rtu_seal(uint8_t *frame, size_t n)
{
    uint16_t crc = lw_rtu_crc(frame, n);
    frame[n] = (uint8_t)crc;
    frame[n + 1] = (uint8_t)(crc >> 8);
    return n + 2;
}

/* A frame's CRC, its last two bytes, gives 0 with them. */
static bool
is_sealed(const uint8_t *frame, size_t n)
{
    return lw_rtu_crc(frame, n) == 0;
}

int
lw_rtu_request(const struct lw_mb_request *req, uint8_t frame[LW_RTU_REQUEST])
{
    frame[0] = req->unit;
    int rc = lw_mb_request(req, frame + 1);
    if (rc == 0)
        lw_rtu_seal(frame, 1 + LW_MB_REQUEST);
    return rc;
}

/* The length of the asked reply that the bytes are, or may be the beginning of; 0: they
 * are not. */
static size_t
asked_length(const struct lw_mb_request *asked, const uint8_t *data, size_t n)
{
    if (asked == NULL || data[0] != asked->unit)
        return 0;
    size_t bytes = lw_mb_data_bytes(asked);
    if (n < 2)
        return AROUND_DATA + bytes;
    if (data[1] == (asked->function | EXCEPTION_BIT))
        return EXCEPTION_FRAME;
    if (data[1] != asked->function || (n > 2 && data[2] != bytes))
        return 0;
    return AROUND_DATA + bytes;
}

/* The length of a whole reply to whatever read; 0: there is none here. */
static size_t
whole_length(const uint8_t *data, size_t n)
{
    if (n < EXCEPTION_FRAME)
        return 0;
    uint8_t function = data[1] & (uint8_t)~EXCEPTION_BIT;
    if (function < LW_MB_READ_COILS || function > LW_MB_READ_INPUT_REGISTERS)
        return 0;
    size_t length =
        data[1] & EXCEPTION_BIT ? EXCEPTION_FRAME : (size_t)AROUND_DATA + data[2];
    bool can_be = data[1] & EXCEPTION_BIT || (data[2] > 0 && data[2] <= DATA_MAX);
    return can_be && length <= n && is_sealed(data, length) ? length : 0;
}

/* Where the asked reply stands whole; n: nowhere. */
static size_t
find_asked(const struct lw_mb_request *asked, const uint8_t *data, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        size_t length = asked_length(asked, data + at, n - at);
        if (length != 0 && length <= n - at && is_sealed(data + at, length))
            return at;
    }
    return n;
}

static size_t
noise_length(const struct lw_mb_request *asked, const uint8_t *data, size_t n)
{
    size_t at = 1;
    while (at < n && asked_length(asked, data + at, n - at) == 0 &&
           whole_length(data + at, n - at) == 0)
        at++;
    return at;
}

static int
take_frame(enum lw_rtu_kind kind, const uint8_t *data, size_t length,
           struct lw_rtu_piece *ret_piece)
{
    *ret_piece = (struct lw_rtu_piece){
        .kind = kind, .unit = data[0], .pdu = data + 1, .pdu_len = length - 3};
    return (int)length;
}

int
lw_rtu_next(const struct lw_mb_request *asked, const uint8_t *data, size_t n,
            struct lw_rtu_piece *ret_piece)
{
    if (n == 0)
        return LW_EAGAIN;
    size_t length = asked_length(asked, data, n);
    if (length > n) {
        /* What looks like its beginning may be garbage before it. */
        size_t at = find_asked(asked, data, n);
        if (at == n)
            return LW_EAGAIN;
        *ret_piece = (struct lw_rtu_piece){.kind = LW_RTU_NOISE};
        return (int)at;
    }
    if (length != 0 && is_sealed(data, length))
        return take_frame(LW_RTU_REPLY, data, length, ret_piece);
    size_t other = whole_length(data, n);
    if (other != 0)
        return take_frame(LW_RTU_OTHER, data, other, ret_piece);
    /* After a bad CRC it is looked for anew from the next byte on: where it ends, another
     * frame need not begin. */
    *ret_piece = (struct lw_rtu_piece){.kind = length ? LW_RTU_CORRUPT : LW_RTU_NOISE};
    return (int)noise_length(asked, data, n);
}

int
lw_rtu_take_request(const uint8_t *data, size_t n, uint8_t *ret_unit,
                    const uint8_t **ret_pdu, size_t *ret_pdu_len)
{
    if (n < LW_RTU_REQUEST)
        return LW_EAGAIN;
    if (!is_sealed(data, LW_RTU_REQUEST))
        return LW_EPROTO;
    *ret_unit = data[0];
    *ret_pdu = data + 1;
    *ret_pdu_len = LW_MB_REQUEST;
    return LW_RTU_REQUEST;
}
