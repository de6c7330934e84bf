"""What each pass costs: its wall time over that of a plain run, pair by pair.

    python benchmarks/overhead.py [--rounds 7] [--rate 100] [--workload cpu] [--pass py-spy]

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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rate", type=int, default=pyspy.RATE_HZ, help="samples per second that py-spy takes")
    parser.add_argument("--workload", choices=sorted(WORKLOADS), action="append")
    parser.add_argument("--pass", dest="passes", choices=sorted(TARGETS), action="append")
    arguments = parser.parse_args()
    pyspy.RATE_HZ = arguments.rate

    plain, *others = [one for one in all_passes() if one.name in ("plain", *(arguments.passes or TARGETS))]
    versions = ", ".join(f"{name} {version(name)}" for name in ("py-spy", "memray"))
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {versions}")
    print(f"{arguments.rounds} rounds, py-spy at {arguments.rate} Hz; ratio to the plain run with 95 % interval\n")
    missed = 0
    for name in arguments.workload or WORKLOADS:
        source = WORKLOADS[name]
        plain_s: list[float] = []
        ratios: dict[str, list[float]] = {one.name: [] for one in others}
        for _ in range(arguments.rounds):
            plain_s.append(wall_s(plain, source, None))
            for one in others:
                ratios[one.name].append(wall_s(one, source, plain_s[-1]) / plain_s[-1])
        print(f"{name:12}{'plain':10}{statistics.median(plain_s):6.2f} s")
        for which, values in ratios.items():
            low, middle, high = median_interval(values)
            missed += middle > TARGETS[which]
            verdict = "missed" if middle > TARGETS[which] else "met"
            print(f"{'':12}{which:10}{middle:6.3f}   {low:.3f} to {high:.3f}   target {TARGETS[which]} {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
