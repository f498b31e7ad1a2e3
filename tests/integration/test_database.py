#!/usr/bin/python3
"""The daemon with PostgreSQL: what it stores and reads back, and when PostgreSQL is away."""
import os
import select
import shutil
import signal
import socket
import threading

import harness
from running import Daemon, Gateway, check, equal, tap, wait_for

CLUSTER = harness.Cluster()
CLOCK = ("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "600")


def history():
    """Alerts are stored, and read back by time and number"""
    database = CLUSTER.create("history")
    d = Daemon(database={"conninfo": CLUSTER.conninfo(database)}).start(*CLOCK)
    check(wait_for(lambda: len(d.alerts()) >= 3), d.logged())
    check(wait_for(lambda: len(d.json("/api/v1/alerts?state=all")["alerts"]) >= 3), d.logged())
    delivered = {a["id"]: a for a in d.alerts()}
    got = d.json("/api/v1/alerts?state=all&limit=3")["alerts"]
    equal(len(got), 3)
    for alert in got:
        equal(alert, delivered[alert["id"]])
    rows = [("before", "to=2025-01-01T00:00:00Z", 0), ("after", "from=2030-01-01", 0),
            ("local time", "from=2025/1/1 8:00&to=2031-01-01&limit=2", 2),
            ("with an offset", "from=2025-01-01T08:00:00+08:00&limit=1", 1)]
    for name, query, want in rows:
        query = query.replace(" ", "%20")
        equal((name, len(d.json("/api/v1/alerts?state=all&" + query)["alerts"])), (name, want))
    equal(d.get("/api/v1/alerts?state=all&limit=1001")[0], 400)
    equal(d.stop()[0], 0)
    d.close()


def stores_readings():
    """Readings are stored; at SIGTERM nothing is left behind"""
    gateway = Gateway()
    database = CLUSTER.create("readings")
    d = Daemon(gateway, timed=True, database={"conninfo": CLUSTER.conninfo(database)}).start(
        "--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "100")
    check(wait_for(lambda: (d.metric("lodewatch_readings_stored_total") or 0) >= 20), d.logged())
    check(wait_for(lambda: d.get("/readyz")[0] == 200), d.get("/readyz")[2])
    code, seconds = d.stop()
    equal(code, 0)
    check(seconds < 5, f"{seconds} s")
    check(int(CLUSTER.psql("SELECT count(*) FROM reading", database)) >= 20, "rows")
    d.close()
    gateway.close()


def away_and_back():
    """PostgreSQL goes and comes: alerts go on, /readyz says so, then everything is stored"""
    gateway = Gateway()
    database = CLUSTER.create("away")
    d = Daemon(gateway, database={"conninfo": CLUSTER.conninfo(database)}).start(
        "--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "100")
    check(wait_for(lambda: d.get("/readyz")[0] == 200), d.get("/readyz")[2])
    CLUSTER.stop()
    try:
        check(wait_for(lambda: d.get("/readyz")[0] == 503), "still ready")
        equal(d.get("/api/v1/alerts?state=all")[0], 503)
        equal(d.get("/api/v1/alerts")[0], 200)
        before = d.metric("lodewatch_readings_total")
        check(wait_for(lambda: d.metric("lodewatch_readings_total") > before + 5), "polls stop")
    finally:
        CLUSTER.start()
    check(wait_for(lambda: d.get("/readyz")[0] == 200, 30), d.logged())
    have = d.metric("lodewatch_readings_total")
    check(wait_for(lambda: d.metric("lodewatch_readings_stored_total") >= have), d.logged())
    equal(d.stop()[0], 0)
    d.close()
    gateway.close()


def import_ledger(d):
    done = harness.run([harness.program("lodewatch"), "import", "--config", d.path("conf"),
                        d.path("ledger")])
    equal((done.returncode, done.stderr if done.returncode else ""), (0, ""))


def ledger_in_database():
    """A ledger in PostgreSQL: loaded, loaded anew at SIGHUP, and a snapshot without it"""
    if "import" not in harness.run([harness.program("lodewatch"), "--help"]).stdout:
        return "there is no lodewatch import"
    database = CLUSTER.create("ledger")
    d = Daemon(database={"conninfo": CLUSTER.conninfo(database)})

    import_ledger(d)
    d.write_config(daemon={"ledger": ""})
    d.start()
    equal(len(d.json("/api/v1/sites")["sites"]), 3)
    with open(d.path("ledger/sites.csv"), "a", encoding="utf-8") as f:
        f.write("s4,四号矿,coal_mine,closed,2024-01-01,c1,,,\n")
    import_ledger(d)
    d.signal(signal.SIGHUP)
    check(wait_for(lambda: len(d.json("/api/v1/sites")["sites"]) == 4), d.logged())
    CLUSTER.stop()
    try:
        check(wait_for(lambda: not d.json("/readyz")["checks"][0]["ok"]), "still there")
        d.signal(signal.SIGHUP)
        check(wait_for(lambda: "which has the ledger, is away" in d.logged()), d.logged())
        equal(d.stop()[0], 0)
        d.start()
        check("ledger.snapshot" in d.logged(), d.logged())
        equal(len(d.json("/api/v1/sites")["sites"]), 4)
        equal(d.stop()[0], 0)
        os.unlink(d.path("state/ledger.snapshot"))
        equal(d.run().returncode, 2)
    finally:
        CLUSTER.start()
    d.close()


def refused_ledger():
    """A ledger in PostgreSQL that is refused, or empty: the old one and its snapshot stay"""
    database = CLUSTER.create("refused")
    d = Daemon(database={"conninfo": CLUSTER.conninfo(database)})
    import_ledger(d)
    d.write_config(daemon={"ledger": ""})
    d.start()
    snapshot = d.path("state/ledger.snapshot")
    with open(snapshot, "rb") as f:
        good = f.read()
    for sql, why in (("UPDATE meter SET profile = 'nope'", "no profile"),
                     ("DELETE FROM meter; DELETE FROM licence; DELETE FROM explanation;"
                      "DELETE FROM contact; DELETE FROM site", "lodewatch import")):
        CLUSTER.psql(sql, database)
        d.signal(signal.SIGHUP)
        check(wait_for(lambda why=why: why in d.logged()), d.logged())
        equal(len(d.json("/api/v1/sites")["sites"]), 3)
        with open(snapshot, "rb") as f:
            check(f.read() == good, f"the snapshot is another one: {why}")
    equal(d.stop()[0], 0)
    done = d.run("--check")
    equal((done.returncode, "lodewatch import" in done.stderr), (2, True))
    d.close()


class Frozen:
    """A TCP proxy to PostgreSQL that falls silent when it sees `text`, and says no more."""

    def __init__(self, port):
        self.to, self.text = port, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(peer,), daemon=True).start()

    def carry(self, peer):
        with peer, socket.create_connection(("127.0.0.1", self.to)) as server:
            other = {peer: server, server: peer}
            while True:
                for s in select.select([peer, server], [], [])[0]:
                    data = s.recv(65536)
                    if not data:
                        return
                    if s is not peer or self.text is None or self.text not in data:
                        other[s].sendall(data)


def silent_at_reload():
    """PostgreSQL falls silent while SIGHUP reads the ledger: given up before the watchdog bites"""
    database = CLUSTER.create("silent")
    proxy = Frozen(CLUSTER.port)
    d = Daemon(database={"conninfo": f"hostaddr=127.0.0.1 port={proxy.port} user=postgres"
                                     f" dbname={database}"})
    import_ledger(d)
    d.write_config(daemon={"ledger": ""})
    d.start()
    check(wait_for(lambda: d.json("/readyz")["checks"][0]["ok"]), d.logged())
    proxy.text = b"FROM schema_version"
    d.signal(signal.SIGHUP)
    check(wait_for(lambda: "ledger.snapshot" in d.logged(), 15), d.logged())
    equal(len(d.json("/api/v1/sites")["sites"]), 3)
    equal(d.stop()[0], 0)
    d.close()


def another_journal():
    """A journal that was removed: the new one is stored from its beginning"""
    gateway = Gateway()
    database = CLUSTER.create("another")
    d = Daemon(gateway, database={"conninfo": CLUSTER.conninfo(database)})
    for start in ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"):
        shutil.rmtree(d.path("state/journal"), ignore_errors=True)
        d.start("--clock-start", start, "--clock-rate", "100")
        check(wait_for(lambda: (d.metric("lodewatch_readings_total") or 0) >= 20), d.logged())
        equal(d.stop()[0], 0)
    check("has more of this journal" not in d.logged(), d.logged())
    equal(CLUSTER.psql("SELECT count(DISTINCT journal_id) FROM store_cursor", database), "2")
    d.close()
    gateway.close()


tap([history, stores_readings, away_and_back, ledger_in_database, refused_ledger,
     silent_at_reload, another_journal])
