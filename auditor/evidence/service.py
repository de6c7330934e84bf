"""Running a server under its load: started, waited for, loaded, asked to end, and ended if it does not."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from auditor.errors import WorkloadError
from auditor.evidence.supervise import Child, ChildResult, resolve_command, run_child
from auditor.model import Service

GRACE_S = 10.0
"""How long a server may take to end after it was asked to: open connections are served to their end first."""

INSIST_S = 3.0
"""How long it may take after SIGTERM, before it is killed."""

AFTERMATH_S = 2.0
"""How long the load may go on when the server is gone, so that it can say what it saw."""

_POLL_S = 0.05
_ANSWER_S = 5.0


def run_service(
    service: Service,
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    timeout_s: float | None,
    stdin: Path | None,
    stop: threading.Event,
) -> ChildResult:
    """Run the server in `env` and its load in audit's own environment, until the load ends.

    The result is the server's but for the exit code, which is that of the load, since the server ends by our wish. If
    the server ended before, or was never ready, the run failed, and the remarks say how.

    Raises:
        WorkloadError: a program cannot be found or started, or the address makes no sense.
    """
    service = _with_port(service)
    address = _Address.parse(service.ready)
    if not stop.is_set() and address.is_taken():
        raise WorkloadError(
            f"something answers at {service.ready} although the server was not started yet; end it, "
            "or write {port} for the port in serve, ready and load, so that a free one is taken"
        )
    load = resolve_command(service.load, cwd)
    # the gate of a pass is for the server alone, so it must be the server that meets it first
    with Child(resolve_command(service.serve, cwd), cwd, env, None) as server:
        problem = _wait_until_ready(server, address, service, timeout_s, stop)
        loaded = None
        if not problem and not stop.is_set():
            left_s = None if timeout_s is None else max(0.0, timeout_s - server.age_s)
            loaded = run_child(
                load, cwd=cwd, env=os.environ, timeout_s=left_s, stdin=stdin, stop=_Until(stop, server)
            )  # fmt: skip
        code_before = server.exit_code
        remark = _end(server)
    whole = server.result(timed_out=False, stopped=stop.is_set())
    if loaded is None:
        return replace(whole, exit_code=code_before or None, remarks=(problem,) if problem else ())
    return _joined(whole, loaded, code_before, remark)


def _joined(whole: ChildResult, loaded: ChildResult, code_before: int | None, remark: str) -> ChildResult:
    timed_out = loaded.timed_out
    if code_before is not None and not timed_out:
        gone = (
            f"the server ended by itself, with exit code {code_before}, before the load did; {_said(whole.last_lines)}"
        )
        return replace(whole, exit_code=code_before or loaded.exit_code, remarks=(gone,))
    return replace(
        whole,
        exit_code=loaded.exit_code,
        timed_out=timed_out,
        stopped=whole.stopped and not timed_out,
        last_lines=loaded.last_lines if loaded.exit_code else whole.last_lines,
        remarks=(remark,) if remark else (),
    )


class _Until(threading.Event):
    """Set when the user interrupts, and a while after the server is gone: a load without a server may wait for ever."""

    def __init__(self, stop: threading.Event, server: Child) -> None:
        super().__init__()
        self._stop = stop
        self._server = server
        self._gone_at: float | None = None

    def is_set(self) -> bool:
        if self._gone_at is None and self._server.exit_code is not None:
            self._gone_at = time.monotonic()
        return self._stop.is_set() or (self._gone_at is not None and time.monotonic() - self._gone_at >= AFTERMATH_S)


def _with_port(service: Service) -> Service:
    if not any("{port}" in text for text in (service.serve, service.ready, service.load)):
        return service
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return replace(
        service,
        serve=service.serve.replace("{port}", port),
        ready=service.ready.replace("{port}", port),
        load=service.load.replace("{port}", port),
    )


def _end(server: Child) -> str:
    """Ask the server to end as Ctrl-C does, then as a process manager does; a remark if it did not end well."""
    if server.exit_code is not None:
        return ""
    for number, within_s in ((signal.SIGINT, GRACE_S), (signal.SIGTERM, INSIST_S)):
        server.signal(number)
        if server.wait(within_s):
            code = server.exit_code
            fine = (0, -signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGTERM)
            return "" if code in fine else f"the server ended with exit code {code} when it was asked to end"
    return f"the server did not end within {GRACE_S + INSIST_S:.0f} s of being asked to, and was killed"


# ------------------------------------------------------------------------------------------------
# Being ready


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a server answers when it is ready. Nothing else is contacted: redirects and proxies are not followed."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> _Address:
        parts = urlsplit(text)
        try:
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        except ValueError:
            port = 0
        if not parts.hostname or not port:
            raise WorkloadError(f"the address ready = {text!r} names no host and port; correct it")
        query = f"?{parts.query}" if parts.query else ""
        return cls(parts.scheme, parts.hostname, port, (parts.path or "/") + query)

    def is_taken(self) -> bool:
        """Whether somebody listens there."""
        try:
            socket.create_connection((self.host, self.port), _ANSWER_S).close()
        except OSError:
            return False
        return True

    def refusal(self) -> str:
        """Why the server is not ready; "" if it is."""
        try:
            if self.scheme == "tcp":
                socket.create_connection((self.host, self.port), _ANSWER_S).close()
                return ""
            status = self._status()
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        return "" if status < 400 else f"it answers with status {status}"

    def _status(self) -> int:
        connection: http.client.HTTPConnection
        if self.scheme == "https":
            # a certificate made for development is as good as any here
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=_ANSWER_S, context=context)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=_ANSWER_S)
        try:
            connection.request("GET", self.path, headers={"Connection": "close"})
            return connection.getresponse().status
        finally:
            connection.close()


def _wait_until_ready(
    server: Child, address: _Address, service: Service, timeout_s: float | None, stop: threading.Event
) -> str:
    """What kept the server from being ready; "" if it is, or if the user interrupts."""
    within_s = service.ready_within_s if timeout_s is None else min(timeout_s, service.ready_within_s)
    while not stop.is_set():
        if server.exit_code is not None:
            server.drain()
            code = server.exit_code
            return f"the server ended with exit code {code} before it was ready; {_said(server.last_lines())}"
        refusal = address.refusal()
        if not refusal:
            return ""
        if server.age_s >= within_s:
            return (
                f"the server was not ready within {within_s:.0f} s: {service.ready} says: {refusal}; "
                f"correct ready, or raise ready-timeout; {_said(server.last_lines())}"
            )
        server.wait(_POLL_S)
    return ""


def _said(lines: tuple[str, ...]) -> str:
    return f"it said: {' | '.join(lines[-3:])}" if lines else "it said nothing"
