#!/usr/bin/python3
"""A made set goes through replay and scorer; and the scorer counts as it says. TAP."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
from harness import Tap, program, temp_dir  # noqa: E402

EVAL = os.path.join(ROOT, "tests", "eval")

EVENTS = """site,start,end,kind,cls,kwh
A,2025-02-10T00:00:00Z,2025-02-11T00:00:00Z,night,unexplained,30
A,2025-03-01T00:00:00Z,2025-03-02T00:00:00Z,brief,unexplained,10
B,2025-02-10T00:00:00Z,2025-02-12T00:00:00Z,stuck,tamper,0
"""
# (site, rule, class, raised, returned), and what it is
ALERTS = [
    ("A", "night_load", "consumption", "2025-01-05T00:00:00Z", "2025-01-06T00:00:00Z"),  # commissioning
    ("A", "night_load", "consumption", "2025-02-10T03:00:00Z", "2025-02-10T09:00:00Z"),  # hit, after 3 h
    ("A", "closed_load", "consumption", "2025-02-10T20:00:00Z", "2025-02-11T02:00:00Z"),  # the same incident
    ("A", "slow_creep", "consumption", "2025-03-10T00:00:00Z", "2025-03-20T00:00:00Z"),  # false, two weeks
    ("B", "stuck_register", "data", "2025-02-10T02:00:00Z", "2025-02-12T00:00:00Z"),  # tampering
]


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=120, check=True).stdout


def write_small_set(folder):
    for name in ("ledger", "labels"):
        os.makedirs(f"{folder}/{name}")
    files = {"ledger/sites.csv": "site_id,status_since\nA,2025-01-01T00:00:00Z\nB,2025-01-01T00:00:00Z\n",
             "labels/events.csv": EVENTS, "labels/negatives.csv": "site,start,end,kind\n"}
    for path, text in files.items():
        with open(f"{folder}/{path}", "w", encoding="utf-8") as f:
            f.write(text)
    with open(f"{folder}/alerts.ndjson", "w", encoding="utf-8") as f:
        for i, (site, rule, kind, raised, returned) in enumerate(ALERTS):
            for step, at in (("raised", raised), ("returned", returned)):
                data = {"site": {"id": site}, "rule": {"id": rule, "class": kind}, "alarm": {"id": str(i)}}
                f.write(json.dumps({"type": f"org.lodewatch.alert.{step}.v1", "time": at, "data": data}) + "\n")


tap = Tap(7)
tmp = temp_dir()
small = f"{tmp}/small"
write_small_set(small)
score = json.loads(run(f"{EVAL}/score.py", small, f"{small}/alerts.ndjson"))
tap.is_("one of two events is found", (score["recall"], score["delay_median_h"]), (0.5, 3.0))
tap.is_("a standing alarm counts again each week", score["false_by_rule"], {"slow_creep": 2})
tap.is_("tampering is found by data rules", score["tamper_recall"], 1.0)
tap.is_("energy and kinds are those of the events", (score["kwh_found"], score["found_by_kind"]),
        (0.75, {"brief": "0/1", "night": "1/1"}))
lines = run(f"{EVAL}/score.py", "--rules", small, f"{small}/alerts.ndjson").splitlines()
tap.is_("a rule answers for what it began", [line.split() for line in lines[1:]],
        [["night_load", "1", "0"], ["slow_creep", "0", "2"]])

made = [f"{tmp}/{name}" for name in ("one", "two")]
for folder in made:
    run(f"{EVAL}/make_set.py", "--seed", "3", "--sites", "6", "--days", "90", folder)
alerts = [run(program("lodewatch"), "replay", "--ledger", f"{f}/ledger", f"{f}/readings.csv.gz") for f in made]
tap.ok("the same seed makes the same set", alerts[0] == alerts[1] and len(alerts[0]) > 0)
with open(f"{tmp}/alerts.ndjson", "w", encoding="utf-8") as f:
    f.write(alerts[0])
score = json.loads(run(f"{EVAL}/score.py", made[0], f"{tmp}/alerts.ndjson"))
tap.ok("most of its events are found", score["events"] > 3 and score["recall"] > 0.5, str(score))
sys.exit(tap.done())
