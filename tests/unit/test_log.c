/* Log lines: what reaches standard error, and in which form. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

/* What one call writes to standard error, in a buffer of the caller's. */
static int pipe_read;
static int real_stderr;

static void
capture(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    real_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    pipe_read = ends[0];
}

static void
release(char *text, size_t cap)
{
    ssize_t n = read(pipe_read, text, cap - 1);

    text[n > 0 ? n : 0] = '\0';
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(pipe_read);
}

static void
for_journald(bool yes)
{
    struct stat st;
    char stream[64];

    fstat(STDERR_FILENO, &st);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino + !yes);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open("test", LOG_INFO);
}

static void
escapes(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *want;
    } rows[] = {
        {"plain", "all is well", "<4>all is well\n"},
        {"Chinese", "一号矿", "<4>一号矿\n"},
        {"a second line", "a\n<0>b", "<4>a\\x0a<0>b\n"},
        {"a terminal's escape", "\x1b[31m", "<4>\\x1b[31m\n"},
        {"C1 control",
         "\xc2\x9b"
         "1m",
         "<4>\\xc2\\x9b1m\n"},
        {"no UTF-8", "\xff\xfe", "<4>\\xff\\xfe\n"},
        {"overlong", "\xc0\xaf", "<4>\\xc0\\xaf\n"},
        {"a surrogate", "\xed\xa0\x80", "<4>\\xed\\xa0\\x80\n"},
        {"cut character", "\xe4\xb8", "<4>\\xe4\\xb8\n"},
        {"DEL and tab", "\x7f\t", "<4>\\x7f\\x09\n"},
        {"a directive", "%s%n", "<4>%s%n\n"},
    };
    char got[512];

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        capture();
        for_journald(true);
        log_warn("%s", rows[i].text);
        release(got, sizeof got);
        check_text(got, rows[i].want);
    }
}

static void
has_levels(void **state)
{
    char got[512];

    (void)state;
    row("less important than asked for");
    capture();
    for_journald(true);
    log_trace("nothing");
    log_info("something");
    release(got, sizeof got);
    check_text(got, "<6>something\n");

    row("a terminal");
    capture();
    for_journald(false);
    log_error("broken");
    release(got, sizeof got);
    check(got[0] == '2' && strstr(got, "Z test: error: broken\n") != NULL);
}

static void
is_bounded(void **state)
{
    static char large[10000];
    char got[4096];

    (void)state;
    row("a long line");
    memset(large, 'x', sizeof large - 1);
    capture();
    for_journald(true);
    log_error("%s", large);
    release(got, sizeof got);
    check(strlen(got) > 1000 && strlen(got) <= 2048);
    check(got[strlen(got) - 1] == '\n');

    row("escapes that do not fit");
    memset(large, '\n', sizeof large - 1);
    capture();
    for_journald(true);
    log_error("%s", large);
    release(got, sizeof got);
    check(strlen(got) <= 2048 && strchr(got, '\n') == got + strlen(got) - 1);
}

static void
keeps_errno(void **state)
{
    char got[512];

    (void)state;
    row("errno");
    capture();
    for_journald(true);
    errno = ENOENT;
    log_error("%m");
    int after = errno;
    release(got, sizeof got);
    check_int(after, ENOENT);
    check_text(got, "<3>No such file or directory\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(has_levels),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(keeps_errno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
