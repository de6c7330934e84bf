"""Places as they are opened from where somebody stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model import Fixed, Skip, Standstill, Unflagged
from auditor.report.relocated import seen_from

from .factory import a_finding, a_report, a_run


@pytest.mark.parametrize(
    ("here", "root", "shown"),
    [
        ("/home/u/shop", "/home/u/shop", "a/m.py"),
        ("/home/u", "/home/u/shop", "shop/a/m.py"),
        ("/home/u/shop/a", "/home/u/shop", "m.py"),
        ("/home/u/shop/b", "/home/u/shop", "../a/m.py"),
        ("/srv", "/home/u/shop", "/home/u/shop/a/m.py"),
    ],
)
def test_a_path_leads_from_here_or_is_whole(here: str, root: str, shown: str) -> None:
    report = a_report(
        a_finding(path="a/m.py", chain=("load (odd) (a/m.py:4)", "sleep")),
        workloads=(a_run(standstill=Standstill(1, 1.0, 1.0, (("a/m.py:9", 1.0),))),),
        skipped=(Skip("a/m.py", "why"),),
        fixed=(Fixed("r", "a/m.py", "f", "m"),),
        unflagged=(Unflagged("r", "a/m.py", "f", "m", "a/m.py:7"),),
    )
    seen = seen_from(Path(here), report, Path(root))

    assert seen.findings[0].suspect.path == seen.skipped[0].path == seen.fixed[0].path == shown
    assert seen.findings[0].suspect.chain == (f"load (odd) ({shown}:4)", "sleep")
    assert seen.workloads[0].standstill is not None
    assert seen.workloads[0].standstill.lines == ((f"{shown}:9", 1.0),)
    assert seen.unflagged[0].stands == f"{shown}:7"
