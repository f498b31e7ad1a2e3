#!/usr/bin/python3
"""Roles of least privilege: each can do what it must and nothing else; the daemon runs with
the rights of lodewatch_ingest and lodewatch_api alone; the keys of the tables of readings; a
dump that is restored."""
import glob
import os
import sys

import harness
import running
from harness import Tap, program, run, wait_for, write

CLUSTER = harness.Cluster()
LODEWATCH = program("lodewatch")
NOW = "2025-01-01T00:00:00Z"


def conninfo(user, database):
    return f"host={CLUSTER.dir} port={CLUSTER.port} user={user} dbname={database}"


def command(user, database, *args):
    path = write(os.path.join(harness.temp_dir(), "conninfo"), conninfo(user, database), 0o600)
    return [LODEWATCH, *args, "--conninfo-file", path]


def lodewatch(user, database, *args):
    return run(command(user, database, *args))


def sql(user, database, text):
    """"" where it went well, else what PostgreSQL said."""
    done = run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", conninfo(user, database), "-c", text])
    return "" if done.returncode == 0 else done.stderr.strip()


def owners(database):
    return CLUSTER.psql(
        "SELECT DISTINCT pg_get_userbyid(o) FROM (SELECT relowner AS o FROM pg_class"
        "  WHERE relnamespace = 'public'::regnamespace UNION ALL SELECT proowner FROM pg_proc"
        "  WHERE pronamespace = 'public'::regnamespace) AS all_of_it", database)


def stored():
    """Every reading, packed or not, in the order of time and meter."""
    done = lodewatch("s", "new", "export", "--from", "2025-01-01", "--to", "2026-01-01")
    assert done.returncode == 0, done
    return sorted(done.stdout.splitlines()[1:])


tap = Tap(12)
CLUSTER.psql("CREATE ROLE lodewatch LOGIN")
CLUSTER.psql("CREATE DATABASE old OWNER lodewatch")

with tap.test("an owner who may not make roles is told what a superuser has to run"):
    done = lodewatch("lodewatch", "old", "migrate", "--roles")
    assert done.returncode == 3, done
    said = [line.split(": ", 1)[1] for line in done.stderr.splitlines() if "has to run" in line]
    assert len(said) == 2 and "permission denied to create role" in done.stderr, done.stderr
    CLUSTER.psql("; ".join(said), "old")
    CLUSTER.psql("SELECT reading_partition('2024-12-31')", "old")
    for _ in range(2):  # and again, which changes nothing
        done = lodewatch("lodewatch", "old", "migrate", "--roles")
        assert done.returncode == 0 and "the roles are there" in done.stdout, done
        assert owners("old") == "lodewatch_owner", owners("old")

with tap.test("who owned the tables before goes on as before"):
    assert sql("lodewatch", "old", "INSERT INTO meter_key(id) VALUES ('m1');"
               " SELECT reading_partition('2025-03-03'), reading_month('2025-03-03');"
               " DELETE FROM meter_key; DROP TABLE reading_20250303") == ""
    done = lodewatch("lodewatch", "old", "compact")
    assert done.returncode == 0, done
    assert owners("old") == "lodewatch_owner", owners("old")

CLUSTER.create("new")
CLUSTER.psql("CREATE ROLE w LOGIN IN ROLE lodewatch_ingest; CREATE ROLE a LOGIN IN ROLE lodewatch_api;"
             " CREATE ROLE s LOGIN IN ROLE lodewatch_analyst; CREATE ROLE o LOGIN IN ROLE lodewatch_owner")

