#!/usr/bin/python3
"""HTTP: who may ask what, what is answered, and that nobody can hold the others up."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import PATIENCE
from running import SANITIZED, TOKEN, Daemon, Gateway, check, equal, free_port, tap, wait_for

CLOCK = ("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "3600")


def raw(address, data, seconds=10 * PATIENCE, family=socket.AF_INET):
    """Sends bytes, returns all that comes until the other side closes."""
    with socket.socket(family) as s:
        s.settimeout(seconds)
        s.connect(address)
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        got = b""
        try:
            while chunk := s.recv(65536):
                got += chunk
        except (socket.timeout, ConnectionResetError):
            pass
        return got


def access():
    """Health is open; metrics and the API want the token; every error is a problem document"""
    d = Daemon().start()
    almost = TOKEN[:-1] + "A"
    rows = [  # name, path, request, status
        ("health", "/healthz", {"token": None}, 200),
        ("metrics without a token", "/metrics", {"token": None}, 401),
        ("metrics", "/metrics", {}, 200),
        ("API without a token", "/api/v1/alerts", {"token": None}, 401),
        ("a wrong token", "/api/v1/alerts", {"token": almost}, 401),
        ("a longer token", "/api/v1/alerts", {"token": TOKEN + "x"}, 401),
        ("an empty token", "/api/v1/alerts", {"token": None,
                                              "headers": {"Authorization": "Bearer "}}, 401),
        ("another scheme", "/api/v1/alerts", {"token": None, "headers": {
            "Authorization": "Basic " + TOKEN}}, 401),
        ("a scheme in small letters", "/api/v1/alerts", {"token": None, "headers": {
            "Authorization": "bearer " + TOKEN}}, 200),
        ("alerts", "/api/v1/alerts", {}, 200),
        ("sites", "/api/v1/sites?limit=2", {}, 200),
        ("the description", "/api/v1/openapi.json", {}, 200),
        ("the schema", "/api/v1/schemas/alert-1", {}, 200),
        ("no such path", "/api/v1/nothing", {}, 404),
        ("the root", "/", {}, 404),
        ("a path that climbs", "/api/v1/../../etc/passwd", {}, 404),
        ("an encoded path", "/%61pi/v1/alerts", {}, 404),
        ("an unknown parameter", "/api/v1/sites?color=red", {}, 400),
        ("a parameter of another route", "/api/v1/sites?state=all", {}, 400),
        ("a limit of nothing", "/api/v1/sites?limit=0", {}, 400),
        ("a limit too large", "/api/v1/sites?limit=1001", {}, 400),
        ("a limit that is no number", "/api/v1/sites?limit=1e2", {}, 400),
        ("twice the same", "/api/v1/sites?limit=1&limit=2", {}, 400),
        ("a bad escape", "/api/v1/sites?after=%4", {}, 400),
        ("a NUL", "/api/v1/sites?after=%00", {}, 400),
        ("an alarm that is not", "/api/v1/alerts?after=0123", {}, 400),
        ("an unknown state", "/api/v1/alerts?state=some", {}, 400),
        ("history without a database", "/api/v1/alerts?state=all", {}, 503),
        ("history from no time", "/api/v1/alerts?state=all&from=soon", {}, 400),
        ("POST", "/api/v1/alerts", {"method": "POST", "body": "{}"}, 405),
        ("PUT", "/api/v1/sites", {"method": "PUT", "body": "{}"}, 405),
        ("DELETE", "/api/v1/sites", {"method": "DELETE"}, 405),
        ("PATCH", "/healthz", {"method": "PATCH", "body": "{}"}, 405),
    ]
    for name, path, request, want in rows:
        status, headers, body = d.get(path, **request)
        equal((name, status), (name, want))
        if want >= 400:
            equal((name, headers["Content-Type"]), (name, "application/problem+json"))
            problem = json.loads(body)
            equal((name, problem["status"]), (name, want))
            check(problem["title"] and problem["title_zh"], name)
        if want == 401:
            check(headers["WWW-Authenticate"].startswith("Bearer"), name)
        if want == 405:
            equal(headers["Allow"], "GET, HEAD")
    equal(d.stop()[0], 0)
    d.close()


def without_token_file():
    """Without a token file the API is closed, and says why; metrics are this machine's"""
    d = Daemon(http={"token_file": ""}).start()
    status, _, body = d.get("/api/v1/sites", token=None)
    equal(status, 403)
    check("token_file" in json.loads(body)["title"], body)
    equal(d.get("/metrics", token=None)[0], 200)
    d.close()


