#!/usr/bin/python3
"""Acknowledging and shelving over HTTP and the command: what is answered is done, and stays."""
import datetime
import json
import os
import socket
import subprocess
import threading

import harness
from running import DAEMON, LEDGER, TOKEN, Daemon, Gateway, check, equal, tap, wait_for

CLI = os.path.join(os.path.dirname(DAEMON), "lodewatch")
FAST = ("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "20000")
STILL = ("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "0.01")


def cli(d, *arguments):
    done = subprocess.run([CLI, *arguments, "--config", d.path("conf")], text=True,
                          capture_output=True, timeout=180)
    return done.returncode, done.stdout, done.stderr


def start_fast(d):
    """A simulated clock waits for a follower at first: one that comes and goes lets it run"""
    d.start(*FAST)
    with socket.socket(socket.AF_UNIX) as follower:
        follower.connect(d.path("state/clock.sock"))


def standing(d):
    return {a["data"]["alarm"]["id"]: a for a in d.json("/api/v1/alerts")["alerts"]}


def acts():
    """Over HTTP and the command, over kill -9 and a restart, until a shelf ends by itself"""
    sites = LEDGER["sites.csv"] + "s4,四号矿,sand,unlicensed,2024-01-01,c1,,,\n"
    d = Daemon(gateway=Gateway(), ledger={"sites.csv": sites})
    start_fast(d)
    check(wait_for(lambda: len(standing(d)) >= 3), d.logged())
    equal(d.stop()[0], 0)
    d.start(*STILL)
    page = d.json("/api/v1/alerts")
    one, two, three = list(standing(d))[:3]
    until = datetime.datetime.fromisoformat(page["at"][:19]) + datetime.timedelta(hours=3)
    until = until.replace(minute=0, second=0)
    soon = until.isoformat() + "Z"
    equal(standing(d)[one]["data"]["alarm"]["state"], "unacknowledged_active")

    def act(**members):
        status, headers, body = d.get("/api/v1/acts", method="POST", body=json.dumps(members))
        return status, json.loads(body)

    shelve = {"act": "shelve", "alarm": one, "by": "王五", "until": soon, "reason": "检修"}
    rows = [  # name, members, status, where
        ("nothing", {}, 400, "act"),
        ("no reason", {**shelve, "reason": ""}, 400, "reason"),
        ("too long", {**shelve, "until": "2026-01-01T00:00:00Z"}, 400, "until"),
        ("the past", {**shelve, "until": "2024-01-01T00:00:00Z"}, 400, "until"),
        ("all of a site", {**shelve, "site": "s1"}, 400, ""),
        ("an alarm that is not", {**shelve, "alarm": "0" * 32}, 404, None),
        ("not shelved", {"act": "unshelve", "alarm": one, "by": "a"}, 409, None),
    ]
    before = standing(d)
    for name, members, want, where in rows:
        status, problem = act(**members)
        equal((name, status, problem["status"]), (name, want, want))
        equal((name, problem.get("where")), (name, where))
        check(problem["title"] and problem["title_zh"], name)
        check(where is None or problem["expected"] and problem["expected_zh"], name)
    equal(d.get("/api/v1/acts", method="POST", body="x" * 5000)[0], 413)
    equal(d.get("/api/v1/acts", method="POST", body=json.dumps(shelve), token=None)[0], 401)
    status, headers, _ = d.get("/api/v1/acts")
    equal((status, headers["Allow"]), (405, "POST"))
    equal(standing(d), before)

    status, alarm = act(**shelve)
    equal(status, 200)
    equal(alarm["data"]["alarm"]["state"], "shelved")
    equal(alarm, standing(d)[one])
    status, out, err = cli(d, "read", two, "--by", "赵六")
    equal((status, err), (0, ""))
    check(f"{two} " in out and "unacknowledged_active" in out and "。" in out and ". " in out, out)
    equal(standing(d)[two], before[two])
    check("赵六" not in json.dumps(standing(d), ensure_ascii=False) and "赵六" not in d.logged())
    status, out, err = cli(d, "ack", two, "--by", "李四")
    equal((status, err), (0, ""))
    check(f"{two} " in out and "acknowledged_active" in out, out)
    # What was answered is durable: nothing comes between the answer and the kill.
    equal(cli(d, "shelve", three, "--by", "李四", "--until", soon, "--reason", "b")[0], 0)
    d.process.kill()
    d.process.wait()

    d.start(*STILL)
    alarms = {i: a["data"]["alarm"] for i, a in standing(d).items()}
    equal((alarms[one]["state"], alarms[one]["shelved_by"], alarms[one]["shelved_reason"]),
          ("shelved", "王五", "检修"))
    equal((alarms[two]["state"], alarms[two]["acknowledged_by"]),
          ("acknowledged_active", "李四"))
    equal(alarms[three]["state"], "shelved")
    equal(act(act="acknowledge", alarm=two, by="again")[0], 409)
    equal(cli(d, "unshelve", three, "--by", "王五")[:2],
          (0, f"{three} {standing(d)[three]['subject']}: unacknowledged_active\n"))
    rows = [  # name, arguments, exit code, said
        ("twice", ("ack", two, "--by", "a"), 1, "409"),
        ("a bad id", ("ack", "12", "--by", "a"), 2, "alarm malformed; expected"),
        ("nobody", ("ack", two), 2, "usage: lodewatch ack"),
        ("no time", ("shelve", two, "--by", "a", "--reason", "r"), 2, "until missing"),
    ]
    for name, arguments, code, said in rows:
        got, _, err = cli(d, *arguments)
        equal((name, got), (name, code))
        check(said in err, f"{name}: {err}")
    equal(d.stop()[0], 0)

    start_fast(d)

    def ended():
        return [a for a in d.alerts() if a["data"]["alarm"]["id"] == one
                and a["data"]["alarm"]["state"] == "unacknowledged_active"
                and int(a["sequence"]) > int(alarm["sequence"])]

    check(wait_for(ended), d.logged())
    equal(ended()[0]["type"], "org.lodewatch.alert.updated.v1")
    equal(ended()[0]["time"], soon)
    equal(d.stop()[0], 0)
    # After kill -9 some are delivered again, as they were.
    delivered = {a["id"]: a for a in d.alerts()}
    check(all(a == delivered[a["id"]] for a in d.alerts()))
    again = subprocess.run([CLI, "replay", "--events", d.path("state/journal")], text=True,
                           capture_output=True, timeout=60)
    replayed = [json.loads(line) for line in again.stdout.splitlines()]
    equal(replayed, list(delivered.values()))
    d.close()


def slow_disk():
    """An act is answered once it is on disk, however slow that is; a client may leave meanwhile"""
    disk = harness.Disk()
    d = Daemon(http={"header_timeout": "1s"})
    d.start("--clock-start", "2025-01-01T00:00:00Z", "--clock-rate", "1000", env=disk.env)
    check(wait_for(lambda: standing(d)), d.logged())
    alarm = list(standing(d))[0]
    act = json.dumps({"act": "acknowledge", "alarm": alarm, "by": "王五"}).encode()
    disk.stuck(True)
    with socket.create_connection(d.address) as leaves:
        leaves.sendall(b"POST /api/v1/acts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                       TOKEN.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(act) + act)
        check(wait_for(lambda: "\"acknowledged_active" in json.dumps(standing(d)[alarm])), d.logged())
    check(wait_for(disk.waits), "nothing to be written")
    shelve = harness.Program([CLI, "shelve", alarm, "--by", "b", "--until", "2025-01-05T00:00:00Z",
                              "--reason", "r", "--config", d.path("conf")])
    check(wait_for(lambda: "shelved" in str(standing(d)[alarm])), d.logged())
    disk.one_more()  # what came before it is durable
    threading.Event().wait(2)  # twice the time that a client has
    check(shelve.running(), f"answered before it was durable: {shelve.out} {shelve.err}")
    disk.stuck(False)
    equal((shelve.wait(), shelve.err), (0, ""))
    check("shelved" in shelve.out, shelve.out)
    equal(d.stop()[0], 0)
    d.close()


tap([acts, slow_disk])
