"""Flagged files that do not come in by import: the program compiles them, or gets their code from elsewhere."""

from __future__ import annotations

import marshal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evidence.probing import PYTHONS, plainly, probe

PROGRAM = "def f():\n    return len('abc')\nprint(f(), __name__)\n"
FLAGGED = ("timed", "len('abc')")

LOADERS = {
    "exec of its text": "exec(compile(open('program.py').read(), 'program.py', 'exec'), {'__name__': 'x'})",
    "exec of its bytes": "exec(compile(open('program.py', 'rb').read(), b'program.py', 'exec'), {'__name__': 'x'})",
    "exec of a path": (
        "import pathlib\np = pathlib.Path('program.py')\nexec(compile(p.read_text(), p.absolute(), 'exec'), {'__name__': 'x'})"
    ),
    "exec of its tree": (
        "import ast\nt = ast.parse(open('program.py').read())\n"
        "exec(compile(t, filename='program.py', mode='exec'), {'__name__': 'x'})"
    ),
    "runpy": "import runpy\nrunpy.run_path('program.py', run_name='x')",
    "a loader that changes the tree": """\
import ast, sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
class Loader(SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        tree = ast.parse(data, path)
        tree.body.append(ast.parse("print('added')").body[0])
        return compile(ast.fix_missing_locations(tree), path, 'exec', dont_inherit=True)
class Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if name == 'program':
            spec.loader = Loader(name, spec.origin)
        return spec
sys.meta_path.insert(0, Finder())
import program
""",
}


@pytest.mark.parametrize("way", LOADERS)
def test_a_file_that_is_loaded_otherwise_has_its_probes_and_does_the_same(tmp_path: Path, way: str) -> None:
    (tmp_path / "main.py").write_text(LOADERS[way])
    probed = probe(tmp_path, PROGRAM, FLAGGED, command="python3 main.py")

    assert (0, "\n".join((*probed.outcome.last_lines, ""))) == plainly(tmp_path, "main.py")
    assert probed.value("hits") == 1
    assert probed.gaps() == []


def test_a_script_under_a_profiler_has_its_probes(tmp_path: Path) -> None:
    probed = probe(tmp_path, PROGRAM, FLAGGED, command="python3 -m cProfile -o out.prof program.py")

    assert probed.outcome.last_lines == ("3 __main__",)
    assert probed.value("hits") == 1


def test_where_the_program_runs_another_text_nothing_is_planted(tmp_path: Path) -> None:
    text = "open('program.py').read().replace('abc', 'xyz')"
    (tmp_path / "main.py").write_text(f"exec(compile({text}, 'program.py', 'exec'), {{'__name__': 'x'}})")
    probed = probe(tmp_path, PROGRAM, FLAGGED, command="python3 main.py")

    assert probed.outcome.last_lines == ("3 x",)
    assert not probed.has("hits")
    assert "changed since" in probed.gaps()[0]


def test_a_tree_that_the_program_keeps_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import ast\nt = ast.parse(open('program.py').read())\nbefore = ast.dump(t)\n"
        "compile(t, 'program.py', 'exec')\nprint(ast.dump(t) == before, ast.dump(ast.parse(open('program.py').read(), 'program.py')) == before)\n"
    )
    assert probe(tmp_path, PROGRAM, FLAGGED, command="python3 main.py").outcome.last_lines == ("True True",)


