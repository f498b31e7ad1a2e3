/* Is it UTF-8? (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.) */
#ifndef LODEWATCH_UTF8_H
#define LODEWATCH_UTF8_H

#include <stddef.h>

/* How many bytes from the start are whole, valid characters: n where all is UTF-8. */
size_t lw_utf8_valid(const char *s, size_t n);

#endif
