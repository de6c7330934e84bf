"""Whether CPython's own tests end under each pass as they do without: the measured program is untouched.

    python benchmarks/untouched.py [--python PYTHON] [MODULE...]

Each MODULE of CPython's test suite (`test_threading`, `test_asyncio`, ...) is the workload of a script whose suspects
ask for the probes that reach furthest into the program: tasks, threads, executors, connections, files, queues.
Prints a line for each: tests, and how many ended in another way in which pass. Exits with 1 if any did. Where some did,
the module runs plainly once more, and tests that do not end as in the first plain run are told apart. PYTHON needs its
package `test`, which some distributions leave out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.same_outcomes import differing, read  # noqa: E402

MODULES = """\
test_sys test_threading test_thread test_queue test_os test_posix test_fork1 test_signal test_subprocess
test_asyncio test_socket test_select test_httpservers test_io test_logging test_pickle test_copy test_compile
test_code test_builtin test_traceback test_inspect test_weakref test_contextlib test_coroutines test_generators
test_sys_settrace test_sys_setprofile test_bdb test_pdb test_trace test_doctest test_runpy test_site
test_importlib test_atexit test_faulthandler test_tracemalloc test_warnings test_cmd_line_script
"""

SCRIPT = """\
import asyncio, copy, json, logging, queue, socket, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor

jobs = queue.Queue()
kept = []

def work(items, text):
    for item in items:
        text.all += str(item)
        threading.Thread(target=print).start()
        with ThreadPoolExecutor() as pool:
            pool.submit(print)
        subprocess.run(["true"])
        socket.create_connection(item)
        kept.append(json.loads(json.dumps(copy.deepcopy(item))))
        logging.debug("done %s" % item)
        with open(item) as file:
            file.read()

async def main(items):
    for item in items:
        asyncio.create_task(main(item))
        await asyncio.open_connection(item)
    time.sleep(1)

if __name__ == "__main__":
    sys.argv += ["--junit-xml", "outcomes-%d.xml" % time.time_ns()]
    try:
        from test.libregrtest.main import main as run
    except ImportError:
        from test.libregrtest import main as run
    run()
"""


def main() -> int:
    """Run the comparison and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    arguments = parser.parse_args()
    python = str(Path(arguments.python).absolute())
    modules = arguments.modules or MODULES.split()
    return int(sum(not _compare(python, module) for module in modules) > 0)


def _compare(python: str, module: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="audit-untouched-") as directory:
        (Path(directory) / "driver.py").write_text(SCRIPT)
        names, runs = _audited(python, module, Path(directory))
        if not runs or not runs[0]:
            print(f"{module}: no test ran", flush=True)
            return True
        found = {name: differing(runs[0], run) for name, run in zip(names[1:], runs[1:], strict=True)}
        if any(found.values()):
            before = _outcomes(Path(directory))
            subprocess.run([python, "driver.py", module], cwd=directory, capture_output=True, check=False)
            unsteady = set().union(*(differing(runs[0], run) for run in _outcomes(Path(directory))[len(before) :]))
            found = {name: tests - unsteady for name, tests in found.items()}
    told = ", ".join(f"{name} {len(tests)}" for name, tests in found.items())
    print(f"{module}: {len(runs[0])} tests, ended in another way: {told}", flush=True)
    for name, tests in found.items():
        for test in sorted(tests)[:10]:
            print(f"    {name}: {test}")
    return not any(found.values())


def _audited(python: str, module: str, directory: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The passes, the plain one first, and how the tests ended in each."""
    command = [sys.executable, "-m", "auditor", "driver.py", "--run", f"{python} driver.py {module}", "--allow-failure"]
    options = ["--no-store", "--exit-zero", "--format", "json", "--output", "report.json"]
    subprocess.run([*command, *options], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    (workload,) = json.loads((directory / "report.json").read_text())["workloads"]
    runs = _outcomes(directory)
    # a pass that could not be made, for want of memray say, left nothing
    names = [one["name"] for one in workload["passes"] if one["exit_code"] is not None]
    return names, [*runs, *({} for _ in names[len(runs) :])]


def _outcomes(directory: Path) -> list[dict[str, str]]:
    return [read(file) for file in sorted(directory.glob("outcomes-*.xml"))]


if __name__ == "__main__":
    sys.exit(main())
