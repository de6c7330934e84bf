"""Connections opened on behalf of an expression that makes a client or sends a single request.

A connection belongs to a site if, while it is opened, the flagged expression is being evaluated, or a method of an
object that it made is running: in this thread, or in the task that made the task that opens it (clients race several
addresses in tasks of their own). A function around the expression does not suffice: it may open others, too.
"""

from __future__ import annotations

import ast
import os
import sys
from _weakref import ref
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns, thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Dict, List, Set, Tuple

    from auditor.evidence.probes import _behalf, _census, _hosts, _meter, _pools, _requests
    from auditor.evidence.probes._census import Row
else:
    # found by their paths: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)
    _spec = spec_from_file_location("audit_behalf", os.path.join(os.path.dirname(__file__), "_behalf.py"))
    _behalf = module_from_spec(_spec)
    _spec.loader.exec_module(_behalf)
    _spec = spec_from_file_location("audit_hosts", os.path.join(os.path.dirname(__file__), "_hosts.py"))
    _hosts = module_from_spec(_spec)
    _spec.loader.exec_module(_hosts)
    _spec = spec_from_file_location("audit_meter", os.path.join(os.path.dirname(__file__), "_meter.py"))
    _meter = module_from_spec(_spec)
    _spec.loader.exec_module(_meter)
    _spec = spec_from_file_location("audit_pools", os.path.join(os.path.dirname(__file__), "_pools.py"))
    _pools = module_from_spec(_spec)
    _spec.loader.exec_module(_pools)
    _spec = spec_from_file_location("audit_requests", os.path.join(os.path.dirname(__file__), "_requests.py"))
    _requests = module_from_spec(_spec)
    _spec.loader.exec_module(_requests)

NAME = "connection"
NODES = (ast.Call,)

_FUNCTION = type(ast.parse)
MOST_PEERS = 1000
DATAGRAM = 2
# Libraries that connect without Python sockets: what they open is not seen.
BLIND = ("curl_cffi", "pycurl")
_recorders: List[Recorder] = []
# objects made at sites, each with its recorders
_clients = _census.Known()
# code of the methods of their classes, and the classes by address
_methods: Set[Any] = set()
_classes: Dict[int, Any] = {}
# sockets that a connection was counted for, each with the recorders and the peers that it may lead to
_counted = _census.Known()


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> Dict[ast.AST, Any]:
    """Count before the call, so that those count that fail to connect; then let the new client pass."""
    return {node: lambda made: call("made", call("begins"), made)}


