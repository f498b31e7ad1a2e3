#!/usr/bin/python3
"""The daemon at work on the demo's county in real time: memory, processor time, and the
longest turn of its loop, beside the simulator that serves the same meters in the same run.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import harness  # noqa: E402
import running  # noqa: E402

SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))
DEMO = os.path.join(harness.ROOT, "etc/demo")


def usage(pid):
    """Processor seconds and resident megabytes of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(fields[21])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def line(name, value, unit, reference, reference_value, goal):
    print(f"{name}\t{value:.4g}\t{unit}\t{reference}\t{reference_value:.4g}"
          f"\t{value / reference_value if reference_value else 0:.2f}\t{goal:g}"
          f"\t{'ok' if value <= goal else 'short'}", flush=True)


def main():
    cluster = harness.Cluster()
    ledger = {name: open(os.path.join(DEMO, name), encoding="utf-8").read()
              for name in os.listdir(DEMO) if name not in ("shapes.csv", "faults.csv")}
    fleet = harness.Program([harness.program("lodewatch-sim"), "--ledger", DEMO, "--shapes",
                             os.path.join(DEMO, "shapes.csv"), "--clock-start",
                             "2026-01-12T14:00:00Z"])
    fleet.wait_text("meters on", where="out")
    d = running.Daemon(ledger=ledger, database={"conninfo": cluster.conninfo()})
    d.write("ledger/gateways.csv", ledger["gateways.csv"])
    d.start()
    settle = time.monotonic() + 5
    harness.wait_for(lambda: time.monotonic() > settle, 30)
    before, fleet_before, began = usage(d.process.pid)[0], usage(fleet.pid)[0], time.monotonic()
    harness.wait_for(lambda: time.monotonic() - began > SECONDS, SECONDS + 30)
    took = time.monotonic() - began
    cpu, resident = usage(d.process.pid)
    fleet_cpu, fleet_resident = usage(fleet.pid)
    stall = d.metric("lodewatch_loop_stall_seconds")
    line("daemon.resident", resident, "MB", "simulator", fleet_resident, 20)
    line("daemon.cpu", 100 * (cpu - before) / took, "% of a core", "simulator",
         100 * (fleet_cpu - fleet_before) / took, 1)
    line("daemon.turn", 1000 * stall, "ms of thread CPU", "none", 0, 10)
    d.close()
    fleet.stop()


main()
