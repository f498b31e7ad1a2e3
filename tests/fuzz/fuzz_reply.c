/* Any PDU as the reply to any read: the first six bytes make the request. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/modbus.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t frame[LW_MBAP_REQUEST];
    if (n < 6)
        return 0;
    struct lw_mb_request req = {
        .unit = data[0],
        .function = data[1],
        .address = (uint16_t)(data[2] << 8 | data[3]),
        .count = (uint16_t)(data[4] << 8 | data[5]),
    };
    if (lw_mbap_request(1, &req, frame) < 0)
        return 0;
    const uint8_t *values = NULL;
    size_t nvalues = 0;
    int rc = lw_mb_reply(&req, data + 6, n - 6, &values, &nvalues);
    if (rc == 0)
        assert(values == data + 8 && nvalues == n - 8);
    else
        assert(values == NULL && (rc == LW_EPROTO || (rc > 0 && rc < 256)));
    return 0;
}
