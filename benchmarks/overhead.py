"""What each pass costs: its wall time over that of a plain run, pair by pair.

    python benchmarks/overhead.py [--rounds 7] [--rate 100] [--workload cpu] [--pass py-spy]

The targets hold for four workloads of kinds that people run. Two more do nothing but what a pass finds hardest, and
show how bad it can get: `calls` (generators below a stack 60 deep) and `queue` (queue operations that never wait).

Every round runs each workload under every pass, one after another, so that a change of the machine's mood hits all of
them alike; a ratio is taken within its round. Printed is the median with its 95 % interval (order statistics).
"""

from __future__ import annotations

import argparse
import ast
import math
import platform
import shlex
import statistics
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from auditor.evidence import passes as all_passes
from auditor.evidence.base import Pass, Question, Session
from auditor.evidence.passes import pyspy
from auditor.model import Cost, Site, Span, Suspect, Workload

TARGETS = {"py-spy": 1.1, "probes": 1.3, "memray": 3.0}

CPU = """
import math

BODIES = [
    [float(3 * n), float(n * n % 17), 0.1 * n, 0.0, 0.01 * n, 0.0, 1.0 + n % 3] for n in range(8)
]
PAIRS = [(a, b) for n, a in enumerate(BODIES) for b in BODIES[n + 1:]]

def advance(dt, steps):
    for _ in range(steps):
        for a, b in PAIRS:
            dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
            squared = dx * dx + dy * dy + dz * dz + 0.01
            force = dt / (squared * math.sqrt(squared))  # site
            a[3] -= dx * b[6] * force
            a[4] -= dy * b[6] * force
            a[5] -= dz * b[6] * force
            b[3] += dx * a[6] * force
            b[4] += dy * a[6] * force
            b[5] += dz * a[6] * force
        for body in BODIES:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]

def energy():
    kinetic = sum(0.5 * body[6] * (body[3] ** 2 + body[4] ** 2 + body[5] ** 2) for body in BODIES)
    return kinetic - sum(a[6] * b[6] / math.dist(a[:3], b[:3]) for a, b in PAIRS)

for _ in range(200):
    advance(0.001, 400)  # site
    energy()  # site
print(energy())
"""

CALLS = """
def weight(a, b):
    return sum(x * y for x, y in zip(a, b)) % 7

def work():
    total = 0
    a, b = list(range(50)), list(range(50, 100))
    for _ in range(800_000):
        total += weight(a, b)  # site
    return total

def deep(n):
    return deep(n - 1) if n else work()  # site

print(deep(60))
"""

ALLOCATION = """
import json

def row(n):
    return {"id": n, "name": f"row {n}", "tags": [str(n), str(n + 1)], "children": []}

kept = []
for n in range(1_000_000):
    kept.append(row(n))  # site
    if n % 50_000 == 0:
        kept.clear()
text = json.dumps(kept)  # site
print(len(json.loads(text)))
"""

ASYNCIO = """
import asyncio
import json

async def serve(reader, writer):
    while line := await reader.readline():
        request = json.loads(line)  # site
        answer = {"id": request["id"], "total": sum(request["values"])}
        writer.write(json.dumps(answer).encode() + b"\\n")
        await writer.drain()  # site
    writer.close()

async def client(port, requests):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    total = 0
    for n in range(requests):
        writer.write(json.dumps({"id": n, "values": list(range(100))}).encode() + b"\\n")
        total += json.loads(await reader.readline())["total"]  # site
    writer.close()
    return total

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(sum(await asyncio.gather(*(client(port, 600) for _ in range(40)))))
    server.close()

asyncio.run(main())
"""

QUEUE = """
import asyncio

async def produce(queue):
    for n in range(300_000):
        await queue.put(n)  # site

async def consume(queue):
    total = 0
    while (n := await queue.get()) is not None:
        total += n
        await asyncio.sleep(0)  # site
    return total

async def main():
    queue = asyncio.Queue(maxsize=100)
    consumers = [asyncio.create_task(consume(queue)) for _ in range(20)]
    await asyncio.gather(produce(queue), produce(queue))
    for _ in consumers:
        await queue.put(None)
    print(sum(await asyncio.gather(*consumers)))

asyncio.run(main())
"""

