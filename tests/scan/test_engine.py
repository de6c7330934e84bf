"""The engine keeps what it can and says why it leaves the rest."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path

import libcst as cst
import pytest

from auditor.catalog import bundled_rules, find_rule
from auditor.model import Span
from auditor.rule import Context, Match
from auditor.scan import Engine

QUEUE = "import queue\n\njobs = queue.Queue()\n"


def scan_bytes(tmp_path: Path, data: bytes, name: str = "m.py") -> tuple[list[str], list[str]]:
    """Rules found and reasons of skips."""
    (tmp_path / name).write_bytes(data)
    scan = Engine(bundled_rules()).scan_file(tmp_path / name, tmp_path)
    return [suspect.rule for suspect in scan.suspects], [skip.reason for skip in scan.skipped]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"def f(:\n", "syntax error at line 1"),
        (b"print 'hello'\n", "(Python 2?)"),
        (b"print '%s' % x\n", "(Python 2?)"),
        (b"exec 'hello'\n", "(Python 2?)"),
        (b"raise E, 'hello'\n", "(Python 2?)"),
        pytest.param(
            b"try:\n    pass\nexcept E, e:\n    pass\n",
            "(Python 2, or later than",
            marks=pytest.mark.skipif(sys.version_info >= (3, 14), reason="is Python again"),
        ),
        (b"if x: print 'hello'\n", "(Python 2?)"),
        (b"x = 0xFFL\n", "(Python 2?)"),
        (b"x = 0777\n", "(Python 2?)"),
        (b"x = 7L\n", "(Python 2?)"),
        (b"x = `y`\n", "(Python 2?)"),
        (b"def f(a, (b, c)):\n    pass\n", "line 1"),
        (b"printed = (1,\n", "(as Python 3."),
        (b"x = 1\0\n", "null bytes"),
        (b"x = '\xff'\n", "wrong encoding"),
        (b"# -*- coding: no-such -*-\n", "wrong encoding"),
        ("x = 1\n".encode("utf-16"), "wrong encoding"),
        (b"x = " + b"(" * 10_000 + b")" * 10_000 + b"\n", "syntax error|nested too deeply"),
        (b"x = " + b"-" * 100_000 + b"1\n", "nested too deeply|syntax error|deep"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_skipped_with_its_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    found, reasons = scan_bytes(tmp_path, data)

    assert found == []
    assert len(reasons) == 1
    assert any(part in reasons[0] for part in reason.split("|"))


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    with (tmp_path / "big.py").open("wb") as file:
        file.truncate(100 * 2**20)

    scan = Engine(bundled_rules()).scan_file(tmp_path / "big.py", tmp_path)

    assert "too large: 100.0 MB" in scan.skipped[0].reason


def test_a_file_without_permission_or_gone_is_skipped(tmp_path: Path) -> None:
    scan = Engine(bundled_rules()).scan_file(tmp_path / "gone.py", tmp_path)

    assert "cannot be read" in scan.skipped[0].reason


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"# -*- coding: latin-1 -*-\n# \xe9\n", b"\x0c\n", b"\r\n\r\n"])
def test_encodings_and_line_ends_do_not_hide_a_suspect(tmp_path: Path, prefix: bytes) -> None:
    newline = b"\r\n" if b"\r\n" in prefix else b"\n"
    found, reasons = scan_bytes(tmp_path, prefix + QUEUE.encode().replace(b"\n", newline))

    assert found == ["unbounded-queue"]
    assert reasons == []


def test_a_deeply_nested_statement_costs_only_itself(tmp_path: Path) -> None:
    deep = f"deep = queue.Queue({'-' * 900}1)\n"
    found, reasons = scan_bytes(tmp_path, (QUEUE + deep).encode())

    assert found == ["unbounded-queue"]
    assert "deep" in reasons[0]


def test_columns_count_characters_and_lines_are_those_of_the_file() -> None:
    text = "import queue\n\nclass A:\n    def f(self):\n        é = 'ü'; jobs = queue.Queue()\n"

    (suspect,) = Engine([find_rule("unbounded-queue")]).scan_text(text).suspects

    line = text.splitlines()[4]
    start = line.index("queue.Queue()") + 1
    assert suspect.span == Span(5, start, 5, start + len("queue.Queue()"))
    assert suspect.symbol == "A.f"


def test_a_fingerprint_survives_lines_moving_above_it() -> None:
    engine = Engine([find_rule("unbounded-queue")])

    before = engine.scan_text(QUEUE).suspects[0]
    after = engine.scan_text("# one\n# more\n\n" + QUEUE).suspects[0]

    assert before.span != after.span
    assert before.fingerprint == after.fingerprint


def test_comments_around_a_flagged_statement_are_no_part_of_it() -> None:
    cached = "@lru_cache(maxsize=None)\n{0}def known(self, x):\n{0}    return x\n"
    engine = Engine([find_rule("unbounded-cache")])
    start = "from functools import lru_cache\n\n"

    (top,) = engine.scan_text(start + cached.format("")).suspects
    (told,) = engine.scan_text(start + "# never cleared\n" + cached.format("") + "\n    # the end\n").suspects
    (inner,) = engine.scan_text(start + "if start:\n    " + cached.format("    ")).suspects
    (inner_told,) = engine.scan_text(
        start + "if start:\n    # never cleared\n    " + cached.format("    ") + "    # the end\n"
    ).suspects

    assert top.fingerprint == told.fingerprint
    assert inner.fingerprint == inner_told.fingerprint


@pytest.mark.skipif(sys.version_info < (3, 14), reason="syntax of Python 3.14")
@pytest.mark.parametrize(
    "line",
    ["except ValueError, TypeError:", "except* ValueError, TypeError:"],
)
def test_several_exceptions_need_no_parentheses(line: str) -> None:
    scan = Engine(bundled_rules()).scan_text(
        f"import json\n\ndef f(xs):\n    for x in xs:\n        try:\n            y = json.loads(json.dumps(x))\n"
        f"        {line}\n            y = t'{{x!r:>{{len(xs)}}}}'\n    return y\n"
    )

    assert scan.skipped == ()
    assert [suspect.rule for suspect in scan.suspects] == ["json-roundtrip-copy"]


def test_equal_suspects_have_fingerprints_of_their_own() -> None:
    text = "import queue\n\ndef f():\n    a = queue.Queue()\n    b = queue.Queue()\n"

    prints = [suspect.fingerprint for suspect in Engine([find_rule("unbounded-queue")]).scan_text(text).suspects]

    assert len(set(prints)) == 2


def test_a_crash_of_one_rule_costs_only_that_rule() -> None:
    def crash(_node: cst.CSTNode, _ctx: Context) -> Match | None:
        raise ZeroDivisionError("oops")

    queue_rule = find_rule("unbounded-queue")
    broken = replace(queue_rule, id="broken", check=crash)

    scan = Engine([queue_rule, broken]).scan_text(QUEUE)

    assert [suspect.rule for suspect in scan.suspects] == ["unbounded-queue"]
    assert "rule broken failed at line 3: ZeroDivisionError: oops" in scan.skipped[0].reason


def test_every_flagged_span_is_a_node_of_pythons_own_parser() -> None:
    """Probes are planted at exact spans, so LibCST and ast must agree on them, over a real library."""
    root = Path(ast.__file__).parent
    engine = Engine(bundled_rules())
    sites = 0
    for file in sorted(root.glob("*.py")) + sorted((root / "asyncio").glob("*.py")):
        scan = engine.scan_file(file, root)
        assert not [skip for skip in scan.skipped if "place" in skip.reason]
        spans = _spans(file) if scan.suspects else set()
        for suspect in scan.suspects:
            for site in suspect.sites:
                assert site.span in spans, f"{file}:{site.span} of {suspect.rule}"
                sites += 1
    assert sites > 50


def _spans(file: Path) -> set[Span]:
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)

    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode()[:offset].decode()) + 1

    return {
        Span(
            node.lineno,
            column(node.lineno, node.col_offset),
            node.end_lineno,
            column(node.end_lineno, node.end_col_offset),
        )
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.expr | ast.stmt) and node.end_lineno and node.end_col_offset is not None
    }
