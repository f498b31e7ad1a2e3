#!/usr/bin/env python3
"""lodewatchd killed at random moments, again and again: no alert is lost, doubled or raised
anew, and its recording replays to the same bytes."""
import json
import os
import random
import select
import subprocess
import time

import running
from running import BUILD, Daemon, check, equal, free_port, wait_for

ROUNDS = int(os.environ.get("ROUNDS", "8"))
RATE = 1800  # half an hour a second
ROUND_H = 4
SIM = os.path.join(BUILD, "lodewatch-sim")
CLI = os.path.join(BUILD, "lodewatch")

LEDGER = {
    "sites.csv": "site_id,name,kind,status,status_since,area_id,lat,lon,datum\n"
                 + "".join(f"s{i},{i}号矿,coal_mine,closed,2024-01-01,c1,35.{i},110.9,CGCS2000\n"
                           for i in range(1, 7)),
    "meters.csv": "meter_id,installed_at,site_id,role,gateway_id,unit,profile,interval_s\n"
                  + "".join(f"m{i},2024-01-01,s{i},supply,g1,{i},generic,60\n"
                            for i in range(1, 7)),
}
SHAPES = """meter_id,shape,kw,from,to
m1,pump,40,,
m2,crusher,60,22:00,05:00
m3,washery,25,02:00,03:30
m4,guard_house,1.2,,
m5,kiln,90,12:00,13:30
m6,pump,30,16:00,23:00
"""
FAULTS = """gateway_id,unit,fault,from,to,arg
g1,4,silent,2025-01-01T02:00:00Z,2025-01-01T09:00:00Z,
g1,6,silent,2025-01-01T12:00:00Z,2025-01-01T16:00:00Z,
"""


def at(round_number):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1735689600 + 3600 * ROUND_H * round_number))


class Fleet:
    """The simulator on the daemon's clock; a daemon that dies takes it along."""

    def __init__(self, d):
        self.process = subprocess.Popen(
            [SIM, "--ledger", d.path("ledger"), "--shapes", d.path("shapes.csv"), "--faults",
             d.path("faults.csv"), "--profiles", os.path.join(running.ROOT, "etc/profiles"),
             "--follow", d.path("state/clock.sock")], stdout=d.log,
            stderr=d.log)

    def close(self):
        self.process.kill()
        self.process.wait()


def lines(path):
    with open(path, "rb") as f:
        return [line for line in f.read().split(b"\n") if line]


def killed_again_and_again():
    """Killed at random: what was delivered is each alert at least once, in order, and replays"""
    d = Daemon(ledger=LEDGER)
    try:
        kill_and_compare(d)
    finally:
        d.close()


def kill_and_compare(d):
    d.write("shapes.csv", SHAPES)
    d.write("faults.csv", FAULTS)
    d.write_config(journal={"segment_bytes": "65536", "keep": "0s", "sync": "20ms"})
    chance = random.Random(int(os.environ.get("SEED", "7")))
    for k in range(ROUNDS + 1):
        d.start("--clock-start", at(k), "--clock-rate", str(RATE), "--record", d.path("record"))
        fleet = Fleet(d)
        select.select([], [], [], 0.3 + 3 * chance.random())
        equal((fleet.process.poll(), d.logged()[-300:] if fleet.process.poll() else ""), (None, ""))
        if k < ROUNDS:
            d.process.kill()
            d.process.wait()
            d.log.close()
        else:
            equal(d.stop()[0], 0)
        fleet.close()
    # What the sink has not taken before the end, it takes now.
    d.start("--clock-start", at(ROUNDS + 1))
    replayed = subprocess.run([CLI, "replay", "--events", d.path("record")], capture_output=True,
                              timeout=60)
    equal(replayed.stderr.decode().splitlines()[:-1], [])
    equal(replayed.returncode, 0)
    want = replayed.stdout.splitlines()
    check(len(want) >= 5, f"{len(want)} alerts only")
    wait_for(lambda: set(want) <= set(lines(d.path("alerts.ndjson"))))
    d.stop()

    delivered = list(dict.fromkeys(lines(d.path("alerts.ndjson"))))
    equal(delivered[:len(want)], want)
    alerts = [json.loads(line) for line in want]
    equal(len({a["id"] for a in alerts}), len(alerts))
    raised = [a["data"]["alarm"]["id"] for a in alerts if ".raised." in a["type"]]
    equal(len(set(raised)), len(raised))
    for a in alerts:
        check(a["data"]["alarm"]["id"] in raised, "never raised: " + a["id"])
    standing = set()
    for a in alerts:
        what = (a["subject"], a["data"]["rule"]["id"])
        if ".raised." in a["type"]:
            check(what not in standing, f"raised while it stands: {what}")
            standing.add(what)
        elif ".returned." in a["type"]:
            standing.remove(what)
    print(f"# {ROUNDS} kills, {len(want)} alerts, "
          f"{len(os.listdir(d.path('record')))} files recorded, "
          f"{len(os.listdir(d.path('state/journal')))} kept")


running.tap([killed_again_and_again])
