"""A county under way: the simulator, the daemon, a recorder on each wire between them, a hand
on their clock, and a reader of the daemon's journal that shares nothing with the daemon."""
import contextlib
import glob
import os
import select
import socket
import struct
import threading
import zlib

import generate
import harness
from running import Daemon, check

END_MS = 4000  # the daemon waits 5 s for whoever follows its clock
READING, ALERT = 2, 3  # kinds of records
GOOD_QUALITY, REPEATED = 3, 512  # mask, mark


class Recorder:
    """A TCP proxy that keeps what the daemon sends, connection by connection."""

    def __init__(self, port):
        self.to = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sent = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(peer,), daemon=True).start()

    def carry(self, peer):
        with contextlib.suppress(ConnectionRefusedError):  # the simulator has ended
            self.carry_to_the_end(peer)

    def carry_to_the_end(self, peer):
        kept = bytearray()
        self.sent.append(kept)
        with peer, socket.create_connection(("127.0.0.1", self.to)) as device:
            other = {peer: device, device: peer}
            while True:
                for s in select.select([peer, device], [], [])[0]:
                    try:
                        data = s.recv(65536)
                        if s is peer:
                            kept += data
                        if data:
                            other[s].sendall(data)
                    except OSError:
                        data = b""
                    if not data:
                        return

    def functions(self):
        """How often each function code was sent; every byte must be of a request of 12."""
        seen = {}
        for data in self.sent:
            whole = len(data) - len(data) % 12  # the last one may be cut by a kill
            for i in range(0, whole, 12):
                _, protocol, length, _, function, _, _ = struct.unpack(">HHHBBHH", data[i:i + 12])
                check((protocol, length) == (0, 6), f"no request: {data[i:i + 12].hex()}")
                seen[function] = seen.get(function, 0) + 1
        return seen


class Clock:
    """Stands between the daemon's clock and the simulator, so that a test can do things at a
    simulated time, and stop it at the end. The simulator stays while the daemon comes and goes."""

    def __init__(self, daemon, sim, end):
        self.daemon, self.end, self.at = daemon, end, 0
        self.todo = []  # (ms, function): called once, when simulated time is there
        self.ended, self.over = threading.Event(), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(sim)
        self.listener.listen(1)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        sim, _ = self.listener.accept()
        answers = sim.makefile("rb")
        while not self.over.is_set():
            with socket.socket(socket.AF_UNIX) as s:
                try:
                    s.connect(self.daemon)
                    for line in s.makefile("rb"):
                        self.tell(int(line))
                        sim.sendall(line)
                        s.sendall(answers.readline())
                except OSError:
                    self.over.wait(0.02)  # it is not there yet, or any more

    def tell(self, ms):
        self.at = ms
        while self.todo and self.todo[0][0] <= ms:
            self.todo.pop(0)[1]()
        if ms >= self.end:
            self.ended.set()
            self.over.wait(END_MS / 1000)


