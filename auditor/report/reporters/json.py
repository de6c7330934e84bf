"""The report as data, for machines and for `audit` itself to read back."""

from __future__ import annotations

from auditor.report.reporter import Reporter
from auditor.report.saved import to_json

REPORTER = Reporter(name="json", suffixes=(".json",), render=to_json)
