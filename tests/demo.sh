#!/bin/bash
# `make demo`: a fictional county. Starts a private PostgreSQL cluster, the simulated fleet
# and the daemon on a simulated clock, shows alerts as they come, and on Ctrl-C (or after
# DEMO_SECONDS) stops what it started. Everything is kept in build/demo/.
set -eu
cd "$(dirname "$0")/.."
BUILD=$(cd "${BUILD:-build}" && pwd)
demo=$BUILD/demo
pg_bin=/usr/lib/postgresql/15/bin
start=2026-01-12T14:00:00Z
rate=${DEMO_RATE:-600}
port=${DEMO_PORT:-8080}
pids=

# PostgreSQL refuses to run as root: then it runs as its package's user, and its files go
# where that user may go.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
    else
        "$@"
    fi
}

stop() {
    trap - EXIT INT TERM
    for pid in $pids; do kill "$pid" 2>/dev/null || :; done
    for pid in $pids; do wait "$pid" 2>/dev/null || :; done
    [ ! -e "$cluster/postmaster.pid" ] || as_postgres "$pg_bin/pg_ctl" -D "$cluster" -m fast -s stop || :
    case $cluster in "$demo"/*) ;; *) rm -rf "$cluster" ;; esac
    rm -rf "$sockets"
}

finish() {
    stop
    n=$(grep -c '\.raised\.' "$demo/alerts.ndjson" 2>/dev/null || :)
    echo "lodewatch demo: ${n:-0} alerts raised; they are in $demo/alerts.ndjson"
    [ "${n:-0}" -gt 0 ]
}

rm -rf "$demo"
mkdir -p "$demo/state"
sockets=$(mktemp -d /tmp/lodewatch-demo.XXXXXX)
cluster=$demo/pg
mkdir "$cluster"
if [ "$(id -u)" = 0 ]; then
    chown postgres:postgres "$cluster" "$sockets"
    if ! as_postgres test -w "$cluster"; then
        rmdir "$cluster"
        cluster=$(mktemp -d /tmp/lodewatch-demo-pg.XXXXXX)
        chown postgres:postgres "$cluster"
    fi
fi
trap 'stop' EXIT
trap 'finish; exit $?' INT TERM

echo "lodewatch demo: making a PostgreSQL cluster ..."
chmod 700 "$cluster"
as_postgres "$pg_bin/initdb" -D "$cluster" -U lodewatch -A trust -E UTF8 --no-locale >"$demo/initdb.log"
as_postgres "$pg_bin/pg_ctl" -D "$cluster" -s -w -l "$cluster/log" \
    -o "-c listen_addresses='' -c unix_socket_directories=$sockets -c fsync=off" start

cat >"$demo/lodewatch.conf" <<CONF
[daemon]
state_dir = $demo/state
[database]
conninfo = host=$sockets user=lodewatch dbname=postgres
[alerts]
ndjson = $demo/alerts.ndjson
journald = no
[http]
listen = 127.0.0.1:$port
token_file = $demo/token
CONF
(umask 077 && head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$demo/token")

echo "lodewatch demo: importing etc/demo/ ..."
"$BUILD/lodewatch" import --config "$demo/lodewatch.conf" etc/demo
"$BUILD/lodewatch-sim" --ledger etc/demo --shapes etc/demo/shapes.csv --faults etc/demo/faults.csv \
    --follow "$demo/state/clock.sock" >"$demo/sim.log" 2>&1 &
pids="$pids $!"
"$BUILD/lodewatchd" --config "$demo/lodewatch.conf" --clock-start "$start" --clock-rate "$rate" \
    >"$demo/daemon.log" 2>&1 &
daemon=$!
pids="$daemon $pids"
: >"$demo/alerts.ndjson"

echo "lodewatch demo: the county's clock starts at 2026-01-12 22:00 and runs $rate times as fast."
echo "lodewatch demo: http://127.0.0.1:$port/api/v1/alerts"
echo "    curl -H \"Authorization: Bearer \$(cat $demo/token)\" http://127.0.0.1:$port/api/v1/sites"
echo "lodewatch demo: Ctrl-C ends it."
echo
mkfifo "$demo/feed"
tail -n +1 -F "$demo/alerts.ndjson" >"$demo/feed" 2>/dev/null &
pids="$pids $!"
"$BUILD/lodewatch" watch "$demo/feed" &
pids="$pids $!"

# Until Ctrl-C, the time is over, or the daemon is gone.
if [ -n "${DEMO_SECONDS:-}" ]; then
    sleep "$DEMO_SECONDS" &
    timer=$!
    pids="$pids $timer"
    wait -n "$daemon" "$timer" || :
else
    wait "$daemon" || :
fi
kill -0 "$daemon" 2>/dev/null || { echo "lodewatch demo: the daemon ended:"; tail "$demo/daemon.log"; }
finish
