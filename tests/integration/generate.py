"""A small county for the tests of the whole way: ledger, readings, what PostgreSQL must hold.

Thirteen sites behind three gateways, of four meter models; some three days of quarter hours in
which a crusher runs at night, maintenance overstays, a meter is exchanged, a register rolls
over, another falls, a unit and a whole gateway fall silent. All loads and gaps come from a
seed. Registers are whole Wh, as the daemon stores them.
"""
import math
import os
import random
import struct
from datetime import datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
START = datetime(2025, 3, 3, tzinfo=ZONE)
QUARTER = timedelta(minutes=15)
GATEWAYS = ("ga", "gb", "gc")
TIMEOUT_MS = 250  # each silent row costs so much of the test's time

HEADERS = {
    "areas.csv": "area_id,parent_id,level,name",
    "contacts.csv": "contact_id,area_id,role,rank,name",
    "sites.csv": "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw",
    "licences.csv": "site_id,kind,number,valid_from,valid_to",
    "explanations.csv": "explanation_id,site_id,kind,max_kw,valid_from,valid_to,point_id",
    "meters.csv": "meter_id,installed_at,removed_at,point_id,site_id,role,parent_id,gateway_id,"
                  "unit,profile,interval_s,ct_ratio,rated_kw,energy_resolution_kwh,"
                  "energy_modulus_kwh",
}
READINGS = "time,meter_id,quality,active_power_kw,import_kwh,voltage_a_v,temperature_c,rain_mm_h"
COLUMNS = ("p_w", "imp_wh", "v1_dv", "temp_mc", "rain_um_h")  # of the table `reading`
SCALES = (1000, 1000, 10, 1000, 1000)


def at(day, hour, minute=0):
    """Local time on a day of the run; day 1 is START's."""
    return START + timedelta(days=day - 1, hours=hour, minutes=minute)


def through_f32(wh):
    """What is left of a register that a meter gives as a 32-bit float in kWh."""
    return math.floor(struct.unpack("f", struct.pack("f", wh / 1000))[0] * 1000 + 0.5)


class Meter:
    def __init__(self, county, name, profile, load, start_wh, modulus_wh):
        self.county, self.name, self.profile, self.load = county, name, profile, load
        self.wh, self.modulus_wh = start_wh, modulus_wh
        self.first, self.last = START, county.end
        self.silent = []  # (from, to)
        self.falls = None  # (time, Wh)

    def rows(self):
        """(time, quality, power W, register Wh, 0.1 V, mK, um/h) of each quarter hour."""
        rnd = self.county.random
        t, watts = START, 0
        while t < self.county.end:
            if self.falls and t == self.falls[0]:
                self.wh -= self.falls[1]
            silent = any(a <= t < b for a, b in self.silent)
            if self.first <= t < self.last:
                if self.profile == "weather":
                    values = (None, None, None, rnd.randrange(-9000, 9000), rnd.randrange(3000))
                else:
                    shown = self.wh % self.modulus_wh if self.modulus_wh else self.wh
                    values = (watts, shown, rnd.randrange(2200, 2400), None, None)
                yield (t, "missing" if silent else "good") + values
            watts = int(self.load(t) * 1000 * rnd.uniform(0.98, 1.02))
            self.wh += watts // 4
            t += QUARTER

    def stored(self, wh):
        return through_f32(wh) if self.profile == "eastron-sdm630" else wh


