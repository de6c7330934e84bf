"""What the static scan costs, as ratios of processor time against other tools, taken side by side in one run.

    python benchmarks/static.py [--files 150] [--tools ruff,fixit,pylint] [--corpus DIRECTORY]
                                [--many 10000]

The corpus is every n-th module of the standard library (or of DIRECTORY) without its tests, copied to a temporary
directory; the tools are installed into a scratch environment there, and one that cannot be installed is named.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = {"ruff": ("ruff",), "fixit": ("fixit>=2",), "pylint": ("pylint", "perflint"), "semgrep": ("semgrep",)}
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """Processor and wall time (s) of a command and its children, and the greatest memory (MB) of any process."""

    cpu: float
    wall: float
    memory: float


def measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
    )
    _, _, own = os.wait4(process.pid, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(cpu=cpu, wall=time.perf_counter() - began, memory=own.ru_maxrss / 1024)


def corpus(source: Path, count: int, into: Path) -> tuple[int, int]:
    """Copy every n-th module; return files and lines."""
    listed = [
        file
        for file in sorted(source.rglob("*.py"))
        if not {"site-packages", "test", "tests", "lib2to3"} & set(file.relative_to(source).parts)
    ]
    chosen = listed[:: max(1, len(listed) // count)]
    lines = 0
    for file in chosen:
        copy = into / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        lines += file.read_bytes().count(b"\n")
    return len(chosen), lines


def installed(tool: str, environment: Path) -> bool:
    if not environment.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q", *PACKAGES[tool]]
    return subprocess.run(pip, check=False, stderr=subprocess.DEVNULL, timeout=300).returncode == 0


def command_of(tool: str, environment: Path, code: Path) -> list[str]:
    binary = str(environment / "bin" / tool)
    return {
        "ruff": [binary, "check", "--isolated", "--no-cache", "--select", "PERF,ASYNC,RUF006,FURB,B", str(code)],
        "fixit": [binary, "lint", str(code)],
        "pylint": [
            binary, "--load-plugins=perflint", "--disable=all", "--enable=W8101,W8102,W8201,W8202,W8204,W8205", "-j1",
            "--recursive=y", str(code),
        ],
        "semgrep": [binary, "--metrics=off", "--jobs=1", "--config", str(semgrep_rules(environment)), str(code)],
    }[tool]  # fmt: skip


def semgrep_rules(environment: Path) -> Path:
    patterns = ("$X = $X + $Y", "time.sleep(...)", "$X.pop(0)", "re.compile(...)", "json.loads(json.dumps(...))")
    text = "rules:\n" + "".join(
        f"- {{id: r{number}, languages: [python], severity: INFO, message: m, pattern: '{pattern}'}}\n"
        for number, pattern in enumerate(patterns)
    )
    file = environment / "rules.yaml"
    file.write_text(text)
    return file


def measured_after_a_change(code: Path, command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Measure once a line was put above one file, which moves all that stands in it."""
    changed = next(file for file in sorted(code.rglob("*.py")) if file.stat().st_size > 5000)
    changed.write_bytes(b"\n" + changed.read_bytes())
    return measured(command, environment)


def audit_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "auditor", *arguments]


def scanning(code: Path, scratch: Path, lines: int) -> Run:
    """Print what cold and warm scans cost; return the cold one in one process."""
    cache = {"AUDIT_CACHE_DIR": str(scratch / "cache")}
    plain = [str(code), "--static", "--exit-zero", "--format", "json"]
    one = measured(audit_command(*plain, "--no-cache", "--jobs", "1"))
    two = measured(audit_command(*plain, "--no-cache", "--jobs", "2"))
    measured(audit_command(*plain), cache)
    warm = measured(audit_command(*plain), cache)
    after = measured_after_a_change(code, audit_command(*plain), cache)
    print(f"cold, one process      {one.cpu:8.2f} s CPU  {lines / one.cpu / 1000:6.2f} klines/s  {one.memory:5.0f} MB")
    print(f"cold, two processes    {two.wall:8.2f} s wall, {one.wall / two.wall:.2f} times as fast as one")
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
    print(f"{files} files, {lines} lines, two processes: {cold.cpu:.1f} s CPU, {cold.wall:.1f} s wall")
    print(f"  memory                 {cold.memory:8.0f} MB in the caller, at most {workers:.0f} MB in any process")
    print(f"  warm, nothing changed  {warm.cpu:8.2f} s CPU  {warm.wall:6.2f} s wall; target 1 s for 10,000 files")
    print(f"  warm, one file changed {after.cpu:8.2f} s CPU  {after.cpu - warm.cpu:+.2f} s; target 0.1 s more")


def starting(code: Path) -> None:
    """Print what a start costs above an interpreter's own, the least of five."""
    file = min(code.rglob("*.py"), key=lambda found: abs(found.stat().st_size - 10_000))

    def least(command: list[str]) -> float:
        return min(measured(command).cpu for _ in range(5))

    empty = least([sys.executable, "-c", "pass"])
    version = least(audit_command("--version"))
    one_file = least(audit_command(str(file), "--static", "--no-cache", "--exit-zero"))
    print(f"audit --version            {version - empty:.3f} s CPU above `python -c pass`; target 0.06")
    print(f"audit one_file.py --static {one_file - empty:.3f} s CPU above `python -c pass`; target 0.35")


def comparing(tools: Sequence[str], environment: Path, code: Path, own: Run) -> None:
    """Print each tool's processor time over audit's."""
    # pip has put their bytecode beside them
    os.environ.pop("PYTHONPYCACHEPREFIX", None)
    os.environ["SEMGREP_ENABLE_VERSION_CHECK"] = "0"
    for tool in tools:
        if not installed(tool, environment):
            print(f"{tool}: could not be installed")
            continue
        other = measured(command_of(tool, environment, code))
        print(f"{tool:<8} {other.cpu:8.2f} s CPU: {other.cpu / own.cpu:.3g} times what audit takes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=150, help="about so many files (default: 150)")
    parser.add_argument("--corpus", type=Path, default=Path(sysconfig.get_paths()["stdlib"]))
    parser.add_argument("--tools", default="ruff,fixit,pylint,semgrep")
    parser.add_argument("--many", type=int, default=10_000, help="files of the warm scan, copies included; 0: none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="audit-bench-") as name:
        scratch = Path(name)
        # what is installed has its bytecode, whatever the environment of this run says
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(scratch / "bytecode")
        code = scratch / "code"
        files, lines = corpus(options.corpus, options.files, code)
        print(f"{files} files, {lines} lines; load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores")
        starting(code)
        own = scanning(code, scratch, lines)
        if options.many:
            scanning_many(code, scratch, options.many)
        comparing([tool for tool in options.tools.split(",") if tool], scratch / "tools", code, own)


if __name__ == "__main__":
    main()
