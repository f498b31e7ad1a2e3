#!/usr/bin/python3
"""Modbus programs that nobody here wrote, at both ends: pymodbus as a meter that answers with
exceptions and as a gateway with a silent unit; node's modbus-serial, where it is, as a meter;
mbpoll as a master of lodewatch-sim. Without PostgreSQL: what was read is taken from the
journal."""
import os
import re
import shutil
import struct
import time

import harness
from running import Daemon, check, equal, free_port, tap, wait_for
from world import journal_readings

PYTHON = "/usr/bin/python3"  # Debian's, which has python3-pymodbus
SERVER = r"""
import asyncio, struct, sys
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSequentialDataBlock
from pymodbus.server import StartAsyncTcpServer

class Sdm630(ModbusSequentialDataBlock):
    '''Input registers, floats. The file says how it behaves: ok, refuse, fail.'''
    def __init__(self, unit):
        super().__init__(0, [0] * 0x60)
        self.reads = 0
        for address, value in ((0x00, 230.0 + unit), (0x34, 1000.0 * unit), (0x3E, 0.5),
                               (0x48, 100.0 * unit)):
            self.values[address:address + 2] = struct.unpack(">2H", struct.pack(">f", value))
    def validate(self, address, count=1):
        mode = open(sys.argv[2]).read()
        if mode == "fail":
            raise RuntimeError("as it was told")
        return mode == "ok" and super().validate(address, count)

units = {u: ModbusSlaveContext(ir=Sdm630(u), zero_mode=True) for u in map(int, sys.argv[3:])}
asyncio.run(StartAsyncTcpServer(context=ModbusServerContext(slaves=units, single=False),
                                address=("127.0.0.1", int(sys.argv[1])),
                                ignore_missing_slaves=True))
"""
# Registers of the profile that the device has; all else of it reads 0.
ACTIVE_POWER, IMPORT, VOLTAGE_A, POWER_FACTOR = 0, 2, 4, 10
UNITS = (1, 2, 3, 5, 6)
SILENT = 4


class Device:
    def __init__(self, *units):
        self.port = free_port()
        self.mode = os.path.join(harness.temp_dir(), "mode")
        self.behave("ok")
        script = harness.write(self.mode + ".py", SERVER)
        self.program = harness.Program([PYTHON, script, self.port, self.mode, *units])

    def behave(self, mode):
        harness.write(self.mode + ".new", mode)
        os.rename(self.mode + ".new", self.mode)


def meters(*units):
    return {"meters.csv": "meter_id,installed_at,site_id,role,gateway_id,unit,profile,interval_s\n" +
            "".join(f"u{u},2024-01-01,s1,supply,g1,{u},eastron-sdm630,1\n" for u in units)}


def polls(d, result):
    return d.metric(f'lodewatch_polls_total{{result="{result}"}}')


def readings(d, meter):
    return [r for r in journal_readings(d.path("state/journal")) if r[0] == meter]


def exceptions():
    """A meter that answers with exceptions is not read, and is again once it answers"""
    device = Device(1)
    d = Daemon(device, meters(1)).start()
    check(wait_for(lambda: len(readings(d, "u1")) > 1, 20), d.logged())
    for mode in ("fail", "refuse"):
        device.behave(mode)
        failed = polls(d, "exception")
        check(wait_for(lambda: polls(d, "exception") > failed), "no exception counted")
        good = polls(d, "good")
        check(wait_for(lambda: polls(d, "exception") > failed + 1, 20), "it is not asked again")
        equal(polls(d, "good"), good)
        device.behave("ok")
        check(wait_for(lambda: polls(d, "good") > good + 1, 30), "it is not read again")
    equal(d.stop()[0], 0)
    # Refused registers were asked for one by one; now that they are there, none is left out.
    first, *_, last = [values for _, _, _, values in readings(d, "u1")]
    equal(last, first)
    equal([first[q] for q in (ACTIVE_POWER, IMPORT, VOLTAGE_A, POWER_FACTOR)],
          [1000, 100_000, 2310, 500])
    d.close()


def off_schedule(inflight):
    """The gaps between the readings of those that a silent unit moves off their schedule."""
    device = Device(*UNITS)
    d = Daemon(device, meters(*UNITS, SILENT), timed=True)
    d.write("ledger/gateways.csv", "gateway_id,transport,address,max_inflight,timeout_ms\n"
            f"g1,tcp,127.0.0.1:{device.port},{inflight},300\n")
    d.start()
    check(wait_for(lambda: len(readings(d, "u1")) > 1, 20), d.logged())
    begin = time.time() * 1000  # the device has come up
    check(wait_for(lambda: len([r for r in readings(d, "u1") if r[1] > begin]) >= 8, 20),
          d.logged())
    check(polls(d, "timeout") >= 2, "the silent unit is not asked")
    off = {"overruns": polls(d, "overrun")} if polls(d, "overrun") else {}
    equal(d.stop()[0], 0)
    equal(readings(d, f"u{SILENT}"), [])
    for unit in UNITS:
        got = [r for r in readings(d, f"u{unit}") if r[1] > begin]
        gaps = [b[1] - a[1] for a, b in zip(got, got[1:])]
        if len(gaps) < 6 or not all(600 <= gap <= 1400 for gap in gaps):
            off[f"u{unit}"] = gaps
        equal({(r[3][ACTIVE_POWER], r[3][IMPORT]) for r in got}, {(1000 * unit, 100_000 * unit)})
    d.close()
    return off


