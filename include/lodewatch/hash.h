/* SHA-256 as a value that can be copied in mid-stream, for evidence and identifiers. */
#ifndef LODEWATCH_HASH_H
#define LODEWATCH_HASH_H

#include <stddef.h>
#include <stdint.h>

enum {
    LW_SHA256_SIZE = 32,
    LW_SHA256_BLOCK = 64
};

/* Small, because every meter has one. Equal states are equal bytes. */
struct lw_sha256 {
    uint32_t state[LW_SHA256_SIZE / 4];
    uint32_t n;                    /* bytes added so far: 4 GB at most */
    uint8_t rest[LW_SHA256_BLOCK]; /* of them what fills no block yet, then zeros */
};

void lw_sha256_init(struct lw_sha256 *h);
void lw_sha256_add(struct lw_sha256 *h, const void *data, size_t n);
/* Writes the digest of what was added so far; `h` can go on. */
void lw_sha256_get(const struct lw_sha256 *h, uint8_t digest[LW_SHA256_SIZE]);

/* Lower-case hexadecimal; `text` holds 2 n + 1 characters. */
void lw_hex(const uint8_t *data, size_t n, char *text);

/* 64-bit FNV-1a: for tables in memory and for phases, never for evidence. */
uint64_t lw_hash64(const void *data, size_t n);

#endif
