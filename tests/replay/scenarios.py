"""Small counties with readings, each for one sentence of the field's rules.

What must come of them stands in expected.csv, written by hand from the rules: a row says
which alert about which subject is due, and between which times. No other alarm may be
raised. The noise on the loads comes from a seed that the test prints.
"""
import random
from datetime import datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
START = datetime(2025, 3, 3, tzinfo=ZONE)  # a Monday
QUARTER = timedelta(minutes=15)

FILES = {
    "areas.csv": "area_id,parent_id,level,name",
    "contacts.csv": "contact_id,area_id,role,rank,name",
    "sites.csv": "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw,own_generation",
    "licences.csv": "site_id,kind,number,valid_from,valid_to,capacity_t_per_year,kwh_per_tonne",
    "explanations.csv": "explanation_id,site_id,kind,max_kw,hours,valid_from,valid_to,point_id",
    "gateways.csv": "gateway_id,transport,address",
    "meters.csv": "meter_id,installed_at,point_id,site_id,role,parent_id,gateway_id,unit,profile,"
                  "interval_s,ct_ratio,rated_kw,energy_resolution_kwh,energy_modulus_kwh,removed_at",
}


def at(text):
    """'2 22:15' is 22:15 on day 2 (day 1 is START's)."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return START + timedelta(days=int(day) - 1, hours=int(hour), minutes=int(minute))


def between(t, first, last):
    return at(first) <= t < at(last)


class Meter:
    """A meter that reads every quarter of an hour. load(t) is the kW from t to t + 15 min."""

    def __init__(self, county, name, load, start_kwh=1000.0, modulus=None, first=None, last=None):
        self.county, self.name, self.load = county, name, load
        self.modulus, self.first, self.last = modulus, first, last
        self.kwh = start_kwh
        self.reading = None  # changes what is reported: (t, row) -> row or None

    def rows(self):
        kw = 0.0
        t = START
        while t <= self.county.end:
            if (self.first is None or t >= self.first) and (self.last is None or t < self.last):
                shown = self.kwh % self.modulus if self.modulus else self.kwh
                shown = int(shown * 100) / 100  # a register counts whole steps, it does not round
                row = {"time": t, "meter_id": self.name, "quality": "good", "kw": kw, "kwh": shown}
                if self.reading:
                    row = self.reading(t, row)
                if row:
                    yield row
                kw = max(0.0, self.load(t)) * self.county.noise()
                self.kwh += kw / 4
            t += QUARTER


class County:
    def __init__(self, name, seed, days=4):
        self.name = name
        self.random = random.Random(f"{seed} {name}")
        self.end = START + timedelta(days=days)
        self.meters = []
        self.tables = {f: [] for f in FILES}
        self.add("areas.csv", "C,,county,示例县")
        self.add("areas.csv", "T,C,township,一乡")
        self.add("contacts.csv", "p-1,T,township head,chief,甲")
        self.add("gateways.csv", "G1,tcp,127.0.0.1:1502")

    def noise(self):
        return self.random.uniform(0.98, 1.02)

    def add(self, file, row):
        self.tables[file].append(row)

    def site(self, name, status="closed", kind="non_coal_mine", since=None, contract=""):
        since = (since or START - timedelta(days=100)).isoformat()
        self.add("sites.csv", f"{name},矿点{name},{kind},{status},{since},T,35.6,110.98,CGCS2000,{contract},")

    def explain(self, name, site, kind, kw, first=None, last=None, hours="", point=""):
        first = (first or START - timedelta(days=90)).isoformat()
        last = last.isoformat() if last else ""
        self.add("explanations.csv", f"{name},{site},{kind},{kw},{hours},{first},{last},{point}")

    def meter(self, name, site, load, role="supply", gateway="G1", point=None, rated=400, parent="", **more):
        first = more.get("first") or START - timedelta(days=200)
        last = more["last"].isoformat() if more.get("last") else ""
        modulus = more.get("modulus") or 1000000
        self.add("meters.csv",
                 f"{name},{first.isoformat()},{point or name},{site},{role},{parent},{gateway},"
                 f"{len(self.tables['meters.csv']) + 1},generic,900,1,{rated},0.01,{modulus},{last}")
        meter = Meter(self, name, load, **more)
        self.meters.append(meter)
        return meter

    def rows(self):
        rows = [r for m in self.meters for r in m.rows()]
        return sorted(rows, key=lambda r: (r["time"], r["meter_id"]))

    def ledger(self, directory):
        for file, header in FILES.items():
            with open(f"{directory}/{file}", "w", encoding="utf-8") as f:
                f.write("\n".join([header] + self.tables[file]) + "\n")

    def readings(self, path):
        with open(path, "w", encoding="utf-8") as f:
            f.write("time,meter_id,quality,active_power_kw,import_kwh,voltage_a_v,voltage_b_v,voltage_c_v,"
                    "current_a_a,current_b_a,current_c_a\n")
            for r in self.rows():
                kw = "" if r["kw"] is None else f"{r['kw']:.3f}"
                values = f"{kw},{r['kwh']:.2f},{r.get('phases', ',,,,,')}" if r["quality"] != "missing" else ",,,,,,,"
                f.write(f"{r['time'].isoformat()},{r['meter_id']},{r['quality']},{values}\n")


def dark(_):
    return 0.05


def crusher(first, last, kw=80.0, idle=0.05):
    return lambda t: kw if between(t, first, last) else idle


# --- one function a scenario; its name is the key in expected.csv


def crusher_at_night(c):
    """A closed mine should be dark; a crusher runs for a night."""
    c.site("S")
    c.meter("M", "S", crusher("2 22:00", "3 04:00"))


def unlicensed_point(c):
    """The same holds for a point that never had a licence."""
    c.site("S", status="unlicensed", kind="unlicensed_point")
    c.meter("M", "S", crusher("2 10:00", "2 15:00", kw=12))


def guard_house_within_ceiling(c):
    """A guard house under its ceiling, cooking in the evening, is explained."""
    c.site("S")
    c.explain("X", "S", "guard_house", 3)
    c.meter("M", "S", lambda t: 2.5 if t.hour in (7, 18, 19) else 0.8)


def guard_house_exceeded(c):
    """Above the ceiling it is not."""
    c.site("S")
    c.explain("X", "S", "guard_house", 3)
    c.meter("M", "S", crusher("2 22:00", "3 02:00", kw=25, idle=0.8))


def maintenance_overstayed(c):
    """Approved maintenance explains its load, and not a minute more."""
    c.site("S")
    c.explain("X", "S", "maintenance", 30, at("2 08:00"), at("3 18:00"))
    c.meter("M", "S", lambda t: 20 if between(t, "2 09:00", "2 17:00") or between(t, "3 09:00", "3 23:00") else 0.05)


def permit_comes_late(c):
    """A permit that begins while the load is above what is allowed ends the alarm, and is no news of it."""
    c.site("S")
    c.explain("X", "S", "maintenance", 80, at("2 23:00"), at("4 18:00"))
    c.meter("M", "S", crusher("2 20:00", "3 08:00", kw=60))


def outside_its_hours(c):
    """An explanation for the night does not explain the day."""
    c.site("S")
    c.explain("X", "S", "lighting", 5, hours="18:00-06:00")
    c.meter("M", "S", lambda t: 4 if t.hour >= 18 or t.hour < 6 or between(t, "3 10:00", "3 14:00") else 0.05)


def two_supply_points(c):
    """All supply points of an enterprise count together: each alone is under the ceiling."""
    c.site("S")
    c.explain("X", "S", "guard_house", 3)
    c.meter("M1", "S", crusher("2 12:00", "2 16:00", kw=2.4, idle=0.2))
    c.meter("M2", "S", crusher("2 12:00", "2 16:00", kw=2.4, idle=0.2))


def pump_measured(c):
    """A pump with a sub-meter explains what the sub-meter measured, not its ceiling."""
    c.site("S")
    c.explain("X1", "S", "guard_house", 2)
    c.explain("X2", "S", "dewatering", 30, point="P")
    c.meter("P", "S", crusher("2 08:00", "2 18:00", kw=25, idle=0), role="sub", parent="M")
    c.meter("M", "S", lambda t: 25.6 if between(t, "2 08:00", "2 18:00") or between(t, "3 22:00", "4 03:00") else 0.6)


def exchanged_and_rolled_over(c):
    """An exchange that is in the ledger and a register's rollover are no events."""
    c.site("S1")
    c.explain("X1", "S1", "guard_house", 3)
    c.meter("A-old", "S1", lambda _: 1.5, point="A", last=at("2 12:00"), start_kwh=88000)
    c.meter("A-new", "S1", lambda _: 1.5, point="A", first=at("2 12:00"), start_kwh=0)
    c.site("S2")
    c.explain("X2", "S2", "guard_house", 3)
    c.meter("B", "S2", lambda _: 1.5, start_kwh=99930, modulus=100000)


