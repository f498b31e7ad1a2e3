/* Any bytes as a packed day: refused, or readings that can be packed and come back. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/day_pack.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MOST = 512
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lw_day_codec *codec;
    static struct lw_reading readings[MOST], back[MOST];
    static uint8_t *block;
    size_t most = lw_day_pack_most(MOST);
    size_t n, bytes, again;
    int rc;

    if (codec == NULL) {
        rc = lw_day_codec_new(&codec);
        block = malloc(most);
        assert(rc == 0 && block != NULL);
    }
    if (lw_day_unpack(codec, data, size, readings, MOST, &n) != 0)
        return 0;
    rc = lw_day_pack(codec, readings, n, block, most, &bytes);
    assert(rc == 0);
    rc = lw_day_unpack(codec, block, bytes, back, MOST, &again);
    assert(rc == 0 && again == n);
    assert(memcmp(readings, back, n * sizeof(readings[0])) == 0);
    return 0;
}
