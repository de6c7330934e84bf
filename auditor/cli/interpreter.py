"""`--python PATH`: the interpreter that workloads run under, which need not be the one that runs audit."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from auditor.errors import ConfigError, why
from auditor.evidence.guardian import temporary_directory

OLDEST = (3, 8)
"""What runs in the measured program works from this version on."""

_NAMES = ("python", "python3")
_PATIENCE_S = 60
_ASK = "import sys; print(*sys.version_info[:2])"


@contextlib.contextmanager
def interpreter(python: Path | None) -> Iterator[None]:
    """Let `python` and `python3` mean this interpreter, and programs beside it come before others, for all commands.

    Nothing is installed into it. None leaves the environment as it is.

    Raises:
        ConfigError: it cannot be run, or is older than `OLDEST`.
    """
    if python is None:
        yield
        return
    # not resolved: a virtual environment is known by the place of its link
    program = Path(os.path.abspath(python))  # noqa: PTH100
    _check(program)
    before = dict(os.environ)
    with temporary_directory("audit-python-") as directory:
        first = program.parent
        if not all(_is(first / name, program) for name in _NAMES):
            for name in _NAMES:
                shim = Path(directory, name)
                shim.write_text(f'#!/bin/sh\nexec {shlex.quote(str(program))} "$@"\n', encoding="utf-8")
                shim.chmod(0o755)
        os.environ["PATH"] = os.pathsep.join((directory, str(first), before.get("PATH", os.defpath)))
        os.environ.pop("PYTHONHOME", None)
        os.environ.pop("VIRTUAL_ENV", None)
        if (first.parent / "pyvenv.cfg").is_file():
            os.environ["VIRTUAL_ENV"] = str(first.parent)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _is(file: Path, program: Path) -> bool:
    return file.exists() and file.samefile(program)


def _check(program: Path) -> None:
    try:
        # -S and -E: whatever its environment does at its start is the workload's business
        asked = subprocess.run(
            [program, "-E", "-S", "-c", _ASK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
        version = tuple(int(part) for part in asked.stdout.split())
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError(
            f"--python {program} cannot be run ({why(error)}); give the path of an interpreter"
        ) from error
    if asked.returncode or len(version) != 2:
        said = asked.stderr.strip().splitlines()
        raise ConfigError(f"--python {program} is no working Python{': ' + said[-1] if said else ''}")
    if version < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise ConfigError(f"--python {program} is Python {version[0]}.{version[1]}; audit measures {wanted} and later")