with tap.test("an empty or older schema: who may not migrate says who has to"):
    daemon = running.Daemon(database={"conninfo": conninfo("w", "new")}).start()
    wait_for(lambda: "run `lodewatch migrate` as the schema's owner: it is at version 0"
             in daemon.logged(), what=daemon.logged)
    daemon.close()
    files = sorted(glob.glob(os.path.join(harness.ROOT, "daemon/store/sql/0*.sql")))
    newest = len(files)
    CLUSTER.psql("GRANT CREATE ON SCHEMA public TO lodewatch_owner; SET ROLE lodewatch_owner;"
                 "CREATE TABLE schema_version(version int4 PRIMARY KEY, at timestamptz DEFAULT now());"
                 f"INSERT INTO schema_version SELECT generate_series(1, {newest - 1});"
                 "GRANT SELECT ON schema_version TO lodewatch_ingest;" +
                 ";".join(open(name, encoding="utf-8").read() for name in files[:-1]), "new")
    done = lodewatch("w", "new", "migrate")
    assert done.returncode == 3 and f"at version {newest - 1}, this program needs {newest}" \
        in done.stderr, done
    # A member of the owner may; what is new is the owner's, and everybody's rights come along.
    done = lodewatch("o", "new", "migrate")
    assert done.returncode == 0 and f"from version {newest - 1} to {newest}" in done.stdout, done
    assert owners("new") == "lodewatch_owner", owners("new")
    assert sql("a", "new", "SELECT body FROM alert") == ""

with tap.test("a superuser makes schema and roles in an empty database"):
    done = lodewatch("postgres", CLUSTER.create("empty"), "migrate", "--roles")
    assert done.returncode == 0 and owners("empty") == "lodewatch_owner", done

# A daemon that works while the tests go on: a gateway that is away gives it an alert, soon.
RUN = running.Daemon(running.Gateway(), {"meters.csv": running.LEDGER["meters.csv"]
                     + "m3,2024-01-01,s3,supply,away,1,generic,10\n"})
RUN.write("ledger/gateways.csv", open(RUN.path("ledger/gateways.csv"), encoding="utf-8").read()
          + f"away,tcp,127.0.0.1:{harness.free_port()}\n")
IMPORTED = lodewatch("o", "new", "import", RUN.path("ledger"))
RUN.write_config(daemon={"ledger": ""}, database={"conninfo": conninfo("w", "new"),
                                                  "read_conninfo": conninfo("a", "new")})
RUN.start("--clock-start", NOW, "--clock-rate", "600")
assert sql("w", "new", "SELECT reading_partition('2025-01-01')") == ""

# user, what, SQL, may it
CLUSTER.psql("UPDATE contact SET phone = '13900000000'", "new")
RIGHTS = [
    ("w", "puts rows into a partition", "INSERT INTO reading_20250101(meter_id, ts) VALUES"
     " (9, '2025-01-01')", True),
    ("w", "merges through a temporary table", "CREATE TEMP TABLE t (LIKE reading);"
     " INSERT INTO reading SELECT * FROM t ON CONFLICT DO NOTHING", True),
    ("w", "makes a partition", "SELECT reading_partition('2025-02-02')", True),
    ("w", "makes a schema", "CREATE SCHEMA x", False),
    ("w", "deletes readings", "DELETE FROM reading", False),
    ("w", "changes readings", "UPDATE reading SET p_w = 0", False),
    ("w", "drops a partition", "DROP TABLE reading_20250101", False),
    ("w", "detaches it", "ALTER TABLE reading DETACH PARTITION reading_20250101", False),
    ("w", "deletes alerts", "DELETE FROM alert", False),
    ("w", "changes alerts", "UPDATE alert SET state = ''", False),
    ("w", "makes tables", "CREATE TABLE t()", False),
    ("w", "changes the ledger", "DELETE FROM site", False),
    ("w", "releases evidence", "UPDATE evidence_hold SET released_at = now()", False),
    ("w", "makes a month of the history", "SELECT reading_month('2025-02-02')", False),
    ("a", "reads alerts", "SELECT body FROM alert", True),
    ("a", "reads hours", "SELECT * FROM reading_hourly", True),
    ("a", "puts rows in", "INSERT INTO reading(meter_id, ts) VALUES (9, '2025-01-01 01:00Z')", False),
    ("a", "puts alerts in", "INSERT INTO alarm SELECT * FROM alarm", False),
    ("a", "makes a partition", "SELECT reading_partition('2025-02-03')", False),
    ("a", "reads contacts", "SELECT name FROM contact", False),
    ("a", "moves a cursor", "UPDATE store_cursor SET position = 0", False),
    ("s", "reads readings and hours", "SELECT * FROM reading, reading_hourly LIMIT 1", True),
    ("s", "reads the history's blocks", "SELECT * FROM reading_day", True),
    ("s", "reads sites and contacts' names", "SELECT name, (SELECT max(c.name) FROM contact AS c)"
     " FROM site", True),
    ("s", "reads contacts' telephone numbers", "SELECT phone FROM contact", False),
    ("s", "reads whole contacts", "SELECT * FROM contact", False),
    ("s", "reads the columns we do not know of contacts", "SELECT extra FROM contact", False),
    ("s", "puts rows in", "INSERT INTO meter_key(id) VALUES ('x')", False),
    ("s", "makes a partition", "SELECT reading_partition('2025-02-03')", False),
    ("o", "drops a partition", "DROP TABLE reading_20250202", True),
    ("o", "holds evidence", "INSERT INTO evidence_hold(meter_id, reason) VALUES ('m1', 'r')", True),
]
with tap.test("each role may do what it must, and not the rest"):
    wrong = []
    for user, what, text, may in RIGHTS:
        said = sql(user, "new", text)
        if (said == "") != may or (said and "permission denied" not in said
                                   and "must be owner" not in said):
            wrong.append(f"{user}: {what}: {said or 'went well'}")
    assert not wrong, "\n".join(wrong)

