/* Log lines to standard error: one formatted buffer, one write, so that threads do not
 * mix their lines. */
#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/text.h>
#include <lodewatch/time.h>

#include "daemon/clock.h"

enum {
    LINE = 2048
};

static const char *const words[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_NOTE] = "note",
    [LOG_INFO] = "info",   [LOG_TRACE] = "trace",
};

static _Atomic int most_level = LOG_INFO;
/* Set once by log_open before there are threads. */
static const char *program_name = "lodewatch";
static bool to_journald;

/* systemd tells a service by device and inode which descriptor goes to journald. */
static bool
stderr_is_journald(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t dev;
    uintmax_t ino;
    struct stat st;

    return stream != NULL && sscanf(stream, "%ju:%ju", &dev, &ino) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void
log_open(const char *program, enum log_level most)
{
    program_name = program;
    to_journald = stderr_is_journald();
    log_level_set(most);
}

void
log_level_set(enum log_level most)
{
    most_level = (int)most;
}

/* The length of the well-formed UTF-8 character at s; 0: there is none. */
static size_t
utf8_length(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0; /* overlong, a surrogate, or beyond U+10FFFF */
    return len;
}

/* Text from outside may not begin a line of its own or speak to a terminal. */
static void
add_escaped(struct lw_text *line, const char *message)
{
    const unsigned char *s = (const unsigned char *)message;
    size_t n = strlen(message);

    while (n > 0) {
        size_t len = utf8_length(s, n);
        bool control =
            s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && len == 2 && s[1] < 0xa0);
        if (len == 0 || control) {
            lw_text_addf(line, "\\x%02x", s[0]);
            len = 1;
        } else {
            lw_text_addn(line, (const char *)s, len);
        }
        s += len;
        n -= len;
    }
}

static void
write_line(enum log_level level, const char *format, va_list args)
{
    int saved = errno;
    char message[LINE];
    char data[LINE];
    struct lw_text line;

    errno = saved; /* for %m */
    vsnprintf(message, sizeof message, format, args);
    lw_text_init(&line, data, sizeof data - 1); /* room for the line's end */
    if (to_journald) {
        lw_text_addf(&line, "<%d>", (int)level);
    } else {
        char time[LW_TIME_TEXT];
        lw_wall_format((lw_wall){lw_floor_to(clock_system().ms, LW_SECOND)}, time);
        lw_text_addf(&line, "%s %s: %s: ", time, program_name, words[level]);
    }
    add_escaped(&line, message);
    data[line.len++] = '\n';
    /* A log that cannot be written has nowhere to say so. */
    ssize_t written = write(STDERR_FILENO, data, line.len);
    (void)written;
    errno = saved;
}

void
log_write(enum log_level level, const char *format, ...)
{
    va_list args;

    if ((int)level > most_level)
        return;
    va_start(args, format);
    write_line(level, format, args);
    va_end(args);
}

void
log_fatal(int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line(LOG_ERROR, format, args);
    va_end(args);
    exit(code);
}
