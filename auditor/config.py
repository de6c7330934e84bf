"""Settings: the `[tool.audit]` table of the nearest pyproject.toml.

Every threshold carries its reason; `docs/evidence.md` explains how they act together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError
from auditor.model import Service, Workload

# A line through two points fits always; sizes nearer than two doublings tell linear from quadratic by chance.
_LEAST_SIZES = 3
_LEAST_SPREAD = 4

FAIL_ON = ("confirmed", "P0", "P1", "P2", "P3", "suspected", "never")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a cost must reach before it is worth a change. A cost counts only if seconds *and* share are reached.

    seconds: 0.05 s is about what a person notices, and five samples at 100 Hz, the least that sampling tells from none.
    share: 2 % of the run; below it, Amdahl's law bounds the gain to what run-to-run noise hides.
    growth: exponent of the cost per execution against input size; 0 is constant, 1 makes the whole loop quadratic,
        0.5 lies half-way.
    bytes: 10 MiB, about the size of a bare interpreter.
    length: 1,000 items queued: latency, not only memory, is then dominated by waiting.
    survivors: 5 objects of one site alive together after their use; fewer may be a fixed crew of workers.
    reuse: connections opened per execution; 1 means none is ever reused, 0.5 lies half-way to full reuse.
    stall: 0.05 s for one stand-still of an event loop, half of asyncio's own `slow_callback_duration` of 0.1 s.
    """

    seconds: float = 0.05
    share: float = 0.02
    growth: float = 0.5
    bytes: float = 10 * 1024 * 1024
    length: float = 1000
    survivors: float = 5
    reuse: float = 0.5
    stall: float = 0.05


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Patterns of files to leave out, as in a .gitignore that lies in the directory `base` (absolute)."""

    base: Path
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one audit. `root` is the directory that relative settings are relative to.

    `rules` are absolute directories that hold a team's own rules.
    `store` is the file of the evidence store, None where it is not configured.
    `baseline` is the file of known findings, None where it is not configured.
    `require_reason` says whether a suppression counts only with a reason.
    """

    root: Path
    source: Path | None = None
    exclude: tuple[Exclusion, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    fail_on: str = "confirmed"
    timeout: float | None = None
    thresholds: Thresholds = Thresholds()
    workloads: tuple[Workload, ...] = ()
    store: Path | None = None
    require_reason: bool = False
    baseline: Path | None = None


def find_pyproject(start: Path) -> Path | None:
    """The nearest pyproject.toml with a `[tool.audit]` table, at `start` or above it.

    Raises:
        ConfigError: a pyproject.toml on the way is not valid TOML.
    """
    directory = start if start.is_dir() else start.parent
    for candidate in (directory, *directory.parents):
        file = candidate / "pyproject.toml"
        tools = _load_toml(file).get("tool") if file.is_file() else None
        if isinstance(tools, dict) and "audit" in tools:
            return file
    return None


def load_config(start: Path) -> Config:
    """Settings that hold for `start` (an absolute path); the defaults where there is no `[tool.audit]` table.

    Raises:
        ConfigError: the file is not valid TOML, or a key or value is not understood.
    """
    file = find_pyproject(start)
    if file is None:
        return Config(root=start if start.is_dir() else start.parent)
    return parse_config(_load_toml(file)["tool"]["audit"], file)


def parse_config(table: object, file: Path) -> Config:
    """The `[tool.audit]` table of `file`, checked.

    Raises:
        ConfigError: names the key, and the nearest known one.
    """
    where = f"[tool.audit] in {file}"
    settings = _mapping(table, where)
    known = (
        "exclude",
        "select",
        "ignore",
        "rules",
        "fail-on",
        "timeout",
        "thresholds",
        "workloads",
        "store",
        "require-reason",
        "baseline",
    )
    _known(settings, known, where)
    fail_on = settings.get("fail-on", "confirmed")
    if fail_on not in FAIL_ON:
        raise ConfigError(f"{where}: fail-on is {fail_on!r}; use one of {', '.join(FAIL_ON)}")
    timeout = None if settings.get("timeout") is None else _positive(settings["timeout"], f"{where}: timeout")
    return Config(
        root=file.parent,
        source=file,
        exclude=(Exclusion(file.parent, _strings(settings.get("exclude", []), f"{where}: exclude")),),
        select=_strings(settings.get("select", []), f"{where}: select"),
        ignore=_strings(settings.get("ignore", []), f"{where}: ignore"),
        rules=_directories(settings.get("rules", []), f"{where}: rules", file.parent),
        fail_on=fail_on,
        timeout=timeout,
        thresholds=_thresholds(settings.get("thresholds", {}), where),
        workloads=_workloads(settings.get("workloads", {}), where, file.parent, timeout),
        store=file.parent / _string(settings["store"], f"{where}: store") if "store" in settings else None,
        require_reason=_boolean(settings.get("require-reason", False), f"{where}: require-reason"),
        baseline=file.parent / _string(settings["baseline"], f"{where}: baseline") if "baseline" in settings else None,
    )


def workload_sizes(value: object, command: str, where: str) -> tuple[int, ...]:
    """The sizes at which a command is run, in rising order.

    Raises:
        ConfigError: they are too few or too near to one another to fit a line through, or the command has no `{n}`.
    """
    if not isinstance(value, list) or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in value):
        raise ConfigError(f"{where} must be whole numbers above zero, not {value!r}")
    sizes = tuple(sorted(set(value)))
    if len(sizes) < _LEAST_SIZES or sizes[-1] < _LEAST_SPREAD * sizes[0]:
        raise ConfigError(
            f"{where}: give at least {_LEAST_SIZES} sizes, the greatest at least {_LEAST_SPREAD} times the least,"
            " as in 1000, 2000, 4000"
        )
    if "{n}" not in command:
        raise ConfigError(f"{where}: the command {command!r} does not say where they go; write {{n}} in it")
    return sizes


