/* The rows: what lib/modbus and the serial line's worker know, in one form. */
#include "daemon/poll/framing.h"

#include <assert.h>
#include <string.h>

#include <lodewatch/rtu.h>

#include "daemon/poll/rtu_line.h"
#include "daemon/poll/stream.h"

/* A profile's reads are checked when it is loaded. */
static void
must(int rc)
{
    assert(rc == 0);
    (void)rc;
}

/* ---- Modbus TCP ---- */

static void
mbap_request(uint16_t transaction, const struct lw_mb_request *mb, int32_t ms,
             uint8_t *to)
{
    (void)ms;
    must(lw_mbap_request(transaction, mb, to));
}

static int
mbap_next(const struct lw_mb_request *asked, const uint8_t *data, size_t n,
          struct frame *ret_frame)
{
    struct lw_mbap_frame f;
    (void)asked;
    int len = lw_mbap_next(data, n, &f);
    if (len > 0)
        *ret_frame = (struct frame){.unit = f.unit,
                                    .transaction = f.transaction,
                                    .pdu = f.pdu,
                                    .pdu_len = f.pdu_len};
    return len;
}

const struct framing framing_mbap = {
    .what = "Modbus TCP",
    .request_n = LW_MBAP_REQUEST,
    .at_once = STREAM_BUFFER,
    .numbered = true,
    .request = mbap_request,
    .next = mbap_next,
};

/* ---- RTU ---- */

static void
rtu_request(uint16_t transaction, const struct lw_mb_request *mb, int32_t ms, uint8_t *to)
{
    (void)transaction;
    (void)ms;
    must(lw_rtu_request(mb, to));
}

static int
rtu_next(const struct lw_mb_request *asked, const uint8_t *data, size_t n,
         struct frame *ret_frame)
{
    static const enum frame_kind kinds[] = {
        [LW_RTU_REPLY] = FRAME_REPLY,
        [LW_RTU_OTHER] = FRAME_OTHER,
        [LW_RTU_CORRUPT] = FRAME_CORRUPT,
        [LW_RTU_NOISE] = FRAME_NOISE,
    };
    struct lw_rtu_piece piece;
    int len = lw_rtu_next(asked, data, n, &piece);
    if (len > 0)
        *ret_frame = (struct frame){.kind = kinds[piece.kind],
                                    .unit = piece.unit,
                                    .pdu = piece.pdu,
                                    .pdu_len = piece.pdu_len};
    return len;
}

/* Little is read at once, since each byte may begin a frame whose CRC is reckoned. */
const struct framing framing_rtu = {
    .what = "Modbus RTU",
    .request_n = LW_RTU_REQUEST,
    .at_once = 4096,
    .settles = true,
    .request = rtu_request,
    .next = rtu_next,
};

/* ---- the worker of a serial line ---- */

static void
line_request(uint16_t transaction, const struct lw_mb_request *mb, int32_t ms,
             uint8_t *to)
{
    struct rtu_line_request r = {0};
    r.transaction = transaction;
    r.timeout_ms = ms;
    r.mb = *mb;
    memcpy(to, &r, sizeof r);
}

static int
line_next(const struct lw_mb_request *asked, const uint8_t *data, size_t n,
          struct frame *ret_frame)
{
    struct rtu_line_reply r;
    (void)asked;
    if (n < sizeof r)
        return LW_EAGAIN;
    memcpy(&r, data, sizeof r);
    *ret_frame = (struct frame){.kind = r.kind,
                                .ends = r.kind != FRAME_REPLY,
                                .unit = r.unit,
                                .transaction = r.transaction,
                                .error = r.error,
                                .pdu = data + offsetof(struct rtu_line_reply, pdu),
                                .pdu_len = r.pdu_len};
    return (int)sizeof r;
}

static_assert(sizeof(struct rtu_line_request) <= FRAMING_REQUEST_MAX, "it fits");
static_assert(sizeof(struct rtu_line_reply) <= STREAM_REST, "the rest of one fits");

const struct framing framing_line = {
    .what = "a serial line's worker",
    .request_n = sizeof(struct rtu_line_request),
    .at_once = 4096,
    .numbered = true,
    .settles = true,
    .request = line_request,
    .next = line_next,
};
