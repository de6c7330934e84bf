"""Calls, misses and entries of cached functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

DEF = "def f(n):\n    return n + 1"


def test_a_cache_without_bound_keeps_every_miss(tmp_path: Path) -> None:
    program = f"import functools\n@functools.lru_cache(maxsize=None)\n{DEF}\nfor i in range(6000):\n    f(i // 2)\n"
    probed = probe(tmp_path, program, ("cache", DEF))

    assert (probed.value("hits"), probed.value("puts"), probed.value("depth_max")) == (6000, 3000, 3000)
    assert probed.row("depth_slope").low > 0.9


def test_a_cache_made_by_a_call_is_one_like_any_other(tmp_path: Path) -> None:
    text = "functools.lru_cache(None)(f)"
    program = (
        f"import functools\n{DEF}\ncached = {text}\nfor i in range(6000):\n    cached(i // 2)\n"
        "assert cached.__name__ == 'f'\n"
    )
    probed = probe(tmp_path, program, ("cache", text))

    assert (probed.value("hits"), probed.value("puts"), probed.value("depth_max")) == (6000, 3000, 3000)
    assert probed.row("depth_slope").low > 0.9


def test_a_bounded_cache_does_not_grow(tmp_path: Path) -> None:
    program = f"import functools\n@functools.lru_cache(maxsize=20)\n{DEF}\nfor i in range(6000):\n    f(i)\n"
    probed = probe(tmp_path, program, ("cache", DEF))

    assert (probed.value("hits"), probed.value("puts"), probed.value("depth_max")) == (6000, 6000, 20)
    assert probed.row("depth_slope").high < 0.02


def test_a_cache_that_answers_nearly_always(tmp_path: Path) -> None:
    program = f"import functools\n@functools.lru_cache(maxsize=None)\n{DEF}\nfor i in range(6000):\n    f(i % 7)\n"
    probed = probe(tmp_path, program, ("cache", DEF))

    assert (probed.value("hits"), probed.value("puts"), probed.value("depth_max")) == (6000, 7, 7)
    assert probed.value("quiet") == 6000 - 7


def test_a_cache_that_gains_an_entry_at_the_end_is_not_quiet(tmp_path: Path) -> None:
    program = (
        f"import functools\n@functools.lru_cache(maxsize=None)\n{DEF}\nfor i in range(6000):\n    f(i % 7)\nf('x')\n"
    )
    program = program.replace("n + 1", "n * 1")
    probed = probe(tmp_path, program, ("cache", DEF.replace("n + 1", "n * 1")))

    assert (probed.value("puts"), probed.value("quiet")) == (8, 0)


def test_a_cache_that_is_cleared_counts_on(tmp_path: Path) -> None:
    program = (
        f"import functools\n@functools.lru_cache(maxsize=None)\n{DEF}\n"
        "for n in range(100):\n    for i in range(100):\n        f(i)\n    f.cache_clear()\n"
    )
    probed = probe(tmp_path, program, ("cache", DEF))

    assert probed.value("puts") == 10_000
    assert probed.value("depth_max") <= 100
    assert probed.row("depth_slope").high < 0.1


BODY = "def f(self, n):\n        return n"


@pytest.mark.parametrize(
    ("decorators", "call"),
    [
        ("@functools.lru_cache(None)", "A().f(i)"),
        ("@classmethod\n    @functools.lru_cache(None)", "A.f(i)"),
        ("@staticmethod\n    @functools.lru_cache(None)", "A.f(A, i)"),
    ],
)
def test_methods_are_found_below_their_wrappers(tmp_path: Path, decorators: str, call: str) -> None:
    program = f"import functools\nclass A:\n    {decorators}\n    {BODY}\nfor i in range(50):\n    {call}\n"
    program += "print(sorted(n for n in vars(A) if n[:2] != '__'), A.f.__doc__)\n"
    probed = probe(tmp_path, program, ("cache", BODY))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert (probed.value("hits"), probed.value("puts"), probed.value("depth_max")) == (50, 50, 50)


def test_private_names_docstrings_and_coroutines(tmp_path: Path) -> None:
    private = "def __f(self, n):\n        'Doc.'\n        return n"
    program = (
        f"import functools\nclass A:\n    @functools.lru_cache(None)\n    {private}\n    def go(self):\n"
        "        return self.__f(1), self.__f.__doc__\nprint(A().go(), A().go())\n"
    )
    probed = probe(tmp_path, program, ("cache", private))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert (probed.value("hits"), probed.value("puts")) == (2, 2)


def test_each_execution_of_an_inner_definition_makes_a_cache(tmp_path: Path) -> None:
    inner = "def g(n):\n        return n"
    program = (
        f"import functools, weakref\ndef outer():\n    @functools.cache\n    {inner}\n    for i in range(30):\n        g(i)\n"
        "    return g\nfor _ in range(5):\n    g = weakref.ref(outer())\nprint(g())\n"
    )
    probed = probe(tmp_path, program, ("cache", inner))

    assert probed.outcome.last_lines == ("None",)
    assert probed.value("hits") == 150
    assert probed.value("depth_max") in (29, 30)


def test_a_decorator_that_tells_nothing_gives_no_length(tmp_path: Path) -> None:
    program = (
        f"def mine(g):\n    known = {{}}\n    def h(n):\n        if n not in known:\n            known[n] = g(n)\n        return known[n]\n"
        f"    return h\n@mine\n{DEF}\nfor i in range(10):\n    f(i)\n"
    )
    probed = probe(tmp_path, program, ("cache", DEF))

    assert probed.value("hits") == 10
    assert not probed.has("depth_max")


@pytest.mark.parametrize("version", ["3.8.18", "3.13.0"])
def test_other_versions_of_python(tmp_path: Path, version: str) -> None:
    python = Path.home() / ".pyenv" / "versions" / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not here")
    program = f"import functools\n@functools.lru_cache(maxsize=None)\n{DEF}\nfor i in range(60):\n    f(i)\n"
    probed = probe(tmp_path, program, ("cache", DEF), python=str(python))

    assert probed.value("hits") == 60
    # caches cannot be held weakly before 3.9
    assert probed.has("depth_max") == (version != "3.8.18")
