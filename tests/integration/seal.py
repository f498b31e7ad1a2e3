"""Computes `readings_sha256` again, by docs/evidence.md alone: it shares nothing with the
program. A ledger's folder and an export of readings are enough."""
import csv
import hashlib
import json
import os
from datetime import datetime, timezone
from decimal import Decimal

QUALITY = ("good", "suspect", "estimated")
UNITS = {"active_power_kw": 1000, "reactive_power_kvar": 1000, "import_kwh": 1000, "export_kwh": 1000,
         "voltage_a_v": 10, "voltage_b_v": 10, "voltage_c_v": 10, "current_a_a": 1000, "current_b_a": 1000,
         "current_c_a": 1000, "power_factor": 1000, "temperature_c": 1000, "rain_mm_h": 1000,
         "water_level_m": 1000}


def ms(text):
    t = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(t.timestamp() * 1000)


class Reading:
    def __init__(self, row):
        self.ms, self.meter = ms(row["time"]), row["meter_id"]
        self.late = row.get("late", False)
        values = [str(round(Decimal(str(row[name])) * unit)) if row.get(name) not in (None, "") else ""
                  for name, unit in UNITS.items()]
        self.measured = row["quality"] in QUALITY and any(values)
        quality = QUALITY.index(row["quality"]) if self.measured else 0
        self.line = ",".join([str(self.ms), str(quality), *values]).rstrip(",") + "\n"
        self.month = datetime.fromtimestamp(self.ms / 1000, timezone.utc).strftime("%Y-%m")


def load(text):
    """The readings of an export, CSV or NDJSON, in its order."""
    lines = text.splitlines()
    rows = map(json.loads, lines) if lines[0].startswith("{") else csv.DictReader(lines)
    return [r for r in map(Reading, rows) if r.measured and not r.late]


class Ledger:
    def __init__(self, folder):
        with open(os.path.join(folder, "meters.csv"), newline="", encoding="utf-8") as f:
            rows = list(csv.DictReader(f))
        for row in rows:
            row["point"] = row.get("point_id") or row["meter_id"]
            row["from"] = ms(row["installed_at"]) if row.get("installed_at") else -2**63
            row["to"] = ms(row["removed_at"]) if row.get("removed_at") else 2**63
        # By site and point, those of no site last; a point's in the order of time.
        self.meters = sorted(rows, key=lambda r: (not r.get("site_id"), r.get("site_id"), r["point"], r["from"]))

    def rest(self, alert):
        """The rows of meters.csv that an alert rests on, in their order."""
        kind, subject = alert["subject"].split("/", 1)
        if kind == "gateway" or alert["data"]["rule"]["id"] == "coverage":
            return []
        if kind == "site":
            return [m for m in self.meters if m["site_id"] == subject]
        if alert["data"]["rule"]["id"] not in ("feeder_residual", "displacement"):
            return [m for m in self.meters if m["point"] == subject]
        feeder = subject if kind == "feeder" else \
            next(m["parent_id"] for m in self.meters if m["point"] == subject)
        below = {m["point"] for m in self.meters
                 if m["parent_id"] == feeder and m["role"] in ("supply", "feeder")}
        return [m for m in self.meters if m["point"] == feeder] + \
            [m for m in self.meters if m["point"] in below]


def again(alert, ledger, readings):
    """The hash, and how many readings it covers; None and 0 where there are none."""
    covers = alert["data"]["evidence"]["readings"]
    rest = ledger.rest(alert)
    if not covers:
        return None, 0
    first, last = ms(covers["from"]), ms(covers["to"])
    mine = {m["meter_id"] for m in rest}
    taken = [r for r in readings if r.meter in mine and first <= r.ms <= last][:covers["count"]]
    whole, count = hashlib.sha256(), 0
    for m in rest:
        months = {}
        for r in taken:
            if r.meter == m["meter_id"] and m["from"] <= r.ms < m["to"]:
                months.setdefault(r.month, []).append(r.line)
        for month, lines in sorted(months.items()):
            digest = hashlib.sha256("".join(lines).encode()).hexdigest()
            whole.update(f"{m['meter_id']},{month},{len(lines)},{digest}\n".encode())
            count += len(lines)
    return whole.hexdigest(), count


def differs(alerts, ledger, readings):
    """The alerts whose hash is another one."""
    other = []
    for a in alerts:
        e = a["data"]["evidence"]
        sha, count = again(a, ledger, readings)
        if sha != e["readings_sha256"] or count != (e["readings"] or {"count": 0})["count"]:
            other.append(f"{a['id']} {a['data']['rule']['id']}: {count} readings, {e['readings']}")
    return "\n".join(other)
