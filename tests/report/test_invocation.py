"""What stands in a report for the paths that an audit was given."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from auditor.report import reporters
from auditor.report.invocation import invocation

from .factory import a_report

PATHS = [f"shop/a module {n}.py" for n in range(300)]


def given(paths: list[str], *options: str) -> tuple[str, str]:
    return " ".join(paths), shlex.join(["audit", "--static", "--diff", "HEAD", *paths, *options])


def test_a_short_command_is_shown_whole() -> None:
    report = a_report()

    assert (invocation(report).target, invocation(report).command) == (report.target, report.command)


@pytest.mark.parametrize("options", [(), ("--run", "python bench.py " + "--size 1 " * 50)])
def test_of_hundreds_of_paths_some_are_shown_and_the_others_counted(options: tuple[str, ...]) -> None:
    target, command = given(PATHS, *options)
    shown = invocation(replace(a_report(), target=target, command=command))

    assert shown.target == "shop/a module 0.py shop/a module 1.py shop/a module 2.py and 297 more"
    assert shown.left_out == 297
    before, _, after = shown.command.partition(" …")
    assert shlex.split(before) == ["audit", "--static", "--diff", "HEAD", *PATHS[:3]]
    assert shlex.split(after) == list(options)


@pytest.mark.parametrize("command", ["audit 'unbalanced " + "x" * 400, "audit " + "y " * 400])
def test_a_command_that_is_not_understood_is_shown_whole(command: str) -> None:
    assert invocation(replace(a_report(), command=command)).command == command


def test_html_and_json_name_all_paths_and_markdown_says_where_they_are() -> None:
    target, command = given(PATHS)
    report = replace(a_report(), target=target, command=command)
    pages = {name: reporters()[name].render(report) for name in ("html", "json", "markdown")}

    assert {name: page.count("a module 299.py") for name, page in pages.items()} == {
        "html": 1,
        "json": 2,
        "markdown": 0,
    }
    assert "297 more paths" in pages["markdown"]