def one_garbage_reading(c):
    """One impossible register value is no event either."""
    c.site("S")
    m = c.meter("M", "S", dark)
    m.reading = lambda t, r: dict(r, kwh=6553.5, kw=0.0) if t == at("2 10:15") else r


def register_fell(c):
    """A register that falls, with no exchange in the ledger."""
    c.site("S", status="licensed", kind="processing_plant")
    m = c.meter("M", "S", lambda _: 30, start_kwh=50000)
    m.reading = lambda t, r: dict(r, kwh=r["kwh"] - 40000) if t >= at("2 10:00") else r


def register_leapt(c):
    """A register that rises by more than the connection can carry invents no load."""
    c.site("S")
    m = c.meter("M", "S", dark, rated=100)
    m.reading = lambda t, r: dict(r, kwh=r["kwh"] + 300000) if t >= at("2 10:00") else r


def stuck(c):
    """Power flows and the energy register stands; later it moves again."""
    c.site("S", status="licensed", kind="processing_plant")
    m = c.meter("M", "S", lambda _: 30)
    held = {}

    def reading(t, r):
        if at("2 00:00") <= t < at("3 00:00"):
            held.setdefault("kwh", r["kwh"])
            return dict(r, kwh=held["kwh"])
        if t >= at("3 00:00"):
            return dict(r, kwh=r["kwh"] - 24 * 30)
        return r

    m.reading = reading


