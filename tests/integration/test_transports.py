#!/usr/bin/python3
"""lodewatchd over every transport: each kind of gateway of the simulator, with what goes wrong
on lines; serial servers that nobody here wrote; gateways that dial in, return, and are not
known. A reading is missing or right, never wrong."""
import json
import os
import pty
import re
import select
import socket
import struct
import threading
import time
import tty

import harness
from harness import PATIENCE
from running import Daemon, check, equal, free_port, tap, wait_for
from world import journal_readings

PYTHON = "/usr/bin/python3"  # Debian's, which has python3-pymodbus
ACTIVE_POWER, IMPORT = 0, 2
T0 = "2025-03-03T00:00"


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return data + struct.pack("<H", value)


def meters(*rows):
    """(meter, gateway, unit, profile)"""
    return ("meter_id,installed_at,role,gateway_id,unit,profile,interval_s\n" +
            "".join(f"{m},2024-01-01,context,{g},{u},{p},1\n" for m, g, u, p in rows))


def gateways(*rows):
    """(gateway, transport, address, registration)"""
    return ("gateway_id,transport,address,registration,timeout_ms,baud\n" +
            "".join(f"{g},{t},{a},{r},300,9600\n" for g, t, a, r in rows))


def readings(d, meter=None, since=0):
    return [r for r in journal_readings(d.path("state/journal"))
            if meter in (None, r[0]) and r[1] >= since]


def now_ms():
    return time.time() * 1000


def come(d, *names, count=1, seconds=20):
    """So many readings of each of these meters from now on."""
    since = now_ms()

    def there():
        got = readings(d, since=since)
        return all(sum(r[0] == m for r in got) >= count for m in names)
    check(wait_for(there, seconds), f"{names}\n{d.logged()}")


# ---- the simulator

KINDS = ("tcp", "rtu_over_tcp", "dial_in_tcp", "dial_in_rtu", "rtu")


class Simulated:
    """A gateway of each kind with some meters, of which those in `faults` have one (unit: fault
    and its argument), and the daemon that reads them."""

    def __init__(self, faults=None):
        self.d = d = Daemon()
        listener = f"127.0.0.1:{free_port()}"  # both that dial in share it
        address = {"tcp": f"127.0.0.1:{free_port()}", "rtu_over_tcp": f"127.0.0.1:{free_port()}",
                   "rtu": d.path("tty"), "dial_in_tcp": listener, "dial_in_rtu": listener}
        name = {"dial_in_tcp": "DTU-1", "dial_in_rtu": "hex:01 02 ff"}
        profiles = {**{u: "generic" for u in faults or ()}, 8: "generic", 9: "eastron-sdm630"}
        rows = [(f"{k}.{u}", k, u, p) for k in KINDS for u, p in profiles.items()]
        self.meters = [row[0] for row in rows]
        d.write("ledger/gateways.csv", gateways(*((k, k, address[k], name.get(k, "")) for k in KINDS)))
        d.write("ledger/meters.csv", meters(*rows))
        d.write("readings.csv", "time,meter_id,quality,active_power_kw,import_kwh\n" + "".join(
            f"{T0[:-2]}{n // 60:02}:{n % 60:02}Z,{m},good,{i + 1},{100 * (i + 1)}\n"  # a row lasts for its interval
            for n in range(600) for i, m in enumerate(self.meters)))
        self.want = {m: (1000 * (i + 1), 100_000 * (i + 1)) for i, m in enumerate(self.meters)}
        d.write("faults.csv", "gateway_id,unit,fault,from,to,arg\n" +
                "".join(f"{k},{u},{fault}\n" for k in KINDS for u, fault in (faults or {}).items()))
        self.start()

    def start(self):
        d = self.d
        self.sim = harness.Program(
            [harness.program("lodewatch-sim"), "--ledger", d.path("ledger"), "--profiles",
             os.path.join(harness.ROOT, "etc/profiles"), "--readings", d.path("readings.csv"),
             "--clock-start", T0 + ":00Z", "--faults", d.path("faults.csv")])
        self.sim.wait_text("gateways", where="out")

    def all_right(self):
        for meter, _, _, values in readings(self.d):
            equal((meter, values.get(ACTIVE_POWER), values.get(IMPORT)), (meter, *self.want[meter]))

    def close(self):
        equal(self.sim.stop(), 0)
        equal(self.d.stop()[0], 0)
        self.d.close()


