"""Memory that stays: growth after warming up, of real programs under memray, and what is said of few heavy entries."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.config import Thresholds
from auditor.evidence.base import Question
from auditor.evidence.passes.memory import PASS
from auditor.judge import judge
from auditor.model import Backlog, Evidence, Gap, Observation, Site, Span, VerdictKind
from tests.evidence.asking import measure, question
from tests.evidence.probing import probe

pytestmark = pytest.mark.skipif(importlib.util.find_spec("memray") is None, reason="memray is not available here")

CONFIRMED, INCONCLUSIVE = VerdictKind.CONFIRMED, VerdictKind.INCONCLUSIVE

FRAME = """\
import sys, time
KEPT, OTHER = {}, []
def load(n):
    return bytes(100_000)
def handle(n):
    BODY
for n in range(CALLS):
    handle(n)
    time.sleep(0.003)
"""
STORES = "KEPT[n] = load(n)"
# what a call does, how many there are, what is surely kept in the middle half in bytes, and what is said
HANDLERS = {
    "each call keeps a heavy entry": (STORES, 300, (13e6, 17e6), CONFIRMED),
    "each call keeps a small one, and drops what is heavy": ("load(n)\n    KEPT[n] = n", 300, (0, 0), INCONCLUSIVE),
    "heavy ones are replaced": (
        "KEPT[n] = load(n)\n    if len(KEPT) > 120:\n        del KEPT[next(iter(KEPT))]",
        600,
        (0, 6e6),
        INCONCLUSIVE,
    ),
    "it fills and stops": ("if n < 120:\n        KEPT[n] = load(n)", 400, (0, 3e6), INCONCLUSIVE),
    "too little to matter": (STORES, 60, (0, 5e6), INCONCLUSIVE),
    "another line keeps what is heavy": ("OTHER.append(load(n))\n    KEPT[n] = n", 300, (0, 0), INCONCLUSIVE),
}


@pytest.mark.parametrize("how", HANDLERS)
def test_few_heavy_entries_are_told_by_what_they_retain(tmp_path: Path, how: str) -> None:
    body, calls, (least, most), said = HANDLERS[how]
    program = FRAME.replace("BODY", body).replace("CALLS", str(calls))
    stored = STORES if STORES in body else "KEPT[n] = n"
    (tmp_path / "memray").mkdir()
    asked = question(program, stored, Backlog())
    rows = measure(PASS, tmp_path / "memray", program, asked).rows.get(asked.suspect.fingerprint, ())
    kept = [one.low for one in rows if isinstance(one, Evidence) and one.metric == "kept_bytes"]
    probed = probe(tmp_path, program, ("container", stored))

    assert least <= sum(kept) <= most
    assert verdict(probed.rows[0], rows) is said


def verdict(*rows: tuple[Evidence | Gap, ...]) -> VerdictKind:
    every = [one for part in rows for one in part]
    evidence = tuple(one for one in every if isinstance(one, Evidence))
    gaps = tuple(one for one in every if isinstance(one, Gap))
    return judge(Backlog(), [Observation("bench", 2.0, evidence, gaps)], Thresholds()).kind


def test_arenas_of_small_objects_are_nobodys(tmp_path: Path) -> None:
    program = """\
import time
KEPT, OTHER = {}, []
def handle(n):
    KEPT[n] = [float(i) for i in range(20_000)]
    OTHER.extend(float(i) for i in range(20_000))
    del KEPT[n]
for n in range(200):
    handle(n)
    time.sleep(0.003)
"""
    asked = question(program, "KEPT[n] = [", Backlog())
    rows = measure(PASS, tmp_path, program, asked).rows.get(asked.suspect.fingerprint, ())
    assert sum(one.low for one in rows if isinstance(one, Evidence) and one.metric == "kept_bytes") < 1e6


def test_what_a_subprocess_retains_is_seen(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\nif len(sys.argv) > 1:\n"
        + "".join(f"    {line}\n" for line in FRAME.replace("BODY", STORES).replace("CALLS", "300").splitlines())
        + "else:\n    subprocess.run([sys.executable, 'work.py', 'child'])\n"
    )
    asked = question(program, STORES, Backlog())
    rows = measure(PASS, tmp_path, program, asked, command=f"{sys.executable} work.py").rows
    kept = [one for one in rows[asked.suspect.fingerprint] if isinstance(one, Evidence) and one.metric == "kept_bytes"]
    assert 13e6 <= kept[0].low <= kept[0].value <= 17e6


def test_of_a_cached_function_all_lines_count(tmp_path: Path) -> None:
    program = """\
import functools, time
@functools.lru_cache(maxsize=None)
def load(n):
    size = 100_000
    return bytes(size)
for n in range(300):
    load(n)
    time.sleep(0.003)
"""
    asked = question(program, "def load", Backlog())
    line = asked.suspect.span.line
    whole = Span(line, 1, line + 2, 23)
    suspect = replace(asked.suspect, sites=(Site("cache", whole),))
    rows = measure(PASS, tmp_path, program, Question(suspect, Backlog())).rows[suspect.fingerprint]
    kept = [one for one in rows if isinstance(one, Evidence) and one.metric == "kept_bytes"]
    assert 13e6 <= kept[0].low
