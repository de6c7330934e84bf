"""Which passes are made: those that can still change a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor import measure as module
from auditor.evidence.base import Outcome, Question, Session
from auditor.measure import Conditions, measure
from auditor.model import Cost, Evidence, PassRun, Span, Suspect, Workload
from auditor.progress import Progress

SUSPECT = Suspect("deepcopy-in-loop", "m.py", Span(1, 1, 1, 9), "f", "message", "print", ())


@dataclass(frozen=True)
class Made:
    """A pass that runs nothing and delivers what it was given."""

    name: str
    order: int
    rows: tuple[Evidence, ...] = ()
    if_open: bool = False
    doing: str = "doing nothing"
    over_sizes: bool = True

    def wanted(self, questions: Sequence[Question], _hits: Mapping[str, int] | None) -> bool:
        return self.name == "plain" or bool(questions)

    def measure(self, _questions: Sequence[Question], _session: Session) -> Outcome:
        return Outcome(PassRun(self.name, 10.0, 0), {"print": self.rows})


def timed(collector: str, seconds: float) -> tuple[Evidence, ...]:
    return (
        Evidence("seconds", seconds, seconds, seconds, "s", 500, collector, "bench"),
        Evidence("share", seconds / 10, seconds / 10, seconds / 10, "ratio", 500, collector, "bench"),
    )


@pytest.mark.parametrize(
    ("probes_s", "sampled_s", "is_open"),
    [(2.0, 2.0, False), (2.0, 0.3, False), (0.001, 0.001, True), (2.0, 0.001, True)],
)
def test_memory_is_tracked_unless_time_has_confirmed_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, probes_s: float, sampled_s: float, is_open: bool
) -> None:
    hits = Evidence("hits", 1000, 1000, 1000, "executions", 1000, "probes", "bench")
    passes = (
        Made("plain", 0),
        Made("probes", 1, (hits, *timed("probes", probes_s))),
        Made("py-spy", 2, timed("py-spy", sampled_s)),
        Made("memray", 3, if_open=True),
    )
    monkeypatch.setattr(module, "passes", lambda: passes)
    question = Question(SUSPECT, Cost(memory=True))

    run, _ = measure([question], Workload("bench", "true", str(tmp_path)), Conditions(tmp_path), Progress())

    assert [one.name for one in run.passes] == ["plain", "probes", "py-spy", *(["memray"] if is_open else [])]