class County:
    def __init__(self, seed, days=3):
        self.random = random.Random(seed)
        self.end = START + timedelta(days=days)
        self.tables = {name: [] for name in HEADERS}
        self.meters, self.units = [], dict.fromkeys(GATEWAYS, 0)
        self.add("areas.csv", "c1", "", "county", "示例县")
        self.add("contacts.csv", "k1", "c1", "power", "chief", "某人")
        self.make()
        self.lines = sorted((row[0], m.name, *row[1:]) for m in self.meters for row in m.rows())

    def add(self, table, *cells):
        self.tables[table].append(",".join(str(c) for c in cells))

    def site(self, name, status="closed", kind="coal_mine", contract=""):
        self.add("sites.csv", name, "矿点" + name, kind, status, "2024-01-01", "c1", 35.6, 110.9,
                 "CGCS2000", contract)

    def explain(self, site, kind, kw, first="", last="", point=""):
        self.add("explanations.csv", f"x-{site}-{kind}", site, kind, kw, first, last, point)

    def meter(self, name, site, gateway, profile, load, role="supply", parent="", point=None,
              start_wh=None, modulus_kwh=None, first=None, last=None, unit=None):
        if unit is None:
            self.units[gateway] += 1
            unit = self.units[gateway]
        if start_wh is None:
            start_wh = self.random.randrange(10**6, 10**9)
        self.add("meters.csv", name, first.isoformat() if first else "2024-01-01",
                 last.isoformat() if last else "", point or name, site, role, parent, gateway, unit,
                 profile, 900, "200/5", 400, 0.01, modulus_kwh / 40 if modulus_kwh else "")
        m = Meter(self, name, profile, load, start_wh, modulus_kwh and int(modulus_kwh * 1000))
        m.first, m.last = first or START, last or self.end
        self.meters.append(m)
        return m

    def guarded(self, name, gateway, profile):
        """A closed site that draws what its guard house may."""
        self.site(name)
        self.explain(name, "guard_house", 3)
        return self.meter("m-" + name, name, gateway, profile, lambda t: 0.8)

    def make(self):
        rnd, end = self.random, self.end

        begins = at(1, 22, 15 * rnd.randrange(4))
        self.site("s01")  # the crusher
        self.meter("m-s01", "s01", "ga", "eastron-sdm630",
                   lambda t: 80 if begins <= t < at(2, 4) or at(2, 23) <= t < at(3, 3) else 0.04)
        self.guarded("s02", "ga", "generic")

        runs = lambda t: 25 if at(2, 8) <= t < at(2, 18) else 0
        self.site("s03")  # a pump, measured
        self.explain("s03", "guard_house", 2)
        self.explain("s03", "dewatering", 30, point="p-s03")
        self.meter("m-s03", "s03", "ga", "generic", lambda t: runs(t) + 0.6)
        self.meter("p-s03", "s03", "ga", "generic", runs, role="sub", parent="m-s03")

        self.site("s04")  # maintenance that overstays
        self.explain("s04", "maintenance", 30, at(2, 8).isoformat(), at(2, 18).isoformat())
        self.meter("m-s04", "s04", "ga", "schneider-iem3000",
                   lambda t: 20 if at(2, 9) <= t < at(2, 22) else 0.04)
        self.site("s05", "unlicensed", "unlicensed_point")
        self.meter("m-s05", "s05", "ga", "generic",
                   lambda t: 12 if at(2, 10) <= t < at(2, 15) else 0.04)

        work = lambda t: 180 if 8 <= t.hour < 20 else 3
        for name, profile, last in (("s06", "eastron-sdm630", at(2, 0).isoformat()),
                                    ("s07", "schneider-iem3000", "")):
            self.site(name, "licensed", "quarry", 300)
            self.add("licences.csv", name, "mining", "C-" + name, "2020-01-01", "")
            self.add("licences.csv", name, "safety", "A-" + name, "2020-01-01", last)
            self.meter("m-" + name, name, "gb", profile, work)

        self.site("s08")  # an exchange that the ledger knows
        self.explain("s08", "guard_house", 3)
        self.meter("m-s08", "s08", "gb", "generic", lambda t: 1.5, point="p-s08", last=at(2, 12))
        self.meter("n-s08", "s08", "gb", "generic", lambda t: 1.5, point="p-s08", first=at(2, 12),
                   start_wh=0, unit=self.units["gb"])
        self.site("s09")  # a rollover
        self.explain("s09", "guard_house", 3)
        self.meter("m-s09", "s09", "gb", "generic", lambda t: 1.5, start_wh=99_950_000,
                   modulus_kwh=100_000)
        self.guarded("s10", "gb", "generic").silent = [(at(2, 10), at(2, 13))]
        self.guarded("s11", "gc", "schneider-iem3000")

        self.site("s12")  # without a meter
        self.site("s13", "licensed", "processing_plant")  # a register that falls
        self.meter("m-s13", "s13", "gc", "generic", lambda t: 30, start_wh=5 * 10**7).falls = (
            at(2, 12), 4 * 10**7)
        self.meter("w", "", "gc", "weather", None, role="context")
        self.meters[-1].load = lambda t: 0

        for number, m in enumerate(self.meters):
            if number % 3 == 0:
                t = START + rnd.randrange(8, 96) * QUARTER
                m.silent.append((t, t + QUARTER))  # one lost read is no event
            if m.name in ("m-s11", "m-s13", "w"):  # a dead gateway
                m.silent.append((at(3, 2), at(3, 4)))
        assert end >= at(4, 0)

    def ledger(self, folder, ports):
        """Writes the ledger, with the gateways at these ports of 127.0.0.1."""
        os.makedirs(folder, exist_ok=True)
        gateways = [f"{g},tcp,127.0.0.1:{port},4,{TIMEOUT_MS}" for g, port in zip(GATEWAYS, ports)]
        for name, header in (*HEADERS.items(), ("gateways.csv", "gateway_id,transport,address,"
                                                                "max_inflight,timeout_ms")):
            lines = gateways if name == "gateways.csv" else self.tables[name]
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write("\n".join([header, *lines]) + "\n")
        return folder

    def readings(self, path):
        with open(path, "w", encoding="utf-8") as f:
            f.write(READINGS + "\n")
            for t, name, quality, *values in self.lines:
                good = quality == "good"
                cells = [f"{v / s}" if good and v is not None else ""
                         for v, s in zip(values, SCALES)]
                f.write(",".join([t.isoformat(), name, quality, *cells]) + "\n")
        return path

    def stored(self):
        """{(meter, quarter hour in ms): values in stored units}: what must be in `reading`."""
        models = {m.name: m for m in self.meters}
        return {(name, int(t.timestamp() * 1000)):
                (values[0], values[1] if values[1] is None else models[name].stored(values[1]),
                 *values[2:])
                for t, name, quality, *values in self.lines if quality == "good"}
