"""A report from a stranger's hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.bot import artifact
from auditor.bot.artifact import load_report
from auditor.errors import ReportError
from auditor.model import VerdictKind
from auditor.report.saved import to_json
from tests.report.factory import a_finding, a_report, a_row


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "report.json"
    file.write_text(text)
    return file


def test_findings_that_point_outside_the_repository_are_dropped(tmp_path: Path) -> None:
    paths = ("ok.py", "/etc/passwd", "../up.py", "a/../../b.py", "")
    report = a_report(*(a_finding(VerdictKind.CONFIRMED, path=path) for path in paths))

    assert [one.suspect.path for one in load_report(written(tmp_path, to_json(report))).findings] == ["ok.py"]


@pytest.mark.parametrize("line", [0, -3, 10**30])
def test_findings_on_lines_that_no_file_has_are_dropped(tmp_path: Path, line: int) -> None:
    report = a_report(a_finding(VerdictKind.CONFIRMED, line=line), a_finding(VerdictKind.CONFIRMED, line=7))

    assert [one.suspect.span.line for one in load_report(written(tmp_path, to_json(report))).findings] == [7]


def test_a_complaint_is_one_line_whatever_the_report_holds(tmp_path: Path) -> None:
    """A line that starts with `::` is a command to the runner of a job."""
    report = json.loads(to_json(a_report()))
    report["machine"]["versions"] = {"\n::error::take this": 3}
    with pytest.raises(ReportError) as caught:
        load_report(written(tmp_path, json.dumps(report)))

    assert "\n" not in str(caught.value)


def test_overlong_texts_are_cut(tmp_path: Path) -> None:
    report = a_report(a_finding(VerdictKind.CONFIRMED, message="m" * 10**6, reason="r" * 10**6))
    (one,) = load_report(written(tmp_path, to_json(report))).findings

    assert len(one.suspect.message) < 10_000
    assert len(one.verdict.reason) < 10_000


def test_no_text_is_so_long_that_it_takes_minutes_to_escape(tmp_path: Path) -> None:
    long = "`" * 10**6
    report = a_report(a_finding(VerdictKind.CONFIRMED, a_row(metric=long, workload=long), rule=long), target=long)
    (one,) = load_report(written(tmp_path, to_json(report))).findings

    assert len(one.suspect.rule) < 1_000
    assert len(one.verdict.evidence[0].metric) <= 100_000


def test_a_complaint_does_not_quote_a_key_of_any_length(tmp_path: Path) -> None:
    report = json.loads(to_json(a_report()))
    report["machine"]["versions"] = {"k" * 10**6: 3}
    with pytest.raises(ReportError) as caught:
        load_report(written(tmp_path, json.dumps(report)))

    assert len(str(caught.value)) < 1_000


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "MOST_BYTES", 100)
    with pytest.raises(ReportError, match="has at most 100"):
        load_report(written(tmp_path, to_json(a_report())))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(written(tmp_path, to_json(a_report())))
    with pytest.raises(ReportError, match="not a regular file"):
        load_report(link)


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"schema_version": 99}', '"\\ud800"', "nul\0"])
def test_whatever_is_no_report_is_refused_with_a_reason(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReportError):
        load_report(written(tmp_path, text))
