"""What a module says about its names, attributes and classes."""

from __future__ import annotations

import ast

from auditor.scan.facts import Binding, Function, ModuleFacts


def facts_of(text: str, package: str = "") -> ModuleFacts:
    return ModuleFacts(tree=ast.parse(text), package=package)


def imported(text: str, name: str, package: str = "") -> str | None:
    facts = facts_of(text, package)
    (binding,) = facts.names(facts.tree).bindings[name]
    return binding.imported


def values(bindings: list[Binding]) -> list[str]:
    return [ast.unparse(binding.value) for binding in bindings if binding.value is not None]


def test_imports_keep_what_they_mean() -> None:
    assert imported("import a.b", "a") == "a"
    assert imported("import a.b as c", "c") == "a.b"
    assert imported("from a.b import c as d", "d") == "a.b.c"


def test_relative_imports_count_from_the_package() -> None:
    assert imported("from . import x", "x", "top.sub") == "top.sub.x"
    assert imported("from .mod import x", "x", "top.sub") == "top.sub.mod.x"
    assert imported("from ..mod import x", "x", "top.sub") == "top.mod.x"
    assert imported("from .mod import x", "x") == "mod.x"


def test_a_scope_does_not_list_what_its_inner_scopes_bind() -> None:
    facts = facts_of("def f():\n    y = 1\nz = [w for w in ()]\nu = [(v := n) for n in ()]\n")

    assert set(facts.names(facts.tree).bindings) == {"f", "z", "u", "v"}


def test_unpacking_pairs_targets_with_values() -> None:
    facts = facts_of("a, (b, *c) = 1, (2, 3)\n")
    names = facts.names(facts.tree).bindings

    assert values(names["a"]) == ["1"]
    assert values(names["b"]) == ["2"]
    assert values(names["c"]) == []


def test_attributes_are_gathered_from_all_methods() -> None:
    facts = facts_of(
        "class A:\n"
        "    limit = 3\n"
        "    def __init__(this):\n        this.x, this.y = 1, 2\n"
        "    def open(self):\n        with connect() as self.z:\n            other.w = 4\n"
    )
    (klass,) = [node for node in facts.tree.body if isinstance(node, ast.ClassDef)]
    attributes = facts.attributes(klass)

    assert {"limit", "x", "y", "z"} <= set(attributes)
    assert "w" not in attributes
    assert values(attributes["y"]) == ["2"]
    method = attributes["z"][0].method
    assert isinstance(method, Function)
    assert method.name == "open"


def test_bindings_by_way_of_global_are_known_to_the_module() -> None:
    facts = facts_of("x = None\ndef f():\n    global x\n    x = 1\ndef g():\n    x = 2\n")

    assert [(function.name, values([binding])) for function, binding in facts.globals("x")] == [("f", ["1"])]


def test_classes_are_found_by_qualified_name() -> None:
    facts = facts_of("class A: pass\ndef f():\n    class B: pass\n", "pkg")

    assert facts.class_named("pkg.A") is facts.tree.body[0]
    assert facts.class_named("A") is None
    assert facts.class_named("pkg.B") is None