def silent_while_it_runs(c):
    """A meter that falls silent while its load runs: comm_loss, and the alarm stands."""
    c.site("S")
    m = c.meter("M", "S", crusher("2 20:00", "5 00:00"))
    m.reading = lambda t, r: dict(r, quality="missing") if t >= at("2 23:00") else r
    c.site("S2")
    c.meter("M2", "S2", dark)


def gateway_dead(c):
    """A dead gateway is one alarm, not one a meter."""
    for i in (1, 2, 3):
        c.site(f"S{i}")
        m = c.meter(f"M{i}", f"S{i}", dark, gateway="G2")
        m.reading = lambda t, r: dict(r, quality="missing") if between(t, "2 10:00", "2 16:00") else r
    c.add("gateways.csv", "G2,tcp,127.0.0.1:1503")
    c.site("S4")
    c.meter("M4", "S4", dark)


def estimated_only(c):
    """Estimated values raise nothing about consumption; they are no good samples."""
    c.site("S")
    m = c.meter("M", "S", dark)

    def reading(t, r):
        if between(t, "2 10:00", "2 20:00"):
            hours = (t - at("2 10:00")) / timedelta(hours=1)
            return dict(r, quality="estimated", kw=90, kwh=r["kwh"] + 90 * hours)
        return r

    m.reading = reading
    c.site("S2")
    c.meter("M2", "S2", dark)


