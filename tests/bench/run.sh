#!/bin/sh
# Runs the benchmarks whose figures begin with the given prefix (poll, core, store, journal, daemon).
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
export BENCH="${1-}"
for b in tests/bench/bench_*.c tests/bench/bench_*.py; do
    name=$(basename "${b%.*}")
    case ${name#bench_} in
    "${1%%.*}"*) ;;
    *) continue ;;
    esac
    case $b in
    *.py) BUILD=$BUILD "$b" ;;
    *) BUILD=$BUILD "$BUILD/bench/$name" ;;
    esac
done
