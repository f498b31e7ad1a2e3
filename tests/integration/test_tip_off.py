#!/usr/bin/python3
"""A load that ends after its alarm was read: told to inspection, once, and to nobody else, over
kill -9, restarts and PostgreSQL."""
import json
import os
import socket
import stat
import struct
import subprocess
import threading

import harness
import jsonschema
from running import LEDGER, ROOT, Daemon, check, equal, tap, wait_for
from world import journal

CLI = harness.program("lodewatch")
QUARTER = 900
INSPECTION = 7  # kind of record
RATE = "3600"
METERS = ("meter_id,installed_at,site_id,role,gateway_id,unit,profile,interval_s,rated_kw\n"
          "m1,2024-01-01,s1,supply,g1,1,generic,900,400\n")
with open(os.path.join(ROOT, "docs/schema/tip_off-1.schema.json"), encoding="utf-8") as schema:
    SCHEMA = jsonschema.Draft202012Validator(json.load(schema))


class Crusher:
    """A Modbus TCP device whose register moves by 10 kWh with each reading while it runs."""

    def __init__(self):
        self.wh, self.more = 1000000, None  # how many readings it still runs; None: for ever
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def step(self):
        if self.more != 0:
            self.wh += 10000
        if self.more:
            self.more -= 1

    def serve(self, peer):
        data = b""
        with peer:
            while chunk := peer.recv(4096):
                data += chunk
                while len(data) >= 12:
                    tid, _, _, unit, function, start, count = struct.unpack(">HHHBBHH", data[:12])
                    data = data[12:]
                    registers = bytearray(2 * 256)
                    if start <= 4 and start + count >= 8:
                        self.step()
                    registers[8:16] = struct.pack(">q", self.wh)
                    body = bytes(registers[2 * start:2 * (start + count)])
                    peer.sendall(struct.pack(">HHHBBB", tid, 0, 3 + len(body), unit, function,
                                             len(body)) + body)


def begin(d):
    """A simulated clock waits for a follower at first: one that comes and goes lets it run"""
    d.start("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", RATE)
    with socket.socket(socket.AF_UNIX) as follower:
        follower.connect(d.path("state/clock.sock"))


def kill(d):
    d.process.kill()
    d.process.wait()


def lines(d):
    try:
        with open(d.path("inspection.ndjson"), encoding="utf-8") as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def told_to_nobody_else(d, cluster):
    """Not in the ordinary sink, the API, PostgreSQL, the log, the figures, a replay."""
    replayed = subprocess.run([CLI, "replay", "--events", d.path("state/journal")], text=True,
                              capture_output=True, timeout=30)
    stored = "SELECT coalesce(string_agg(alert::text, ' '), '') FROM alert"
    check(wait_for(lambda: "closed_load" in cluster.psql(stored, "tip_off")), d.logged())
    places = {
        "alerts.ndjson": json.dumps(d.alerts(), ensure_ascii=False),
        "/api/v1/alerts": d.get("/api/v1/alerts")[2].decode(),
        "/metrics": d.get("/metrics")[2].decode(),
        "the log": d.logged(),
        "a replay": replayed.stdout + replayed.stderr,
        "PostgreSQL": cluster.psql(stored, "tip_off"),
    }
    check("closed_load" in replayed.stdout, replayed.stderr)
    for place, text in places.items():
        for word in ("tip_off", "王五", "inspection", "tip-off"):
            check(word not in text, f"{word} in {place}:\n{text}")


def tip_off():
    """The record is there once, after a crash between the read and the fall, and one behind it"""
    cluster = harness.Cluster()
    crusher = Crusher()
    d = Daemon(gateway=crusher, ledger={"meters.csv": METERS},
               database={"conninfo": cluster.conninfo(cluster.create("tip_off"))},
               inspection={"ndjson": "PATH"}, journal={"sync": "20ms"})
    d.write_config(inspection={"ndjson": d.path("inspection.ndjson")})
    begin(d)

    def raised():
        return [a for a in d.alerts() if a["data"]["rule"]["id"] == "closed_load"]

    check(wait_for(raised, 30), d.logged())
    alarm = raised()[0]["data"]["alarm"]["id"]
    act = {"act": "read", "alarm": alarm, "by": "王五"}
    status, _, body = d.get("/api/v1/acts", method="POST", body=json.dumps(act))
    equal(status, 200)
    equal(json.loads(body)["data"]["alarm"]["id"], alarm)
    crusher.more = 1
    kill(d)
    equal(lines(d), [])
    begin(d)
    check(wait_for(lambda: lines(d), 30), d.logged())
    record = json.loads(lines(d)[0])
    SCHEMA.validate(record)
    data = record["data"]
    equal((record["type"], record["subject"]), ("org.lodewatch.audit.tip_off.v1", "site/s1"))
    equal(record["id"], f"{alarm}.tip_off.1")
    equal((data["read"]["by"], data["read"]["verified"]), ("王五", False))
    equal((data["load"]["before_kw"], data["load"]["after_kw"]), (40, 0))
    check(0 <= data["load"]["delay_s"] <= 2 * QUARTER, data["load"])
    equal(data["before"]["falls"], 0)
    for name, mode in (("inspection.ndjson", 0o600), ("state/journal", 0o700)):
        equal((name, stat.S_IMODE(os.stat(d.path(name)).st_mode)), (name, mode))
    told_to_nobody_else(d, cluster)

    kill(d)
    begin(d)
    check(wait_for(lambda: [a for a in d.alerts() if a["type"].endswith("returned.v1")], 30), d.logged())
    told_to_nobody_else(d, cluster)
    equal(d.stop()[0], 0)
    equal({json.loads(line)["id"] for line in lines(d)}, {record["id"]})
    equal(set(lines(d)), {lines(d)[0]})
    kept = [payload for kind, payload in journal(d.path("state/journal")) if kind == INSPECTION]
    equal([payload[29:].decode() for payload in kept], [lines(d)[0]])
    d.close()
    cluster.stop()


def refused():
    """Where others would read it, nothing starts; a file that cannot be made is said"""
    for path in ("-", "alerts.ndjson"):
        d = Daemon(alerts={"ndjson": "alerts.ndjson"}, inspection={"ndjson": path})
        done = d.run("--check")
        equal(done.returncode, 2)
        check("ndjson: a file of its own was expected" in done.stderr, done.stderr)
        d.close()
    d = Daemon(inspection={"ndjson": "/nowhere/records.ndjson"})
    done = d.run()
    equal(done.returncode, 1)
    check("[inspection] ndjson /nowhere/records.ndjson: No such file" in done.stderr, done.stderr)
    d.close()


tap([tip_off, refused])