def every_transport():
    """Each kind of gateway is read, goes away, is missed, and is read again when it is back"""
    s = Simulated()
    s.d.start()
    come(s.d, *s.meters)
    equal(s.d.metric("lodewatch_gateways_up"), len(KINDS))
    equal(s.sim.stop(), 0)
    check(not os.path.lexists(s.d.path("tty")), "the line's link stays")
    check(wait_for(lambda: s.d.metric("lodewatch_gateways_up") == 0), s.d.logged())
    gone = now_ms() + 100
    failed = s.d.metric('lodewatch_polls_total{result="link"}')
    check(wait_for(lambda: s.d.metric('lodewatch_polls_total{result="link"}') > failed + 10))
    equal(readings(s.d, since=gone), [])
    s.start()
    come(s.d, *s.meters)
    equal(s.d.metric('lodewatch_polls_total{result="value"}'), 0)
    s.all_right()
    s.close()


def noisy_lines():
    """Answers in pieces, and with noise before them, are read; but on a line that has no silence"""
    s = Simulated({1: "split,,,8", 2: "noise,,,"})
    s.d.start()
    come(s.d, *(m for m in s.meters if m not in ("tcp.2", "rtu.2")))
    s.all_right()
    s.close()


def faulty_lines():
    """Halves, garbage and others' frames are never a reading, and the other units are read"""
    s = Simulated({1: "half,,,", 2: "garbage,,,", 3: "wrong_unit,,,", 4: "wrong_id,,,"})
    s.d.start()
    come(s.d, *(m for m in s.meters if m[-1] in "89"))
    s.all_right()
    equal({m[-1] for m, *_ in readings(s.d)}, {"8", "9"})
    s.close()


# ---- serial lines


class Wire:
    """A cable: two terminals, what is sent into one comes out of the other."""

    def __init__(self):
        self.masters, self.paths, self.slaves = [], [], []
        for _ in range(2):
            master, slave = pty.openpty()
            tty.setraw(slave)
            self.masters.append(master)
            self.slaves.append(slave)
            self.paths.append(os.ttyname(slave))
        self.sent = b""  # by the first end
        threading.Thread(target=self.carry, daemon=True).start()

    def carry(self):
        a, b = self.masters
        while True:
            for fd in select.select([a, b], [], [])[0]:
                data = os.read(fd, 4096)
                if fd == a:
                    self.sent += data
                os.write(b if fd == a else a, data)


PYMODBUS = r"""
import asyncio, json, sys
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSequentialDataBlock
from pymodbus.server import StartAsyncSerialServer
from pymodbus.transaction import ModbusRtuFramer
units = {int(u): ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, words), zero_mode=True)
         for u, words in json.loads(sys.argv[2]).items()}
asyncio.run(StartAsyncSerialServer(
    context=ModbusServerContext(slaves=units, single=False), framer=ModbusRtuFramer,
    port=sys.argv[1], baudrate=9600, timeout=0.1))
"""


def generic(power, energy):
    """The registers of the profile `generic`."""
    data = struct.pack(">iiq", power, 0, energy) + bytes(0x20 * 2 - 16)
    return list(struct.unpack(">32H", data))


def serial_servers():
    """libmodbus's own RTU server and pymodbus's are read over a cable, by nothing but reads"""
    theirs, ours = Wire(), Wire()
    d = Daemon()
    d.write("ledger/gateways.csv", gateways(("a", "rtu", theirs.paths[0], ""),
                                            ("b", "rtu", ours.paths[0], "")))
    d.write("ledger/meters.csv", meters(("libmodbus", "a", 7, "generic"),
                                        ("nobody", "a", 8, "generic"),
                                        ("py1", "b", 1, "generic"), ("py2", "b", 2, "generic")))
    server = harness.Program([harness.program("helpers/rtu_server"), theirs.paths[1], 7,
                              *generic(-4321, 987654321)])
    server.wait_text("ready", where="out")
    script = harness.write(d.path("server.py"), PYMODBUS)
    harness.Program([PYTHON, script, ours.paths[1],
                     json.dumps({1: generic(1111, 22222), 2: generic(3333, 44444)})])
    d.start()
    come(d, "libmodbus", "py1", "py2")
    equal(d.stop()[0], 0)
    equal({(m, v[ACTIVE_POWER], v[IMPORT]) for m, _, _, v in readings(d)},
          {("libmodbus", -4321, 987654321), ("py1", 1111, 22222), ("py2", 3333, 44444)})
    for wire in (theirs, ours):
        check(wire.sent and len(wire.sent) % 8 == 0, "torn requests")
        for i in range(0, len(wire.sent), 8):
            frame = wire.sent[i:i + 8]
            equal((frame[1] in (1, 2, 3, 4), crc(frame[:6])), (True, frame))
    d.close()


