"""Which functions of a script run once: called from its top or from `main`, and never in a loop."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.scan.facts import Function, ModuleFacts
from auditor.scan.syntax import children, walk

STARTUP = frozenset(("main", "_main", "lifespan", "startup", "on_startup", "cli", "setup", "setUp", "setUpClass"))
"""Functions with these names run once, whoever calls them."""

_TEST_DIRECTORY = "tests"
"""`test` is the name of packages as well (`django.test`, CPython's own), whose code others run."""
_SEVERAL = 3
"""A function that is called in more places has been written to be called often."""

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class _Mention:
    """A use of a function's name: in which function ("" at the top, None in anything else), and whether as one call."""

    name: str
    owner: str | None
    call: bool


def functions_run_once(facts: ModuleFacts) -> frozenset[str]:
    """Names of the module's own functions that run once, if it is a script, and no other file calls them.

    Of a script inside a package, only the private ones: whoever uses the package may call the rest, and often.
    """
    if facts.once is None:
        called = () if facts.outlook is None else facts.outlook.called
        found = _found(facts.tree).difference(called) if _is_script(facts.tree) else frozenset()
        facts.once = frozenset(name for name in found if not facts.package or name.startswith("_"))
    return facts.once


@functools.lru_cache(maxsize=16)
def is_test(path: str) -> bool:
    """Whether the file is test code, by the names that pytest, unittest and Django's runner go by."""
    directory, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    return (
        name == "conftest.py"
        or stem.startswith("test_")
        or stem.endswith("_test")
        or stem == "tests"
        or _TEST_DIRECTORY in directory.split("/")
    )


def _is_script(tree: ast.Module) -> bool:
    """Whether it has a part that only runs when it is the program."""
    return any(
        isinstance(statement, ast.If)
        and any(isinstance(node, ast.Name) and node.id == "__name__" for node in walk(statement.test))
        for statement in tree.body
    )


def _found(tree: ast.Module) -> frozenset[str]:
    defined = [node for node in tree.body if isinstance(node, Function)]
    names = [node.name for node in defined]
    mentions: dict[str, list[_Mention]] = {
        node.name: [] for node in defined if names.count(node.name) == 1 and not node.decorator_list
    }
    for mention in _mentions(tree, set(mentions)) if mentions else ():
        mentions[mention.name].append(mention)
    once: set[str] = set()
    more = True
    while more:
        # what begins with it runs once stays so: a function is added when all that calls it is known to
        callers = once | STARTUP | {""}
        found = {
            name
            for name, uses in mentions.items()
            if 0 < len(uses) <= _SEVERAL and all(use.call and use.owner in callers for use in uses)
        }
        more = not found <= once
        once |= found
    return frozenset(once)


def _mentions(tree: ast.Module, names: set[str]) -> Iterator[_Mention]:
    own = {node for node in tree.body if isinstance(node, Function)}
    pending: list[tuple[ast.AST, str | None, bool]] = [(statement, "", False) for statement in tree.body]
    while pending:
        node, owner, looped = pending.pop()
        if isinstance(node, ast.Name) and node.id in names:
            yield _Mention(node.id, owner, call=False)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names:
            # `__all__`, `getattr`, a table of commands
            yield _Mention(node.value, None, call=False)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield _Mention(node.func.id, owner, call=not looped)
            pending.extend((part, owner, looped) for part in (*node.args, *node.keywords))
        elif isinstance(node, Function | ast.Lambda | ast.ClassDef):
            inner = node.name if isinstance(node, Function) and node in own else None
            pending.extend((part, inner, False) for part in children(node))
        else:
            once = node.iter if isinstance(node, ast.For | ast.AsyncFor) else None
            repeats = looped or isinstance(node, _LOOPS + _COMPREHENSIONS)
            pending.extend((part, owner, looped if part is once else repeats) for part in children(node))
