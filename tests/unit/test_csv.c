/* RFC 4180, whole and in pieces, and where its faults are. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include <lodewatch/csv.h>
#include <lodewatch/text.h>

/* Writes what lw_csv_next found: cells as line:column<text>, a row ends in a newline. */
static void
describe(int rc, const struct lw_csv *csv, const struct lw_csv_cell *cells, size_t n,
         const char *error, struct lw_text *out)
{
    uint32_t line, column;

    if (rc == LW_EPARSE) {
        lw_csv_position(csv, &line, &column);
        lw_text_addf(out, "!%u:%u %s\n", line, column, error);
        return;
    }
    check_int(rc, 1);
    for (size_t i = 0; i < n; i++) {
        check_int(strlen(cells[i].s), cells[i].n);
        lw_text_addf(out, "%u:%u<%s>", cells[i].line, cells[i].column, cells[i].s);
    }
    lw_text_add(out, "\n");
}

/* Reads `data` in pieces, each in memory of its own so that a sanitizer sees overruns. */
static void
read_all(const char *data, size_t n, size_t piece, struct lw_text *out)
{
    struct lw_csv *csv;
    const struct lw_csv_cell *cells;
    const char *error = NULL;
    char *copy = NULL;
    size_t ncells, at = 0;
    int rc;

    check_int(lw_csv_new(&csv), 0);
    while ((rc = lw_csv_next(csv, &cells, &ncells, &error)) != 0) {
        if (rc != LW_EAGAIN) {
            describe(rc, csv, cells, ncells, error, out);
            continue;
        }
        size_t next = n - at < piece ? n - at : piece;
        free(copy);
        copy = malloc(next + 1);
        assert_non_null(copy);
        memcpy(copy, data + at, next);
        at += next;
        if (next > 0)
            lw_csv_feed(csv, copy, next);
        else
            lw_csv_end(csv);
    }
    free(copy);
    lw_csv_free(csv);
}

static void
test_rows(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        {"nothing", "", ""},
        {"one cell", "a\n", "1:1<a>\n"},
        {"no line end", "a,b", "1:1<a>1:3<b>\n"},
        {"CRLF", "a,b\r\nc\r\n", "1:1<a>1:3<b>\n2:1<c>\n"},
        {"CR at the very end", "a\r", "1:1<a>\n"},
        {"empty cells", ",\n,,x,\n", "1:1<>1:2<>\n2:1<>2:2<>2:3<x>2:5<>\n"},
        {"comma at the very end", "a,", "1:1<a>1:3<>\n"},
        {"blank lines", "\n\r\na\n\n\nb\n\r\n", "3:1<a>\n6:1<b>\n"},
        {"an empty cell in quotes is a row", "\"\"\n", "1:1<>\n"},
        {"quotes", "\"a,b\",\"say \"\"hi\"\"\"\nc", "1:1<a,b>1:7<say \"hi\">\n2:1<c>\n"},
        {"line ends in quotes", "\"a\nb\r\nc\",d\ne", "1:1<a\nb\r\nc>3:4<d>\n4:1<e>\n"},
        {"blanks belong to the cell", " a , b \n", "1:1< a >1:5< b >\n"},
        {"byte order mark",
         "\xEF\xBB\xBF"
         "a,b\n",
         "1:1<a>1:3<b>\n"},
        {"byte order mark and quotes", "\xEF\xBB\xBF\"a\"\n", "1:1<a>\n"},
        {"byte order mark alone", "\xEF\xBB\xBF", ""},
        {"columns are bytes", "煤,b\n", "1:1<煤>1:5<b>\n"},
        {"half a byte order mark", "\xEF\xBBz,b\nc\n",
         "!1:1 a broken byte order mark: this is not UTF-8\n2:1<c>\n"},
        {"quote in a plain cell", "a\"b,c\nd\n",
         "!1:2 a quote in a cell that does not begin with one\n2:1<d>\n"},
        {"text after quotes", "x,\"a\"b\nd\n",
         "!1:6 text after the closing quote\n2:1<d>\n"},
        {"open quotes", "a\nb,\"c\nd\n", "1:1<a>\n!2:3 a quote that is never closed\n"},
        {"lone carriage return", "a\rb\nc\n",
         "!1:3 a carriage return that ends no line\n2:1<c>\n"},
        {"fault on a last line", "a\n\"b\"c",
         "1:1<a>\n!2:4 text after the closing quote\n"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        for (size_t piece = 1; piece < 20; piece++) {
            char buf[512];
            struct lw_text out;
            row(rows[i].name);
            lw_text_init(&out, buf, sizeof(buf));
            read_all(rows[i].text, strlen(rows[i].text), piece, &out);
            check_text(buf, rows[i].want);
        }
    }
}

