"""Telling when an HTTP request is sent over a connection, new or kept. Standard library only, Python 3.8 to 3.14."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SENDERS = (
    # requests, urllib3, urllib.request and http.client itself
    ("http.client", "HTTPConnection", "putrequest"),
    ("httpcore._sync.http11", "HTTP11Connection", "handle_request"),
    ("httpcore._sync.http2", "HTTP2Connection", "handle_request"),
    ("httpcore._async.http11", "AsyncHTTP11Connection", "handle_async_request"),
    ("httpcore._async.http2", "AsyncHTTP2Connection", "handle_async_request"),
    ("aiohttp.client_reqrep", "ClientRequest", "send"),
)
"""Module, class and method. Of a coroutine function the call counts, not its end."""


def watch(runtime: Any, replace: Callable[..., None], noting: Any) -> None:
    """Put `noting(original)` in the place of each method by which a library sends a request."""
    for name, owner, method in SENDERS:

        def hook(module: Any, owner: str = owner, method: str = method) -> None:
            if hasattr(getattr(module, owner, None), method):
                replace(getattr(module, owner), method, noting)

        runtime.when_imported(name, hook)
