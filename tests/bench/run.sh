#!/bin/sh
# Runs the benchmarks whose figures begin with the given prefix (poll, core, store, api).
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
for b in tests/bench/bench_*.c; do
    name=$(basename "$b" .c)
    case ${name#bench_} in
    "${1%%.*}"*) BUILD=$BUILD "$BUILD/bench/$name" ;;
    esac
done
