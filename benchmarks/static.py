"""What the static scan costs, as ratios of processor time against other tools, taken side by side in one run.

    python benchmarks/static.py [--files 150] [--tools ruff,fixit,pylint,perflint,semgrep]
                                [--corpus DIRECTORY]... [--many 10000]

A corpus is every n-th module of the standard library (or of DIRECTORY) without its tests, all of them with `--files 0`,
copied to a temporary directory; the tools are installed into a scratch environment there, and one that cannot be
installed is named. Ruff gets the whole corpus, slower tools every n-th file of it, up to `SAMPLES` lines, and what is
compared are lines per second of processor time, each with its start. "pylint" is pylint with the plug-in perflint and
all that it checks by default, "perflint" is perflint's checks alone. Semgrep's five rules ask for loops, functions and
coroutines around what they look for, as audit's do; lines count that Semgrep says it has scanned. What takes less than
a few seconds is run three times, and the median counts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PACKAGES = {
    "ruff": ("ruff",),
    "fixit": ("fixit>=2",),
    "pylint": ("pylint", "perflint"),
    "perflint": ("pylint", "perflint"),
    "semgrep": ("semgrep",),
}
SAMPLES = {"semgrep": 150_000, "perflint": 30_000, "pylint": 10_000, "fixit": 10_000}
"""Lines that take a tool about a quarter of a minute."""
LOOPS = ("for $I in $S:\n    ...", "while $C:\n    ...")
SEMGREP_RULES = (
    ("$X = $X + $Y", LOOPS),
    ("$X.pop(0)", LOOPS),
    ("time.sleep(...)", ("async def $F(...):\n    ...",)),
    ("re.compile(...)", ("def $F(...):\n    ...",)),
    ("json.loads(json.dumps(...))", ()),
)
"""What is looked for, and inside what."""
ROOT = Path(__file__).resolve().parent.parent
SMALL = 40_000
"""Bytes: larger files take longer than any start."""
CHANGE = (
    "\n\ndef added(items):\n    text = ''\n    for item in items:\n        text = text + str(item)\n    return text\n"
)


@dataclass(frozen=True, slots=True)
class Run:
    """Processor and wall time (s) of a command and its children, and the greatest memory (MB) of any process."""

    cpu: float
    wall: float
    memory: float


def measured(command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        cwd=cwd,
    )
    _, _, own = os.wait4(process.pid, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(cpu=cpu, wall=time.perf_counter() - began, memory=own.ru_maxrss / 1024)


def typical(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """The median of three by processor time; a command of many seconds is run once."""
    first = measured(command, environment)
    if first.cpu > 5:
        return first
    return sorted((first, *(measured(command, environment) for _ in range(2))), key=lambda run: run.cpu)[1]


def memory_of(command: Sequence[str]) -> float:
    """The greatest memory (MB) of a command with all its children at any moment, shared pages counted once."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    greatest = 0
    while process.poll() is None:
        together = 0
        for one in (process, *process.children(recursive=True)):
            # it may have ended meanwhile
            with contextlib.suppress(psutil.Error):
                together += one.memory_full_info().pss
        greatest = max(greatest, together)
        time.sleep(0.1)
    return greatest / 2**20


