/* Digests against published values. */
#include "unit.h"

#include <lodewatch/hash.h>

static void
test_sha256(void **state)
{
    /* FIPS 180-2, appendix B, and the empty message */
    static const struct {
        const char *message, *digest;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_sha256 h;
        uint8_t digest[LW_SHA256_SIZE];
        char text[2 * LW_SHA256_SIZE + 1];

        row(rows[i].message);
        lw_sha256_init(&h);
        for (const char *c = rows[i].message; *c != '\0'; c++) {
            lw_sha256_add(&h, c, 1);
            lw_sha256_get(&h, digest); /* looking at it changes nothing */
        }
        lw_sha256_get(&h, digest);
        lw_hex(digest, sizeof(digest), text);
        check_text(text, rows[i].digest);
    }
}

/* However a message comes in: nothing of it depends on where the blocks end. */
static void
test_in_pieces(void **state)
{
    char message[200];
    uint8_t whole[LW_SHA256_SIZE], pieces[LW_SHA256_SIZE];
    char text[2 * LW_SHA256_SIZE + 1];
    struct lw_sha256 a, b;

    (void)state;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (char)('a' + i % 26);
    for (size_t n = 0; n <= sizeof message; n++)
        for (size_t cut = 0; cut <= n; cut++) {
            lw_sha256_init(&a);
            lw_sha256_add(&a, message, n);
            lw_sha256_get(&a, whole);
            lw_sha256_init(&b);
            lw_sha256_add(&b, message, cut);
            lw_sha256_add(&b, message + cut, n - cut);
            lw_sha256_get(&b, pieces);
            assert_memory_equal(whole, pieces, sizeof whole);
            assert_memory_equal(&a, &b, sizeof a);
        }
    lw_hex(whole, sizeof whole, text); /* as sha256sum has it */
    check_text(text, "8013a82140d916576e2cf550b27449a368abec66cc154a7d9f599019d33aa3d2");
}

static void
test_a_copy_goes_its_own_way(void **state)
{
    struct lw_sha256 a, b;
    uint8_t left[LW_SHA256_SIZE], right[LW_SHA256_SIZE];
    (void)state;
    lw_sha256_init(&a);
    lw_sha256_add(&a, "a", 1);
    b = a;
    lw_sha256_add(&b, "b", 1);
    lw_sha256_get(&a, left);
    lw_sha256_get(&b, right);
    assert_memory_not_equal(left, right, sizeof(left));
    lw_sha256_add(&a, "b", 1);
    lw_sha256_get(&a, left);
    assert_memory_equal(left, right, sizeof(left));
}

static void
test_hash64(void **state)
{
    (void)state;
    assert_true(lw_hash64("", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(lw_hash64("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(lw_hash64("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_a_copy_goes_its_own_way),
        cmocka_unit_test(test_hash64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
