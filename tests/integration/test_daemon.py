#!/usr/bin/python3
"""The daemon's life: start, --check, SIGHUP, SIGTERM, sinks, readiness for systemd."""
import json
import os
import re
import resource
import signal
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

from running import BUILD, DAEMON, LEDGER, ROOT, SANITIZED, Daemon, Gateway, check, equal, free_port, tap, wait_for


def arguments():
    """--help and --version say what they should; bad arguments exit 2"""
    for argument, want in (("--help", "--clock-rate"), ("--version", "lodewatchd ")):
        done = subprocess.run([DAEMON, argument], capture_output=True, text=True, timeout=60)
        equal(done.returncode, 0)
        check(want in done.stdout, done.stdout)
    for bad in ([], ["--config"], ["--bogus"], ["--config", "x", "stray"],
                ["--config", "x", "--clock-rate", "nan"], ["--config", "x", "--clock-rate", "0"],
                ["--config", "x", "--clock-start", "yesterday"],
                ["--config", "x", "--clock-start", "2025-01-01"]):
        done = subprocess.run([DAEMON, *bad], capture_output=True, text=True, timeout=60)
        equal((bad, done.returncode), (bad, 2))
        check(done.stderr != "", bad)


def check_good():
    """--check of what is right exits 0 and starts nothing"""
    d = Daemon()
    done = d.run("--check")
    equal((done.returncode, done.stderr), (0, ""))
    check(not os.path.exists(d.path("state")), "something was made")
    d.close()


def check_faults():
    """--check names every fault with file, line and column, and exits 2"""
    rows = [
        ("an unknown key", lambda d: d.write_config(daemon={"sate_dir": "x"}),
         r"conf:5:1: .*sate_dir.*state_dir"),
        ("a bad address", lambda d: d.write_config(http={"listen": "localhost"}),
         r"conf:6:1: .*ADDRESS:PORT"),
        ("the world without a token", lambda d: d.write_config(
            http={"listen": "0.0.0.0:1", "token_file": ""}), r"conf:6:1: .*token_file"),
        ("a number over its limit", lambda d: d.write_config(http={"max_connections": "5000"}),
         r"conf:9:\d+: .*1000"),
        ("a line too long", lambda d: d.write_config(http={"token_file": "x" * 300}),
         r"conf:7:\d+: "),
        ("no such level", lambda d: d.write_config(daemon={"log_level": "loud"}),
         r"conf:5:1: .*loud"),
        ("no such zone", lambda d: d.write_config(daemon={"timezone": "../etc/passwd"}),
         r"conf:5:1: timezone.*passwd"),
        ("a conninfo of no form", lambda d: d.write_config(database={"conninfo": "geheim x"}),
         r"conf:13:1: conninfo: libpq"),
        ("such a conninfo in its file", lambda d: (
            d.write("conninfo", "geheim x\n", 0o600),
            d.write_config(database={"conninfo_file": d.path("conninfo")})),
         r"conninfo:1:1: conninfo: libpq"),
        ("bytes of no encoding", lambda d: open(d.path("conf"), "ab").write(b"# \xff\n"),
         r"conf:12:3: neither UTF-8"),
        ("no sites and no meters", lambda d: [
            d.write("ledger/" + name, LEDGER[name].splitlines()[0] + "\n")
            for name in ("meters.csv", "sites.csv")],
         r"ledger:1:1: it is empty"),
        ("no ledger at all", lambda d: d.write_config(daemon={"ledger": ""}),
         r"conf:3:1: .*ledger"),
        ("a fault in the ledger",
         lambda d: d.write("ledger/sites.csv", LEDGER["sites.csv"] + "s4,x,castle,closed,,c1,,,\n"),
         r"sites.csv:5:6: .*castle"),
        ("a profile that is not there",
         lambda d: d.write("ledger/meters.csv", LEDGER["meters.csv"].replace("generic", "nope")),
         r"meters.csv:2:1: .* m1: .*nope"),
        ("a gateway without a port", lambda d: d.write(
            "ledger/gateways.csv", "gateway_id,transport,address\ng0,tcp,127.0.0.1:1\n"
                                   "g1,tcp,gate.example\n"),
         r"gateways.csv:3:1: .* g1: .*gate.example"),
        ("a token for everybody", lambda d: os.chmod(d.path("token"), 0o644), r"token:1:1: .*0600"),
        ("a short token", lambda d: d.write("token", "short\n", 0o600), r"token:1:1: "),
        ("a bad rule", lambda d: (d.write("rules", "[closed_load]\nflor = 2\n"),
                                  d.write_config(daemon={"rules": d.path("rules")})),
         r"rules:2:1: unknown key \"flor\""),
    ]
    for name, spoil, want in rows:
        d = Daemon()
        spoil(d)
        done = d.run("--check")
        equal((name, done.returncode), (name, 2))
        check(re.search(want, done.stderr), f"{name}: {done.stderr}")
        check("geheim" not in done.stderr, done.stderr)
        d.close()


