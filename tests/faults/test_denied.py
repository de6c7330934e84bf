"""py-spy may not look at the workload: the reason is given, and nothing is judged from what was not seen."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults import finish, make_project, start_audit

DENY = """
import ctypes, os, struct, sys

def statement(code, value, then=0, other=0):
    return struct.pack("HBBI", code, then, other, value)

number = {"x86_64": 101, "aarch64": 117}[os.uname().machine]
read = {"x86_64": 310, "aarch64": 270}[os.uname().machine]
program = b"".join((
    statement(0x20, 0),  # load the number of the system call
    statement(0x15, number, 1, 0), statement(0x15, read, 0, 1),  # ptrace, process_vm_readv
    statement(0x06, 0x00050000 | 1), statement(0x06, 0x7FFF0000),  # EPERM, else allow
))
buffer = ctypes.create_string_buffer(program, len(program))

class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

libc = ctypes.CDLL(None, use_errno=True)
given = Program(len(program) // 8, ctypes.addressof(buffer))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(given)):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""
DENIED = (sys.executable, "-c", DENY)


@pytest.fixture(scope="module")
def seccomp() -> None:
    """Skips where the machine does not let a process deny itself anything."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("seccomp filters are tried on Linux on x86_64 and aarch64")
    result = subprocess.run([*DENIED, sys.executable, "-c", "pass"], check=False, timeout=60)
    if result.returncode == 77:
        pytest.skip("this machine allows no seccomp filters")
    assert result.returncode == 0


# the interpreter may lie where others may not read; that it was started is enough
RUN = """
import subprocess, sys
command = [sys.executable, "-c", "import lib; lib.growing(9000); lib.small(4000)"]
try:
    subprocess.call(%s)
except OSError as error:
    print(error)
"""
AS_ANOTHER = {
    "forked": """
import os, lib
if not os.fork():
    os.setuid(65534)
    print(lib.growing(9000), lib.small(4000))
    os._exit(0)
os.wait()
""",
    "started": RUN % "command, user=65534",
    "through another program": RUN % '["setpriv", "--reuid", "65534", "--clear-groups", *command]',
}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("how", AS_ANOTHER)
def test_what_runs_as_another_user_is_neither_rejected_nor_said_not_to_have_run(tmp_path: Path, how: str) -> None:
    project, scratch = make_project(tmp_path / "project"), tmp_path / "tmp"
    (project / "bench.py").write_text(AS_ANOTHER[how])
    done = finish(start_audit(project, scratch, "--run", f"{sys.executable} bench.py"), project, scratch)
    assert not done.problems
    assert set(done.verdicts.values()) == {"not-measurable"}
    assert "another user" in done.out


@pytest.mark.usefixtures("seccomp")
def test_a_denied_ptrace_is_named_and_nothing_is_rejected_for_want_of_samples(tmp_path: Path) -> None:
    project, scratch = make_project(tmp_path / "project"), tmp_path / "tmp"
    done = finish(start_audit(project, scratch, "--run", "python bench.py", before=DENIED), project, scratch)
    assert not done.problems
    (workload,) = json.loads(done.out)["workloads"]
    gaps = {one["name"]: one["gap"] for one in workload["passes"]}
    assert "py-spy may not read the workload's process" in gaps["py-spy"]
    assert gaps["probes"] is None
    assert done.verdicts["growing"] == "confirmed"
