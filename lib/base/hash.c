/* Digests: SHA-256 (nettle's) for evidence and identifiers, FNV-1a for tables. */
#include <lodewatch/hash.h>

#include <assert.h>
#include <string.h>

#include <nettle/sha2.h>

/* nettle's context with what we keep of it; its buffer is ours, so it is always empty. */
static struct sha256_ctx
context(const struct lw_sha256 *h)
{
    struct sha256_ctx ctx = {.count = h->n / LW_SHA256_BLOCK};

    memcpy(ctx.state, h->state, sizeof h->state);
    return ctx;
}

void
lw_sha256_init(struct lw_sha256 *h)
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    *h = (struct lw_sha256){.n = 0};
    memcpy(h->state, ctx.state, sizeof h->state);
}

void
lw_sha256_add(struct lw_sha256 *h, const void *data, size_t n)
{
    size_t held = h->n % LW_SHA256_BLOCK, fills = LW_SHA256_BLOCK - held, whole;
    const uint8_t *p = data;
    struct sha256_ctx ctx;

    assert(n <= UINT32_MAX - h->n);
    if (n < fills) {
        memcpy(h->rest + held, p, n);
        h->n += (uint32_t)n;
        return;
    }
    ctx = context(h);
    memcpy(h->rest + held, p, fills);
    sha256_update(&ctx, LW_SHA256_BLOCK, h->rest);
    h->n += (uint32_t)n;
    p += fills;
    n -= fills;
    whole = n - n % LW_SHA256_BLOCK;
    sha256_update(&ctx, whole, p);
    memcpy(h->state, ctx.state, sizeof h->state);
    memset(h->rest, 0, sizeof h->rest);
    memcpy(h->rest, p + whole, n - whole);
}

void
lw_sha256_get(const struct lw_sha256 *h, uint8_t digest[LW_SHA256_SIZE])
{
    struct sha256_ctx ctx = context(h);

    sha256_update(&ctx, h->n % LW_SHA256_BLOCK, h->rest);
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
