#!/usr/bin/python3
"""`lodewatch probe`: every shipped profile is found on lodewatch-sim; on a pymodbus server wrong
word orders and addresses are noticed. And the profiles' form: its JSON Schema and the program's
own check agree."""
import copy
import glob
import json
import os
import re
import socket
import struct
import threading

import harness
from running import ROOT, Daemon, check, equal, free_port, tap

PYTHON = "/usr/bin/python3"  # Debian's, which has python3-pymodbus and python3-jsonschema
PROFILES = os.path.join(ROOT, "etc/profiles")
FOUND = ["eastron-sdm630", "eastron-sdm120", "schneider-iem3000", "abb-b23", "chint-dtsu666",
         "acrel-dtsd1352", "janitza-b23", "sunspec-203"]
VALUES = {"active_power_kw": 11.04, "reactive_power_kvar": 2.1, "import_kwh": 123456.78,
          "export_kwh": 12.5, "voltage_a_v": 230.1, "voltage_b_v": 231.2, "voltage_c_v": 229.9,
          "current_a_a": 15.9, "current_b_a": 16.1, "current_c_a": 15.8, "power_factor": 0.98}

SERVER = r"""
import asyncio, struct, sys
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSequentialDataBlock
from pymodbus.server import StartAsyncTcpServer

SDM630 = {0x00: 230.1, 0x02: 231.2, 0x04: 229.9, 0x06: 15.9, 0x08: 16.1, 0x0A: 15.8, 0x34: 11040,
          0x3C: 2100, 0x3E: 0.98, 0x46: 50.02, 0x48: 123456.78, 0x4A: 12.5}

def device(shift, order):
    words = [0] * 0x60
    for address, value in SDM630.items():
        words[address + shift:address + shift + 2] = struct.unpack(">2H", struct.pack(">f", value))[::order]
    serial = ModbusSequentialDataBlock(0xFC00, [0x0001, 0xE240])
    return ModbusSlaveContext(ir=ModbusSequentialDataBlock(0, words), hr=serial, zero_mode=True)

units = {1: device(0, 1), 2: device(0, -1), 3: device(1, 1),
         4: ModbusSlaveContext(ir=ModbusSequentialDataBlock(0, [0] * 0x60), zero_mode=True)}
asyncio.run(StartAsyncTcpServer(context=ModbusServerContext(slaves=units, single=False),
                                address=("127.0.0.1", int(sys.argv[1])), ignore_missing_slaves=True))
"""


def probe(*arguments):
    return harness.run([harness.program("lodewatch"), "probe", "--profiles", PROFILES, *arguments])


def probe_json(port, unit, *more):
    done = probe("--json", "--unit", unit, *more, f"127.0.0.1:{port}")
    return json.loads(done.stdout), done.returncode


def simulate(folder, profiles, names):
    """A simulator with a meter of each profile, at units 1, 2, 3 …"""
    port = free_port()
    folder.write("ledger/gateways.csv", f"gateway_id,transport,address\ng1,tcp,127.0.0.1:{port}\n")
    folder.write("ledger/meters.csv", "meter_id,installed_at,role,gateway_id,unit,profile,interval_s\n" +
                 "".join(f"m{u},2024-01-01,context,g1,{u},{name},60\n"
                         for u, name in enumerate(names, 1)))
    folder.write("readings.csv", "time,meter_id,quality," + ",".join(VALUES) + "\n" +
                 "".join(f"2025-03-03T00:00:00Z,m{u},good," + ",".join(map(str, VALUES.values())) +
                         "\n" for u in range(1, len(names) + 1)))
    sim = harness.Program([harness.program("lodewatch-sim"), "--ledger", folder.path("ledger"),
                           "--profiles", profiles, "--readings", folder.path("readings.csv"),
                           "--clock-start", "2025-03-03T00:00:00Z"])
    sim.wait_text("gateways", where="out")
    return port, sim


def check_values(name, report):
    with open(os.path.join(PROFILES, name + ".json"), encoding="utf-8") as f:
        want = [p["quantity"] for p in json.load(f)["points"] if "quantity" in p]
    got = {p["name"]: p for p in report["points"] if p["name"] in VALUES}
    equal((name, sorted(got)), (name, sorted(want)))
    for quantity in want:
        value = float(got[quantity]["value"])
        check(abs(value - VALUES[quantity]) < 1e-6 * abs(value) + 1e-4, (name, quantity, value))
        check(not got[quantity]["doubtful"], (name, quantity))


