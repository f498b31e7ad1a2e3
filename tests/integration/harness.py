"""What the integration tests share: TAP, a throw-away PostgreSQL, programs with deadlines.

Standard library only. Everything listens on 127.0.0.1 or on Unix sockets; every program
that a test starts is ended by its process id when the test ends, however it ends.
"""
import atexit
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
PG_BIN = "/usr/lib/postgresql/15/bin"

# ------------------------------------------------------------------ waiting


PATIENCE = 3  # times the seconds that a test names: a machine may be busy with others' work


class Timeout(Exception):
    """Something that had to happen did not, in time."""


def wait_for(condition, seconds=20, what="the condition"):
    """The first true value of condition(), polled; Timeout after so many seconds."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"{what}: not within {seconds * PATIENCE} s")
        time.sleep(0.02)


_claims = []


def free_port():
    """A TCP port of 127.0.0.1 that is free, and that no other test is given while this one
    runs: a Unix socket's abstract name claims it. Not one that an outgoing connection gets."""
    for port in (20000 + (os.getpid() * 64 + i) % 10000 for i in range(10000)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0lodewatch-test-port-{port}")
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise Timeout("no free TCP port")


# ---------------------------------------------------------------- temporary folders


MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # what is timed there waits for no disk


def temp_dir(owner=None, where=None):
    """A folder that goes when the test ends; may be a user's own, and is in /tmp then: not
    every user can go through the folders above TMPDIR, and a socket's path must be short."""
    path = tempfile.mkdtemp(prefix="lodewatch-test-", dir="/tmp" if owner else where)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    if owner and os.geteuid() == 0:
        shutil.chown(path, owner, owner)
    return path


def write(path, text, mode=0o644):
    """Writes a file; returns its path."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


# ----------------------------------------------------------------- programs


class Program:
    """A program under way. Its output goes to files, so that it never waits for us."""

    def __init__(self, args, env=None, stdin=subprocess.DEVNULL, **more):
        self.args = [str(a) for a in args]
        self.dir = temp_dir()
        self.out_path = os.path.join(self.dir, "out")
        self.err_path = os.path.join(self.dir, "err")
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                self.args, stdout=out, stderr=err, stdin=stdin,
                env={**os.environ, **(env or {})}, **more)
        atexit.register(self.kill)

    @property
    def pid(self):
        return self.process.pid

    @property
    def out(self):
        with open(self.out_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    @property
    def err(self):
        with open(self.err_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=20):
        """The exit code; Timeout (and the program is ended) where it goes on for longer."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Timeout(f"{self.args[0]}: still there after {seconds * PATIENCE} s\n"
                          f"{self.err}") from None

    def wait_text(self, text, seconds=20, where="err"):
        """Waits until it has written the text."""
        def there():
            if text in getattr(self, where):
                return True
            if not self.running() and text not in getattr(self, where):
                raise Timeout(f"{self.args[0]} ended without {text!r}\n{self.err}")
            return False
        return wait_for(there, seconds, f"{text!r} from {self.args[0]}\n{self.err}")

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def stop(self, seconds=10):
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()


def program(name):
    """The path of a program that was built."""
    return os.path.join(BUILD, name)


def run(args, seconds=60, **more):
    """Runs a program to its end: .returncode, .stdout, .stderr as text."""
    return subprocess.run([str(a) for a in args], timeout=seconds * PATIENCE, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, check=False, **more)


# ------------------------------------------------------------------ a bad disk