def licence_expired(c):
    """Production while the safety licence has run out; the mine beside it has both."""
    work = lambda t: 180 if 8 <= t.hour < 20 else 3
    for name, last in (("S1", at("3 00:00")), ("S2", None)):
        c.site(name, status="licensed", kind="quarry", contract=300)
        c.add("licences.csv", f"{name},mining,C-{name},2020-01-01,,,")
        c.add("licences.csv", f"{name},safety,A-{name},2020-01-01,{last.isoformat() if last else ''},,")
        c.meter(f"M-{name}", name, work)
    # A washery needs no mining licence.
    c.site("S3", status="licensed", kind="coal_washery")
    c.meter("M-S3", "S3", work)


def gaps_in_the_ledger(c):
    """A site without a meter, one without coordinates, one that is whole."""
    c.site("S1")
    c.add("sites.csv", f"S2,矿点S2,quarry,closed,{START.isoformat()},T,,,,,")
    c.meter("M2", "S2", dark)
    c.site("S3")
    c.meter("M3", "S3", dark)


def closed_later(c):
    """Before its status's date a site is unknown, not closed."""
    c.site("S", since=at("3 00:00"), kind="coal_washery")
    c.meter("M", "S", crusher("1 08:00", "2 18:00", kw=60))


def ran_while_silent(c):
    """A crusher that runs while its meter is silent is found when the register comes back."""
    c.site("S")
    m = c.meter("M", "S", crusher("2 22:30", "3 03:00"))
    m.reading = lambda t, r: dict(r, quality="missing") if between(t, "2 22:15", "3 05:00") else r
    c.site("S2")
    c.meter("M2", "S2", dark)


def starts_after_a_quiet_night(c):
    """Power at the moment of the reading runs ahead of the register: that is no stuck one."""
    c.site("S", status="licensed", kind="processing_plant")
    work = lambda t: 60 if 7 <= t.hour < 17 else 0
    m = c.meter("M", "S", work)
    m.reading = lambda t, r: dict(r, kw=work(t))


def stands_for_weeks(c):
    """One alarm for as long as it stands, told at least weekly."""
    c.site("S")
    c.meter("M", "S", lambda t: 40 if t >= at("2 00:00") else 0.05)


def transformers_turned(c):
    """A register that counts down, with a negative power, at a site without a generator."""
    c.site("S", status="licensed", kind="processing_plant")
    m = c.meter("M", "S", lambda _: 30)
    c.add("sites.csv", f"SUN,有光伏,processing_plant,licensed,{START.isoformat()},T,35.6,110.98,CGCS2000,,1")
    sun = c.meter("M-SUN", "SUN", lambda _: 0)
    back = {}

    def reading(t, r):
        if between(t, "2 10:00", "3 10:00"):
            back["kwh"] = back.get("kwh", r["kwh"]) - 7.5
            return dict(r, kw=-r["kw"], kwh=back["kwh"])
        return r if t < at("3 10:00") else dict(r, kwh=r["kwh"] - 48 * 30)

    m.reading = reading
    sun.reading = lambda t, r: dict(r, kw=-20.0 if 9 <= t.hour < 16 else 0.0)


def panels_on_no_file(c):
    """Panels feed back each noon at a works, and nobody has entered them: one alarm, told anew each day."""
    c.site("S", status="licensed", kind="processing_plant")
    c.meter("M", "S", lambda t: 10).reading = lambda t, r: dict(r, kw=-50.0) if 9 <= t.hour < 16 else r


def ratio_ten_times_too_high(c):
    """By a wrong ratio a works draws six times its rating whenever it works: one alarm for all its days."""
    c.site("S", status="licensed", kind="processing_plant")
    c.meter("M", "S", lambda t: 2500 if 8 <= t.hour < 18 else 100)


def week_without_a_licence(c):
    """A mine without a licence works from Monday to Saturday, and again: one alarm."""
    c.site("S", status="licensed", kind="quarry")
    c.meter("M", "S", lambda t: 180 if t.weekday() < 6 and 8 <= t.hour < 18 else 3)