def finds_each():
    """Each shipped profile is found on the simulator, with every value and a serial number"""
    folder = Daemon()
    port, sim = simulate(folder, PROFILES, FOUND)
    serials = set()
    for unit, name in enumerate(FOUND, 1):
        report, code = probe_json(port, unit)
        equal((report["profile"], code, report["fits"]), (name, 0, True))
        equal([w for w in report["warnings"] if "held this profile" not in w], [])
        equal(len(report["warnings"]), name == "acrel-dtsd1352")
        check_values(name, report)
        with open(os.path.join(PROFILES, name + ".json"), encoding="utf-8") as f:
            profile = json.load(f)
        equal(report["serial"] is not None, "serial" in profile or "sunspec" in profile)
        equal("drift_ms" in report, "clock" in profile)
        serials.add(report["serial"])
    equal(len(serials), 6)  # of five meters, and None
    text = probe("--unit", 3, f"127.0.0.1:{port}").stdout
    check(re.search(r"^  import_kwh +123456\.78 kWh +3 0x0C83  0000 0000 075B CD0C$", text, re.M), text)
    check(re.search(r"^its clock is \d+ ms behind$", text, re.M), text)
    equal(sim.stop(), 0)
    folder.close()


def model_file():
    """A model file in SunSpec's form is a profile: the device is found by walking to its model"""
    points = [("ID", "uint16", 1, None), ("L", "uint16", 1, None), ("A", "int16", 1, "A_SF"),
              ("AphA", "int16", 1, "A_SF"), ("AphB", "int16", 1, "A_SF"), ("AphC", "int16", 1, "A_SF"),
              ("A_SF", "sunssf", 1, None), ("PhV", "int16", 1, "V_SF"), ("PhVphA", "int16", 1, "V_SF"),
              ("PhVphB", "int16", 1, "V_SF"), ("PhVphC", "int16", 1, "V_SF"), ("x", "pad", 4, None),
              ("V_SF", "sunssf", 1, None), ("Hz", "int16", 1, "Hz_SF"), ("Hz_SF", "sunssf", 1, None),
              ("W", "int16", 1, "W_SF"), ("y", "pad", 3, None), ("W_SF", "sunssf", 1, None),
              ("z", "pad", 5, None), ("VAR", "int16", 1, "VAR_SF"), ("u", "pad", 3, None),
              ("VAR_SF", "sunssf", 1, None), ("PF", "int16", 1, "PF_SF"), ("v", "pad", 3, None),
              ("PF_SF", "sunssf", 1, None), ("TotWhExp", "acc32", 2, "TotWh_SF"), ("p", "pad", 6, None),
              ("TotWhImp", "acc32", 2, "TotWh_SF"), ("q", "pad", 6, None), ("TotWh_SF", "sunssf", 1, None)]
    folder = Daemon()
    own = harness.temp_dir()
    harness.write(os.path.join(own, "model_203.json"), json.dumps({"id": 203, "group": {
        "type": "group", "name": "m", "points": [
            {"name": n, "type": t, "size": s, **({"sf": sf} if sf else {})} for n, t, s, sf in points]}}))
    port, sim = simulate(folder, PROFILES, ["sunspec-203", "eastron-sdm630"])
    report, code = probe_json(port, 1, "--profiles", own)
    equal((report["profile"], report["warnings"], code), ("model_203", [], 0))
    check_values("sunspec-203", report)
    equal([p["address"] for p in report["points"] if p["name"] == "import_kwh"], [40070 + 46])
    report, code = probe_json(port, 2, "--profiles", own)
    equal((report["profile"], code), (None, 1))
    equal(sim.stop(), 0)
    folder.close()


