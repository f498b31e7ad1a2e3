#!/usr/bin/python3
"""The unit under a real systemd, in namespaces of its own: readiness, polling, PostgreSQL,
the journal's checkpoints and journald with all of the unit's hardening; reload, the watchdog
and the end. Nothing outside is touched: /etc is a copy, and /run, /tmp, /var/lib and
/var/log are new."""
import os
import shutil
import subprocess

import harness
from running import DAEMON, ROOT, SANITIZED, Daemon, Gateway, check, equal, tap, wait_for

SYSTEMD = "/lib/systemd/systemd"
FILES = "/run/test"  # the folder with everything, inside

ENTER = ["unshare", "--mount", "--uts", "--ipc", "sh", "-c"]
# A cgroup of its own first, of which systemd makes the root of its tree.
CGROUP = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/cgroup
mount -t cgroup2 cgroup2 /run/cgroup
mkdir "/run/cgroup/$NAME"
echo $$ > "/run/cgroup/$NAME/cgroup.procs"
exec unshare --cgroup --fork --kill-child --pid --mount-proc sh -c "$BOOT"
"""
# Only the units that are copied here exist.
BOOT = """
set -e
umount /run/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /run/etc /run/units
cp -a /etc/. /run/etc
mount --bind /run/etc /etc
cp -a "$FOLDER" /run/test
mount -t tmpfs -o mode=1777 tmpfs /tmp
for d in lib log tmp; do mount -t tmpfs tmpfs /var/$d; done
cd /run/test
cp lodewatchd.service /lib/systemd/system/systemd-journald*.s* /run/units
for target in sysinit basic shutdown; do echo '[Unit]' > /run/units/$target.target; done
mkdir /run/units/lodewatchd.service.d
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\\nReadKMsg=no\\nStorage=volatile\\n' > /etc/systemd/journald.conf.d/test.conf
cp test.conf /run/units/lodewatchd.service.d
systemd-sysusers /run/test/lodewatch.sysusers
chown lodewatch: token
export container=lxc SYSTEMD_UNIT_PATH=/run/units
exec "$SYSTEMD" --unit=lodewatchd.service
"""
CLEAN = """
mount -t tmpfs tmpfs /run && mkdir /run/cgroup && mount -t cgroup2 cgroup2 /run/cgroup &&
find "/run/cgroup/$NAME" -depth -type d -exec rmdir {} +
"""
CLOCK = "--clock-start 2025-01-01T00:00:00Z --clock-rate 600"
OVERRIDE = f"""[Unit]
Wants=systemd-journald.service
After=systemd-journald.service

[Service]
ExecStart=
ExecStart={FILES}/lodewatchd --config {FILES}/conf {CLOCK}
WatchdogSec=3
"""


def clean(env):
    """Removes the cgroups, once the last process in them is gone."""
    wait_for(lambda: harness.run([*ENTER, CLEAN], env={**os.environ, **env}).returncode == 0)


def namespaces():
    """Can this machine give a cgroup and namespaces?"""
    env = {"NAME": f"lodewatch-probe-{os.getpid()}", "BOOT": "exit 0"}
    done = harness.run([*ENTER, CGROUP], env={**os.environ, **env})
    clean(env)
    return done.returncode == 0


class Booted:
    """The unit, started by a systemd."""

    def __init__(self):
        self.gateway, self.cluster = Gateway(), harness.Cluster()
        self.d = d = Daemon(
            self.gateway,
            daemon={"state_dir": "/var/lib/lodewatch", "ledger": FILES + "/ledger",
                    "profiles": FILES + "/profiles"},
            http={"token_file": FILES + "/token"},
            alerts={"ndjson": "/var/lib/lodewatch/alerts.ndjson", "journald": "yes"},
            journal={"segment_bytes": "65536"},
            database={"conninfo": self.cluster.conninfo(tcp=True)})
        shutil.copytree(os.path.join(ROOT, "etc/profiles"), d.path("profiles"))
        for name in ("lodewatchd.service", "lodewatch.sysusers"):
            shutil.copy(os.path.join(ROOT, "systemd", name), d.dir)
        shutil.copy(DAEMON, d.dir)
        d.write("test.conf", OVERRIDE)
        subprocess.run(["chmod", "-R", "a+rX", d.dir], check=True)
        os.chmod(d.path("token"), 0o600)
        self.env = {"NAME": os.path.basename(d.dir), "FOLDER": d.dir, "BOOT": BOOT,
                    "SYSTEMD": SYSTEMD}
        self.outer = harness.Program([*ENTER, CGROUP], env=self.env)

    def init(self):
        """The process id of systemd, seen from here; None: it is not there yet."""
        pid = self.outer.pid
        while pid:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if f.read().startswith(SYSTEMD.encode()):
                    return pid
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
                pid = next(iter(f.read().split()), None)
        return None

    def inside(self, *command):
        return harness.run(["nsenter", "-t", self.init(), "-m", "-p", *command])

    def show(self, name):
        return self.inside("systemctl", "show", "--value", "-p", name, "lodewatchd").stdout.strip()

    def logged(self):
        return self.inside("journalctl", "--no-pager", "-u", "lodewatchd").stdout

    def ready(self):
        try:
            return self.d.get("/readyz")[0] == 200
        except OSError:
            return False

    def close(self):
        self.outer.kill()
        clean(self.env)
        self.d.close()
        self.gateway.close()


def under_systemd():
    """The unit is ready, polls, stores, alerts, reloads, outlives its watchdog, and stops"""
    b = Booted()
    try:
        check(wait_for(b.init), b.outer.err)
        check(wait_for(b.ready, 15), b.logged())
        equal(b.show("ActiveState"), "active")
        stored = "lodewatch_readings_stored_total"
        check(wait_for(lambda: b.d.metric(stored) >= 20, 20), "rows in PostgreSQL")
        files = "/var/lib/lodewatch/journal"
        check(wait_for(lambda: b.inside("ls", files).stdout.count(".ckpt") >= 2, 20), "checkpoints")
        check(wait_for(lambda: "coverage" in b.inside("journalctl", "-F", "LODEWATCH_RULE").stdout),
              b.logged())
        equal(b.inside("systemctl", "reload", "lodewatchd").returncode, 0)
        check(wait_for(lambda: "reloaded" in b.logged()), "reload")
        check(wait_for(b.ready), "polls after the reload")
        equal(b.inside("systemctl", "stop", "lodewatchd").returncode, 0)
        equal([b.show(n) for n in ("Result", "ExecMainStatus", "NRestarts")], ["success", "0", "0"])
    finally:
        b.close()


if os.geteuid() != 0 or not os.access(SYSTEMD, os.X_OK) or not shutil.which("nsenter"):
    harness.skip_all("root and systemd are needed")
if SANITIZED:
    harness.skip_all("the unit's hardening is not for sanitizers")
if not namespaces():
    harness.skip_all("this machine gives no namespaces")
tap([under_systemd])