def warns_about_password():
    """A conninfo with a password that everybody can read is warned about, and not shown"""
    d = Daemon(database={"conninfo": "host=127.0.0.1 password=geheim123"})
    os.chmod(d.path("conf"), 0o644)
    done = d.run("--check")
    equal(done.returncode, 0)
    check("everybody" in done.stderr and "geheim" not in done.stderr, done.stderr)
    os.chmod(d.path("conf"), 0o640)
    equal(d.run("--check").stderr, "")
    d.close()


def terminates():
    """SIGTERM and SIGINT: exit 0 within 5 s, alerts delivered, events kept"""
    for number in (signal.SIGTERM, signal.SIGINT):
        d = Daemon(timed=True).start()
        d.signal(number)
        code, seconds = d.stop()
        equal(code, 0)
        check(seconds < 5, f"{seconds} s")
        d.close()


def terminates_without_database():
    """SIGTERM exits within 5 s while PostgreSQL is away"""
    d = Daemon(timed=True, database={
        "conninfo": f"host=127.0.0.1 port={free_port()} dbname=x"}).start()
    code, seconds = d.stop()
    equal(code, 0)
    check(seconds < 5, f"{seconds} s")
    d.close()


def reloads():
    """SIGHUP: a new ledger, token and address are in force; a bad one changes nothing"""
    gateway = Gateway()
    d = Daemon(gateway).start()
    equal([s["id"] for s in d.json("/api/v1/sites")["sites"]], ["s1", "s2", "s3"])

    good = LEDGER["sites.csv"]
    d.write("ledger/sites.csv", good + "s4,四号矿,coal_mine,castle,,c1,,,\n")
    d.signal(signal.SIGHUP)
    check(wait_for(lambda: "not reloaded" in d.logged()), d.logged())
    check(re.search(r"sites.csv:5:\d+: .*castle", d.logged()), d.logged())
    equal(len(d.json("/api/v1/sites")["sites"]), 3)

    d.write("ledger/sites.csv", good + "s4,四号矿,coal_mine,closed,2024-01-01,c1,,,\n")
    fresh = "another-token-of-good-length"
    d.write("token", fresh + "\n", 0o600)
    port = free_port()
    d.write_config(http={"listen": f"127.0.0.1:{port}"})
    d.signal(signal.SIGHUP)
    check(wait_for(lambda: "note: reloaded" in d.logged()), d.logged())
    d.address = ("127.0.0.1", port)
    equal(d.get("/api/v1/sites")[0], 401)
    equal(len(d.json("/api/v1/sites", token=fresh)["sites"]), 4)
    check(wait_for(lambda: d.json("/readyz")["ready"]), "polls again after the reload")
    with socket.socket() as s:
        check(s.connect_ex(("127.0.0.1", d.port)) != 0, "the old address still listens")
    equal(d.stop()[0], 0)
    d.close()
    gateway.close()


def reloads_level():
    """SIGHUP: the log's level is in force too"""
    d = Daemon().start()
    d.write_config(daemon={"log_level": "warning"})
    d.write("token", "another-token-of-good-length\n", 0o600)
    d.signal(signal.SIGHUP)
    check(wait_for(lambda: d.get("/api/v1/sites")[0] == 401), d.logged())
    before = len(d.logged())
    d.stop()
    check("note" not in d.logged()[before:], d.logged()[before:])
    d.close()


def files_for_gateways():
    """As many files may be open as the system lets the daemon have"""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    d = Daemon().start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, most)))
    equal(resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE), (most, most))
    d.close()


