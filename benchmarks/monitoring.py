"""What one execution of a flagged expression costs: planted probes against local events of `sys.monitoring`.

    uv run --python 3.13 python benchmarks/monitoring.py [--rounds 15]

Needs CPython 3.12 or later. Each variant runs the same loop in turn, in one process, and its best round less that of
the loop as it is, over the executions, is printed in nanoseconds. The best of several rounds is what the machine's
other work disturbed least.
"""

from __future__ import annotations

import argparse
import ast
import math
import platform
import sys
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from auditor.evidence.probes import _timing, timed

HITS = 300_000
SOURCE = """\
def work(n, value, table):
    for _ in range(n):
        value in table
"""
FLAGGED_LINE = 3
TOOL = 4


def planted(*, skips: bool) -> Callable[..., object]:
    """The loop with the probe `timed` around the flagged expression; without `skips` it counts alone."""
    runtime = SimpleNamespace(timing=_timing, tick=lambda: None)
    functions = timed.Recorder(runtime, {}).functions()
    tree = ast.parse(SOURCE)
    flagged = tree.body[0].body[0].body[0].value  # type: ignore[attr-defined]
    change: Mapping[ast.AST, Any] = timed.plant(flagged, {}, _Call(flagged, skips))
    tree.body[0].body[0].body[0].value = change[flagged](flagged)  # type: ignore[attr-defined]
    return compiled(tree, functions)


class _Call:
    """Makes calls of the probe's functions, as planting does."""

    def __init__(self, flagged: ast.expr, skips: bool) -> None:
        self._flagged = flagged
        self._skips = skips

    def __call__(self, name: str, *arguments: ast.expr) -> ast.expr:
        function = ast.Name(id="count" if name == "perhaps" else name, ctx=ast.Load())
        return ast.copy_location(ast.Call(func=function, args=list(arguments), keywords=[]), self._flagged)

    def unless_skipped(self, made: ast.expr, measured: Callable[[ast.expr], ast.expr]) -> ast.expr | None:
        if not self._skips:
            return None
        return ast.copy_location(ast.IfExp(test=self("skip"), body=made, orelse=measured(made)), self._flagged)


def compiled(tree: ast.Module, names: Mapping[str, object]) -> Callable[..., object]:
    """The function `work` of the tree."""
    space: dict[str, Any] = dict(names)
    exec(compile(ast.fix_missing_locations(tree), "loop.py", "exec"), space)
    made: Callable[..., object] = space["work"]
    return made


def monitored(event: str) -> Callable[..., object]:
    """The loop as it is, under a local event whose callback counts the flagged line, or one instruction of it.

    Events elsewhere in the function are switched off as they come, as a tool would do that cares for the one place.
    """
    function = compiled(ast.parse(SOURCE), {})
    flagged = next(start for start, _, line in function.__code__.co_lines() if line == FLAGGED_LINE)
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    seen = SimpleNamespace(hits=0)

    def on_line(_code: object, line: int) -> object:
        if line != FLAGGED_LINE:
            return monitoring.DISABLE
        seen.hits += 1
        return None

    def on_instruction(_code: object, offset: int) -> object:
        if offset != flagged:
            return monitoring.DISABLE
        seen.hits += 1
        return None

    kind = getattr(monitoring.events, event)
    tool = TOOL if event == "LINE" else TOOL - 1
    monitoring.use_tool_id(tool, f"benchmark-{event}")
    monitoring.register_callback(tool, kind, on_line if event == "LINE" else on_instruction)
    monitoring.set_local_events(tool, function.__code__, kind)
    return function


def best_ns(variants: Mapping[str, Callable[..., object]], rounds: int) -> dict[str, float]:
    """Nanoseconds of one execution in each variant's best round; a round runs every variant once."""
    best = dict.fromkeys(variants, math.inf)
    for _ in range(rounds):
        for name, work in variants.items():
            began = time.perf_counter_ns()
            work(HITS, 1, (1,))
            best[name] = min(best[name], (time.perf_counter_ns() - began) / HITS)
    return best


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    if not hasattr(sys, "monitoring"):
        print("sys.monitoring came with CPython 3.12; run this with a later one")
        return 1
    best = best_ns(
        {
            "plain": compiled(ast.parse(SOURCE), {}),
            "planted, counting": planted(skips=False),
            "planted, counting and timing": planted(skips=True),
            "sys.monitoring, local LINE events": monitored("LINE"),
            "sys.monitoring, local INSTRUCTION events": monitored("INSTRUCTION"),
        },
        rounds,
    )
    plain = best.pop("plain")
    print(f"CPython {platform.python_version()}, {HITS:,} executions, best of {rounds} rounds")
    print(f"  the loop as it is                          {plain:5.0f} ns an execution")
    for name, spent in best.items():
        print(f"  {name:<42} +{spent - plain:4.0f} ns")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
