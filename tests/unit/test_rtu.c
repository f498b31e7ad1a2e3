/* RTU frames in streams: each row is what came in, and the pieces that it is taken for.
 */
#include <stdio.h>

#include <lodewatch/rtu.h>

#include "tests/unit/unit.h"

static const struct lw_mb_request two_registers = {17, 3, 0x006B, 2};

static void
crc_is_the_specifications(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t data[10];
        size_t n;
        uint16_t want;
    } rows[] = {
        /* Modbus over Serial Line V1.02, 6.2.2: sent as 41 12 */
        {"the specification's example", {0x02, 0x07}, 2, 0x1241},
        {"nothing", {0}, 0, 0xFFFF},
        {"check value of CRC-16/MODBUS", "123456789", 9, 0x4B37},
        {"a request", {0x11, 0x03, 0x00, 0x6B, 0x00, 0x03}, 6, 0x8776},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        unsigned crc = 0xFFFF; /* bit by bit, as in the specification */
        for (size_t b = 0; b < rows[i].n; b++) {
            crc ^= rows[i].data[b];
            for (int k = 0; k < 8; k++)
                crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
        }
        check_int(lw_rtu_crc(rows[i].data, rows[i].n), crc);
        check_int(crc, rows[i].want);
    }
}

static void
requests_are_reads(void **state)
{
    (void)state;
    static const uint8_t want[] = {0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87};
    struct lw_mb_request req = {17, 3, 0x006B, 3};
    uint8_t frame[LW_RTU_REQUEST];
    assert_int_equal(lw_rtu_request(&req, frame), 0);
    assert_memory_equal(frame, want, sizeof want);
    for (int f = 0; f < 256; f++) {
        req.function = (uint8_t)f;
        assert_int_equal(lw_rtu_request(&req, frame), f >= 1 && f <= 4 ? 0 : LW_EINVAL);
    }
}

/* A row's stream is made of letters:
 *   R the reply        O another unit's reply     F the unit's reply to another function
 *   S a shorter reply  E the exception            X another unit's exception
 *   C the reply, its CRC wrong                    h the reply's first half
 *   t its second half  u the unit's number alone  g garbage  . the heartbeat "DTU-1"
 * and so is what it is taken for: R, E reply; O other; C corrupt; n noise; and at the end
 * + where more is waited for. */
static size_t
add(char letter, uint8_t *to)
{
    uint8_t f[LW_RTU_MAX] = {17, 3, 4, 0x12, 0x34, 0x56, 0x78};
    size_t n = 7;
    switch (letter) {
    case 'O':
        f[0] = 18;
        break;
    case 'F':
        f[1] = 4;
        break;
    case 'S':
        f[2] = 2;
        n = 5;
        break;
    case 'X':
        f[0] = 18; /* fall through */
    case 'E':
        f[1] = 0x83;
        f[2] = 2;
        n = 3;
        break;
    case 'g':
        memcpy(to, "\xff\x00\x7e", 3);
        return 3;
    case '.':
        memcpy(to, "DTU-1", 5);
        return 5;
    case 'u':
        to[0] = 17;
        return 1;
    default:
        break;
    }
    n = lw_rtu_seal(f, n);
    if (letter == 'C')
        f[n - 1] ^= 1;
    size_t from = letter == 't' ? 4 : 0, end = letter == 'h' ? 4 : n;
    memcpy(to, f + from, end - from);
    return end - from;
}

static const char *
pieces(const struct lw_mb_request *asked, const uint8_t *data, size_t n)
{
    static char text[64];
    size_t at = 0, k = 0;
    struct lw_rtu_piece piece;
    int len;
    while ((len = lw_rtu_next(asked, data + at, n - at, &piece)) > 0) {
        const uint8_t *values;
        size_t nvalues;
        char letter = "ROCn"[piece.kind];
        if (piece.kind == LW_RTU_REPLY) {
            int code = lw_mb_reply(asked, piece.pdu, piece.pdu_len, &values, &nvalues);
            check(piece.unit == 17 && (code == 0 || code == 2));
            if (code == 0)
                check(nvalues == 4 && memcmp(values, "\x12\x34\x56\x78", 4) == 0);
            letter = code == 0 ? 'R' : 'E';
        }
        if (k == 0 || letter != 'n' || text[k - 1] != 'n') /* one noise, however cut */
            text[k++] = letter;
        at += (size_t)len;
    }
    check_int(len, LW_EAGAIN);
    check(n - at < LW_RTU_MAX);
    if (at < n)
        text[k++] = '+';
    text[k] = '\0';
    return text;
}

