"""What else is open at the end of a process: files and sockets by where they lead, greenlets, threads of compiled code.

Standard library only, Python 3.8 to 3.14. Descriptors and threads of the system are known on Linux alone.
"""

from __future__ import annotations

import gc
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Dict, List, Set, Tuple

DESCRIPTORS = "/proc/self/fd"
THREADS = "/proc/self/task"
COMPILED = "compiled code"
LOOKS = 5
"""A thread that has ended in Python goes on for a moment in the system."""


class Descriptors:
    """Files and sockets that the process opened, and where in the program its sockets were made."""

    def __init__(self, runtime: Any, tools: Any, own_place: Callable[[Any], str]) -> None:
        self._tools = tools
        self._own_place = own_place
        self._made_at = tools.Known()
        self.reset()
        runtime.when_imported("socket", self._watch)

    def reset(self) -> None:
        """What is open now belongs to whoever started the process."""
        self._before: Set[Tuple[int, str]] = set(_descriptors())

    def _watch(self, module: Any) -> None:
        def made(sock: Any, *arguments: Any) -> None:
            self._made_at.add(sock, self._own_place(sys._getframe(3)))

        self._tools.replace(module.socket, "__init__", self._tools.after(made))

    def open(self) -> Iterator[Tuple[str, str, str]]:
        """Each as (file or socket, where it was made, where it leads)."""
        found = [(number, target) for number, target in _descriptors() if (number, target) not in self._before]
        for _, target in found:
            if target.startswith("/") and not target.startswith(("/dev/", "/proc/")) and not _is_library(target):
                yield "file", "", os.path.dirname(target)
        sockets = [number for number, target in found if target.startswith("socket:")]
        known = _sockets() if sockets else {}
        for number in sockets:
            sock = known.get(number)
            yield "socket", (self._made_at.get(sock) or "") if sock is not None else "", _peer(sock)


def numbers() -> List[int]:
    """Those of all descriptors that are open now, and of the one by which they are listed."""
    try:
        return [int(name) for name in os.listdir(DESCRIPTORS)]
    except OSError:
        return []


def _descriptors() -> List[Tuple[int, str]]:
    found = []
    for number in numbers():
        try:
            found.append((number, os.readlink("%s/%d" % (DESCRIPTORS, number))))
        except OSError:
            pass  # the one by which they were listed
    return found


def _is_library(target: str) -> bool:
    """Whether it is compiled code: libffi keeps its own file open, to map what calls back into Python."""
    name, dot, version = os.path.basename(target).partition(".so")
    return bool(name and dot) and (not version or version.startswith("."))


def _sockets() -> Dict[int, Any]:
    """Python's sockets by their descriptor."""
    kind = getattr(sys.modules.get("_socket"), "socket", None)
    if kind is None:
        return {}
    return {kind.fileno(one): one for one in gc.get_objects() if issubclass(type(one), kind)}


def _peer(sock: Any) -> str:
    """Where it leads, without the port: each connection has one of its own at one end."""
    if sock is None:
        return ""
    kind = sys.modules["_socket"].socket  # type: Any
    for ask, word in ((kind.getpeername, "to "), (kind.getsockname, "at ")):
        try:
            address = ask(sock)
        except OSError:
            continue
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(host, str) and host:
            return word + host
    return ""


def greenlets() -> Dict[int, Any]:
    """Greenlets of gevent that are not done, by identity. The threads that it makes of greenlets are among them."""
    kind = getattr(sys.modules.get("gevent.greenlet"), "Greenlet", None)
    if kind is None:
        return {}
    current = getattr(sys.modules.get("greenlet"), "getcurrent", lambda: None)()
    alive = [one for one in gc.get_objects() if issubclass(type(one), kind) and one is not current]
    return {id(one): one for one in alive if one.started and not one.dead}


def threads_of_the_system(known: int) -> int:
    """How many there are beyond those known."""
    beyond = 0
    for _ in range(LOOKS):
        try:
            beyond = max(0, len(os.listdir(THREADS)) - known)
        except OSError:
            return 0
        if not beyond:
            break
        time.sleep(0.001)
    return beyond
