"""Probes at random places of a real package, far more than any rule flags: the package does what it does without them."""

from __future__ import annotations

import ast
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from auditor.evidence.base import Question, Session
from auditor.evidence.passes.probes import PASS
from auditor.evidence.probes import probe_module
from auditor.model import Cost, Evidence, Gap, Site, Span, Suspect, Workload
from tests.evidence.probing import plainly

ANYWHERE = (
    *("blocking", "by-row", "called", "connection", "file", "logged", "matched", "nested-loop", "operator"),
    *("polling", "repeated", "sized-call", "task", "thread", "timed", "timer"),
)
"""Probes that take any node of their kind; others rely on what their rules know of it."""
FLAGGED = (ast.Call, ast.Compare, ast.AugAssign, ast.Assign, ast.For, ast.While, ast.With)

PROGRAM = """\
import asyncio, traceback
from jinja2 import DictLoader, Environment, StrictUndefined

TEMPLATES = {
    "base": "<title>{% block title %}{% endblock %}</title>{% macro row(x, n=2) %}<i>{{ x|upper }}{{ n }}</i>{% endmacro %}"
    "{% block body scoped %}{% endblock %}",
    "page": "{% extends 'base' %}{% import 'base' as b %}{% block title %}{{ t|default('none')|e }}{% endblock %}"
    "{% block body %}{% for x in xs|batch(2) recursive %}{{ loop.index }}/{{ loop.length }} {{ b.row(x[0]) }}"
    "{% else %}nothing{% endfor %}{% set ns = namespace(s='') %}{% for x in xs if x is not none %}"
    "{% set ns.s = ns.s ~ x %}{% endfor %}{{ ns.s|wordwrap(5)|indent }}{{ xs|groupby('0')|list|length }}"
    "{% filter upper %}{{ {'a': 1, 'b': [2, 3]}|tojson }}{% endfilter %}{% endblock %}",
    "broken": "{% for x in %}",
    "missing": "{{ nothing.at.all }}",
}
env = Environment(loader=DictLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True, enable_async=True)
for xs in ([], ["ab", "cd", "ae"], ["<x>"] * 7):
    print(env.get_template("page").render(t="T&T", xs=xs))
print(asyncio.run(env.get_template("page").render_async(xs=["later"])))
for name in ("broken", "missing", "gone"):
    try:
        env.get_template(name).render()
    except Exception as error:
        print(type(error).__name__, error, [frame.name for frame in traceback.extract_tb(error.__traceback__)][-1])
print(sorted(Environment().compile_expression("a.b + 1 if a else 2")(a={"b": one}) for one in range(3)))
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_package_full_of_probes_does_what_it_does_without(tmp_path: Path, seed: int) -> None:
    shutil.copytree(Path(jinja2.__file__).parent, tmp_path / "jinja2", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "program.py").write_text(PROGRAM)
    code, output = plainly(tmp_path)
    assert code == 0
    rng = random.Random(seed)
    suspects = [one for file in sorted(tmp_path.glob("jinja2/*.py")) for one in _flagged(file, tmp_path, rng)]
    (tmp_path / "scratch").mkdir()
    session = Session(tmp_path, Workload("test", "python3 program.py", str(tmp_path)), tmp_path / "scratch")

    outcome = PASS.measure([Question(one, Cost()) for one in suspects], session)

    assert outcome.run.exit_code == 0
    assert output.endswith("\n".join((*outcome.last_lines, "")))
    rows = [row for one in suspects for row in outcome.rows[one.fingerprint]]
    assert sum(isinstance(row, Evidence) and row.metric == "hits" and row.value > 0 for row in rows) > 200
    assert not [row for row in rows if isinstance(row, Gap) and "planting failed" in row.reason]


def _flagged(file: Path, target: Path, rng: random.Random) -> Iterator[Suspect]:
    text = file.read_text()
    tree = ast.parse(text)
    for number, node in enumerate(node for node in ast.walk(tree) if isinstance(node, FLAGGED)):
        fitting = [name for name in ANYWHERE if isinstance(node, probe_module(name).NODES)]
        if fitting and rng.random() < 0.4:
            span = Span(node.lineno, node.col_offset + 1, node.end_lineno or 0, (node.end_col_offset or 0) + 1)
            site = Site(rng.choice(fitting), span)
            yield Suspect(
                "test", file.relative_to(target).as_posix(), span, "", "", f"{file.name}{number}", (site,), None
            )