def head():
    """HEAD gives GET's head and no body"""
    d = Daemon().start()
    for path in ("/healthz", "/api/v1/sites", "/api/v1/openapi.json", "/nothing"):
        status, headers, body = d.get(path)
        head_status, head_headers, head_body = d.get(path, method="HEAD")
        equal((path, head_status, head_body), (path, status, b""))
        equal(head_headers["Content-Type"], headers["Content-Type"])
        if path != "/api/v1/sites":
            equal(int(head_headers["Content-Length"]), len(body))
    d.close()


def sites():
    """Sites: what the ledger says, page by page"""
    d = Daemon().start()
    got, after = [], ""
    while after is not None:
        page = d.json("/api/v1/sites?limit=1" + ("&after=" + after if after else ""))
        got += page["sites"]
        after = page["next"]
    equal([s["id"] for s in got], ["s1", "s2", "s3"])
    equal(got, d.json("/api/v1/sites")["sites"])
    s1 = got[0]
    equal((s1["name"], s1["kind"], s1["status"]), ("一号矿", "coal_mine", "closed"))
    equal(s1["position"], {"lat": 35.6, "lon": 110.9, "datum": "CGCS2000"})
    equal(s1["area"]["id"], "c1")
    equal(s1["points"][0]["meters"][0]["gateway"], "g1")
    equal(d.json("/api/v1/sites?after=s2")["sites"][0]["id"], "s3")
    equal(d.json("/api/v1/sites?after=zz")["sites"], [])
    d.close()


def alerts():
    """Standing alerts: each the CloudEvent that was delivered, page by page"""
    d = Daemon().start(*CLOCK)
    check(wait_for(lambda: len(d.alerts()) >= 3), d.logged())
    got, after = [], ""
    while after is not None:
        page = d.json("/api/v1/alerts?limit=2" + ("&after=" + after if after else ""))
        got += page["alerts"]
        after = page["next"]
    ids = [a["id"] for a in got]
    equal(len(ids), len(set(ids)))
    delivered = {a["id"]: a for a in d.alerts()}
    for alert in got[:3]:
        equal(alert, delivered[alert["id"]])
    d.close()


def long_list():
    """A long list is made in turns: whole, in order, and nobody waits; a client may leave"""
    n = 2000
    text = "site_id,name,kind,status,status_since,area_id,lat,lon,datum\n" + "".join(
        f"s{i:05},矿{i},coal_mine,closed,2024-01-01,c1,,,\n" for i in range(n))
    d = Daemon(ledger={"sites.csv": text, "meters.csv": ""}).start(
        "--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "100")
    check(wait_for(lambda: len(d.alerts()) >= n, 30), "alerts")

    def long_turns():
        got = d.metrics()
        return got["lodewatch_loop_turn_seconds_count"] - \
            got['lodewatch_loop_turn_seconds_bucket{le="0.01"}']
    before = long_turns()
    for path, name in (("/api/v1/sites", "sites"), ("/api/v1/alerts", "alerts")):
        first = d.json(path + "?limit=1000")
        second = d.json(path + "?limit=1000&after=" + first["next"])
        ids = [item["id"] for item in first[name] + second[name]]
        equal((len(ids), len(set(ids)), second["next"]), (n, n, None))
        if name == "sites":
            equal(ids, sorted(ids))
    for _ in range(5):
        with socket.create_connection(d.address) as s:
            s.sendall(b"GET /api/v1/alerts?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: "
                      b"Bearer " + TOKEN.encode() + b"\r\n\r\n")
    equal(d.get("/healthz")[0], 200)
    check(long_turns() <= before or SANITIZED, f"{long_turns() - before} turns over 10 ms")
    with socket.create_connection(d.address) as s:  # and one in the middle at the end
        s.sendall(b"GET /api/v1/alerts?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: "
                  b"Bearer " + TOKEN.encode() + b"\r\n\r\n")
        equal(d.stop()[0], 0)
    d.close()


def ready():
    """/readyz: 200 once a gateway answers; 503 with the reasons before, and without a database"""
    d = Daemon().start()
    status, _, body = d.get("/readyz", token=None)
    equal(status, 503)
    checks = {c["name"]: c for c in json.loads(body)["checks"]}
    check(not checks["polling"]["ok"] and "gateway" in checks["polling"]["reason"], body)
    check(checks["polling"]["reason_zh"] and checks["database"]["ok"], body)
    d.close()

    gateway = Gateway()
    d = Daemon(gateway).start()
    check(wait_for(lambda: d.get("/readyz", token=None)[0] == 200), d.get("/readyz"))
    d.close()

    d = Daemon(gateway, database={"conninfo": f"host=127.0.0.1 port={free_port()}"}).start()
    check(wait_for(lambda: d.json("/readyz")["checks"][1]["ok"]), "polling")
    status, _, body = d.get("/readyz", token=None)
    equal(status, 503)
    check(json.loads(body)["checks"][0]["reason"], body)
    equal(d.get("/api/v1/alerts?state=all")[0], 503)
    d.close()
    gateway.close()


def metrics():
    """/metrics passes promtool and has the names that are promised"""
    gateway = Gateway()
    d = Daemon(gateway).start()
    check(wait_for(lambda: (d.metric('lodewatch_polls_total{result="good"}') or 0) > 0), "polls")
    text = d.get("/metrics")[2]
    for name in ("lodewatch_polls_total{result=", "lodewatch_readings_total ",
                 "lodewatch_readings_stored_total ", "lodewatch_alarms_active{priority=",
                 "lodewatch_journal_bytes ", "lodewatch_loop_stall_seconds "):
        check(re.search("^" + re.escape(name), text.decode(), re.M), name)
    equal(d.metric("lodewatch_gateways_up"), 1)
    equal(d.stop()[0], 0)
    d.close()
    gateway.close()
    if not shutil.which("promtool"):
        return "no promtool here"
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          timeout=60)
    equal((done.returncode, done.stderr), (0, b""))


