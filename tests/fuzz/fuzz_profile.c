/* Any text as a profile; one that is accepted must lay out, encode and decode anything.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/profile.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct lw_faults faults;
    struct lw_profile *profile;
    struct lw_read_block blocks[LW_READ_BLOCKS];
    uint8_t registers[2 * 125];

    faults.n = faults.kept = 0;
    if (lw_profile_new("fuzz.json", (const char *)data, n, &faults, &profile) < 0) {
        assert(faults.n > 0 && faults.fault[0].text[0]);
        return 0;
    }
    size_t nblocks = lw_profile_blocks(profile, n & 1 ? UINT64_MAX : 0, blocks);
    for (size_t i = 0; i < sizeof registers; i++)
        registers[i] = data[(i * 31) % n];
    for (size_t b = 0; b < nblocks; b++) {
        struct lw_reading reading = {0};
        assert(blocks[b].count >= 1 && blocks[b].count <= profile->max_registers);
        (void)lw_profile_decode(profile, &blocks[b], registers, 40000, 100000, &reading);
        lw_profile_encode(profile, &blocks[b], &reading, 40000, 100000, registers);
    }
    lw_profile_free(profile);
    return 0;
}
