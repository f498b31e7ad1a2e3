#!/bin/sh
# Runs every fuzzer on its corpus and on from there, as TAP: tests/fuzz/fuzz.sh [SECONDS].
# Without SECONDS a fixed number of runs with a fixed seed, for `make check`. With SOAK set,
# whatever reads what devices and profiles say gets ten million runs, however long they take:
# on one core some minutes, the profiles' some twenty.
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
n=0 rc=0
for f in tests/fuzz/fuzz_*.c; do
    name=$(basename "$f" .c)
    n=$((n + 1))
    work=$BUILD/fuzz/work/$name
    mkdir -p "$work"
    if [ $# -gt 0 ]; then limit="-max_total_time=$1"; else limit="-runs=20000 -seed=1"; fi
    case ${SOAK:+$name} in
        fuzz_mbap | fuzz_rtu | fuzz_reply | fuzz_registration | fuzz_profile)
            limit="-runs=10000000" ;;
    esac
    # shellcheck disable=SC2086
    if "$BUILD/fuzz/bin/$name" $limit -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$work/" \
        "$work" "tests/fuzz/corpus/${name#fuzz_}" >"$work.log" 2>&1; then
        echo "ok $n - $name"
    else
        rc=1
        echo "not ok $n - $name"
        tail -40 "$work.log" | sed 's/^/# /'
    fi
done
echo "1..$n"
exit $rc
