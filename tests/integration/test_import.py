#!/usr/bin/python3
"""`lodewatch import` and `migrate`, and the ledger read back from PostgreSQL."""
import json
import os
import sys

from harness import Cluster, Program, Tap, program, run, skip_all, temp_dir, write

LODEWATCH = program("lodewatch")
DRIVER = program("helpers/ledger_driver")
if not os.path.exists(LODEWATCH) or run([LODEWATCH, "import", "--help"]).returncode != 0:
    skip_all("lodewatch import is not built")

LEDGER = {
    "areas.csv": 'area_id,parent_id,level,name,name_en,邮编\n'
                 'c1,,county,"示例县, 一",Example,043000\n'
                 'c1-03,c1,township,"三""镇",,\n',
    "contacts.csv": "contact_id,area_id,site_id,role,rank,name,phone,channel,user\n"
                    "p1,c1-03,,镇长,chief,某人,03591234567,sms,zhang\n"
                    "p2,,s1,power,deputy,某某,,,\n",
    "sites.csv": "site_id,name,kind,status,status_since,status_document,area_id,lat,lon,datum,"
                 "contract_kw,credit_code,important_user,own_generation,tags,备注,unit cost,"
                 "reference_reviewed_by,reference_from,reference_reviewed_at\n"
                 "s1,一号矿,coal_mine,closed,2024-11-02,示例〔2024〕7号,c1-03,35.600001,110.98,"
                 "CGCS2000,12.5,911408241234567890,no,yes,a;b,\"两行\n备注\",1e3,"
                 "张三,2025-11-04T00:00:00Z,2025-11-05\n"
                 "s2,二号,quarry,licensed,2024-01-01T08:30:00.250+08:00,,c1,,,,,,,,,,,,,\n",
    "licences.csv": "site_id,kind,number,valid_from,valid_to,capacity_t_per_year,kwh_per_tonne\n"
                    "s2,mining,C14,2024-01-01,2027-12-31,300000,12.345\n"
                    "s2,safety,A-1,,长期,,\n",
    "explanations.csv": "explanation_id,site_id,kind,max_kw,hours,valid_from,valid_to,authority,"
                        "document,approved_by,approved_by_2,point_id\n"
                        "x1,s1,guard_house,2.5,Mon-Fri 08:00-18:00; Holiday 22:00-06:00,"
                        "2024-01-01,2026-12-31,局,文1,甲,乙,pt1b\n"
                        "x2,s1,dewatering,,,2024-01-01,,局,,,,\n",
    "gateways.csv": "gateway_id,transport,address,registration,max_inflight,min_gap_ms,timeout_ms\n"
                    "g1,tcp,127.0.0.1:1502,,4,20,500\n"
                    "g2,tcp,127.0.0.1:1503,,,,\n",
    "meters.csv": "meter_id,installed_at,removed_at,point_id,account_no,asset_no,site_id,role,"
                  "parent_id,gateway_id,unit,profile,interval_s,ct_ratio,pt_ratio,rated_kw,"
                  "energy_resolution_kwh,energy_modulus_kwh\n"
                  "m0,2020-01-01,,f1,,,,feeder,,g1,1,generic,900,200/5,100,,0.01,1000000\n"
                  "m1,2020-01-01,2024-05-05,pt1,00123456789012345678,A-1,s1,supply,f1,g1,2,"
                  "generic,60,150/7,1,160,0.001,100000\n"
                  "m2,2024-05-05T09:00:00+08:00,,pt1,00123456789012345678,A-2,s1,supply,f1,g1,2,"
                  "generic,60,40,1,160,0.001,100000\n"
                  "m3,2020-01-01,,pt1b,,,s1,sub,pt1,g2,1,generic,60,,,,,\n",
}
ROWS = {name: text.count("\n") - 1 for name, text in LEDGER.items()}
ROWS["sites.csv"] -= 1  # a cell of two lines

tap = Tap(11)
pg = Cluster()


def folder(**changed):
    path = temp_dir()
    for name, text in LEDGER.items():
        write(os.path.join(path, name), changed.get(name.split(".")[0], text))
    return path


def importing(path, *options):
    return run([LODEWATCH, "import", path, "--conninfo-file", pg.conninfo_file("ledger"),
                *options])


def counts(done):
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return {key: {name: row[key] for name, row in report.items() if row[key]}
            for key in ("added", "changed", "removed", "same")}


pg.create("ledger")

with tap.test("migrate makes the schema, and then has nothing to do"):
    args = [LODEWATCH, "migrate", "--conninfo-file", pg.conninfo_file("ledger")]
    first, second = run(args), run(args)
    assert first.returncode == 0 and "from version 0 to " in first.stdout, first
    assert second.returncode == 0 and "nothing to do" in second.stdout, second

with tap.test("a ledger with a fault is refused whole, with the place"):
    done = importing(folder(sites="site_id,name,kind,status,area_id\ns1,x,moon_mine,closed,c9\n"))
    assert done.returncode == 2 and "sites.csv:2:6: kind" in done.stderr, done
    assert pg.psql("SELECT count(*) FROM area", "ledger") == "0"

