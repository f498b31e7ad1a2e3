#!/bin/sh
# The lints as one TAP program: tests/lint/lint.sh, with $BUILD.
set -u
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
n=0 rc=0
try() {
    n=$((n + 1))
    name=$1
    shift
    if out=$("$@" 2>&1); then
        echo "ok $n - $name"
    else
        rc=1
        echo "not ok $n - $name"
        printf '%s\n' "$out" | head -60 | sed 's/^/# /'
    fi
}
try "who may include what" tests/lint/layers.sh
try "lib/ is pure, nothing writes to a meter" tests/lint/purity.sh "$BUILD"
try "files are of a natural size" tests/lint/size.sh
try "configuration keys, samples and manual agree" tests/lint/keys.sh "$BUILD"
try "manual pages have what the programs have" tests/lint/man.sh "$BUILD"
try "the Debian package" tests/lint/deb.sh "$BUILD"
try "format" tests/lint/format.sh
echo "1..$n"
exit $rc
