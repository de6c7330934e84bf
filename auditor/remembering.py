"""What one audit takes from the evidence store, and what it leaves there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from auditor import __version__
from auditor.config import Config, Thresholds
from auditor.evidence.base import Question
from auditor.model import Finding, Observation, WorkloadRun
from auditor.store import Location, Measured, Store, Trouble, codes
from auditor.triage import triage


def _plain(thresholds: Thresholds) -> dict[str, float]:
    return {name: getattr(thresholds, name) for name in thresholds.__match_args__}


class Memory:
    """The evidence store as one audit uses it.

    Make it before anything is measured: what will be remembered is bound to the code as it was then. `notes` say what
    went wrong with the store, which costs no audit its report.
    """

    def __init__(
        self, location: Location, questions: Sequence[Question], target: Path, config: Config, measuring: bool
    ) -> None:
        self.notes: list[str] = []
        self._questions = questions
        self._suspects = [question.suspect for question in questions]
        self._target = target
        self._config = config
        self._store = Store(location, self._suspects, target, _plain(config.thresholds))
        self._codes = codes(self._suspects, target) if measuring else {}

    def recall(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings with what earlier audits measured of them."""
        try:
            known = self._store.recall(self._config.workloads)
        except Trouble as trouble:
            self.notes.append(f"No evidence is remembered: {trouble}.")
            return tuple(findings)
        return tuple(replace(finding, remembered=known.get(finding.suspect.fingerprint, ())) for finding in findings)

    def remember(self, runs: Sequence[WorkloadRun], seen: Mapping[str, Sequence[Observation]], when: str) -> None:
        """Keep what each workload that ended well said of each suspect whose code did not change meanwhile."""
        try:
            self._store.remember(self._measured(runs, seen), when, __version__)
        except Trouble as trouble:
            self.notes.append(f"The evidence of this audit is not remembered: {trouble}.")

    def _measured(self, runs: Sequence[WorkloadRun], seen: Mapping[str, Sequence[Observation]]) -> Iterator[Measured]:
        from auditor.judge import judge

        now = codes(self._suspects, self._target)
        ended_well = [run for run in runs if run.exit_code == 0]
        for question in self._questions:
            suspect = question.suspect
            code = self._codes.get(suspect.fingerprint)
            if code is None or now.get(suspect.fingerprint) != code:
                continue
            for run in ended_well:
                observed = [one for one in seen.get(suspect.fingerprint, ()) if one.workload == run.workload.name]
                if observed:
                    verdict = judge(question.expects, observed, self._config.thresholds)
                    priority = triage(question.expects, verdict, self._config.thresholds)
                    yield Measured(suspect, code, run.workload, run.python, verdict, priority)