LIBRARY = """
import jinja2

template = jinja2.Environment().from_string(
    "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell | e }}</td>{% endfor %}</tr>{% endfor %}"
)

def render(rows):
    return template.render(rows=rows)  # site

rows = [[f"<{x}.{y}>" for x in range(20)] for y in range(50)]
size = 0
for _ in range(2_500):
    size += len(render(rows))  # site
print(size)
"""

WORKLOADS = {"cpu": CPU, "allocation": ALLOCATION, "asyncio": ASYNCIO, "library": LIBRARY}
WORST = {"calls": CALLS, "queue": QUEUE}


def questions(source: str) -> tuple[Question, ...]:
    """One suspect for each line marked as a site: its first call."""
    marked = {number for number, line in enumerate(source.splitlines(), 1) if line.endswith("# site")}
    calls = {
        node.lineno: Span(node.lineno, node.col_offset + 1, node.end_lineno or 0, (node.end_col_offset or 0) + 1)
        for node in reversed(list(ast.walk(ast.parse(source))))
        if isinstance(node, ast.Call) and node.lineno in marked
    }
    return tuple(
        Question(
            Suspect("overhead", "work.py", span, "work", "", f"line {line}", (Site("timed", span),)), Cost(memory=True)
        )
        for line, span in sorted(calls.items())
    )


def wall_s(one: Pass, source: str, plain_s: float | None) -> float:
    """Seconds of one run under a pass."""
    with tempfile.TemporaryDirectory(prefix="audit-overhead-") as directory:
        target, scratch = Path(directory, "target"), Path(directory, "scratch")
        target.mkdir()
        scratch.mkdir()
        (target / "work.py").write_text(source, encoding="utf-8")
        workload = Workload("work", f"{shlex.quote(sys.executable)} work.py", str(target))
        outcome = one.measure(questions(source), Session(target, workload, scratch, plain_wall_s=plain_s))
    if outcome.run.gap is not None or outcome.run.exit_code != 0:
        raise SystemExit(f"{one.name}: {outcome.run.gap or outcome.last_lines}")
    return outcome.run.wall_s


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The median with its 95 % interval; the whole range where there are fewer than six values."""
    ordered, n = sorted(values), len(values)
    cut = 0
    while 2 * sum(math.comb(n, k) for k in range(cut + 2)) / 2**n <= 0.05:
        cut += 1
    return ordered[cut], statistics.median(ordered), ordered[n - 1 - cut]


def _against_target(workload: str, which: str, ratio: float) -> str:
    if workload in WORST:
        return "worst case"
    return f"target {TARGETS[which]} {'missed' if ratio > TARGETS[which] else 'met'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rate", type=int, default=pyspy.RATE_HZ, help="samples per second that py-spy takes")
    parser.add_argument("--workload", choices=sorted(WORKLOADS | WORST), action="append")
    parser.add_argument("--pass", dest="passes", choices=sorted(TARGETS), action="append")
    arguments = parser.parse_args()
    pyspy.RATE_HZ = arguments.rate

    plain, *others = [one for one in all_passes() if one.name in ("plain", *(arguments.passes or TARGETS))]
    versions = ", ".join(f"{name} {version(name)}" for name in ("py-spy", "memray"))
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {versions}")
    print(f"{arguments.rounds} rounds, py-spy at {arguments.rate} Hz; ratio to the plain run with 95 % interval\n")
    missed = 0
    for name in arguments.workload or WORKLOADS | WORST:
        source = (WORKLOADS | WORST)[name]
        plain_s: list[float] = []
        ratios: dict[str, list[float]] = {one.name: [] for one in others}
        for _ in range(arguments.rounds):
            plain_s.append(wall_s(plain, source, None))
            for one in others:
                ratios[one.name].append(wall_s(one, source, plain_s[-1]) / plain_s[-1])
        print(f"{name:12}{'plain':10}{statistics.median(plain_s):6.2f} s")
        for which, values in ratios.items():
            low, middle, high = median_interval(values)
            print(f"{'':12}{which:10}{middle:6.3f}   {low:.3f} to {high:.3f}   {_against_target(name, which, middle)}")
            missed += name in WORKLOADS and middle > TARGETS[which]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
