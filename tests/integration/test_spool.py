#!/usr/bin/python3
"""The journal as a spool, and what can befall it and PostgreSQL: at the end every reading is
there once and every alert once, and what had to go is counted."""
import contextlib
import datetime
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time

from harness import (PATIENCE, PG_BIN, ROOT, Cluster, Disk, Program, Tap, program, run, skip_all,
                     temp_dir, wait_for, write)

DRIVER = program("helpers/store_driver")
if not os.path.exists(DRIVER):
    skip_all(f"{DRIVER} is not built")

START_MS = 1741737600000  # 2025-03-12T00:00:00Z
METERS, HOUR = 1500, 60  # readings each minute
SEGMENT, ROOM = 256 << 10, 4 << 30
EVERY = 500  # readings an alert, four alerts an alarm


def size_of(folder):
    """Of its files; a checkpoint may be renamed meanwhile."""
    size = 0
    for entry in os.scandir(folder):
        try:
            size += entry.stat().st_size
        except FileNotFoundError:
            pass
    return size


class Spool:
    """The driver with a journal of its own, on a database of its own."""

    count = 0

    def __init__(self, cluster, dir=None):
        Spool.count += 1
        if not cluster.running():  # a test before has failed
            cluster.start()
        self.cluster = cluster
        self.database = cluster.create(f"spool{Spool.count}")
        self.state = dir or temp_dir()
        os.makedirs(self.state, exist_ok=True)
        self.dir = os.path.join(self.state, "journal")
        self.conninfo = cluster.conninfo_file(self.database)

    def start(self, rounds=HOUR, meters=METERS, batch=10000, pause_ms=0, max_bytes=ROOM, rate=0,
              **more):
        self.readings = meters * rounds
        return Program([DRIVER, self.dir, self.conninfo, meters, rounds, batch, pause_ms, START_MS,
                        SEGMENT, max_bytes, rate, EVERY], **more)

    def respool(self, since):
        config = write(os.path.join(self.state, "conf"), f"[daemon]\nstate_dir = {self.state}\n"
                       f"[database]\nconninfo = {self.cluster.conninfo(self.database)}\n")
        return run([program("lodewatch"), "respool", "--config", config, "--from", since])

    def make_tables(self):
        """Empty ones; its journal is a new one then."""
        self.check(self.start(rounds=1, meters=2000))
        self.psql("TRUNCATE reading, meter_last, alert, alarm, store_cursor")
        self.dir = os.path.join(temp_dir(), "journal")

    def at_rest(self):
        """What is stored once nobody stores anything any more."""
        idle, before = 0, None
        while idle < 10:
            time.sleep(0.1)
            stored = self.stored()
            busy = self.psql("SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                             " AND pid <> pg_backend_pid() AND state <> 'idle'")
            idle = 0 if busy or stored != before else idle + 1
            before = stored
        return before

    def psql(self, sql):
        return self.cluster.psql(sql, self.database)

    def stored(self):
        with contextlib.suppress(RuntimeError):  # away, or no tables yet
            return int(self.psql("SELECT count(*) FROM reading"))
        return 0

    def ranges(self):
        with contextlib.suppress(RuntimeError):
            return int(self.psql("SELECT count(*) FROM store_cursor"))
        return 0

    def check(self, driver, seconds=30, lost=False):
        """It comes to its end: everything once, but for what was counted as lost."""
        code = driver.wait(seconds)
        assert code == 0, (code, driver.err)
        stats = json.loads(driver.out.splitlines()[-1])
        gone = stats["dropped"] + stats["removed"]
        rows, once, alerts, alarms, cursors = self.psql(
            "SELECT count(*), count(DISTINCT (meter_id, ts)), (SELECT count(*) FROM alert),"
            " (SELECT count(*) FROM alarm WHERE revision = 4),"
            " (SELECT count(*) FROM store_cursor) FROM reading").split("|")
        want = (self.readings, self.readings // EVERY, self.readings // EVERY // 4, 3)
        got = (int(rows) + gone, int(alerts), int(alarms), int(cursors))
        assert rows == once and got == want, (rows, once, got, want, stats, driver.err)
        assert (gone > 0) == lost, stats
        stale = self.psql("SELECT count(*) FROM meter_last l WHERE ts <>"
                          " (SELECT max(ts) FROM reading r WHERE r.meter_id = l.meter_id)")
        assert stale == "0", f"{stale} rows of meter_last are not the newest"
        return stats


class HalfOpen:
    """A proxy that can stop carrying both ways, and closes nothing."""

    def __init__(self, port):
        self.to, self.silent, self.carried = port, False, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.to))
            self.carried.append((peer, server))  # so that nothing is closed
            threading.Thread(target=self.carry, args=(peer, server), daemon=True).start()

    def carry(self, peer, server):
        other = {peer: server, server: peer}
        while True:
            for s in select.select([peer, server], [], [])[0]:
                data = s.recv(65536)
                if self.silent:
                    return
                if not data:
                    peer.close(), server.close()
                    return
                other[s].sendall(data)


