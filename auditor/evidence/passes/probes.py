"""Counting and timing with probes planted at the flagged nodes only."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.evidence.by_test import exercises
from auditor.evidence.census import census_of
from auditor.evidence.copies import copies_warning, module_names
from auditor.evidence.launch import CONFIG_VARIABLE, NOT_REACHED, Reached, child_environment, child_errors, reached
from auditor.evidence.loops import standstill_of
from auditor.evidence.probes import probe_files, probe_module
from auditor.evidence.running import run_workload
from auditor.model import Evidence, Gap, PassRun

NOT_PLANTED = (
    "its code was loaded from a cache or as a compiled extension, not from its source, so no probe was planted"
)

COUNTED = (
    "its code was loaded from a cache, not from its source, so its executions were counted without a probe, and nothing"
    " else was measured"
)

DETACHED = (
    "a part of it ran in processes that outlived the one that started them (daemons), where py-spy does not follow"
)

OTHER_USER_SUFFIX = ".other-user"
OTHER_USER = (
    "a process of the workload went on as another user (setuid), who may not write down what was counted; "
    "run audit as that user, or the workload without the change"
)
DISK_FULL = (
    "a process of the workload could not write down what the probes counted; free some space in {}, or raise the "
    "greatest size of a file (ulimit -f) that the workload runs under"
)

BEYOND_SHOWN = 2

SHARES = {
    "seconds": "share",
    "repeat_seconds": "repeat_share",
    "waited": "waited_share",
    "beyond": "beyond_share",
    "pool_waited": "pool_waited_share",
}
"""Metrics in seconds, each with the name of what they are of the run."""

_COUNTS = ("hits", "repeats", "unknown")
IN_PARTS = ("timed", "called", "repeated", "by-row")
"""Probes whose sites, where a suspect has several, are parts of one operation: it ran as often as the part most run."""

COUNTABLE = ("timed", "called")
"""Probes that count executions and time them: of what they stand for, the count alone says something."""

Row = tuple[str, float, float, float, str, int]


class ProbesPass:
    """Runs the workload with its flagged files rewritten on import."""

    name = "probes"
    order = 10
    doing = "counting with probes"
    over_sizes = True
    if_open = False

    def wanted(self, questions: Sequence[Question], hits: Mapping[str, int] | None) -> bool:
        """If any suspect names a site."""
        return any(question.suspect.sites for question in questions)

    def measure(self, questions: Sequence[Question], session: Session) -> Outcome:
        """Run the workload once with probes.

        Raises:
            WorkloadError: its program cannot be found or started.
        """
        known = probe_files()
        sites = [site for site in _sites(questions, session.target) if site[0]["probe"] in known]
        settings = {
            "sites": [site for site, _ in sites],
            "modules": module_names({site["file"] for site, _ in sites}),
            "probes": {name: str(known[name]) for name in sorted({site["probe"] for site, _ in sites})},
            # audit itself may be run by a test
            "outer_test": os.environ.get("PYTEST_CURRENT_TEST"),
        }
        result = run_workload(session, child_environment("probes", session.scratch, settings))
        states = _states(session.scratch)
        beyond = _beyond(states)
        lost = _lost(session.scratch)
        processes = reached(session.scratch)
        gap = None if states or processes else (*lost, NOT_REACHED)[0]
        warnings = (*result.warnings, *([beyond] if beyond else ()), *lost, *copies_warning(states))
        run = PassRun(self.name, result.wall_s, result.exit_code, gap=gap, warnings=warnings)
        rows = _unknown(questions, session.workload.name)
        counted: dict[str, list[int]] = {}
        probes_of = {
            question.suspect.fingerprint: {site.probe for site in question.suspect.sites} for question in questions
        }
        lost_rows = tuple(Gap(self.name, session.workload.name, reason) for reason in lost)
        if OTHER_USER in lost:
            lost_rows = (*lost_rows, Gap("py-spy", session.workload.name, OTHER_USER))
        if gap is None:
            for (fingerprint, _probe), group in _groups(sites).items():
                found = _rows_of_calls(group, probes_of[fingerprint], states, session.workload.name) or _rows(
                    group, states, session.workload.name, (result.wall_s, session.plain_wall_s)
                )
                found = (*_reachable(found, beyond, session.workload.name), *lost_rows)
                rows[fingerprint] = (*rows.get(fingerprint, ()), *found)
                counted.setdefault(fingerprint, [site["id"] for site in group])
        tests = exercises(session.scratch, states, counted, session.workload.name)
        census = census_of(states, len(processes), session.target) if gap is None else None
        return Outcome(
            run=run,
            rows=rows,
            last_lines=result.last_lines,
            tests=tests,
            beyond=beyond,
            census=census,
            standstill=standstill_of(states),
            pythons=_pythons(processes),
        )


def _pythons(processes: Sequence[Reached]) -> tuple[str, ...]:
    versions = {tuple(map(int, one.version.split(".")[:2])) for one in processes}
    return tuple(".".join(map(str, version)) for version in sorted(versions))


def _lost(scratch: Path) -> tuple[str, ...]:
    """Why not all that the probes counted, or not all that they should have, was written down."""
    full = (DISK_FULL.format(tempfile.gettempdir()),) if any(scratch.glob("*.lost")) else ()
    switched = (OTHER_USER,) if any(scratch.glob(f"*{OTHER_USER_SUFFIX}")) else ()
    return (*full, *switched, *child_errors(scratch))


def _beyond(states: Sequence[dict[str, Any]]) -> str:
    """Which processes the workload started so that no probe could be planted in them; "" if none."""
    commands = sorted({command for state in states for command in state["beyond"]})
    if not commands:
        return ""
    return (
        "probes do not reach Python processes that the workload starts with options -E, -I or -S, as another user, or "
        f"in an environment without its own PYTHONPATH and {CONFIG_VARIABLE} ({'; '.join(commands[:BEYOND_SHOWN])}): "
        "what ran there was not counted; start them without"
    )


def _reachable(rows: tuple[Evidence | Gap, ...], beyond: str, workload: str) -> tuple[Evidence | Gap, ...]:
    """None counted is none at all only if the probes reached every process."""
    if beyond and not any(isinstance(row, Evidence) and row.metric == "hits" and row.value for row in rows):
        return (*(row for row in rows if isinstance(row, Gap)), Gap("probes", workload, beyond))
    return rows


def _unknown(questions: Sequence[Question], workload: str) -> dict[str, tuple[Evidence | Gap, ...]]:
    """A gap for each suspect of a rule that asks for what is no probe."""
    rows: dict[str, tuple[Evidence | Gap, ...]] = {}
    for suspect in (question.suspect for question in questions):
        names = sorted({site.probe for site in suspect.sites} - set(probe_files()))
        if names:
            reason = f"the rule {suspect.rule} asks for the probe {', '.join(names)}, which does not exist"
            rows[suspect.fingerprint] = (Gap("probes", workload, reason),)
    return rows


def _sites(questions: Sequence[Question], target: Path) -> Iterator[tuple[dict[str, Any], str]]:
    number = 0
    for question in questions:
        suspect = question.suspect
        for site in suspect.sites:
            number += 1
            function = suspect.function
            yield (
                {
                    "id": number,
                    "probe": site.probe,
                    "file": os.path.realpath(target / suspect.path),
                    "line": site.span.line,
                    "column": site.span.column,
                    "end_line": site.span.end_line,
                    "end_column": site.span.end_column,
                    "function": [function.line, function.end_line] if function else None,
                },
                suspect.fingerprint,
            )


def _states(scratch: Path) -> list[dict[str, Any]]:
    """What every process wrote down last."""
    states = []
    for file in sorted(scratch.glob("probes-*.json")):
        try:
            states.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return states


def _groups(sites: Sequence[tuple[dict[str, Any], str]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Sites of one suspect under one probe, which are counted together."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for site, fingerprint in sites:
        groups.setdefault((fingerprint, site["probe"]), []).append(site)
    return groups


def _rows(
    sites: Sequence[dict[str, Any]],
    states: Sequence[dict[str, Any]],
    workload: str,
    walls_s: tuple[float, float | None],
) -> tuple[Evidence | Gap, ...]:
    """`walls_s`: of this run and, if known, of the plain one, which the machine may have let run at another pace."""
    wall_s, plain_s = walls_s[0], walls_s[1] or walls_s[0]
    keys = [str(site["id"]) for site in sites]
    records = [state["records"][key] for state in states for key in keys if key in state["records"]]
    gaps = {state["failures"][key] for state in states for key in keys if key in state["failures"]}
    # code in which nothing could be planted has no probes either
    if not gaps and any(_ran_without_probes(state, sites) for state in states):
        gaps.add(NOT_PLANTED)
    found: list[Evidence | Gap] = [Gap("probes", workload, reason) for reason in sorted(gaps)]
    if any(state["orphaned"] for state in states if not state["records"].keys().isdisjoint(keys)):
        found.append(Gap("py-spy", workload, DETACHED))
    if not records:
        # the workload was reached, and never imported the file
        return tuple(found) or (_evidence(("hits", 0, 0, 0, "executions", 0), workload),)
    # what a killed process may have done after it wrote its records down for the last time
    unseen_s = sum(state["unseen_s"] for state in states if not state["records"].keys().isdisjoint(keys))
    for row in _told(sites[0]["probe"], keys, states, records):
        metric, value, low, high, unit, n = row
        if metric in SHARES:
            high += unseen_s
        found.append(_evidence((metric, value, low, high, unit, n), workload))
        if metric in SHARES:
            share = (
                SHARES[metric],
                value / wall_s,
                low / max(wall_s, plain_s),
                high / min(wall_s, plain_s),
                "ratio",
                n,
            )
            found.append(_evidence(share, workload))
    return tuple(found)


def _rows_of_calls(
    sites: Sequence[dict[str, Any]], probes: Collection[str], states: Sequence[dict[str, Any]], workload: str
) -> tuple[Evidence | Gap, ...]:
    """Executions of calls in code without probes, where nothing else of the suspect ran; else nothing."""
    keys = {str(site["id"]) for site in sites}
    seen = [state for state in states if keys & (state["records"].keys() | state["failures"].keys())]
    without = [state for state in states if _ran_without_probes(state, sites)]
    if (
        seen
        or not without
        or not set(probes) <= set(COUNTABLE)
        or any(keys - state["counted"].keys() for state in without)
    ):
        return ()
    hits = max(sum(state["counted"][key] for state in without) for key in keys)
    row = _evidence(("hits", hits, hits, hits, "executions", hits), workload)
    return (row, Gap("probes", workload, COUNTED)) if hits else ()


def _ran_without_probes(state: dict[str, Any], sites: Sequence[dict[str, Any]]) -> bool:
    lines = {(site["file"], line) for site in sites for line in range(site["line"], site["end_line"] + 1)}
    return sites[0]["file"] in state["unplanted"] or any((file, line) in lines for file, line in state["ran"])


def _told(
    probe: str, keys: Sequence[str], states: Sequence[dict[str, Any]], records: Sequence[dict[str, Any]]
) -> list[Row]:
    """What the probe says of all its sites together; of parts of one operation, how often the part most run ran."""
    rows = probe_module(probe).rows
    if probe not in IN_PARTS or len(keys) < 2:
        return list(rows(records))
    by_part = [
        list(rows([state["records"][key] for state in states if key in state["records"]]))
        for key in keys
        if any(key in state["records"] for state in states)
    ]
    most = max(by_part, key=lambda part: next((row[1] for row in part if row[0] == "hits"), 0.0))
    counted = [row for row in most if row[0] in _COUNTS]
    return [*counted, *(row for row in rows(records) if row[0] not in _COUNTS)]


def _evidence(row: tuple[str, float, float, float, str, int], workload: str) -> Evidence:
    metric, value, low, high, unit, n = row
    return Evidence(metric, value, low, high, unit, n, "probes", workload)


PASS: Pass = ProbesPass()
