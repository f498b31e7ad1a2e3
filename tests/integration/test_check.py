#!/usr/bin/python3
"""`lodewatch check`: the demo's ledger is clean, also as a county's office would export it
(GB18030, Chinese headers and values, CRLF); a spoilt one is refused with every fault."""
import csv
import io
import json
import os
import subprocess
import tempfile

BUILD = os.environ.get("BUILD", "build")
DEMO = "etc/demo"
TABLES = "areas contacts sites licences explanations gateways meters".split()

HEADERS = {
    "areas": {"area_id": "区划代码", "parent_id": "上级", "level": "级别", "name": "名称",
              "name_en": "英文名"},
    "contacts": {"contact_id": "编号", "area_id": "区域", "site_id": "站点", "role": "职责",
                 "rank": "正副职", "name": "姓名", "phone": "联系电话", "channel": "通知方式",
                 "user": "账号"},
    "sites": {"site_id": "站点编号", "name": "站点名称", "kind": "类型", "status": "状态",
              "status_since": "状态日期", "status_document": "文号", "area_id": "所属区域",
              "lat": "纬度", "lon": "经度", "datum": "坐标系", "contract_kw": "合同容量（kW）",
              "important_user": "重要用户", "own_generation": "自备电源",
              "residents_downstream": "带居民", "credit_code": "信用代码", "tags": "标签"},
    "licences": {"site_id": "站点编号", "kind": "证照类型", "number": "证号",
                 "valid_from": "有效期起", "valid_to": "有效期止",
                 "kwh_per_tonne": "吨矿电耗"},
    "explanations": {"explanation_id": "说明编号", "site_id": "站点编号", "kind": "用电性质",
                     "max_kw": "最大功率(kW)", "hours": "用电时段", "valid_from": "开始日期",
                     "valid_to": "结束日期", "authority": "批准单位", "document": "批文",
                     "approved_by": "审批人", "approved_by_2": "复核人",
                     "point_id": "计量点"},
    "gateways": {"gateway_id": "网关编号", "transport": "通信方式", "address": "地址",
                 "timeout_ms": "超时ms"},
    "meters": {"meter_id": "表号", "installed_at": "装表日期", "removed_at": "拆表日期",
               "point_id": "计量点编号", "account_no": "户号", "asset_no": "资产编号",
               "site_id": "站点编号", "role": "计量点性质", "parent_id": "上级计量点",
               "gateway_id": "采集器", "unit": "从站地址", "profile": "型号",
               "interval_s": "采集周期秒", "ct_ratio": "CT变比", "pt_ratio": "PT变比",
               "rated_kw": "额定功率kW", "energy_modulus_kwh": "满码"},
}
VALUES = {
    "county": "县", "township": "乡", "village": "行政村", "gully": "沟", "opening": "洞（井）",
    "closed": "关停", "unlicensed": "无证", "suspended": "停产整顿", "maintenance": "检修",
    "licensed": "持证", "relocating": "搬迁", "cut_off": "已停电", "unknown": "待核实",
    "coal_mine": "煤矿", "non_coal_mine": "非煤矿山", "quarry": "采石场", "sand": "砂场",
    "processing_plant": "加工厂", "coal_washery": "选煤厂", "hazardous_chemical": "危化品",
    "unlicensed_point": "无证采矿点", "mining": "采矿许可证", "safety": "安全生产许可证",
    "guard_house": "看护", "dewatering": "排水", "ventilation": "通风", "rescue": "抢险",
    "restart": "复产", "temporary_supply": "临时用电", "metering_test": "校表",
    "resident": "居民用电", "generation": "自发电", "heating": "取暖", "lighting": "照明",
    "other": "其他", "supply": "总表", "sub": "分表", "feeder": "馈线", "context": "气象",
    "chief": "正职", "deputy": "副职", "yes": "是", "CGCS2000": "国家2000", "tcp": "网络",
    "Mon-Fri 08:00-18:00": "周一至周五 08:00-18:00",
}


def check(*args):
    p = subprocess.run([f"{BUILD}/lodewatch", "check", *args], capture_output=True,
                       timeout=180)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def rows(table):
    with open(f"{DEMO}/{table}.csv", encoding="utf-8", newline="") as f:
        return list(csv.reader(f))


def write(folder, table, lines, encoding, end):
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows(lines)
    with open(f"{folder}/{table}.csv", "wb") as f:
        f.write(text.getvalue().encode(encoding))


