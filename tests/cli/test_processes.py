"""Evidence arrives from every process of a workload, or the report says which it could not see."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_static import audit
from tests.cli.test_workloads import LIBRARY

POOL = """\
import multiprocessing, lib
if __name__ == "__main__":
    pool = multiprocessing.get_context("{method}").Pool(2)
    pool.map(lib.growing, [10_000, 1_000, 1_000], chunksize=1)
    pool.close()
    pool.join()
"""

ONE_PROCESS = """\
import multiprocessing, lib
if __name__ == "__main__":
    child = multiprocessing.get_context("{method}").Process(target=lib.growing, args=(12000,))
    child.start()
    child.join()
"""

EXECUTOR = """\
import concurrent.futures, lib
if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(lib.growing, [10_000, 1_000, 1_000]))
"""

OS_EXIT = "import os, lib\nlib.growing(12000)\nos._exit(0)\n"

EXEC = """\
import os, sys, lib
lib.growing(11_000 if len(sys.argv) < 2 else 1_000)
if len(sys.argv) < 2:
    os.execv(sys.executable, [sys.executable, __file__, "again"])
"""

SUBPROCESS = """\
import subprocess, sys
for n in (11_000, 1_000):
    subprocess.run([sys.executable, "-c", f"import lib; lib.growing({n})"], check=True)
"""

ASYNC_SUBPROCESS = """\
import asyncio, sys
async def main():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import lib; lib.growing(12000)")
    await child.wait()
asyncio.run(main())
"""

FOREIGN_THREAD = """\
import ctypes, lib
libc = ctypes.CDLL(None)
kind = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
function = kind(lambda _: lib.growing(12000) and None)
thread = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(thread), None, function, None)
libc.pthread_join(thread, None)
"""

GEVENT = """\
from gevent import monkey
monkey.patch_all()
import gevent, time, lib
def job():
    lib.growing(6000)
    time.sleep(0.01)
gevent.joinall([gevent.spawn(job) for _ in range(2)])
"""

UVLOOP = """\
import asyncio, uvloop, lib
async def main():
    for _ in range(2):
        lib.growing(6000)
        await asyncio.sleep(0.01)
uvloop.run(main())
"""

DAEMON = """\
import os, time, lib
if not os.fork():
    os.setsid()
    if not os.fork():
        lib.growing(9000)
        open("done", "w").close()
        os._exit(0)
    os._exit(0)
while not os.path.exists("done"):
    time.sleep(0.1)
os.remove("done")
"""

OUT_OF_REACH = """\
import os, subprocess, sys, lib
lib.growing({here})
code = "import sys; sys.path.insert(0, '.'); import lib; lib.growing(12000)"
{start}
"""


def audited(directory: Path, program: str, command: str = "python program.py") -> dict[str, Any]:
    (directory / "lib.py").write_text(LIBRARY)
    (directory / "program.py").write_text(program)
    result = audit("lib.py", "--no-store", "--run", command, "--format", "json", cwd=directory)
    assert result.returncode in (0, 1), result.stderr + result.stdout
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def growing(report: dict[str, Any]) -> dict[str, Any]:
    (found,) = [finding for finding in report["findings"] if finding["symbol"] == "growing"]
    return {**found, "hits": sum(row["value"] for row in found["evidence"] if row["metric"] == "hits")}


def needs(module: str) -> Any:
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"needs {module}")


@pytest.mark.parametrize(
    "program",
    [
        *(
            pytest.param(ONE_PROCESS.format(method=method), id=f"process-{method}")
            for method in ("fork", "spawn", "forkserver")
        ),
        pytest.param(POOL.format(method="forkserver"), id="pool-forkserver"),
        pytest.param(EXECUTOR, id="executor"),
        pytest.param(OS_EXIT, id="os-exit"),
        pytest.param(EXEC, id="exec"),
        pytest.param(SUBPROCESS, id="subprocess"),
        pytest.param(ASYNC_SUBPROCESS, id="async-subprocess"),
        pytest.param(FOREIGN_THREAD, id="thread-of-c"),
        pytest.param(GEVENT, id="gevent", marks=needs("gevent")),
        pytest.param(UVLOOP, id="uvloop", marks=needs("uvloop")),
    ],
)
def test_what_runs_in_other_processes_and_threads_is_counted_and_judged(tmp_path: Path, program: str) -> None:
    report = audited(tmp_path, program)

    found = growing(report)
    assert found["hits"] == 12_000, found
    assert found["verdict"] == "confirmed", found
    assert [one["gap"] for one in report["workloads"][0]["passes"]] == [None, None, None]


def test_what_a_daemon_does_is_not_rejected_because_py_spy_lost_sight_of_it(tmp_path: Path) -> None:
    found = growing(audited(tmp_path, DAEMON))

    assert found["hits"] == 9_000
    assert found["verdict"] == "confirmed", found
    assert "daemons" in found["reason"]


@pytest.mark.parametrize(
    "start",
    [
        "subprocess.run([sys.executable, '-I', '-c', code], check=True)",
        "subprocess.run([sys.executable, '-c', code], env={'PATH': ''}, check=True)",
        "subprocess.run(sys.executable + ' -E -c ' + chr(39) + code.replace(chr(39), chr(34)) + chr(39), shell=True)",
        "os.environ.pop('AUDIT_CHILD', None); subprocess.run([sys.executable, '-c', code], check=True)",
        "os.execve(sys.executable, [sys.executable, '-c', code], {'PATH': ''})",
    ],
    ids=["isolated", "own-environment", "shell", "cleaned-environment", "exec"],
)
def test_what_runs_out_of_reach_is_neither_rejected_nor_called_not_exercised(tmp_path: Path, start: str) -> None:
    report = audited(tmp_path, OUT_OF_REACH.format(start=start, here=10))

    verdicts = {finding["symbol"]: finding["verdict"] for finding in report["findings"]}
    assert verdicts["growing"] not in ("rejected", "not-exercised"), growing(report)
    assert verdicts["never"] == "not-measurable"
    probes = next(one for one in report["workloads"][0]["passes"] if one["name"] == "probes")
    assert "was not counted" in probes["warnings"][0]


def test_tools_of_python_itself_run_out_of_reach_without_harm(tmp_path: Path) -> None:
    program = OUT_OF_REACH.format(
        here=10, start="subprocess.run([sys.executable, '-I', '-m', 'ensurepip', '--version'], check=False)"
    )

    report = audited(tmp_path, program)

    assert {finding["symbol"]: finding["verdict"] for finding in report["findings"]}["never"] == "not-exercised"