static const struct {
    const char *name, *stream, *want, *want_unasked;
} streams[] = {
    {"nothing", "", "", ""},
    {"the reply", "R", "R", "O"},
    {"an exception", "E", "E", "O"},
    {"half of it", "h", "+", "n"},
    {"both halves", "ht", "R", "O"},
    {"the unit's number", "u", "+", "n"},
    {"garbage before it", "gR", "nR", "nO"},
    {"garbage behind it", "Rg", "Rn", "On"},
    {"garbage like its beginning", "uR", "nR", "nO"},
    {"twice like its beginning", "uuR", "nR", "nO"},
    {"a half before it", "hR", "CR", "nO"},
    {"a bad CRC", "C", "C", "n"},
    {"a bad CRC, and then right", "CR", "CR", "nO"},
    {"another unit's", "O", "O", "O"},
    {"another unit's before it", "OR", "OR", "OO"},
    {"another unit's exception before it", "XR", "OR", "OO"},
    {"another function's before it", "FR", "OR", "OO"},
    {"a shorter one before it", "SR", "OR", "OO"},
    {"a heartbeat before it", ".R", "nR", "nO"},
    {"heartbeats alone", "...", "n", "n"},
    {"everything", "gO.CuFgSR.g", "nOnCOnORn", "nOnOnOOn"},
    {"it comes twice", "RR", "RR", "OO"},
};

static void
finds_the_reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(streams); i++) {
        uint8_t data[512];
        size_t n = 0;
        row(streams[i].name);
        for (const char *s = streams[i].stream; *s != '\0'; s++)
            n += add(*s, data + n);
        check_text(pieces(&two_registers, data, n), streams[i].want);
        check_text(pieces(NULL, data, n), streams[i].want_unasked);
    }
}

/* However the bytes come, and whatever stands before: what is found is the reply. */
static void
finds_it_in_drops(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(streams); i++) {
        uint8_t data[512];
        size_t n = 0, at = 0, replies = 0, want = 0;
        row(streams[i].name);
        for (const char *s = streams[i].stream; *s != '\0'; s++)
            n += add(*s, data + n);
        for (const char *s = streams[i].want; *s != '\0'; s++)
            want += *s == 'R' || *s == 'E';
        for (size_t got = 1; got <= n; got++) {
            struct lw_rtu_piece piece;
            int len;
            while ((len = lw_rtu_next(&two_registers, data + at, got - at, &piece)) > 0) {
                replies += piece.kind == LW_RTU_REPLY;
                at += (size_t)len;
            }
        }
        check_int(replies, want);
    }
}

static void
waits_for_less_than_a_frame(void **state)
{
    (void)state;
    static uint8_t data[4096];
    struct lw_mb_request asked = {3, 3, 0, 125};
    struct lw_rtu_piece piece;
    for (int fill = 0; fill < 256; fill++) {
        size_t at = 0;
        int len;
        memset(data, fill, sizeof data);
        while ((len = lw_rtu_next(&asked, data + at, sizeof data - at, &piece)) > 0)
            at += (size_t)len;
        assert_true(sizeof data - at < LW_RTU_MAX);
    }
}

static void
takes_requests(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t data[10];
        size_t n;
        int rc;
    } rows[] = {
        {"whole", {0x11, 0x03, 0, 0x6B, 0, 0x03, 0x76, 0x87, 9}, 9, 8},
        {"a byte short", {0x11, 0x03, 0, 0x6B, 0, 0x03, 0x76}, 7, LW_EAGAIN},
        {"a bad CRC", {0x11, 0x03, 0, 0x6B, 0, 0x03, 0x76, 0x86}, 8, LW_EPROTO},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        uint8_t unit;
        const uint8_t *pdu;
        size_t n;
        row(rows[i].name);
        check_int(lw_rtu_take_request(rows[i].data, rows[i].n, &unit, &pdu, &n),
                  rows[i].rc);
        if (rows[i].rc > 0)
            check(unit == 17 && pdu == rows[i].data + 1 && n == LW_MB_REQUEST);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_the_specifications),
        cmocka_unit_test(requests_are_reads),
        cmocka_unit_test(finds_the_reply),
        cmocka_unit_test(finds_it_in_drops),
        cmocka_unit_test(waits_for_less_than_a_frame),
        cmocka_unit_test(takes_requests),
    };
    return cmocka_run_group_tests_name("rtu", tests, NULL, NULL);
}
