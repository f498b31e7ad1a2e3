/* Any byte stream, cut into pieces as the bus does it, for any request and for none; and
 * as the simulator does it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/rtu.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
walk(const struct lw_mb_request *asked, const uint8_t *data, size_t n)
{
    struct lw_rtu_piece piece;
    int len;
    while ((len = lw_rtu_next(asked, data, n, &piece)) > 0) {
        assert((size_t)len <= n);
        if (piece.kind == LW_RTU_REPLY || piece.kind == LW_RTU_OTHER) {
            assert(len <= LW_RTU_MAX && piece.unit == data[0]);
            assert(piece.pdu == data + 1 && piece.pdu_len + 3 == (size_t)len);
            assert(lw_rtu_crc(data, (size_t)len) == 0);
        }
        if (piece.kind == LW_RTU_REPLY) {
            const uint8_t *values;
            size_t nvalues;
            assert(asked != NULL && piece.unit == asked->unit);
            /* of exactly the length asked for, or an exception; a code of 0 is none */
            int code = lw_mb_reply(asked, piece.pdu, piece.pdu_len, &values, &nvalues);
            assert(code != 0 || nvalues == lw_mb_data_bytes(asked));
            assert(code >= 0 || piece.pdu_len == 2);
        }
        data += len;
        n -= (size_t)len;
    }
    assert(len == LW_EAGAIN && n < LW_RTU_MAX && (asked != NULL || n == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *pdu;
    size_t pdu_len;
    uint8_t frame[LW_RTU_REQUEST], unit;
    if (n < 4 || n > 1024)
        return 0;
    struct lw_mb_request asked = {
        .unit = data[0],
        .function = (uint8_t)(1 + data[1] % 4),
        .address = data[2],
        .count = (uint16_t)(1 + data[3] % LW_MB_REGISTERS_MAX),
    };
    assert(lw_rtu_request(&asked, frame) == 0);
    assert(lw_rtu_take_request(frame, sizeof frame, &unit, &pdu, &pdu_len) == 8);
    assert(unit == asked.unit && memcmp(pdu, frame + 1, pdu_len) == 0);
    walk(&asked, data + 4, n - 4);
    walk(NULL, data + 4, n - 4);
    int rc = lw_rtu_take_request(data, n, &unit, &pdu, &pdu_len);
    assert(rc == LW_EAGAIN || rc == LW_EPROTO || rc == LW_RTU_REQUEST);
    return 0;
}
