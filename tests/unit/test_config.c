/* The configuration: its table, what is refused and where the fault points. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/config.h"
#include "daemon/log.h"

static char path[64];

static int
load(const char *text, struct config *config, struct lw_faults *faults)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    *faults = (struct lw_faults){0};
    return config_load(path, config, faults);
}

static int
make_file(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s", "/tmp/lodewatch-config-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void
defaults_are_valid(void **state)
{
    static struct lw_faults faults;
    struct config config;

    (void)state;
    row("the least that is needed");
    check_int(load("[daemon]\nledger = l\n", &config, &faults), 0);
    check_text(config.state_dir, "/var/lib/lodewatch");
    check_text(config.timezone, "Asia/Shanghai");
    check_text(config.listen, "127.0.0.1:8480");
    check_int(config.header_timeout_ms, 10000);
    check_int(config.keep_ms, 48 * 3600 * 1000);
    check(config.journald);
    check_int(config_log_level(config.log_level), LOG_INFO);
    for (size_t i = 0; i < config_nkeys; i++) {
        row(config_keys[i].name);
        check(config_keys[i].help[0] != '\0' &&
              config_keys[i].help[strlen(config_keys[i].help) - 1] == '.');
    }
}

static void
takes_values(void **state)
{
    static struct lw_faults faults;
    struct config config;

    (void)state;
    row("values");
    check_int(load("\xef\xbb\xbf# a comment\r\n[http]\r\nlisten=unix:/run/x.sock\r\n"
                   "max_connections = 7\r\n[daemon]\r\nledger = /l\r\n"
                   "[alerts]\njournald = off\nndjson = -\n",
                   &config, &faults),
              0);
    check_text(config.listen, "unix:/run/x.sock");
    check_text(config.ledger, "/l");
    check_text(config.ndjson, "-");
    check_int(config.max_connections, 7);
    check(!config.journald);
}

static void
refuses(void **state)
{
#define LEDGER "[daemon]\nledger = l\n"
#define LONG                                                                             \
    "0123456789012345678901234567890123456789012345678901234567890123456789"             \
    "0123456789012345678901234567890123456789012345678901234567890123456789"             \
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    static const struct {
        const char *name;
        const char *text;
        uint32_t line;
        const char *says;
    } rows[] = {
        {"unknown key", LEDGER "ledgr = x\n", 3, "ledger"},
        {"unknown section", LEDGER "[htp]\nlisten = x\n", 3, "http"},
        {"key of another section", LEDGER "listen = 127.0.0.1:1\n", 3, "listen"},
        {"given twice", LEDGER "ledger = m\n", 3, "ledger"},
        {"no number", LEDGER "[http]\nmax_connections = many\n", 4, "max_connections"},
        {"number too large", LEDGER "[http]\nmax_connections = 1001\n", 4, "1000"},
        {"number too small", LEDGER "[database]\nbatch_rows = 0\n", 4, "1"},
        {"duration without a unit", LEDGER "[journal]\nkeep = 48\n", 4, "keep"},
        {"sync over its promise", LEDGER "[journal]\nsync = 251ms\n", 4, "250ms"},
        {"neither yes nor no", LEDGER "[alerts]\njournald = maybe\n", 4, "journald"},
        {"line too long", LEDGER "rules = " LONG "\n", 3, ""},
        {"level", LEDGER "log_level = all\n", 3, "trace"},
        {"no state", LEDGER "state_dir =\n", 3, "state_dir"},
        {"no port", LEDGER "\n[http]\nlisten = 127.0.0.1\n", 5, "ADDRESS:PORT"},
        {"port 0", LEDGER "[http]\nlisten = 127.0.0.1:0\n", 4, "ADDRESS:PORT"},
        {"everybody", LEDGER "[http]\nlisten = 0.0.0.0:80\n", 4, "token_file"},
        {"no ledger", "[http]\nlisten =\n", 0, "ledger"},
        {"both conninfos", "[database]\nconninfo = a=b\nconninfo_file = /nope\n", 3,
         "conninfo is given"},
        {"a read_conninfo alone", LEDGER "[database]\nread_conninfo = dbname=a\n", 4,
         "read_conninfo: a conninfo was expected"},
        {"no read_conninfo", "[database]\nconninfo = dbname=a\nread_conninfo = a\n", 3,
         "read_conninfo: libpq's form"},
        {"no such conninfo file", "[database]\nconninfo_file = /nope\n", 0,
         "No such file"},
    };
    static struct lw_faults faults;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct config config = {.max_connections = -1};
        row(rows[i].name);
        check_int(load(rows[i].text, &config, &faults), LW_EPARSE);
        check_int(faults.n, 1);
        check_int(faults.fault[0].line, rows[i].line);
        check(strstr(faults.fault[0].text, rows[i].says) != NULL);
        check_int(config.max_connections, -1);
    }
}

static void
tells_all_at_once(void **state)
{
    static struct lw_faults faults;
    struct config config;

    (void)state;
    row("three faults");
    check_int(load(LEDGER "log_level = x\n[http]\nlisten = y\n[database]\nconninfo = a\n"
                          "conninfo_file = b\n",
                   &config, &faults),
              LW_EPARSE);
    check_int(faults.n, 3);
    row("no such file");
    faults = (struct lw_faults){0};
    check_int(config_load("/nope/lodewatch.conf", &config, &faults), LW_EPARSE);
    check_text(faults.fault[0].file, "/nope/lodewatch.conf");
}

static void
reads_conninfo_file(void **state)
{
    static struct lw_faults faults;
    struct config config;
    char secret[] = "/tmp/lodewatch-conninfo-XXXXXX";
    char text[128];
    int fd = mkstemp(secret);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "host=h password=p\n\n", 19), 19);
    snprintf(text, sizeof text, "[database]\nconninfo_file = %s\n", secret);
    row("a line");
    check_int(load(text, &config, &faults), 0);
    check_text(config.conninfo, "host=h password=p");
    assert_int_equal(write(fd, "host=i\n", 7), 7);
    row("two lines");
    check_int(load(text, &config, &faults), LW_EPARSE);
    close(fd);
    unlink(secret);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_valid),
        cmocka_unit_test(takes_values),
        cmocka_unit_test(refuses),
        cmocka_unit_test(tells_all_at_once),
        cmocka_unit_test(reads_conninfo_file),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