class World:
    """Everything, in the daemon's folder."""

    def __init__(self, seed, cluster, database, **journal):
        self.county = county = generate.County(seed)
        self.cluster, self.database = cluster, cluster.create(database)
        self.daemon = d = Daemon(database={"conninfo": cluster.conninfo(database),
                                           "batch_time": "100ms"},
                                 journal={"sync": "20ms", **journal})
        ports = [harness.free_port() for _ in generate.GATEWAYS]
        self.recorders = [Recorder(port) for port in ports]
        county.ledger(d.path("ledger"), [r.port for r in self.recorders])
        self.readings = county.readings(d.path("readings.csv"))
        self.clock = Clock(d.path("state/clock.sock"), d.path("sim.sock"),
                           int(county.end.timestamp() * 1000))
        self.sim = harness.Program([
            harness.program("lodewatch-sim"), "--ledger", county.ledger(d.path("sim"), ports),
            "--profiles", os.path.join(harness.ROOT, "etc/profiles"), "--readings", self.readings,
            "--follow", d.path("sim.sock")])
        self.sim.wait_text("gateways", where="out")

    def at(self, part, function):
        """Calls it after this part of the run, in the clock's thread."""
        begin = int(generate.START.timestamp() * 1000)
        self.clock.todo.append((begin + int((self.clock.end - begin) * part), function))

    def start(self, **more):
        self.daemon.start("--record", self.daemon.path("record"), "--clock-rate", "1000000",
                          "--clock-start", generate.START.isoformat(), **more)

    def finish(self, seconds=120):
        """To the end of the readings; what was read by then is in PostgreSQL; exit 0."""
        check(self.clock.ended.wait(seconds), f"not at the end\n{self.daemon.logged()}")
        last = max(ms for _, ms in self.county.stored())
        rows = sum(ms == last for _, ms in self.county.stored())

        def landed():
            with contextlib.suppress(RuntimeError):  # PostgreSQL recovers
                return sum(r[1] >= last for r in self.stored()) >= rows
        harness.wait_for(landed, 60, "the last readings in PostgreSQL")
        self.clock.over.set()
        code = self.daemon.stop()[0]
        check(code == 0, f"exit {code}\n{self.daemon.logged()}")
        check(self.sim.stop() == 0, self.sim.err)

    def in_time(self, iso):
        return generate.datetime.fromisoformat(iso).timestamp() * 1000 < self.clock.end

    def stored(self):
        """Rows of `reading` as (meter, ms, q, values…), up to the end."""
        rows = self.cluster.psql(
            "SELECT id, (extract(epoch FROM ts) * 1000)::int8, q, " + ",".join(generate.COLUMNS) +
            " FROM reading JOIN meter_key USING (meter_id)", self.database)
        rows = [line.split("|") for line in rows.splitlines()]
        rows = [(r[0], *(int(v) if v else None for v in r[1:])) for r in rows]
        return [r for r in rows if r[1] < self.clock.end]

    def replay(self, *arguments):
        done = harness.run([harness.program("lodewatch"), "replay", "--quiet", *arguments])
        check(done.returncode == 0, done.stderr)
        return done.stdout

    def close(self):
        self.clock.over.set()
        self.sim.kill()
        self.daemon.close()


# -------------------------------------------------------------------- the journal


class Packed:
    """The journal's numbers and texts, docs/journal.md and lib/codec/event_pack.c."""

    def __init__(self, data):
        self.data, self.i = data, 0

    def bytes(self, n):
        self.i += n
        return self.data[self.i - n:self.i]

    def u8(self):
        return self.bytes(1)[0]

    def int(self):
        v = shift = 0
        while True:
            byte = self.u8()
            v |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return v >> 1 ^ -(v & 1)


def journal(folder):
    """Its records, whole ones only, as (kind, payload)."""
    for path in sorted(glob.glob(os.path.join(folder, "*.seg"))):
        with open(path, "rb") as f:
            data = f.read()
        if len(data) < 24:  # it is just being made
            continue
        check(data[:8] == b"lw.seg\r\n", path)
        position, i = int.from_bytes(data[16:24], "little"), 24
        while i + 9 <= len(data):
            n, crc, kind = struct.unpack("<IIB", data[i:i + 9])
            here = struct.pack("<QB", position + i - 24, kind) + data[i + 9:i + 9 + n]
            if len(here) != 9 + n or zlib.crc32(here) != crc:
                break
            yield kind, data[i + 9:i + 9 + n]
            i += 9 + n


def journal_readings(folder):
    """Its readings as (meter, ms, q, {quantity's number: value})."""
    for kind, payload in journal(folder):
        if kind != READING:
            continue
        p = Packed(payload[2:])
        check(p.bytes(2) == b"\1\1", payload.hex())
        at = p.int()
        meter = p.bytes(p.u8()).decode()
        p.int()  # installed
        ms, have, _ = at + p.int(), p.int(), p.int()
        values = {b: p.int() for b in range(16) if have >> b & 1}
        yield meter, ms, int.from_bytes(payload[:2], "little"), values
