#!/usr/bin/python3
"""lodewatchd polls devices that nobody here wrote: a pymodbus server with the registers of
three meter models goes away and comes back, and what PostgreSQL holds is what it served."""
import json
import struct
import sys

from harness import Cluster, Program, run, skip_all, write
from running import Daemon, check, equal, free_port, tap, wait_for

SERVER = r"""
import json, sys
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server import StartTcpServer
def block(words):
    return ModbusSparseDataBlock({int(a): v for a, v in words.items()} or {0: 0})
units = {int(u): ModbusSlaveContext(hr=block(m["hr"]), ir=block(m["ir"]), zero_mode=True)
         for u, m in json.loads(sys.argv[2]).items()}
StartTcpServer(context=ModbusServerContext(slaves=units, single=False),
               address=("127.0.0.1", int(sys.argv[1])), allow_reuse_address=True)
"""


def words(form, address, *values):
    """{address: word} of values that stand one behind the other."""
    data = struct.pack(">" + form, *values)
    return {address + i: word for i, word in enumerate(struct.unpack(f">{len(data) // 2}H", data))}


def zeros(first, last):
    return {a: 0 for a in range(first, last + 1)}


NONE32, NONE64 = -2**31, -2**63
UNITS = {
    1: {"ir": {}, "hr": {
        **words("2i2q6i", 0, 86149, NONE32, 123456789012, NONE64, 2301, 2302, 2303, 1, 2, 3),
        **zeros(0x18, 0x19), **words("3i", 0x1A, NONE32, NONE32, NONE32)}},
    # Eastron SDM630: input registers, floats
    2: {"hr": {}, "ir": {**zeros(0, 0x4B), **words("3f3f", 0, 230.5, 231, 229.25, 5, 6, 7),
                         **words("f", 0x34, 1500.4), **words("2f", 0x48, 1234.5, 0.25)}},
    # Schneider iEM3000: holding registers, and holes between them that cannot be read
    3: {"ir": {}, "hr": {**words("3f", 0x0BB7, 1, 2, 3), **words("3f", 0x0BD3, 230, 231, 232),
                         **words("f", 0x0BF3, -2.25),
                         **words("2q", 0x0C83, 9007199254740, 17)}},
}
METERS = ("meter_id,installed_at,role,gateway_id,unit,profile,interval_s\n"
          "own,2024-01-01,context,g1,1,generic,1\n"
          "eastron,2024-01-01,context,g1,2,eastron-sdm630,1\n"
          "schneider,2024-01-01,context,g1,3,schneider-iem3000,1\n"
          "nobody,2024-01-01,context,g1,9,generic,1\n")
WANT = {
    "own": "86149|123456789012||2301",
    "eastron": "1500|1234500|250|2305",
    "schneider": "-2250|9007199254740|17|2300",
}


class Device:
    """The pymodbus server, on a port of its own that it keeps when it comes back."""

    def __init__(self, python):
        self.python = python
        self.port = free_port()
        self.script = write(f"{cluster.dir}/server.py", SERVER)

    def start(self):
        self.program = Program([self.python, self.script, self.port, json.dumps(UNITS)])

    def stop(self):
        self.program.kill()


def find_python():
    for python in (sys.executable, "/usr/bin/python3"):
        if run([python, "-c", "import pymodbus.server"]).returncode == 0:
            return python
    return skip_all("pymodbus is not installed")


def rows(meter, more=""):
    return int(cluster.psql(f"SELECT count(*) FROM reading JOIN meter_key USING (meter_id) "
                            f"WHERE id = '{meter}' AND q & 3 = 0 {more}", "lodewatch"))


def stores_what_is_served():
    """The registers of three models arrive in PostgreSQL as they were served"""
    check(wait_for(lambda: cluster.psql("SELECT to_regclass('reading')", "lodewatch"), 30),
          daemon.logged())
    check(wait_for(lambda: all(rows(m) >= 3 for m in WANT), 30), daemon.logged())
    for meter, want in WANT.items():
        got = cluster.psql(f"SELECT DISTINCT p_w, imp_wh, exp_wh, v1_dv FROM reading JOIN meter_key "
                           f"USING (meter_id) WHERE id = '{meter}' AND q & 3 = 0", "lodewatch")
        equal((meter, got), (meter, want))


def no_unit_no_reading():
    """A unit that is not there has no reading, and does not hold up the others"""
    equal(rows("nobody"), 0)
    check(daemon.metric('lodewatch_polls_total{result="timeout"}') > 0, "no timeout counted")


def once_a_second():
    """Each meter is read once an interval, at its phase"""
    check(wait_for(lambda: all(rows(m) >= 8 for m in WANT), 30), daemon.logged())
    gap = cluster.psql("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM (SELECT "
                       "extract(epoch FROM ts - lag(ts) OVER (PARTITION BY meter_id ORDER BY ts)) "
                       "AS gap FROM reading) AS g", "lodewatch")
    check(0.8 < float(gap) < 1.2, gap)


def comes_back():
    """A device that goes away and comes back is read again, with nothing invented between"""
    device.stop()
    check(wait_for(lambda: daemon.metric('lodewatch_polls_total{result="link"}') > 3), "no failure")
    before = cluster.psql("SELECT now()", "lodewatch")
    device.start()
    check(wait_for(lambda: rows("own", f"AND ts > '{before}'") > 1, 30), daemon.logged())
    equal(cluster.psql("SELECT count(DISTINCT (p_w, imp_wh)) FROM reading JOIN meter_key USING "
                       "(meter_id) WHERE id = 'own' AND q & 3 = 0", "lodewatch"), "1")


def ends():
    """SIGTERM in the middle of it: exit 0"""
    equal(daemon.stop()[0], 0)


python3 = find_python()
cluster = Cluster()
cluster.create("lodewatch")
device = Device(python3)
device.start()
daemon = Daemon(device, {"meters.csv": METERS},
                database={"conninfo": cluster.conninfo("lodewatch")})
daemon.start()
try:
    tap([stores_what_is_served, no_unit_no_reading, once_a_second, comes_back, ends])
finally:
    daemon.close()
