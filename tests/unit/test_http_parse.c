/* What HTTP takes from outside: addresses, tokens, queries, paths. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/http/address.h"
#include "daemon/http/auth.h"
#include "daemon/http/call.h"
#include "daemon/http/query.h"

static void
parses_addresses(void **state)
{
    static const struct {
        const char *text;
        int rc;
        int family;
        bool local;
    } rows[] = {
        {"127.0.0.1:8480", 0, AF_INET, true},
        {"127.9.9.9:1", 0, AF_INET, true},
        {"localhost:65535", 0, AF_INET, true},
        {"[::1]:80", 0, AF_INET6, true},
        {"0.0.0.0:80", 0, AF_INET, false},
        {"10.1.2.3:80", 0, AF_INET, false},
        {"[::]:80", 0, AF_INET6, false},
        {"unix:/run/lodewatch/http.sock", 0, AF_UNIX, true},
        {"", LW_EINVAL, 0, false},
        {"8480", LW_EINVAL, 0, false},
        {":8480", LW_EINVAL, 0, false},
        {"127.0.0.1:", LW_EINVAL, 0, false},
        {"127.0.0.1:0", LW_EINVAL, 0, false},
        {"127.0.0.1:65536", LW_EINVAL, 0, false},
        {"127.0.0.1:99999999999999999999", LW_EINVAL, 0, false},
        {"127.0.0.1:80x", LW_EINVAL, 0, false},
        {"127.0.0.1:-80", LW_EINVAL, 0, false},
        {"::1:80", LW_EINVAL, 0, false},
        {"[127.0.0.1]:80", LW_EINVAL, 0, false},
        {"[localhost]:80", LW_EINVAL, 0, false},
        {"[]:80", LW_EINVAL, 0, false},
        {"example.org:80", LW_EINVAL, 0, false},
        {"unix:", LW_EINVAL, 0, false},
        {"unix:relative", LW_EINVAL, 0, false},
        {"unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
         "01234567890123456789012345678901234567890",
         LW_EINVAL, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct http_address address = {.len = 0};
        row(rows[i].text);
        check_int(http_address_parse(rows[i].text, &address), rows[i].rc);
        if (rows[i].rc == 0) {
            check_int(address.sa.sa_family, rows[i].family);
            check_int(address.local, rows[i].local);
            check(address.len > 0);
        }
    }
}

static void
loads_tokens(void **state)
{
#define TOKEN "abcdefgh-ABCDEFGH._~+/0123456789="
    static const struct {
        const char *name;
        const char *text;
        mode_t mode;
        int rc;
    } rows[] = {
        {"a line", TOKEN "\n", 0600, 0},
        {"no line end", TOKEN, 0600, 0},
        {"the group may read", TOKEN, 0640, 0},
        {"systemd's credential", TOKEN, 0400, 0},
        {"the world may read", TOKEN, 0644, LW_EPARSE},
        {"the world may write", TOKEN, 0602, LW_EPARSE},
        {"the group may write", TOKEN, 0620, LW_EPARSE},
        {"empty", "", 0600, LW_EPARSE},
        {"short", "abcdefghijklmno", 0600, LW_EPARSE},
        {"two lines", TOKEN "\n" TOKEN "\n", 0600, LW_EPARSE},
        {"a blank in it", "abcdefgh ijklmnopqrstuv", 0600, LW_EPARSE},
        {"not ASCII", "一二三四五六七八九十", 0600, LW_EPARSE},
    };
    static struct lw_faults faults;
    char path[] = "/tmp/lodewatch-token-XXXXXX";
    int fd = mkstemp(path);
    struct auth auth;

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        size_t n = strlen(rows[i].text);
        row(rows[i].name);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, rows[i].text, n, 0), n);
        assert_int_equal(fchmod(fd, rows[i].mode), 0);
        faults.n = faults.kept = 0;
        check_int(auth_load(path, &auth, &faults), rows[i].rc);
        check_int(faults.n, rows[i].rc != 0);
        if (rows[i].rc == 0)
            check(auth_permits(&auth, "Bearer " TOKEN));
    }
    row("256 characters fit, 257 do not");
    for (size_t n = 256; n <= 257; n++) {
        char text[257];
        memset(text, 'a', sizeof text);
        fchmod(fd, 0600);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, text, n, 0), n);
        check_int(auth_load(path, &auth, &faults), n == 256 ? 0 : LW_EPARSE);
    }
    close(fd);
    unlink(path);
    row("no such file");
    check_int(auth_load(path, &auth, &faults), LW_EPARSE);
    row("a device");
    check_int(auth_load("/dev/zero", &auth, &faults), LW_EPARSE);
    row("none");
    check_int(auth_load("", &auth, &faults), 0);
    check(!auth.present && !auth_permits(&auth, "Bearer "));
}

static void
permits(void **state)
{
    static const struct {
        const char *header;
        bool want;
    } rows[] = {
        {"Bearer " TOKEN, true},      {"bearer " TOKEN, true},
        {"BEARER   " TOKEN, true},    {"Bearer " TOKEN "x", false},
        {"Bearer x" TOKEN, false},    {"Bearer", false},
        {"Bearer ", false},           {TOKEN, false},
        {"Basic " TOKEN, false},      {"", false},
        {"Bearer " TOKEN " ", false},
    };
    struct auth auth = {.present = true};
    struct lw_sha256 hash;

    (void)state;
    lw_sha256_init(&hash);
    lw_sha256_add(&hash, TOKEN, strlen(TOKEN));
    lw_sha256_get(&hash, auth.digest);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].header);
        check_int(auth_permits(&auth, rows[i].header), rows[i].want);
    }
    row("no header");
    check(!auth_permits(&auth, NULL));
}

static void
parses_queries(void **state)
{
    static const uint32_t all = PARAM(FROM) | PARAM(TO) | PARAM(LIMIT) | PARAM(AFTER);
    static const struct {
        const char *query;
        int rc;
        enum http_param param;
        const char *want;
    } rows[] = {
        {"", 0, PARAM_LIMIT, ""},
        {"limit=5", 0, PARAM_LIMIT, "5"},
        {"limit=5&after=x", 0, PARAM_AFTER, "x"},
        {"after=%e4%b8%80", 0, PARAM_AFTER, "一"},
        {"from=2025-01-01T00:00:00+08:00", 0, PARAM_FROM, "2025-01-01T00:00:00+08:00"},
        {"from=2025%2D01", 0, PARAM_FROM, "2025-01"},
        {"after=a=b", 0, PARAM_AFTER, "a=b"},
        {"after=", 0, PARAM_AFTER, ""},
        {"limit=5&", 0, PARAM_LIMIT, "5"},
        {"limit", LW_EINVAL, 0, NULL},
        {"&limit=5", LW_EINVAL, 0, NULL},
        {"limit=5&limit=5", LW_EINVAL, 0, NULL},
        {"limits=5", LW_EINVAL, 0, NULL},
        {"Limit=5", LW_EINVAL, 0, NULL},
        {"state=all", LW_EINVAL, 0, NULL}, /* not of this route */
        {"after=%", LW_EINVAL, 0, NULL},
        {"after=%4", LW_EINVAL, 0, NULL},
        {"after=%4&limit=1", LW_EINVAL, 0, NULL},
        {"after=%zz", LW_EINVAL, 0, NULL},
        {"after=%00", LW_EINVAL, 0, NULL},
        {"after=%0a", LW_EINVAL, 0, NULL},
        {"after=%7f", LW_EINVAL, 0, NULL},
        {"after=01234567890123456789012345678901234567890123456789012345678901234",
         LW_EINVAL, 0, NULL},
        {"after=%30123456789012345678901234567890123456789012345678901234567890123", 0,
         PARAM_AFTER, "0123456789012345678901234567890123456789012345678901234567890123"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct http_query query;
        row(rows[i].query);
        check_int(http_query_parse(rows[i].query, all, &query), rows[i].rc);
        if (rows[i].rc == 0)
            check_text(query.value[rows[i].param], rows[i].want);
    }
}

