#!/usr/bin/python3
"""The whole way of a reading: a county's readings go through the simulator, Modbus TCP and the
daemon into a real PostgreSQL, and everything that must come out of them does, once. Twice:
undisturbed, and with PostgreSQL gone for the middle third and everything reloaded now and then."""
import json
import os
import random
import signal
import sys

import generate
import harness
from running import check, equal
from world import GOOD_QUALITY, World

QUARTER_MS = 15 * 60 * 1000
SEED = int(os.environ.get("SEED", random.randrange(10**6)))


def key(alert):
    return alert["subject"], alert["data"]["rule"]["id"]


def raised(alerts):
    return {key(a) for a in alerts if a["type"].endswith(".raised.v1")}


def parse(text):
    return [json.loads(line) for line in text.splitlines()]


def readings_once(world):
    want, got = world.county.stored(), {}
    for meter, ms, q, *values in world.stored():
        at = meter, ms // QUARTER_MS * QUARTER_MS
        check(at not in got, f"twice: {at}")
        check(ms - at[1] < 100, f"{meter} was read {ms - at[1]} ms late")
        check(at in want, f"a reading from nothing: {at} {values}")
        equal((at, tuple(values)), (at, want[at]))
        got[at] = q & GOOD_QUALITY
    lost = sorted(set(want) - set(got))
    check(not lost, f"{len(lost)} lost, such as {lost[:5]}")
    fell = "m-s13", int(generate.at(2, 12).timestamp() * 1000)
    equal({at for at, quality in got.items() if quality != 0}, {fell})


def same_alarms(world):
    live = raised(a for a in world.daemon.alerts() if world.in_time(a["time"]))
    replayed = world.replay("--ledger", world.daemon.path("ledger"), "--from",
                            generate.START.isoformat(), "--to", world.county.end.isoformat(),
                            world.readings)
    equal(live, raised(parse(replayed)))
    equal(live, {("site/s01", "closed_load"), ("site/s04", "closed_load"),
                 ("site/s05", "closed_load"), ("site/s06", "licence_gap"),
                 ("point/m-s10", "comm_loss"), ("gateway/gc", "comm_loss"),
                 ("point/m-s13", "register_jump"), ("site/s12", "coverage")})


def same_alerts_stored(world):
    alerts = world.daemon.alerts()
    stored = parse(world.cluster.psql("SELECT body FROM alert", world.database))
    equal(len(alerts), len({a["id"] for a in alerts}))
    equal(sorted(a["id"] for a in stored), sorted(a["id"] for a in alerts))
    by_id = {a["id"]: a for a in stored}
    for alert in alerts:
        equal(by_id[alert["id"]], alert)
    newest = {a["data"]["alarm"]["id"]: a["id"] for a in alerts}
    rows = world.cluster.psql("SELECT alarm_id, event_id FROM alarm", world.database)
    equal(dict(line.split("|") for line in rows.splitlines()), newest)


def same_bytes(world):
    with open(world.daemon.path("alerts.ndjson"), encoding="utf-8") as f:
        ndjson = f.read()
    check(ndjson, "no alerts")
    for name in ("state/journal", "record"):
        check(world.replay("--events", world.daemon.path(name)) == ndjson, f"{name} differs")


def only_reads(world):
    seen = [r.functions() for r in world.recorders]
    check(all(seen), f"a wire without a request: {seen}")
    check(all(f in (1, 2, 3, 4) for s in seen for f in s), seen)
    check(all(len(data) % 12 == 0 for r in world.recorders for data in r.sent), "torn requests")


def main():
    tap = harness.Tap(12)
    tap.note(f"SEED={SEED}")
    for name, away in (("", False), (", PostgreSQL away for a third and reloads", True)):
        cluster = harness.Cluster()
        world = World(SEED, cluster, "wire")
        if away:
            world.at(1 / 6, lambda: world.daemon.signal(signal.SIGHUP))
            world.at(1 / 3, cluster.stop)
            world.at(1 / 2, lambda: world.daemon.signal(signal.SIGHUP))
            world.at(2 / 3, cluster.start)
        with tap.test("the run ends well" + name):
            world.start()
            world.finish()
        for test, what in ((readings_once, "every good row is one good reading, as the meter showed it"),
                           (same_alarms, "the alarms are those of a replay of the file"),
                           (same_alerts_stored, "the table of alerts has what was delivered"),
                           (same_bytes, "journal and recording give the delivered alerts again"),
                           (only_reads, "nothing but reads went over the wire")):
            with tap.test(what + name):
                test(world)
        world.close()
        cluster.stop()
    return tap.done()


sys.exit(main())
