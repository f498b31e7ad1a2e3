/* Reading files whole, with limits. The only place that knows encodings but UTF-8. */
#include "daemon/files.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/utf8.h>

#define ZONES "/usr/share/zoneinfo"
enum {
    ZONE_BYTES = 256 * 1024,
    ZONE_NAME = 64,
    FIRST_READ = 16 * 1024
};

/* Reads to the end, growing; more than `most` bytes are EFBIG. */
static int
read_all(int fd, size_t most, char **ret_data, size_t *ret_n)
{
    struct stat st;
    size_t cap = FIRST_READ, n = 0;
    char *data = NULL;
    int rc = LW_EIO;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        cap = (size_t)st.st_size + 1; /* one more, so that the end is seen at once */
    if (cap > most + 1)
        cap = most + 1;
    for (;;) {
        char *grown = realloc(data, cap + 1);
        if (grown == NULL) {
            rc = LW_ENOMEM;
            break;
        }
        data = grown;
        ssize_t got = read(fd, data + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        n += (size_t)got;
        if (n > most) {
            errno = EFBIG;
            break;
        }
        if (got == 0) {
            data[n] = '\0';
            *ret_data = data;
            *ret_n = n;
            return 0;
        }
        if (n == cap)
            cap = cap > most / 2 ? most + 1 : cap * 2;
    }
    free(data);
    return rc;
}

int
files_read(const char *path, size_t most, char **ret_data, size_t *ret_n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return LW_EIO;
    int rc = read_all(fd, most, ret_data, ret_n);
    int kept = errno;
    close(fd);
    errno = kept;
    return rc;
}

/* GB18030 -> UTF-8. LW_EPARSE: *ret_at is the byte where it is none. */
static int
convert(const char *data, size_t n, char **ret_text, size_t *ret_n, size_t *ret_at)
{
    size_t size = 2 * n + 1; /* two bytes become at most three */
    char *text = malloc(size);
    if (text == NULL)
        return LW_ENOMEM;
    iconv_t cd = iconv_open("UTF-8", "GB18030");
    if (cd == (iconv_t)-1) {
        free(text);
        return LW_EIO;
    }
    char *in = (char *)(uintptr_t)data, *out = text;
    size_t in_left = n, out_left = size - 1;
    size_t rc = iconv(cd, &in, &in_left, &out, &out_left);
    iconv_close(cd);
    if (rc == (size_t)-1) {
        free(text);
        *ret_at = n - in_left;
        return LW_EPARSE;
    }
    *out = '\0';
    *ret_text = text;
    *ret_n = (size_t)(out - text);
    return 0;
}

int
files_to_utf8(const char *path, char **data, size_t *n, struct lw_faults *faults)
{
    size_t valid = lw_utf8_valid(*data, *n), at = 0, text_n;
    char *text;

    if (valid == *n)
        return 0;
    /* What says that it is UTF-8 is not guessed to be something else. */
    bool marked = *n >= 3 && memcmp(*data, "\xef\xbb\xbf", 3) == 0;
    int rc = marked ? LW_EPARSE : convert(*data, *n, &text, &text_n, &at);
    if (rc == LW_EPARSE) {
        /* The encoding that got further is the one that was meant. */
        size_t bad = at > valid ? at : valid, line = 1, column = 1;
        for (size_t i = 0; i < bad; i++) {
            column = (*data)[i] == '\n' ? 1 : column + 1;
            line += (*data)[i] == '\n';
        }
        lw_fault_add(faults, path, (uint32_t)line, (uint32_t)column,
                     "neither UTF-8 nor GB18030 from here on; save it as CSV UTF-8");
    } else if (rc == 0) {
        free(*data);
        *data = text;
        *n = text_n;
    }
    return rc;
}

/* Is it a name as in the database: parts of letters, digits, + - _ with slashes between?
 */
static bool
is_zone_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > ZONE_NAME || name[0] == '/' || name[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && (c < '0' || c > '9') && strchr("+-_/", c) == NULL)
            return false;
        if (c == '/' && name[i + 1] == '/')
            return false;
    }
    return true;
}

int
files_zone(const char *name, char **ret_data, size_t *ret_n)
{
    char path[sizeof(ZONES) + ZONE_NAME + 1];
    if (!is_zone_name(name))
        return LW_EINVAL;
    snprintf(path, sizeof(path), "%s/%s", ZONES, name);
    return files_read(path, ZONE_BYTES, ret_data, ret_n);
}

/* One of the seven; a file that is not there is empty. */
static int
load_table(const char *dir, enum lw_table table, struct lw_faults *faults,
           struct files_ledger *ledger)
{
    char *path, *data = NULL;
    size_t n = 0;

    if (asprintf(&path, "%s/%s", dir, lw_table_file(table)) < 0)
        return LW_ENOMEM;
    ledger->names[table] = path;
    /* A name that faults would cut is of no use: then without the folder. */
    const char *shown = strlen(path) < LW_FAULT_FILE ? path : lw_table_file(table);
    int rc = files_read(path, LW_LEDGER_BYTES, &data, &n);
    if (rc == LW_EIO && errno == ENOENT)
        return 0;
    if (rc == LW_EIO)
        lw_fault_add(faults, shown, 0, 0, "cannot be read: %s", strerror(errno));
    if (rc == 0)
        rc = files_to_utf8(shown, &data, &n, faults);
    ledger->owned[table] = data;
    ledger->text.table[table].file = shown;
    ledger->text.table[table].text = data;
    ledger->text.table[table].n = n;
    return rc;
}

int
files_ledger_load(const char *dir, struct lw_faults *faults, struct files_ledger *ret)
{
    struct files_ledger ledger = {.text.deployment = ""};
    int rc = 0, found = 0;

    for (enum lw_table table = LW_AREAS; table < LW_TABLES; table++) {
        int one = load_table(dir, table, faults, &ledger);
        rc = rc != 0 ? rc : one;
        found += ledger.owned[table] != NULL;
    }
    if (rc == 0 && found == 0) {
        lw_fault_add(faults, dir, 0, 0,
                     "no ledger here: there is none of its seven files");
        rc = LW_EPARSE;
    }
    if (rc != 0)
        files_ledger_free(&ledger);
    else
        *ret = ledger;
    return rc;
}

void
files_ledger_free(struct files_ledger *ledger)
{
    for (int i = 0; i < LW_TABLES; i++) {
        free(ledger->owned[i]);
        free(ledger->names[i]);
    }
    *ledger = (struct files_ledger){0};
}