static void
bounds_limits(void **state)
{
    static const struct {
        const char *query;
        int rc;
        int32_t want;
    } rows[] = {
        {"", 0, 50},
        {"limit=1", 0, 1},
        {"limit=100", 0, 100},
        {"limit=0100", 0, 100},
        {"limit=101", LW_EINVAL, 0},
        {"limit=0", LW_EINVAL, 0},
        {"limit=-1", LW_EINVAL, 0},
        {"limit=", LW_EINVAL, 0},
        {"limit=1.5", LW_EINVAL, 0},
        {"limit=99999999999999999999999", LW_EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct http_query query;
        int32_t limit = -1;
        row(rows[i].query);
        check_int(http_query_parse(rows[i].query, PARAM(LIMIT), &query), 0);
        check_int(http_query_limit(&query, 50, 100, &limit), rows[i].rc);
        check_int(limit, rows[i].rc == 0 ? rows[i].want : -1);
    }
}

static void
finds_routes(void **state)
{
    static const struct {
        const char *path;
        bool found;
        enum http_access access;
    } rows[] = {
        {"/healthz", true, ACCESS_ANY},
        {"/readyz", true, ACCESS_ANY},
        {"/metrics", true, ACCESS_LOCAL},
        {"/api/v1/alerts", true, ACCESS_TOKEN},
        {"/api/v1/sites", true, ACCESS_TOKEN},
        {"/api/v1/acts", true, ACCESS_TOKEN},
        {"/api/v1/openapi.json", true, ACCESS_TOKEN},
        {"/api/v1/schemas/alert-1", true, ACCESS_TOKEN},
        {"/", false, 0},
        {"", false, 0},
        {"/api/v1/alerts/", false, 0},
        {"//api/v1/alerts", false, 0},
        {"/API/V1/ALERTS", false, 0},
        {"/healthz\xff", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct http_route *route = http_route_find(rows[i].path);
        row(rows[i].path);
        check_int(route != NULL, rows[i].found);
        if (route)
            check_int(route->access, rows[i].access);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_addresses), cmocka_unit_test(loads_tokens),
        cmocka_unit_test(permits),          cmocka_unit_test(parses_queries),
        cmocka_unit_test(bounds_limits),    cmocka_unit_test(finds_routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
