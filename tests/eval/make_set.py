#!/usr/bin/python3
"""A labelled set for `make eval`: closed mines, what they draw lawfully, and what they should not.

    tests/eval/make_set.py [--seed N] [--sites N] [--days N] DIR

Nothing in it is real: the weather, the loads and the events come from the seed. DIR gets ledger/,
readings.csv.gz and labels/: events.csv (what is to be found, and when), negatives.csv (what must
not alert). The first 28 days are for commissioning. Loads are kW, a quarter of an hour each.
"""
import argparse
import gzip
import math
import os
import random
from datetime import datetime, timedelta, timezone

START = datetime(2024, 10, 1, tzinfo=timezone.utc)
DAY, LEARN = 96, 28  # quarter hours in a day; days of commissioning
NOON, DUSK = 16, 40  # quarters of the UTC day: 12:00 and 18:00 at the mine
APART = 10 * DAY  # between two events of a site, so that each is a matter of its own


def iso(quarter):
    return (START + timedelta(minutes=15 * quarter)).strftime("%Y-%m-%dT%H:%M:%SZ")


def log_uniform(rnd, low, high):
    return math.exp(rnd.uniform(math.log(low), math.log(high)))


# --- weather, by the hour


def weather(rnd, hours):
    """Temperature: a season, a day's course, cold fronts. Rain: a few wet days a month."""
    temperature, rain, drift, front, wet = [], [], 0.0, 0.0, 0
    for h in range(hours):
        drift = 0.985 * drift + rnd.gauss(0, 0.5)
        front = 0.986 * front - (rnd.uniform(4, 11) if rnd.random() < 1 / 240 else 0)
        season = 11 + 14 * math.cos(2 * math.pi * (h / 24 + 74) / 365)
        temperature.append(season + drift + front + 5 * math.sin(2 * math.pi * (h - 1) / 24))
        wet = max(0, wet - 1) or (rnd.randrange(4, 30) if rnd.random() < 1 / 150 else 0)
        rain.append(rnd.gammavariate(0.8, 1.5) if wet else 0.0)
    return temperature, rain


# --- lawful loads


def guard_house(rnd, n, kw):
    """A fridge, lamps and television in the evening, a kettle and a cooker."""
    load, period = [], rnd.uniform(2.5, 4)
    for q in range(n):
        evening = DUSK <= q % DAY < DUSK + 20
        cooks = q % DAY in (NOON - 1, DUSK + 2) and rnd.random() < 0.8
        fridge = 0.15 if q / period % 1 < 0.4 else 0
        load.append(0.6 * kw + fridge + 0.3 * evening + rnd.uniform(0.3, 0.8) * cooks)
    return load


def routers(rnd, n, kw):
    return [kw * rnd.gauss(1, 0.01) for _ in range(n)]