def suggestion(word: str, known: tuple[str, ...], otherwise: str | None = None) -> str:
    """A "did you mean" clause, else `otherwise`, or the list of what is known."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise or f"known: {', '.join(sorted(known))}"


def _load_toml(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}; correct it, or move it out of the way") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error


def _thresholds(table: object, where: str) -> Thresholds:
    settings = _mapping(table, f"{where}: thresholds")
    _known(settings, Thresholds.__match_args__, f"{where}: thresholds")
    return Thresholds(**{key: _positive(value, f"{where}: thresholds.{key}") for key, value in settings.items()})


def _workloads(table: object, where: str, root: Path, timeout: float | None) -> tuple[Workload, ...]:
    found = []
    for name, entry in _mapping(table, f"{where}: workloads").items():
        spot = f"{where}: workloads.{name}"
        settings = {"command": entry} if isinstance(entry, str) else _mapping(entry, spot)
        service = _service(settings, spot)
        _known(settings, ("cwd", "timeout", "sizes", *(("command",) if service is None else _SERVICE)), spot)
        command = f"{service.serve} (under {service.load})" if service else settings.get("command")
        if not isinstance(command, str) or not command.strip():
            raise ConfigError(f'{spot} needs command = "...", or serve, ready and load')
        limit = _positive(settings["timeout"], f"{spot}: timeout") if "timeout" in settings else timeout
        cwd = root / _string(settings.get("cwd", "."), f"{spot}: cwd")
        if not cwd.is_dir():
            raise ConfigError(f"{spot}: cwd {cwd} is not a directory")
        sizes = workload_sizes(settings["sizes"], command, f"{spot}: sizes") if "sizes" in settings else ()
        found.append(Workload(name, command, str(cwd), timeout_s=limit, service=service, sizes=sizes))
    return tuple(found)


_SERVICE = ("serve", "ready", "load", "ready-timeout")


def _service(settings: Mapping[str, Any], spot: str) -> Service | None:
    """The server and its load, None if the workload is a command."""
    if not settings.keys() & set(_SERVICE):
        return None
    if "command" in settings:
        raise ConfigError(f'{spot}: command and serve exclude one another; a load is given as load = "..."')
    texts = {key: _string(settings.get(key, ""), f"{spot}: {key}").strip() for key in ("serve", "ready", "load")}
    missing = [key for key, text in texts.items() if not text]
    if missing:
        raise ConfigError(
            f'{spot} is a service and needs {" and ".join(missing)}, as in serve = "python app.py", '
            'ready = "http://127.0.0.1:8000/health", load = "python load.py"'
        )
    if not texts["ready"].startswith(("http://", "https://", "tcp://")):
        raise ConfigError(f"{spot}: ready is {texts['ready']!r}; give http://..., https://... or tcp://host:port")
    service = Service(texts["serve"], texts["ready"], texts["load"])
    within_s = _positive(settings.get("ready-timeout", service.ready_within_s), f"{spot}: ready-timeout")
    return replace(service, ready_within_s=within_s)


def _known(settings: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    for key in settings:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; {suggestion(key, known)}")


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} must be a table, not {value!r}")
    return value


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{where} must be a string, not {value!r}")
    return value


def _boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where} must be true or false, not {value!r}")
    return value


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{where} must be a list of strings, not {value!r}")
    return tuple(value)


def _directories(value: object, where: str, root: Path) -> tuple[str, ...]:
    found = []
    for name in _strings(value, where):
        directory = root / name
        if not directory.is_dir():
            raise ConfigError(f"{where}: {directory} is not a directory; give one that holds rule files")
        found.append(str(directory.resolve()))
    return tuple(dict.fromkeys(found))


def _positive(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigError(f"{where} must be a number above zero, not {value!r}")
    return float(value)