@contextlib.contextmanager
def tmpfs(size, owner=None):
    """A small disk; None where it cannot be had."""
    path = temp_dir(owner)
    options = f"size={size}" + (f",uid={owner},gid={owner},mode=700" if owner else "")
    if os.geteuid() != 0 or run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]).returncode:
        yield None
        return
    try:
        yield path
    finally:
        run(["umount", "-l", path])


def small_disk(name, size, test, owner=None):
    with tmpfs(size, owner) as path:
        if path is None:
            tap.skip(name, "no tmpfs can be mounted here")
        else:
            with tap.test(name):
                test(path)


tap = Tap(9)
pg = Cluster()

# Found out by time alone, so it runs beside the others; on a PostgreSQL of its own, since there
# DROP DATABASE waits for a backend that was cut off in the middle of COPY.
cut = Spool(Cluster())
proxy = HalfOpen(cut.cluster.port)
write(cut.conninfo, f"hostaddr=127.0.0.1 port={proxy.port} user=postgres dbname={cut.database}\n",
      0o600)
cut_driver = cut.start(rounds=200, meters=100, batch=500, pause_ms=20)
wait_for(lambda: cut.stored() > 2000, what="some readings")
proxy.silent = True
cut_since = time.time()


def mend():
    cut_driver.wait_text("no answer in time", 60)
    proxy.silent = False


mending = threading.Thread(target=mend, daemon=True)
mending.start()

away = Cluster(max_connections=20)  # the one that is stopped and started

with tap.test("an hour without PostgreSQL: what is new goes first, then the hour; killed midway"):
    spool = Spool(away)
    spool.make_tables()
    away.stop()
    driver = spool.start(rounds=4 * HOUR, pause_ms=60, rate=5000)
    driver.wait_text("PostgreSQL is away")
    wait_for(lambda: size_of(spool.dir) > 8 << 20,  # half of it on the disk, even a slow one
             what="an hour in the journal")
    driver.signal(signal.SIGSTOP)  # else nothing may be new any more when PostgreSQL is back
    away.start()
    driver.signal(signal.SIGCONT)
    wait_for(lambda: spool.ranges() > 3 and spool.stored() > 0, 30, "a backlog")
    newest = spool.psql("SELECT max(ts) FROM reading")
    wait_for(lambda: spool.psql("SELECT max(ts) FROM reading") > newest, 10, "what is new")
    assert spool.ranges() > 3, "the backlog did not last"
    oldest = spool.psql("SELECT extract(epoch FROM min(ts)) FROM meter_last")
    assert float(oldest) * 1000 > START_MS + 1800 * 1000, "what is new did not go first"
    driver.wait_text("all", 30, "out")
    assert spool.ranges() > 3, "the backlog did not last"
    driver.kill()
    spool.check(spool.start(rounds=4 * HOUR), 60)  # not a new journal: appends nothing

with tap.test("respool: a backup of some time ago, damaged too, is refilled from the journal"):
    spool = Spool(pg)
    driver = spool.start(rounds=40, pause_ms=20, batch=2000)
    wait_for(lambda: spool.stored() > 10000, what="some readings")
    backup = os.path.join(temp_dir("postgres"), "backup")
    dumped = run([os.path.join(PG_BIN, "pg_dump"), "-d", pg.conninfo(spool.database), "-f", backup])
    assert dumped.returncode == 0, dumped.stderr
    spool.check(driver)
    pg.psql(f"DROP DATABASE {spool.database}")
    pg.create(spool.database)
    restored = run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", pg.conninfo(spool.database),
                    "-f", backup])
    assert restored.returncode == 0, restored.stderr
    assert 10000 <= spool.stored() < spool.readings, "the backup is of no use"
    spool.psql("DELETE FROM reading WHERE ts < '2025-03-12 00:03Z'; DELETE FROM alert"
               " WHERE at < '2025-03-12 00:30Z'; DELETE FROM alarm; DELETE FROM meter_last")
    done = spool.respool("2025-03-11T00:00:00Z")
    assert done.returncode == 0 and "bytes of its journal again" in done.stdout, done
    assert "what arrived from 2025-03-11T00:00:00Z on until then is not in it" in done.stdout, done
    spool.check(spool.start(rounds=40))
    done = spool.respool("yesterday")
    assert done.returncode == 2 and "is no time" in done.stderr, done

with tap.test("respool under way: the daemon takes it up, and brings nothing twice"):
    spool = Spool(pg)
    spool.check(spool.start(rounds=40))
    spool.psql("DELETE FROM reading WHERE ts < '2025-03-12 00:10Z'")
    for _ in range(2):  # asked for twice
        done = spool.respool("2025-03-12T00:00:00Z")
        assert done.returncode == 0, done
    spool.check(spool.start(rounds=40))