def suspects():
    """Words exchanged, addresses one off, a device of zeros, no device: each is told"""
    if harness.run([PYTHON, "-c", "import pymodbus.server"]).returncode != 0:
        return "python3-pymodbus is not installed"
    port = free_port()
    device = harness.Program([PYTHON, harness.write(os.path.join(harness.temp_dir(), "d.py"), SERVER), port])
    harness.wait_for(lambda: probe("--timeout", 300, f"127.0.0.1:{port}").returncode == 0, 20, "pymodbus")
    report, code = probe_json(port, 1)
    equal((report["profile"], report["serial"], report["warnings"], code),
          ("eastron-sdm630", "123456", [], 0))
    for unit, what in ((2, "word_order seems to be wrong"), (3, "addresses seem to be too low by one")):
        for more in ((), ("--profile", "eastron-sdm630")):
            report, code = probe_json(port, unit, *more)
            equal((unit, report["profile"], report["fits"], code), (unit, "eastron-sdm630", False, 1))
            check(any(what in w for w in report["warnings"]), report["warnings"])
            check(any("does not fit" in w for w in report["warnings"]), report["warnings"])
            check(any(p["doubtful"] for p in report["points"]), report)
    report, code = probe_json(port, 4)
    equal((report["profile"], report["points"], code), (None, [], 1))
    done = probe("--timeout", 200, "--unit", 9, f"127.0.0.1:{port}")
    equal((done.returncode, done.stdout), (1, ""))
    check("no answer" in done.stderr, done.stderr)
    device.kill()
    return None


def every_transport():
    """The same meter is found over Modbus TCP, RTU over TCP and a serial line, and says the same"""
    folder = Daemon()
    ports, device = [free_port(), free_port()], os.path.join(folder.dir, "tty")
    folder.write("ledger/gateways.csv", "gateway_id,transport,address,baud,parity\n"
                 f"g1,tcp,127.0.0.1:{ports[0]},,\ng2,rtu_over_tcp,127.0.0.1:{ports[1]},,\n"
                 f"g3,rtu,{device},19200,even\n")
    folder.write("ledger/meters.csv", "meter_id,installed_at,role,gateway_id,unit,profile,interval_s\n" +
                 "".join(f"m{g},2024-01-01,context,g{g},7,eastron-sdm630,60\n" for g in (1, 2, 3)))
    folder.write("readings.csv", "time,meter_id,quality," + ",".join(VALUES) + "\n" +
                 "".join(f"2025-03-03T00:00:00Z,m{g},good," + ",".join(map(str, VALUES.values())) +
                         "\n" for g in (1, 2, 3)))
    sim = harness.Program([harness.program("lodewatch-sim"), "--ledger", folder.path("ledger"),
                           "--profiles", PROFILES, "--readings", folder.path("readings.csv"),
                           "--clock-start", "2025-03-03T00:00:00Z"])
    sim.wait_text("gateways", where="out")
    for arguments in ([f"127.0.0.1:{ports[0]}"], ["--rtu", f"127.0.0.1:{ports[1]}"],
                      ["--baud", "19200", "--parity", "even", device]):
        done = probe("--json", "--unit", 7, "--timeout", 500, *arguments)
        report = json.loads(done.stdout)
        equal((arguments, report["profile"], report["fits"], done.returncode),
              (arguments, "eastron-sdm630", True, 0))
        check_values("eastron-sdm630", report)
    for arguments in ([f"127.0.0.1:{ports[1]}"], ["--rtu", f"127.0.0.1:{ports[0]}"]):
        done = probe("--unit", 7, "--timeout", 100, *arguments)
        equal((arguments, done.returncode, done.stdout), (arguments, 1, ""))
        check(re.search("no answer|no Modbus|reset", done.stderr), done.stderr)
    equal(sim.stop(), 0)
    done = probe(device)
    equal((done.returncode, "No such file" in done.stderr), (1, True))
    folder.close()


def silent_to_others():
    """A device that is silent to what it does not have, instead of refusing it, is found"""
    words = {0x00: 230.1, 0x06: 15.9, 0x0C: 3650.0, 0x46: 50.02, 0x48: 123456.78}
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        c = listener.accept()[0]
        while len(request := c.recv(12)) == 12:
            transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", request)
            if function == 4 and address in words and count == 2:
                c.sendall(struct.pack(">HHHBBBf", transaction, 0, 7, unit, 4, 4, words[address]))

    threading.Thread(target=serve, daemon=True).start()
    report, code = probe_json(listener.getsockname()[1], 1, "--timeout", 30)
    equal((report["profile"], report["fits"], code), ("eastron-sdm120", True, 0))
    equal([p["value"] for p in report["points"] if p["name"] == "import_kwh"], ["123456.8"])