def slow_client():
    """A client that drips bytes is cut off in time and holds nobody up"""
    d = Daemon(timed=True, http={"header_timeout": "1s"}).start()
    began = time.monotonic()
    with socket.create_connection(d.address) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
        s.settimeout(0.1)
        while True:
            check(time.monotonic() - began < 3 * PATIENCE, "it may drip for ever")
            equal(d.get("/healthz")[0], 200)
            try:
                s.sendall(b"y")
                if s.recv(100) == b"":
                    break
            except socket.timeout:
                continue
            except OSError:
                break
    check(time.monotonic() - began > 0.9, time.monotonic() - began)
    check(d.metric("lodewatch_http_timeouts_total") >= 1, "not counted")

    # Idle after a request: the same. And a client that never says a word.
    for first in (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b""):
        began = time.monotonic()
        raw(d.address, first)
        check(time.monotonic() - began < 3 * PATIENCE, first)
    d.close()


def deaf_client():
    """A client that does not read its replies is cut off too"""
    d = Daemon(http={"header_timeout": "1s"}).start()
    request = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + \
        TOKEN.encode() + b"\r\n\r\n"
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(d.address)
        s.setblocking(False)
        try:
            while True:
                s.send(request * 10)
        except BlockingIOError:
            pass
        check(wait_for(lambda: d.metric("lodewatch_http_timeouts_total") >= 1), "not cut off")
        check(wait_for(lambda: d.metric("lodewatch_http_connections") == 1), "still open")
    resident = d.metric("process_resident_memory_bytes") / 1e6
    check(resident < 15 or SANITIZED, f"{resident} MB")
    d.close()


def connection_limit():
    """At the limit of connections further ones wait; then they are served"""
    d = Daemon(timed=True, http={"max_connections": "3", "header_timeout": "5s"}).start()
    idle = [socket.create_connection(d.address) for _ in range(3)]
    with socket.create_connection(d.address) as s:
        s.settimeout(0.5)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            got = s.recv(100)
        except socket.timeout:
            got = None
        equal(got, None)
        idle.pop().close()
        s.settimeout(5 * PATIENCE)
        check(s.recv(100).startswith(b"HTTP/1.1 200"), "not served")
    # Those that idle on go by themselves, so the limit cannot be held.
    began = time.monotonic()
    for _ in range(20):
        equal(d.get("/healthz")[0], 200)
    check(time.monotonic() - began < 5 * PATIENCE, time.monotonic() - began)
    for s in idle:
        s.close()
    d.close()