def power_gone(c):
    """The meter gives no power any more, and its register stands as it never did."""
    c.site("S")
    c.explain("X", "S", "guard_house", 10)
    m = c.meter("M", "S", lambda _: 4)
    held = {}

    def reading(t, r):
        if between(t, "3 10:00", "4 10:00"):
            held.setdefault("kwh", r["kwh"])
            return dict(r, kw=None, kwh=held["kwh"])
        return r if t < at("4 10:00") else dict(r, kwh=r["kwh"] - 24 * 4)

    m.reading = reading


def phase_bridged(c):
    """One current of three is gone while the others flow."""
    c.site("S", status="licensed", kind="processing_plant")
    m = c.meter("M", "S", lambda _: 20)
    m.reading = lambda t, r: dict(
        r, phases=f"{230 + t.minute / 60:.1f},231.5,229.{t.hour % 10},30,31,"
                  + ("0.1" if between(t, "3 10:00", "3 20:00") else "29.5"))


def register_counts_too_little(c):
    """The register counts half of what the same meter's power says."""
    c.site("S", status="licensed", kind="processing_plant")
    m = c.meter("M", "S", lambda _: 20)
    m.reading = lambda t, r: dict(r, kw=40.0)


def link_flaps(c):
    """Two hours silent, two hours there, for days: two alarms; a lawful afternoon: none."""
    c.site("S")
    m = c.meter("M", "S", dark)
    m.reading = lambda t, r: dict(r, quality="missing") if t >= at("2 00:00") and t.hour % 4 < 2 else r
    c.site("S1")
    c.meter("M1", "S1", dark)
    c.site("S2", status="licensed", kind="processing_plant")
    c.add("gateways.csv", "G2,tcp,127.0.0.1:1503")
    m = c.meter("M2", "S2", lambda _: 20, gateway="G2")
    m.reading = lambda t, r: dict(r, quality="missing") if between(t, "2 06:00", "2 20:00") else r


def contract_exceeded(c):
    """An hour above the contract, at a washery; a start above it is none."""
    c.site("S", status="licensed", kind="coal_washery", contract=100)
    c.meter("M", "S", lambda t: 130 if between(t, "2 10:00", "2 11:00") or between(t, "3 10:00", "3 10:15") else 60)


def more_than_licensed(c):
    """Energy for more tonnes in a month than the licence allows."""
    c.site("S", status="licensed", kind="quarry")
    c.add("licences.csv", "S,mining,C-1,2020-01-01,,7200,10")
    c.add("licences.csv", "S,safety,A-1,2020-01-01,,,")
    c.meter("M", "S", lambda _: 100)


def hoist_beside_the_pumps(c):
    """A mine under maintenance hoists at night, below the power of production."""
    c.site("S", status="maintenance", kind="coal_mine")
    for kind in ("mining", "safety"):
        c.add("licences.csv", f"S,{kind},{kind}-1,2020-01-01,,,")
    c.explain("X", "S", "dewatering", 60, point="P")
    c.meter("P", "S", lambda _: 6, role="sub", parent="M")
    c.meter("M", "S", lambda t: 20 if between(t, "3 00:00", "4 00:00") else 7)


def second_shift(c):
    """A works that has worked one shift for five weeks works two."""
    shift = lambda t: 100 if t.weekday() < 5 and 8 <= t.hour < 17 else 12
    c.site("S", status="licensed", kind="processing_plant")
    c.meter("M", "S", lambda t: 100 if between(t, "36 17:00", "37 02:00") else shift(t))


