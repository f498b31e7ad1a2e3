#!/usr/bin/python3
"""kill -9, again and again: the daemon at any moment, PostgreSQL's processes in between, while
a county's clock flies. What was read is stored once, and no alert is lost or told in two ways.

SOAK=1 kills a hundred times, SEED=N repeats a run."""
import contextlib
import glob
import json
import os
import random
import signal
import sys
import threading

import generate
import harness
from running import Daemon, check, equal
from world import ALERT, GOOD_QUALITY, REPEATED, World, journal, journal_readings

QUARTER_MS = 15 * 60 * 1000
SEED = int(os.environ.get("SEED", random.randrange(10**6)))
ROUNDS, KILLS = (15, 7) if os.environ.get("SOAK") else (1, 5)
MOST_S = 0.15  # the journal's group, a batch and a checkpoint all fall into such a time


def kill_daemon(world, rnd):
    """Not now, where the daemon waits for its clock, but a while after; sometimes it is killed
    again while it starts."""
    wait = threading.Event().wait

    def kill():
        with world.one_at_a_time:
            wait(rnd.uniform(0, MOST_S))
            again = rnd.random() < 0.3
            while True:
                world.daemon.process.kill()
                world.daemon.process.wait()
                world.start(ready=not again)
                if not again:
                    break
                wait(rnd.uniform(0, MOST_S))
                again = False
    world.threads.append(threading.Thread(target=kill))
    world.threads[-1].start()


def kill_backend(world):
    pids = ""
    with contextlib.suppress(RuntimeError):  # it is away
        pids = world.cluster.psql("SELECT pid FROM pg_stat_activity WHERE backend_type = "
                                  f"'client backend' AND datname = '{world.database}' "
                                  "AND pid <> pg_backend_pid()")
    for pid in pids.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def kill_postmaster(world):
    os.kill(world.cluster.postmaster(), signal.SIGKILL)

    def start():
        def started():  # not before the last of its children is gone
            with contextlib.suppress(RuntimeError):
                world.cluster.start()
                return True
        harness.wait_for(started, 30, "PostgreSQL starts again")
    world.threads.append(threading.Thread(target=start))
    world.threads[-1].start()


def checkpoints(world):
    return len(glob.glob(world.daemon.path("record/*.ckpt")))


def same(got, want):
    """Two dicts; says a few of the differences."""
    keys = sorted(k for k in got.keys() | want.keys() if got.get(k) != want.get(k))
    check(not keys, f"{len(keys)} differ, such as "
          f"{[(k, got.get(k), want.get(k)) for k in keys[:3]]} (got, wanted)")


def delivered_once(world):
    """Each line is whole; an alert that was delivered again is the same; none is missing."""
    with open(world.daemon.path("alerts.ndjson"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    by_id = {}
    for line in lines:
        alert = json.loads(line)
        equal(by_id.setdefault(alert["id"], line), line)
    recorded = [p[29:].decode() for kind, p in journal(world.daemon.path("record")) if kind == ALERT]
    equal(len(recorded), len({json.loads(a)["id"] for a in recorded}))
    equal(sorted(by_id.values()), sorted(recorded))
    replayed = world.replay("--events", world.daemon.path("record")).splitlines()
    equal(recorded, replayed)


def rows_are_the_journals(world):
    want = {}
    for meter, ms, q, values in journal_readings(world.daemon.path("record")):
        if ms < world.clock.end and not q & REPEATED:
            check((meter, ms) not in want, f"twice in the journal: {meter} {ms}")
            want[meter, ms] = q, values.get(0), values.get(2), values.get(4)
    got = {(r[0], r[1]): r[2:6] for r in world.stored()}
    same(got, want)
    check(len(want) > 3000, len(want))


def nothing_lost(world):
    """The clock goes on where the journal ended, so that every row of the file was read."""
    want = {k: v[1] for k, v in world.county.stored().items()}
    good = {(r[0], r[1] // QUARTER_MS * QUARTER_MS): r[4] for r in world.stored()
            if r[2] & GOOD_QUALITY == 0 or r[0] == "m-s13"}
    same({k: v for k, v in good.items() if k in want}, want)


def alerts_stored(world):
    rows = world.cluster.psql("SELECT event_id FROM alert ORDER BY 1", world.database)
    equal(rows.split(), sorted({a["id"] for a in world.daemon.alerts()}))


def undelivered():
    """What a sink refused before a kill is delivered after it."""
    d = Daemon(alerts={"ndjson": "/dev/full"})

    def recorded():
        return [p[29:].decode() for kind, p in journal(d.path("state/journal")) if kind == ALERT]
    d.start("--clock-start", generate.START.isoformat(), "--clock-rate", "600")
    harness.wait_for(lambda: len(recorded()) >= 3, 20, "alerts in the journal")
    d.process.kill()
    d.process.wait()
    before = recorded()
    d.write_config(alerts={"ndjson": d.path("alerts.ndjson")})
    d.start("--clock-rate", "600")
    harness.wait_for(lambda: len(d.alerts()) >= len(before), 20, "delivery")
    equal(d.stop()[0], 0)
    with open(d.path("alerts.ndjson"), encoding="utf-8") as f:
        equal(f.read().splitlines(), recorded())
    d.close()


def main():
    tap = harness.Tap(5 * ROUNDS + 1)
    with tap.test("alerts that a sink refused before a kill are delivered after it"):
        undelivered()
    for number in range(ROUNDS):
        seed = SEED + number
        tap.note(f"SEED={seed}")
        rnd = random.Random(seed)
        # Many checkpoints, and nothing is kept but in the recording.
        world = World(seed, harness.Cluster(), "crash", segment_bytes="65536", keep="0s")
        world.threads, world.one_at_a_time = [], threading.Lock()
        parts = sorted(rnd.uniform(0.02, 0.95) for _ in range(KILLS))
        todo = [(part, lambda: kill_daemon(world, rnd)) for part in parts]
        todo += [(rnd.uniform(0.1, 0.9), lambda: kill_backend(world)) for _ in range(2)]
        todo.append((rnd.uniform(0.1, 0.9), lambda: kill_postmaster(world)))
        for part, what in sorted(todo, key=lambda t: t[0]):
            world.at(part, what)
        with tap.test(f"{KILLS} kills of the daemon, PostgreSQL's too: it ends well"):
            world.start()
            check(world.clock.ended.wait(120), world.daemon.logged())
            for thread in world.threads:
                thread.join()
            world.finish()
            again = world.daemon.logged().count("records run again")
            tap.note(f"{again} starts ran records again; {checkpoints(world)} checkpoints")
        for test, what in ((delivered_once, "each alert is delivered, whole, and in one way"),
                           (rows_are_the_journals, "PostgreSQL has what the journal has, once"),
                           (nothing_lost, "every row of the file was read"),
                           (alerts_stored, "PostgreSQL has the alerts that were delivered")):
            with tap.test(what):
                test(world)
        world.close()
        world.cluster.stop()
    return tap.done()


sys.exit(main())
