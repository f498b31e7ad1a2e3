/* Files: whole or not at all, in UTF-8 whatever they were in, and zones by name only. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/files.h"

static char dir[] = "/tmp/lodewatch-files-XXXXXX";

static void
put(const char *name, const char *data, size_t n)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int
make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
    (void)state;
    char path[128];
    static const char *const names[] = {"f", "areas.csv", "sites.csv"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static void
test_read(void **state)
{
    (void)state;
    char path[128], *data;
    size_t n;
    snprintf(path, sizeof(path), "%s/f", dir);
    put("f", "a\0b", 3);
    assert_int_equal(files_read(path, 3, &data, &n), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(data, "a\0b", 4);
    free(data);
    assert_int_equal(files_read(path, 2, &data, &n), LW_EIO);
    assert_int_equal(errno, EFBIG);
    put("f", "", 0);
    assert_int_equal(files_read(path, 0, &data, &n), 0);
    assert_string_equal(data, "");
    free(data);
    assert_int_equal(files_read("/nonexistent/x", 10, &data, &n), LW_EIO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(files_read(dir, 10, &data, &n), LW_EIO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(files_read("/proc/self/status", 1 << 20, &data, &n),
                     0); /* no size */
    assert_true(n > 100);
    free(data);
}

static const struct {
    const char *name;
    const char *in;
    const char *out; /* NULL: refused */
    uint32_t line, column;
} texts[] = {
    {"ASCII", "a,b\n", "a,b\n", 0, 0},
    {"UTF-8", "名称\n", "名称\n", 0, 0},
    {"GBK", "\xc3\xfb\xb3\xc6\n", "名称\n", 0, 0},
    {"GB18030 of four bytes", "\x95\x32\x82\x36", "𠀀", 0, 0},
    {"UTF-8 that says so and is not", "\xef\xbb\xbf\xc3\xfb\xb3\xc6\n", NULL, 1, 4},
    {"UTF-8 with one bad byte", "名称\n县城,\xff\n", NULL, 2, 8},
    {"GBK cut short", "\xc3\xfb\xb3\xc6\n\xc3", NULL, 2, 1},
};

static void
test_utf8(void **state)
{
    (void)state;
    static struct lw_faults faults;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *data = strdup(texts[i].in);
        size_t n = strlen(data);
        faults = (struct lw_faults){0};
        int rc = files_to_utf8("x.csv", &data, &n, &faults);
        if (rc != (texts[i].out != NULL ? 0 : LW_EPARSE) ||
            faults.fault[0].line != texts[i].line ||
            faults.fault[0].column != texts[i].column)
            fail_msg("%s: rc %d at %u:%u", texts[i].name, rc, faults.fault[0].line,
                     faults.fault[0].column);
        if (rc == 0) {
            assert_string_equal(data, texts[i].out);
            assert_int_equal(n, strlen(texts[i].out));
        }
        free(data);
    }
}

static void
test_zone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "../../etc/passwd", "/etc/passwd", "Asia/../UTC",
        "Asia/", "Asia//Shanghai",   "A B",         "."};
    char *data;
    size_t n;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(files_zone(bad[i], &data, &n), LW_EINVAL);
    assert_int_equal(files_zone("Asia/Nowhere", &data, &n), LW_EIO);
    assert_int_equal(files_zone("Asia/Shanghai", &data, &n), 0);
    assert_memory_equal(data, "TZif", 4);
    free(data);
}

static void
test_ledger(void **state)
{
    (void)state;
    static struct lw_faults faults;
    struct files_ledger files;
    assert_int_equal(files_ledger_load(dir, &faults, &files), LW_EPARSE); /* none of it */
    put("areas.csv", "area_id,name\nC,\xc3\xfb\n", 18);
    put("sites.csv", "site_id\nS\n", 10);
    assert_int_equal(files_ledger_load(dir, &faults, &files), 0);
    assert_string_equal(files.text.table[LW_AREAS].text, "area_id,name\nC,名\n");
    assert_null(files.text.table[LW_METERS].text);
    assert_non_null(strstr(files.text.table[LW_SITES].file, "/sites.csv"));
    files_ledger_free(&files);
    faults = (struct lw_faults){0};
    put("sites.csv", "\xff", 1);
    put("areas.csv", "\xff", 1);
    assert_int_equal(files_ledger_load(dir, &faults, &files), LW_EPARSE);
    assert_int_equal(faults.n, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_ledger),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