with tap.test("who may make partitions cannot have them made elsewhere"):
    assert sql("w", "new", "CREATE TEMP TABLE reading(ts timestamptz) PARTITION BY RANGE (ts);"
               "SELECT reading_partition('2025-05-05')") == ""
    assert CLUSTER.psql("SELECT inhparent::regclass::text || ' ' || relnamespace::regnamespace"
                        " FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid"
                        " WHERE relname = 'reading_20250505'", "new") == "reading public"
    for name in ("reading_partition", "reading_month"):
        assert CLUSTER.psql(f"SELECT proconfig FROM pg_proc WHERE proname = '{name}'", "new") == \
            '{"search_path=public, pg_temp"}'

with tap.test("the daemon stores and answers as ingest and api, with a partition lost meanwhile"):
    assert IMPORTED.returncode == 0, IMPORTED
    locked = harness.Program(["psql", "-X", "-d", CLUSTER.conninfo("new"), "-c",
                              "BEGIN; LOCK TABLE evidence_hold; SELECT pg_sleep(60)"])
    wait_for(lambda: CLUSTER.psql("SELECT count(*) FROM pg_locks WHERE relation ="
                                  " 'evidence_hold'::regclass", "new") == "1", what="the lock")
    waits = harness.Program(command("o", "new", "hold", "list"))
    wait_for(lambda: (RUN.metric("lodewatch_readings_stored_total") or 0) >= 5, what=RUN.logged)
    CLUSTER.psql("DROP TABLE reading_20250101", "new")
    wait_for(lambda: CLUSTER.psql("SELECT to_regclass('reading_20250101')", "new"), what=RUN.logged)
    wait_for(lambda: RUN.json("/api/v1/alerts?state=all")["alerts"], what=RUN.logged)
    done = run([LODEWATCH, "respool", "--config", RUN.path("conf"), "--from", NOW])
    assert done.returncode == 0 and "brings" in done.stdout, done
    wait_for(lambda: "merging" in RUN.logged() or RUN.metric("lodewatch_store_backlog_bytes") == 0,
             what=RUN.logged)
    assert RUN.stop()[0] == 0
    assert "not ours" not in RUN.logged() and "denied" not in RUN.logged(), RUN.logged()
    assert owners("new") == "lodewatch_owner", owners("new")
    assert int(CLUSTER.psql("SELECT count(*) FROM reading", "new")) >= 20
    assert CLUSTER.psql("SELECT count(DISTINCT usename) FROM pg_stat_activity WHERE"
                        " usename IN ('w', 'a')", "new") == "0", "still connected"