def mbpoll_reads():
    """mbpoll reads the simulator's serial line, which takes the time that 9600 baud take"""
    s = Simulated()
    done = harness.run(["mbpoll", "-m", "rtu", "-b", 9600, "-P", "none", "-0", "-1", "-a", 8, "-r",
                        0, "-c", 1, "-t", "4:int", "-B", s.d.path("tty")])
    equal(re.findall(r"^\[0\]:\s*(\S+)", done.stdout, re.M), ["9000"])
    fd = os.open(s.d.path("tty"), os.O_RDWR | os.O_NOCTTY)
    took = []
    for _ in range(3):  # this machine may be slower than the line
        begin = time.monotonic()
        os.write(fd, crc(bytes([8, 3, 0, 0, 0, 10])))
        answer = b""
        while len(answer) < 25:
            answer += os.read(fd, 25)
        took.append(time.monotonic() - begin)
        equal(crc(answer[:-2]), answer)
    check(0.036 < min(took) < 0.5, f"{took} s")  # 8 + 3.5 + 25 characters of 10 bits
    os.write(fd, crc(bytes([8, 6, 0, 0, 0, 10])))  # a write: illegal function
    equal(os.read(fd, 25), crc(bytes([8, 0x86, 1])))
    os.close(fd)
    equal(s.sim.stop(), 0)
    s.d.close()


# ---- gateways that dial in


class Dtu:
    """A transparent DTU: says who it is, and its meter answers with a counter of its own."""

    def __init__(self, port, *packets, heartbeat=b"", mute=False):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=20 * PATIENCE)
        self.heartbeat, self.mute, self.asked = heartbeat, mute, 0
        for packet in packets:
            self.s.sendall(packet)
            time.sleep(0.02)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        data = b""
        try:
            while chunk := self.s.recv(4096):
                data += chunk
                while len(data) >= 8:
                    unit, function, address, count = struct.unpack(">BBHH", data[:6])
                    data = data[8:]
                    self.asked += 1
                    if not self.mute:
                        words = generic(unit, 5)[address:address + count]
                        self.s.sendall(self.heartbeat + crc(struct.pack(
                            f">BBB{count}H", unit, function, 2 * count, *words)) + self.heartbeat)
        except OSError:
            pass

    def closed(self):
        try:
            return self.s.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


def dials_in():
    """A DTU is known by its packet; one that returns takes the old one's place; strangers go"""
    port = free_port()
    d = Daemon()
    d.write("ledger/gateways.csv", gateways(("g", "dial_in_rtu", f"127.0.0.1:{port}", "DTU-0007"),
                                            ("h", "dial_in_tcp", f"127.0.0.1:{port}", "DTU-0008")))
    d.write("ledger/meters.csv", meters(("m", "g", 5, "generic")))
    d.start()
    failed = 'lodewatch_polls_total{result="link"}'
    check(wait_for(lambda: d.metric(failed) > 0), "nobody is there, and nothing is missed")
    stranger, longer = Dtu(port, b"DTU-9999"), Dtu(port, b"DTU-00070")
    check(wait_for(lambda: stranger.closed() and longer.closed()), "a stranger stays")
    check('no gateway registers as "DTU-9999"' in d.logged(), d.logged())
    equal(readings(d), [])
    first = Dtu(port, b"DTU-", b"0007\r\n", heartbeat=b"DTU-0007")
    come(d, "m")
    first.mute = True  # half open: nobody is at the other end any more
    second = Dtu(port, b"DTU-0007")
    come(d, "m")
    check(first.closed() and not second.closed(), "the old connection stays")
    second.s.shutdown(socket.SHUT_RDWR)
    check(wait_for(lambda: d.metric("lodewatch_gateways_up") == 0), "it is not missed")
    Dtu(port, b"DTU-0007", heartbeat=b"\x00")
    come(d, "m")
    equal(d.stop()[0], 0)
    equal({(v[ACTIVE_POWER], v[IMPORT]) for _, _, _, v in readings(d)}, {(5, 5)})
    d.close()


tap([every_transport, noisy_lines, faulty_lines, serial_servers, mbpoll_reads, dials_in])
