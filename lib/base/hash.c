/* Digests: SHA-256 (nettle's) for evidence and identifiers, FNV-1a for tables. */
#include <lodewatch/hash.h>

#include <assert.h>
#include <string.h>

#include <nettle/sha2.h>

/* The public struct keeps nettle out of our headers. It is copied, never cast: the two
 * are different types. */
static_assert(sizeof(struct sha256_ctx) <= sizeof(struct lw_sha256),
              "state is too small");

void
lw_sha256_init(struct lw_sha256 *h)
{
    struct sha256_ctx ctx;
    memset(&ctx, 0,
           sizeof(ctx)); /* its block too, so that equal states are equal bytes */
    sha256_init(&ctx);
    memset(h->state, 0, sizeof(h->state));
    memcpy(h->state, &ctx, sizeof(ctx));
}

void
lw_sha256_add(struct lw_sha256 *h, const void *data, size_t n)
{
    struct sha256_ctx ctx;
    memcpy(&ctx, h->state, sizeof(ctx));
    sha256_update(&ctx, n, data);
    memcpy(h->state, &ctx, sizeof(ctx));
}

void
lw_sha256_get(const struct lw_sha256 *h, uint8_t digest[LW_SHA256_SIZE])
{
    struct sha256_ctx ctx;
    memcpy(&ctx, h->state, sizeof(ctx));
    sha256_digest(&ctx, LW_SHA256_SIZE, digest);
}

void
lw_hex(const uint8_t *data, size_t n, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *text++ = digits[data[i] >> 4];
        *text++ = digits[data[i] & 15];
    }
    *text = '\0';
}

uint64_t
lw_hash64(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}
