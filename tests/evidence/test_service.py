"""Servers under load: real ones, on the loopback interface."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
import threading
from pathlib import Path

import psutil
import pytest

from auditor.errors import WorkloadError
from auditor.evidence.base import Question, Session
from auditor.evidence.passes.memory import PASS as MEMRAY
from auditor.evidence.passes.probes import PASS as PROBES
from auditor.evidence.passes.pyspy import PASS as PYSPY
from auditor.evidence.service import run_service
from auditor.evidence.supervise import ChildResult
from auditor.model import Cost, Evidence, Service, Site, Span, Suspect, Workload

PYTHON = shlex.quote(sys.executable)

SERVER = """\
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/health":
            self.work()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def work(self):
        return sum(range(100_000))

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

ASYNC_SERVER = """\
import asyncio, sys

async def answer(reader, writer):
    await reader.readline()
    writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nok")
    work()
    await writer.drain()
    writer.close()

def work():
    return sum(range(100_000))

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""

LOAD = """\
import sys, urllib.request
for _ in range(int(sys.argv[2])):
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/work", timeout=30).read()
"""


def service(directory: Path, server: str = SERVER, load: str = LOAD, requests: int = 20, ready: str = "") -> Service:
    (directory / "server.py").write_text(server)
    (directory / "load.py").write_text(load)
    return Service(
        serve=f"{PYTHON} server.py {{port}}",
        ready=ready or "http://127.0.0.1:{port}/health",
        load=f"{PYTHON} load.py {{port}} {requests}",
        ready_within_s=60.0,
    )


def run(directory: Path, one: Service, timeout_s: float | None = None) -> ChildResult:
    stop = threading.Event()
    return run_service(one, cwd=directory, env=os.environ, timeout_s=timeout_s, stdin=None, stop=stop)


def is_left(directory: Path) -> bool:
    def is_ours(process: psutil.Process) -> bool:
        try:
            return process.cwd() == str(directory) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    return any(is_ours(process) for process in psutil.process_iter())


@pytest.mark.parametrize("server", [SERVER, ASYNC_SERVER], ids=["threads", "asyncio"])
def test_a_server_is_loaded_and_ended_and_that_is_no_failure(tmp_path: Path, server: str) -> None:
    result = run(tmp_path, service(tmp_path, server))

    assert result.exit_code == 0, result
    assert result.warnings == ()
    assert not is_left(tmp_path)


def test_a_port_that_accepts_connections_may_be_enough(tmp_path: Path) -> None:
    assert run(tmp_path, service(tmp_path, ready="tcp://127.0.0.1:{port}")).exit_code == 0


def test_the_exit_code_is_the_loads(tmp_path: Path) -> None:
    result = run(tmp_path, service(tmp_path, load="raise SystemExit('too slow')"))

    assert result.exit_code == 1
    assert result.last_lines == ("too slow",)
    assert not is_left(tmp_path)


def test_a_server_that_dies_before_it_is_ready_says_why(tmp_path: Path) -> None:
    result = run(tmp_path, service(tmp_path, "raise SystemExit('no database')"))

    assert result.exit_code == 1
    assert "before it was ready" in result.warnings[0]
    assert "no database" in result.warnings[0]


def test_a_server_that_is_never_ready_is_ended_and_the_last_answer_told(tmp_path: Path) -> None:
    server = SERVER.replace("self.send_response(200)", "self.send_response(503)")
    one = service(tmp_path, server)
    result = run(tmp_path, Service(one.serve, one.ready, one.load, ready_within_s=2.0))

    assert result.exit_code is None
    assert "not ready within 2 s" in result.warnings[0]
    assert "status 503" in result.warnings[0]
    assert not is_left(tmp_path)


def test_a_server_that_dies_under_load_is_a_failure_and_the_load_does_not_wait_for_ever(tmp_path: Path) -> None:
    server = SERVER.replace("return sum", "import os; os._exit(7); return sum")
    load = (
        f"import contextlib, time\nwith contextlib.suppress(Exception):\n    {LOAD.replace(chr(10), chr(10) + '    ')}"
    )
    result = run(tmp_path, service(tmp_path, server, f"{load}\ntime.sleep(600)\n"))

    assert result.exit_code == 7
    assert "before the load did" in result.warnings[0]
    assert not is_left(tmp_path)


def test_a_server_that_ends_by_itself_with_the_load_is_fine_if_both_say_so(tmp_path: Path) -> None:
    server = SERVER.replace(".serve_forever()", ".handle_request()").replace("Threading", "")
    result = run(tmp_path, service(tmp_path, server, "import time; time.sleep(0.5)"))

    assert result.exit_code == 0
    assert "by itself" in result.warnings[0]


def test_a_server_that_does_not_want_to_end_is_killed_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.evidence.service.GRACE_S", 0.5)
    monkeypatch.setattr("auditor.evidence.service.INSIST_S", 0.5)
    deaf = (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    )
    result = run(tmp_path, service(tmp_path, deaf + SERVER))

    assert result.exit_code == 0
    assert "was killed" in result.warnings[0]
    assert not is_left(tmp_path)


def test_an_unusual_end_of_the_server_is_told(tmp_path: Path) -> None:
    rude = f"import signal, sys\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(9))\n{SERVER}"
    result = run(tmp_path, service(tmp_path, rude))

    assert result.exit_code == 0
    assert result.warnings == ("the server ended with exit code 9 when it was asked to end",)


def test_the_timeout_holds_for_server_and_load_together(tmp_path: Path) -> None:
    result = run(tmp_path, service(tmp_path, load="import time; time.sleep(600)"), timeout_s=3.0)

    assert result.timed_out
    assert result.exit_code == -signal.SIGTERM
    assert "timeout" in result.warnings[0]
    assert not is_left(tmp_path)


def test_a_stranger_at_the_address_is_not_loaded(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        address = f"tcp://127.0.0.1:{stranger.getsockname()[1]}"
        with pytest.raises(WorkloadError, match="something answers"):
            run(tmp_path, service(tmp_path, ready=address))


@pytest.mark.parametrize("ready", ["http://", "http://127.0.0.1:no", "tcp://127.0.0.1"])
def test_an_address_without_a_place_is_refused(tmp_path: Path, ready: str) -> None:
    with pytest.raises(WorkloadError, match="names no host and port"):
        run(tmp_path, service(tmp_path, ready=ready))


def test_the_server_is_what_is_measured_under_each_pass(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    one = service(target, requests=200)
    line = next(number for number, text in enumerate(SERVER.splitlines(), 1) if "sum(range" in text)
    span = Span(line, 16, line, 35)
    suspect = Suspect("rule", "server.py", span, "work", "", "f", (Site("timed", span),))
    rows = {}
    for measuring in (PROBES, PYSPY, MEMRAY):
        scratch = tmp_path / measuring.name
        scratch.mkdir()
        workload = Workload("web", "server", str(target), 300.0, service=one)
        outcome = measuring.measure([Question(suspect, Cost(memory=True))], Session(target, workload, scratch))
        assert (outcome.run.exit_code, outcome.run.gap, outcome.run.warnings) == (0, None, ())
        rows[measuring.name] = {row.metric: row for row in outcome.rows["f"] if isinstance(row, Evidence)}

    assert rows["probes"]["hits"].value == 200
    assert rows["py-spy"]["seconds"].value > 0
    assert "peak_bytes" in rows["memray"]