with tap.test("a command does not wait for a lock for ever"):
    assert waits.wait(10) == 1 and "lock timeout" in waits.err, waits.err
    locked.kill()
    CLUSTER.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'"
                 " AND pid <> pg_backend_pid()")

with tap.test("operators' commands run with the least that they need"):
    for user, args, code in (("o", ("hold", "list"), 0), ("w", ("hold", "add", "--meter", "m1",
                             "--reason", "x"), 1), ("w", ("compact",), 1), ("o", ("compact",), 0),
                             ("s", ("export", "--from", "2025-01-01", "--to", "2025-01-02",
                                    "--meter", "m1"), 0)):
        done = lodewatch(user, "new", *args)
        assert done.returncode == code, (user, done)
        assert code == 0 or "denied" in done.stderr or "owner" in done.stderr, done

with tap.test("every key of a table of readings has the meter's integer"):
    # compaction has how far a day is, one row a day: it is about no meter
    keys = CLUSTER.psql(
        "SELECT c.relname, bool_and(a.attnum = ANY (i.indkey)), count(i.indexrelid) FROM pg_class AS c"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'meter_id'"
        " LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisunique"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND a.atttypid = 'int4'::regtype AND c.relname NOT IN ('compaction', 'meter_key')"
        " GROUP BY 1 ORDER BY 1", "new").splitlines()
    names = {line.split("|")[0] for line in keys}
    assert {"reading", "reading_day", "reading_hour", "meter_last", "reading_day_202505"} <= names, names
    wrong = [line for line in keys if not line.endswith("|t|1")]
    assert not wrong, wrong
    before = CLUSTER.psql("SELECT id, meter_id FROM meter_key ORDER BY 1", "new")
    RUN.write("ledger/meters.csv", running.LEDGER["meters.csv"])
    done = lodewatch("o", "new", "import", RUN.path("ledger"))
    assert done.returncode == 0 and "m1|" in before, (done, before)
    assert CLUSTER.psql("SELECT id, meter_id FROM meter_key ORDER BY 1", "new") == before

with tap.test("a schema that the daemon may not use: it works on, with the ledger's snapshot"):
    CLUSTER.psql("INSERT INTO schema_version VALUES (1000)", "new")
    RUN.start("--clock-rate", "600")
    assert "knows versions up to" in RUN.logged() and "ledger.snapshot" in RUN.logged(), RUN.logged()
    assert len(RUN.json("/api/v1/sites")["sites"]) == 3
    assert not RUN.json("/readyz")["checks"][0]["ok"]
    assert RUN.stop()[0] == 0
    CLUSTER.psql("DELETE FROM schema_version WHERE version = 1000", "new")

with tap.test("a dump is restored into another database, and respool brings what came since"):
    dump = os.path.join(CLUSTER.dir, "dump")
    CLUSTER._pg("pg_dump", "-Fc", "-f", dump, conninfo("o", "new"))
    RUN.start("--clock-rate", "600")
    wait_for(lambda: (RUN.metric("lodewatch_readings_stored_total") or 0) >= 20, what=RUN.logged)
    assert RUN.stop()[0] == 0
    want = stored()
    CLUSTER.psql("DROP DATABASE new")
    CLUSTER.psql("CREATE DATABASE new")
    CLUSTER._pg("pg_restore", "--exit-on-error", "-d", conninfo("postgres", "new"), dump)
    assert owners("new") == "lodewatch_owner", owners("new")
    done = run([LODEWATCH, "respool", "--config", RUN.path("conf"), "--from", NOW])
    assert done.returncode == 0, done
    RUN.start("--clock-rate", "1")
    wait_for(lambda: RUN.metric("lodewatch_store_backlog_bytes") == 0
             and RUN.json("/readyz")["checks"][0]["ok"], what=RUN.logged)
    assert RUN.stop()[0] == 0
    got = stored()
    assert len(want) > 40 and got[:len(want)] == want, (len(want), len(got))
    assert sql("a", "new", "SELECT body FROM alert") == ""

RUN.close()
sys.exit(tap.done())
