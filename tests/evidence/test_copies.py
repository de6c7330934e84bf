"""A workload may run another copy of what is audited, which then was not exercised for a reason worth saying."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import Probed, probe

PROGRAM = "def f():\n    return len('abc')\n"


def _run(tmp_path: Path, main: str, name: str) -> Probed:
    for place in ("installed", "checkout"):
        (tmp_path / place / "pack").mkdir(parents=True)
        (tmp_path / place / "pack" / "__init__.py").touch()
        (tmp_path / place / "pack" / "mod.py").write_text(PROGRAM + "# newer\n")
        (tmp_path / place / "alone.py").write_text(PROGRAM)
    (tmp_path / "main.py").write_text(main)
    return probe(tmp_path, PROGRAM, ("timed", "len('abc')"), name=f"installed/{name}", command="python3 main.py")


@pytest.mark.parametrize(("module", "name"), [("pack.mod", "pack/mod.py"), ("alone", "alone.py")])
def test_the_copy_that_was_loaded_is_named(tmp_path: Path, module: str, name: str) -> None:
    main = f"import sys\nsys.path.insert(0, 'checkout')\nimport {module}\n{module}.f()\n"
    probed = _run(tmp_path, main, name)

    (warning,) = probed.outcome.run.warnings
    assert f"it loaded {tmp_path / 'checkout' / name}, not {tmp_path / 'installed' / name}" in warning
    assert probed.value("hits") == 0


def test_nothing_is_said_where_some_process_loads_the_one_audited(tmp_path: Path) -> None:
    child = "import sys; sys.path.insert(0, 'installed'); import pack.mod; pack.mod.f()"
    main = (
        "import subprocess, sys\nsys.path.insert(0, 'checkout')\nimport pack.mod\n"
        f"subprocess.run([sys.executable, '-c', {child!r}], check=True)\n"
    )
    probed = _run(tmp_path, main, "pack/mod.py")

    assert probed.outcome.run.warnings == ()
    assert probed.value("hits") == 1


def test_a_module_of_the_same_name_in_no_package_is_no_copy_if_it_differs(tmp_path: Path) -> None:
    main = "import sys\nsys.path.insert(0, 'checkout')\nopen('checkout/alone.py', 'a').write('# other')\nimport alone\n"
    assert _run(tmp_path, main, "alone.py").outcome.run.warnings == ()