def drying_fan(rnd, n, kw):
    """A fan and an element that keep machines dry, in steps of some days."""
    steps = [rnd.choice((0.85, 1, 1, 1.15)) for _ in range(n // (3 * DAY) + 1)]
    return [kw * steps[q // (3 * DAY)] * rnd.gauss(1, 0.03) for q in range(n)]


def cold_store(rnd, n, kw):
    """A compressor that runs for half of each hour or so."""
    period, phase, load = rnd.uniform(3, 6), 0.0, []
    for _ in range(n):
        phase += rnd.gauss(1, 0.1) / period
        load.append(kw * (0.7 if phase % 1 < 0.5 else 1.3) * rnd.gauss(1, 0.02))
    return load


BASES = (guard_house, routers, drying_fan, cold_store)


def lamps(n, kw):
    """From dusk to dawn; the night is longest at the end of the year."""
    load = []
    for q in range(n):
        half_night = 4 * (6 + 1.3 * math.cos(2 * math.pi * (q / DAY - 81) / 365))
        load.append(kw if abs((q - NOON) % DAY - DAY / 2) < half_night else 0.0)
    return load


def heater(rnd, temperature, kw):
    """A thermostat in a room that holds some degrees above the cold outside; 5 minutes a step."""
    wanted, gain, tau = rnd.uniform(14, 20), rnd.uniform(30, 55), rnd.uniform(40, 150)
    room, on, load = wanted, False, []
    for outside in temperature:
        for _ in range(4):
            ran = 0
            for _ in range(3):
                on = room < wanted - 0.2 or (on and room < wanted + 0.2)
                room += (outside + 3 + gain * on - room) / tau
                ran += on
            load.append(kw * ran / 3)
    return load


def pump(rnd, rain, kw):
    """Empties a sump in half an hour or more; the rain comes to it over some days."""
    seep, ground, level, runs, load = rnd.uniform(0.03, 0.08), 0.0, rnd.random(), False, []
    for mm in rain:
        for _ in range(4):
            ground = 0.9975 * (ground + 0.01 * mm)
            level += seep * (1 + 1.5 * ground) - (0.45 if runs else 0)
            runs = level > 0.05 if runs else level >= 1
            load.append(0.93 * kw * rnd.gauss(1, 0.01) if runs else 0.0)
    return load


# --- events: the load of each, from its beginning on


def works(rnd, n):
    """A machine under a changing load, peak 1."""
    level, load = 0.8, []
    for _ in range(n):
        level = min(1, max(0.4, level + rnd.gauss(0, 0.12)))
        load.append(level)
    return load


def shifts(rnd, days, start, length, chance=1.0):
    """Works for some quarters from a quarter of the day on, on most days."""
    load = [0.0] * (days * DAY)
    for d in range(days):
        if d in (0, days - 1) or rnd.random() < chance:
            load[d * DAY + start:d * DAY + start + length] = works(rnd, length)
    return load


def fed_in_batches(rnd, load):
    """A crusher: some quarters on, some off."""
    q = 0
    while q < len(load):
        q += rnd.randrange(1, 7)
        pause = rnd.randrange(1, 4)
        load[q:q + pause] = [0.0] * len(load[q:q + pause])
        q += pause
    return load


def ramp(load):
    return [v * q / len(load) for q, v in enumerate(load)]


def around_the_clock(rnd, days):
    """Two shifts, and what is left on overnight."""
    return [max(v, 0.15) for v in shifts(rnd, days, 0, 56)]


# Its shape, and the lowest and highest peak, kW.
EVENTS = {
    "night": (lambda r: shifts(r, r.randrange(2, 25), r.randrange(56, 64), 24, 0.75), 3, 40),
    "brief": (lambda r: works(r, r.randrange(4, 24)), 5, 45),
    "flat_low": (lambda r: [1.0] * r.randrange(12 * DAY, 40 * DAY), 0.7, 12),
    "creep": (lambda r: ramp(around_the_clock(r, r.randrange(30, 45))), 4, 60),
    "crusher": (lambda r: fed_in_batches(r, shifts(r, r.randrange(3, 14), 4, 36, 0.85)), 30, 70),
    "weekend": (lambda r: [v * (q // DAY % 7 < 2) for q, v in
                           enumerate(shifts(r, r.choice((2, 9, 16)), 4, 40))], 4, 90),
    "gap_hidden": (lambda r: works(r, r.randrange(40, 200)), 12, 60),
    "permit_overstay": (lambda r: works(r, r.randrange(48, 400)), 9, 70),
    "pump_hidden": (lambda r: [1.0] * r.randrange(15 * DAY, 30 * DAY), 5, 30),
    "preexisting": (lambda r: [], 15, 45),  # for as long as the set
    "reversed_ct": (lambda r: around_the_clock(r, r.randrange(3, 14)), 8, 60),
    "stuck": (lambda r: around_the_clock(r, r.randrange(2, 10)), 8, 90),
}
TAMPERING = ("reversed_ct", "stuck")


class Site:
    def __init__(self, rnd, index, temperature, rain):
        self.rnd, self.id, n = rnd, f"S{index:03}", 4 * len(temperature)
        kw = log_uniform(rnd, 0.8, 15)
        self.pump_kw = rnd.choice((7.5, 15, 22, 45, 90)) if rnd.random() < 0.35 else 0
        self.metered = self.pump_kw and rnd.random() < 0.5
        self.heated = rnd.random() < 0.5
        self.pump = pump(rnd, rain, self.pump_kw) if self.pump_kw else [0.0] * n
        parts = [rnd.choice(BASES)(rnd, n, kw), lamps(n, rnd.choice((0, 0.5, 1.5, 3))), self.pump]
        if self.heated:
            parts.append(heater(rnd, temperature, log_uniform(rnd, 1.5, 9)))
        self.load = [sum(v) for v in zip(*parts)]
        self.ceiling = rnd.uniform(1.05, 1.5) * sorted(self.load)[int(0.997 * n)]
        self.start_kwh = rnd.uniform(1e3, 9e4)
        self.silent, self.garbage, self.exchange = set(), None, None
        self.reversed, self.stuck = set(), set()
        self.permits, self.events, self.negatives, self.taken = [], [], [], []

    def place(self, length, apart, first=LEARN * DAY + DAY):
        """Where so many quarters fit; None where they do not."""
        last = len(self.load) - length - DAY
        for _ in range(40 if last > first else 0):
            a = self.rnd.randrange(first, last)
            if all(a + length + apart <= x or a >= y + apart for x, y in self.taken):
                self.taken.append((a, a + length))
                return a
        return None

    def add(self, at, load):
        for q, kw in enumerate(load, at):
            self.load[q] += kw

    def maintenance(self, overstay=0):
        """Permitted work; returns its end and its height."""
        length, kw = self.rnd.randrange(20, 180), log_uniform(self.rnd, 9, 70)
        a = self.place(length + overstay, DAY)
        if a is None:
            return None, 0
        self.add(a, [kw * v for v in works(self.rnd, length)])
        self.permits.append((1.2 * kw, a - 2, a + length + 2))
        self.negatives.append((a, a + length, "permitted_maintenance"))
        return a + length, kw

    def event(self, kind):
        rnd, (shape, low, high) = self.rnd, EVENTS[kind]
        load, kw = shape(rnd), log_uniform(rnd, low, high)
        if kind == "preexisting":
            load, a = around_the_clock(rnd, len(self.load) // DAY), 0
            self.taken.append((0, len(self.load)))
        elif kind == "permit_overstay":
            a, kw = self.maintenance(len(load))
        else:
            a = self.place(len(load), APART)
        if a is None:
            return
        if kind == "pump_hidden":
            load = [v * (self.pump[a + q] > 0) for q, v in enumerate(load)]
        load = [kw * v for v in load]
        runs = [q for q, v in enumerate(load) if v > 0]
        if not runs:
            return
        self.add(a, load)
        whole = range(a, a + len(load))
        {"gap_hidden": self.silent, "reversed_ct": self.reversed, "stuck": self.stuck}.get(kind, set()).update(whole)
        self.events.append((a + runs[0], a + runs[-1] + 1, kind, sum(load) / 4, max(load)))

    def lawful(self):
        """What must not alert."""
        if not self.permits and self.rnd.random() < 0.4:
            self.maintenance()
        for kind, chance, length in (("comm_gap", 0.25, self.rnd.randrange(10, 190)),
                                     ("garbage_reading", 0.25, 1), ("meter_exchange", 0.15, 4)):
            a = self.place(length, DAY) if self.rnd.random() < chance else None
            if a is None:
                continue
            self.negatives.append((a, a + length, kind))
            if kind == "comm_gap":
                self.silent.update(range(a, a + length))
            elif kind == "garbage_reading":
                self.garbage = a
            else:
                self.exchange = a

    def rows(self):
        """Each quarter's row of the supply's meter: what it measured since the one before."""
        kwh, meter = self.start_kwh, f"M{self.id}"
        for q, kw in enumerate(self.load):
            if q == self.exchange:
                kwh, meter = 12.0, meter + "b"
            kw = -kw / 3 if q in self.reversed else kw  # two phases of three the wrong way round
            kwh += kw / 4 if q not in self.stuck else 0
            shown = 0.0 if q == self.garbage else math.floor(10 * kwh) / 10 % 1e5
            if q in self.silent or self.rnd.random() < 0.002:
                yield f"{meter},missing,,,,"
            else:
                yield f"{meter},good,{'' if q in self.stuck else f'{kw:.2f}'},{shown:.1f},,"

    def pump_rows(self):
        kwh = 0.0
        for kw in self.pump:
            kwh += kw / 4
            yield f"M{self.id}P,good,,{math.floor(10 * kwh) / 10:.1f},,"


# --- files


def table(path, header, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(",".join(str(v) for v in row) + "\n" for row in [[header]] + rows)


def explanations(site):
    rows = [("G", "guard_house", f"{site.ceiling:.2f}", START.isoformat(), "", "")]
    if site.heated:
        rows.append(("H", "heating", "", START.isoformat(), "", ""))
    if site.pump_kw:
        rows.append(("P", "dewatering", site.pump_kw, START.isoformat(), "",
                     f"M{site.id}P" if site.metered else ""))
    rows += [(f"M{i}", "maintenance", f"{kw:.1f}", iso(a), iso(b), "")
             for i, (kw, a, b) in enumerate(site.permits)]
    return [(f"{site.id}{suffix}", site.id, *rest) for suffix, *rest in rows]


def meters(site, unit):
    name, changed = f"M{site.id}", iso(site.exchange) if site.exchange else ""

    def row(meter, role, parent, gateway, kw, first, last):
        return (meter, name + "P" * (role == "sub"), site.id, role, parent, gateway, unit, "generic",
                900, kw, 0.1, 100000, first, last)

    rows = [row(name, "supply", "", "G1", 400, START.isoformat(), changed)]
    if changed:
        rows.append(row(name + "b", "supply", "", "G1", 400, changed, ""))
    if site.metered:
        rows.append(row(name + "P", "sub", name, "G2", site.pump_kw, START.isoformat(), ""))
    return rows


def write_ledger(folder, sites):
    table(f"{folder}/areas.csv", "area_id,parent_id,level,name", [("C", "", "county", "示例县")])
    table(f"{folder}/contacts.csv", "contact_id,area_id,role,rank,name", [("p-1", "C", "county head", "chief", "甲")])
    table(f"{folder}/gateways.csv", "gateway_id,transport,address",
          [("G1", "tcp", "127.0.0.1:1502"), ("G2", "tcp", "127.0.0.1:1503")])
    table(f"{folder}/licences.csv", "site_id,kind,number", [])
    table(f"{folder}/sites.csv", "site_id,name,kind,status,status_since,area_id,lat,lon,datum",
          [(s.id, "矿点" + s.id, "non_coal_mine", "closed", START.isoformat(), "C", 35.6, 110.98, "CGCS2000")
           for s in sites])
    table(f"{folder}/explanations.csv", "explanation_id,site_id,kind,max_kw,valid_from,valid_to,point_id",
          [row for s in sites for row in explanations(s)])
    table(f"{folder}/meters.csv",
          "meter_id,point_id,site_id,role,parent_id,gateway_id,unit,profile,interval_s,rated_kw,"
          "energy_resolution_kwh,energy_modulus_kwh,installed_at,removed_at",
          [("WX1", "WX1", "", "context", "", "G1", 247, "weather", 3600, "", "", "", START.isoformat(), "")] +
          [row for i, s in enumerate(sites) for row in meters(s, i % 240 + 1)])


def write_readings(path, sites, temperature, rain):
    columns = [rows for s in sites for rows in ([s.rows(), s.pump_rows()] if s.metered else [s.rows()])]
    with gzip.open(path, "wt", compresslevel=3) as f:
        f.write("time,meter_id,quality,active_power_kw,import_kwh,temperature_c,rain_mm_h\n")
        for q, rows in enumerate(zip(*columns)):
            if q % 4 == 0:
                f.write(f"{iso(q)},WX1,good,,,{temperature[q // 4]:.1f},{rain[q // 4]:.1f}\n")
            f.writelines(f"{iso(q)},{row}\n" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sites", type=int, default=24)
    parser.add_argument("--days", type=int, default=150)
    parser.add_argument("folder", metavar="DIR")
    args = parser.parse_args()
    rnd = random.Random(args.seed)
    temperature, rain = weather(rnd, 24 * args.days)
    sites = [Site(rnd, i, temperature, rain) for i in range(args.sites)]
    for site in sites:
        for _ in range(rnd.choice((0, 1, 1, 2, 2))):
            kinds = [k for k in EVENTS if k != "pump_hidden" or site.pump_kw]
            kinds = [k for k in kinds if k != "preexisting" or not site.taken]
            site.event(rnd.choice(kinds))
        site.lawful()
    for folder in ("ledger", "labels"):
        os.makedirs(f"{args.folder}/{folder}", exist_ok=True)
    write_ledger(f"{args.folder}/ledger", sites)
    table(f"{args.folder}/labels/events.csv", "site,start,end,kind,cls,kwh,peak_kw",
          [(s.id, iso(a), iso(b), kind, "tamper" if kind in TAMPERING else "unexplained", f"{kwh:.1f}", f"{kw:.2f}")
           for s in sites for a, b, kind, kwh, kw in s.events])
    table(f"{args.folder}/labels/negatives.csv", "site,start,end,kind",
          [(s.id, iso(a), iso(b), kind) for s in sites for a, b, kind in s.negatives])
    write_readings(f"{args.folder}/readings.csv.gz", sites, temperature, rain)
    print(f"seed {args.seed}: {args.sites} sites, {args.days} days, {sum(len(s.events) for s in sites)} events, "
          f"{sum(len(s.negatives) for s in sites)} that must not alert")


if __name__ == "__main__":
    main()