with tap.test("a ledger is imported"):
    got = counts(importing(folder(), "--json"))
    assert got == {"added": ROWS, "changed": {}, "removed": {}, "same": {}}, got

with tap.test("the columns are typed and in the tables' units"):
    got = pg.psql("SELECT site_id, status_since AT TIME ZONE 'UTC', contract_kw, lat, important_user,"
                  " own_generation, extra->>'备注', reference_reviewed_by, reference_from AT TIME ZONE 'UTC',"
                  " reference_reviewed_at AT TIME ZONE 'UTC'"
                  " FROM site WHERE site_id = 's1'", "ledger")
    assert got == "s1|2024-11-01 16:00:00|12.500|35.600001|f|t|两行\n备注|张三|2025-11-04 00:00:00|2025-11-04 16:00:00", got
    got = pg.psql("SELECT hours, max_kw, valid_to AT TIME ZONE 'UTC' FROM explanation"
                  " WHERE explanation_id = 'x1'", "ledger")
    assert got == ("Mon,Tue,Wed,Thu,Fri 08:00-18:00; Holiday 22:00-06:00|2.500|"
                   "2026-12-31 16:00:00"), got
    got = pg.psql("SELECT ct_ratio, energy_resolution_kwh, account_no FROM meter"
                  " WHERE meter_id = 'm0' OR meter_id = 'm2' ORDER BY meter_id", "ledger")
    assert got == "40.000|0.010000|\n40.000|0.001000|00123456789012345678", got

with tap.test("the same ledger again changes nothing"):
    got = counts(importing(folder(), "--json"))
    assert got == {"added": {}, "changed": {}, "removed": {}, "same": ROWS}, got

with tap.test("what is read back is the same ledger"):
    if os.path.exists(DRIVER):
        done = run([DRIVER, pg.conninfo_file("ledger")])
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"same {sum(ROWS.values())} changed 0\n", (done.stdout, done.stderr)
        assert "043000" in done.stderr and "两行" in done.stderr

with tap.test("only the difference is applied"):
    licences = LEDGER["licences.csv"].replace("2027-12-31", "2028-12-31")
    contacts = "".join(LEDGER["contacts.csv"].splitlines(True)[:2])
    gateways = LEDGER["gateways.csv"] + "g3,tcp,127.0.0.1:1504,,,,\n"
    got = counts(importing(folder(licences=licences, contacts=contacts, gateways=gateways),
                           "--json"))
    assert got["added"] == {"gateways.csv": 1}, got
    assert got["changed"] == {"licences.csv": 1}, got
    assert got["removed"] == {"contacts.csv": 1}, got

with tap.test("people see the counts"):
    done = importing(folder())
    assert done.returncode == 0 and "licences.csv" in done.stdout, done
    assert "1 changed" in done.stdout, done.stdout

with tap.test("an import that fails half way changes nothing"):
    before = pg.psql("SELECT * FROM area ORDER BY 1", "ledger")
    pg.psql("ALTER TABLE meter ADD CONSTRAINT no CHECK (meter_id <> 'm9')", "ledger")
    meters = LEDGER["meters.csv"] + "m9,2020-01-01,,,,,s1,supply,f1,g2,9,generic,60,,,,,\n"
    areas = LEDGER["areas.csv"] + "c1-04,c1,township,四镇,,\n"
    done = importing(folder(meters=meters, areas=areas))
    assert done.returncode == 1 and "no" in done.stderr, done
    assert pg.psql("SELECT * FROM area ORDER BY 1", "ledger") == before

with tap.test("two imports at once come one after the other"):
    pg.psql("ALTER TABLE meter DROP CONSTRAINT no", "ledger")
    more = LEDGER["areas.csv"] + "c1-05,c1,township,五镇,,\n"
    conninfo = pg.conninfo_file("ledger")
    both = [Program([LODEWATCH, "import", path, "--conninfo-file", conninfo, "--json"])
            for path in (folder(), folder(areas=more))]
    assert [p.wait(30) for p in both] == [0, 0], [p.err for p in both]
    added = sum(json.loads(p.out)["areas.csv"]["added"] for p in both)
    left = int(pg.psql("SELECT count(*) FROM area", "ledger"))
    removed = sum(json.loads(p.out)["areas.csv"]["removed"] for p in both)
    assert left == ROWS["areas.csv"] + added - removed, (left, added, removed)

with tap.test("a database that is away is said so, without the password"):
    conninfo = write(os.path.join(temp_dir(), "c"),
                     "hostaddr=127.0.0.1 port=1 user=x password=geheim dbname=x\n", 0o600)
    done = run([LODEWATCH, "import", folder(), "--conninfo-file", conninfo])
    assert done.returncode == 1 and "refused" in done.stderr, done
    assert "geheim" not in done.stderr + done.stdout, done.stderr
    conninfo = write(conninfo, "host=x geheim dbname=\n", 0o600)
    done = run([LODEWATCH, "import", folder(), "--conninfo-file", conninfo])
    assert done.returncode == 1 and "geheim" not in done.stderr + done.stdout, done.stderr

sys.exit(tap.done())
