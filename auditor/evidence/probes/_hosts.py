"""Which host an address stands for: the name that the program had resolved to it.

Clients keep connections by host and port, not by address: a host may have several addresses, and several hosts one.
Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Dict, List

MOST = 1000
"""Addresses whose names are remembered."""

NAMED = ("host", "hostname", "remote_host", "server_hostname")
"""What those who connect call the host among their local variables."""

_names: Dict[str, Dict[str, None]] = {}


def watch(module: Any, tools: Any) -> None:
    """Remember what the module `socket` resolves. `tools` is the module `_census`."""

    def resolving(original: Callable[..., Any]) -> Callable[..., Any]:
        def getaddrinfo(*arguments: Any, **options: Any) -> Any:
            try:
                found = original(*arguments, **options)
            except BaseException as error:
                tools.hide_frame(error)
                raise
            tools.attempt(_resolved, arguments[0] if arguments else options.get("host"), found)
            return found

        return getaddrinfo

    tools.replace(module, "getaddrinfo", resolving)


def _resolved(host: Any, found: Any) -> None:
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii")
    if not isinstance(host, str) or not host:
        return
    for entry in found:
        address = entry[4][0]
        if address in _names or len(_names) < MOST:
            _names.setdefault(address, {})[host] = None


def peers_of(address: Any, frames: Iterable[Any]) -> List[str]:
    """The peers that a connection to that address may lead to, by host and port; by the address if no name is known.

    Where several names stand for it, the innermost of `frames` that has one of them among its variables tells.
    """
    if not isinstance(address, (tuple, list)):
        return [repr(address)]
    names = list(_names.get(address[0], ()))
    if len(names) > 1:
        names = _told([name for name in names if name != address[0]], frames) or names
    return [repr((name, *address[1:2])) for name in names or [address[0]]]


def _told(names: List[str], frames: Iterable[Any]) -> List[str]:
    for frame in frames:
        # before Python 3.13, to look at local variables makes a copy of all of them
        known = [name for name in NAMED if name in frame.f_code.co_varnames]
        for name in known:
            value = frame.f_locals.get(name)
            if isinstance(value, str) and value in names:
                return [value]
    return []
