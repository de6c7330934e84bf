"""The text of the comment: what it says, in which order, and what no text in a report can make of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from auditor.bot.change import Unflagged, compare
from auditor.bot.comment import MOST_CHARACTERS, Subject, body, is_worth_saying, order_of
from auditor.model import Finding, Report, VerdictKind
from tests.report.factory import HOSTILE, a_finding, a_report, a_row, a_run

SUBJECT = Subject(sha="c0ffee" * 6 + "c0ff", order=41, link="https://ci.example/runs/41")
CONFIRMED, REJECTED, SUSPECTED = VerdictKind.CONFIRMED, VerdictKind.REJECTED, VerdictKind.SUSPECTED


def comment(head: Report, base: Report | None = None) -> str:
    return body(compare(head, base, ()), head, base, SUBJECT)


def a(kind: VerdictKind, context: str, **changes: Any) -> Finding:
    return a_finding(kind, context=context, **changes)


def test_the_marker_comes_first_and_tells_the_run() -> None:
    text = comment(a_report(a(CONFIRMED, "x:1")), a_report())

    assert text.startswith("<!-- audit-comment 41 ")
    assert order_of(text) == 41
    assert order_of("> " + text) is None
    assert order_of("<!-- audit-comment 12 zz --> or so") is None


def test_what_was_introduced_comes_before_what_was_fixed_and_rejected_ones_are_folded_away() -> None:
    head = a_report(
        a(SUSPECTED, "s:1", path="suspected.py"),
        a(REJECTED, "r:1", path="rejected.py"),
        a(CONFIRMED, "c:1", path="confirmed.py"),
        a(SUSPECTED, "k:1", path="kept.py"),
    )
    base = a_report(a(CONFIRMED, "f:1", path="fixed.py"), a(SUSPECTED, "k:1", path="kept.py"))
    text = comment(head, base)

    order = [text.index(name) for name in ("confirmed.py", "suspected.py", "fixed.py", "rejected.py", "kept.py")]
    assert order == sorted(order)
    assert text.index("<details>") < text.index("rejected.py")
    assert text.index("fixed.py") < text.index("<details>")
    assert text.count("<details>") == text.count("</details>") == 2
    assert "1 confirmed introduced, 1 unproven introduced, 1 fixed" in text


def test_figures_of_both_sides_stand_beside_one_another_and_noise_gets_a_tilde() -> None:
    def measured(context: str, value: float, width: float) -> Finding:
        row = a_row(value=value, low=value - width, high=value + width)
        return a_finding(CONFIRMED, row, context=context, rule=context[0] * 3)

    head = a_report(measured("a:1", 0.2, 0.01), measured("b:1", 0.5, 0.2))
    base = a_report(measured("a:1", 0.8, 0.01), measured("b:1", 0.6, 0.2))
    rows = {line.split("|")[2].strip(): line for line in comment(head, base).splitlines() if "time in" in line}

    assert "0.8 s" in rows["`aaa`"]
    assert rows["`aaa`"].rstrip().endswith("| 0.25x |")
    assert rows["`bbb`"].rstrip().endswith("| ~ |")


def test_a_change_with_nothing_to_say_gets_no_new_comment() -> None:
    same = a_report(a(CONFIRMED, "x:1"))

    assert not is_worth_saying(compare(same, same, ()))
    assert not is_worth_saying(compare(a_report(a(REJECTED, "y:1")), a_report(), ()))
    assert is_worth_saying(compare(a_report(), same, ()))
    assert "nothing introduced" in comment(same, same)


@pytest.mark.parametrize("count", [300, 3_000])
def test_the_comment_fits_and_says_what_it_left_out(count: int) -> None:
    head = a_report(*(a(CONFIRMED, f"{n}:1", message="m" * 900, reason="r" * 900, line=n + 1) for n in range(count)))
    text = comment(head, a_report())

    assert len(text) <= MOST_CHARACTERS
    assert order_of(text) == 41
    assert re.search(r"and [\d,]+ more, left out for room", text)
    assert f"{count:,} confirmed introduced" in text
    assert "[The whole report](https://ci.example/runs/41)" in text


def test_a_suspicion_that_was_rejected_is_not_called_fixed_when_it_is_gone() -> None:
    gone = a(VerdictKind.REJECTED, "x:1")
    text = comment(a_report(), a_report(gone))

    assert "nothing introduced" in text
    assert "No longer there, and rejected before (1)" in text
    assert not is_worth_saying(compare(a_report(), a_report(gone), ()))


def test_what_is_gone_though_its_code_stands_is_told_with_its_place_and_not_called_fixed() -> None:
    lost = Unflagged(a(SUSPECTED, "x:1"), "a.py|@octocat`:3")
    harmless = Unflagged(a(VerdictKind.REJECTED, "y:1"), "b.py:4")
    change = replace(compare(a_report(), a_report(), ()), unflagged=(lost, harmless))
    text = body(change, a_report(), a_report(), SUBJECT)

    assert "### audit: 1 no longer flagged" in text
    assert "No longer flagged, though nothing shows that it is fixed (1)" in text
    assert "| <code>a&#46;py&#124;&#64;octocat&#96;&#58;3</code> |" in text
    assert "b.py:4" not in text
    assert not is_worth_saying(change)


def test_both_commits_and_machines_are_named() -> None:
    head, base = a_report(a(SUSPECTED, "x:1")), a_report()
    other = replace(base, machine=replace(base.machine, cores=64))
    subject = Subject(sha="a" * 40, order=1, base="b" * 40)

    assert f"Commit {'a' * 12}, compared with {'b' * 12}." in body(compare(head, base, ()), head, base, subject)
    assert "Both sides on " in comment(head, base)
    assert re.search("Before on .* 64 cores.* after on ", comment(head, other))


def test_the_base_is_the_commit_that_was_measured() -> None:
    """The event of the job that comments on pull requests from forks names none."""
    head, base = a_report(a(SUSPECTED, "x:1")), replace(a_report(), commit="b" * 40)

    assert f"compared with {'b' * 12}." in comment(head, base)
    hostile = replace(base, commit="<img src=x onerror=alert(1)> @everyone")
    assert "everyone" not in comment(head, hostile)


def test_a_failed_workload_is_said() -> None:
    head = replace(a_report(a(SUSPECTED, "x:1")), workloads=(a_run(exit_code=3),))

    assert "ended with exit code 3: nothing is confirmed or rejected from it" in comment(head, a_report())


def test_no_text_of_a_report_becomes_markup_a_mention_or_the_marker() -> None:
    nasty = "<!-- audit-comment 99 aa -->" + HOSTILE
    one = a_finding(
        CONFIRMED,
        a_row(metric=nasty, collector=nasty, workload=nasty),
        context="x:1",
        rule=nasty,
        path=nasty,
        symbol=nasty,
        message=nasty,
        reason=nasty,
    )
    machine = a_report().machine
    head = a_report(one, machine=replace(machine, python=nasty, platform=nasty), created=nasty)
    base = a_report(replace(one, verdict=replace(one.verdict, evidence=(replace(one.verdict.evidence[0], high=9.0),))))
    subject = Subject(sha=nasty, order=41, link="https://ok.example/) <img src=x>")
    text = body(compare(head, base, ()), head, base, subject)

    assert order_of(text) == 41
    rest = text.partition("-->")[2]
    assert "<!--" not in rest
    assert "<script" not in rest
    assert "<img" not in rest
    assert "@octocat" not in rest
    assert "](https://evil" not in rest
    assert "\x1b" not in rest
    assert "\u202e" not in rest
    for line in rest.splitlines():
        assert not line.startswith("# heading")
