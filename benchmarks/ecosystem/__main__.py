"""What the rules suspect in large packages from PyPI, and what a change of a rule changes about it.

    python benchmarks/ecosystem [--only celery,scrapy] [--all] [--record]

Downloads the wheels that packages.txt pins (once), scans them with all rules, prints suspects per thousand lines by
rule, and what came and went against recorded.txt, the last run that was recorded with `--record`. Nothing of a
package is installed or run. The exit code is 1 if a rule failed or a scanning process died.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from auditor.scan.cache import cache_directory

HERE = Path(__file__).parent
PINNED = HERE / "packages.txt"
RECORDED = HERE / "recorded.txt"
SHOWN = 10


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A suspect: package, rule, and `path:line`, which a pinned version keeps."""

    package: str
    rule: str
    at: str

    def __str__(self) -> str:
        return f"{self.package} {self.rule} {self.at}"


@dataclass(slots=True)
class Tally:
    """What the scan of some packages gave. Two suspects may share a place."""

    lines: int = 0
    places: Counter[Place] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)


def pinned(only: Sequence[str]) -> list[str]:
    """The requirements of packages.txt, those of the named packages if any is named."""
    listed = [line.strip() for line in PINNED.read_text(encoding="utf-8").splitlines()]
    requirements = [line for line in listed if line and not line.startswith("#")]
    names = {requirement.partition("==")[0] for requirement in requirements}
    if unknown := sorted(set(only) - names):
        raise SystemExit(f"not in {PINNED.name}: {', '.join(unknown)}; there are {', '.join(sorted(names))}")
    return [requirement for requirement in requirements if not only or requirement.partition("==")[0] in only]


def unpacked(requirement: str, store: Path) -> Path:
    """Directory with the package's Python files, downloaded if it is not there."""
    directory = store / requirement
    if directory.is_dir():
        return directory
    wheels = store / "wheels" / requirement
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    choice = ["--only-binary", ":all:", "--ignore-requires-python", "--dest", str(wheels), requirement]
    subprocess.run([*pip, *choice], check=True, timeout=600)
    (wheel,) = wheels.glob("*.whl")
    partial = store / f"{requirement}.partial"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(partial, [name for name in archive.namelist() if name.endswith((".py", ".ipynb"))])
    partial.rename(directory)
    return directory


def scan(package: str, directory: Path, tally: Tally) -> None:
    """Add what the rules suspect in the package to the tally."""
    command = [sys.executable, "-P", "-m", "auditor", str(directory), "--static", "--exit-zero", "--format", "json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory)
    if result.returncode:
        raise SystemExit(f"audit could not scan {package}: {result.stderr.strip()}")
    report = json.loads(result.stdout)
    tally.lines += report["summary"]["lines"]
    for finding in report["findings"]:
        tally.places[Place(package, finding["rule"], f"{finding['path']}:{finding['line']}")] += 1
    for skip in report["skipped"]:
        reason = skip["reason"]
        tally.skipped[reason.partition(":")[0].partition(" at line")[0]] += 1
        if reason.startswith(("rule ", "the process")):
            tally.crashes.append(f"{package} {skip['path']}: {reason}")


def recorded(packages: Iterable[str]) -> Counter[Place]:
    """The suspects of the last recorded run in these packages."""
    if not RECORDED.exists():
        return Counter()
    wanted = set(packages)
    rows = (line.split(" ", 2) for line in RECORDED.read_text(encoding="utf-8").splitlines())
    return Counter(Place(*row) for row in rows if row[0] in wanted)


def record(places: Counter[Place], packages: Iterable[str]) -> None:
    """Write these packages' suspects down in place of those recorded before."""
    everything = {requirement.partition("==")[0] for requirement in pinned(())}
    kept = recorded(everything - set(packages))
    lines = sorted(str(place) for place in (kept + places).elements())
    RECORDED.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def show(tally: Tally, before: Counter[Place], everything: bool) -> None:
    """Print suspects by rule, then what came and what went."""
    came, went = tally.places - before, before - tally.places
    now = Counter(place.rule for place in tally.places.elements())
    new, gone = (Counter(place.rule for place in places.elements()) for places in (came, went))
    print(f"{'rule':<32}{'suspects':>9}{'per 1,000 lines':>17}   against the record")
    for rule, count in sorted((now + gone).items(), key=lambda row: (-now[row[0]], row[0])):
        change = f"+{new[rule]} -{gone[rule]}" if new[rule] or gone[rule] else "same"
        print(f"{rule:<32}{now[rule]:>9,}{1000 * now[rule] / max(tally.lines, 1):>17.4f}   {change if count else ''}")
    total = now.total()
    print(f"{'all':<32}{total:>9,}{1000 * total / max(tally.lines, 1):>17.4f}   +{new.total()} -{gone.total()}")
    for sign, places in (("+", came), ("-", went)):
        listed: Counter[str] = Counter()
        for place in sorted(places.elements(), key=lambda one: (one.rule, one)):
            listed[place.rule] += 1
            if everything or listed[place.rule] <= SHOWN:
                print(f"{sign} {place.rule}  {place.package} {place.at}")
        more = sum(max(0, count - SHOWN) for count in listed.values())
        if more and not everything:
            print(f"{sign} and {more:,} more: --all lists them")
    for reason, count in tally.skipped.most_common():
        print(f"skipped {count:>5,}: {reason}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of packages, separated by commas")
    parser.add_argument("--all", action="store_true", help="list every suspect that came or went")
    parser.add_argument("--record", action="store_true", help="keep this run as what later ones are compared with")
    parser.add_argument("--store", type=Path, default=cache_directory() / "ecosystem", help="where packages are kept")
    options = parser.parse_args()
    requirements = pinned([name for name in options.only.split(",") if name])
    packages = [requirement.partition("==")[0] for requirement in requirements]
    tally = Tally()
    began = time.monotonic()
    for package, requirement in zip(packages, requirements, strict=True):
        print(f"{requirement} ...", file=sys.stderr)
        scan(package, unpacked(requirement, options.store), tally)
    print(f"{len(packages)} packages, {tally.lines:,} lines in {time.monotonic() - began:.0f} s")
    show(tally, recorded(packages), options.all)
    if options.record:
        record(tally.places, packages)
    for crash in tally.crashes:
        print(f"crash: {crash}")
    return int(bool(tally.crashes))


if __name__ == "__main__":
    sys.exit(main())
