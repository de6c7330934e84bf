"""The terminal: what to act on first, at any width, with nothing quoted taken for markup."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from auditor.model import Report, Skip, VerdictKind
from auditor.report.reporters.terminal import print_report, render
from auditor.report.sheet import Coloured, Plain, sheet

from .factory import a_finding, a_hostile_report, a_realistic_report, a_report, a_row, a_run


def printed(report: Report, width: int = 80, *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system="truecolor" if colour else None, force_terminal=colour)
    print_report(report, Coloured(console))
    return out.getvalue()


def test_confirmed_findings_stand_before_all_others() -> None:
    text = render(a_realistic_report())
    order = ["P0  ", "P1  ", "P2  ", "Inconclusive (1)", "Rejected by measurement (24)", "Skipped (2)", "Start with"]
    places = [text.index(mark) for mark in order]
    assert places == sorted(places)


def test_a_confirmed_finding_has_place_reason_gain_and_effort() -> None:
    text = render(a_realistic_report())
    assert "P1  shop/orders.py:42:12  json-deepcopy\n" in text
    assert "    0.54 s in 2,000 executions, 27 % of the run" in text
    assert "    gain: 1.35x to 1.39x if it cost nothing, effort: low (complexity 3)\n" in text


def test_a_gain_that_no_measurement_bounds_is_not_invented() -> None:
    assert "gain: not bounded by a measurement\n" in render(a_report(a_finding()))


def test_an_inconclusive_finding_gives_its_reason_in_full() -> None:
    report = a_realistic_report()
    (reason,) = {one.verdict.reason for one in report.findings if one.verdict.kind is VerdictKind.INCONCLUSIVE}

    assert reason in " ".join(render(report).split())


@pytest.mark.parametrize("width", [40, 80, 120])
def test_paragraphs_keep_within_the_width_and_places_stay_whole(width: int) -> None:
    report = a_realistic_report()
    text = printed(report, width)
    places = [f"{one.suspect.path}:{one.suspect.span.line}:12" for one in report.findings if one.priority]
    assert all(place in text for place in places)
    long = [line for line in text.splitlines() if len(line) > width]
    assert all(re.search(r"\.py:\d+:\d+|^audit ", line) for line in long)
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_a_rejected_suspect_takes_two_lines_where_one_would_hide_its_figures() -> None:
    text = printed(a_realistic_report(), 80)
    section = text.split("Rejected by measurement (24)\n")[1].split("\n\n")[0].splitlines()

    assert section[2] == "  display-in-function  shop/views/page_0.py:21:12"
    assert " ".join(line.strip() for line in section[3:5]) == (
        "0.2 ms in 21 executions, under 0.1 % of the run: too little to be worth a change."
    )


@pytest.mark.parametrize("width", [100, 120])
def test_a_rejected_suspect_takes_one_line(width: int) -> None:
    text = printed(a_realistic_report(), width)
    section = text.split("Rejected by measurement (24)\n")[1].split("\n\n")[0].splitlines()
    assert len(section) == 21
    assert section[0].startswith("  dangling-task        shop/notify.py:140:12  120 tasks were created")
    assert section[-1] == "  and 4 more: `--format html` has them all"
    assert max(map(len, section)) <= width


def test_without_colour_there_is_no_escape_sequence_and_with_colour_the_words_are_the_same() -> None:
    plain = printed(a_realistic_report())
    coloured = printed(a_realistic_report(), colour=True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_hostile_text_is_neither_markup_nor_control() -> None:
    text = render(a_hostile_report())
    assert "[bold red]rich[/]" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\udc80-\udcff]", text)


def test_a_failing_workload_shows_its_last_lines_and_a_good_one_does_not() -> None:
    failed = a_run(exit_code=1, last_lines=("ModuleNotFoundError: no module",))
    assert "    | ModuleNotFoundError: no module\n" in render(a_report(workloads=(failed,)))
    fine = a_run(last_lines=("done",))
    assert "| done" not in render(a_report(workloads=(fine,)))


def test_a_pass_that_delivered_nothing_is_named() -> None:
    assert "warning: memray: memray does not run on this platform\n" in render(a_report())


def test_suspects_are_listed_when_nothing_was_measured() -> None:
    text = render(a_report(*(a_finding(VerdictKind.SUSPECTED, line=line) for line in range(1, 61)), workloads=()))
    assert all(f"  shop/orders.py:{line}:12  json-deepcopy\n" in text for line in range(1, 61))
    assert "60 suspected" in text


def test_reasons_why_nothing_could_be_measured_are_counted() -> None:
    gaps = [a_finding(VerdictKind.NOT_MEASURABLE, line=line, reason="timed out") for line in (1, 2)]
    text = render(a_report(*gaps, a_finding(VerdictKind.NOT_MEASURABLE, reason="crashed")))
    assert "  2 suspects: timed out\n  1 suspect: crashed\n" in text


def test_at_most_ten_skipped_files_are_listed() -> None:
    text = render(a_report(skipped=tuple(Skip(f"f{n:02}.py", "too large") for n in range(12))))
    assert text.count("too large") == 10
    assert "and 2 more" in text
    assert "12 skipped" in text


def test_the_closing_lines_count_and_lead_on() -> None:
    lines = printed(a_realistic_report(), 120).splitlines()[-2:]
    assert lines[0] == "3 confirmed, 1 inconclusive, 24 rejected, 1 not exercised, 1 not measurable, 2 skipped"
    assert lines[1] == "`audit explain list-membership` for the rule, `--format html` for the whole report"


def test_an_interrupted_audit_says_so_at_the_top_and_at_the_end() -> None:
    text = render(a_report(a_finding(VerdictKind.REJECTED, a_row()), interrupted=True))
    assert text.splitlines()[1:7].count("Interrupted: what follows is incomplete.") == 1
    assert "The audit was interrupted" in text.split("Rejected")[1]


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("make", [a_realistic_report, a_hostile_report])
def test_a_pipe_gets_the_same_words_as_a_terminal(make: Callable[[], Report], width: int) -> None:
    out = io.StringIO()
    print_report(make(), Plain(out, width))
    assert out.getvalue() == printed(make(), width)


words = st.text(st.sampled_from("ab.\u00e9\u2026\u65e5\U0001f600"), min_size=1, max_size=50)
texts = st.lists(words | st.sampled_from((" ", "  ")), max_size=12).map(" ".join)


@given(texts, st.integers(0, 30), st.integers(20, 40))
def test_a_paragraph_breaks_where_rich_breaks_it(text: str, columns: int, width: int) -> None:
    plain, drawn = io.StringIO(), io.StringIO()
    Plain(plain, width).paragraph(columns, (text, "bold"))
    Coloured(Console(file=drawn, width=width, color_system=None)).paragraph(columns, (text, "bold"))
    assert plain.getvalue() == drawn.getvalue()


def test_colours_can_be_forced_and_width_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    monkeypatch.setenv("COLUMNS", "33")
    assert isinstance(sheet(io.StringIO()), Plain)
    assert sheet(io.StringIO()).width == Console(file=io.StringIO()).width == 33
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(sheet(io.StringIO()), Coloured)
    assert sheet(io.StringIO()).width == 33


def test_thousands_of_paths_are_not_all_named() -> None:
    report = replace(a_report(), target=" ".join(f"shop/m{n}.py" for n in range(5000)))

    assert len(printed(report, 80).splitlines()[0]) < 300
