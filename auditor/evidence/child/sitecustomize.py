"""Runs at the start of every Python process of a measured workload, before any of its code.

Standard library only, Python 3.8 to 3.14. It must not be noticed: it takes its own directory off sys.path, lets the
sitecustomize that would have run without it run, prints nothing, and lets no error of its own out.
"""

# Imports wait until they are needed, and pathlib, contextlib and typing are not used: each would be imported into
# every process of the workload.

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))


def _load(spec: ModuleSpec) -> ModuleType:
    """Import by spec; the module takes its place in sys.modules, even that of this one."""
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]  # callers checked
    return module


def _chain() -> None:
    """Run the sitecustomize that this one stands before; its errors are the workload's own and pass through."""
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        _load(spec)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)


def _mark(config: dict[str, Any], note: str = "") -> None:
    """Leave word that this process was reached, and what could not be done in it."""
    import json

    marker = {
        "pid": os.getpid(),
        "executable": sys.executable or "",
        "version": ".".join(map(str, sys.version_info[:3])),
        "argv": list(getattr(sys, "orig_argv", ())),
        "note": note,
    }
    _write(os.path.join(config["scratch"], f"reached-{os.getpid()}.json"), json.dumps(marker))


def _gate(config: dict[str, Any]) -> None:
    """Wait until the sampler watches this process; its descendants are watched through it, so they do not wait."""
    import _socket  # `socket` would import a dozen modules into the workload

    del os.environ["AUDIT_CHILD"]
    if config["pythonpath"] is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = config["pythonpath"]
    _mark(config)
    gate = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        gate.settimeout(config["patience_s"])
        gate.connect(config["gate"])
        gate.send(str(os.getpid()).encode())
        gate.recv(1)
    except OSError:
        pass  # nobody is there to open the gate; the workload goes on
    finally:
        gate.close()


def _tracker(config: dict[str, Any]) -> Any:
    """A tracker of this interpreter's own memray, else of the auditor's if built for the same Python, else None."""
    import time
    from importlib import import_module

    def create() -> Any:
        # a process that goes on as another program by exec keeps its number
        capture = os.path.join(config["scratch"], f"memray-{os.getpid()}-{time.time_ns()}.bin")
        memray = import_module("memray")
        # it warns on standard error of a Python that is linked in one piece, which the workload would not
        getattr(sys.modules.get("memray._memray"), "set_log_level", int)(40)
        return memray.Tracker(capture, follow_fork=True)

    try:
        return create()
    except ImportError:
        if sys.implementation.cache_tag != config["memray_tag"]:
            return None
    before = set(sys.modules)
    sys.path.append(config["memray_site"])
    try:
        return create()
    except ImportError:
        return None
    finally:
        sys.path.remove(config["memray_site"])
        # What memray brought along (rich, ...) must not stand in for the workload's own version of it.
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None) or ""
            if origin.startswith(config["memray_site"] + os.sep) and name.partition(".")[0] != "memray":
                del sys.modules[name]


def _memray(config: dict[str, Any]) -> None:
    tracker = _tracker(config)
    if tracker is None:
        _mark(config, "no memray")
        return
    import atexit

    _enter_in_a_thread(tracker)
    atexit.register(tracker.__exit__, None, None, None)
    _mark(config)


def _enter_in_a_thread(tracker: Any) -> None:
    """Start tracking, which holds for all threads, from one of its own.

    memray hides as many outer frames of every later stack as the starting thread had at the start: from here, a dozen
    frames deep in the import of `site`, that would be the workload's own.
    """
    import _thread

    failures = []
    done = _thread.allocate_lock()
    done.acquire()

    def enter() -> None:
        try:
            tracker.__enter__()
        except BaseException as error:
            failures.append(error)
        finally:
            done.release()

    _thread.start_new_thread(enter, ())
    done.acquire()
    if failures:
        raise failures[0]


def _probes(config: dict[str, Any]) -> None:
    from importlib.machinery import PathFinder

    try:
        _mark(config)
    except OSError:
        pass  # disk full: the probes are the more needed, and say so themselves
    spec = PathFinder.find_spec("audit_probes", [HERE])
    assert spec is not None
    _load(spec).install(config)


def _work() -> None:
    file = os.environ.get("AUDIT_CHILD")
    if not file:
        return
    try:
        import json

        with open(file, encoding="utf-8") as stream:
            config = json.load(stream)
        {"gate": _gate, "memray": _memray, "probes": _probes}[config["mode"]](config)
    except Exception:
        _report(os.path.dirname(file))


def _report(scratch: str) -> None:
    import traceback

    try:
        _write(os.path.join(scratch, f"child-error-{os.getpid()}.txt"), traceback.format_exc())
    except OSError:
        pass  # the audit is over and its directory gone


sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != HERE]
try:
    _chain()
finally:
    _work()