def in_gb18030():
    """A configuration in GB18030: alerts are in UTF-8 all the same"""
    d = Daemon()
    with open(d.path("conf"), encoding="utf-8") as f:
        text = f.read().replace("[daemon]", "[daemon]\ndeployment = 示例县")
    with open(d.path("conf"), "wb") as f:
        f.write(text.encode("gb18030"))
    d.start("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "600")
    check(wait_for(d.alerts, 20), d.logged())
    equal(urllib.parse.unquote(d.alerts()[0]["source"]), "urn:lodewatch:示例县")
    d.close()


def address_taken():
    """An address that is taken: an error at once, exit 2; at SIGHUP, the old one stays"""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = "127.0.0.1:%d" % taken.getsockname()[1]
        d = Daemon(http={"listen": listen})
        done = d.run()
        equal(done.returncode, 2)
        check("in use" in done.stderr, done.stderr)
        d.close()

        d = Daemon().start()
        d.write_config(http={"listen": listen}, alerts={"ndjson": d.path("other")})
        d.signal(signal.SIGHUP)
        check(wait_for(lambda: "not reloaded" in d.logged()), d.logged())
        equal(d.get("/healthz")[0], 200)
        d.close()


def notifies_systemd():
    """READY, RELOADING, WATCHDOG and STOPPING reach the service manager"""
    d = Daemon()
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(d.path("notify"))
    manager.settimeout(60)
    d.start(env=dict(os.environ, NOTIFY_SOCKET=d.path("notify"), WATCHDOG_USEC="200000"))
    got = []

    def until(word):
        while not any(word in g for g in got):
            got.append(manager.recv(4096).decode())

    until("READY=1")
    until("WATCHDOG=1")
    got.clear()
    d.signal(signal.SIGHUP)
    until("RELOADING=1")
    until("READY=1")
    d.signal(signal.SIGTERM)
    until("STOPPING=1")
    equal(d.stop()[0], 0)
    manager.close()
    d.close()


def journald_lines():
    """With JOURNAL_STREAM on standard error, lines begin with their priority"""
    d = Daemon(http={"listen": ""})
    with open(d.path("log"), "w") as log:
        st = os.fstat(log.fileno())
    d.start(ready=False, env=dict(os.environ, JOURNAL_STREAM=f"{st.st_dev}:{st.st_ino}"))
    check(wait_for(lambda: "<5>lodewatchd" in d.logged()), d.logged())
    equal(d.stop()[0], 0)
    d.close()


def alerts_to_file():
    """Alerts reach the NDJSON file once each, over a rotation and a restart"""
    d = Daemon().start("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "3600")
    first = wait_for(d.alerts)
    check(first, "no alert")
    check(all(a["data"]["cap"]["status"] == "Exercise" for a in first), "not an exercise")
    os.rename(d.path("alerts.ndjson"), d.path("alerts.1"))
    d.signal(signal.SIGHUP)
    check(wait_for(lambda: os.path.exists(d.path("alerts.ndjson"))), "not opened anew")
    equal(d.stop()[0], 0)
    with open(d.path("alerts.1"), encoding="utf-8") as f:
        ids = [json.loads(line)["id"] for line in f] + [a["id"] for a in d.alerts()]
    d.start()
    equal(d.stop()[0], 0)
    equal([a["id"] for a in d.alerts() if a["id"] in ids[:len(first)]], [])
    equal(len(set(ids)), len(ids))
    d.close()


def cuts_torn_line():
    """A line that a crash left torn is cut off when the file is opened"""
    d = Daemon()
    d.write("alerts.ndjson", '{"id":"whole"}\n{"id":"to')
    d.start()
    d.stop()
    equal(d.alerts()[0]["id"], "whole")
    d.close()


def full_disk():
    """A sink that refuses: logged once, alerts kept, delivered once it works"""
    d = Daemon(alerts={"ndjson": "/dev/full"}).start("--clock-start", "2025-01-01T00:00:00Z",
                                                     "--clock-rate", "600")
    check(wait_for(lambda: "ndjson refuses" in d.logged()), d.logged())
    check(wait_for(lambda: d.metric("lodewatch_notify_failures_total") >= 2), "no second try")
    equal(d.logged().count("ndjson refuses"), 1)
    d.write_config(alerts={"ndjson": d.path("alerts.ndjson")})
    d.signal(signal.SIGHUP)
    check(wait_for(d.alerts), d.logged())
    equal(d.stop()[0], 0)
    d.close()


def stuck_pipe():
    """Standard output that nobody reads stalls nothing"""
    read, write = os.pipe()
    d = Daemon(alerts={"ndjson": "-"})
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    d.start("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "600", stdout=write)
    os.close(write)
    check(wait_for(lambda: d.json("/api/v1/alerts")["alerts"]), "no alarm stands")
    equal(d.get("/healthz")[0], 200)
    os.set_blocking(read, False)
    got = b""

    def drained():
        nonlocal got
        try:
            got += os.read(read, 1 << 20)
        except BlockingIOError:
            pass
        return b"\n" in got
    check(wait_for(drained), "nothing came")
    json.loads(got.lstrip(b"x").splitlines()[0])
    equal(d.stop()[0], 0)
    os.close(read)
    d.close()


def records():
    """--record: the recording replays to the alerts that were delivered, byte for byte"""
    d = Daemon().start(*("--clock-start 2025-01-01T00:00:00Z --clock-rate 3600 --record".split()),
                       "recording", cwd=(folder := tempfile.mkdtemp()))
    check(wait_for(lambda: len(d.alerts()) >= 3), d.logged())
    equal(d.stop()[0], 0)
    done = subprocess.run([os.path.join(BUILD, "lodewatch"), "replay", "--events",
                           os.path.join(folder, "recording")], capture_output=True, timeout=60)
    shutil.rmtree(folder)
    equal(done.returncode, 0)
    with open(d.path("alerts.ndjson"), "rb") as f:
        equal(done.stdout, f.read())
    d.close()


def idle():
    """Idle with the demo's ledger: under 20 MB resident and under 1 % of a core"""
    d = Daemon(daemon={"ledger": os.path.join(ROOT, "etc/demo")}).start()
    before = d.metric("process_cpu_seconds_total")
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 3)
    share = (d.metric("process_cpu_seconds_total") - before) / (time.monotonic() - began)
    resident = d.metric("process_resident_memory_bytes") / 1e6
    print(f"# {resident:.1f} MB resident, {100 * share:.2f} % of a core")
    if not SANITIZED:
        check(resident < 20 and share < 0.01, f"{resident} MB, {share}")
    d.close()


tap([arguments, check_good, check_faults, warns_about_password, terminates,
     terminates_without_database, reloads, reloads_level, files_for_gateways, in_gb18030,
     address_taken, notifies_systemd, journald_lines, alerts_to_file, cuts_torn_line, full_disk,
     stuck_pipe, records, idle])
