"""What other tools are given: valid by their own schemas, whatever the report holds, and within their limits."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import jsonschema
import junitparser
import pytest
import xmlschema

from auditor.model import Edit, Fix, Priority, Report, Span, VerdictKind
from auditor.report import links, reporters
from auditor.report.restored import from_json
from auditor.report.saved import to_json

from .factory import HOSTILE, a_finding, a_hostile_report, a_memory, a_realistic_report, a_report, a_row, a_run

DATA = Path(__file__).parents[1] / "data"
SCHEMAS = {
    "sarif": "sarif-2.1.0.schema.json",
    "codescanning": "sarif-2.1.0.schema.json",
    "rdjson": "rdjson.schema.json",
    "gitlab": "codequality.schema.json",
}
LONG = "x" * 100_000
BYTES_NAME = "na\udcffme/\udce9t\xe9 #1?%.py"


def a_nasty_report() -> Report:
    return a_report(
        a_finding(path=BYTES_NAME, message=LONG, reason=f"{LONG}\n::error::injected", rule="list-pop-front"),
        a_finding(path="a:b,c%d\n::error::x.py", message="one\r\ntwo %0A three", priority=Priority.P0),
        a_finding(VerdictKind.REJECTED, a_row(), path="a]]>b.py", reason="<![CDATA[ ]]> & \ufffe \x00"),
        a_finding(path="book.ipynb", cell=3, line=5, excerpt=((5, "x"),)),
        prefix="pack ages/\u00e4",
    )


REPORTS = {
    "realistic": a_realistic_report(),
    "hostile": a_hostile_report(),
    "nasty": a_nasty_report(),
    "empty": a_report(),
    "static": a_report(a_finding(VerdictKind.SUSPECTED), workloads=()),
    "failed": a_report(workloads=(a_run(exit_code=None, last_lines=("\x1b[31mno\x00",)),), interrupted=True),
}


def rendered(name: str, report: Report) -> Any:
    return json.loads(reporters()[name].render(report))


def results(report: Report, name: str = "sarif") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rendered(name, report)["runs"][0]["results"]
    return found


@pytest.mark.parametrize("name", ["github", "gitlab", "rdjson", "junit", "sarif"])
def test_what_earlier_measurements_said_is_told_where_nothing_was_measured(name: str) -> None:
    memory = a_memory(VerdictKind.CONFIRMED, reason="1.1 s of 1.3 s")
    report = a_report(a_finding(VerdictKind.SUSPECTED, remembered=(memory,)), workloads=())
    text = reporters()[name].render(report)
    assert "Remembered: Confirmed on " in text
    assert "1.1 s of 1.3 s" in text


def complaints(document: Any, schema_file: str) -> list[str]:
    """What a published schema finds wrong with a document."""
    schema = json.loads((DATA / schema_file).read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_json_is_valid_by_the_consumers_schema(name: str, report: Report) -> None:
    assert complaints(rendered(name, report), SCHEMAS[name]) == []


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_rdjson_is_valid_by_what_reviewdog_publishes(report: Report) -> None:
    assert complaints(rendered("rdjson", report), "rdjson.published.schema.json") == []


@pytest.mark.parametrize("name", [*SCHEMAS, "github", "junit"])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_nothing_without_a_shape_reaches_another_tool(name: str, report: Report) -> None:
    text = reporters()[name].render(report)
    spoken = json.dumps(json.loads(text), ensure_ascii=False) if name in SCHEMAS else text

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff\ufffe]", spoken)


def test_a_saved_report_tells_other_tools_the_same() -> None:
    report = a_nasty_report()
    again = from_json(to_json(report), "r.json")

    for name in (*SCHEMAS, "github", "junit"):
        assert reporters()[name].render(again) == reporters()[name].render(report)


class TestSarif:
    def test_only_a_confirmed_finding_fails_and_its_level_is_its_priority(self) -> None:
        levels = {Priority.P0: "error", Priority.P1: "error", Priority.P2: "warning", Priority.P3: "note"}
        report = a_report(*(a_finding(priority=priority, line=9) for priority in levels))

        assert [(one["kind"], one["level"]) for one in results(report)] == [("fail", said) for said in levels.values()]
        assert [one["rank"] for one in results(report)] == sorted(
            (one["rank"] for one in results(report)), reverse=True
        )

    @pytest.mark.parametrize("kind", [kind for kind in VerdictKind if kind is not VerdictKind.CONFIRMED])
    def test_a_finding_of_any_other_verdict_has_no_level(self, kind: VerdictKind) -> None:
        (one,) = results(a_report(a_finding(kind)))

        # 3.27.10: "If kind has any value other than "fail" [...] level [...] SHALL have the value "none""
        assert one["level"] == "none"
        assert one["kind"] == {"rejected": "pass", "suspected": "review"}.get(kind.value, "open")
        assert ("suppressions" in one) == (kind is VerdictKind.REJECTED)

    def test_a_rejected_finding_is_suppressed_for_the_reason_that_was_measured(self) -> None:
        (one,) = results(a_report(a_finding(VerdictKind.REJECTED, reason="0.1 ms in 3 executions")))

        assert one["suppressions"] == [
            {"kind": "external", "status": "accepted", "justification": "0.1 ms in 3 executions"}
        ]

    def test_evidence_is_data_and_a_flow_of_places(self) -> None:
        row = a_row("seconds", 0.54, low=0.52, high=0.56, threshold=0.05)
        (one,) = results(a_report(a_finding(VerdictKind.CONFIRMED, row, complexity=3, function=Span(40, 1, 50, 1))))

        assert one["properties"]["evidence"][0]["value"] == 0.54
        texts = [related["message"]["text"] for related in one["relatedLocations"]]
        assert texts[0] == "in Cart.copy, of cyclomatic complexity 3"
        assert "0.54 s" in texts[1]
        assert "0.52 to 0.56 s" in texts[1]
        assert "50 ms" in texts[1]
        assert [related["id"] for related in one["relatedLocations"]] == [1, 2]

    def test_paths_are_uris_from_the_repository_on_that_keep_the_bytes(self) -> None:
        one = next(one for one in results(a_nasty_report()) if one["ruleId"] == "list-pop-front")
        uri = one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

        assert unquote_to_bytes(uri) == b"pack ages/\xc3\xa4/na\xffme/\xe9t\xc3\xa9 #1?%.py"
        assert re.fullmatch(r"[A-Za-z0-9/_.~%-]+", uri)

    def test_a_rule_that_is_known_brings_its_page(self) -> None:
        (run,) = rendered("sarif", a_nasty_report())["runs"]
        rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}

        assert "## How to fix" in rules["list-pop-front"]["help"]["markdown"]
        assert {one["ruleId"] for one in run["results"]} == set(rules)
        assert all(len(rule["properties"]["tags"]) <= 10 for rule in rules.values())
        # what GitHub's ingestion refuses to do without (GH2012 of the SARIF Multitool)
        for rule in rules.values():
            assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))

    def test_the_fingerprint_is_that_of_the_place_not_of_the_line(self) -> None:
        here, there = (a_finding(line=line, context="0123456789abcdef:1") for line in (5, 50))

        first, second = (results(a_report(one))[0]["partialFingerprints"] for one in (here, there))
        assert first["primaryLocationLineHash"] == second["primaryLocationLineHash"] == "0123456789abcdef:1"

    def test_a_fix_says_whether_it_is_safe(self) -> None:
        fix = Fix(False, "", (Edit(Span(42, 12, 42, 48), "copy(self.items)"),))
        report = a_report(a_finding(fix=fix))

        (said,) = results(report)[0]["fixes"]
        assert said["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == "copy(self.items)"
        assert "may change the meaning" in said["description"]["text"]
        jsonschema.validate(rendered("sarif", report), json.loads((DATA / SCHEMAS["sarif"]).read_text()))

    def test_code_scanning_gets_no_result_that_is_not_a_problem(self) -> None:
        report = a_realistic_report()
        found = results(report, "codescanning")

        rejected = sum(finding.verdict.kind is VerdictKind.REJECTED for finding in report.findings)
        assert len(found) == len(report.findings) - rejected
        assert all("kind" not in one and one["level"] != "none" and "suppressions" not in one for one in found)


class TestManyFindings:
    @pytest.fixture
    def many(self) -> Report:
        kinds = (VerdictKind.SUSPECTED, VerdictKind.CONFIRMED, VerdictKind.REJECTED)
        findings = [
            a_finding(
                kinds[number % 3],
                a_row(value=number),
                line=number + 1,
                path=f"p{number % 97}/m.py",
                fingerprint=f"{number}",
            )
            for number in range(30_000)
        ]
        worst = a_finding(VerdictKind.CONFIRMED, priority=Priority.P0, path="worst.py", fingerprint="worst")
        return a_report(*findings, worst)

    def test_sarif_keeps_what_github_takes_and_says_what_is_missing(self, many: Report) -> None:
        text = reporters()["sarif"].render(many)
        (run,) = json.loads(text)["runs"]

        assert len(gzip.compress(text.encode(), 6)) < 10 * 10**6
        assert len(run["results"]) <= 25_000
        assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "worst.py"
        left = re.match(
            r"([\d,]+) results left out", run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
        )
        assert left is not None
        assert int(left[1].replace(",", "")) + len(run["results"]) == 30_001

    def test_long_results_are_cut_by_their_size(self) -> None:
        import random

        noise = random.Random(7)
        findings = [
            a_finding(message="".join(noise.choices("abcdefghijklmnopqrstuvwxyz", k=3900)), fingerprint=str(number))
            for number in range(6000)
        ]
        text = reporters()["codescanning"].render(a_report(*findings))

        assert len(gzip.compress(text.encode(), 1)) < 10 * 10**6
        assert "left out" in text

    def test_github_gets_ten_of_each_kind_and_a_count_of_the_rest(self, many: Report) -> None:
        lines = reporters()["github"].render(many).splitlines()

        assert lines[0].startswith("::error title=json-deepcopy%3A confirmed%2C P0,file=worst.py,")
        assert sum(line.startswith("::error") for line in lines) == 1
        assert sum(line.startswith("::warning") for line in lines) == 10
        assert sum(line.startswith("::notice") for line in lines) == 10
        assert "audit: 9,990 further warnings not annotated: GitHub shows 10 a step" in lines
        assert "audit: 9,990 further notices not annotated: GitHub shows 10 a step" in lines

    @pytest.mark.parametrize("name", ["gitlab", "rdjson", "junit"])
    def test_the_others_get_all_of_them(self, many: Report, name: str) -> None:
        text = reporters()[name].render(many)

        assert text.count("worst.py") >= 1
        least = {"gitlab": "check_name", "rdjson": '"message"', "junit": "<testcase "}[name]
        assert text.count(least) == {"gitlab": 20_001, "rdjson": 20_001, "junit": 30_002}[name]


class TestGitHub:
    def test_each_command_is_one_line_whatever_stands_in_it(self) -> None:
        for report in REPORTS.values():
            for line in reporters()["github"].render(report).splitlines():
                assert re.match(r"::(error|warning|notice) title=|audit: ", line), line

    def test_properties_and_data_are_escaped_as_the_runner_undoes_it(self) -> None:
        text = reporters()["github"].render(a_nasty_report())
        command = next(line for line in text.splitlines() if line.startswith("::error "))
        properties, data = re.match(r"::error (.*?)::(.*)", command).groups()  # type: ignore[union-attr]
        given = dict(one.split("=", 1) for one in properties.split(","))

        # https://github.com/actions/runner, ActionCommand.cs: the same replacements, the other way round
        def undone(value: str) -> str:
            for escaped, plain in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
                value = value.replace(escaped, plain)
            return value

        assert undone(given["file"]) == "pack ages/\u00e4/a:b,c%d\\n::error::x.py"
        assert undone(given["title"]) == "json-deepcopy: confirmed, P0"
        assert undone(data).splitlines()[0] == "one\\r\\ntwo %0A three"

    def test_columns_are_left_out_where_several_lines_are_flagged(self) -> None:
        text = reporters()["github"].render(a_report(a_finding(span=Span(3, 5, 9, 2))))

        assert "line=3,endLine=9::" in text
        assert "col=" not in text


class TestGitLab:
    def test_severities_are_by_verdict_and_priority(self) -> None:
        ranked = [a_finding(priority=priority, fingerprint=str(priority)) for priority in Priority]
        report = a_report(*ranked, a_finding(VerdictKind.SUSPECTED), a_finding(VerdictKind.REJECTED))

        said = [issue["severity"] for issue in rendered("gitlab", report)]
        assert said == ["blocker", "critical", "major", "minor", "info"]

    def test_the_fingerprint_is_the_same_from_any_directory(self) -> None:
        whole = a_report(a_finding(path="src/m.py", context="ab:1", fingerprint="x"))
        part = a_report(a_finding(path="m.py", context="ab:1", fingerprint="y", line=77), prefix="src")

        (first,), (second,) = rendered("gitlab", whole), rendered("gitlab", part)
        assert first["fingerprint"] == second["fingerprint"]
        assert first["location"]["path"] == second["location"]["path"] == "src/m.py"


class TestReviewdog:
    def test_columns_count_bytes(self) -> None:
        finding = a_finding(span=Span(4, 6, 4, 9), excerpt=((4, "\u00e4\u20ac = f\U00010330(x)"),))

        ((one,)) = rendered("rdjson", a_report(finding))["diagnostics"]
        assert one["location"]["range"] == {"start": {"line": 4, "column": 9}, "end": {"line": 4, "column": 15}}

    def test_lines_are_flagged_whole_where_their_text_is_not_known(self) -> None:
        ((one,)) = rendered("rdjson", a_report(a_finding(span=Span(4, 6, 5, 9))))["diagnostics"]

        assert one["location"]["range"] == {"start": {"line": 4}, "end": {"line": 5}}

    def test_a_safe_fix_is_a_suggestion_and_another_is_not(self) -> None:
        edits = (Edit(Span(4, 1, 4, 3), "ä"), Edit(Span(5, 1, 5, 1), "import x\n"))
        lines = ((4, "€ = 1"), (5, "y"))
        fixed = [a_finding(span=Span(4, 1, 4, 2), excerpt=lines, fix=Fix(safe, "", edits)) for safe in (True, False)]

        safe, unsafe = rendered("rdjson", a_report(*fixed))["diagnostics"]
        assert "suggestions" not in unsafe
        assert safe["suggestions"] == [
            {"range": {"start": {"line": 4, "column": 1}, "end": {"line": 4, "column": 5}}, "text": "ä"},
            {"range": {"start": {"line": 5, "column": 1}, "end": {"line": 5, "column": 1}}, "text": "import x\n"},
        ]

    def test_a_fix_whose_lines_are_not_all_known_is_not_suggested_by_halves(self) -> None:
        edits = (Edit(Span(4, 1, 4, 2), "x"), Edit(Span(1, 1, 1, 1), "import x\n"))
        finding = a_finding(span=Span(4, 1, 4, 2), excerpt=((4, "y"),), fix=Fix(True, "", edits))

        assert "suggestions" not in rendered("rdjson", a_report(finding))["diagnostics"][0]


class TestJUnit:
    @pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
    def test_xml_is_valid_by_jenkins_schema_and_read_by_a_parser(self, report: Report) -> None:
        text = reporters()["junit"].render(report)
        xmlschema.XMLSchema(str(DATA / "junit-10.xsd")).validate(io.StringIO(text))

        suites = list(junitparser.JUnitXml.fromstring(text.encode()))
        kinds = [finding.verdict.kind for finding in report.findings]
        assert suites[1].tests == len(list(suites[1])) == len(kinds)
        assert suites[1].failures == kinds.count(VerdictKind.CONFIRMED)
        assert suites[0].errors == sum(run.exit_code != 0 for run in report.workloads)

    def test_each_verdict_is_a_result_of_its_own(self) -> None:
        report = a_report(a_finding(), a_finding(VerdictKind.REJECTED), a_finding(VerdictKind.NOT_EXERCISED))
        cases = ET.fromstring(reporters()["junit"].render(report)).findall(".//testcase[@classname='shop.orders']")

        assert [case[0].tag for case in cases] == ["failure", "system-out", "skipped"]
        assert cases[2][0].get("type") == "not-exercised"


def test_a_place_in_a_notebook_is_told_in_words_as_the_file_has_other_lines() -> None:
    report = a_report(a_finding(path="book.ipynb", cell=3, line=5, excerpt=((5, "x"),)))
    (one,) = results(report)

    assert one["message"]["text"].startswith("Cell 3, line 5: ")
    assert one["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert "range" not in rendered("rdjson", report)["diagnostics"][0]["location"]
    assert rendered("gitlab", report)[0]["location"]["lines"] == {"begin": 1}
    assert "line=" not in reporters()["github"].render(report)


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Puts a package with such URLs in its metadata in audit's place."""

    def put(*urls: str) -> None:
        directory = tmp_path / "audit-9.dist-info"
        directory.mkdir()
        lines = ["Metadata-Version: 2.4", "Name: audit", "Version: 9", *(f"Project-URL: {url}" for url in urls)]
        (directory / "METADATA").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(tmp_path)
        links.documentation.cache_clear()

    yield put
    links.documentation.cache_clear()