class Recorder:
    """Executions and connections of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        self._runtime = runtime
        self._first, self._last = site["line"], site["end_line"]
        self._file = ""
        self._hits = 0
        self._connections = self._requests = 0
        self._making_ns = self._processor_ns = 0
        self._peers: Dict[str, int] = {}
        self._open = _census.Census(_is_open)
        self._waits = _meter.Meter()
        self._unseen = False
        if not _recorders:
            _watch(runtime)
        _recorders.append(self)

    def functions(self) -> Dict[str, Callable[..., Any]]:
        """What the planted code calls."""
        return {"begins": self.begins, "made": self.made}

    def begins(self) -> Tuple[int, int]:
        """The expression begins to be evaluated, by the frame that calls this."""
        try:
            self._hits += 1
            if not self._file:
                # as the running code calls it, which need not be the path of the file
                self._file = sys._getframe(1).f_code.co_filename
            self._runtime.tick()
        except Exception:
            pass
        return perf_counter_ns(), thread_time_ns()

    def made(self, begun: Tuple[int, int], client: Any) -> Any:
        """A client was made, or an answer came."""
        self._making_ns += perf_counter_ns() - begun[0]
        self._processor_ns += thread_time_ns() - begun[1]
        try:
            self._unseen = self._unseen or _pools.waits_unseen(client)
            _clients.add(client, [*(_clients.get(client) or ()), self])
            _know(type(client))
        except Exception:
            pass  # the likes of a string, whose methods open no connections
        return client

    def evaluates(self, frame: Any) -> bool:
        """Whether that frame evaluates the flagged expression."""
        return (
            frame.f_code.co_filename == self._file
            and frame.f_lineno is not None
            and self._first <= frame.f_lineno <= self._last
        )

    def count(self, peers: Sequence[str], number: int) -> None:
        """A connection was opened, or turned out not to have been, to one of those peers."""
        self._connections += number
        for peer in peers:
            if peer in self._peers or len(self._peers) < MOST_PEERS:
                self._peers[peer] = self._peers.get(peer, 0) + number

    def asked(self) -> None:
        """A request was sent over a connection, a new one or one that was kept."""
        self._requests += 1

    def opened(self, sock: Any) -> None:
        """A connection that can be asked whether it is open still."""
        self._open.add(sock)

    def waits(self) -> Any:
        """The time in which callers wait for a connection."""
        return self._waits

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> Dict[str, Any]:
        """What was counted so far."""
        return {
            "hits": self._hits,
            "connections": self._connections,
            "requests": self._requests,
            "peers": [peer for peer, number in self._peers.copy().items() if number > 0],
            "blind": any(name in sys.modules for name in BLIND),
            "making": self._making_ns / 1e9,
            "processor": self._processor_ns / 1e9,
            "open": self._open.peak,
            "waiting": self._waits.record([0, 0, 0]),
            "unseen": self._unseen,
        }

    def reset(self) -> None:
        """A forked process may go on using its copies of the clients."""
        self._hits = self._connections = self._requests = self._making_ns = self._processor_ns = 0
        self._peers = {}
        self._open.forget()
        self._waits.reset()


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Executions and connections add up over processes; a peer is one, whoever connects to it."""
    seen = list(records)
    hits, opened = _census.total(seen, "hits"), _census.total(seen, "connections")
    yield _census.exact("hits", hits, "executions", hits)
    if not opened and any(record["blind"] for record in seen):
        return
    yield _census.exact("connections", opened, "connections", hits)
    yield _census.exact("peers", len({peer for record in seen for peer in record["peers"]}), "peers", opened)
    asked = _census.total(seen, "requests")
    if asked:
        yield _census.exact("requests", asked, "requests", hits)
    if hits:
        yield _census.exact("per_hit", opened / hits, "ratio", hits)
    if not opened:
        # between the two lie waits for the disk and for other threads to give way
        most = sum(record["making"] for record in seen)
        least = min(most, sum(record["processor"] for record in seen))
        yield "making", most, least, most, "s", hits
    yield _census.exact("open_peak", sum(record["open"] for record in seen), "connections", opened)
    if not any(record["unseen"] for record in seen):
        yield from _meter.meter_rows([record["waiting"] for record in seen], "pool_waited")


def _is_open(sock: Any) -> bool:
    return bool(sock.fileno() >= 0)


def _asked(*_: Any) -> None:
    for recorder in _concerned():
        recorder.asked()


def _watch(runtime: Any) -> None:
    _pools.watch(runtime, _census, _concerned)
    _requests.watch(runtime, _census.replace, _census.before(_asked))

    def sockets(module: Any) -> None:
        _census.replace(module.socket, "connect", _connecting)
        _census.replace(module.socket, "connect_ex", _connecting_ex)
        if hasattr(module, "getaddrinfo"):
            _hosts.watch(module, _census)

    def loops(kind: Any) -> None:
        _census.replace(kind, "sock_connect", _awaiting)
        _behalf.watch(kind)

    def uvloop(module: Any) -> None:
        loops(module.Loop)
        _census.replace(module.Loop, "create_connection", _creating)

    runtime.when_imported("socket", sockets)
    runtime.when_imported("gevent._socket3", sockets)
    runtime.when_imported(
        "asyncio.selector_events",
        lambda module: _census.replace(module.BaseSelectorEventLoop, "sock_connect", _awaiting),
    )
    runtime.when_imported("asyncio.base_events", lambda module: _behalf.watch(module.BaseEventLoop))
    runtime.when_imported("uvloop", uvloop)


