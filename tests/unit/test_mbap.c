/* Frames as they stand on the wire; the byte strings are the specification's examples
 * (MODBUS Application Protocol V1.1b3, 6.1 to 6.4) with an MBAP header before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <lodewatch/modbus.h>

#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})

static void
request_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct lw_mb_request req;
        int rc;
        uint8_t want[LW_MBAP_REQUEST];
    } rows[] = {
        {"holding registers",
         {17, 3, 0x006B, 3},
         0,
         {0x12, 0x34, 0, 0, 0, 6, 17, 3, 0, 0x6B, 0, 3}},
        {"input register", {1, 4, 8, 1}, 0, {0x12, 0x34, 0, 0, 0, 6, 1, 4, 0, 8, 0, 1}},
        {"coils",
         {1, 1, 0x13, 0x13},
         0,
         {0x12, 0x34, 0, 0, 0, 6, 1, 1, 0, 0x13, 0, 0x13}},
        {"the most registers",
         {1, 3, 0xFF83, 125},
         0,
         {0x12, 0x34, 0, 0, 0, 6, 1, 3, 0xFF, 0x83, 0, 125}},
        {"one register too many", {1, 3, 0, 126}, LW_EINVAL, {0}},
        {"none", {1, 3, 0, 0}, LW_EINVAL, {0}},
        {"over the end of the addresses", {1, 3, 0xFFFF, 2}, LW_EINVAL, {0}},
        {"one bit too many", {1, 2, 0, 2001}, LW_EINVAL, {0}},
        {"write single coil", {1, 5, 0, 1}, LW_EINVAL, {0}},
        {"write single register", {1, 6, 0, 1}, LW_EINVAL, {0}},
        {"write multiple registers", {1, 16, 0, 1}, LW_EINVAL, {0}},
        {"function 0", {1, 0, 0, 1}, LW_EINVAL, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t frame[LW_MBAP_REQUEST] = {0};
        print_message("  %s\n", rows[i].name);
        assert_int_equal(lw_mbap_request(0x1234, &rows[i].req, frame), rows[i].rc);
        assert_memory_equal(frame, rows[i].want, sizeof frame);
    }
}

/* Whatever function code is asked for, no frame but a read's comes out. */
static void
reads_only(void **state)
{
    (void)state;
    for (int f = 0; f < 256; f++) {
        struct lw_mb_request req = {.unit = 1, .function = (uint8_t)f, .count = 1};
        uint8_t frame[LW_MBAP_REQUEST];
        assert_int_equal(lw_mbap_request(1, &req, frame),
                         f >= 1 && f <= 4 ? 0 : LW_EINVAL);
    }
}

static void
stream(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t data[16];
        size_t n;
        int rc;
    } rows[] = {
        {"nothing", {0}, 0, LW_EAGAIN},
        {"half a header", BYTES(0, 1, 0, 0), LW_EAGAIN},
        {"header alone", BYTES(0, 1, 0, 0, 0, 3, 1), LW_EAGAIN},
        {"a byte short", BYTES(0, 1, 0, 0, 0, 3, 1, 0x83), LW_EAGAIN},
        {"whole", BYTES(0, 1, 0, 0, 0, 3, 1, 0x83, 2), 9},
        {"and more behind it", BYTES(0, 1, 0, 0, 0, 3, 1, 0x83, 2, 0, 2), 9},
        {"protocol id, seen early", BYTES(0, 1, 0, 1), LW_EPROTO},
        {"length without a PDU", BYTES(0, 1, 0, 0, 0, 1), LW_EPROTO},
        {"length 0", BYTES(0, 1, 0, 0, 0, 0), LW_EPROTO},
        {"length over the limit", BYTES(0, 1, 0, 0, 0, 255), LW_EPROTO},
        {"the longest, waited for", BYTES(0, 1, 0, 0, 0, 254), LW_EAGAIN},
        {"text", BYTES('H', 'T', 'T', 'P', '/', '1'), LW_EPROTO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lw_mbap_frame frame;
        print_message("  %s\n", rows[i].name);
        assert_int_equal(lw_mbap_next(rows[i].data, rows[i].n, &frame), rows[i].rc);
        if (rows[i].rc > 0) {
            assert_int_equal(frame.transaction, 1);
            assert_int_equal(frame.unit, 1);
            assert_int_equal(frame.pdu_len, 2);
            assert_ptr_equal(frame.pdu, rows[i].data + 7);
        }
    }
}