def corpus(source: Path, count: int, into: Path) -> tuple[int, int]:
    """Copy every n-th module, all if `count` is 0; return files and lines."""
    listed = [
        file
        for file in sorted(source.rglob("*.py"))
        if not {"site-packages", "test", "tests", "lib2to3"} & set(file.relative_to(source).parts)
    ]
    chosen = listed[:: max(1, len(listed) // count)] if count else listed
    return len(chosen), copied(chosen, source, into)


def copied(files: Sequence[Path], source: Path, into: Path) -> int:
    """Copy the files with their directories; return the lines."""
    lines = 0
    for file in files:
        copy = into / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        lines += file.read_bytes().count(b"\n")
    return lines


def sample(code: Path, lines: int, most: int | None) -> tuple[list[Path], int]:
    """The corpus, or every n-th file of it so that there are at most about so many lines; and the lines."""
    if most is None or lines <= most:
        return [code], lines
    chosen = sorted(code.rglob("*.py"))[:: -(-lines // most)]
    return chosen, sum(file.read_bytes().count(b"\n") for file in chosen)


def installed(tool: str, environment: Path) -> bool:
    if not environment.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q", *PACKAGES[tool]]
    return subprocess.run(pip, check=False, stderr=subprocess.DEVNULL, timeout=300).returncode == 0


def command_of(tool: str, environment: Path, paths: Sequence[Path]) -> list[str]:
    code = [str(path) for path in paths]
    binary = str(environment / "bin" / tool)
    return {
        "ruff": [binary, "check", "--isolated", "--no-cache", "--select", "PERF,ASYNC,RUF006,FURB,B", *code],
        "fixit": [binary, "lint", *code],
        "pylint": [binary, "--load-plugins=perflint", "-j1", "--recursive=y", *code],
        "perflint": [
            str(environment / "bin" / "pylint"), "--load-plugins=perflint", "--disable=all",
            "--enable=W8101,W8102,W8201,W8202,W8204,W8205", "-j1",
            "--recursive=y", *code,
        ],
        "semgrep": [
            binary, "--metrics=off", "--jobs=1", "--config", str(semgrep_rules(environment)),
            "--json", "--output", str(environment / "semgrep.json"), *code,
        ],
    }[tool]  # fmt: skip


def semgrep_rules(environment: Path) -> Path:
    rules = [
        {
            "id": f"r{number}", "languages": ["python"], "severity": "INFO", "message": "m",
            "patterns": [
                {"pattern": pattern},
                *([{"pattern-either": [{"pattern-inside": around} for around in inside]}] if inside else ()),
            ],
        }
        for number, (pattern, inside) in enumerate(SEMGREP_RULES)
    ]  # fmt: skip
    # JSON is YAML
    file = environment / "rules.yaml"
    file.write_text(json.dumps({"rules": rules}))
    return file


def scanned_lines(report: Path) -> int:
    """Lines of the files that Semgrep says it has scanned: it may leave out some by their directory or size."""
    scanned = json.loads(report.read_text())["paths"]["scanned"]
    return sum(Path(file).read_bytes().count(b"\n") for file in scanned)


def measured_after_a_change(code: Path, command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """The least of three, each once a line was put above one file, which moves all that stands in it."""

    def change(file: Path, _number: int) -> None:
        file.write_bytes(b"\n" + file.read_bytes())

    return least_after(change, code, command, environment)


def measured_after_a_structural_change(code: Path, command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """The least of three, each once one file defines and calls what it did not before."""

    def change(file: Path, number: int) -> None:
        with file.open("a", encoding="utf-8", errors="surrogateescape") as opened:
            opened.write(
                f"\n\ndef added_{number}(url):\n    import time\n    time.sleep(url)\n    return added_{number - 1}()\n"
            )

    return least_after(change, code, command, environment)


def least_after(
    change: Callable[[Path, int], None], code: Path, command: Sequence[str], environment: Mapping[str, str]
) -> Run:
    files = [file for file in sorted(code.rglob("*.py")) if file.stat().st_size > 5000]
    runs = []
    for number in range(3):
        change(files[number * len(files) // 3], number)
        runs.append(measured(command, environment))
    return min(runs, key=lambda run: run.cpu)


def audit_command(*arguments: str) -> list[str]:
    # -P: where it is run, modules may be named like those of the standard library
    return [sys.executable, "-P", "-m", "auditor", *arguments]


def scanning(code: Path, scratch: Path, lines: int) -> Run:
    """Print what cold and warm scans cost; return the cold one in one process."""
    cache = {"AUDIT_CACHE_DIR": str(scratch / "cache")}
    plain = [str(code), "--static", "--exit-zero", "--format", "json"]
    one = typical(audit_command(*plain, "--no-cache", "--jobs", "1"))
    two = typical(audit_command(*plain, "--no-cache", "--jobs", "2"))
    measured(audit_command(*plain), cache)
    warm = measured(audit_command(*plain), cache)
    after = measured_after_a_change(code, audit_command(*plain), cache)
    print(f"cold, one process      {one.cpu:8.2f} s CPU  {lines / one.cpu / 1000:6.2f} klines/s  {one.memory:5.0f} MB")
    together = memory_of(audit_command(*plain, "--no-cache", "--jobs", "2"))
    print(f"cold, two processes    {two.wall:8.2f} s wall, {one.wall / two.wall:.2f} times as fast as one")
    print(f"  memory               {together:8.0f} MB at most in all three together, {two.memory:.0f} MB in the caller")
    print(f"warm, nothing changed  {warm.cpu:8.2f} s CPU  {warm.cpu / one.cpu:6.1%} of cold")
    print(f"warm, one file changed {after.cpu:8.2f} s CPU  {after.cpu - warm.cpu:+.2f} s")
    return one


def repeated(code: Path, files: int, into: Path) -> int:
    """Copy the corpus again and again until there are so many files; return the lines."""
    listed = sorted(code.rglob("*.py"))
    lines = 0
    for number in range(files):
        file = listed[number % len(listed)]
        copy = into / str(number // len(listed)) / file.relative_to(code)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        lines += file.read_bytes().count(b"\n")
    return lines


def scanning_many(code: Path, scratch: Path, files: int) -> None:
    """Print what a warm scan of so many files takes, and the memory of the cold one before it in two processes."""
    many = scratch / "many"
    lines = repeated(code, files, many)
    cache = {"AUDIT_CACHE_DIR": str(scratch / "cache-of-many")}
    plain = audit_command(str(many), "--static", "--exit-zero", "--format", "json", "--jobs", "2")
    cold = measured(plain, cache)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    warm = min((measured(plain, cache) for _ in range(3)), key=lambda run: run.cpu)
    after = measured_after_a_change(many, plain, cache)
    built = measured_after_a_structural_change(many, plain, cache)
    print(f"{files} files, {lines} lines, two processes: {cold.cpu:.1f} s CPU, {cold.wall:.1f} s wall")
    print(f"  memory                 {cold.memory:8.0f} MB in the caller, at most {workers:.0f} MB in any process")
    print(f"  warm, nothing changed  {warm.cpu:8.2f} s CPU  {warm.wall:6.2f} s wall; target 1 s for 10,000 files")
    print(f"  warm, lines moved      {after.cpu:8.2f} s CPU  {after.cpu - warm.cpu:+.2f} s; target 0.1 s more")
    print(f"  warm, a call added     {built.cpu:8.2f} s CPU  {built.cpu - warm.cpu:+.2f} s; target 0.1 s more")


def least(command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
    """Processor time (s), the least of five."""
    return min(measured(command, environment, cwd).cpu for _ in range(5))


def starting(code: Path, scratch: Path) -> None:
    """Print what a start costs above an interpreter's own: of audit, of one file alone, and as a hook."""
    files = sorted(file for file in code.rglob("*.py") if file.stat().st_size < SMALL)
    files = files[:: max(1, len(files) // 20)]
    empty = least([sys.executable, "-c", "pass"])
    version = least(audit_command("--version"))
    each = sorted(least(audit_command(str(file), "--static", "--no-cache", "--exit-zero")) - empty for file in files)
    print(f"audit --version            {version - empty:.3f} s CPU above `python -c pass`; target 0.06")
    print(
        f"audit one_file.py --static {each[len(each) // 2]:.3f} s CPU above `python -c pass`, median of {len(each)}"
        f" files below {SMALL // 1000} kB; at most {each[-1]:.3f}; target 0.35"
    )
    hooking(code, files, scratch, empty)


def hooking(code: Path, files: Sequence[Path], scratch: Path, empty: float) -> None:
    """Print what the hook of pre-commit costs above an interpreter's start, for one changed file."""
    repository, cache = scratch / "repository", scratch / "cache-of-hook"
    shutil.copytree(code, repository)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(repository))
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        subprocess.run([*git, *arguments], check=True, stdout=subprocess.DEVNULL)
    cold, warm = [], []
    for file in files[:: max(1, len(files) // 6)]:
        changed = repository / file.relative_to(code)
        with changed.open("a", encoding="utf-8") as opened:
            opened.write(CHANGE)
        command = audit_command("hook", str(changed))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUDIT_CACHE_DIR": str(cache)}
        told = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
        assert "string-concat-in-loop" in told.stdout, told.stderr
        runs = []
        for _ in range(5):
            shutil.rmtree(cache, ignore_errors=True)
            runs.append(measured(command, {"AUDIT_CACHE_DIR": str(cache)}, repository).cpu)
        cold.append(min(runs) - empty)
        warm.append(least(command, {"AUDIT_CACHE_DIR": str(cache)}, repository) - empty)
        subprocess.run([*git, "checkout", "-q", "--", str(changed)], check=True)
    for name, costs in (("empty cache", sorted(cold)), ("warm cache ", sorted(warm))):
        print(
            f"audit hook, {name}    {costs[len(costs) // 2]:.3f} s CPU above `python -c pass`, median of {len(costs)}"
            f" changed files; at most {costs[-1]:.3f}; target 0.35"
        )


def comparing(tools: Sequence[str], environment: Path, code: Path, lines: int, own: Run) -> None:
    """Print each tool's lines per second of processor time, and audit's over that."""
    # pip has put their bytecode beside them
    os.environ.pop("PYTHONPYCACHEPREFIX", None)
    os.environ["SEMGREP_ENABLE_VERSION_CHECK"] = "0"
    for tool in tools:
        if not installed(tool, environment):
            print(f"{tool}: could not be installed")
            continue
        seen, count = sample(code, lines, SAMPLES.get(tool))
        other = typical(command_of(tool, environment, seen))
        if tool == "semgrep":
            count = scanned_lines(environment / "semgrep.json")
        speed = count / other.cpu
        times = lines / own.cpu / speed
        print(
            f"{tool:<8} {other.cpu:8.2f} s CPU for {count} lines: {speed / 1000:6.2f} klines/s, audit is"
            f" {f'{times:.3g} times as fast' if times >= 1 else f'{1 / times:.3g} times as slow'}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=150, help="about so many files, 0: all (default: 150)")
    parser.add_argument(
        "--corpus", type=Path, action="append", help="directory, may be repeated (default: Python's own)"
    )
    parser.add_argument("--tools", default="ruff,fixit,pylint,perflint,semgrep")
    parser.add_argument("--many", type=int, default=10_000, help="files of the warm scan, copies included; 0: none")
    options = parser.parse_args()
    # what is installed has its bytecode, whatever the environment of this run says
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="audit-bench-") as name:
        scratch = Path(name)
        for number, source in enumerate(options.corpus or [Path(sysconfig.get_paths()["stdlib"])]):
            os.environ["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
            own = scratch / str(number)
            code = own / source.name
            files, lines = corpus(source, options.files, code)
            load = f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores"
            print(f"{source.name}: {files} files, {lines} lines; {load}")
            if not number:
                starting(code, own)
            cold = scanning(code, own, lines)
            if options.many and not number:
                scanning_many(code, own, options.many)
            comparing([tool for tool in options.tools.split(",") if tool], scratch / "tools", code, lines, cold)


if __name__ == "__main__":
    main()