def _connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `socket.connect`."""

    def connect(sock: Any, *arguments: Any) -> Any:
        try:
            result = original(sock, *arguments)
        except BaseException as error:
            _census.attempt(_answered, sock, getattr(error, "errno", None), *arguments)
            _census.hide_frame(error)
            raise
        _census.attempt(_answered, sock, 0, *arguments)
        return result

    return connect


def _connecting_ex(original: Callable[..., Any]) -> Callable[..., Any]:
    """The same for `connect_ex`, which tells by a number."""

    def connect_ex(sock: Any, *arguments: Any) -> Any:
        try:
            code = original(sock, *arguments)
        except BaseException as error:
            _census.hide_frame(error)
            raise
        _census.attempt(_answered, sock, code, *arguments)
        return code

    return connect_ex


def _awaiting(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `loop.sock_connect`: only here does a connection under way turn out to fail."""

    async def sock_connect(loop: Any, sock: Any, address: Any) -> Any:
        try:
            return await original(loop, sock, address)
        except BaseException as error:
            _census.attempt(_failed, sock)
            _census.hide_frame(error)
            raise

    return sock_connect


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    """For loops that connect without Python sockets."""

    async def create_connection(loop: Any, *arguments: Any, **options: Any) -> Any:
        try:
            result = await original(loop, *arguments, **options)
        except BaseException as error:
            _census.hide_frame(error)
            raise
        if options.get("sock") is None:
            host = options.get("host", arguments[1] if len(arguments) > 1 else None)
            _census.attempt(_created, result[0], host)
        return result

    return create_connection


def _answered(sock: Any, code: Any, address: Any) -> None:
    """The system answered to a connect with that error, or 0. What is under way counts until it fails."""
    import errno  # built in, and imported by `socket`

    if code in (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, errno.EALREADY, errno.EINTR):
        # a datagram socket only remembers the address
        if int(sock.type) & 0xF != DATAGRAM and _counted.get(sock) is None:
            concerned, peers = _count(address)
            _counted.add(sock, (concerned, peers))
            for recorder in concerned:
                recorder.opened(sock)
    elif code != errno.EISCONN:
        _failed(sock)


def _failed(sock: Any) -> None:
    concerned, peers = _counted.get(sock) or ((), ())
    _counted.drop(sock)
    for recorder in concerned:
        recorder.count(peers, -1)


def _created(transport: Any, host: Any) -> None:
    address = transport.get_extra_info("peername")
    _count((host, *address[1:]) if isinstance(host, str) and isinstance(address, tuple) else address)


def _count(address: Any) -> Tuple[Set[Recorder], List[str]]:
    concerned = _concerned()
    peers = _hosts.peers_of(address, _behalf.frames()) if concerned else []
    for recorder in concerned:
        recorder.count(peers, 1)
    return concerned, peers


def _concerned() -> Set[Recorder]:
    """The sites on whose behalf this thread is opening a connection."""
    found: Set[Recorder] = set()
    for frame in _behalf.frames():
        _look(frame, found)
    return found


def _look(frame: Any, found: Set[Recorder]) -> None:
    code = frame.f_code
    for recorder in _recorders:
        if recorder.evaluates(frame):
            found.add(recorder)
    # Locals are looked at in methods of clients alone: before Python 3.13 this makes a copy of all of them, which keeps
    # objects that the program has let go until the frame is done.
    if code in _methods:
        found.update(_clients.get(frame.f_locals.get(code.co_varnames[0])) or ())


def _know(kind: Any) -> None:
    """Note the methods of a class of clients."""
    known = _classes.get(id(kind))
    if known is not None and known() is kind:
        return
    for owner in kind.__mro__:
        for value in tuple(vars(owner).values()):
            method = value.fget if type(value) is property else value
            while type(method) is _FUNCTION:
                if method.__code__.co_argcount:
                    _methods.add(method.__code__)
                method = method.__dict__.get("__wrapped__")
    _classes[id(kind)] = ref(kind)