def feeder(c, unmetered=dark, mill=None):
    """A works, a shop and a mill behind a feeder's meter, which counts them, a loss and what no meter sees."""
    loads = {
        "WORKS": lambda t: 80 if 7 <= t.hour < 19 else 15,
        "SHOP": lambda t: 14 if 8 <= t.hour < 21 else 2,
        "MILL": mill or (lambda t: 30),
    }
    for name, load in loads.items():
        c.site(name, status="licensed", kind="processing_plant", contract=150)
        c.meter(name, name, load, parent="F")

    def total(t):
        kw = sum(load(t) for load in loads.values()) + unmetered(t)
        return kw + 1 + 0.0002 * kw * kw

    c.meter("F", "", total, role="feeder")
    return loads


def tap_on_a_feeder(c):
    """From a Monday night on a tenth of the load passes no meter: one alarm, a day after its end it is over."""
    feeder(c, crusher("29 22:00", "30 22:00", kw=12, idle=0))


def works_silent_on_a_feeder(c):
    """A works that is silent may draw what is missing: the alarm waits until it is heard, and is not owed."""
    feeder(c)
    works = c.meters[0]
    works.reading = lambda t, r: dict(r, quality="missing") if between(t, "30 06:00", "31 06:00") else r


def load_moves_after_a_cutoff(c):
    """A mill is cut off, and the shop on its feeder draws as much more at the same hours."""
    stop = at("30 12:00")
    mill = lambda t: 30 if t < stop else 0
    loads = feeder(c, mill=mill)
    c.tables["sites.csv"] = [row for row in c.tables["sites.csv"] if not row.startswith("MILL,")]
    c.site("MILL", status="cut_off", kind="processing_plant", since=stop, contract=150)
    shop = loads["SHOP"]
    c.meters[1].load = lambda t: shop(t) + (30 if t >= stop else 0)
    total = c.meters[3].load
    c.meters[3].load = lambda t: total(t) + (30 if t >= stop else 0)


# Beneath the ceilings: four weeks of a guard house and its lamps are learned first.


def guard_house(t):
    return 4 if t.hour >= 19 or t.hour < 6 else 3


def kept_site(c, more=lambda t: 0, **site):
    c.site("S", **site)
    c.explain("X", "S", "guard_house", 40)
    return c.meter("M", "S", lambda t: guard_house(t) + more(t))


def nights_beneath_the_ceiling(c):
    """Three nights alike beneath the guard house's ceiling: one alarm, told anew each night."""
    kept_site(c, lambda t: 8 if between(t, "31 00:00", "33 12:00") and t.hour < 5 else 0)


def crusher_beneath_the_ceiling(c):
    """A crusher by day, a quarter of an hour's pause each hour, beneath the ceiling."""
    kept_site(c, lambda t: 20 if between(t, "31 09:00", "31 16:00") and t.minute < 45 else 0)


def lamp_that_burns_on(c):
    """0.4 kW for ten days, which no hour shows."""
    kept_site(c, lambda t: 0.4 if between(t, "31 09:00", "41 09:00") else 0)


def ran_before_anybody_looked(c):
    """Two shifts a day from the first day on, until the thirty-first."""
    kept_site(c, lambda t: 12 if t.weekday() < 6 and t.hour in (8, 9, 10, 11, 13, 14, 15, 16)
              and t < at("31 00:00") else 0)


def silent_beneath_the_ceiling(c):
    """A day's work while the meter is silent, beneath the ceiling: told of when the register comes back."""
    m = kept_site(c, lambda t: 15 if between(t, "31 09:00", "31 18:00") else 0)
    m.reading = lambda t, r: dict(r, quality="missing") if between(t, "31 08:45", "31 19:30") else r
    c.site("S2")
    c.meter("M2", "S2", dark)


def back_after_the_closing(c):
    """A mine that was seen to be closed on the fifth day begins again, by a little, five weeks later."""
    running = lambda t: 30 if t < at("5 00:00") else 0
    kept_site(c, lambda t: running(t) + (3 if between(t, "40 09:00", "40 18:00") else 0), since=at("5 00:00"))


