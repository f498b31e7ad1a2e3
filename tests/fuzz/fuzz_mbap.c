/* Any byte stream, cut into frames as the link and the simulator do it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/modbus.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct lw_mbap_frame frame;
    int len;
    while ((len = lw_mbap_next(data, n, &frame)) > 0) {
        assert((size_t)len <= n && len <= LW_MBAP_MAX);
        assert(frame.pdu + frame.pdu_len == data + len);
        struct lw_mb_request req = {.unit = frame.unit};
        if (lw_mb_parse_request(frame.pdu, frame.pdu_len, &req) == 0) {
            /* A request that we accept is one that we could have written. */
            uint8_t again[LW_MBAP_REQUEST];
            assert(lw_mbap_request(frame.transaction, &req, again) == 0);
        }
        data += len;
        n -= (size_t)len;
    }
    return 0;
}
