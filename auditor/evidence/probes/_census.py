"""What several probes share: a weak census of objects, replacing methods unnoticed, exact counts.

Standard library only, Python 3.8 to 3.14. `_weakref` is built in; `weakref` may be one import more in the program.
"""

from __future__ import annotations

import functools
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Dict, Iterator, Optional, Tuple

    Row = Tuple[str, float, float, float, str, int]

EXACT_TO = 256
SLACK = 16


class Ref(ref):  # type: ignore[type-arg]  # subscripts of builtins need 3.9
    """A weak reference with what is remembered about its object."""

    __slots__ = ("counted", "has_begun", "key", "mark")

    has_begun: bool
    key: int
    mark: Any
    counted: bool


class Known:
    """Objects by identity, held weakly, each with something remembered about it.

    `farewell` is called with what was remembered when the object is gone.
    """

    def __init__(self, farewell: Optional[Callable[[Any], None]] = None) -> None:
        self._kept: Dict[int, Ref] = {}
        self._farewell = farewell

    def add(self, thing: Any, mark: Any = True) -> None:
        """Remember an object.

        Raises:
            TypeError: it cannot be referred to weakly.
        """
        entry = Ref(thing, self._forget)
        entry.key = id(thing)
        entry.mark = mark
        self._kept[entry.key] = entry

    def get(self, thing: Any) -> Any:
        """What is remembered about it, or None."""
        entry = self._kept.get(id(thing))
        return entry.mark if entry is not None and entry() is thing else None

    def drop(self, thing: Any) -> None:
        """Forget an object."""
        self._kept.pop(id(thing), None)

    def _forget(self, entry: Ref) -> None:
        # called before the address can be another object's
        if self._kept.get(entry.key) is entry:
            del self._kept[entry.key]
            if self._farewell is not None:
                attempt(self._farewell, entry.mark)


class Census:
    """Objects made at one site, held weakly, and how many of them were alive at once.

    Objects are looked through only when there may be more of them alive than ever before. Up to `exact_to` alive the
    peak is exact, above it may be one sixteenth too low, so that an object costs a fixed number of looks. `later` says
    that an object may come alive after it was made, as a client does that connects when it is first used; the peak may
    then be too low by those that did since the last look.
    """

    def __init__(self, alive: Callable[[Any], bool], exact_to: int = EXACT_TO, later: bool = False) -> None:
        self._alive = alive
        self._exact_to = exact_to
        self._later = later
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._kept: Dict[int, Ref] = {}
        self._gone: Dict[int, Ref] = {}
        self._waiting = 0
        self.peak = 0

    def add(self, thing: Any, mark: Any = None) -> None:
        """Watch an object from now on.

        Raises:
            TypeError: it cannot be referred to weakly.
        """
        entry = Ref(thing)
        entry.mark = mark
        entry.counted = entry.has_begun = False
        self._kept[id(thing)] = entry
        known = self.peak if self.peak < self._exact_to else self.peak + self.peak // SLACK
        if len(self._kept) > known + self._waiting:
            self.sweep()

    def sweep(self) -> int:
        """Count those alive now, and forget the others."""
        alive = waiting = 0
        gone = {}
        for key, entry in self._kept.copy().items():
            thing = entry()
            if thing is not None and self._alive(thing):
                alive += 1
                entry.has_begun = True
            elif thing is not None and self._later and not entry.has_begun:
                waiting += 1
            elif self._kept.get(key) is entry:
                self._kept.pop(key, None)
                if thing is None:
                    gone[key] = entry
        self._gone, self._waiting = gone, waiting
        self.peak = max(self.peak, alive)
        return alive

    def living(self) -> Iterator[Tuple[Any, Ref]]:
        """The objects alive now."""
        for entry in list(self._kept.copy().values()):
            thing = entry()
            if thing is not None and self._alive(thing):
                yield thing, entry

    def find(self, thing: Any, mark: Any = None) -> Any:
        """The reference to an object, even if it is being destroyed, else None.

        The garbage collector clears references before it finalises. By then an object is known by its address and
        its mark, which another one at the same address does not share.
        """
        for known in (self._kept, self._gone):
            entry = known.get(id(thing))
            if entry is not None:
                found = entry()
                if found is thing or (found is None and mark is not None and entry.mark == mark):
                    return entry
        return None


def total(records: Iterable[Mapping[str, Any]], name: str) -> int:
    """The sum over processes."""
    return sum(int(record[name]) for record in records)


def exact(metric: str, value: float, unit: str, n: int) -> Row:
    """The row of a number that was counted, not estimated."""
    return metric, value, value, value, unit, n


def replace(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put `make(original)` in the place of a function of a class or module; it goes by the original's name.

    Functions are pickled by the name of their module: `os._exit` says that it is of `posix`, where the original stays.
    """
    original = getattr(owner, name)
    replacement = functools.update_wrapper(make(original), original)
    if isinstance(owner, type(functools)):
        replacement.__module__ = owner.__name__
    setattr(owner, name, replacement)


def after(what: Callable[..., None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For `replace`: have `what(*arguments)` run after each call that succeeds."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*arguments: Any, **options: Any) -> Any:
            try:
                result = original(*arguments, **options)
            except BaseException as error:
                hide_frame(error)
                raise
            attempt(what, *arguments)
            return result

        return replacement

    return make


def before(what: Callable[..., None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For `replace`: have `what(*arguments)` run before each call."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*arguments: Any, **options: Any) -> Any:
            attempt(what, *arguments)
            try:
                return original(*arguments, **options)
            except BaseException as error:
                hide_frame(error)
                raise

        return replacement

    return make


def hide_frame(error: BaseException) -> None:
    """Take the frame that caught it off the traceback; a bare `raise` does not put it back (from 3.11 on)."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next


def attempt(what: Callable[..., None], *arguments: Any) -> None:
    """Do it; what goes wrong in it must not reach the program."""
    try:
        what(*arguments)
    except Exception:
        pass
