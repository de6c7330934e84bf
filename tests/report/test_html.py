"""HTML: one page, complete, that nothing quoted in it can break out of."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from auditor.model import Report, VerdictKind
from auditor.report.printable import printable
from auditor.report.reporters.html import render

from .factory import HOSTILE, a_finding, a_hostile_report, a_realistic_report, a_report

VOID = {"meta", "br", "hr", "img", "input", "link"}
CSS = (Path(__file__).parents[2] / "templates" / "summary.css").read_text(encoding="utf-8")


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on a tag that is closed out of order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, name: str) -> list[str]:
        return [value for one, attribute, value in self.attributes if (one, attribute) == (tag, name)]


REPORTS = [a_realistic_report(), a_hostile_report(), a_report(), a_report(workloads=())]


@pytest.mark.parametrize("report", REPORTS)
def test_the_page_is_well_formed_and_asks_for_nothing_from_elsewhere(report: Report) -> None:
    page = Page(render(report))
    assert not {"script", "img", "link", "iframe", "form", "object"} & set(page.tags)
    assert {name for _, name, _ in page.attributes} <= {
        "lang", "charset", "name", "content", "http-equiv", "class", "id", "href", "aria-label", "aria-labelledby",
        "role", "scope", "tabindex",
    }  # fmt: skip
    assert all(target.startswith("#") for target in page.all("a", "href"))
    assert "url(" not in CSS
    assert "@import" not in CSS


@pytest.mark.parametrize("report", REPORTS)
def test_every_link_and_label_has_its_target(report: Report) -> None:
    page = Page(render(report))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [target[1:] for target in page.all("a", "href")]
    labels = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert set(targets) | set(labels) <= set(ids)


@pytest.mark.parametrize("report", REPORTS)
def test_headings_skip_no_level_and_header_cells_say_what_they_head(report: Report) -> None:
    page = Page(render(report))
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.tags.count("th") == len(page.all("th", "scope"))


def test_hostile_text_adds_no_tag_and_is_shown_as_it_is() -> None:
    page = Page(render(a_hostile_report()))
    assert "<script>alert('x')</script>" in page.text
    assert printable(HOSTILE) in page.text
    assert "\u202e" not in page.text
    assert "{{ 7*7 }}" in page.text


def test_the_page_forbids_scripts_and_requests() -> None:
    page = Page(render(a_report()))
    assert "default-src 'none'; style-src 'unsafe-inline'" in page.all("meta", "content")


def test_the_page_suits_phones_dark_rooms_and_paper() -> None:
    assert "width=device-width, initial-scale=1" in Page(render(a_report())).all("meta", "content")
    assert "@media (prefers-color-scheme: dark)" in CSS
    assert "@media print" in CSS


def test_long_lists_are_complete() -> None:
    page = Page(render(a_report(*(a_finding(VerdictKind.REJECTED, line=line) for line in range(1, 101)))))
    assert all(f"shop/orders.py:{line}:12" in page.text for line in range(1, 101))


def test_the_excerpt_of_a_rejected_suspect_is_folded_away() -> None:
    finding = a_finding(VerdictKind.REJECTED, excerpt=((42, "x = 1"),))
    assert Page(render(a_report(finding))).tags.count("details") == 1
    assert Page(render(a_report(a_finding(excerpt=((42, "x = 1"),))))).tags.count("details") == 0


def test_the_flagged_line_is_marked_by_more_than_colour() -> None:
    text = render(a_realistic_report())
    code = "        return Cart(json.loads(json.dumps(self.items)))"
    assert f'<mark class="row"><span class="gutter">&gt; 42</span>{code}</mark>' in text


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [0, 1], ids=["light", "dark"])
def test_every_text_colour_can_be_read_on_every_background(palette: int) -> None:
    block = CSS.split(":root {")[1 + palette].split("}")[0]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
    for ink in ("ink", "soft", "link", "p0", "p1", "p2", "p3"):
        for ground in ("page", "panel"):
            high, low = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{ink} on {ground}"


def test_the_confirmed_come_first_as_a_table_that_leads_to_their_details() -> None:
    found = [a_finding(VerdictKind.CONFIRMED, path=f"m{n}.py", context=f"{n}:1") for n in range(12)]
    text = render(a_report(*found))
    table = text.partition('<h2 id="act">')[2].partition("</table>")[0]

    assert re.findall(r'href="#(finding-\d+)"', table) == [f"finding-{n}" for n in range(1, 11)]
    assert "and 2 more" in text
    assert 'id="act"' not in render(a_report())