def many_at_once():
    """200 clients at once over a limit of 8: all are answered"""
    d = Daemon(http={"max_connections": "8"}).start()
    statuses = []

    def ask():
        try:
            statuses.append(d.get("/api/v1/sites")[0])
        except OSError as error:
            statuses.append(error)
    threads = [threading.Thread(target=ask) for _ in range(200)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(20)
    equal(statuses, [200] * 200)
    check(wait_for(lambda: d.metric("lodewatch_http_connections") == 1), "connections leak")
    d.close()


def oversized():
    """Requests that are too large or make no sense are refused, and the daemon lives on"""
    d = Daemon().start()
    rows = [  # name, bytes, what the reply begins with (b"" : nothing at all is fine too)
        ("long headers", b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 100000 + b"\r\n\r\n", b"4"),
        ("a long path", b"GET /" + b"y" * 100000 + b" HTTP/1.1\r\n\r\n", b"4"),
        ("a large body", b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n",
         b"4"),
        ("a negative length", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"4"),
        ("an endless chunk", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"ffffffffffffffff\r\n", b"4"),
        ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00" * 50 + b"\r\n\r\n", b"4"),
        ("a host in the path", b"GET http://evil/healthz HTTP/1.1\r\nHost: x\r\n"
         b"Connection: close\r\n\r\n", b""),
        ("an unknown method", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        ("CONNECT", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    ]
    for name, data, want in rows:
        got = raw(d.address, data)
        if want:
            check(got == b"" or got.startswith(b"HTTP/1.1 " + want), f"{name}: {got[:80]}")
        equal((name, d.get("/healthz")[0]), (name, 200))
    equal(d.stop()[0], 0)
    d.close()


def gone_while_waiting():
    """A client that leaves while PostgreSQL is asked does no harm"""
    d = Daemon(database={"conninfo": f"host=127.0.0.1 port={free_port()}"}).start()
    request = b"GET /api/v1/alerts?state=all HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + \
        TOKEN.encode() + b"\r\n\r\n"
    for _ in range(20):
        with socket.create_connection(d.address) as s:
            s.sendall(request)
    equal(d.get("/healthz")[0], 200)
    equal(d.stop()[0], 0)
    d.close()


def unix_socket():
    """A Unix socket: served, closed to others, and a dead daemon's is taken over"""
    d = Daemon()
    path = d.path("http.sock")
    d.write_config(http={"listen": "unix:" + path})
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for killed in (True, False):
        d.start()
        equal(os.stat(path).st_mode & 0o777, 0o660)
        got = raw(path, request, family=socket.AF_UNIX)
        check(got.startswith(b"HTTP/1.1 200"), got)
        if killed:
            d.signal(signal.SIGKILL)
            d.process.wait()
        else:
            equal(d.stop()[0], 0)
    check(not os.path.exists(path), "the socket is left behind")
    d.close()


def keep_alive():
    """One connection serves many requests"""
    d = Daemon().start()
    connection = http.client.HTTPConnection(*d.address, timeout=60)
    for _ in range(50):
        connection.request("GET", "/api/v1/sites", headers={"Authorization": "Bearer " + TOKEN})
        reply = connection.getresponse()
        equal(reply.status, 200)
        json.loads(reply.read())
    equal(d.metric("lodewatch_http_connections"), 2)
    connection.close()
    d.close()


def described():
    """The OpenAPI document describes every route and parameter that is served"""
    d = Daemon().start()
    document = d.json("/api/v1/openapi.json")
    equal(document["openapi"], "3.1.0")
    for path, item in document["paths"].items():
        (method, operation), = item.items()
        status = d.get(path, method=method.upper())[0]
        check(str(status) in operation["responses"], f"{path} gives {status}")
        for parameter in operation.get("parameters", []):
            value = {"state": "standing", "limit": "1", "after": "x"}.get(parameter["name"])
            if value:
                check(d.get(f"{path}?{parameter['name']}={value}")[0] in (200, 400), path)
    check(d.json("/api/v1/schemas/alert-1")["$schema"].endswith("2020-12/schema"), "schema")
    d.close()


tap([access, without_token_file, head, sites, alerts, long_list, ready, metrics, slow_client, deaf_client,
     connection_limit, many_at_once, oversized, gone_while_waiting, unix_socket, keep_alive,
     described])
