"""A configured server, from the command line to the report."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_static import audit
from tests.cli.test_workloads import LIBRARY, findings
from tests.evidence.test_service import LOAD, SERVER

CONFIG = """\
[tool.audit.workloads.web]
serve = "python server.py {port}"
ready = "http://127.0.0.1:{port}/health"
load = "python load.py {port} 3"
"""


def project(directory: Path, **changes: str) -> Path:
    (directory / "pyproject.toml").write_text(CONFIG)
    (directory / "lib.py").write_text(LIBRARY)
    (directory / "server.py").write_text("import lib\n" + SERVER.replace("sum(range(100_000))", "lib.growing(5000)"))
    (directory / "load.py").write_text(LOAD)
    for name, text in changes.items():
        (directory / f"{name}.py").write_text(text)
    return directory


def test_what_is_costly_under_load_is_confirmed(tmp_path: Path) -> None:
    result = audit("lib.py", "--format", "json", cwd=project(tmp_path))

    found = findings(result)
    assert found["growing"]["verdict"] == "confirmed", found["growing"]
    assert found["never"]["verdict"] == "not-exercised"
    (workload,) = json.loads(result.stdout)["workloads"]
    assert {one["exit_code"] for one in workload["passes"]} == {0}
    assert "load.py" in workload["command"]


def test_a_server_that_does_not_start_is_a_workload_that_failed(tmp_path: Path) -> None:
    result = audit("lib.py", cwd=project(tmp_path, server="raise SystemExit('no database')"))

    assert result.returncode == 2
    assert "no database" in result.stdout
    assert "Traceback" not in result.stderr
