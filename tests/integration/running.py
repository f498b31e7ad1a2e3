"""What the tests of a running daemon share: a folder with a small ledger, a configuration,
the daemon itself, a gateway that answers, and TAP."""
import atexit
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import harness
from harness import BUILD, MEMORY, PATIENCE, ROOT, free_port

DAEMON = os.path.join(BUILD, "lodewatchd")
SANITIZED = os.path.basename(BUILD).endswith("san")  # memory and time are not ours then
TOKEN = "dGVzdHMtb25seS1ub3QtYS1zZWNyZXQ"

LEDGER = {
    "areas.csv": "area_id,parent_id,level,name,name_en\nc1,,county,示例县,Example\n",
    "contacts.csv": "contact_id,area_id,role,rank,name\nk1,c1,power,chief,某人\n",
    "sites.csv": "site_id,name,kind,status,status_since,area_id,lat,lon,datum\n"
                 "s1,一号矿,coal_mine,closed,2024-01-01,c1,35.6,110.9,CGCS2000\n"
                 "s2,二号矿,quarry,closed,2024-01-01,c1,,,\n"
                 "s3,三号矿,sand,unlicensed,2024-01-01,c1,,,\n",
    "meters.csv": "meter_id,installed_at,site_id,role,gateway_id,unit,profile,interval_s\n"
                  "m1,2024-01-01,s1,supply,g1,1,generic,10\n"
                  "m2,2024-01-01,s2,supply,g1,2,generic,10\n",
}


def wait_for(what, seconds=10):
    """Polls until `what` gives something true; what it gave last otherwise."""
    try:
        return harness.wait_for(what, seconds)
    except harness.Timeout:
        return what()


class Gateway:
    """A Modbus TCP device: every register of every unit reads 0."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        data = b""
        with peer, contextlib.suppress(ConnectionError):  # the daemon was killed
            while chunk := peer.recv(4096):
                data += chunk
                while len(data) >= 12:
                    tid, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", data[:12])
                    data = data[12:]
                    peer.sendall(struct.pack(">HHHBBB", tid, 0, 3 + 2 * count, unit, function,
                                             2 * count) + bytes(2 * count))

    def close(self):
        self.listener.close()


class Daemon:
    """A folder with everything, and the daemon that runs in it. `timed`: the test says how long
    something may take, and no disk shall hold it up."""

    def __init__(self, gateway=None, ledger=None, timed=False, **sections):
        # The path of a Unix socket has 107 bytes at most.
        base = (timed and MEMORY) or tempfile.gettempdir()
        self.dir = tempfile.mkdtemp(prefix="lodewatch-", dir=base if len(base) < 60 else "/tmp")
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.process = None
        atexit.register(self.close)
        os.mkdir(self.path("ledger"))
        files = dict(LEDGER, **(ledger or {}))
        port = gateway.port if gateway else free_port()
        files["gateways.csv"] = f"gateway_id,transport,address\ng1,tcp,127.0.0.1:{port}\n"
        for name, text in files.items():
            self.write("ledger/" + name, text)
        self.write("token", TOKEN + "\n", 0o600)
        self.sections = {
            "daemon": {"state_dir": self.path("state"), "ledger": self.path("ledger"),
                       "profiles": os.path.join(ROOT, "etc/profiles")},
            "http": {"listen": f"127.0.0.1:{self.port}", "token_file": self.path("token"),
                     "header_timeout": "2s"},
            "alerts": {"ndjson": self.path("alerts.ndjson"), "journald": "no"},
        }
        for section, keys in sections.items():
            self.sections.setdefault(section, {}).update(keys)
        self.write_config()

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o640):
        with open(self.path(name), "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text)

    def write_config(self, **sections):
        for section, keys in sections.items():
            self.sections.setdefault(section, {}).update(keys)
        self.write("conf", "".join(
            f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())
            for section, keys in self.sections.items()))

    def run(self, *arguments, **kwargs):
        """To the end, for --check and the like."""
        return subprocess.run([DAEMON, "--config", self.path("conf"), *arguments], text=True,
                              capture_output=True, timeout=30 * PATIENCE, **kwargs)

    def start(self, *arguments, ready=True, **kwargs):
        self.log = open(self.path("log"), "a", encoding="utf-8")
        before = len(self.logged())
        self.process = subprocess.Popen([DAEMON, "--config", self.path("conf"), *arguments],
                                        stderr=self.log,
                                        **{"stdout": subprocess.DEVNULL, **kwargs})
        if ready:
            wait_for(lambda: "lodewatchd: note: lodewatchd" in self.logged()[before:]
                     or self.process.poll() is not None)
            if "lodewatchd: note: lodewatchd" not in self.logged()[before:]:
                raise RuntimeError("the daemon did not start:\n" + self.logged())
        return self

    def logged(self):
        with open(self.path("log"), encoding="utf-8") as f:
            return f.read()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=15):
        """SIGTERM; the exit code and how long it took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.log.close()
        return code, time.monotonic() - began

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def get(self, path, method="GET", token=TOKEN, body=None, headers=None):
        """(status, headers, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=10 * PATIENCE)
        try:
            head = dict(headers or {})
            if token:
                head["Authorization"] = "Bearer " + token
            connection.request(method, path, body=body, headers=head)
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()
        finally:
            connection.close()

    def json(self, path, **kwargs):
        return json.loads(self.get(path, **kwargs)[2])

    def metrics(self):
        lines = self.get("/metrics")[2].decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in lines if not line.startswith("#")}

    def metric(self, name):
        return self.metrics().get(name)

    def alerts(self):
        """The alerts in the NDJSON file; each line must be whole."""
        try:
            with open(self.path("alerts.ndjson"), encoding="utf-8") as f:
                return [json.loads(line) for line in f]
        except FileNotFoundError:
            return []


def tap(tests):
    """Runs functions; a test that raises has failed, one that returns a text is skipped."""
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        name = (test.__doc__ or test.__name__).strip().splitlines()[0]
        try:
            skip = test()
            print(f"ok {number} - {name}" + (f" # SKIP {skip}" if skip else ""), flush=True)
        except Exception as error:  # whatever it is, it is this test's failure
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in f"{type(error).__name__}: {error}".splitlines():
                print("# " + line, flush=True)
            where = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
            print("".join(f"# at {f.filename}:{f.lineno}\n" for f in where), end="", flush=True)
    sys.exit(failed > 0)


def check(condition, text=""):
    if not condition:
        raise AssertionError(text)


def equal(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, wanted {want!r}")
