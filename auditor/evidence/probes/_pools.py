"""Where callers wait for a connection of a full pool, and which libraries make them wait out of sight.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, List

# Where libraries wait for a connection of a full pool: module, class, method, whether it is a coroutine function.
WAITS = (
    ("aiohttp.connector", "BaseConnector", "_wait_for_available_connection", True),
    ("httpcore._async.connection_pool", "AsyncPoolRequest", "wait_for_connection", True),
    ("httpcore._sync.connection_pool", "PoolRequest", "wait_for_connection", False),
    ("sqlalchemy.util.queue", "Queue", "get", False),
)
# Their pools, and those of libraries that open another connection when the pool is full, unless told to block.
SEEN_WAITING = ("aiohttp", "httpx", "httpcore", "sqlalchemy")
OVERFLOWING = ("requests", "requests_toolbelt", "urllib3")


def waits_unseen(client: Any) -> bool:
    """Whether callers may wait for a connection of it where nobody sees that."""
    library = type(client).__module__.partition(".")[0]
    if library not in OVERFLOWING:
        return library not in SEEN_WAITING
    options = vars(client)
    return bool(
        options.get("block") or options.get("_pool_block") or options.get("connection_pool_kw", {}).get("block")
    )


def watch(runtime: Any, tools: Any, concerned: Callable[[], Iterable[Any]]) -> None:
    """Time those waits. `tools` is the module `_census`; `concerned` gives the recorders on whose behalf it waits."""
    pausing, blocking = _pausing(tools, concerned), _blocking(tools, concerned)
    for name, owner, method, is_async in WAITS:

        def hook(module: Any, owner: str = owner, method: str = method, is_async: bool = is_async) -> None:
            tools.replace(getattr(module, owner), method, pausing if is_async else blocking)

        runtime.when_imported(name, hook)


class _Wait:
    """One caller that waits, on behalf of some sites."""

    def __init__(self, concerned: Callable[[], Iterable[Any]]) -> None:
        self._concerned = concerned
        self._begun: List[Any] = []

    def begin(self) -> None:
        """It begins to wait."""
        self._begun = [(recorder.waits(), recorder.waits().begin()) for recorder in self._concerned()]

    def end(self) -> None:
        """It has its connection, or has given up."""
        now = perf_counter_ns()
        for meter, since in self._begun:
            meter.end(since, now)


def _pausing(tools: Any, concerned: Callable[[], Iterable[Any]]) -> Callable[..., Any]:
    """For a coroutine function that waits for a connection."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def wait(*arguments: Any, **options: Any) -> Any:
            waiting = _Wait(concerned)
            tools.attempt(waiting.begin)
            try:
                return await original(*arguments, **options)
            except BaseException as error:
                tools.hide_frame(error)
                raise
            finally:
                tools.attempt(waiting.end)

        return wait

    return make


def _blocking(tools: Any, concerned: Callable[[], Iterable[Any]]) -> Callable[..., Any]:
    """The same for a function."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wait(*arguments: Any, **options: Any) -> Any:
            waiting = _Wait(concerned)
            tools.attempt(waiting.begin)
            try:
                return original(*arguments, **options)
            except BaseException as error:
                tools.hide_frame(error)
                raise
            finally:
                tools.attempt(waiting.end)

        return wait

    return make
