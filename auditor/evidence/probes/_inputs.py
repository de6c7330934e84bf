"""Telling whether two inputs are the same without running code of the program and without keeping them.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import marshal
import os
import sys
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

LONGEST = 100_000
"""Items up to which a list, dict or set is compared by what is in it."""

_stat = os.stat  # the program may put another in its place

_MODULE = type(sys)
_FUNCTION = type(lambda: None)
_BUILTIN = type(len)
_TEXTS = (str, bytes)
_CONTAINERS = (list, tuple, dict, set, frozenset, complex)
_EMPTY: Dict[int, int] = {}
_VIEWS = (type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items()))
_GENERATOR = type(_ for _ in ())
_FILES = ("TextIOWrapper", "BufferedReader", "BufferedRandom", "FileIO")
_VALUES = ("datetime", "decimal", "_decimal", "uuid", "re", "fractions", "zoneinfo", "ipaddress")
"""Modules of the standard library whose objects never change and have a hash of their own."""
_CLIENTS = ("requests", "httpx", "aiohttp", "niquests")
_CLIENT = ("Session", "Client", "AsyncClient", "ClientSession", "AsyncSession")
"""Clients of HTTP. What they are asked for decides, not which of them is asked."""


class Numbers:
    """Objects by identity: each has a number for as long as it lives, which no other has before or after."""

    def __init__(self) -> None:
        self._kept: Dict[int, Any] = {}
        self._last = 0

    def knows(self, thing: Any) -> bool:
        """Whether it has its number already."""
        known = self._kept.get(id(thing))
        return known is not None and known[0]() is thing

    def of(self, thing: Any) -> Optional[int]:
        """None if it cannot be referred to weakly: another may take its address unnoticed."""
        key = id(thing)
        known = self._kept.get(key)
        if known is not None and known[0]() is thing:
            return int(known[1])
        try:
            reference = ref(thing, lambda _, key=key: self._kept.pop(key, None))  # type: ignore[misc]
        except TypeError:
            return None
        self._last += 1
        self._kept[key] = (reference, self._last)
        return self._last


def fingerprint(value: Any) -> Optional[int]:
    """Equal for equal inputs and almost surely not for others; None if that cannot be told.

    Texts and numbers are compared by value, containers of the built-in types and views of a dict by content, paths as
    text, generators that have not begun by their function and its arguments; classes, modules and functions without a
    closure by identity.
    """
    kind = type(value)
    if kind in _TEXTS or value is None:
        return hash((kind, value))
    if kind is int:
        # the hashes of -1 and -2 are the same
        return hash((kind, 2 * value + 1))
    if kind is float:
        return hash((kind, value.hex()))
    if kind is bool or kind is _MODULE or kind is _BUILTIN or issubclass(kind, type):
        return _of_builtin(value)
    if kind in _CONTAINERS:
        return _content(value)
    if kind in _VIEWS:
        made = _content(tuple(value)) if len(value) <= LONGEST else None
        return None if made is None else hash((kind, made))
    if kind is range:
        return hash((kind, marshal.dumps((value.start, value.stop, value.step), 0)))
    if kind is _GENERATOR:
        return _generator(value)
    if kind is bytearray:
        return hash((kind, bytes(value))) if len(value) <= LONGEST * 8 else None
    if kind is _FUNCTION:
        return None if value.__closure__ or value.__defaults__ else hash((kind, id(value.__code__)))
    return _of_the_library(value, kind)


def _of_builtin(value: Any) -> Optional[int]:
    owner = getattr(value, "__self__", None) if type(value) is _BUILTIN else None
    if owner is not None and type(owner) is not _MODULE and not isinstance(owner, type):
        return None  # a bound method, whose object says what it does
    return hash((type(value), id(value)))


def _content(value: Any) -> Optional[int]:
    if type(value) is not complex and len(value) > LONGEST:
        return None
    try:
        # version 0 writes a text the same way whether it is interned or not
        return hash((type(value), marshal.dumps(value, 0)))
    except Exception:
        return None  # something in it is of another type


def _generator(value: Any) -> Optional[int]:
    """What a generator will yield if nothing else changes: `folder.glob("*.py")`, made anew of the same arguments."""
    frame, code = value.gi_frame, value.gi_code
    if frame is None or code.co_freevars or value.gi_running or getattr(value, "gi_suspended", frame.f_lasti >= 0):
        return None
    parts = []
    for name, argument in sorted(frame.f_locals.items()):
        made = fingerprint(argument)
        if made is None:
            return None
        parts.append((name, made, state_of_file(argument)))
    return hash((_GENERATOR, id(code), tuple(parts)))


def _of_the_library(value: Any, kind: type) -> Optional[int]:
    try:
        module = kind.__dict__.get("__module__") or kind.__module__
        if type(module) is not str:
            return None
        if module.partition(".")[0] == "pathlib":
            return hash((str, str(value)))
        if module in _VALUES:
            return hash((kind, value))
        if module.partition(".")[0] in _CLIENTS and kind.__name__ in _CLIENT:
            return hash((kind, str(value.__dict__.get("_base_url"))))
    except Exception:
        return None
    return None


def is_open_file(value: Any) -> bool:
    """Whether it is a file object as `open` makes them."""
    return type(value).__module__ == "_io" and type(value).__name__ in _FILES


def file_behind(value: Any) -> Optional[int]:
    """Which file an open file object reads, and in which state it is; None if that cannot be told."""
    try:
        name = value.name
        return hash((type(value), name, state_of_file(name))) if type(name) in _TEXTS else None
    except Exception:
        return None


def state_of_file(value: Any) -> int:
    """When the file of that path was changed and how long it is; 0 for what is no path of a file."""
    kind = type(value)
    try:
        if kind not in _TEXTS and kind.__module__.partition(".")[0] != "pathlib":
            return 0
        state = _stat(value)
    except Exception:
        return 0
    return hash((state.st_mtime_ns, state.st_size, state.st_ino))
