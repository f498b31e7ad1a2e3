#!/usr/bin/python3
"""A serial line at 9,600 baud with more meters than it can carry: polls a second, beside what the
wire allows. The simulator takes the time of every character and silence."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import harness  # noqa: E402
import running  # noqa: E402

SECONDS, BAUD, GOAL = 20, 9600, 0.95
GOOD = 'lodewatch_polls_total{result="good"}'
# The profile `generic` is one read of 32 registers: request, silence, reply, silence.
CHARACTERS = 8 + 3.5 + 5 + 2 * 32 + 3.5


def main():
    d = running.Daemon(ledger={
        "meters.csv": "meter_id,installed_at,role,gateway_id,unit,profile,interval_s\n" +
                      "".join(f"m{u},2024-01-01,context,g,{u},generic,1\n" for u in range(1, 31))})
    d.write("ledger/gateways.csv",
            f"gateway_id,transport,address,baud\ng,rtu,{d.path('tty')},{BAUD}\n")
    fleet = harness.Program([harness.program("lodewatch-sim"), "--ledger", d.path("ledger"),
                             "--profiles", os.path.join(harness.ROOT, "etc/profiles")])
    fleet.wait_text("meters on", where="out")
    d.start()
    harness.wait_for(lambda: d.metric(GOOD) > 10, 30)
    before, began = d.metric(GOOD), time.monotonic()
    harness.wait_for(lambda: time.monotonic() - began > SECONDS, SECONDS + 10)
    rate = (d.metric(GOOD) - before) / (time.monotonic() - began)
    wire = BAUD / 10 / CHARACTERS
    print(f"poll.line_{BAUD}\t{rate:.4g}\tpolls/s\tthe wire's limit\t{wire:.4g}\t{rate / wire:.3f}"
          f"\t{GOAL:g}\t{'ok' if rate / wire >= GOAL else 'short'}", flush=True)
    d.close()
    fleet.stop()


main()