def back_after_the_cutoff(c):
    """0.4 kW for two hours at a site that is cut off; its neighbour's safety supply is on file."""
    c.site("S", status="cut_off")
    c.meter("M", "S", crusher("2 10:00", "2 12:00", kw=0.4, idle=0))
    c.site("S2", status="cut_off")
    c.explain("X", "S2", "ventilation", 1)
    c.meter("M2", "S2", lambda _: 0.8)


def register_of_whole_kilowatt_hours(c):
    """2 kW at a dark site, on a register that shows no more than whole kWh."""
    c.site("S")
    m = c.meter("M", "S", crusher("2 10:00", "3 10:00", kw=2))
    m.reading = lambda t, r: dict(r, kw=None, kwh=int(r["kwh"]))
    c.tables["meters.csv"] = [row.replace(",0.01,", ",1,") for row in c.tables["meters.csv"]]


def fans_stop(c):
    """A licensed mine's fans and pumps stop, and nobody says why: one alarm, which stands."""
    c.site("S", status="licensed", kind="coal_mine")
    for kind in ("mining", "safety"):
        c.add("licences.csv", f"S,{kind},{kind}-1,2020-01-01,,,")
    c.meter("M", "S", lambda t: 200 if t < at("36 00:00") else 3)


def fuse_of_a_voltage(c):
    """A voltage is gone while the phase carries current."""
    c.site("S", status="licensed", kind="processing_plant")
    m = c.meter("M", "S", lambda _: 20)
    m.reading = lambda t, r: dict(
        r, phases=f"{230 + t.minute / 60:.1f},231.5,"
                  + ("12.1" if between(t, "3 10:00", "3 20:00") else f"229.{t.hour % 10}") + ",30,31,29.5")


def values_that_repeat(c):
    """For a night every value is the same to the last digit."""
    c.site("S", status="licensed", kind="processing_plant")
    m = c.meter("M", "S", lambda _: 20)
    held = {}

    def reading(t, r):
        r = dict(r, kw=None, phases=f"{230 + t.minute / 60:.1f},231.5,229.{t.hour % 10},30,31,29.5")
        if between(t, "2 22:00", "3 06:00"):
            return dict(held["r"], time=t)
        held["r"] = r
        return r

    m.reading = reading


ALL = {f.__name__: f for f in (
    crusher_at_night, unlicensed_point, guard_house_within_ceiling, guard_house_exceeded,
    maintenance_overstayed, permit_comes_late, outside_its_hours, two_supply_points, pump_measured,
    exchanged_and_rolled_over, one_garbage_reading, register_fell, register_leapt, stuck,
    silent_while_it_runs, gateway_dead, estimated_only, licence_expired, gaps_in_the_ledger,
    closed_later, ran_while_silent, starts_after_a_quiet_night, stands_for_weeks,
    transformers_turned, panels_on_no_file, ratio_ten_times_too_high, week_without_a_licence, power_gone, phase_bridged, register_counts_too_little, link_flaps,
    contract_exceeded, more_than_licensed, hoist_beside_the_pumps, second_shift,
    tap_on_a_feeder, works_silent_on_a_feeder, load_moves_after_a_cutoff,
    nights_beneath_the_ceiling, crusher_beneath_the_ceiling, lamp_that_burns_on,
    ran_before_anybody_looked, silent_beneath_the_ceiling, back_after_the_closing,
    back_after_the_cutoff, register_of_whole_kilowatt_hours, fans_stop, fuse_of_a_voltage,
    values_that_repeat)}
DAYS = {"nights_beneath_the_ceiling": 35, "crusher_beneath_the_ceiling": 33, "lamp_that_burns_on": 46,
        "ran_before_anybody_looked": 36, "silent_beneath_the_ceiling": 33, "back_after_the_closing": 42,
        "fans_stop": 52,
        "week_without_a_licence": 10, "stands_for_weeks": 17, "second_shift": 39, "tap_on_a_feeder": 33,
        "works_silent_on_a_feeder": 33, "load_moves_after_a_cutoff": 34}


def make(name, seed):
    county = County(name, seed, DAYS.get(name, 5))
    ALL[name](county)
    return county
