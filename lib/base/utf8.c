/* UTF-8 by the table of RFC 3629, section 4. */
#include <lodewatch/utf8.h>

#include <stdint.h>
#include <string.h>

/* What may follow a first byte: how many bytes, and the range of the first of them (the
 * others are 80..BF). */
static const struct {
    unsigned char first, last;
    unsigned char more;
    unsigned char low, high;
} leads[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* The length of the character there; 0: none that is valid. */
static size_t
character(const unsigned char *s, size_t n)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if (s[0] < leads[i].first || s[0] > leads[i].last)
            continue;
        size_t more = leads[i].more;
        if (more >= n || s[1] < leads[i].low || s[1] > leads[i].high)
            return 0;
        for (size_t k = 2; k <= more; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return more + 1;
    }
    return 0;
}

size_t
lw_utf8_valid(const char *s, size_t n)
{
    size_t at = 0;
    while (at < n) {
        uint64_t eight;
        if (n - at >= sizeof(eight)) { /* mostly ASCII: eight bytes at a time */
            memcpy(&eight, s + at, sizeof(eight));
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof(eight);
                continue;
            }
        }
        size_t len = (unsigned char)s[at] < 0x80
                         ? 1
                         : character((const unsigned char *)s + at, n - at);
        if (len == 0)
            return at;
        at += len;
    }
    return n;
}