def test_a_traceback_of_what_cannot_be_compiled_shows_the_program_alone(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    main = """\
import program, traceback
def imported():
    import broken
def compiled():
    compile("def f(:", "text", "exec")
for attempt in (imported, compiled):
    try:
        attempt()
    except SyntaxError as error:
        print([frame.name for frame in traceback.extract_tb(error.__traceback__)])
"""
    (tmp_path / "main.py").write_text(main)
    seen = probe(tmp_path, PROGRAM, FLAGGED, command=f"{sys.executable} main.py")

    assert seen.outcome.last_lines[1:] == ("['<module>', 'imported']", "['<module>', 'compiled']")
    assert "\n".join(seen.outcome.last_lines) + "\n" == plainly(tmp_path, "main.py")[1]


def test_future_statements_of_the_caller_hold_for_what_it_compiles(tmp_path: Path) -> None:
    main = (
        "from __future__ import annotations\nfor options in ({}, {'dont_inherit': True}):\n"
        "    space = {'__name__': 'x'}\n    try:\n"
        "        exec(compile('def f(x: Missing): ...', 'other.py', 'exec', **options), space)\n"
        "        print(space['f'].__annotations__)\n    except NameError as error:\n        print(error)\n"
        "exec(compile(open('program.py').read(), 'program.py', 'exec'), {'__name__': 'x'})\n"
    )
    (tmp_path / "main.py").write_text(main)
    program = "def f(x: Missing):\n    return len('abc')\nprint(f(1))\n"
    probed = probe(tmp_path, program, FLAGGED, command="python3 main.py")

    assert probed.outcome.last_lines == ("{'x': 'Missing'}", "name 'Missing' is not defined", "3")
    assert probed.value("hits") == 1


@pytest.mark.parametrize("way", ["py_compile.compile('program.py')", "compileall.compile_file('program.py', quiet=1)"])
def test_bytecode_that_is_written_to_disk_has_no_probes(tmp_path: Path, way: str) -> None:
    (tmp_path / "main.py").write_text(f"import {way.partition('.')[0]}\n{way}\n")
    probe(tmp_path, PROGRAM, FLAGGED, command="python3 main.py")

    (written,) = tmp_path.rglob("program*.pyc")
    assert b"__audit_" not in written.read_bytes()


@pytest.mark.parametrize("python", PYTHONS)
def test_other_versions_of_python(tmp_path: Path, python: str) -> None:
    (tmp_path / "main.py").write_text("\n".join((*LOADERS.values(), "")))
    probed = probe(tmp_path, PROGRAM, FLAGGED, command=f"{python} main.py")

    assert (0, "\n".join((*probed.outcome.last_lines, ""))) == plainly(tmp_path, "main.py", python)
    assert probed.value("hits") == len(LOADERS)
    assert probed.gaps() == []


def test_code_from_a_cache_of_the_program_is_a_gap_not_zero_hits(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import marshal, sys, types\nm = types.ModuleType('program')\nm.__file__ = 'program.py'\nsys.modules['program'] = m\n"
        "exec(marshal.load(open('cached', 'rb')), m.__dict__)\n"
    )
    (tmp_path / "cached").write_bytes(marshal.dumps(compile(PROGRAM, "program.py", "exec")))
    probed = probe(tmp_path, PROGRAM, FLAGGED, command=f"{sys.executable} main.py")

    assert not probed.has("hits")
    assert "no probe was planted" in probed.gaps()[0]


CACHED = """\
import marshal, os, sys
if not os.path.exists('cached'):
    open('cached', 'wb').write(marshal.dumps(compile(open('program.py').read(), 'program.py', 'exec')))
    sys.exit()
exec(marshal.load(open('cached', 'rb')), {'__name__': sys.argv[1]})
"""


@pytest.mark.parametrize("python", PYTHONS)
def test_lines_that_run_without_probes_are_seen_where_the_interpreter_can_tell(tmp_path: Path, python: str) -> None:
    if subprocess.run([python, "-c", "import sys; sys.monitoring"], capture_output=True, check=False).returncode:
        pytest.skip("sys.monitoring came with CPython 3.12")
    (tmp_path / "main.py").write_text(CACHED)
    program = "def f():\n    return len('abc')\nif __name__ == 'called':\n    print(f())\n"
    (tmp_path / "program.py").write_text(program)
    plainly(tmp_path, "main.py", python)

    called = probe(tmp_path, program, FLAGGED, command=f"{python} main.py called")
    other = probe(tmp_path, program, FLAGGED, command=f"{python} main.py other")

    assert "counted without a probe" in called.gaps()[0]
    assert called.value("hits") == 1
    assert (other.value("hits"), other.gaps()) == (0, [])


COUNTING = """\
import os, sys
def f(*values, **options):
    return len(values)
def many(n):
    return [f(i) for i in range(n)], sum(f(i, *[1], é=2) for i in range(n))  # \N{SNOWMAN}
def deep(n):
    return n and f(deep(n - 1))
def tidy(n):
    try:
        return f(1, n)
    finally:
        f(2, n)
if __name__ == 'called':
    many(7), deep(5), tidy(0), tidy(1)
    if hasattr(os, 'fork'):
        if not os.fork():
            many(100)
            sys.exit()
        os.wait()
"""
CALLS = {"f(i)": 107, "f(i, *[1], é=2)": 107, "f(deep(n - 1))": 5, "f(1, n)": 2, "f(2, n)": 2}


@pytest.mark.parametrize("python", PYTHONS)
def test_calls_in_code_without_probes_are_counted_where_the_interpreter_can(tmp_path: Path, python: str) -> None:
    if subprocess.run([python, "-c", "import sys; sys.monitoring"], capture_output=True, check=False).returncode:
        pytest.skip("sys.monitoring came with CPython 3.12")
    (tmp_path / "main.py").write_text(CACHED)
    (tmp_path / "program.py").write_text(COUNTING, encoding="utf-8")
    plainly(tmp_path, "main.py", python)

    probed = probe(tmp_path, COUNTING, *(("called", call) for call in CALLS), command=f"{python} main.py called")

    assert [probed.value("hits", index) for index in range(len(CALLS))] == list(CALLS.values())
    assert all("counted without a probe" in probed.gaps(index)[0] for index in range(len(CALLS)))


@pytest.mark.parametrize("python", PYTHONS)
def test_calls_are_not_counted_in_code_that_is_not_the_files(tmp_path: Path, python: str) -> None:
    if subprocess.run([python, "-c", "import sys; sys.monitoring"], capture_output=True, check=False).returncode:
        pytest.skip("sys.monitoring came with CPython 3.12")
    (tmp_path / "main.py").write_text(CACHED)
    (tmp_path / "program.py").write_text(COUNTING.replace("range(n)", "range(9)"), encoding="utf-8")
    plainly(tmp_path, "main.py", python)

    probed = probe(tmp_path, COUNTING, ("called", "f(i)"), command=f"{python} main.py called")

    assert "no probe was planted" in probed.gaps()[0]
    assert not probed.has("hits")


SENDING = """\
import {sender} as by_value
def outer(sep):
    def join(n):
        out = ''
        for one in range(n):
            out += str(one) + sep
        return len(out)
    return join
if __name__ == '__main__':
    import subprocess, sys
    print(outer('-')(10))
    with open('sent', 'wb') as file:
        by_value.dump((outer('-'), [lambda: 1, lambda: 2]), file)
    subprocess.run([sys.executable, '-c', {reading!r}], check=True)
"""
READING = "import {sender}; f, g = {sender}.load(open('sent', 'rb')); print(f(10), [one() for one in g])"


def _sending(sender: str) -> str:
    return SENDING.format(sender=sender, reading=READING.format(sender=sender))


@pytest.mark.parametrize("sender", ["cloudpickle", "dill"])
def test_a_function_that_is_sent_by_value_is_counted_where_it_runs(tmp_path: Path, sender: str) -> None:
    flagged = ("operator", "out += str(one) + sep")
    probed = probe(tmp_path, _sending(sender), flagged, command=f"{sys.executable} program.py")

    assert (0, "\n".join((*probed.outcome.last_lines, ""))) == plainly(tmp_path)
    assert probed.value("hits") == 20
    assert probed.gaps() == []


@pytest.mark.parametrize("sender", ["cloudpickle", "dill"])
def test_a_function_that_is_kept_by_value_runs_when_the_audit_is_over(tmp_path: Path, sender: str) -> None:
    flagged = ("operator", "out += str(one) + sep")
    probe(tmp_path, _sending(sender), flagged, command=f"{sys.executable} program.py")
    assert b"__audit_" in (tmp_path / "sent").read_bytes(), "the probes are in it as well"

    read = READING.format(sender=sender) + "; print(f.__code__.co_names)"
    result = subprocess.run(
        [sys.executable, "-c", read], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )

    assert (result.stdout, result.stderr) == ("20 [1, 2]\n('range', 'str', 'len')\n", "")


def test_a_function_that_numba_compiles_is_a_gap_and_the_rest_is_counted(tmp_path: Path) -> None:
    program = (
        "from numba import njit\ndef twice(x):\n    return abs(x) * 2\n@njit\ndef compiled(n):\n    total = 0\n"
        "    for one in range(n):\n        total += pow(one, 2)\n    return total\nprint(compiled(3), twice(4))\n"
    )
    flagged = (("timed", "pow(one, 2)"), ("timed", "abs(x)"))
    probed = probe(tmp_path, program, *flagged, command=f"{sys.executable} program.py")

    assert probed.outcome.run.exit_code == 0
    assert probed.outcome.last_lines == ("5 8",)
    assert "numba" in probed.gaps(0)[0]
    assert probed.value("hits", 1) == 1
    assert probed.gaps(1) == []
