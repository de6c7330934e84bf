"""JUnit's XML, which every CI shows: a suspect is a test, failed if it is confirmed, passed if it is rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from auditor.model import VerdictKind, ended
from auditor.report.attention import message, title
from auditor.report.overview import location
from auditor.report.places import shown_path
from auditor.report.printable import printable
from auditor.report.reporter import Reporter

if TYPE_CHECKING:
    from auditor.model import Finding, Report, WorkloadRun


def render(report: Report) -> str:
    """Two suites: the workloads, of which one that failed is an error, and the suspects."""
    suites = ET.Element("testsuites", name="audit")
    _workloads(suites, report)
    _suspects(suites, report)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _workloads(suites: ET.Element, report: Report) -> None:
    failed = sum(run.failed for run in report.workloads)
    suite = _suite(suites, "audit: workloads", tests=len(report.workloads), errors=failed)
    for run in report.workloads:
        case = ET.SubElement(
            suite, "testcase", name=printable(run.workload.name), classname="workload", time=f"{run.wall_s:.3f}"
        )
        if run.failed:
            ET.SubElement(case, "error", message=_ended(run)).text = "\n".join(map(printable, run.last_lines))


def _suspects(suites: ET.Element, report: Report) -> None:
    kinds = [finding.verdict.kind for finding in report.findings]
    confirmed, settled = kinds.count(VerdictKind.CONFIRMED), kinds.count(VerdictKind.REJECTED)
    skipped = len(kinds) - confirmed - settled
    suite = _suite(suites, "audit: suspects", tests=len(kinds), failures=confirmed, skipped=skipped)
    for finding in report.findings:
        _suspect(suite, report, finding)


def _suspect(suite: ET.Element, report: Report, finding: Finding) -> None:
    suspect = finding.suspect
    name = printable(f"{suspect.rule} {location(finding)} {suspect.symbol}")
    case = ET.SubElement(suite, "testcase", name=name, classname=_class(report, finding))
    match finding.verdict.kind:
        case VerdictKind.CONFIRMED:
            ET.SubElement(case, "failure", type="confirmed", message=title(finding)).text = message(finding)
        case VerdictKind.REJECTED:
            ET.SubElement(case, "system-out").text = message(finding)
        case kind:
            ET.SubElement(case, "skipped", type=kind.value, message=message(finding))


def _class(report: Report, finding: Finding) -> str:
    """The file as a dotted name, by which viewers make groups."""
    return shown_path(report, finding.suspect.path).removesuffix(".py").replace("/", ".")


def _ended(run: WorkloadRun) -> str:
    return f"it {ended(run.exit_code)}"


def _suite(
    suites: ET.Element, name: str, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0
) -> ET.Element:
    counts = {"tests": tests, "failures": failures, "errors": errors, "skipped": skipped}
    return ET.SubElement(suites, "testsuite", {"name": name, **{key: str(count) for key, count in counts.items()}})


REPORTER = Reporter(name="junit", suffixes=(".junit.xml", ".xml"), render=render)
