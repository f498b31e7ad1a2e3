#!/usr/bin/python3
"""The store against a real PostgreSQL: every reading is there once, whatever happens."""
import json
import os
import signal
import sys
import time

from harness import (MEMORY, Cluster, Program, Tap, program, run, skip_all, temp_dir, wait_for, write)

DRIVER = program("helpers/store_driver")
if not os.path.exists(DRIVER):
    skip_all(f"{DRIVER} is not built")

tap = Tap(17)
pg = Cluster()


class Store:
    """The driver with a journal of its own, on a database of its own."""

    count = 0

    def __init__(self, database=None, where=None):
        Store.count += 1
        self.database = database or pg.create(f"store{Store.count}")
        self.dir = os.path.join(temp_dir(where=where), "journal")
        self.conninfo = pg.conninfo_file(self.database)

    def start(self, meters=200, rounds=100, batch=1000, pause_ms=0, start_ms=1741737600000):
        self.readings = meters * rounds
        return Program([DRIVER, self.dir, self.conninfo, meters, rounds, batch, pause_ms,
                        start_ms])

    def psql(self, sql):
        return pg.psql(sql, self.database)

    def stored(self):
        if self.psql("SELECT to_regclass('reading')") == "":
            return 0
        return int(self.psql("SELECT count(*) FROM reading"))

    def check(self, driver, seconds=60):
        """The driver comes to its end, and the tables have everything once."""
        assert driver.wait(seconds) == 0, driver.err
        stats = json.loads(driver.out.splitlines()[-1])
        got = self.psql("SELECT count(*), count(DISTINCT (meter_id, ts)), sum(p_w),"
                        " (SELECT count(*) FROM alert),"
                        " (SELECT count(*) FROM alarm) FROM reading").split("|")
        power = sum(2000 + n * 2654435761 % 2**64 % 997 for n in range(self.readings))
        want = [self.readings, self.readings, power, -(-self.readings // 100),
                -(-self.readings // 400)]
        assert [int(g) for g in got] == want, (got, want, driver.err)
        assert stats["read_back"] == min(1000, want[3]), (stats, want)
        last = self.psql("SELECT count(*) FROM meter_last l WHERE ts <>"
                         " (SELECT max(ts) FROM reading r WHERE r.meter_id = l.meter_id)")
        assert last == "0", f"{last} rows of meter_last are not the newest"
        return stats


def backend(database, query=""):
    """The process ids of the writer's backends, where they run such a query."""
    return pg.psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'lodewatchd'"
                   f" AND datname = '{database}' AND query LIKE '{query}%'").split()


with tap.test("readings and alerts land once; the repeated ones are left out"):
    store = Store()
    store.check(store.start())

with tap.test("the next start has nothing to send"):
    stats = store.check(store.start(), 20)
    assert stats["readings"] == 0 and stats["failed"] == 0, stats

with tap.test("what is stored is what was read, in the tables' units"):
    got = store.psql("SELECT ts, p_w, imp_wh, exp_wh, v1_dv, i3_ma, pf_m, q_var, temp_mc, q"
                     " FROM reading JOIN meter_key USING (meter_id)"
                     " WHERE id = 'm000003' AND ts = '2025-03-12 00:01:00Z'")
    noise = 203 * 2654435761 % 997
    want = (f"2025-03-12 00:01:00+00|{2000 + noise}|1000043|0|{2300 + noise % 40}|"
            f"{3000 + noise * 3}|950|{300 + noise // 3}||0")
    pg_zone = store.psql("SHOW timezone")
    assert got == want or pg_zone not in ("UTC", "Etc/UTC", "GMT"), (got, want)

with tap.test("PostgreSQL stops in the middle and starts again"):
    store = Store()
    driver = store.start(pause_ms=10, rounds=400)
    wait_for(lambda: store.stored() > 5000, what="some readings")
    pg.stop("fast")
    driver.wait_text("PostgreSQL is away")
    time.sleep(0.2)
    pg.start()
    store.check(driver)

with tap.test("PostgreSQL is cut off at once and recovers"):
    store = Store()
    driver = store.start(pause_ms=10, rounds=400)
    wait_for(lambda: store.stored() > 5000, what="some readings")
    pg.kill()
    driver.wait_text("PostgreSQL is away")
    pg.start()
    store.check(driver)

with tap.test("the backend is killed in the middle of COPY, again and again"):
    store = Store()
    driver = store.start(pause_ms=5, rounds=600, batch=5000)
    kills = 0
    while driver.running() and kills < 5:
        if backend(store.database, "BEGIN; COPY"):
            store.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE application_name = 'lodewatchd' AND query LIKE 'BEGIN; COPY%'"
                       " AND state = 'active'")
            kills += 1
            wait_for(lambda: not driver.running() or backend(store.database), 20, "a new connection")
    store.check(driver)
    assert kills > 0, "nothing was killed"

with tap.test("a COMMIT without an answer is found out from the cursor"):
    # The backend stops before it answers; its COMMIT is done when the connection is gone.
    store = Store()
    driver = store.start(pause_ms=10, rounds=400)
    wait_for(lambda: store.stored() > 2000, what="some readings")
    cut = 0
    while driver.running() and cut < 5:
        pids = backend(store.database, "COMMIT")
        if not pids:
            continue
        try:
            os.kill(int(pids[0]), signal.SIGSTOP)
            os.kill(int(pids[0]), signal.SIGCONT)
        except ProcessLookupError:  # it has just gone by itself
            continue
        store.psql(f"SELECT pg_terminate_backend({pids[0]})")
        cut += 1
        wait_for(lambda: not driver.running() or backend(store.database), 20, "a new connection")
    store.check(driver)
    assert cut > 0, "no COMMIT was caught"

with tap.test("the driver is killed; the next one goes on"):
    store = Store()
    driver = store.start(pause_ms=10, rounds=300)
    wait_for(lambda: store.stored() > 2000, what="some readings")
    driver.kill()
    before = store.stored()
    driver = store.start()  # not a new journal: appends nothing
    assert driver.wait(30) == 0, driver.err
    rows, once = store.psql("SELECT count(*), count(DISTINCT (meter_id, ts)) FROM reading").split("|")
    assert rows == once and int(rows) >= before > 0, (rows, once, before)

with tap.test("rows that are there already are merged"):
    store = Store()
    store.check(store.start(rounds=20))
    store.psql("DELETE FROM reading WHERE meter_id % 2 = 0; DELETE FROM store_cursor")
    driver = store.start(rounds=20)
    stats = store.check(driver)
    assert stats["readings"] == store.readings // 2, stats
    assert "merging" in driver.err, driver.err

with tap.test("a partition that somebody dropped is made again"):
    store = Store()
    driver = store.start(pause_ms=40, rounds=300)
    wait_for(lambda: store.stored() > 1000, what="some readings")
    store.psql("SET lock_timeout = '20s'; DROP TABLE reading_20250312")
    assert driver.wait(60) == 0, driver.err
    assert store.stored() > 0 and "is gone, making it" in driver.err, driver.err

with tap.test("a partition that is gone again whenever it was made costs no reading"):
    store = Store()
    store.check(store.start(rounds=1))
    store.psql("DROP TABLE reading_20250312; TRUNCATE store_cursor, alert, alarm, meter_last;"
               "ALTER FUNCTION reading_partition RENAME TO make_it; CREATE SEQUENCE calls;"
               "CREATE FUNCTION reading_partition(day date) RETURNS void LANGUAGE plpgsql AS $$"
               " BEGIN IF day <> '2025-03-12' OR nextval('calls') > 4 THEN PERFORM make_it(day);"
               " END IF; END $$")
    store.check(store.start(rounds=1), 20)

with tap.test("a row that the database refuses is left out; the others are stored"):
    store = Store()
    store.check(store.start(meters=10, rounds=1))  # makes the tables
    store.psql("ALTER TABLE reading ADD CHECK (meter_id <> 7 OR ts <> '2025-03-12 00:05:00Z')")
    store.dir = os.path.join(temp_dir(), "journal")
    store.psql("TRUNCATE reading, meter_last, alert, alarm")
    driver = store.start(meters=10, rounds=100)
    assert driver.wait(60) == 0, driver.err
    stats = json.loads(driver.out.splitlines()[-1])
    assert stats["refused"] == 1 and store.stored() == 999, (stats, store.stored(), driver.err)
    assert "left out what the database refuses" in driver.err, driver.err

with tap.test("two daemons migrate an empty database at once"):
    first = Store()
    second = Store(first.database)
    drivers = [first.start(rounds=20), second.start(rounds=20, start_ms=1741824000000)]
    for driver in drivers:
        assert driver.wait(30) == 0, driver.err
    assert first.stored() == 2 * first.readings, first.stored()
    assert first.psql("SELECT count(*) = max(version) FROM schema_version") == "t"
    assert first.psql("SELECT count(*) FROM meter_key") == "200"

with tap.test("a schema that is newer than the program is refused, and nothing is written"):
    store = Store()
    store.check(store.start(rounds=1))
    store.psql("INSERT INTO schema_version(version) VALUES (1000)")
    driver = store.start()
    driver.wait_text("version 1000, this program knows versions up to")
    assert driver.stop() == 0

with tap.test("SIGTERM: what is in the journal is in PostgreSQL before the end"):
    store = Store()
    store.check(store.start(rounds=1))  # makes the tables
    before = store.stored()
    store = Store(store.database)
    driver = store.start(pause_ms=100, rounds=1000, start_ms=1741824000000)
    wait_for(lambda: store.stored() > before + 1000, what="some readings")
    assert driver.stop() == 0, driver.err
    stats = json.loads(driver.out.splitlines()[-1])
    assert stats["behind"] == 0 and 0 < stats["readings"] < store.readings, stats
    assert stats["readings"] == store.stored() - before, (stats, before, store.stored())

with tap.test("a server that says nothing any more does not hold SIGTERM up"):
    store = Store(where=MEMORY)
    driver = store.start(pause_ms=10, rounds=1000)
    wait_for(lambda: store.stored() > 1000, what="some readings")
    stopped = [int(pid) for pid in backend(store.database)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert driver.stop() == 0, driver.err
        assert time.monotonic() - started < 5
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)

with tap.test("PostgreSQL is away from the start; SIGTERM ends it in time"):
    store = Store(where=MEMORY)
    write(store.conninfo, f"host={temp_dir()} port=1 user=x password=geheim dbname=x\n")
    driver = store.start(rounds=1)
    driver.wait_text("PostgreSQL is away")
    started = time.monotonic()
    assert driver.stop() == 0
    assert time.monotonic() - started < 4
    assert "geheim" not in driver.err + driver.out

sys.exit(tap.done())