def test_rules_are_linked_where_the_package_names_its_documentation(packaged: Callable[..., None]) -> None:
    packaged("Source, https://example", "Documentation, https://docs.example/audit/")
    report = a_report(a_finding(rule="list-pop-front"), a_finding(rule="a-team-s-own", line=7))
    told, log = rendered("rdjson", report), rendered("sarif", report)
    driver = log["runs"][0]["tool"]["driver"]

    assert told["source"] == {"name": "audit", "url": "https://docs.example/audit"}
    page = "https://docs.example/audit/rules/list-pop-front.md"
    codes = {one["code"]["value"]: one["code"].get("url") for one in told["diagnostics"]}
    assert codes == {"list-pop-front": page, "a-team-s-own": None}
    assert driver["informationUri"] == "https://docs.example/audit"
    assert {one["id"]: one.get("helpUri") for one in driver["rules"]} == {"list-pop-front": page, "a-team-s-own": None}
    assert complaints(told, "rdjson.schema.json") == complaints(told, "rdjson.published.schema.json") == []
    assert complaints(log, "sarif-2.1.0.schema.json") == []


def test_where_it_names_none_nothing_is_linked(packaged: Callable[..., None]) -> None:
    packaged("Source, https://example")
    report = a_report(a_finding())

    assert rendered("rdjson", report)["source"] == {"name": "audit"}
    assert "helpUri" not in rendered("sarif", report)["runs"][0]["tool"]["driver"]["rules"][0]


def test_markup_stays_text_in_every_form() -> None:
    report = a_report(a_finding(message=HOSTILE, path="m.py"))

    assert "<script>" not in reporters()["junit"].render(report)
    assert "<script>" in results(report)[0]["message"]["text"]
