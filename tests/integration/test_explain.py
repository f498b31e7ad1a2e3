#!/usr/bin/python3
"""`lodewatch explain` with what PostgreSQL has, after a county's readings have gone the whole
way; and what its alerts rest on, computed again from an export."""
import json
import os
import random
import re
import sys

import harness
import seal
from running import check, equal
from world import World

LODEWATCH = harness.program("lodewatch")
SEED = int(os.environ.get("SEED", random.randrange(10**6)))

tap = harness.Tap(12)
tap.note(f"SEED={SEED}")
cluster = harness.Cluster()
world = World(SEED, cluster, "explain")
conf = world.daemon.path("conf")


def explain(*arguments):
    return harness.run([LODEWATCH, "explain", *arguments])


def exported():
    done = harness.run([LODEWATCH, "export", "--config", conf, "--from", "2025-01-01", "--to",
                        "2026-01-01", "--format", "ndjson"])
    check(done.returncode == 0, done.stderr)
    return done.stdout


def shown(*arguments):
    done = explain("--config", conf, *arguments)
    check(done.returncode == 0, done.stderr)
    return done.stdout


def bars(text):
    """{time: kW} of the lines of the curve in the window."""
    return {m[1]: float(m[2]) for m in re.finditer(r"^  (\S+ \S+) \* .* ([0-9.]+) kW$", text, re.M)}


def refused(code, text, *arguments):
    done = explain(*arguments)
    equal((done.returncode, done.stdout), (code, ""))
    check(text in done.stderr, done.stderr)


world.start()
world.finish()
alerts = world.daemon.alerts()
ledger = seal.Ledger(world.daemon.path("ledger"))
crusher = [a for a in alerts if (a["subject"], a["data"]["rule"]["id"]) == ("site/s01", "closed_load")]
alarm = crusher[-1]["data"]["alarm"]["id"]
told = [a for a in crusher if a["data"]["alarm"]["id"] == alarm]
evidence = [a["data"]["evidence"] for a in told if not a["type"].endswith("returned.v1")][-1]

with tap.test("every alert that was told rests on what is stored, as an independent program finds"):
    readings = seal.load(exported())
    rules = {a["data"]["rule"]["id"] for a in alerts if a["data"]["evidence"]["readings"]}
    check({"closed_load", "licence_gap", "register_jump", "comm_loss"} <= rules, rules)
    check(not (other := seal.differs(alerts, ledger, readings)), other)

with tap.test("one reading less is another hash"):
    mine = [i for i, r in enumerate(readings) if r.meter == "m-s01"]
    check(seal.differs(told, ledger, readings[:mine[5]] + readings[mine[5] + 1:]), "the same")

with tap.test("a reading that came late is exported as such, and no alert rests on it"):
    cluster.psql("INSERT INTO reading(ts, meter_id, q, imp_wh) SELECT '2025-03-03 20:07Z', meter_id, 4, 1"
                 " FROM meter_key WHERE id = 'm-s01'", "explain")
    lines = exported()
    equal([line["meter_id"] for line in map(json.loads, lines.splitlines()) if "late" in line], ["m-s01"])
    check(not (other := seal.differs(alerts, ledger, seal.load(lines))), other)

with tap.test("an alarm by its id: revisions, words, evidence"):
    text = shown(alarm)
    for word in (alarm, "site/s01", "raised", "矿点s01", "关闭", "closed", evidence["readings_sha256"],
                 f"{evidence['excess_kwh']:.1f} kWh", f"条数 how many          {evidence['readings']['count']}\n",
                 "预警 raised", "高 high", "未说明 unexplained", f"可信度 confidence      {evidence['confidence']:.3f}\n"):
        check(word in text, f"{word!r} is not in\n{text}")
    equal(len(re.findall(r"^ +\d+ +2025-\S+ +(?:预警 raised|更新 updated|恢复 returned) ", text, re.M)), len(told))

with tap.test("the curve has the measured load and what was expected"):
    drawn = bars(text)
    check(drawn and abs(max(drawn.values()) - evidence["peak_kw"]) < evidence["peak_kw"] / 10,
          f"{drawn}\n{text}")
    check("│" in text, text)

with tap.test("by the beginning of its id, its subject, its subject and rule"):
    for name in (alarm[:8], "site/s01:closed_load"):
        equal((name, shown(name)), (name, text))
    check(shown("site/s06").startswith(next(a for a in alerts if a["subject"] == "site/s06")
                                       ["data"]["alarm"]["id"]), "another alarm")

with tap.test("an alarm about data has no load to expect"):
    data = shown("point/m-s10:comm_loss")
    check("通信中断" in data and "good samples" not in data, data)
    check(bars(data) and "│" not in data, data)

with tap.test("one about a gateway has no curve"):
    gateway = shown("gateway/gc")
    check("comm_loss" not in gateway and "  时段 window " in gateway and not bars(gateway), gateway)
    check("SHA-256" not in gateway, gateway)

with tap.test("a role that may only read is enough"):
    done = harness.run([LODEWATCH, "migrate", "--config", conf, "--roles"])
    check(done.returncode == 0, done.stderr)
    cluster.psql("CREATE ROLE reader LOGIN IN ROLE lodewatch_api", "explain")
    world.daemon.write_config(database={
        "read_conninfo": cluster.conninfo("explain").replace("user=postgres", "user=reader")})
    equal(shown(alarm), text)

with tap.test("what is packed is drawn as what is not"):
    world.daemon.write_config(history={"hot_days": "1"})
    done = harness.run([LODEWATCH, "compact", "--config", conf])
    check(done.returncode == 0, done.stderr)
    check(int(cluster.psql("SELECT count(*) FROM reading_day", "explain")) > 0, done.stdout + done.stderr)
    equal(shown(alarm), text)

with tap.test("no such alarm, nothing configured, wrong usage"):
    refused(1, "no alarm site/NOWHERE in the database", "--config", conf, "site/NOWHERE")
    refused(1, "no alarm ' OR true -- in", "--config", conf, "' OR true --")
    empty = harness.write(os.path.join(harness.temp_dir(), "conf"), "[daemon]\nledger = /nowhere\n")
    refused(2, "no database is configured", "--config", empty, alarm)
    refused(2, "usage:", "--config", conf)
    refused(2, "usage:", "--config", conf, alarm, world.readings)
    refused(2, "usage:", "--config", conf, "--ledger", world.daemon.path("ledger"), alarm)

with tap.test("a database that is not there is said, and no secret of it"):
    cluster.stop()
    refused(1, "lodewatch explain: PostgreSQL: connection to server", "--config", conf, alarm)

world.close()
sys.exit(tap.done())
