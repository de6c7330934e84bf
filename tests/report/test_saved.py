"""A report is a file that can be read back, by audit and by others."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor import model
from auditor.errors import ReportError
from auditor.report.restored import from_json
from auditor.report.saved import to_json

from .factory import a_finding, a_hostile_report, a_realistic_report, a_report, a_row, a_run

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text(encoding="utf-8"))

# os.fsdecode yields the lower half of the surrogates only; a pair of both halves is one character to JSON.
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(min_value=0, max_value=2**63)
PLACE = st.integers(min_value=1, max_value=2**31)
SPAN = st.builds(model.Span, PLACE, PLACE, PLACE, PLACE)
EVIDENCE = st.builds(
    model.Evidence,
    metric=TEXT,
    value=NUMBER,
    low=NUMBER | st.just(-math.inf),
    high=NUMBER | st.just(math.inf),
    unit=TEXT,
    n=COUNT,
    collector=TEXT,
    workload=TEXT,
    threshold=st.none() | NUMBER,
)
REMEMBERED = st.builds(
    model.Remembered,
    kind=st.sampled_from(model.VerdictKind),
    reason=TEXT,
    measured=TEXT,
    workload=TEXT,
    command=TEXT,
    priority=st.none() | st.sampled_from(model.Priority),
    evidence=st.lists(EVIDENCE, max_size=2).map(tuple),
    stale=st.none() | TEXT,
)
FINDING = st.builds(
    model.Finding,
    suspect=st.builds(
        model.Suspect,
        rule=TEXT,
        path=TEXT,
        span=SPAN,
        symbol=TEXT,
        message=TEXT,
        fingerprint=TEXT,
        sites=st.lists(st.builds(model.Site, TEXT, SPAN), max_size=2).map(tuple),
        function=st.none() | SPAN,
        chain=st.lists(TEXT, max_size=2).map(tuple),
        context=TEXT,
    ),
    verdict=st.builds(
        model.Verdict, st.sampled_from(model.VerdictKind), TEXT, st.lists(EVIDENCE, max_size=2).map(tuple)
    ),
    priority=st.none() | st.sampled_from(model.Priority),
    gain=st.none() | st.builds(model.Gain, NUMBER, NUMBER | st.just(math.inf)),
    effort=st.none() | st.sampled_from(model.Effort),
    complexity=st.none() | COUNT,
    excerpt=st.lists(st.tuples(COUNT, TEXT), max_size=2).map(tuple),
    fix=st.none()
    | st.builds(model.Fix, st.booleans(), TEXT, st.lists(st.builds(model.Edit, SPAN, TEXT), max_size=2).map(tuple)),
    remembered=st.lists(REMEMBERED, max_size=2).map(tuple),
    suppressed=st.none() | TEXT,
    change=st.none() | st.sampled_from(model.Change),
)
REMARK = st.builds(model.Remark, path=TEXT, line=PLACE, column=PLACE, message=TEXT, cell=st.none() | PLACE)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
EXIT = st.none() | st.integers(-64, 255)
RUN = st.builds(
    model.WorkloadRun,
    workload=st.builds(model.Workload, TEXT, TEXT, TEXT, st.none() | NUMBER, st.lists(COUNT, max_size=3).map(tuple)),
    exit_code=EXIT,
    wall_s=NUMBER,
    passes=st.lists(
        st.builds(
            model.PassRun,
            TEXT,
            NUMBER,
            EXIT,
            st.none() | TEXT,
            TEXTS,
            st.none() | NUMBER,
            st.none() | COUNT,
            st.none() | NUMBER,
        ),
        max_size=2,
    ).map(tuple),
    warnings=TEXTS,
    last_lines=TEXTS,
    cpu_s=st.none() | NUMBER,
    queued_s=st.none() | NUMBER,
)
REPORT = st.builds(
    model.Report,
    target=TEXT,
    created=TEXT,
    files=COUNT,
    lines=COUNT,
    findings=st.lists(FINDING, max_size=3).map(tuple),
    skipped=st.lists(st.builds(model.Skip, TEXT, TEXT), max_size=2).map(tuple),
    workloads=st.lists(RUN, max_size=2).map(tuple),
    machine=st.builds(
        model.Machine, TEXT, TEXT, TEXT, COUNT, st.dictionaries(TEXT, TEXT, max_size=2).map(lambda d: tuple(d.items()))
    ),
    audit_version=TEXT,
    command=TEXT,
    interrupted=st.booleans(),
    notes=TEXTS,
    prefix=TEXT,
    set_aside=st.lists(FINDING, max_size=1).map(tuple),
    remarks=st.lists(REMARK, max_size=2).map(tuple),
    fixed=st.lists(st.builds(model.Fixed, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    unflagged=st.lists(st.builds(model.Unflagged, TEXT, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
)


def assert_valid(text: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))


def saved(report: model.Report | None = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_json(report or a_realistic_report()))
    return document


def complaint(document: object) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(ReportError) as caught:
        from_json(text, "old.json")
    return str(caught.value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(REPORT)
def test_whatever_is_saved_is_read_back_the_same_and_fits_the_schema(report: model.Report) -> None:
    text = to_json(report)
    assert from_json(text, "a.json") == report
    assert_valid(text)


def test_a_report_from_before_there_were_fixes_is_still_read() -> None:
    document = saved(a_report(a_finding()))
    for finding in document["findings"]:
        del finding["fix"]

    assert_valid(json.dumps(document))
    assert from_json(json.dumps(document), "old.json") == a_report(a_finding())


@pytest.mark.parametrize("report", [a_realistic_report(), a_hostile_report(), a_report()])
def test_known_reports_survive_the_round_trip(report: model.Report) -> None:
    assert from_json(to_json(report), "a.json") == report
    assert_valid(to_json(report))


def test_a_saved_report_is_ascii_so_that_any_file_name_can_be_written() -> None:
    assert to_json(a_report(a_finding(path="caf\udce9/naïve.py"))).isascii()


def test_an_open_interval_is_read_back_open() -> None:
    row = a_row(low=-math.inf, high=math.inf)
    text = to_json(a_report(a_finding(model.VerdictKind.CONFIRMED, row, gain=model.Gain(2.0, math.inf))))
    assert '"low": null' in text
    assert "Infinity" not in text
    again = from_json(text, "a.json").findings[0]
    assert again.verdict.evidence == (row,)
    assert again.gain == model.Gain(2.0, math.inf)


def test_a_value_that_is_no_number_is_saved_as_null_and_read_as_no_number() -> None:
    text = to_json(a_report(a_finding(model.VerdictKind.CONFIRMED, a_row(value=math.nan))))
    assert "NaN" not in text
    assert_valid(text)
    assert math.isnan(from_json(text, "a.json").findings[0].verdict.evidence[0].value)


def test_a_wall_time_that_is_no_number_cannot_be_saved() -> None:
    with pytest.raises(ReportError, match="shop cannot be written"):
        to_json(a_report(workloads=(a_run(wall_s=math.inf),)))


def test_the_summary_counts_the_findings() -> None:
    summary = saved()["summary"]
    assert summary["files"] == 31
    assert summary["by_verdict"] == {
        "confirmed": 3,
        "rejected": 24,
        "inconclusive": 1,
        "not-exercised": 1,
        "not-measurable": 1,
        "suspected": 0,
    }
    assert summary["by_priority"] == {"P0": 1, "P1": 1, "P2": 1, "P3": 0}


def test_the_schema_refuses_a_key_it_does_not_know() -> None:
    document = saved()
    document["findings"][0]["evidence"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        assert_valid(json.dumps(document))


def test_every_part_of_the_schema_is_described_and_closed() -> None:
    def walk(part: Any, way: str) -> None:
        if isinstance(part, dict) and "type" in part:
            assert part.get("description"), f"{way} has no description"
        if isinstance(part, dict) and part.get("type") == "object":
            assert "additionalProperties" in part, f"{way} is open"
        for key, value in part.items() if isinstance(part, dict) else ():
            walk(value, f"{way}/{key}")

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    walk(SCHEMA, "#")


def test_every_field_of_a_report_has_its_key() -> None:
    document = saved()
    kept_in_summary = {"files", "lines"}
    assert {field.name for field in fields(model.Report)} - kept_in_summary <= set(document)


def test_a_newer_schema_is_refused_with_both_versions_named() -> None:
    message = complaint(saved() | {"schema_version": 2})
    assert "old.json" in message
    assert "schema_version 2" in message
    assert "reads 1" in message


def test_a_document_that_is_not_json_is_refused_with_the_place() -> None:
    message = complaint('{"schema_version": 1,\n oops}')
    assert "old.json is not JSON" in message
    assert "line 2" in message
    assert "--format json" in message


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 10_000, '{"schema_version": NaN}', "[]", "null", '"x"', ""])
def test_any_other_document_is_refused_with_its_name(text: str) -> None:
    assert "old.json" in complaint(text)


@pytest.mark.parametrize("key", sorted(set(saved()) - {"unflagged", "commit"}))
def test_a_missing_key_is_named(key: str) -> None:
    document = saved()
    del document[key]
    assert f"lacks the key {key!r}" in complaint(document)


@pytest.mark.parametrize("key", sorted(set(saved()["findings"][0]) - {"fix", "tests", "remembered"}))
def test_a_missing_key_of_a_finding_is_named_with_the_way_to_it(key: str) -> None:
    document = saved()
    del document["findings"][2][key]
    message = complaint(document)
    assert f"lacks the key {key!r}" in message
    assert "findings[2]" in message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("line", "7", "findings[1].line must be a whole number"),
        ("line", True, "findings[1].line must be a whole number"),
        ("path", 7, "findings[1].path must be a string"),
        ("verdict", "guilty", "findings[1].verdict must be one of confirmed, "),
        ("priority", "P9", "findings[1].priority must be one of P0, "),
        ("evidence", {}, "findings[1].evidence must be an array"),
        ("gain", {"low": "much", "high": 2}, "findings[1].gain.low must be a number"),
        ("gain", {"low": 10**400, "high": 2}, "findings[1].gain.low must be a finite number"),
        ("function", 3, "findings[1].function must be an object"),
        ("chain", [1], "findings[1].chain[0] must be a string"),
    ],
)
def test_a_garbled_value_is_named_with_the_way_to_it(key: str, value: object, expected: str) -> None:
    document = saved()
    document["findings"][1][key] = value
    assert expected in complaint(document)


def test_saving_twice_gives_the_same_text() -> None:
    report = a_realistic_report()
    assert to_json(report) == to_json(replace(report)) == to_json(from_json(to_json(report), "a.json"))
