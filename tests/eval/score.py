#!/usr/bin/python3
"""How well the alerts of a replay agree with a set's labels.

    tests/eval/score.py [--rules] SET ALERTS.ndjson

An incident is what stands at a site with less than a day between one alarm and the next; each
week that it goes on is another one, since somebody is asked again. It is a hit when it begins
within an event or a day after it, and false otherwise. Weeks of commissioning do not count.
Consumption rules answer for unexplained events, data rules for tampering. A rule answers for the
incidents that its alarm began; with --rules, a line for each is all that is printed.
"""
import collections
import csv
import json
import statistics
import sys
from datetime import datetime, timedelta

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LEARN = timedelta(days=28)
NO_TAMPERING = ("comm_gap", "garbage_reading", "clock_jump", "meter_exchange", "rollover", "gap_hidden")


def table(path):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    for row in rows:
        row.update({k: datetime.fromisoformat(row[k]) for k in ("start", "end", "status_since") if row.get(k)})
    return rows


def alarms(path):
    """[site, class, rule, raised, returned or None] of each alarm about a site."""
    seen = {}
    with open(path, encoding="utf-8") as f:
        for event in map(json.loads, f):
            if not event["type"].startswith("org.lodewatch.alert."):
                continue
            data, at = event["data"], datetime.fromisoformat(event["time"])
            if data["rule"]["id"] == "coverage" or not data["site"]:
                continue
            if event["type"].endswith(".raised.v1"):
                seen[data["alarm"]["id"]] = [data["site"]["id"], data["rule"]["class"], data["rule"]["id"], at, None]
            elif event["type"].endswith(".returned.v1"):
                seen[data["alarm"]["id"]][4] = at
    return list(seen.values())


def incidents(found, first, last):
    """(site, rule, begin) of one class's alarms; a standing one again each week."""
    spans = {}
    for site, _, rule, raised, returned in sorted(found, key=lambda a: a[3]):
        end = returned or last
        if end < first:
            continue
        known = spans.setdefault(site, [])
        if known and max(raised, first) - known[-1][2] <= DAY:
            known[-1][2] = max(known[-1][2], end)
        else:
            known.append([rule, max(raised, first), end])
    for site, known in spans.items():
        for rule, begin, end in known:
            while begin <= end:
                yield site, rule, begin
                begin += WEEK


def belongs(event, site, begin):
    return event["site"] == site and (event["kind"] == "preexisting" or event["start"] <= begin <= event["end"] + DAY)


def score(folder, path):
    events, negatives = table(f"{folder}/labels/events.csv"), table(f"{folder}/labels/negatives.csv")
    sites = table(f"{folder}/ledger/sites.csv")
    found = alarms(path)
    first = min(s["status_since"] for s in sites) + LEARN
    last = max([e["end"] for e in events + negatives] + [a[4] or a[3] for a in found] + [first + DAY])
    hits, false, data_false, tampering = {}, collections.Counter(), collections.Counter(), set()
    for site, rule, begin in incidents([a for a in found if a[1] == "consumption"], first, last):
        of = next((i for i, e in enumerate(events) if belongs(e, site, begin)), None)
        if of is None:
            false[rule] += 1
        elif events[of]["cls"] == "tamper":
            tampering.add(of)
        else:
            wait = max(timedelta(0), begin - max(events[of]["start"], first))
            hits[of] = min(hits.get(of, (wait, rule)), (wait, rule))
    for site, rule, begin in incidents([a for a in found if a[1] == "data"], first, last):
        near = [i for i, e in enumerate(events)
                if e["site"] == site and e["start"] - DAY <= begin <= e["end"] + DAY]
        tampering.update(i for i in near if events[i]["cls"] == "tamper")
        excused = any(n["site"] == site and n["kind"] in NO_TAMPERING and n["start"] - DAY <= begin <= n["end"] + DAY
                      for n in events + negatives)
        data_false[rule] += not excused and not any(events[i]["cls"] == "tamper" for i in near)
    wanted = collections.Counter(e["kind"] for e in events if e["cls"] == "unexplained")
    tampered = sum(e["cls"] == "tamper" for e in events)
    kwh = {i: float(e["kwh"]) for i, e in enumerate(events) if e["cls"] == "unexplained"}
    years = len(sites) * (last - first) / timedelta(days=365)
    n, delays = wanted.total(), [wait / timedelta(hours=1) for wait, _ in hits.values()]
    return {
        "events": n, "precision": round(len(hits) / max(1, len(hits) + false.total()), 3),
        "recall": round(len(hits) / max(1, n), 3),
        "f1": round(2 * len(hits) / max(1, len(hits) + false.total() + n), 3),
        "false_alarms": false.total(), "site_years": round(years, 1),
        "false_alarms_per_site_year": round(false.total() / years, 2),
        "delay_median_h": round(statistics.median(delays), 2) if delays else None,
        "kwh_found": round(sum(kwh[i] for i in hits) / max(1, sum(kwh.values())), 3),
        "tamper_recall": round(len(tampering) / tampered, 3) if tampered else None,
        "data_false_alarms_per_site_year": round(data_false.total() / years, 2),
        "found_by_kind": {k: f"{sum(events[i]['kind'] == k for i in hits)}/{v}" for k, v in sorted(wanted.items())},
        "found_by_rule": collections.Counter(rule for _, rule in hits.values()),
        "false_by_rule": +(false + data_false)}


def main():
    result = score(*sys.argv[-2:])
    if sys.argv[1] != "--rules":
        print(json.dumps(result, indent=1))
        return
    found, false = result["found_by_rule"], result["false_by_rule"]
    print(f"{'rule':18}{'found':>6}{'false':>6}")
    for rule in sorted({*found, *false}):
        print(f"{rule:18}{found[rule]:6}{false[rule]:6}")


if __name__ == "__main__":
    main()
