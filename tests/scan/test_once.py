"""Functions of a script that run once are told from those that may run often."""

from __future__ import annotations

import ast

import pytest

from auditor.catalog import find_rule
from auditor.scan import Engine
from auditor.scan.facts import ModuleFacts
from auditor.scan.once import functions_run_once, is_test

GUARD = "\nif __name__ == '__main__':\n    main()\n"


def once(text: str) -> set[str]:
    return set(functions_run_once(ModuleFacts(tree=ast.parse(text))))


def test_what_main_calls_runs_once_and_what_that_calls_as_well() -> None:
    text = "def c(): pass\ndef b():\n    c()\ndef a():\n    return b()\ndef main():\n    a()\n"

    assert once(text + GUARD) == {"a", "b", "c", "main"}


def test_others_may_call_what_a_script_in_a_package_does_not_keep_to_itself() -> None:
    text = f"def parse(): pass\ndef _show(): pass\ndef main():\n    parse()\n    _show()\n{GUARD}"

    assert functions_run_once(ModuleFacts(tree=ast.parse(text), package="package")) == {"_show"}


def test_a_module_that_is_no_script_says_nothing_of_its_callers() -> None:
    assert once("def a(): pass\ndef main():\n    a()\n") == set()


@pytest.mark.parametrize(
    "text",
    [
        "def a(): pass\ndef main():\n    for x in y:\n        a()\n",
        "def a(): pass\ndef main():\n    while a(): pass\n",
        "def a(): pass\ndef main():\n    return [a() for x in y]\n",
        "def a(): pass\ndef main():\n    run(a)\n",
        "def a(): pass\ndef main():\n    run(lambda: a())\n",
        "def a(): pass\ndef main():\n    def inner():\n        a()\n    run(inner)\n",
        "def a(): pass\nclass B:\n    def m(self):\n        a()\ndef main():\n    B()\n",
        "def a():\n    a()\ndef main():\n    a()\n",
        "def a():\n    b()\ndef b():\n    a()\ndef main():\n    pass\n",
        "@register\ndef a(): pass\ndef main():\n    a()\n",
        "def a(): pass\ndef helper():\n    a()\ndef main():\n    for x in y:\n        helper()\n",
        "def a(): pass\n__all__ = ['a']\ndef main():\n    a()\n",
        "def a(): pass\ndef main():\n    a(); a(); a(); a()\n",
        "def a(): pass\ndef main():\n    pass\n",
        "def a(): pass\ndef a(): pass\ndef main():\n    a()\n",
    ],
)
def test_what_may_be_called_often_does_not_run_once(text: str) -> None:
    assert "a" not in once(text + GUARD)


def test_the_iterable_of_a_loop_is_made_once() -> None:
    assert "a" in once(f"def a(): pass\ndef main():\n    for x in a():\n        print(x)\n{GUARD}")


def test_a_method_of_the_same_name_is_another_function() -> None:
    text = (
        "import copy\n\ndef load(x):\n    return copy.deepcopy(x)\n\nclass Store:\n    def load(self, x):\n"
        f"        return copy.deepcopy(x)\n\ndef main():\n    load({{}})\n{GUARD}"
    )

    (suspect,) = Engine([find_rule("deepcopy-in-loop")]).scan_text(text).suspects

    assert suspect.symbol == "Store.load"


@pytest.mark.parametrize(
    "path",
    ["tests/helpers.py", "app/tests/data/rows.py", "test_app.py", "app/app_test.py", "conftest.py", "app/tests.py"],
)
def test_what_test_runners_collect_is_test_code(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize("path", ["django/test/client.py", "test/support/socket_helper.py", "contest.py", "latest.py"])
def test_a_package_named_test_is_code_as_any_other(path: str) -> None:
    assert not is_test(path)