class Disk:
    """What fdatasync() does to a program that is started with .env: wait, or fail."""

    SHIM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd)
{
    if (chdir(getenv("LODEWATCH_TEST_DISK")) != 0)
        abort();
    while (access("stuck", F_OK) == 0 && unlink("one") != 0) {
        close(open("waiting", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        poll(NULL, 0, 10);
    }
    if (access("failing", F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}
"""

    def __init__(self):
        self.dir = temp_dir()
        source, shim = os.path.join(self.dir, "shim.c"), os.path.join(self.dir, "shim.so")
        write(source, self.SHIM)
        built = run(["cc", "-shared", "-fPIC", "-o", shim, source])
        if built.returncode != 0:
            raise RuntimeError(built.stderr)
        self.env = {**os.environ, "LD_PRELOAD": shim, "LODEWATCH_TEST_DISK": self.dir,
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def _path(self, what):
        return os.path.join(self.dir, what)

    def _set(self, what, on):
        write(self._path(what), "") if on else os.unlink(self._path(what))

    def failing(self, on):
        self._set("failing", on)

    def stuck(self, on):
        self._set("stuck", on)

    def waits(self):
        """Has a call been stuck?"""
        return os.path.exists(self._path("waiting"))

    def one_more(self):
        """A call that is stuck returns; the next one does not."""
        self._set("one", True)
        wait_for(lambda: not os.path.exists(self._path("one")), what="fdatasync() to return")


# --------------------------------------------------------------- PostgreSQL


class Cluster:
    """A PostgreSQL of the test's own, on a Unix socket and a port of 127.0.0.1.

    Runs as the user postgres where the test runs as root, since PostgreSQL refuses root.
    """

    def __init__(self, **settings):
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.dir = temp_dir(self.user)
        self.data = os.path.join(self.dir, "data")
        self.port = free_port()
        self._pg("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8",
                 "--no-sync", "--locale=C")
        # No test takes the kernel's cache away, and a busy disk holds a checkpoint up for minutes.
        settings = {"port": self.port, "fsync": "off", "listen_addresses": "'127.0.0.1'",
                    "unix_socket_directories": f"'{self.dir}'", "max_connections": 50,
                    **settings}
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="ascii") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in settings.items())
        atexit.register(self.kill)
        self.start()

    def _pg(self, tool, *args):
        command = [os.path.join(PG_BIN, tool), *args]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}",
                       "--clear-groups", *command]
        # The server inherits what pg_ctl has: a pipe would stay open for as long as it lives.
        with open(os.path.join(self.dir, "tools.log"), "ab") as log:
            done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=log, timeout=60 * PATIENCE, check=False)
        if done.returncode != 0:
            with open(os.path.join(self.dir, "tools.log"), encoding="utf-8",
                      errors="replace") as log:
                raise RuntimeError(f"{tool} failed:\n{log.read()[-2000:]}")

    def start(self):
        self._pg("pg_ctl", "-D", self.data, "-l", os.path.join(self.dir, "log"), "-w", "start")

    def stop(self, mode="fast"):
        self._pg("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def postmaster(self):
        """Its process id, or None."""
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as f:
                return int(f.readline())
        except (FileNotFoundError, ValueError):
            return None

    def running(self):
        pid = self.postmaster()
        return pid is not None and os.path.exists(f"/proc/{pid}")

    def kill(self):
        """As a power cut: everything of it at once."""
        if os.path.isdir(self.data) and self.running():
            with contextlib.suppress(RuntimeError):
                self.stop("immediate")

    def conninfo(self, database="postgres", tcp=False):
        host = "hostaddr=127.0.0.1" if tcp else f"host={self.dir}"
        return f"{host} port={self.port} user=postgres dbname={database}"

    def conninfo_file(self, database="postgres", tcp=False):
        path = os.path.join(temp_dir(), "conninfo")
        return write(path, self.conninfo(database, tcp) + "\n", 0o600)

    def create(self, database):
        self.psql(f'CREATE DATABASE "{database}"')
        return database

    def psql(self, sql, database="postgres", seconds=30):
        """What psql -XAt prints, without the last line feed; RuntimeError on any error."""
        done = run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo(database),
                    "-c", sql], seconds)
        if done.returncode != 0:
            raise RuntimeError(f"{sql}: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    def log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()


# ---------------------------------------------------------------------- TAP


class Tap:
    """Test results in TAP: a plan, then a line a test.

        tap = Tap(2)
        tap.is_("the answer", 6 * 7, 42)
        with tap.test("a scenario"):
            ...                             # fails on any exception
        sys.exit(tap.done())
    """

    def __init__(self, plan):
        self.plan = plan
        self.ran = 0
        self.failed = 0
        print(f"1..{plan}", flush=True)

    def ok(self, name, passed, why=""):
        self.ran += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.ran} - {name}", flush=True)
        if not passed and why:
            self.note(why)
        return bool(passed)

    def is_(self, name, got, want):
        return self.ok(name, got == want, f"got {got!r}, wanted {want!r}")

    def skip(self, name, why):
        self.ran += 1
        print(f"ok {self.ran} - {name} # SKIP {why}", flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    @contextlib.contextmanager
    def test(self, name):
        """Passes where its body raises nothing."""
        try:
            yield
        except Exception:  # whatever it is, the other tests still run
            self.ok(name, False, traceback.format_exc())
        else:
            self.ok(name, True)

    def done(self):
        """The exit code for the test."""
        if self.ran != self.plan:
            self.note(f"planned {self.plan} tests, ran {self.ran}")
        return 0 if self.failed == 0 and self.ran == self.plan else 1


def skip_all(why):
    """Ends the test: it cannot run here."""
    print(f"1..0 # SKIP {why}", flush=True)
    sys.exit(0)
