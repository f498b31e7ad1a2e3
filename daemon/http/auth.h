/* The bearer token. */
#ifndef DAEMON_HTTP_AUTH_H
#define DAEMON_HTTP_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/fault.h>
#include <lodewatch/hash.h>

enum {
    AUTH_TOKEN_MIN = 16,
    AUTH_TOKEN_MAX = 256
};

/* Only its digest is kept. */
struct auth {
    bool present;
    uint8_t digest[LW_SHA256_SIZE];
};

/* Reads the token, a line of 16..256 characters of RFC 6750's b64token. A file that
 * others than its owner and group can read is a fault. An empty path: no token.
 * LW_EPARSE. */
int auth_load(const char *path, struct auth *ret_auth, struct lw_faults *faults);

/* Does the value of an Authorization header (NULL: none) carry the token? Takes the same
 * time wherever it differs. */
bool auth_permits(const struct auth *auth, const char *authorization);

#endif
