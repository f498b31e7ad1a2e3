#!/usr/bin/python3
"""lodewatch replay: the rules' scenarios, the alerts' schema, and how it behaves. TAP."""
import collections
import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "replay"))
import scenarios  # noqa: E402
import seal  # noqa: E402

BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
LODEWATCH = os.path.join(BUILD, "lodewatch")
SEED = int(os.environ.get("SEED", "20250303"))

# Some of their readings are stored as suspect, which the file does not say yet.
DOUBTED = ("register_fell", "register_leapt", "transformers_turned", "panels_on_no_file",
           "ratio_ten_times_too_high")

results = []


def test(name, problem):
    """problem: None or empty is a pass; else what is wrong."""
    results.append(not problem)
    print(f"{'not ' if problem else ''}ok {len(results)} - {name}", flush=True)
    if problem:
        for line in str(problem).splitlines()[:20]:
            print(f"# {line}")


def replay(*args, stdin=None, stdout=subprocess.PIPE):
    return subprocess.run([LODEWATCH, "replay", *args], stdin=stdin, stdout=stdout,
                          stderr=subprocess.PIPE, timeout=180, check=False)


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


# --- the schema, and the same with nothing beside what it names


def strict(schema):
    if isinstance(schema, dict):
        schema = {k: strict(v) for k, v in schema.items()}
        if schema.get("type") in ("object", ["object", "null"]) and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
    elif isinstance(schema, list):
        schema = [strict(v) for v in schema]
    return schema


with open(os.path.join(ROOT, "docs", "schema", "alert-1.schema.json"), encoding="utf-8") as f:
    SCHEMA = json.load(f)
VALIDATOR = jsonschema.Draft202012Validator(strict(SCHEMA))


def first_fault(alerts):
    for a in alerts:
        for e in VALIDATOR.iter_errors(a):
            return f"{a['id']} {a['data']['rule']['id']}: {e.json_path}: {e.message[:300]}"
    return None


def disordered(alerts):
    """What holds for the alerts of any run."""
    last, alarms = None, {}
    for a in alerts:
        t, alarm = parse(a["time"]), a["data"]["alarm"]
        kind = a["type"].split(".")[3]
        if last and t < last:
            return f"{a['id']}: goes back in time"
        last = t
        before = alarms.get(alarm["id"])
        if (before is None) != (kind == "raised"):
            return f"{a['id']}: {kind}, but it was {'not ' if before is None else ''}raised before"
        if before:
            if alarm["revision"] != before["revision"] + 1:
                return f"{a['id']}: revision after {before['revision']}"
            if a["data"]["cap"]["references"] != [f"{alarm['id']}.{before['revision']}"]:
                return f"{a['id']}: refers to {a['data']['cap']['references']}"
            over = before["state"] in ("normal", "returned_unacknowledged")
            if t - before["t"] > timedelta(days=7, minutes=30) and not over:
                return f"{a['id']}: not told for {t - before['t']}"
            # What came back at a closed site is the same alarm: active again, told as updated.
            if over and (kind != "updated" or alarm["occurrences"] != before["occurrences"] + 1):
                return f"{a['id']}: {kind} after its return"
        if a["id"] != f"{alarm['id']}.{alarm['revision']}" or a["sequence"] != str(alarm["revision"]):
            return f"{a['id']}: its id, sequence and revision differ"
        alarms[alarm["id"]] = {"revision": alarm["revision"], "t": t, "state": alarm["state"],
                               "occurrences": alarm["occurrences"]}
    return None


def contradicts(alerts):
    """A number of an alert that its other numbers deny."""
    for a in alerts:
        e = a["data"]["evidence"]
        if e["mean_kw"] is not None and e["peak_kw"] is not None and e["peak_kw"] < e["mean_kw"] - 0.06 and \
                a["subject"].startswith("site/"):
            return f"{a['id']}: a peak of {e['peak_kw']} kW and a mean of {e['mean_kw']} kW"
    return None


