#!/usr/bin/python3
"""What a meter says of itself, through the whole daemon: an exchange that nobody wrote into the
ledger is noticed by the serial number, and is no alarm; the meter's clock is read; SunSpec meters
are found on the wire. Without PostgreSQL: what was read is taken from the journal."""
import datetime
import os

import harness
from running import ROOT, Daemon, check, equal, free_port, tap, wait_for
from world import Packed, journal, journal_readings

EVENT, METER_CLOCK, METER_SERIAL, METER_COUNTER = 1, 5, 6, 7
EXCHANGE, RESET, SUSPECT = 64, 16, 1
START = datetime.datetime(2025, 3, 3, tzinfo=datetime.timezone.utc)
EXCHANGED = START + datetime.timedelta(hours=2)
HEAD = "meter_id,installed_at,removed_at,site_id,role,gateway_id,unit,profile,interval_s,rated_kw\n"


def said(d):
    """Of meters, as (kind, meter, what)."""
    for kind, payload in journal(d.path("state/journal")):
        p = Packed(payload)
        if kind != EVENT or p.u8() != 2:
            continue
        what, _, meter, _ = p.u8(), p.int(), p.bytes(p.u8()).decode(), p.int()
        yield what, meter, p.bytes(p.u8()).decode() if what == METER_SERIAL else p.int()


def run(profile, meters, hours, falls=False):
    """The daemon beside a simulator that goes by `meters`; the daemon's ledger has one row. The
    register may fall at the time of the exchange."""
    port = free_port()
    d = Daemon()
    d.write("ledger/gateways.csv", f"gateway_id,transport,address\ng1,tcp,127.0.0.1:{port}\n")
    for name, rows in (("ledger", [("x", "2024-01-01", "")]), ("sim", meters)):
        os.makedirs(d.path(name), exist_ok=True)
        for file in ("areas.csv", "sites.csv", "gateways.csv"):
            with open(d.path("ledger/" + file), encoding="utf-8") as f:
                d.write(f"{name}/{file}", f.read())
        d.write(name + "/meters.csv", HEAD + "".join(
            f"{m},{since},{until},s1,supply,g1,7,{profile},900,100\n" for m, since, until in rows))
    wh = {}
    rows = []
    for quarter in range(hours * 4 + 1):
        t = START + datetime.timedelta(minutes=15 * quarter)
        other = falls and t >= EXCHANGED
        wh[other] = wh.get(other, 900 if other else 5000_000) + 0.75
        rows.append(f"{t.isoformat()},x,good,3,{wh[other]}\n")
    d.write("readings.csv", "time,meter_id,quality,active_power_kw,import_kwh\n" + "".join(rows))
    sim = harness.Program([
        harness.program("lodewatch-sim"), "--ledger", d.path("sim"), "--profiles",
        os.path.join(ROOT, "etc/profiles"), "--readings", d.path("readings.csv"), "--follow",
        d.path("state/clock.sock")])
    d.start("--clock-start", START.isoformat(), "--clock-rate", "20000")
    end = (START + datetime.timedelta(hours=hours)).timestamp() * 1000
    harness.wait_for(lambda: any(r[1] >= end for r in journal_readings(d.path("state/journal"))), 30,
                     "readings\n" + d.logged())
    return d, sim


def jumps(d):
    return [a["subject"] for a in d.alerts() if a["data"]["rule"]["id"] == "register_jump" and
            a["type"].endswith("raised.v1")]


def close(d, sim):
    equal(d.stop()[0], 0)
    sim.kill()
    d.close()


def exchange():
    """A changed serial number is an exchange: told, counted and marked, and no alarm"""
    until = EXCHANGED.isoformat()
    d, sim = run("schneider-iem3000", [("x", "2024-01-01", until), ("x", until, "")], 5, True)
    equal(d.metric("lodewatch_meter_exchanges_total"), 1)
    serials = [what for kind, _, what in said(d) if kind == METER_SERIAL]
    equal(len(set(serials)), 2)
    check(f"meter x was exchanged: its serial number is {serials[-1]}" in d.logged(), d.logged())
    marks = {r[1]: r[2] for r in journal_readings(d.path("state/journal"))}
    at = int(EXCHANGED.timestamp() * 1000)
    # The first reading of the new meter is odd, which makes the daemon ask; the next is marked.
    check(marks[at] & (RESET | SUSPECT) == RESET | SUSPECT, marks[at])
    equal([t for t, q in marks.items() if q & EXCHANGE], [at + 900_000])
    equal({q for t, q in marks.items() if t != at and t != at + 900_000}, {0})
    drifts = [what for kind, _, what in said(d) if kind == METER_CLOCK]
    check(len(drifts) >= 2 and all(-1000 < drift <= 0 for drift in drifts), drifts)
    equal(d.stop()[0], 0)  # what is to be told has been
    equal(jumps(d), [])
    close(d, sim)


def reset():
    """The same number, and a register that fell: that is an alarm"""
    d, sim = run("schneider-iem3000", [("x", "2024-01-01", "")], 5, True)
    equal(wait_for(lambda: jumps(d)), ["point/x"])
    equal(d.metric("lodewatch_meter_exchanges_total"), 0)
    serials = [what for kind, _, what in said(d) if kind == METER_SERIAL]
    check(len(serials) >= 2 and len(set(serials)) == 1, serials)  # it was asked again
    close(d, sim)


def sunspec():
    """A SunSpec meter is found on the wire, with its serial number"""
    d, sim = run("sunspec-203", [("x", "2024-01-01", "")], 2)
    values = [r[3] for r in journal_readings(d.path("state/journal"))]
    check(len(values) >= 8 and all(v[0] == 3000 for v in values), values)
    equal([v[2] for v in values[:2]], [5000_000_750, 5000_001_500])
    check([what for kind, _, what in said(d) if kind == METER_SERIAL], "no serial number")
    close(d, sim)


if __name__ == "__main__":
    tap([exchange, reset, sunspec])