def bad_usage():
    """Bad arguments are refused with 2, a device that is not there with 1"""
    for arguments in ([], ["a", "b"], ["--unit", "256", "127.0.0.1:1"], ["--unit", "x", "127.0.0.1:1"],
                      ["--timeout", "0", "127.0.0.1:1"], ["--profile", "nobody", "127.0.0.1:1"],
                      ["--profiles", "/nowhere", "127.0.0.1:1"], ["127.0.0.1"], ["--baud", "9601", "/dev/null"],
                      ["--parity", "mark", "/dev/null"], ["--stop-bits", "0", "/dev/null"],
                      ["--timezone", "Mars", "127.0.0.1:1"], ["--frequency", "127.0.0.1:1"]):
        done = probe(*arguments)
        equal((arguments, done.returncode, done.stdout), (arguments, 2, ""))
        check(done.stderr, arguments)
    done = probe(f"127.0.0.1:{free_port()}")
    equal(done.returncode, 1)
    check("refused" in done.stderr, done.stderr)


# ------------------------------------------------------------------ the form

VALIDATE = """
import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    print(path, validator.is_valid(json.load(open(path))))
"""
POINT = {"quantity": "import_kwh", "function": 3, "address": "0x0000", "type": "u32", "unit": "Wh"}
WHOLE = {"vendor": "v", "model": "m", "source": "s", "points": [POINT]}
SPOILT = [  # what is put into a good profile; None takes it away
    {"vendor": None}, {"vendor": 7}, {"colour": "red"}, {"points": []}, {"slow_every": 1},
    {"bus": {"max_registers": 126}}, {"bus": {"baud": 1}}, {"bus": {"parity": "even"}},
    {"bus": {"forbidden": [["0x00"]]}}, {"probe": {"function": 3, "address": "0x0000", "type": "u16"}},
    {"probe": {"function": 3, "address": "0x0000", "type": "u16", "equals": 1, "min": 0, "max": 1}},
    {"serial": {"function": 3, "address": "0x0000", "type": "f32"}},
    {"serial": {"function": 3, "address": "0x0000", "type": "string"}},
    {"serial": {"function": 3, "address": "0x0000", "type": "u16", "length": 2}},
    {"clock": {"function": 3, "address": "0x0000", "format": "bcd"}}, {"sunspec": 0},
    {"points": [{**POINT, "unit": "kW"}]}, {"points": [{**POINT, "function": 6}]},
    {"points": [{**POINT, "address": 7}]}, {"points": [{**POINT, "type": "bits16"}]},
    {"points": [{**POINT, "scale": 0}]}, {"points": [{**POINT, "class": "often"}]},
    {"points": [{**POINT, "modulus": 0}]}, {"points": [{**POINT, "missing": []}]},
    {"points": [POINT, {"name": "x", "function": 3, "address": "0x0000", "type": "string"}]},
    {"points": [POINT, {"name": "x", "quantity": "import_kwh", "function": 3, "address": "0x0000",
                        "type": "u16"}]},
]


def schema_and_program_agree():
    """Every shipped profile validates; what the schema refuses the program refuses, with a place"""
    if harness.run([PYTHON, "-c", "import jsonschema"]).returncode != 0:
        return "python3-jsonschema is not installed"
    folder = harness.temp_dir()
    good = sorted(glob.glob(os.path.join(PROFILES, "*.json"))) + [
        os.path.join(ROOT, "tests/fuzz/corpus/profile/all-members.json"),
        harness.write(os.path.join(folder, "good.json"), json.dumps(WHOLE))]
    bad = []
    for i, change in enumerate(SPOILT):
        profile = {k: v for k, v in {**copy.deepcopy(WHOLE), **change}.items() if v is not None}
        bad.append(harness.write(os.path.join(folder, f"bad-{i}.json"), json.dumps(profile)))
    done = harness.run([PYTHON, "-c", VALIDATE, os.path.join(ROOT, "docs/schema/profile-1.schema.json"),
                        *good, *bad])
    equal(done.returncode, 0)
    equal(done.stdout.splitlines(), [f"{p} True" for p in good] + [f"{p} False" for p in bad])
    for path in good + bad:
        done = harness.run([harness.program("lodewatch"), "check", path])
        equal((path, done.returncode), (path, 2 if path in bad else 0))
        check(path in good or re.match(re.escape(path) + r":1:\d+: ", done.stdout), done.stdout)
    faults = json.loads(harness.run([harness.program("lodewatch"), "check", "--json", bad[1]]).stdout)
    equal([(f["line"], f["column"]) for f in faults["faults"]], [(1, 12)])
    return None


if __name__ == "__main__":
    tap([finds_each, model_file, suspects, silent_to_others, every_transport, bad_usage, schema_and_program_agree])
