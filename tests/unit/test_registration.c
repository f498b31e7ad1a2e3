/* Registration packets: the ledger's text, and what is taken for it. */
#include <lodewatch/registration.h>

#include "tests/unit/unit.h"

static void
parses(void **state)
{
    (void)state;
    static const char long64[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *name, *text;
        int n;
        const char *want;
    } rows[] = {
        {"a text", "DTU-0007", 8, "DTU-0007"},
        {"a telephone number", "13812345678", 11, "13812345678"},
        {"Chinese", "矿", 3, "\xe7\x9f\xbf"},
        {"the longest", long64, 64, long64},
        {"bytes", "hex:C0a80101", 4, "\xc0\xa8\x01\x01"},
        {"bytes with blanks", "hex: 01 02 ff", 3, "\x01\x02\xff"},
        {"a NUL inside", "hex:410042", 3, "A\0B"},
        {"not the prefix", "Hex:01", 6, "Hex:01"},
        {"empty", "", -1, NULL},
        {"too long", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefg",
         -1, NULL},
        {"no bytes", "hex:", -1, NULL},
        {"half a byte", "hex:012", -1, NULL},
        {"a pair that is torn", "hex:0 1", -1, NULL},
        {"no digit", "hex:0g", -1, NULL},
        {"a line end at the end", "DTU\n", -1, NULL},
        {"a NUL at the beginning", "hex:0041", -1, NULL},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_registration r;
        row(rows[i].name);
        int rc = lw_registration_parse(rows[i].text, &r);
        check_int(rc, rows[i].n < 0 ? LW_EINVAL : 0);
        if (rc == 0) {
            check_int(r.n, rows[i].n);
            check(memcmp(r.bytes, rows[i].want, r.n) == 0);
        }
    }
}

static void
matches(void **state)
{
    (void)state;
    enum {
        NO = LW_REGISTRATION_NO,
        PART = LW_REGISTRATION_PART,
        WHOLE = LW_REGISTRATION_WHOLE
    };
#define DATA(text) text, sizeof text - 1
    static const struct {
        const char *name, *data;
        size_t n;
        int want;
    } rows[] = {
        {"nothing yet", DATA(""), PART},
        {"its beginning", DATA("DTU"), PART},
        {"it", DATA("DTU-1"), WHOLE},
        {"with a line end", DATA("DTU-1\r\n"), WHOLE},
        {"with NULs", DATA("DTU-1\0\0"), WHOLE},
        {"line ends before it", DATA("\r\nDTU-1"), WHOLE},
        {"a line end alone", DATA("\r\n"), PART},
        {"another that begins so", DATA("DTU-10"), NO},
        {"another", DATA("DTV-1"), NO},
        {"in small letters", DATA("dtu-1"), NO},
        {"twice", DATA("DTU-1DTU-1"), NO},
        {"a line end in the middle", DATA("DTU\n-1"), NO},
        {"a request", DATA("\x00\x01\x00\x00\x00\x06"), NO},
    };
    struct lw_registration known;
    assert_int_equal(lw_registration_parse("DTU-1", &known), 0);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        check_int(lw_registration_match(&known, (const uint8_t *)rows[i].data, rows[i].n),
                  rows[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(matches),
    };
    return cmocka_run_group_tests_name("registration", tests, NULL, NULL);
}
