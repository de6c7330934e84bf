"""Dataclasses that are cheap to define: to whoever uses them, they are the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import records


@records.dataclass(frozen=True, slots=True, order=True)
class Ours:
    """Every kind of field."""

    number: int
    text: str = "a"
    listed: tuple[int, ...] = records.field(default_factory=tuple)
    aside: int = records.field(default=0, compare=False, repr=False)


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Theirs:
    """The same."""

    number: int
    text: str = "a"
    listed: tuple[int, ...] = dataclasses.field(default_factory=tuple)
    aside: int = dataclasses.field(default=0, compare=False, repr=False)


@records.dataclass(slots=True)
class Open:
    """One that may change."""

    kept: list[int] = records.field(default_factory=list)
    late: int = records.field(init=False)

    def __post_init__(self) -> None:
        self.late = len(self.kept)


@records.dataclass(slots=True, eq=False)
class Unequal:
    """One that equals only itself."""

    value: int = 0


values = st.fixed_dictionaries(
    {"number": st.integers(0, 2)},
    optional={
        "text": st.sampled_from(("a", "b")),
        "listed": st.tuples(st.integers(0, 1)),
        "aside": st.integers(0, 1),
    },
)


def behaviour(kind: Any, one: dict[str, Any], other: dict[str, Any]) -> list[object]:
    left, right = kind(**one), kind(**other)
    return [
        left == right,
        left != right,
        left < right,
        left <= right,
        left > right,
        left >= right,
        hash(left) == hash(right),
        repr(left).replace(kind.__name__, ""),
        dataclasses.asdict(left),
        dataclasses.astuple(left),
        dataclasses.astuple(dataclasses.replace(left, **other)),
        dataclasses.astuple(records.replace(left, **other)),
        [field.name for field in dataclasses.fields(kind)],
        kind.__match_args__,
        left == (left.number, left.text),
    ]


@given(values, values)
def test_behaves_as_a_dataclass_of_the_standard_library(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert behaviour(Ours, one, other) == behaviour(Theirs, one, other)


@pytest.mark.parametrize("kind", [Ours, Theirs])
def test_a_frozen_one_cannot_be_changed(kind: Any) -> None:
    made = kind(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.number = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.number
    assert made.number == 1


@pytest.mark.parametrize("kind", [Ours, Theirs])
def test_a_missing_or_unknown_argument_is_a_type_error(kind: Any) -> None:
    with pytest.raises(TypeError, match="number"):
        kind()
    with pytest.raises(TypeError, match="unknown"):
        kind(1, unknown=2)


def test_copies_and_pickles_are_equal() -> None:
    made = Ours(1, listed=(2,), aside=3)
    for copied in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert copied == made
        assert copied.aside == 3


def test_each_has_a_default_of_its_own() -> None:
    Open().kept.append(1)
    assert Open().kept == []


def test_what_is_set_after_the_start_is_set() -> None:
    assert Open([1, 2]).late == 2


def test_one_that_may_change_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(Open())


def test_what_equals_only_itself_has_a_hash() -> None:
    made = Unequal()
    assert made == made  # noqa: PLR0124
    assert made != Unequal()
    assert {made}


def test_there_are_slots() -> None:
    with pytest.raises(AttributeError):
        Open().other = 1  # type: ignore[attr-defined]


def test_a_match_statement_takes_it_apart() -> None:
    match Ours(1, "b"):
        case Ours(number, text):
            assert (number, text) == (1, "b")


def test_the_model_is_defined_without_the_module_that_is_slow_to_import() -> None:
    source = "import sys, auditor.model, auditor.rule; print({'dataclasses', 'inspect'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
