"""Probe `cache`: calls, misses and entries of a function with a caching decorator.

The decorated function is held weakly and asked for its `cache_info()` after the first misses, then after some, and at
the end. A miss shows in that the function's own body runs. Hits between the last look and the clearing of a cache are
not seen. Before Python 3.9 caches cannot be held weakly, so their entries are not counted there.
"""

from __future__ import annotations

import ast
import os
from _weakref import ref
from functools import update_wrapper
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _series
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_series", os.path.join(os.path.dirname(__file__), "_series.py"))
    _series = module_from_spec(_spec)
    _spec.loader.exec_module(_series)

NAME = "cache"
NODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Call)

MOST_CACHES = 256
READINGS = 128
"""Readings come as close as one in so many misses so far, which is as close as a series keeps them."""
GLANCE_NS = 20_000
"""What misses more slowly is looked at each time, which takes a microsecond or two."""
QUICKEST_NS = 20
"""No call of a cached function is quicker than that."""
_WRAPPERS = ("fget", "__func__", "func", "__wrapped__")


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`missed()` as the first statement of the body, `made(NAME)` behind the definition.

    `lru_cache(None)(f)` becomes `made(lru_cache(None)(missing(f)))`.
    """
    if isinstance(node, ast.Call):
        return {node: lambda made: _wrap(made, call)}
    return {node: lambda made: _surround(node, made, call)}


def _wrap(made: Any, call: Callable[..., ast.expr]) -> ast.expr:
    made.args[0] = call("missing", made.args[0])
    return call("made", made)


def _surround(node: Any, made: Any, call: Callable[..., ast.expr]) -> list[Any]:
    missed = ast.copy_location(ast.Expr(value=call("missed")), node.body[0])
    node.body.insert(0 if ast.get_docstring(node, clean=False) is None else 1, missed)
    name = ast.copy_location(ast.Name(id=node.name, ctx=ast.Load()), node)
    announced = ast.copy_location(ast.Expr(value=call("made", name)), node)
    return [made, announced]


class _Cache:
    """One decorated function, and what it said when last asked."""

    __slots__ = ("calls", "misses", "reference")

    def __init__(self, reference: Any) -> None:
        self.reference = reference
        self.calls = self.misses = 0


class _Calls:
    """The calls of the caches of one site are the units against which their growth is held."""

    asks = True

    def __init__(self) -> None:
        self.made = 0

    def now(self) -> int:
        """Calls so far, when last looked at."""
        return self.made

    calls = now


class Recorder:
    """All caches of one site: a definition inside a function makes a new one each time."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._calls = _Calls()
        self._series = _series.Series(self._calls)
        self._caches: list[_Cache] = []
        self._begin()

    def _begin(self) -> None:
        self._misses = self._calls.made = self._ran = 0
        self._next = 1
        # when a miss was last looked at, and the calls so far
        self._looked = (0, 0)
        self._missed_ns = 0
        self._unknown = False

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""

        def made(function: Any) -> Any:
            try:
                self._watch(function)
            except Exception:
                self._unknown = True
            return function

        def missing(function: Any) -> Any:
            if not callable(function):
                return function

            def audited(*args: Any, **kwargs: Any) -> Any:
                missed()
                return function(*args, **kwargs)

            # the cache takes its name, text and signature from there
            return update_wrapper(audited, function)

        def missed() -> None:
            self._misses += 1
            self._missed_ns = now = perf_counter_ns()
            if self._misses >= self._next:
                self._read()
                self._looked = (now, self._calls.made)
                self._next = self._misses + max(1, self._misses // READINGS)
                self._runtime.tick()
            elif now - self._looked[0] > GLANCE_NS and len(self._caches) == 1:
                self._read()
                self._looked = (now, self._calls.made)

        return {"made": made, "missed": missed, "missing": missing}

    def _watch(self, function: Any) -> None:
        cached = _cached(function)
        if cached is None:
            self._unknown = True
            return
        if len(self._caches) >= MOST_CACHES:
            self._caches = [cache for cache in self._caches if cache.reference() is not None][-MOST_CACHES // 2 :]
        self._caches.append(_Cache(ref(cached)))

    def _read(self) -> None:
        caches = list(self._caches)
        ran, self._ran = self._misses - self._ran, self._misses
        for cache in caches:
            function = cache.reference()
            if function is None:
                continue
            try:
                info = function.cache_info()
                calls, misses, size = int(info.hits + info.misses), int(info.misses), int(info.currsize)
            except Exception:
                self._unknown = True
                continue
            # a cleared cache begins from zero, so of one that is alone, the runs of its body say more
            fresh = misses - cache.misses if misses >= cache.misses else misses
            self._calls.made += calls - cache.calls if calls >= cache.calls else calls
            cache.misses, cache.calls = misses, calls
            self._series.add(id(function), size, max(fresh, ran) if len(caches) == 1 else fresh)

    def hits(self) -> int:
        """Executions so far."""
        self._read()
        return max(self._calls.made, self._misses)

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        self._read()
        series = self._series.record()
        looked_ns, calls = self._looked
        # misses since the last look were so many calls after it at most; the entry of a miss is seen only afterwards
        since = self._calls.made - calls - (self._missed_ns - looked_ns) // QUICKEST_NS
        quiet = max(series["quiet"], since) if len(self._caches) == 1 or self._missed_ns == looked_ns else 0
        return {"hits": max(self._calls.made, self._misses), "unknown": self._unknown, **series, "quiet": quiet}

    def reset(self) -> None:
        """Forget what the parent did, after a fork; its entries are here, too."""
        self._begin()
        self._series.reset()
        for cache in self._caches:
            function = cache.reference()
            if function is not None:
                try:
                    info = function.cache_info()
                    cache.calls, cache.misses = info.hits + info.misses, info.misses
                except Exception:
                    self._unknown = True


def _cached(function: Any) -> Any:
    """What has the `cache_info`, below property, classmethod and the like."""
    for _ in range(8):
        if function is None or callable(getattr(function, "cache_info", None)):
            return function
        function = next((inner for inner in (getattr(function, name, None) for name in _WRAPPERS) if inner), None)
    return None


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Calls; misses, entries and calls since there were more entries than before, unless a cache does not tell its."""
    from auditor.evidence.probes import _series as series

    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    if not any(record["unknown"] for record in records):
        yield from series.length_rows(records)
