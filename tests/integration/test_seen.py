#!/usr/bin/python3
"""What polling shows of itself: /metrics, the API and `lodewatch status` say the same, and
what is wrong."""
import json
import os
import re
import shutil
import signal
import struct
import subprocess

from running import BUILD, Daemon, Gateway, check, equal, free_port, tap, wait_for

CLOCK = ("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "50")


class Mixed(Gateway):
    """Unit 1 answers, unit 2 never does, unit 3 with exception 4."""
    accepted = 0

    def serve(self, peer):
        data = b""
        self.accepted += 1
        with peer:
            while chunk := peer.recv(4096):
                data += chunk
                while len(data) >= 12:
                    tid, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", data[:12])
                    data = data[12:]
                    if unit == 1:
                        peer.sendall(struct.pack(">HHHBBB", tid, 0, 3 + 2 * count, unit,
                                                 function, 2 * count) + bytes(2 * count))
                    elif unit == 3:
                        peer.sendall(struct.pack(">HHHBBB", tid, 0, 3, unit, function | 0x80, 4))


def world(gateway):
    """g"1 has one of each kind; g2 is where nothing listens; g3 waits for a DTU."""
    d = Daemon(gateway, ledger={
        "meters.csv": "meter_id,installed_at,removed_at,site_id,role,gateway_id,unit,profile,"
                      "interval_s\n"
                      "good,2024-01-01,,s1,supply,\"g\"\"1\",1,generic,10\n"
                      "was,2024-01-01,2024-06-01,s1,supply,\"g\"\"1\",9,generic,10\n"
                      "mute,2024-01-01,,s2,supply,\"g\"\"1\",2,generic,10\n"
                      "wrong,2024-01-01,,s3,supply,\"g\"\"1\",3,generic,10\n"
                      "away,2024-01-01,,s2,supply,g2,1,generic,10\n"})
    d.write("ledger/gateways.csv", "gateway_id,transport,address,registration,timeout_ms\n"
            f"\"g\"\"1\",tcp,127.0.0.1:{gateway.port},,400\n"
            f"g2,tcp,127.0.0.1:{free_port()},,100\n"
            f"g3,dial_in_tcp,127.0.0.1:{free_port()},DTU-3,100\n")
    return d


def status(d, *arguments):
    done = subprocess.run([os.path.join(BUILD, "lodewatch"), "status", "--config",
                           d.path("conf"), *arguments], text=True, capture_output=True, timeout=60)
    equal(done.stderr, "")
    return done.stdout


def seen():
    """A dead unit, one that refuses, a dead gateway, and one that is awaited: all are told"""
    gateway = Mixed()
    d = world(gateway).start(*CLOCK)

    def gateways():
        return {g["id"]: g for g in d.json("/api/v1/gateways")["gateways"]}
    check(wait_for(lambda: gateways()['g"1']["reads"]["timeout"] >= 2 and
                   gateways()['g"1']["reads"]["exception"] >= 2 and
                   gateways()["g2"]["reads"]["link"] >= 2, 20), gateways())
    g = gateways()
    equal(sorted(g), ['g"1', "g2", "g3"])
    g1 = g['g"1']
    equal((g1["state"], g1["meters"], g1["meters_silent"]), ("up", 3, 2))
    equal(list(g1["exceptions"]), ["4"])
    equal(g1["exceptions"]["4"], g1["reads"]["exception"])
    check(g1["last_good"].startswith("2025-01-01T00:"), g1)
    check(g1["replies"]["n"] == sum(b["n"] for b in g1["replies"]["buckets"]) >= 3, g1)
    check(g1["round_ms"] > 0 and 0 < g1["load"] <= 1, g1)
    equal((g["g2"]["state"], g["g2"]["last_good"]), ("backoff", None))
    check(g["g2"]["retry_ms"] > 0 and g["g2"]["refused"] > 0, g["g2"])
    equal((g["g3"]["state"], g["g3"]["meters"]), ("awaited", 0))

    pages, after = [], ""
    while after is not None:
        page = d.json("/api/v1/gateways?limit=1" + (after and "&after=" + after))
        pages += [row["id"] for row in page["gateways"]]
        after = page["next"]
    equal(pages, sorted(g))

    rows = {m["id"]: m for m in d.json('/api/v1/meters?gateway=g%221')["meters"]}
    equal(sorted(rows), ["good", "mute", "wrong"])
    equal((rows["good"]["last"], rows["good"]["failures"], rows["good"]["backs_off"]),
          ("good", 0, False))
    check(rows["good"]["latency_ms"] >= 1 and rows["good"]["last_good"], rows["good"])
    equal((rows["mute"]["last"], rows["mute"]["latency_ms"], rows["mute"]["last_good"]),
          ("timeout", None, None))
    check(rows["mute"]["failures"] >= 2, rows["mute"])
    equal((rows["wrong"]["last"], rows["wrong"]["exception"]), ("exception", 4))
    check(wait_for(lambda: {m["id"]: m for m in d.json('/api/v1/meters?gateway=g%221')["meters"]}
                   ["mute"]["backs_off"], 20), "it does not back off")
    equal([m["id"] for m in d.json('/api/v1/meters?gateway=g%221&limit=1&after=good')["meters"]],
          ["mute"])
    for query, want in (("", 400), ("?gateway=none", 400), ("?gateway=g2&after=good", 400)):
        equal((query, d.get("/api/v1/meters" + query)[0]), (query, want))

    text = status(d)
    lines = text[text.index("\ngateway "):].split("\n")[2:5]
    equal([line.split()[0] for line in lines], ["g2", "g3", 'g"1'])
    check(re.search(r"exception \d+", lines[2]), lines)
    equal([row["id"] for row in json.loads(status(d, "--json"))["gateways"]], sorted(g))

    metrics = d.metrics()
    equal(metrics['lodewatch_gateway_up{gateway="g\\"1"}'], 1)
    equal(metrics['lodewatch_gateway_up{gateway="g2"}'], 0)
    equal(metrics['lodewatch_gateway_meters_silent{gateway="g\\"1"}'], 2)
    check(metrics['lodewatch_gateway_reads_total{gateway="g\\"1",result="timeout"}'] >= 2, metrics)
    check(metrics['lodewatch_exceptions_total{code="4"}'] >= 2, metrics)
    check(metrics['lodewatch_reply_seconds_count'] >= 3, metrics)
    check(metrics['lodewatch_gateway_busy_seconds_total{gateway="g\\"1"}'] > 0, metrics)
    equal(metrics["lodewatch_meters_silent"], 3)
    exposed = d.get("/metrics")[2]

    d.signal(signal.SIGHUP)
    check(wait_for(lambda: "reloaded" in d.logged()), "not reloaded")
    check(wait_for(lambda: gateways()['g"1']["reads"]["good"] > g1["reads"]["good"] + 5), "no reads")
    equal((gateways()['g"1']["connects"], gateway.accepted), (1, 1))
    d.close()
    gateway.close()
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=exposed,
                              capture_output=True, timeout=60)
        equal((done.returncode, done.stderr), (0, b""))


def many_gateways():
    """With many gateways /metrics has no series for each; status shows a screen of them"""
    n, port = 250, free_port()
    d = Daemon(ledger={"meters.csv": ""})
    d.write("ledger/gateways.csv", "gateway_id,transport,address\n" + "".join(
        f"g{i:03},tcp,127.0.{i}.1:{port}\n" for i in range(n)))
    d.start()
    check("gateway=" not in d.get("/metrics")[2].decode(), "a series a gateway")
    equal(d.metric("lodewatch_gateways"), n)
    text = status(d)
    equal(len(re.findall(r"^g\d\d\d ", text, re.M)), 30)
    check("and 220 more" in text, text)
    equal(len(json.loads(status(d, "--json"))["gateways"]), n)
    d.close()


tap([seen, many_gateways])