def chinese(folder):
    for table in TABLES:
        head, *body = rows(table)
        head = [HEADERS[table].get(name, name) for name in head]
        body = [[VALUES.get(cell, cell) for cell in row] for row in body]
        order = list(range(len(head)))[::-1]
        lines = [[row[i] for i in order] for row in [head, *body]]
        write(folder, table, lines, "gb18030", "\r\n")


def spoil(folder):
    """Five faults, each in a place that is known."""
    for table in TABLES:
        lines = rows(table)
        if table == "sites":
            lines[1][0] = "1.4E+12"
            lines[2][4] = "shut"
        if table == "meters":
            lines[1][9] = "G99"
            lines[3][10] = "999"
        if table == "areas":
            lines[2][1] = "nowhere"
        write(folder, table, lines, "utf-8", "\n")


def clean():
    rc, out, err = check(DEMO)
    return rc == 0 and "no fault" in out and err == ""


def same_in_chinese():
    with tempfile.TemporaryDirectory() as folder:
        chinese(folder)
        rc, out, _ = check("--json", folder)
        _, expected, _ = check("--json", DEMO)
        report = json.loads(out)
        return (rc == 0 and report == json.loads(expected) and
                report["unknown_columns"] == [] and report["counts"]["sites"] == 40)


def every_fault():
    with tempfile.TemporaryDirectory() as folder:
        spoil(folder)
        rc, out, _ = check(folder)
        found = [(line.split(": ")[0].replace(folder + "/", ""), line)
                 for line in out.splitlines()]
        places = [place.split(":")[:2] for place, _ in found]
        return rc == 2 and all(wanted in places for wanted in
                               [["areas.csv", "3"], ["meters.csv", "2"],
                                ["meters.csv", "4"], ["sites.csv", "2"],
                                ["sites.csv", "3"]]) and "spreadsheet" in out


def json_faults():
    with tempfile.TemporaryDirectory() as folder:
        spoil(folder)
        rc, out, _ = check("--json", folder)
        report = json.loads(out)
        return (rc == 2 and report["fault_count"] == len(report["faults"]) >= 5 and
                all({"file", "line", "column", "text"} == set(f) for f in report["faults"]))


def rules():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/rules.conf"
        with open(path, "w", encoding="utf-8") as f:
            f.write("[closed_load]\nfor = 45\nfloor_kw = 2000\nfrom = 1h\n[night licensed]\nto_minute = 300\n"
                    "[reference licensed]\nmost = 1\n")
        rc, out, _ = check("--rules", path)
        places = [line.split(": ")[0][len(path) + 1:] for line in out.splitlines()]
        good = check("--rules", "etc/rules.conf")
    return (rc == 2 and places == ["2:7", "3:12", "4:1", "7:1"] and "45m" not in out and
            "30s, 15m" in out and "from 0 to 1000" in out and "closed, unlicensed" in out and
            good[0] == 0 and check("--rules")[0] == 2 and check("--rules", path, DEMO)[0] == 2)


def no_folder():
    rc, out, _ = check("/nonexistent")
    return rc == 2 and out.startswith("/nonexistent:1:1: ")


def bad_usage():
    return (check()[0] == 2 and check("--nonsense", DEMO)[0] == 2 and
            check(DEMO, DEMO)[0] == 2 and check("--timezone", "Mars/Base", DEMO)[0] == 2)


def helps():
    p = subprocess.run([f"{BUILD}/lodewatch", "--help"], capture_output=True, timeout=60)
    unknown = subprocess.run([f"{BUILD}/lodewatch", "chek"], capture_output=True, timeout=60)
    version = subprocess.run([f"{BUILD}/lodewatch", "--version"], capture_output=True,
                             timeout=60)
    return (p.returncode == 0 and b"check" in p.stdout and check("--help")[0] == 0 and
            unknown.returncode == 2 and version.returncode == 0)


TESTS = [
    ("the demo's ledger has no fault", clean),
    ("the same in GB18030 with Chinese headers and values", same_in_chinese),
    ("every fault is printed with its place", every_fault),
    ("faults as JSON", json_faults),
    ("rules' parameters: where, what, and what is expected", rules),
    ("a folder that is not there", no_folder),
    ("bad usage exits with 2", bad_usage),
    ("help and version", helps),
]

print(f"1..{len(TESTS)}")
failed = 0
for number, (name, test) in enumerate(TESTS, 1):
    good = test()
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
raise SystemExit(failed > 0)
