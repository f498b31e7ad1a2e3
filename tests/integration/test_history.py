#!/usr/bin/python3
"""The history against a real PostgreSQL: closed days are packed, and every reading is there
once, whatever happens meanwhile; what is evidence stays."""
import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal

from generate import County
from harness import Cluster, Program, Tap, program, run, temp_dir, wait_for, write
from running import SANITIZED, Daemon

LODEWATCH = program("lodewatch")
SPAN = ("--from", "2025-03-01T00:00:00Z", "--to", "2025-05-01T00:00:00Z")

tap = Tap(23)
pg = Cluster()


class Base:
    """A database with readings of some days, and the program at work on it."""

    count = 0

    def __init__(self, **history):
        Base.count += 1
        self.name = pg.create(f"history{Base.count}")
        self.dir = temp_dir()
        self.ledger = self.config = None
        self.keep(**history)
        assert self.lodewatch("migrate").returncode == 0

    def keep(self, **history):
        """The configuration, with these keys of [history]."""
        self.config = write(os.path.join(self.dir, "conf"), "\n".join(
            ["[daemon]", f"ledger = {self.ledger or self.dir}", "[database]",
             f"conninfo = {pg.conninfo(self.name)}", "[history]",
             *(f"{key} = {value}" for key, value in history.items())]) + "\n")

    def psql(self, sql):
        return pg.psql(sql, self.name)

    def fill(self, meters, days, first="2025-03-30"):
        """Hourly readings, of which a column is missing here and there."""
        self.psql(f"""
            INSERT INTO meter_key(meter_id, id)
              SELECT g, 'm' || lpad(g::text, 4, '0') FROM generate_series(1, {meters}) AS g
              ON CONFLICT DO NOTHING;
            SELECT reading_partition(date '{first}' + d) FROM generate_series(0, {days - 1}) AS d;
            INSERT INTO reading(ts, meter_id, q, p_w, imp_wh, v1_dv, i1_ma, pf_m)
              SELECT timestamptz '{first} 00:00Z' + h * interval '1 hour', g, h % 5 / 4,
                     CASE WHEN (g + h) % 11 > 0 THEN 1000 * (g % 7) + (g * h) % 97 END,
                     1000000::int8 * g + 500 * h, 2300 + (g + h) % 9, 4000 + 10 * (h % 50), 950
                FROM generate_series(1, {meters}) AS g, generate_series(0, {24 * days - 1}) AS h""")
        return self

    def lodewatch(self, command, *args):
        return run([LODEWATCH, command, "--config", self.config, *args])

    def compact(self, code=0):
        done = self.lodewatch("compact")
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def export(self, *args):
        done = self.lodewatch("export", *SPAN, *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def partitions(self):
        """The days that are still rows."""
        return self.psql("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class"
                         " WHERE relname ~ '^reading_[0-9]{8}$'")

    def packed(self):
        return int(self.psql("SELECT coalesce(sum(n), 0) FROM reading_day"))


class Session:
    """psql in a transaction that stays open."""

    def __init__(self, base, sql):
        self.psql = subprocess.Popen(
            ["psql", "-XAtq", "-d", pg.conninfo(base.name)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.psql.stdin.write(f"BEGIN;\n{sql};\nSELECT 'here';\n")
        self.psql.stdin.flush()
        while (line := self.psql.stdout.readline()) != "here\n":
            assert line and "ERROR" not in line, line

    def end(self, how="ROLLBACK"):
        self.psql.communicate(f"{how};\n", 10)


def waits(base):
    return base.psql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                     " AND application_name = 'lodewatch' AND wait_event_type = 'Lock'") != "0"


def at_lock(base, sql):
    """A compaction that waits for a lock, and who has it."""
    session = Session(base, sql)
    process = Program([LODEWATCH, "compact", "--config", base.config])
    wait_for(lambda: waits(base) or not process.running(), what="the compaction at a lock")
    assert process.running(), process.err
    return process, session


# --- the way of a day

base = Base().fill(270, 3)
rows = base.export()

with tap.test("what is exported is what is stored, in the contract's units"):
    got = list(csv.DictReader(io.StringIO(rows)))
    assert len(got) == 270 * 72
    want = base.psql("SELECT to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SSZ'), id, q,"
                     " p_w, imp_wh, v1_dv, i1_ma, pf_m FROM reading JOIN meter_key USING (meter_id)"
                     " ORDER BY ts, meter_id")
    for line, row in zip(want.split("\n"), got):
        time, meter, q, *values = line.split("|")
        cells = [row[c] for c in ("active_power_kw", "import_kwh", "voltage_a_v", "current_a_a",
                                  "power_factor")]
        assert (time, meter, ("good", "suspect")[int(q)]) == (
            row["time"], row["meter_id"], row["quality"]), (line, row)
        for value, cell, unit in zip(values, cells, (1000, 1000, 10, 1000, 1000)):
            assert (value == "") == (cell == ""), (line, row)
            assert cell == "" or Decimal(cell) * unit == Decimal(value), (line, row)

hours = "SELECT md5(string_agg(h::text, ';' ORDER BY meter, hour)) FROM reading_hourly AS h"\
        " WHERE meter <> 'm0007' OR hour <> '2025-03-31 10:00Z'"
hours_before = base.psql(hours)

with tap.test("a row that comes while its day is packed is packed too"):
    process, inserting = at_lock(base, "INSERT INTO reading(ts, meter_id, p_w)"
                                       " VALUES ('2025-03-31 10:30Z', 7, 4711)")
    inserting.end("COMMIT")
    assert process.wait() == 0, process.err
    assert base.partitions() == "" and base.packed() == 270 * 72 + 1
    assert base.psql("SELECT count(*) FROM compaction") == "0"
    new = set(base.export().split("\n")) ^ set(rows.split("\n"))
    assert new == {"2025-03-31T10:30:00Z,m0007,good,4.711" + "," * 13}, new
    rows = base.export()

with tap.test("the same is exported from the blocks; the hours are the same"):
    assert base.export() == rows
    late_hour = "SELECT n, p_max_w FROM reading_hourly WHERE meter = 'm0007' AND hour = '2025-03-31 10:00Z'"
    assert base.psql(late_hour) == "2|4711", base.psql(late_hour)
    assert base.psql(hours) == hours_before, "but for that hour"
    assert base.psql("SELECT count(DISTINCT tableoid) FROM reading_day") == "2"  # March, April

with tap.test("late readings of closed days: seen at once, packed at the next run"):
    base.psql("SELECT reading_partition('2025-03-30');"
              "INSERT INTO reading(ts, meter_id, p_w) VALUES ('2025-03-30 05:30Z', 1, 123456),"
              " ('2025-03-30 05:00Z', 1, 654321), ('2025-03-30 07:00Z', 269, 654321)")
    late = base.export()
    assert sorted(set(late.split("\n")) - set(rows.split("\n"))) == [
        "2025-03-30T05:30:00Z,m0001,good,123.456" + "," * 13], "one is new; the block's stay"
    assert "packed 49 readings of 2 meters" in base.compact().stdout
    assert base.partitions() == "" and base.export() == late

with tap.test("some meters, as NDJSON, into a file that is whole"):
    path = os.path.join(base.dir, "out.ndjson")
    assert base.export("--meter", "m0002", "--meter", "m0004", "--format", "ndjson", "-o", path) == ""
    with open(path, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    assert len(lines) == 2 * 72 and not os.path.exists(path + ".part")
    assert lines[0] == {"time": "2025-03-30T00:00:00Z", "meter_id": "m0002", "quality": "good",
                        "active_power_kw": 2, "import_kwh": 2000, "voltage_a_v": 230.2,
                        "current_a_a": 4, "power_factor": 0.95}, lines[0]

with tap.test("what cannot be exported is refused, and says why"):
    for args, text in ((("--meter", "none"), None), (("--site", "none"), "no ledger"),
                       (("--from", "yesterday"), "is no time"), (("--format", "xml"), "usage")):
        done = base.lodewatch("export", *SPAN, *args)
        if text is None:
            assert done.returncode == 0 and done.stdout.count("\n") == 1, done
        else:
            assert done.returncode == 2 and text in done.stderr, done

# --- the same over HTTP

base = Base().fill(3, 3)
base.psql("ALTER TABLE reading_20250401 RENAME TO reading_open")  # no day's name: it stays
base.compact()
base.psql("SELECT reading_partition('2025-03-30');"
          "INSERT INTO reading(ts, meter_id, p_w) VALUES ('2025-03-30 05:30:00.001Z', 2, -123456),"
          " ('2025-03-30 05:00Z', 2, 654321)")
daemon = Daemon(database={"conninfo": pg.conninfo(base.name)}).start()
READINGS = "/api/v1/readings?from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z&meter="


def page(query):
    status, _, body = daemon.get(READINGS + query)
    return json.loads(body) if status == 200 else status


def pages(query, after=""):
    """All pages' readings after a time, and how many pages they were."""
    got, n = [], 0
    while after is not None:
        answer = page(query + (f"&after={after}" if after else ""))
        got, after, n = got + answer["readings"], answer["next"], n + 1
    return got, n


wait_for(lambda: page("m0001") != 503, what="the daemon's database")

with tap.test("over HTTP a meter's readings are those of the export: blocks, rows and late rows"):
    want = [json.loads(line) for line in
            base.export("--meter", "m0002", "--format", "ndjson").splitlines()]
    assert len(want) == 73 and base.packed() == 3 * 48, len(want)
    for limit, n in ((1000, 1), (73, 2), (72, 2), (24, 4), (7, 11)):
        got = pages(f"m0002&limit={limit}")
        assert got[0] == want and n - 1 <= got[1] <= n + 1, (limit, got)
    span = "/api/v1/readings?meter=m0002&from=2025-03-30T05:00:00Z&to=2025-03-30T05:30:00.001Z"
    assert daemon.json(span)["readings"] == want[5:6]
    assert daemon.json(span.replace("001Z", "002Z"))["readings"] == want[5:7]
    assert pages("nobody") == ([], 1) and pages("m0002", "2025-04-01T23:00:00Z") == ([], 1)

with tap.test("over HTTP: months without readings, days of one in 10 s; nobody waits"):
    base.psql("SELECT reading_partition('2025-01-02');"
              "INSERT INTO reading(ts, meter_id, p_w, imp_wh, v1_dv) SELECT '2025-01-02 00:00Z'::timestamptz"
              " + i * interval '10 s', 1, i, 7 * i, 2300 + i % 7 FROM generate_series(0, 8639) AS i")
    dense = base.export("--from", "2025-01-02T00:00:00Z", "--meter", "m0001", "--format", "ndjson")
    dense = [json.loads(line) for line in dense.splitlines()]
    for of in ("rows", "block"):
        before = daemon.metrics()
        got = page("m0001&limit=1000")
        assert got["readings"] == dense[:1000] and got["next"] == dense[999]["time"], of
        got = pages("m0001&limit=100", "2025-01-02T23:50:00Z")
        assert got[0] == dense[8581:] and len(got[0]) == 59 + 72, (of, got)
        long = [m["lodewatch_loop_turn_seconds_count"]
                - m['lodewatch_loop_turn_seconds_bucket{le="0.01"}'] for m in (before, daemon.metrics())]
        assert long[0] == long[1] or SANITIZED, (of, long)
        base.compact()
    assert base.partitions() == ""

with tap.test("over HTTP: what is asked wrongly is 400; without PostgreSQL, or with damage, 503"):
    for query in ("m0001&limit=0", "m0001&after=soon", "m0001&color=red", "m" * 65):
        assert page(query) == 400, query
    assert daemon.get("/api/v1/readings?meter=m0001&from=2025-03-30")[0] == 400
    base.psql("UPDATE reading_day SET d = substring(d FOR 40) WHERE meter_id = 3")
    assert page("m0003") == 503
    assert len(page("m0002")["readings"]) == 73
    pg.psql(f"ALTER DATABASE {base.name} ALLOW_CONNECTIONS false")
    pg.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{base.name}'")
    wait_for(lambda: page("m0002") == 503, what="503")
    assert daemon.stop()[0] == 0

# --- killed at every step

STEPS = (
    ("before anything is noted", "LOCK TABLE compaction"),
    ("before the first blocks", "LOCK TABLE reading_day IN EXCLUSIVE MODE"),
    ("between blocks and hours", "LOCK TABLE reading_hour IN EXCLUSIVE MODE"),
    ("in the second range of meters", "SELECT pg_advisory_xact_lock(77)"),
    ("before progress is noted", "SELECT FROM compaction FOR UPDATE"),
    ("before the last check", "LOCK TABLE reading_20250330 IN ROW EXCLUSIVE MODE"),
    ("before the drop", "LOCK TABLE reading IN ACCESS SHARE MODE"),
)
base = Base().fill(270, 2)
rows = base.export()
base.psql("SELECT reading_month('2025-03-30');"
          "INSERT INTO compaction(day) VALUES ('2025-03-30');"
          "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
          " PERFORM pg_advisory_xact_lock(77); RETURN NEW; END $$;"
          "CREATE TRIGGER slow BEFORE INSERT ON reading_day_202503 FOR EACH ROW"
          " WHEN (NEW.meter_id = 265) EXECUTE FUNCTION slow()")
first_range = "SELECT count(*), sum(('x' || md5(d))::bit(32)::int8), min(xmin::text),"\
              " max(xmin::text) FROM reading_day WHERE meter_id <= 256"

with tap.test("killed at every step, it loses and doubles nothing"):
    for name, sql in STEPS:
        process, session = at_lock(base, sql)
        process.kill()
        session.end()
        assert base.export() == rows, name
        if name == "in the second range of meters":
            done = base.psql(first_range)
            assert done.startswith("256|"), done

with tap.test("it goes on where it was, and does not begin anew"):
    base.compact()
    assert base.psql("SELECT count(*) FROM reading_day WHERE day = '2025-03-30'") == "270"
    assert base.psql(first_range + " AND day = '2025-03-30'") == done
    assert base.partitions() == "" and base.packed() == 270 * 48 and base.export() == rows

with tap.test("a table in use is not dropped; nothing is lost"):
    base = Base().fill(5, 1)
    rows = base.export()
    reading = Session(base, "SELECT FROM reading")
    assert "reading_20250330 is in use" in base.compact(1).stderr
    assert base.partitions() == "reading_20250330" and base.export() == rows
    reading.end()
    base.psql("SELECT reading_partition('2025-03-29')")  # without rows: nobody misses it
    base.compact()
    assert base.partitions() == "" and base.export() == rows

# --- what was written is not what was packed

base = Base().fill(30, 1)
rows = base.export()
DAMAGE = "CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW;" \
         " END $$; CREATE TRIGGER damage BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION damage()"
base.psql("SELECT reading_month('2025-03-30')")

with tap.test("a block that does not hold what was packed: nothing is dropped"):
    for table, how, text in (
            ("reading_day_202503", "NEW.d := set_byte(NEW.d, 60, 255 - get_byte(NEW.d, 60));", ""),
            ("reading_day_202503", "NEW.d := substring(NEW.d FROM 1 FOR 40);", "cannot be unpacked"),
            ("reading_day_202503", "NEW.n := NEW.n + 1;", "does not hold what was packed"),
            ("reading_hour_202503", "NEW.n := NEW.n - 1;", "do not add up")):
        base.psql(DAMAGE.format(how, table))
        done = base.compact(1)
        base.psql("DROP FUNCTION damage CASCADE")
        assert "2025-03-30:" in done.stderr and text in done.stderr, (how, done.stderr)
        assert base.partitions() == "reading_20250330" and base.packed() == 0
        assert base.export() == rows

with tap.test("a partition that adds up to something else is kept"):
    process, session = at_lock(base, "LOCK TABLE reading_20250330 IN ROW EXCLUSIVE MODE;"
                                     "UPDATE reading SET p_w = p_w + 1 WHERE meter_id = 3")
    session.end("COMMIT")
    assert process.wait() == 1 and "is not what was packed" in process.err, process.err
    assert base.partitions() == "reading_20250330"

with tap.test("one compaction at a time"):
    holder = Session(base, "SELECT pg_advisory_lock(hashtext('lodewatch.compact'))")
    assert "another compaction is under way" in base.compact(1).stderr
    holder.end()

# --- the writer and the compaction at once

with tap.test("the store writes a day while it is packed, again and again"):
    base = Base()
    conninfo = pg.conninfo_file(base.name)
    driver = Program([program("helpers/store_driver"), os.path.join(base.dir, "journal"), conninfo,
                      100, 300, 1000, 60])
    runs = 0
    wait_for(lambda: base.psql("SELECT count(*) FROM reading") != "0", what="some readings")
    while driver.running():
        done = base.lodewatch("compact")
        assert done.returncode == 0 or "in use" in done.stderr or "deadlock" in done.stderr, done
        runs += 1
    assert driver.wait(60) == 0, driver.err
    base.compact()
    assert "2025" not in base.partitions() and runs > 0, (base.partitions(), runs)
    got = list(csv.DictReader(io.StringIO(base.export())))
    assert len(got) == 100 * 300 and len({(r["time"], r["meter_id"]) for r in got}) == len(got)
    assert base.packed() == len(got)
    power = sum(2000 + n * 2654435761 % 2**64 % 997 for n in range(100 * 300))
    assert sum(Decimal(r["active_power_kw"]) for r in got) * 1000 == power

# --- retention and holds

THIS_MONTH = "SELECT reading_month(current_date)"

base = Base(day_months=1, hour_years=1).fill(10, 3)

with tap.test("a clock that is years ahead drops nothing: the newest month counts"):
    # To this history, today is years ahead.
    base.compact()
    assert base.psql("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_inherits JOIN pg_class"
                     " ON oid = inhrelid WHERE inhparent = 'reading_day'::regclass") == "reading_day_202504"
    assert base.psql("SELECT count(*) FROM reading_hour") == str(10 * 72)

base = Base(day_months=1, hour_years=1).fill(10, 3)
base.psql(THIS_MONTH)

with tap.test("a hold keeps what is evidence, and nothing else"):
    for args in (("add", "--meter", "m0003", "--reason", "x"),
                 ("add", "--meter", "m0004", "--from", "2025-03-31T00:00:00Z",
                  "--to", "2025-03-31T12:00:00Z", "--reason", "O'Neill's; DROP", "--case", "C-1")):
        done = base.lodewatch("hold", *args)
        assert done.returncode == 0 and done.stdout == "1 meters are held\n", done
    done = base.compact()
    assert "the others are held" in done.stdout, done.stdout
    got = base.psql("SELECT string_agg(meter_id || ' ' || day, ', ' ORDER BY meter_id, day)"
                    " FROM reading_day")
    assert got == "3 2025-03-30, 3 2025-03-31, 3 2025-04-01, 4 2025-03-31", got
    assert base.export().count("\n") == 1 + 4 * 24
    assert base.psql("SELECT count(*) FROM reading_hour") == str(72 + 12)

with tap.test("what is released goes at the next run; holds are listed with their end"):
    assert base.lodewatch("hold", "release", "1").returncode == 0
    assert base.lodewatch("hold", "release", "1").returncode == 2
    base.compact()
    assert base.psql("SELECT count(*) FROM reading_day") == "1"
    assert base.lodewatch("hold", "release", "2").returncode == 0
    assert "reading_day_202503: dropped\n" in base.compact().stdout
    assert base.psql("SELECT count(*) FROM pg_inherits WHERE inhparent IN"
                     " ('reading_day'::regclass, 'reading_hour'::regclass)") == "2"  # this month's
    listed = list(csv.DictReader(io.StringIO(base.lodewatch("hold", "list").stdout)))
    assert [h["reason"] for h in listed] == ["x", "O'Neill's; DROP"], listed
    assert all(h["released_at"] for h in listed), listed

with tap.test("a hold of a site that the database does not know keeps everything"):
    base = Base(day_months=1).fill(5, 1)
    base.psql(THIS_MONTH)
    base.psql("INSERT INTO evidence_hold(site_id, reason) VALUES ('s', 'casework')")
    base.compact()
    assert base.packed() == 5 * 24
    base.psql("INSERT INTO meter(meter_id, installed_at, point_id, site_id, role)"
              " VALUES ('m0002', '2024-01-01', 'p', 's', 'supply')")
    base.compact()
    assert base.psql("SELECT string_agg(meter_id::text, ',') FROM reading_day") == "2"

with tap.test("a hold without a reason, or of nothing, is refused"):
    for args in (("add", "--meter", "m"), ("add", "--reason", "x"), ("release",), ("burn",),
                 ("release", "1; DROP"), ("add", "--site", "nowhere", "--reason", "x")):
        done = base.lodewatch("hold", *args)
        assert done.returncode == 2 and done.stderr, (args, done)

# --- a county's days, exported and replayed

with tap.test("exported from blocks and rows, and replayed: the same alerts, byte for byte"):
    county = County(20250303)
    county.lines = [line for line in county.lines if line[2] == "good"]
    base = Base()
    base.ledger = county.ledger(os.path.join(base.dir, "ledger"), (1001, 1002, 1003))
    base.keep()
    source = county.readings(os.path.join(base.dir, "readings.csv"))
    names = sorted({line[1] for line in county.lines})
    base.psql("INSERT INTO meter_key(meter_id, id) VALUES "
              + ", ".join(f"({i}, '{name}')" for i, name in enumerate(names, 1)))
    base.psql("SELECT reading_partition(date '2025-03-02' + d) FROM generate_series(0, 4) AS d")
    values = [f"('{t.isoformat()}', {names.index(name) + 1}, "
              + ", ".join("NULL" if v is None else str(v) for v in of) + ")"
              for t, name, _, *of in county.lines]
    for i in range(0, len(values), 1000):
        base.psql("INSERT INTO reading(ts, meter_id, p_w, imp_wh, v1_dv, temp_mc, rain_um_h) VALUES "
                  + ", ".join(values[i:i + 1000]))
    base.psql("ALTER TABLE reading_20250304 RENAME TO reading_open")  # no day's name: it stays
    base.compact()
    assert base.partitions() == "" and base.psql("SELECT count(*) > 500 FROM reading") == "t"
    exported = write(os.path.join(base.dir, "export.csv"), base.export())
    alerts = [run([LODEWATCH, "replay", "--ledger", base.ledger, "--quiet", path]).stdout
              for path in (source, exported)]
    assert alerts[0] == alerts[1] and alerts[0].count("\n") > 5, [a.count("\n") for a in alerts]
    site = base.export("--site", "s08")
    assert {row["meter_id"] for row in csv.DictReader(io.StringIO(site))} == {"m-s08", "n-s08"}

with tap.test("the commands say how they are used"):
    for command in ("compact", "export", "hold"):
        done = run([LODEWATCH, command, "--help"])
        assert done.returncode == 0 and f"usage: lodewatch {command}" in done.stdout
        assert run([LODEWATCH, command, "--nonsense"]).returncode == 2

sys.exit(tap.done())