def silent_unit():
    """One silent unit of a gateway does not move the others off their schedule"""
    for inflight in (1, 4):
        tries = []  # this machine may be late itself, but not always
        while len(tries) < 3 and (not tries or tries[-1]):
            tries.append(off_schedule(inflight))
        check(not tries[-1], f"{inflight} in flight: {tries}")


NODE = r"""
const Modbus = require("modbus-serial");
const words = new Map();
function put(unit, address, value) {
  const b = Buffer.alloc(4);
  b.writeFloatBE(value);
  words.set(unit * 65536 + address, b.readUInt16BE(0));
  words.set(unit * 65536 + address + 1, b.readUInt16BE(2));
}
for (const unit of [1, 2]) {
  put(unit, 0x00, 230 + unit);
  put(unit, 0x34, 1000 * unit);
  put(unit, 0x48, 100 * unit);
}
const vector = {
  getInputRegister: async (address, unit) => {
    if (unit === 3) throw { modbusErrorCode: 4 };
    return words.get(unit * 65536 + address) || 0;
  },
};
new Modbus.ServerTCP(vector, { host: "127.0.0.1", port: Number(process.argv[2]), unitID: 255 });
"""


def node_server():
    """modbus-serial's server, of node, is read with several requests in flight"""
    if not shutil.which("node") or \
            harness.run(["node", "-e", 'require("modbus-serial")']).returncode != 0:
        return "modbus-serial is not found: npm install it, and set NODE_PATH"
    port = free_port()
    script = harness.write(os.path.join(harness.temp_dir(), "server.js"), NODE)
    program = harness.Program(["node", script, port])
    for inflight in (1, 4):
        d = Daemon(None, meters(1, 2, 3))
        d.write("ledger/gateways.csv", "gateway_id,transport,address,max_inflight\n"
                f"g1,tcp,127.0.0.1:{port},{inflight}\n")
        d.start()
        check(wait_for(lambda: all(len(readings(d, f"u{u}")) >= 3 for u in (1, 2)), 20), d.logged())
        check(polls(d, "exception") >= 1, "no exception counted")
        equal(d.metric("lodewatch_stray_frames_total"), 0)
        equal(d.stop()[0], 0)
        equal(readings(d, "u3"), [])
        for unit in (1, 2):
            equal({(r[3][ACTIVE_POWER], r[3][IMPORT], r[3][VOLTAGE_A])
                   for r in readings(d, f"u{unit}")},
                  {(1000 * unit, 100_000 * unit, 2300 + 10 * unit)})
        d.close()
    program.stop()
    return None


QUANTITIES = (  # of the profile `generic`: column, value, register, mbpoll's type and text
    ("active_power_kw", -12.345, 0x00, "4:int", "-12345"),
    ("reactive_power_kvar", 0.678, 0x02, "4:int", "678"),
    ("import_kwh", 9876543.21, 0x04, None, 9876543210),
    ("export_kwh", 0.001, 0x08, None, 1),
    ("voltage_a_v", 231.4, 0x0C, "4:int", "2314"),
    ("voltage_b_v", 0, 0x0E, "4:int", "0"),
    ("voltage_c_v", 229.9, 0x10, "4:int", "2299"),
    ("current_a_a", 123.456, 0x12, "4:int", "123456"),
    ("current_b_a", 0.001, 0x14, "4:int", "1"),
    ("current_c_a", 7, 0x16, "4:int", "7000"),
    ("power_factor", -0.987, 0x18, "4", -987 & 0xFFFF),
    ("temperature_c", -5.25, 0x1A, "4:int", "-5250"),
    ("rain_mm_h", 12.5, 0x1C, "4:int", "12500"),
    ("water_level_m", 3.141, 0x1E, "4:int", "3141"),
)


def mbpoll_reads():
    """mbpoll reads every quantity of a generic meter from lodewatch-sim"""
    if not shutil.which("mbpoll"):
        return "mbpoll is not installed"
    d = Daemon()  # for its folder
    port = free_port()
    d.write("ledger/gateways.csv", f"gateway_id,transport,address\ng1,tcp,127.0.0.1:{port}\n")
    d.write("readings.csv", "time,meter_id,quality," + ",".join(q[0] for q in QUANTITIES) +
            "\n2025-03-03T00:00:00Z,m1,good," + ",".join(str(q[1]) for q in QUANTITIES) + "\n")
    sim = harness.Program([harness.program("lodewatch-sim"), "--ledger", d.path("ledger"),
                           "--profiles", os.path.join(harness.ROOT, "etc/profiles"), "--readings",
                           d.path("readings.csv"), "--clock-start", "2025-03-03T00:00:00Z"])
    sim.wait_text("gateways", where="out")

    def poll(register, form, count=1):
        done = harness.run(["mbpoll", "-m", "tcp", "-0", "-1", "-p", port, "-a", 1, "-r", register,
                            "-c", count, "-t", form, "-B", "127.0.0.1"])
        return re.findall(r"^\[\d+\]:\s*(\S+)", done.stdout, re.M)

    for name, _, register, form, want in QUANTITIES:
        if form is None:
            words = [int(w) & 0xFFFF for w in poll(register, "4", 4)]
            got = struct.unpack(">q", struct.pack(">4H", *words))[0]
        else:
            got = poll(register, form)[0]
            got = got if form.endswith("int") else int(got) & 0xFFFF
        equal((name, got), (name, want))
    equal(sim.stop(), 0)
    d.close()
    return None


if harness.run([PYTHON, "-c", "import pymodbus.server"]).returncode != 0:
    harness.skip_all("python3-pymodbus is not installed")
tap([exceptions, silent_unit, node_server, mbpoll_reads])