def unexpected(alerts, rows):
    """Every row has an alert in its time; no other alarm is raised or returned. A row of the
    kind `silence` is of times in which nothing is told at all."""
    silences = [r for r in rows if r["kind"] == "silence"]
    open_rows = [r for r in rows if r["kind"] != "silence"]
    problems = []
    for a in alerts:
        key = (a["subject"], a["data"]["rule"]["id"], a["type"].split(".")[3])
        t = parse(a["time"])
        for r in open_rows:
            if key == (r["subject"], r["rule"], r["kind"]) and \
                    scenarios.at(r["not_before"]) <= t <= scenarios.at(r["not_after"]):
                open_rows.remove(r)
                break
        else:
            if key[2] != "updated" or any(
                    key[:2] == (r["subject"], r["rule"]) and
                    scenarios.at(r["not_before"]) <= t <= scenarios.at(r["not_after"]) for r in silences):
                problems.append(f"unexpected: {' '.join(key)} at {t.astimezone(scenarios.ZONE):%d %H:%M}"
                                f" ({a['data']['info'][1]['headline']})")
    problems += [f"missing: {r['subject']} {r['rule']} {r['kind']} in {r['not_before']} to {r['not_after']}"
                 for r in open_rows]
    return "\n".join(problems)


def run_scenarios(tmp):
    expected = collections.defaultdict(list)
    with open(os.path.join(ROOT, "tests", "replay", "expected.csv"), newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            expected[row["scenario"]].append(row)
    test("every golden row names a scenario", set(expected) - set(scenarios.ALL))
    every = []
    for name in scenarios.ALL:
        county = scenarios.make(name, SEED)
        folder = os.path.join(tmp, name)
        os.mkdir(folder)
        county.ledger(folder)
        readings = os.path.join(tmp, name + ".csv")
        county.readings(readings)
        r = replay("--ledger", folder, readings)
        if r.returncode != 0:
            test(name, r.stderr.decode())
            continue
        alerts = [json.loads(line) for line in r.stdout.decode().splitlines()]
        every += alerts
        test(f"{name}: {scenarios.ALL[name].__doc__}",
             unexpected(alerts, expected[name]) or first_fault(alerts) or disordered(alerts) or contradicts(alerts))
        if name not in DOUBTED:
            with open(readings, encoding="utf-8") as f:
                rows = seal.load(f.read())
            test(f"{name}: readings_sha256 can be computed again", seal.differs(alerts, seal.Ledger(folder), rows))
        if name == "lamp_that_burns_on":
            # A day of 3 kW and 4 kW (eleven hours of it), the lamp since nine.
            mean = alerts[0]["data"]["evidence"]["mean_kw"]
            test("what is told of the day before is what was measured in it",
                 None if 3.75 < mean < 3.95 else f"{mean} kW")
        if name == "silent_while_it_runs":
            loss = [a["data"]["alarm"]["priority"] for a in alerts if a["data"]["rule"]["id"] == "comm_loss"]
            test("a silent meter at a closed site has a high priority",
                 None if loss and loss[0] in ("high", "urgent") else loss)
    learned = {a["data"]["rule"]["id"] for a in every if a["data"]["evidence"]["learned"]}
    test("rules that compare with what they learned say so",
             learned ^ {"unusual_load", "feeder_residual", "night_load", "production_shape", "slow_creep", "re_emergence"})
    unsure = {(a["data"]["rule"]["id"], a["type"].split(".")[-2]) for a in every
              if a["data"]["rule"]["class"] == "consumption" and not a["data"]["evidence"]["confidence"]}
    test("every finding about consumption says how sure it is", unsure - {("unusual_load", "returned")})
    unread = {a["data"]["rule"]["id"] for a in every if not a["data"]["evidence"]["readings"]}
    test("every other alert names its readings", unread - {"coverage", "comm_loss"})
    rules = {a["data"]["rule"]["id"] for a in every}
    test("every rule has spoken", {"closed_load", "licence_gap", "comm_loss", "register_jump",
                                   "stuck_register", "coverage", "ct_reversal", "phase_loss",
                                   "sum_check", "unusual_load", "over_contract", "over_licence",
                                   "process_share", "night_load", "production_shape", "slow_creep",
                                   "post_cutoff", "re_emergence", "feeder_residual", "displacement"} - rules)


# --- the command


def run_command(tmp):
    folder, readings = os.path.join(tmp, "crusher_at_night"), os.path.join(tmp, "crusher_at_night.csv")
    ledger = ("--ledger", folder)
    plain = replay(*ledger, readings)
    test("two runs give the same bytes", plain.stdout != replay(*ledger, readings).stdout)
    test("the summary is one line on standard error",
         None if plain.stderr.count(b"\n") == 1 and b"readings/s" in plain.stderr else plain.stderr)
    test("--quiet leaves it out", replay(*ledger, "--quiet", readings).stderr)

    packed = readings + ".gz"
    with open(readings, "rb") as f, gzip.open(packed, "wb") as g:
        g.write(f.read())
    test("a .gz gives the same bytes", plain.stdout != replay(*ledger, packed).stdout)
    with open(readings, "rb") as f:
        test("so does standard input", plain.stdout != replay(*ledger, "-", stdin=f).stdout)
    with open(packed, "rb") as f:
        test("and packed standard input", plain.stdout != replay(*ledger, "-", stdin=f).stdout)

    other = replay(*ledger, "--deployment", "elsewhere", readings).stdout.decode().splitlines()
    ids = [json.loads(line)["data"]["alarm"]["id"] for line in other]
    mine = [json.loads(line)["data"]["alarm"]["id"] for line in plain.stdout.decode().splitlines()]
    test("another deployment has other ids", set(ids) & set(mine) or not ids)
    test("and another source", None if '"source":"urn:lodewatch:elsewhere"' in other[0] else other[0][:200])

    until = replay(*ledger, "--to", "2025-03-04T22:30:00+08:00", readings)
    test("--to stops before the alarm", until.stdout or until.returncode)
    after = replay(*ledger, "--from", "2025-03-05T05:00:00+08:00", readings)
    test("--from skips it", after.stdout or after.returncode)
    test("a time without a zone is local",
         None if replay(*ledger, "--from", "2025-03-05 05:00", readings).stderr.split()[0]
         == after.stderr.split()[0] else "another number of readings")

    said = replay(*ledger, "--sentences", readings).stdout.decode()
    test("--sentences speaks Chinese and English",
         None if "状态为“关闭”的点位夜间有用电" in said and "Site with status 'closed' drew power at night" in said
         else said)

    def wrong(name, text, *words, code=2, args=None):
        path = os.path.join(tmp, "wrong.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        r = replay(*(args or (*ledger, path)))
        err = r.stderr.decode()
        good = r.returncode == code and all(w in err for w in words)
        test(name, None if good else f"exit {r.returncode}: {err}")

    head = "time,meter_id,quality,import_kwh\n"
    wrong("a bad number is a fault with its place", head + "2025-03-03T00:00:00+08:00,M,good,x1\n", "wrong.csv:2:34:")
    wrong("an unknown meter too", head + "2025-03-03T00:00:00+08:00,NO,good,1\n", "wrong.csv:2:27:", "NO")
    wrong("and rows that go backwards",
          head + "2025-03-03T00:15:00+08:00,M,good,1\n2025-03-03T00:00:00+08:00,M,good,1\n", "wrong.csv:3:1:")
    wrong("an empty file has no header", "", "wrong.csv:1:")
    wrong("a file that is not there", "", "nowhere.csv", args=(*ledger, os.path.join(tmp, "nowhere.csv")))
    wrong("a ledger that is not there", "", "nowhere", args=("--ledger", os.path.join(tmp, "nowhere"), readings))
    wrong("a time that is none", "", "--from", "noon", args=(*ledger, "--from", "noon", readings))
    wrong("an unknown time zone", "", "Mars/Olympus", args=(*ledger, "--timezone", "Mars/Olympus", readings))
    days = os.path.join(tmp, "holidays")
    with open(days, "w", encoding="utf-8") as f:
        f.write("2025-03-04\n2025-03-05\n")
    allowed = os.path.join(tmp, "allowed")
    shutil.copytree(folder, allowed)
    with open(os.path.join(allowed, "explanations.csv"), "a", encoding="utf-8") as f:
        f.write("X,S,maintenance,,Mon-Sun 00:00-24:00,2025-01-01,,\n")
    quiet = replay("--ledger", allowed, readings).stdout
    test("work that is approved on weekdays is none on --holidays",
         None if b"closed_load" not in quiet and
         b"closed_load" in replay("--ledger", allowed, "--holidays", days, readings).stdout else quiet)
    wrong("holidays that are no dates", "", "holidays:1:", args=(*ledger, "--holidays", readings, readings))
    wrong("an unknown option", "", "usage:", args=(*ledger, "--frm", "x", readings))
    wrong("no readings", "", "usage:", args=ledger)
    wrong("--events and --ledger together", "", "usage:", args=(*ledger, "--events", tmp))
    wrong("a journal that is not there", "", "nowhere", args=("--events", os.path.join(tmp, "nowhere")))

    cut = readings + ".cut.gz"
    with open(packed, "rb") as f, open(cut, "wb") as g:
        g.write(f.read()[:-2000])
    wrong("a .gz that is cut off", "", "cut.gz", args=(*ledger, cut))

    rules = os.path.join(tmp, "rules.conf")
    with open(rules, "w", encoding="utf-8") as f:
        f.write("[closed_load]\nflor_kw = 3\n")
    wrong("an unknown rule parameter names the nearest", "", "rules.conf:2:", "floor_kw",
          args=(*ledger, "--rules", rules, readings))
    with open(rules, "w", encoding="utf-8") as f:
        f.write("[closed_load]\nfloor_kw = 100\n")
    test("--rules changes what is judged", replay(*ledger, "--rules", rules, readings).stdout)

    def changes(text):
        with open(rules, "w", encoding="utf-8") as f:
            f.write(text)
        r = replay(*ledger, "--compare", rules, readings)
        rows = [line.split("\t") for line in r.stdout.decode().splitlines()[1:]]
        return r.returncode, [(row[0], row[1]) for row in rows if row[1] == "closed_load"]

    test("--compare with the same rules changes nothing",
         None if changes("") == (0, [("same", "closed_load")]) else changes(""))
    test("one that raises later changes it",
         None if changes("[closed_load]\nfor = 1h\n") == (0, [("changed", "closed_load")])
         else changes("[closed_load]\nfor = 1h\n"))
    test("one that allows it lets it go",
         None if changes("[closed_load]\nfloor_kw = 100\n") == (0, [("gone", "closed_load")])
         else changes("[closed_load]\nfloor_kw = 100\n"))
    nights = os.path.join(tmp, "nights_beneath_the_ceiling")
    with open(rules, "w", encoding="utf-8") as f:
        f.write("")
    row = replay("--ledger", nights, "--compare", rules, nights + ".csv").stdout.decode().splitlines()[1].split("\t")
    test("an alarm that came back counts whole: until its last return, with all its kWh",
         None if row[4].startswith("2025-04-04T07") and 110 < float(row[6]) < 130 else row)
    wrong("--compare with a wrong parameter", "", "nowhere", args=(*ledger, "--compare", "nowhere", readings))

    def explain(*args):
        return subprocess.run([LODEWATCH, "explain", *ledger, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=180, check=False)

    alert = json.loads(plain.stdout.decode().splitlines()[0])
    e = explain(alert["data"]["alarm"]["id"][:8], readings)
    text = e.stdout.decode()
    bars = [line.split()[-2] for line in text.splitlines() if line.endswith(" kW") and "*" in line]
    head = [l for l in text.splitlines() if "excess kWh" in l or "未说明千瓦时" in l]
    names = [l for l in text.splitlines() if re.match(r"  [一-鿿]+ [A-Za-z]", l)]
    test("its table is in both languages", None if len(head) == 2 and len(names) > 8 else text)
    test("explain shows the alarm that an id begins", None if e.returncode == 0 and all(
        word in text for word in (alert["data"]["alarm"]["id"], alert["subject"], "raised",
                                  f"{alert['data']['evidence']['excess_kwh']:.1f}", "点位夜间", "power at night"))
        else text + e.stderr.decode())
    mean = alert["data"]["evidence"]["mean_kw"]
    test("its curve has the window's load", None if bars and abs(max(map(float, bars)) - mean) < mean / 4
         else (bars, mean))
    e = explain(alert["subject"] + ":closed_load", readings)
    test("a subject and rule find it too", None if alert["data"]["alarm"]["id"] in e.stdout.decode() else e.stderr)
    e = explain("site/NOWHERE", readings)
    test("an alarm that is not there is an error", None if e.returncode == 1 and b"NOWHERE" in e.stderr else e.stderr)
    e = explain("site/NOWHERE", "-")
    test("so are readings that can be read only once", None if e.returncode == 2 and b"twice" in e.stderr else e.stderr)

    with open("/dev/full", "wb") as full:
        r = replay(*ledger, readings, stdout=full)
    test("a full disk is an error", None if r.returncode == 1 and b"No space" in r.stderr else r.stderr)
    read, write = os.pipe()
    os.close(read)
    r = replay(*ledger, readings, stdout=write)
    os.close(write)
    test("so is a reader that went away", None if r.returncode == 1 and b"Broken pipe" in r.stderr else r.stderr)
    r = replay("--help")
    test("--help", None if r.returncode == 0 and r.stdout.startswith(b"usage:") else r.stdout)


def main():
    print(f"# SEED={SEED}")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with tempfile.TemporaryDirectory() as tmp:
        run_scenarios(tmp)
        run_command(tmp)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
