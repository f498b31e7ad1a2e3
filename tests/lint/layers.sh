#!/bin/sh
# Who may include what, read a clock, start a thread. The only copy of the rule; prints
# each breach.
set -eu
cd "$(dirname "$0")/../.."
find include lib daemon tests -name '*.[ch]' | sort | xargs awk '
function bad(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0; rc = 1 }
function only(hdr, where) { if (inc ~ hdr && FILENAME !~ where) bad("only in " where) }
/^[ \t]*#[ \t]*include/ {
    inc = $0; sub(/^[^<"]*[<"]/, "", inc); sub(/[>"].*/, "", inc)
    sys = ($0 ~ /</)
    split(FILENAME, p, "/"); top = p[1]
    if (top == "include") {
        if (inc !~ /^lodewatch\// && inc !~ /^(stdint|stddef|stdbool|stdarg|inttypes|limits)\.h$/)
            bad("include/ sees C headers and lodewatch/ only")
    }
    if (top == "lib") {
        if (sys && inc !~ /^lodewatch\// &&
            inc !~ /^(assert|errno|float|inttypes|limits|math|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h$/ &&
            !(inc == "jansson.h" && FILENAME ~ /^lib\/codec\/[a-z_]*json\.[ch]$/) &&
            !(inc ~ /^nettle\// && FILENAME == "lib/base/hash.c") &&
            !(inc == "ini.h" && FILENAME == "lib/base/ini.c")) bad("lib/ is pure")
        if (!sys && inc ~ /\// && inc !~ /^lib\//) bad("lib/ sees lodewatch/ and lib/")
    }
    if (top == "daemon" && inc ~ /^(tests|lib)\//) bad("daemon/ sees include/ and daemon/")
    if (top != "tests") {
        only("^modbus/", "^daemon/poll/rtu_line\\.c$")
        only("^pthread", "^daemon/(journal_writer|poll/rtu_line)\\.c$")
        only("^libpq-fe", "^daemon/store/[a-z_]+\\.[ch]$")
        only("^event2/http", "^daemon/(http/[a-z_]+\\.[ch]|cli/status\\.c)$")
        only("^jansson", "^(lib/codec/[a-z_]*json\\.[ch]|daemon/cli/[a-z_]+\\.c)$")
        only("^systemd/", "^daemon/(log|main|loop|notify/[a-z_]+)\\.c$")
        only("^iconv", "^daemon/files\\.c$")
    }
}
FILENAME ~ /^daemon\// && FILENAME != "daemon/clock.c" && !/^[ ]*[*\/"]/ {
    if (/(^|[^A-Za-z0-9_.>])(clock_gettime|gettimeofday|time|localtime_r|gmtime_r)[ ]*\(/)
        bad("only daemon/clock.c reads a clock")
}
/(^|[^A-Za-z0-9_])(sleep|usleep|nanosleep)[ ]*\(/ { bad("wait for an event, do not sleep") }
/modbus_(write|mask|send_raw)/ && FILENAME !~ /^tests\// { bad("nothing here writes to a meter") }
END { exit rc }'
