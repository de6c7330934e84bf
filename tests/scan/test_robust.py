"""No input stops a scan, and every skip says why."""

from __future__ import annotations

import os
import random
import sysconfig
import threading
import time
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.catalog import bundled_rules
from auditor.model import Skip
from auditor.scan import Engine, FileScan, discover
from auditor.scan.record import dump, load

ENGINE = Engine(bundled_rules())
QUEUE = "import queue\n\ndef f():\n    jobs = queue.Queue()\n"
PARTS = (
    "def f(a, b=[]):", "async def g():", "class A(B):", "for x in y:", "while True:", "with lock:", "try:", "if a:",
    "except E:", "else:", "return x", "await t", "x += 'a'", "s = s + x", "import asyncio", "asyncio.create_task(g())",
    "queue.Queue()", "x.append(y)", "self.x[k] = v", "@lru_cache(maxsize=None)", "y = [z for z in x if z in y]", "\\",
    "(", ")", "[", "'''", "\x0c", "\r", "#é", "\u2028", "f'{x!r}'", "lambda: x", "match x:", "case [1, *a]:", ":=",
)  # fmt: skip


def scan_bytes(tmp_path: Path, data: bytes) -> FileScan:
    (tmp_path / "m.py").write_bytes(data)
    return ENGINE.scan_file(tmp_path / "m.py", tmp_path)


def rules_of(scan: FileScan) -> list[str]:
    return [suspect.rule for suspect in scan.suspects]


def assert_sound(scan: FileScan) -> None:
    """A scan says why it left something out, was not broken by a rule, and can be written down."""
    assert all(skip.reason for skip in scan.skipped)
    assert not [skip for skip in scan.skipped if skip.reason.startswith("rule ")]
    assert load(dump(scan)) == scan


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(PARTS)), max_size=14))
def test_code_of_random_parts(tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, str]]) -> None:
    text = "\n".join(" " * indentation + part for indentation, part in parts)

    assert_sound(scan_bytes(tmp_path_factory.getbasetemp(), text.encode("utf-8", "surrogatepass")))


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(hypothesmith.from_grammar(), hypothesmith.from_node()))
def test_code_of_the_whole_grammar(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    assert_sound(scan_bytes(tmp_path_factory.getbasetemp(), text.encode("utf-8", "surrogatepass")))


def test_real_code_with_random_damage(tmp_path: Path) -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    chance = random.Random(20)
    began = time.monotonic()
    for name in ("queue.py", "sched.py", "shelve.py", "asyncio/queues.py", "asyncio/locks.py") * 6:
        data = bytearray((library / name).read_bytes())
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(30)] = chance.choice([b"", b"\xff", b"\0", b"\n", b"(", b"'", b"\t", b"\r"])
        assert_sound(scan_bytes(tmp_path, bytes(data)))
        if time.monotonic() - began > 15:
            break


@pytest.mark.parametrize("opening", ["(", "[", "{1:", "f(", "lambda: ", "not ", "-", "a.b[", "x if y else "])
@pytest.mark.parametrize("depth", [60, 400, 5000])
def test_deep_nesting(tmp_path: Path, opening: str, depth: int) -> None:
    closing = {"(": ")", "[": "]", "{1:": "}", "f(": ")", "a.b[": "]"}.get(opening, "")

    scan = scan_bytes(tmp_path, f"{QUEUE}    jobs = queue.Queue({opening * depth}1{closing * depth})\n".encode())

    assert_sound(scan)
    assert scan.skipped or scan.suspects


@pytest.mark.parametrize("link", [".a", "[0]", "(x)", " + a", " and a", "\n    if b: pass"])
def test_long_chains(tmp_path: Path, link: str) -> None:
    scan = scan_bytes(tmp_path, f"{QUEUE}    jobs = queue.Queue(); x = a{link * 10_000}\n".encode())

    assert_sound(scan)
    assert scan.skipped or scan.suspects


def test_a_generated_file_of_50_000_lines(tmp_path: Path) -> None:
    scan = scan_bytes(tmp_path, (QUEUE + "TABLE = {\n" + "    'k': [1, 2],\n" * 50_000 + "}\n").encode())

    assert rules_of(scan) == ["unbounded-queue"]
    assert scan.lines > 50_000


def test_a_megabyte_of_blank_lines(tmp_path: Path) -> None:
    scan = scan_bytes(tmp_path, QUEUE.encode() + b"\n" * 2**20 + b"x = 1\n")

    assert rules_of(scan) == ["unbounded-queue"]


def test_a_megabyte_of_blank_lines_inside_a_function(tmp_path: Path) -> None:
    scan = scan_bytes(tmp_path, QUEUE.encode() + b"\n" * 2**20 + b"    x = 1\n")

    assert "more than 5000 lines" in scan.skipped[0].reason


def test_carriage_returns_alone_end_lines(tmp_path: Path) -> None:
    scan = scan_bytes(tmp_path, QUEUE.replace("\n", "\r").encode())

    assert rules_of(scan) == ["unbounded-queue"]
    assert scan.suspects[0].span.line == 4


def test_form_feeds_do_not_shift_lines(tmp_path: Path) -> None:
    scan = scan_bytes(tmp_path, ("\x0c\n" + QUEUE.replace("\n\n", "\n\x0c\n")).encode())

    assert [suspect.span.line for suspect in scan.suspects] == [5]


def test_a_symlink_loop_and_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "up").symlink_to(tmp_path, target_is_directory=True)

    target = discover([tmp_path])
    scans = [ENGINE.scan_file(file, target.root) for file in target.files]

    assert [skip.path for scan in scans for skip in scan.skipped] == ["gone.py", "loop.py"]
    assert all("cannot be read" in skip.reason for scan in scans for skip in scan.skipped)


def test_a_file_that_changes_and_vanishes_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    over = threading.Event()

    def change() -> None:
        while not over.is_set():
            file.write_text(QUEUE * 50)
            file.write_text("x = (")
            file.unlink()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(30):
            assert_sound(ENGINE.scan_file(file, tmp_path))
    finally:
        over.set()
        thread.join()


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff.py")).write_text(QUEUE)
    except OSError:
        pytest.skip("the file system takes no such names")

    target = discover([tmp_path])
    (scan,) = [ENGINE.scan_file(file, target.root) for file in target.files]

    assert_sound(scan)
    assert scan.path == "n\udcff.py"
    assert rules_of(scan) == ["unbounded-queue"]


def test_a_record_of_a_skip_comes_back() -> None:
    scan = FileScan("a.py", 3, (), (Skip("a.py", "why\n"),))

    assert load(dump(scan)) == scan
