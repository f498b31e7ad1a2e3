#!/bin/sh
# Installs what is missing. `tests/deps.sh` for building, `tests/deps.sh check` for the tests too,
# `tests/deps.sh deb` for the Debian package.
set -eu
build="gcc make pkg-config libpq-dev libmodbus-dev libevent-dev libjansson-dev libinih-dev
libsystemd-dev zlib1g-dev nettle-dev postgresql-15"
check="libcmocka-dev clang clang-format libclang-rt-14-dev cppcheck python3 python3-pymodbus python3-serial python3-serial-asyncio python3-jsonschema mbpoll
postgresql-common curl tzdata prometheus dpkg-dev"
want=$build
[ "${1-}" = check ] && want="$build $check"
[ "${1-}" = deb ] && want="$build dpkg-dev"

missing=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

echo "missing Debian packages:$missing"
run=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "install them as root: apt-get install$missing" >&2
        exit 1
    }
    run=sudo
fi
# PostgreSQL's package would otherwise make and start a cluster of its own.
if ! [ -e /etc/postgresql-common/createcluster.conf ]; then
    $run mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | $run tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
$run apt-get update -qq
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
