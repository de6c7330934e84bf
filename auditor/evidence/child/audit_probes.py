"""The probes' runtime in a process of the workload: hooks the import of flagged files, counts, writes records down.

Standard library only, Python 3.8 to 3.14. It prints nothing, starts no thread, and changes no file but its own records.
"""

from __future__ import annotations

import atexit
import builtins
import json
import os
import sys
from _thread import allocate_lock, get_ident
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns
from time import time_ns as _time_ns
from types import SimpleNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType, ModuleType
    from typing import Any, Dict, List

HERE = os.path.dirname(os.path.abspath(__file__))
FLUSH_NS = 250_000_000
FIRST_FLUSH_NS = 20_000_000
"""Records are written down at the latest after a tenth of the time since the first were, within these: a worker of a
pool, which is killed when the pool is done, may have lived for a moment only."""
ATTEMPTS = 5
PATIENCE_S = 1.0
"""How long the last words of a process wait for another thread that is writing."""

# As they are before the program begins: it may put others in their place, which refuse to work on an event loop's
# thread, write to a file system in memory, or stop the clock.
_open, _read, _write, _close, _replace, _remove = os.open, os.read, os.write, os.close, os.replace, os.remove
_getpid, _getppid = os.getpid, os.getppid


def install(config: Dict[str, Any]) -> None:
    """Begin: from now on, flagged files are imported with probes planted."""
    Runtime(config)


