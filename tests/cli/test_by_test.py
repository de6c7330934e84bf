"""A session of pytest as the workload: the report names the tests."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_static import audit
from tests.cli.test_workloads import LIBRARY


def test_the_report_names_the_tests_that_ran_a_suspect(tmp_path: Path) -> None:
    (tmp_path / "lib.py").write_text(LIBRARY)
    (tmp_path / "test_lib.py").write_text(
        "import lib\n\ndef test_growing():\n    lib.growing(50)\n\ndef test_again():\n    lib.growing(20)\n"
    )

    result = audit("lib.py", "--run", "python -m pytest -q", "--format", "json", cwd=tmp_path)

    found = {finding["symbol"]: finding["tests"] for finding in json.loads(result.stdout)["findings"]}
    most = [{"test": "test_lib.py::test_growing", "hits": 50}, {"test": "test_lib.py::test_again", "hits": 20}]
    assert found["growing"] == [{"workload": "run", "total": 2, "most": most}]
    assert found["never"] == []
