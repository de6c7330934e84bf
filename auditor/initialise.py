"""`audit init`: look at a project and propose workloads for its `[tool.audit]` table."""

from __future__ import annotations

import tomllib
from pathlib import Path

_SCRIPTS = ("bench.py", "benchmark.py", "benchmarks.py", "run_benchmarks.py", "main.py", "app.py", "demo.py")


def propose(project: Path) -> str:
    """A commented `[tool.audit]` table in TOML for the project directory. Nothing of the project is run."""
    workloads = _workloads(project)
    lines = ["[tool.audit]", f"# exclude = {_toml_list(_excludes(project))}", '# fail-on = "confirmed"', ""]
    if not workloads:
        lines += [
            "# No tests, benchmarks or scripts were recognised. Name a command that does typical work:",
            "# [tool.audit.workloads.typical]",
            '# command = "python -m yourpackage --some --input"',
        ]
    for name, command, why in workloads:
        lines += [f"# {why}", f"[tool.audit.workloads.{name}]", f'command = "{command}"', "timeout = 600", ""]
    return "\n".join(lines).rstrip() + "\n"


def is_configured(project: Path) -> bool:
    """Whether the project's pyproject.toml has a `[tool.audit]` table already."""
    return "audit" in _pyproject(project).get("tool", {})


def _workloads(project: Path) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for directory in ("benchmarks", "bench", "perf"):
        for file in sorted((project / directory).glob("*.py")):
            if _is_script(file) and len(found) < 4:
                command = f"python {directory}/{file.name}"
                found.append((_key(file.stem), command, "A benchmark: the best workload, as it is made to be typical."))
    found += [
        (_key(Path(name).stem), f"python {name}", "A script at the top of the project.")
        for name in _SCRIPTS
        if _is_script(project / name)
    ]
    if _has_tests(project):
        why = "The tests. They reach much code with small inputs: good for leaks, weak for growth with input."
        found.append(("tests", "pytest -q", why))
    return found


def _is_script(file: Path) -> bool:
    try:
        return file.is_file() and "__main__" in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _has_tests(project: Path) -> bool:
    """Whether there are tests beside the package or inside it; pytest runs those of unittest, too."""
    inside = ("*/tests/**/test_*.py", "src/*/tests/**/test_*.py")
    places = ("test_*.py", "tests/**/test_*.py", "test/**/test_*.py", *inside)
    return any(next(project.glob(place), None) is not None for place in places)


def _excludes(project: Path) -> list[str]:
    return [name for name in ("tests/", "docs/", "examples/", "vendor/") if (project / name).is_dir()]


def _pyproject(project: Path) -> dict[str, dict[str, object]]:
    try:
        return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _key(stem: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem) or "workload"


def _toml_list(items: list[str]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"