static void
test_nul_bytes(void **state)
{
    static const char text[] = "a\0b\n\"c\0\"\nd\n";
    char buf[512];
    struct lw_text out;
    (void)state;
    lw_text_init(&out, buf, sizeof(buf));
    read_all(text, sizeof(text) - 1, 100, &out);
    check_text(buf, "!1:2 a NUL byte: this is not a text file\n"
                    "!2:3 a NUL byte: this is not a text file\n3:1<d>\n");
}

/* A line of `n` bytes of `c`, then "\nz\n". */
static void
test_limits(void **state)
{
    static const struct {
        const char *name;
        char c;
        size_t n;
        const char *want; /* what comes before the second row */
    } rows[] = {
        {"as many cells as may be", ',', LW_CSV_CELLS - 1, NULL},
        {"a cell too many", ',', LW_CSV_CELLS, "!1:129 more than 128 cells in a row\n"},
        {"as many bytes as may be", 'a', LW_CSV_ROW - 1, NULL},
        {"a byte too many", 'a', LW_CSV_ROW, "!1:1 a row of more than 65535 bytes\n"},
        {"open quotes without end", '"', 2 * LW_CSV_ROW + 1,
         "!1:131073 a row of more than 65535 bytes\n"},
    };
    static char text[3 * LW_CSV_ROW], buf[3 * LW_CSV_ROW];
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_text out;
        size_t n = rows[i].n;
        memset(text, rows[i].c, n);
        memcpy(text + n, "\nz\n", 3);
        lw_text_init(&out, buf, sizeof(buf));
        read_all(text, n + 3, sizeof(text), &out);
        row(rows[i].name);
        check(out.len > 7);
        check_text(out.data + out.len - 7, "2:1<z>\n");
        out.data[out.len - 7] = '\0';
        if (rows[i].want != NULL)
            check_text(out.data, rows[i].want);
        else
            check(out.data[0] != '!');
    }
}

/* Whatever cells there are, quoted as RFC 4180 has it they come back. */
static void
test_round_trip(void **state)
{
    static const char alphabet[] = "ab,\"\n\r ";
    uint64_t random = 7;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char text[256], want[512], got[512];
        struct lw_text in, expected, out;
        uint32_t line = 1, column = 1;

        lw_text_init(&in, text, sizeof(text));
        lw_text_init(&expected, want, sizeof(want));
        lw_text_init(&out, got, sizeof(got));
        for (int cell = 0; cell < 4; cell++) {
            lw_text_add(&in, cell == 0 ? "\"" : ",\"");
            column += cell > 0;
            lw_text_addf(&expected, "%u:%u<", line, column);
            column++;
            for (int c = 0; c < 6; c++) {
                random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
                char ch = alphabet[(random >> 33) % (sizeof(alphabet) - 1)];
                lw_text_addn(&in, "\"\"", ch == '"' ? 2 : 0);
                lw_text_addn(&in, &ch, ch == '"' ? 0 : 1);
                lw_text_addn(&expected, &ch, 1);
                column = ch == '\n' ? 1 : ch == '"' ? column + 2 : column + 1;
                line += ch == '\n';
            }
            lw_text_add(&in, "\"");
            lw_text_add(&expected, ">");
            column++;
        }
        lw_text_add(&expected, "\n");
        read_all(text, in.len, 1 + (size_t)i % 9, &out);
        row(text);
        check_text(got, want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
