/* Any ledger cell as a registration, and any packet held against it, as it comes in byte
 * by byte: what is whole was part before, and what is none never becomes one. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lodewatch/registration.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[256];
    const uint8_t *end = n > 0 ? memchr(data, '\0', n) : NULL;
    if (end == NULL || (size_t)(end - data) >= sizeof text)
        return 0;
    struct lw_registration known;
    memcpy(text, data, (size_t)(end - data) + 1);
    if (lw_registration_parse(text, &known) != 0)
        return 0;
    assert(known.n >= 1 && known.n <= LW_REGISTRATION_MAX);
    assert(lw_registration_match(&known, known.bytes, known.n) == LW_REGISTRATION_WHOLE);
    const uint8_t *packet = end + 1;
    size_t npacket = n - (size_t)(packet - data);
    enum lw_registration_match before = LW_REGISTRATION_PART;
    for (size_t i = 0; i <= npacket && i <= LW_REGISTRATION_PACKET_MAX; i++) {
        enum lw_registration_match m = lw_registration_match(&known, packet, i);
        if (before == LW_REGISTRATION_NO)
            assert(m == LW_REGISTRATION_NO);
        if (before == LW_REGISTRATION_WHOLE)
            assert(m != LW_REGISTRATION_PART);
        before = m;
    }
    return 0;
}
