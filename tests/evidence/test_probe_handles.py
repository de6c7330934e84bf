"""Clients, files and timers: how many were made, how many were open or pending at once and at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import Probed, plainly, probe


def census(probed: Probed) -> tuple[float, ...]:
    return tuple(probed.value(metric) for metric in ("hits", "created", "alive_end", "alive_peak"))


FILES = {
    "closed": ("for i in range(20):\n    f = FLAGGED\n    f.read()\n    f.close()\n", (20, 20, 0, 1)),
    "collected": ("for i in range(20):\n    FLAGGED.read()\n", (20, 20, 0, 1)),
    "kept open": ("kept = []\nfor i in range(20):\n    kept.append(FLAGGED)\n", (20, 20, 20, 20)),
    "kept, closed": (
        "kept = []\nfor i in range(20):\n    kept.append(FLAGGED)\nfor f in kept:\n    f.close()\n",
        (20, 20, 0, 20),
    ),
    "with": ("for i in range(20):\n    with FLAGGED as f:\n        f.read()\n", (20, 20, 0, 1)),
}


@pytest.mark.parametrize("case", FILES)
def test_files(tmp_path: Path, case: str) -> None:
    template, expected = FILES[case]
    (tmp_path / "data.txt").write_text("data")
    probed = probe(tmp_path, template.replace("FLAGGED", "open('data.txt')"), ("file", "open('data.txt')"))

    assert census(probed) == expected


def test_other_kinds_of_files(tmp_path: Path) -> None:
    program = (
        "import tempfile, zipfile\nkept = []\nfor i in range(3):\n    kept.append(tempfile.NamedTemporaryFile())\n"
        "    kept.append(zipfile.ZipFile('z%d.zip' % i, 'w'))\n    kept[-1].close()\n"
    )
    texts = ("tempfile.NamedTemporaryFile()", "zipfile.ZipFile('z%d.zip' % i, 'w')")
    probed = probe(tmp_path, program, *(("file", text) for text in texts))

    assert [probed.value("alive_end", index) for index in (0, 1)] == [3, 0]


def test_a_descriptor_does_not_say_whether_it_is_open(tmp_path: Path) -> None:
    program = "import os\nfor i in range(3):\n    os.open('program.py', 0)\n"
    probed = probe(tmp_path, program, ("file", "os.open('program.py', 0)"))

    assert probed.value("hits") == 3
    assert not probed.has("created")


CLIENTS = {
    "socket": ("import socket", "socket.socket()", "close()"),
    "closed property": (
        "class Session:\n    closed = False\n    def close(self):\n        self.closed = True",
        "Session()",
        "close()",
    ),
    "is_closed method": (
        "class Session:\n    shut = False\n    def is_closed(self):\n        return self.shut\n"
        "    def close(self):\n        self.shut = True",
        "Session()",
        "close()",
    ),
    "http.client": (
        "import http.client, socket\nserver = socket.create_server(('127.0.0.1', 0))\ndef connect():\n"
        "    c = http.client.HTTPConnection(*server.getsockname())\n    c.connect()\n    return c",
        "connect( )",
        "close()",
    ),
    "requests": (
        "class Manager:\n    def __init__(self):\n        self.pools = [1]\nclass Adapter:\n    def __init__(self):\n"
        "        self.poolmanager = Manager()\nclass Session:\n    def __init__(self):\n        self.adapters = {'a': Adapter()}\n"
        "    def close(self):\n        self.adapters['a'].poolmanager.pools.clear()",
        "Session()",
        "close()",
    ),
}


@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("case", CLIENTS)
def test_clients(tmp_path: Path, case: str, closes: bool) -> None:
    setting, flagged, close = CLIENTS[case]
    program = f"{setting}\nkept = []\nfor i in range(8):\n    kept.append({flagged})\n"
    program += f"for client in kept:\n    client.{close}\n" if closes else ""
    probed = probe(tmp_path, program, ("client", flagged))

    assert census(probed) == (8, 8, 0 if closes else 8, 8)


SQLITE = {
    # its cache of statements refers back to it
    "collected": ("for i in range(60):\n    FLAGGED.execute('select 1')\n    gc.collect()\n", 0, 1),
    "kept open": ("kept = [FLAGGED for i in range(60)]\n", 60, 60),
    "kept, closed": ("kept = [FLAGGED for i in range(60)]\nfor one in kept:\n    one.close()\n", 0, 60),
    "another's": (
        "others = [sqlite3.connect(':memory:') for i in range(60)]\nfor i in range(60):\n    FLAGGED.close()\n",
        0,
        1,
    ),
}


@pytest.mark.parametrize("case", SQLITE)
def test_connections_that_cannot_be_referred_to_weakly(tmp_path: Path, case: str) -> None:
    template, left, peak = SQLITE[case]
    flagged = "sqlite3.connect( ':memory:')"
    probed = probe(tmp_path, "import gc, sqlite3\n" + template.replace("FLAGGED", flagged), ("client", flagged))

    assert census(probed)[:3] == (60, 60, left)
    # looks come as their number has grown by half
    assert peak // 2 <= probed.value("alive_peak") <= peak


def test_a_client_that_does_not_tell_is_not_counted(tmp_path: Path) -> None:
    program = "class Client:\n    pass\nkept = [Client() for i in range(5)]\n"
    probed = probe(tmp_path, program, ("client", "Client()"))

    assert probed.value("hits") == 5
    assert not probed.has("alive_end")


def test_a_client_that_tells_only_by_waiting_is_not_asked(tmp_path: Path) -> None:
    program = "class Client:\n    async def closed(self):\n        return True\nkept = [Client() for i in range(5)]\n"
    probed = probe(tmp_path, program, ("client", "Client()"), command="sh -c 'python3 -W error program.py 2>&1'")

    assert probed.outcome.last_lines == ()
    assert not probed.has("alive_end")


TIMERS = {
    "threads left": (
        "import threading\nfor i in range(6):\n    t = FLAGGED\n    t.daemon = True\n    t.start()\n",
        "threading.Timer(60, print)",
        (6, 6, 6, 6),
    ),
    "threads cancelled": (
        "import threading\nfor i in range(6):\n    t = FLAGGED\n    t.start()\n    t.cancel()\n    t.join()\n",
        "threading.Timer(60, print)",
        (6, 6, 0, 1),
    ),
    "threads never started": (
        "import threading\nkept = [FLAGGED for i in range(6)]\n",
        "threading.Timer(60, print)",
        (6, 6, 0, 6),
    ),
    "handles left in a loop": (
        "import asyncio\nasync def main():\n    for i in range(6):\n        FLAGGED\nasyncio.run(main())\n",
        "asyncio.get_running_loop().call_later(60, print)",
        (6, 6, 6, 6),
    ),
    "handles cancelled": (
        "import asyncio\nasync def main():\n    for i in range(6):\n        FLAGGED.cancel()\nasyncio.run(main())\n",
        "asyncio.get_running_loop().call_later(60, print)",
        (6, 6, 0, 1),
    ),
    "handles run": (
        "import asyncio\nasync def main():\n    for i in range(6):\n        FLAGGED\n    await asyncio.sleep(0.05)\n"
        "asyncio.run(main())\n",
        "asyncio.get_running_loop().call_later(0.01, int)",
        (6, 6, 0, 6),
    ),
}


@pytest.mark.parametrize("case", TIMERS)
def test_timers(tmp_path: Path, case: str) -> None:
    template, flagged, expected = TIMERS[case]
    probed = probe(tmp_path, template.replace("FLAGGED", flagged), ("timer", flagged))

    assert probed.outcome.run.exit_code == plainly(tmp_path)[0] == 0
    assert census(probed) == expected


@pytest.mark.parametrize("version", ["3.8.18", "3.13.0"])
def test_other_versions_of_python(tmp_path: Path, version: str) -> None:
    python = Path.home() / ".pyenv" / "versions" / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not here")
    texts = ("open('program.py')", "socket.socket()", "asyncio.get_running_loop().call_later(60, print)")
    program = (
        f"import asyncio, socket\nkept = []\nasync def main():\n    kept.append({texts[0]})\n    kept.append({texts[1]})\n"
        f"    {texts[2]}\nasyncio.run(main())\nprint(len(kept))\n"
    )
    flagged = zip(("file", "client", "timer"), texts, strict=True)
    probed = probe(tmp_path, program, *flagged, python=str(python))

    assert probed.outcome.last_lines == ("2",)
    assert [probed.value("alive_end", index) for index in range(3)] == [1, 1, 1]