with tap.test("the journal is full: the oldest readings go and are counted, no alert does"):
    spool = Spool(away)
    away.stop()
    driver = spool.start(pause_ms=20, max_bytes=2 << 20)
    driver.wait_text("all", 30, "out")
    driver.wait_text("are lost: too old, or no room")
    away.start()
    spool.check(driver, lost=True)


def journal_disk_full(path):
    spool = Spool(away, os.path.join(path, "1"))
    spool.check(spool.start(pause_ms=80))  # what PostgreSQL has taken gives way, though it is young
    shutil.rmtree(spool.dir)
    spool = Spool(away, os.path.join(path, "2"))
    away.stop()
    driver = spool.start(pause_ms=30)
    driver.wait_text("No space left on device")
    driver.wait_text("all", 40, "out")
    # What goes while PostgreSQL takes it is counted as lost too, and is not.
    wait_for(lambda: driver.err.rfind("again;") > driver.err.rfind("No space left"), 40, "room")
    away.start()
    spool.check(driver, lost=True)


small_disk("the journal's disk is full: what is taken goes, then the oldest readings", "4m",
           journal_disk_full)

with tap.test("fsync fails for a while: nothing leaves meanwhile, and then everything once"):
    disk = Disk()
    spool = Spool(pg)
    spool.make_tables()
    driver = spool.start(rounds=40, pause_ms=60, env=disk.env)
    wait_for(spool.stored, what="some readings")
    disk.failing(True)
    driver.wait_text("Input/output error")
    before = spool.at_rest()  # what was durable is stored
    driver.wait_text("all", 30, "out")
    assert spool.at_rest() == before, "rows left before they were durable"
    disk.failing(False)
    driver.wait_text("writes to")
    spool.check(driver)


def database_disk_full(path):
    full = Cluster()
    full.psql(f"CREATE TABLESPACE small LOCATION '{path}'")
    spool = Spool(full)
    full.psql(f"ALTER DATABASE {spool.database} SET TABLESPACE small")
    driver = spool.start(rounds=HOUR)
    driver.wait_text("No space left on device", 30)
    grown = run(["mount", "-o", "remount,size=200m", path])
    assert grown.returncode == 0, grown.stderr
    spool.check(driver)
    full.stop()


small_disk("PostgreSQL's disk is full, then it has room again", "14m", database_disk_full,
           pg.user)

with tap.test("a migration is cut off half-way; the next one brings an older database along"):
    spool = Spool(pg)
    spool.check(spool.start(rounds=20, meters=400))
    spool.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with open(os.path.join(ROOT, "daemon/store/sql/0001_init.sql"), encoding="utf-8") as f:
        spool.psql(f.read())
    with open(os.path.join(spool.dir, "store.id"), encoding="ascii") as f:
        name = f.read()
    spool.psql("CREATE TABLE schema_version(version int4 PRIMARY KEY, at timestamptz NOT NULL"
               " DEFAULT now()); INSERT INTO schema_version VALUES (1);"
               f" INSERT INTO store_cursor VALUES ('{name}', 0, now())")
    holder = Program(["psql", "-X", "-d", pg.conninfo(spool.database), "-c",
                      "BEGIN; LOCK TABLE store_cursor IN ACCESS SHARE MODE; SELECT pg_sleep(600)"])
    wait_for(lambda: spool.psql("SELECT count(*) FROM pg_locks WHERE relation ="
                                " 'store_cursor'::regclass") == "1", what="the lock")
    driver = spool.start(rounds=20, meters=400)
    waiting = ("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND"
               f" wait_event = 'relation' AND datname = '{spool.database}'")
    wait_for(lambda: spool.psql(waiting), what="the migration waits")
    driver.kill()
    os.kill(int(spool.psql(waiting).split()[0]), signal.SIGKILL)
    holder.kill()

    def columns():
        with contextlib.suppress(RuntimeError):
            return spool.psql("SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM"
                              " information_schema.columns WHERE table_name = 'store_cursor'")
        return ""
    wait_for(columns, what="PostgreSQL recovers")
    assert columns() == "at journal_id position", "half a migration"
    spool.check(spool.start(rounds=20, meters=400))

with tap.test("the network is cut and nobody says so: found out, and everything is stored once"):
    mending.join()
    line = next(x for x in cut_driver.err.splitlines() if "no answer in time" in x)
    found = datetime.datetime.fromisoformat(line.split()[0]).timestamp()
    assert found - cut_since < 30 + 10 * PATIENCE, f"{found - cut_since} s"
    cut.check(cut_driver, 60)

sys.exit(tap.done())
