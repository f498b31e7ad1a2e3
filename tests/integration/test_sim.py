#!/usr/bin/python3
"""lodewatch-sim read by clients that nobody here wrote (mbpoll, pymodbus) and by bare sockets:
values, silence, meter exchanges, a followed clock, every fault, bad input."""
import datetime
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from harness import free_port

BUILD = os.environ.get("BUILD", "build")
SIM = os.path.join(BUILD, "lodewatch-sim")
DIR = tempfile.mkdtemp(prefix="sim-", dir=os.environ.get("TMPDIR"))
T0 = "2025-03-12T16:00:00Z"
NONE32, NONE64 = -2**31, -2**63
count = failed = 0


def check(name, good, why=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        print(f"# {why}")


def skip(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}")


PORT = [free_port(), free_port()]


def write(name, text):
    path = os.path.join(DIR, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def ledger(name="ledger", address="127.0.0.1"):
    write(f"{name}/areas.csv", "area_id,parent_id,level,name\nA,,county,县\n")
    write(f"{name}/sites.csv", "site_id,name,kind,status,status_since,area_id\n"
          "S,矿,coal_mine,closed,2020-01-01,A\n")
    write(f"{name}/gateways.csv", "gateway_id,transport,address\n"
          f"G1,tcp,{address}:{PORT[0]}\nG2,tcp,127.0.0.1:{PORT[1]}\n")
    write(f"{name}/meters.csv",
          "meter_id,installed_at,removed_at,point_id,site_id,role,parent_id,gateway_id,unit,"
          "profile,ct_ratio,energy_resolution_kwh,energy_modulus_kwh\n"
          "F,2020-01-01,,F,,feeder,,G1,10,generic,,0.001,100000\n"
          "M1,2020-01-01,,M1,S,supply,F,G1,1,generic,,0.001,1000\n"
          "M2,2020-01-01,,M2,S,supply,F,G1,2,eastron-sdm630,,0.01,\n"
          "M3,2020-01-01,,M3,S,supply,F,G2,1,schneider-iem3000,,0.001,\n"
          "OLD,2020-01-01,2025-03-12T16:30:00Z,M4,S,supply,F,G2,2,generic,,0.001,\n"
          "NEW,2025-03-12T16:30:00Z,,M4,S,supply,F,G2,2,generic,,0.001,\n"
          "W,2020-01-01,,W,,context,,G2,247,weather,,,\n")
    return os.path.join(DIR, name)


READINGS = f"""time,meter_id,quality,active_power_kw,import_kwh,voltage_a_v,temperature_c,rain_mm_h
{T0},M1,good,12.345,900.123,231.4,,
{T0},M2,good,1.5,100,230.5,,
{T0},M3,good,-2.25,123456.789,229.5,,
{T0},OLD,good,3,5000,,,
{T0},W,good,,,,-5.25,0.4
2025-03-12T16:15:00Z,M1,missing,,,,,
2025-03-12T16:15:00Z,M2,good,1.5,100.3,230.5,,
2025-03-12T16:15:00Z,M3,good,4,123457.789,229.5,,
2025-03-12T16:30:00Z,M1,good,12.345,999.999,231.4,,
2025-03-12T16:30:00Z,M3,good,4,123458.789,229.5,,
2025-03-12T16:30:00Z,NEW,good,4,0.5,,,
2025-03-12T16:45:00Z,M1,good,6,0.25,231.4,,
"""


class Sim:
    def __init__(self, *args, dir=None):
        self.p = subprocess.Popen(
            [SIM, "--ledger", dir or ledger(), "--profiles", "etc/profiles", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.line = self.p.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(60)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        self.err = self.p.stderr.read()
        return self.p.returncode


class Client:
    def __init__(self, gateway=0, timeout=30):
        self.s = socket.create_connection(("127.0.0.1", PORT[gateway]), timeout=timeout)
        self.n = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def send(self, unit, function=3, address=0, n=2):
        self.n += 1
        self.s.sendall(struct.pack(">HHHBBHH", self.n, 0, 6, unit, function, address, n))

    def frame(self):
        head = self.exactly(7)
        return struct.unpack(">HHHB", head), self.exactly(struct.unpack(">H", head[4:6])[0] - 1)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            got = self.s.recv(n - len(data))
            if not got:
                raise EOFError
            data += got
        return data

    def read(self, unit, address=0, n=2, function=3, form=None):
        """Values, or the exception code as an int."""
        self.send(unit, function, address, n)
        (tid, _, _, u), pdu = self.frame()
        if pdu[0] & 0x80:
            return pdu[1]
        assert (tid, u, pdu[0], pdu[1]) == (self.n, unit, function, 2 * n)
        v = struct.unpack(form or f">{n // 2}i", pdu[2:])
        return v[0] if len(v) == 1 else v

    def answers(self, unit, seconds=30):
        self.send(unit)
        return bool(select.select([self.s], [], [], seconds)[0])

    def is_silent(self, unit):
        return not self.answers(unit, 0.3)


def wh(client, unit=1):
    return client.read(unit, 4, 4, form=">q")


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=180)


# ---- values, by foreign clients


def mbpoll(*args):
    out = run("mbpoll", "-m", "tcp", "-0", "-1", *args, "127.0.0.1").stdout
    return [v.strip() for v in re.findall(r"^\[\d+\]:\s*(\S+)", out, re.M)]


def test_mbpoll():
    if not shutil.which("mbpoll"):
        return skip("mbpoll", "mbpoll is not installed")
    got = mbpoll("-p", str(PORT[0]), "-a", "1", "-r", "0", "-c", "7", "-t", "4:int", "-B")
    want = ["12345", str(NONE32), "0", "900123", str(NONE32), "0", "2314"]
    check("mbpoll reads generic", got == want, f"{got} is not {want}")
    got = mbpoll("-p", str(PORT[0]), "-a", "2", "-r", "52", "-c", "1", "-t", "3:float", "-B")
    check("mbpoll reads an SDM630's power", [float(v) for v in got] == [1500], got)
    got = mbpoll("-p", str(PORT[1]), "-a", "247", "-r", "0", "-c", "3", "-t", "4:int", "-B")
    check("mbpoll reads the weather", got == ["-5250", "400", str(NONE32)], got)


PYMODBUS = r"""
import json, sys
from pymodbus.client import ModbusTcpClient
out = []
for port, unit, function, address, n in json.loads(sys.argv[1]):
    client = ModbusTcpClient("127.0.0.1", port=port)
    client.connect()
    read = client.read_holding_registers if function == 3 else client.read_input_registers
    try:
        answer = read(address, count=n, slave=unit)
    except TypeError:
        answer = read(address, count=n, device_id=unit)
    out.append(answer.exception_code if answer.isError() else answer.registers)
    client.close()
print(json.dumps(out))
"""


def test_pymodbus():
    for python in (sys.executable, "/usr/bin/python3"):
        if run(python, "-c", "import pymodbus.client").returncode == 0:
            break
    else:
        return skip("pymodbus", "pymodbus is not installed")
    asked = [(PORT[0], 1, 3, 0, 8), (PORT[0], 2, 4, 0, 2), (PORT[0], 2, 4, 0x48, 2),
             (PORT[1], 1, 3, 0x0BF3, 2), (PORT[1], 1, 3, 0x0C83, 4), (PORT[0], 1, 4, 0, 2)]
    r = run(python, "-c", PYMODBUS, json.dumps(asked))
    if r.returncode:
        return check("pymodbus reads", False, r.stderr)
    got = json.loads(r.stdout)

    def value(form, words):
        return struct.unpack(form, struct.pack(f">{len(words)}H", *words))
    check("pymodbus reads generic", value(">iiq", got[0]) == (12345, NONE32, 900123), got[0])
    check("pymodbus reads an SDM630", value(">f", got[1]) + value(">f", got[2]) == (230.5, 100), got)
    check("pymodbus reads an iEM3000's power", value(">f", got[3]) == (-2.25,), got[3])
    check("and its exact energy", value(">q", got[4]) == (123456789,), got[4])
    check("and is told of an address that is not there", got[5] == 2, got[5])


def test_values():
    path = write("readings.csv", READINGS)
    with Sim("--readings", path, "--clock-start", T0) as sim:
        check("it says that it listens", sim.line == "lodewatch-sim: 7 meters on 2 gateways\n", sim.line)
        test_mbpoll()
        test_pymodbus()
        with Client() as c:
            check("no coils", c.read(1, function=1) == 2)
            check("no registers behind the last", c.read(1, 0x1F, 2) == 2)
            check("nothing is written", c.read(1, function=6) == 1)
            check("a unit that is not there is silent", c.is_silent(77))
        with Client() as c:
            for i in range(200):
                c.send(1, n=125 if i % 2 else 32)
            sizes = [len(c.frame()[1]) for i in range(200)]
            check("200 requests in one go are all answered",
                  sizes == [66, 2] * 100, sizes)
        check("SIGTERM: exit 0", sim.stop() == 0, sim.err)
    shutil.copy(path, path + ".plain")
    subprocess.run(["gzip", "-f", path], check=True)
    with Sim("--readings", path + ".gz", "--clock-start", "2025-03-12T16:15:00Z") as sim, \
            Client() as c:
        check("a missing row: silent", c.is_silent(1))
        check("the others go on", c.read(2, 0, 2, 4, ">f") == 230.5)
    with Sim("--readings", path + ".gz", "--clock-start", "2025-03-12T16:30:00Z") as sim, \
            Client() as c:
        check("no row at all: an old value is not shown as new", c.is_silent(2))
    with Sim("--readings", path + ".plain", "--clock-start", "2025-03-12T16:15:00Z",
             "--missing", "exception") as sim, Client() as c:
        check("or exception 0x0B", c.read(1) == 11)


# ---- the clock


def test_follow():
    path = os.path.join(DIR, "clock.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(2)
        server.settimeout(60)
        with Sim("--readings", write("r.csv", READINGS), "--follow", path) as sim, Client() as c, \
                Client(1) as d:
            link = server.accept()[0]
            link.settimeout(60)

            def tell(text):
                t = int(subprocess.run(["date", "-ud", text, "+%s000"], capture_output=True).stdout)
                link.sendall(b"%d\n" % t)
                return link.recv(64) == b"ok %d\n" % t
            check("before the time is known, requests wait", c.is_silent(1))
            check("each time is acknowledged", tell("2025-03-12 16:00Z"))
            check("and then they are answered", c.frame()[1][2:] == struct.pack(">i", 12345))
            check("each answers as the meter in place", wh(d, 2) == 5000000)
            check("time goes on", tell("2025-03-12 16:30Z") and wh(c) == 999999)
            check("an exchanged meter's register", wh(d, 2) == 500)
            link.close()
            check("without the socket the time stays", wh(c) == 999999)
            link = server.accept()[0]
            link.settimeout(60)
            check("it comes back", tell("2025-03-12 16:45Z") and wh(c) == 250)
            check("time may go back", tell("2025-03-12 16:00Z") and wh(c) == 900123)
            link.close()
            check("SIGTERM while it retries", sim.stop() == 0, sim.err)


def test_rate():
    last = datetime.datetime(2025, 3, 12, 16, 45)
    rows = READINGS + "".join(f"{last + datetime.timedelta(minutes=15 * i):%FT%TZ},M1,good,6,0.25,,,\n"
                              for i in range(1, 1000))
    with Sim("--readings", write("r.csv", rows), "--clock-start", T0, "--clock-rate", "18000") \
            as sim, Client() as c:
        deadline = time.monotonic() + 60
        seen = set()
        while time.monotonic() < deadline and 250 not in seen:
            c.send(1, 3, 4, 4)
            if select.select([c.s], [], [], 0.05)[0]:  # it is silent for a quarter of an hour
                seen.add(struct.unpack(">q", c.frame()[1][2:])[0])
        check("an own clock runs at its rate", 250 in seen, seen)


# ---- faults


def faults(*rows, name="faults.csv"):
    return write(name, "gateway_id,unit,fault,from,to,arg\n" + "".join(r + "\n" for r in rows))


def with_faults(*rows):
    return Sim("--readings", write("r.csv", READINGS), "--clock-start", T0, "--faults", faults(*rows))


def test_wire_faults():
    with with_faults("G1,1,silent,,,"), Client() as c:
        check("silent", c.is_silent(1) and c.answers(2))
    with with_faults("G1,,silent,,,"), Client() as c:
        check("a whole gateway silent", c.is_silent(1) and c.is_silent(2))
    with with_faults("G1,1,silent,2025-03-12T17:00:00Z,,", "G1,1,silent,,2025-03-12T16:00:00Z,"), \
            Client() as c:
        check("a fault at other times", c.answers(1))
    with with_faults("G1,1,slow,,,300"), Client() as c:
        begin = time.monotonic()
        good = c.read(1) == 12345
        check("slow", good and time.monotonic() - begin >= 0.3)
        c.send(1)
        c.send(2, 4)
        check("and the line behind it waits", c.frame()[0][0] == c.n - 1 and c.frame()[0][0] == c.n)
    with with_faults("G1,1,late,,,300"), Client() as c:
        c.send(1)
        c.send(2, 4)
        check("late: overtaken by another unit's answer", [c.frame()[0][0] for _ in "ab"] == [2, 1])
    with with_faults("G1,1,split,,,3"), Client() as c:
        for _ in range(10):  # where we are slow, the pieces may be there at once
            c.send(1)
            first = c.s.recv(64)
            whole = first + c.exactly(13 - len(first))
            if len(first) < 13:
                break
        check("split in pieces", len(first) < 13 and whole[-4:] == struct.pack(">i", 12345), first)
    with with_faults("G1,1,wrong_id,,,"), Client() as c:
        c.send(1)
        check("wrong transaction id", c.frame()[0][0] != c.n)
    with with_faults("G1,1,wrong_unit,,,"), Client() as c:
        c.send(1)
        check("wrong unit", c.frame()[0][3] == 2)
    with with_faults("G1,1,exception,,,6"), Client() as c:
        check("exception", c.read(1) == 6)
    with with_faults("G1,1,garbage,,,"), Client() as c:
        c.send(1)
        check("garbage", c.s.recv(512)[2:4] != b"\0\0")
    with with_faults("G1,,reconnect,,,3"), Client() as c:
        good = [c.read(1) for _ in range(3)] == [12345] * 3
        check("reconnect after three answers", good and c.s.recv(1) == b"")
        with Client() as again:
            check("and it serves a new connection", again.read(1) == 12345)
    with with_faults("G1,,one_connection,,,"), Client() as c:
        good = c.read(1) == 12345
        with Client() as second:
            check("a second connection is closed", good and second.s.recv(1) == b"")
        check("the first one stays", c.read(1) == 12345)


def test_value_faults():
    path = os.path.join(DIR, "value.sock")
    rows = ["G1,1,rollover,2025-03-12T16:30:00Z,,0.1", "G2,2,exchange,2025-03-12T16:30:00Z,,7",
            "G2,1,stuck,,,", "G1,2,reversed_ct,,,"]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1)
        with Sim("--readings", write("r.csv", READINGS), "--follow", path, "--faults", faults(*rows)), \
                Client() as c, Client(1) as d:
            link = server.accept()[0]

            def tell(text):
                t = int(subprocess.run(["date", "-ud", text, "+%s000"], capture_output=True).stdout)
                link.sendall(b"%d\n" % t)
                link.recv(64)
            tell("2025-03-12 16:00Z")
            energy = d.read(1, 0x0C83, 4, form=">q")
            check("before `from` nothing is changed", wh(c) == 900123)
            check("reversed CT: a third of the power", c.read(2, 0x34, 2, 4, ">f") == 500)
            tell("2025-03-12 16:30Z")
            check("rollover: below the modulus", wh(c) == 999900, wh(c))
            check("exchange: the register begins at arg", wh(d, 2) == 7000)
            check("stuck", d.read(1, 0x0C83, 4, form=">q") == energy == 123456789)
            tell("2025-03-12 16:45Z")
            check("rollover: over it", wh(c) == 151, wh(c))


# ---- load shapes


def test_shapes():
    shapes = write("shapes.csv", "meter_id,shape,kw,from,to\nM1,flat,10,,\nM1,flat,20,00:05,00:10\n"
                   "M2,flat,5,,\nM3,dark,,,\n")
    path = os.path.join(DIR, "shapes.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1)
        with Sim("--shapes", shapes, "--follow", path), Client() as c, Client(1) as d:
            link = server.accept()[0]
            t0 = 1741795200000  # 2025-03-13T00:00 in Shanghai

            def tell(minutes):
                link.sendall(b"%d\n" % (t0 + 60000 * minutes))
                link.recv(64)

            def feeder():
                return c.read(10, 0, 8, form=">iiq")
            tell(0)
            one, top = wh(c), feeder()
            power = c.read(1), c.read(2, 0x34, 2, 4, ">f")
            check("a load's power", 9900 <= power[0] <= 10000, power)
            check("a feeder carries what is below it", top[0] == power[0] + power[1], (top, power))
            tell(4)
            four, four_top = wh(c), feeder()
            tell(7)
            check("a row for some hours of the day", 29700 <= c.read(1) <= 30000)
            check("the register is the integral of the power",
                  660 <= (four - one) % 1000000 <= 667, (one, four))
            check("the feeder's too", 990 <= (four_top[2] - top[2]) % 100000000 <= 1000,
                  (top, four_top))
            tell(60)
            hour = wh(c)
            tell(0)
            tell(60)
            check("time again, the same register", wh(c) == hour)
            check("a dark meter has voltage and no current",
                  d.read(1, 0x0BD3, 2, form=">f") > 200 and d.read(1, 0x0BB7, 2, form=">f") == 0)


# ---- bad input


def test_bad_input():
    cases = [
        ("an unknown fault", ["--faults", faults("G1,1,silnt,,,", name="f1.csv")],
         r"f1\.csv:2:6: unknown fault \"silnt\"; the nearest known one is \"silent\""),
        ("a fault's unknown gateway", ["--faults", faults("G9,1,silent,,,", name="f2.csv")], r"f2\.csv:2:1: "),
        ("a fault without its number", ["--faults", faults("G1,1,slow,,,", name="f3.csv")], r"f3\.csv:2:13: "),
        ("an unknown shape", ["--shapes", write("s.csv", "meter_id,shape,kw,from,to\nM1,crasher,1,,\n")],
         r"s\.csv:2:4: .*\"crusher\""),
        ("a shape's bad hours", ["--shapes", write("s2.csv", "meter_id,shape,kw,from,to\nM1,flat,1,25:00,\n")],
         r"s2\.csv:2:11: "),
        ("a reading's bad number", ["--readings", write("b.csv", "time,meter_id,import_kwh\n" + T0 + ",M1,x\n")],
         r"b\.csv:2:25: "),
        ("another host", ["--ledger", ledger("far", "0.0.0.0")], r"127\.0\.0\.1:port alone"),
        ("an unknown option", ["--leger", "x"], r"--help"),
        ("two sources", ["--readings", "a", "--shapes", "b"], r"one of the two"),
    ]
    for name, args, want in cases:
        r = run(SIM, "--ledger", ledger(), "--profiles", "etc/profiles", *args)
        check(f"{name}: exit 2, and where", r.returncode == 2 and re.search(want, r.stderr) is not None,
              (r.returncode, r.stderr))
    r = run(SIM, "--help")
    check("--help", r.returncode == 0 and "--ledger" in r.stdout)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", PORT[0]))
        s.listen(1)
        r = run(SIM, "--ledger", ledger(), "--profiles", "etc/profiles")
        check("a port that is taken: exit 1", r.returncode == 1 and "cannot listen" in r.stderr, r.stderr)


try:
    for test in (test_values, test_follow, test_rate, test_wire_faults, test_value_faults, test_shapes,
                 test_bad_input):
        test()
finally:
    shutil.rmtree(DIR, ignore_errors=True)
print(f"1..{count}")
sys.exit(failed > 0)
