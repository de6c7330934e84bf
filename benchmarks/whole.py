"""How long a whole audit takes, with default settings, against the workload's own time T: at most 6 T + 5 s.

    python benchmarks/whole.py [--seconds 1,5,20] [--kind cpu] [--rounds 1]

T is the wall time of the plain run in that very audit (of a workload with sizes, of the plain runs at all of them), so
that a busy machine hits both alike. Printed is also what each pass took, in T; what is left over is scanning, starting
and judging. Where other work takes the processors, wall times say little: then the processor time of the audit with all
that it started, against 6 times that of the plain run + 5 s, tells what an idle machine would.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FACTOR, CONSTANT_S = 6.0, 5.0

CPU = """
import math, sys

def bodies(n):
    return [[math.sin(k), math.cos(k), 0.1 * k] for k in range(n)]

def step(points):
    total, known = 0.0, []
    for a in points:
        for b in points:
            dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
            total += 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz + 0.01)
        if total in known:
            total -= 1.0
        known.append(total)
    return total

points = bodies(40)
for _ in range(int(sys.argv[1])):
    step(points)
"""

ASYNCIO = """
import asyncio, json, sys, time

async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()

async def ask(port, times):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(times):
        if number % 50 == 0:
            time.sleep(0.001)
        writer.write(json.dumps({"number": number, "rows": list(range(40))}).encode() + b"\\n")
        await writer.drain()
        json.loads(await reader.readline())
    writer.close()

async def main(times):
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*(ask(port, times) for _ in range(8)))
    server.close()

asyncio.run(main(int(sys.argv[1])))
"""

ALLOCATION = """
import copy, sys

def records(n):
    return [{"id": k, "name": "name %d" % k, "tags": ["a%d" % k, "b%d" % k], "at": (k, 1.5 * k)} for k in range(n)]

def snapshots(rows, times):
    kept = []
    for number in range(times):
        kept.append(copy.deepcopy(rows[number % 20 : number % 20 + 30]))
        kept[-20:-19] = [sorted([str(row["at"]) for row in rows])]
    return kept[-20:]

rows = records(200)
for _ in range(int(sys.argv[1])):
    snapshots(rows, 20)
"""

KINDS = {"cpu": CPU, "asyncio": ASYNCIO, "allocation": ALLOCATION, "sizes": ALLOCATION}
ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", default="1,5,20", help="about how long the workload runs, several with commas")
    parser.add_argument("--kind", choices=sorted(KINDS), help="only this one")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores\n")
    print("| workload | T | whole audit | allowed | passes | over | T, processor | audit, processor | allowed |")
    print("|---|---:|---:|---:|---|---:|---:|---:|---:|")
    missed = 0
    for kind in [options.kind] if options.kind else KINDS:
        for seconds in map(float, options.seconds.split(",")):
            for _ in range(options.rounds):
                missed += _audited(kind, seconds)
    print(f"\n{missed} beyond {FACTOR:g} T + {CONSTANT_S:g} s")
    sys.exit(missed > 0)


def _audited(kind: str, seconds: float) -> bool:
    """Audit one workload once, and print its row; whether it took longer than allowed."""
    with tempfile.TemporaryDirectory(prefix="whole-") as directory:
        program = Path(directory, "work.py")
        program.write_text(KINDS[kind], encoding="utf-8")
        times = _times(program, seconds)
        run = ["--run", f"{sys.executable} work.py {times}"]
        if kind == "sizes":
            part = max(1, times // 7)
            run = ["--run", f"{sys.executable} work.py {{n}}", "--sizes", f"{part},{2 * part},{4 * part}"]
        begun, cpu_before = time.perf_counter(), _cpu_s()
        result = subprocess.run(
            [sys.executable, "-m", "auditor", ".", *run, "--format", "json", "--exit-zero"],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        took_s, cpu_s = time.perf_counter() - begun, _cpu_s() - cpu_before
    walls: dict[str, float] = {}
    plain_cpu_s = 0.0
    for one in json.loads(result.stdout)["workloads"][0]["passes"]:
        plain_cpu_s += one["cpu_s"] or 0.0
        walls[one["name"]] = walls.get(one["name"], 0.0) + one["wall_s"]
    allowed_s = FACTOR * walls["plain"] + CONSTANT_S
    passes = ", ".join(f"{name} {wall / walls['plain']:.1f}" for name, wall in walls.items() if name != "plain")
    print(
        f"| {kind} | {walls['plain']:.1f} s | {took_s:.1f} s | {allowed_s:.1f} s | {passes}"
        f" | {took_s - sum(walls.values()):.1f} s | {plain_cpu_s:.1f} s | {cpu_s:.1f} s"
        f" | {FACTOR * plain_cpu_s + CONSTANT_S:.1f} s |",
        flush=True,
    )
    return took_s > allowed_s


def _cpu_s() -> float:
    """Processor time of all processes that ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _times(program: Path, seconds: float) -> int:
    """How many turns take about so long: from how much longer many take than few."""
    turns, took_s = 1, 0.0
    while took_s < 0.5:
        turns *= 4
        took_s = _processor_s(program, turns) - _processor_s(program, 1)
    return max(1, round(turns * seconds / took_s))


def _processor_s(program: Path, turns: int) -> float:
    before = _cpu_s()
    subprocess.run([sys.executable, program, str(turns)], check=True)
    return _cpu_s() - before


if __name__ == "__main__":
    main()