class Runtime:
    """One per process. `tick`, `on_exit` and `when_imported` are what probes may use."""

    def __init__(self, config: Dict[str, Any]) -> None:
        self._scratch = config["scratch"]
        self._modules = config["modules"]
        self._planting = _load("audit_planting", os.path.join(HERE, "audit_planting.py"))
        self._probes = {name: _load("audit_probe_" + name, file) for name, file in config["probes"].items()}
        self.timing = _load("audit_timing", os.path.join(os.path.dirname(HERE), "probes", "_timing.py"))
        self._sites = {}  # type: Dict[str, List[Dict[str, Any]]]
        self._recorders = {}  # type: Dict[int, Any]
        self._failures = {}  # type: Dict[int, str]
        self._planted = set()  # type: set[str]
        self._endings = []  # type: List[Callable[[], None]]
        self._ended = self._is_lost = False
        self._due = self._first = 0
        self._file = self._fresh_file()
        self._paths = {}  # type: Dict[str, str]
        self._waiting = {}  # type: Dict[str, List[Callable[[Any], None]]]
        self._starts = _load("audit_starts", os.path.join(HERE, "audit_starts.py")).Starts()
        tools = _load("audit_census_tools", os.path.join(os.path.dirname(HERE), "probes", "_census.py"))
        others = _load("audit_open", os.path.join(HERE, "audit_open.py"))
        kept = _load("audit_kept", os.path.join(os.path.dirname(HERE), "probes", "_kept.py"))
        self._growth = _load("audit_growth", os.path.join(HERE, "audit_growth.py")).Growth(tools, kept, others)
        tests = _load("audit_tests", os.path.join(HERE, "audit_tests.py"))
        outer = config["outer_test"]
        self._tests = tests.Tests(self._recorders, self._scratch, outer, self._growth.test_ended)
        self._census = _load("audit_census", os.path.join(HERE, "audit_census.py")).Census(self, tools, others)
        self._loops = _load("audit_loops", os.path.join(HERE, "audit_loops.py")).Loops(self, tools)
        self.idle_ns = self._loops.idle_ns
        self._parent, self._own = _getppid(), _getpid()
        self._writing = allocate_lock()
        for site in config["sites"]:
            self._sites.setdefault(site["file"], []).append(site)
        self.compile = _load("audit_compiling", os.path.join(HERE, "audit_compiling.py")).hook(self, tools)
        codes = _load("audit_unplanted", os.path.join(HERE, "audit_unplanted.py"))
        self._unplanted = codes.Unplanted(self)
        _load("audit_readers", os.path.join(HERE, "audit_readers.py")).hook(self, codes, content)
        self.when_imported("_pytest.assertion.rewrite", self._hook_pytest)
        self.when_imported("_pytest.runner", self._tests.hook)
        self.when_imported("subprocess", self._starts.hook)
        pools = _load("audit_pools", os.path.join(HERE, "audit_pools.py"))
        self.when_imported("multiprocessing.pool", lambda pool: pools.hook(pool, self._rest))
        self._hook_main()
        self._hook_end(tools)
        _load("audit_users", os.path.join(HERE, "audit_users.py")).hook(tools, lambda: self._file)

    # -------------------------------------------------------------------------------------------- what probes may use

    def tick(self) -> None:
        """Called by probes at a hit: writes the records at the first one, then now and then."""
        if perf_counter_ns() >= self._due:
            try:
                self.flush(False)
            except Exception:
                pass  # what was written before stays; the program is not to hear of us

    def _rest(self, is_idle: bool) -> None:
        """Nothing is going on in this process, for now; or it goes on, and the next hit is written down."""
        if is_idle:
            self.flush(False, at_rest=True)
        else:
            self._due = 0

    def on_exit(self, callback: Callable[[], None]) -> None:
        """Have `callback` run before the interpreter joins threads at its end."""
        self._endings.append(callback)

    def when_imported(self, name: str, callback: Callable[[Any], None]) -> None:
        """Have `callback` run with the module as soon as the program has imported it."""
        module = sys.modules.get(name)
        if module is not None:
            callback(module)
        else:
            self._waiting.setdefault(name, []).append(callback)
            if not any(isinstance(finder, _Watch) for finder in sys.meta_path):
                sys.meta_path.insert(0, _Watch(self._waiting))

    # -------------------------------------------------------------------------------------------- importing

    def _hook_pytest(self, rewrite: Any) -> None:
        """Test modules are compiled by pytest itself, which rewrites their assertions."""
        _load("audit_pytest", os.path.join(HERE, "audit_pytest.py")).hook(self, rewrite)

    def _hook_main(self) -> None:
        """A script goes through no loader, but CPython asks the path hooks whether it is a package: claim it there."""
        script = os.path.realpath(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
        if script not in self._sites:
            return
        runtime = self

        def hook(entry: str) -> Any:
            # since Python 3.9 the interpreter asks with the absolute path
            if paths.realpath(entry) != script:
                raise ImportError(entry)
            sys.path_hooks.remove(hook)
            return _load("audit_main", os.path.join(HERE, "audit_main.py")).MainFinder(runtime, entry, script)

        sys.path_hooks.insert(0, hook)

    def planted_code(self, path: str, shown: str, prologue: str = "") -> CodeType:
        """Code of a flagged file with its probes, which are ready to count.

        Raises:
            SyntaxError: as compiling the file would.
        """
        code, failures = self._planting.plant(content(path), shown, self._sites[path], self._probes, prologue)
        self._planted_at(path, failures)
        return code  # type: ignore[no-any-return]

    def planted_tree(self, path: str, shown: str, given: Any = None, flags: int = 0) -> Any:
        """As `planted_code`, for those who compile themselves, `given` being what they made of the file."""
        sites = self._sites[path]
        tree, failures = self._planting.planted_tree(content(path), shown, sites, self._probes, given, flags)
        self._planted_at(path, failures)
        return tree

    def plain_code(self, path: str) -> CodeType:
        """Code of a flagged file as it is without probes.

        Raises:
            SyntaxError: as compiling the file would.
        """
        return self.compile(content(path), path, "exec", dont_inherit=True)  # type: ignore[no-any-return]

    def spans(self, path: str) -> Dict[Any, List[int]]:
        """Ids of a flagged file's sites by (first line, last line, first column, last column) as code tells places."""
        return self._planting.spans(content(path), self._sites[path])  # type: ignore[no-any-return]

    def flagged(self, file: str) -> str:
        """The real path of a file in which probes are to be planted, "" for any other."""
        path = "" if file[:1] == "<" else paths.realpath(file)
        return path if path in self._sites else ""

    def unreachable(self, sites: Iterable[int], reason: str) -> None:
        """Leave word that these sites may run without being counted."""
        self._failures.update(dict.fromkeys(sites, reason))

    def arrived(self, file: str) -> bool:
        """Code of that file came with its probes from another process: these are to be ready. Whether they are."""
        path = self.flagged(file)
        if not path:
            return False
        self._planted_at(path, {})
        return True

    def _planted_at(self, path: str, failures: Dict[int, str]) -> None:
        self._failures.update(failures)
        for site in self._sites[path]:
            if site["id"] not in failures and site["id"] not in self._recorders:
                recorder = self._probes[site["probe"]].Recorder(self, site)
                self._recorders[site["id"]] = recorder
                for role, function in recorder.functions().items():
                    setattr(builtins, self._planting.runtime_name(site["id"], role), function)
        self._planted.add(path)

    def fail(self, path: str, error: Exception) -> None:
        """Leave word that no probes could be planted in a flagged file."""
        reason = "planting failed: %s: %s" % (type(error).__name__, error)
        for site in self._sites.get(path, ()):
            if site["id"] not in self._recorders:
                self._failures[site["id"]] = reason

    # -------------------------------------------------------------------------------------------- ending

    def _hook_end(self, tools: ModuleType) -> None:
        atexit.register(self._end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)
        self.when_imported("threading", self._hook_threading)
        abrupt = _load("audit_ending", os.path.join(HERE, "audit_ending.py"))
        abrupt.hook(tools, self.when_imported, self._leave, self._end)

    def _leave(self, name: str, *arguments: Any) -> None:
        """The program ends on the spot, before it could close what is open: that is not counted as left."""
        try:
            if name == "execve":
                self._starts.look(*arguments[1:])
            self._census.finish()
        except Exception:
            pass
        self._say_last(name == "_exit")

    def _hook_threading(self, threading: Any) -> None:
        """The interpreter and multiprocessing's children end by `threading._shutdown()`, looked up at that moment."""
        original = threading._shutdown

        def shutdown() -> None:
            self._end()
            original()

        threading._shutdown = shutdown

    def _after_fork(self) -> None:
        self._ended = self._is_lost = False
        self._writing = allocate_lock()  # a thread that is not here may hold the old one
        self._due = self._first = 0
        self._file = self._fresh_file()
        # not getppid(), as the parent may have ended by now
        self._parent, self._own = self._own, _getpid()
        self._starts.beyond = []
        self._unplanted.reset()
        self.timing.pace.reset()
        self._census.reset()
        self._growth.reset()
        self._loops.reset()
        for recorder in self._recorders.values():
            recorder.reset()
        self._tests.forked()

    def _end(self) -> None:
        try:
            self._census.finish()
            if not self._ended:
                self._ended = True
                for callback in self._endings:
                    callback()
        except Exception:
            pass  # an ending program is not to hear of us
        self._say_last(True)

    def _say_last(self, final: bool) -> None:
        """Threads that go on may change what is being read, which then is read again."""
        for _ in range(ATTEMPTS):
            try:
                self.flush(final)
            except Exception:
                continue  # what was written before stays
            return

    def flush(self, final: bool, at_rest: bool = False) -> None:
        """Write all records down, whole or not at all; `at_rest` if nothing will happen until they are again.

        One thread does so at a time: what was older would else take the place of what is newer.
        """
        is_last = final or at_rest
        is_alone = self._writing.acquire(is_last, PATIENCE_S if is_last else -1)
        if not (is_alone or is_last):
            return
        try:
            self._write(final, at_rest)
        finally:
            if is_alone:
                self._writing.release()

    def _write(self, final: bool, at_rest: bool) -> None:
        now = perf_counter_ns()
        self._first = self._first or now
        pause = max(FIRST_FLUSH_NS, min(FLUSH_NS, (now - self._first) // 10))
        self._due = now + pause
        self.timing.pace.look()
        self._growth.look()
        loaded = [path for path in self._loaded_files() if path in self._sites]
        state = {
            "final": final,
            "unseen_s": 0.0 if final or at_rest else pause / 1e9,
            "records": {str(key): recorder.record(final) for key, recorder in list(self._recorders.items())},
            "failures": {str(key): reason for key, reason in self._failures.items()},
            "loaded": sorted(self._planted.union(loaded)),
            "unplanted": [path for path in loaded if path not in self._planted],
            "copies": self._copies(),
            "ran": sorted(self._unplanted.ran),
            "counted": {str(site): hits for site, hits in self._unplanted.counted.items()},
            "test": self._tests.current(),
            "beyond": self._starts.beyond,
            "census": self._census.record(),
            "growth": self._growth.record(),
            "loops": self._loops.record(),
            "pid": self._own,
            "orphaned": _getppid() != self._parent,
        }
        fresh = "%s.%d" % (self._file, get_ident())  # two may come here, if one has been waited for in vain
        try:
            _write_down(fresh, json.dumps(state).encode("utf-8"))
            _replace(fresh, self._file)
            self._note_loss(False)
        except OSError:
            # disk full, or the audit is over
            self._note_loss(True)

    def _note_loss(self, is_lost: bool) -> None:
        """Leave word that what is written down is not all there was; an empty file needs no room on a full disk."""
        if is_lost == self._is_lost:
            return
        try:
            if is_lost:
                _write_down(self._file + ".lost", b"")
            else:
                _remove(self._file + ".lost")
            self._is_lost = is_lost
        except OSError:
            pass

    def _fresh_file(self) -> str:
        """A program that replaces itself by another keeps its process id."""
        return os.path.join(self._scratch, "probes-%d-%d.json" % (_getpid(), _time_ns()))

    def _loaded_files(self) -> List[str]:
        if self._planted >= set(self._sites):
            return []
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        for file in files:
            if isinstance(file, str) and file not in self._paths:
                self._paths[file] = paths.realpath(file)
        return sorted({self._paths[file] for file in files if isinstance(file, str)})

    def _copies(self) -> Dict[str, str]:
        """Files that were loaded under the names of flagged ones."""
        found = {}
        for path, name in self._modules.items():
            file = getattr(sys.modules.get(name), "__file__", None)
            if path not in self._planted and isinstance(file, str) and self._paths.get(file, path) != path:
                found[path] = self._paths[file]
        return found


_PORTION = 65_536
"""Bytes read at once. glibc fetches blocks above 128 KiB from the system and gives them back, until one was freed: then
it keeps blocks of that size. A large buffer of ours would make the program's own cheaper than they are without us."""


def content(file: str) -> bytes:
    """What is in a file."""
    descriptor = _open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return b"".join(iter(lambda: _read(descriptor, _PORTION), b""))
    finally:
        _close(descriptor)


def _write_down(file: str, data: bytes) -> None:
    descriptor = _open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        while data:
            data = data[_write(descriptor, data) :]
    finally:
        _close(descriptor)


class _Watch:
    """A finder that finds nothing itself, but lets callbacks know once a module is there."""

    def __init__(self, waiting: Dict[str, List[Callable[[Any], None]]]) -> None:
        self._waiting = waiting

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self._waiting:
            return None
        callbacks = self._waiting.pop(name)
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        original = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            original(module)
            for callback in callbacks:
                try:
                    callback(module)
                except Exception:
                    pass  # a probe that cannot hook in counts less; the program goes on

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _load(name: str, file: str) -> Any:
    """A module of ours, from its file, known to nobody else."""
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _own_paths() -> Any:
    """`os.path` with the functions of `os` that there are now."""
    file = getattr(os.path, "__file__", None)
    if file is None:
        return os.path
    own = _load("audit_paths", file)
    own.os = SimpleNamespace(**vars(os))
    return own


paths = _own_paths()
