/* Registration packets: how a gateway that dials in says who it is. */
#ifndef LODEWATCH_REGISTRATION_H
#define LODEWATCH_REGISTRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/result.h>

enum {
    LW_REGISTRATION_MAX = 64,
    LW_REGISTRATION_PACKET_MAX = 2 * LW_REGISTRATION_MAX, /* with line ends around it */
};

struct lw_registration {
    uint8_t n; /* 1..64 */
    uint8_t bytes[LW_REGISTRATION_MAX];
};

/* From the ledger's cell: the text's own bytes, or `hex:` and pairs of hexadecimal
 * digits, blanks allowed between. LW_EINVAL: empty, too long, no pairs, or CR, LF or NUL
 * at an end, which would not count in the packet. */
LW_MUSTCHECK
int lw_registration_parse(const char *text, struct lw_registration *ret_registration);

enum lw_registration_match {
    LW_REGISTRATION_NO,
    LW_REGISTRATION_PART,  /* so far; more bytes may make it whole */
    LW_REGISTRATION_WHOLE, /* CR, LF and NUL around it do not count */
};
enum lw_registration_match lw_registration_match(const struct lw_registration *known,
                                                 const uint8_t *data, size_t n);

#endif