static void
replies(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct lw_mb_request req;
        uint8_t pdu[12];
        size_t n;
        int rc;
    } rows[] = {
        {"three registers", {1, 3, 0x6B, 3}, BYTES(3, 6, 2, 0x2B, 0, 0, 0, 0x64), 0},
        {"nineteen coils", {1, 1, 0x13, 19}, BYTES(1, 3, 0xCD, 0x6B, 5), 0},
        {"exception", {1, 3, 0, 1}, BYTES(0x83, 2), 2},
        {"exception of a gateway", {1, 4, 0, 1}, BYTES(0x84, 0x0B), 0x0B},
        {"exception without a code", {1, 3, 0, 1}, BYTES(0x83), LW_EPROTO},
        {"exception 0", {1, 3, 0, 1}, BYTES(0x83, 0), LW_EPROTO},
        {"exception and more", {1, 3, 0, 1}, BYTES(0x83, 2, 0), LW_EPROTO},
        {"another function's exception", {1, 3, 0, 1}, BYTES(0x84, 2), LW_EPROTO},
        {"another function", {1, 3, 0, 1}, BYTES(4, 2, 0, 0), LW_EPROTO},
        {"too few registers", {1, 3, 0, 2}, BYTES(3, 2, 0, 0), LW_EPROTO},
        {"too many registers", {1, 3, 0, 1}, BYTES(3, 4, 0, 0, 0, 0), LW_EPROTO},
        {"byte count that lies", {1, 3, 0, 1}, BYTES(3, 2, 0), LW_EPROTO},
        {"bytes behind the data", {1, 3, 0, 1}, BYTES(3, 2, 0, 0, 0), LW_EPROTO},
        {"empty", {1, 3, 0, 1}, {0}, 0, LW_EPROTO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint8_t *data = NULL;
        size_t n = 0;
        print_message("  %s\n", rows[i].name);
        assert_int_equal(lw_mb_reply(&rows[i].req, rows[i].pdu, rows[i].n, &data, &n),
                         rows[i].rc);
        assert_ptr_equal(data, rows[i].rc == 0 ? rows[i].pdu + 2 : NULL);
        assert_int_equal(n, rows[i].rc == 0 ? rows[i].n - 2 : 0);
    }
}

static void
serving(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t pdu[8];
        size_t n;
        int code;
    } rows[] = {
        {"read", BYTES(3, 0, 0x6B, 0, 3), 0},
        {"write single register", BYTES(6, 0, 1, 0, 3), LW_MB_ILLEGAL_FUNCTION},
        {"write multiple registers", BYTES(16, 0, 1, 0, 1, 2, 0), LW_MB_ILLEGAL_FUNCTION},
        {"no count", BYTES(3, 0, 1), LW_MB_ILLEGAL_VALUE},
        {"count 0", BYTES(3, 0, 1, 0, 0), LW_MB_ILLEGAL_VALUE},
        {"count 126", BYTES(4, 0, 1, 0, 126), LW_MB_ILLEGAL_VALUE},
        {"over the end", BYTES(4, 0xFF, 0xFF, 0, 2), LW_MB_ILLEGAL_ADDRESS},
        {"empty", {0}, 0, LW_MB_ILLEGAL_FUNCTION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lw_mb_request req = {.unit = 9};
        print_message("  %s\n", rows[i].name);
        assert_int_equal(lw_mb_parse_request(rows[i].pdu, rows[i].n, &req), rows[i].code);
        assert_int_equal(req.unit, 9);
        assert_int_equal(req.count, rows[i].code ? 0 : 3);
    }
}

/* What we serve is what we read back, for every count. */
static void
both_ways(void **state)
{
    (void)state;
    uint8_t data[2 * LW_MB_REGISTERS_MAX], frame[LW_MBAP_MAX];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (uint16_t count = 1; count <= LW_MB_REGISTERS_MAX; count++) {
        struct lw_mb_request req = {
            .unit = 7, .function = 3, .address = 10, .count = count};
        struct lw_mbap_frame got;
        const uint8_t *back;
        size_t n, len = lw_mbap_answer(0xABCD, &req, data, 2u * count, frame);
        assert_int_equal(lw_mbap_next(frame, len, &got), len);
        assert_int_equal(got.transaction, 0xABCD);
        assert_int_equal(got.unit, 7);
        assert_int_equal(lw_mb_reply(&req, got.pdu, got.pdu_len, &back, &n), 0);
        assert_int_equal(n, 2u * count);
        assert_memory_equal(back, data, n);
    }
    struct lw_mbap_frame got;
    struct lw_mb_request req = {.unit = 7, .function = 4, .count = 1};
    size_t len = lw_mbap_exception(5, 7, 4, LW_MB_NO_ANSWER, frame);
    assert_int_equal(lw_mbap_next(frame, len, &got), len);
    assert_int_equal(
        lw_mb_reply(&req, got.pdu, got.pdu_len, &(const uint8_t *){0}, &(size_t){0}),
        LW_MB_NO_ANSWER);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_bytes), cmocka_unit_test(reads_only),
        cmocka_unit_test(stream),        cmocka_unit_test(replies),
        cmocka_unit_test(serving),       cmocka_unit_test(both_ways),
    };
    return cmocka_run_group_tests_name("mbap", tests, NULL, NULL);
}
