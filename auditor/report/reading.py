"""Reading JSON that somebody else may have written: every step checks, every complaint says where."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, TypeVar

from auditor.errors import ReportError
from auditor.report.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_LONGEST_WAY = 200
_REMEDY = "write the report anew with `audit --format json`"


@dataclass(frozen=True, slots=True)
class Node:
    """A value inside a JSON document, with the way to it ("findings[3].line")."""

    value: object
    origin: str
    way: str = ""

    def __getitem__(self, key: str) -> Node:
        """The value under `key` of an object."""
        if not isinstance(self.value, dict):
            self.fail("must be an object")
        if key not in self.value:
            self.fail(f"lacks the key {key!r}")
        return Node(self.value[key], self.origin, f"{self.way}.{key}" if self.way else key)

    def has(self, key: str) -> bool:
        """Whether the value is an object with that key."""
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> tuple[Node, ...]:
        """The values of an array."""
        if not isinstance(self.value, list):
            self.fail("must be an array")
        return tuple(Node(value, self.origin, f"{self.way}[{index}]") for index, value in enumerate(self.value))

    def members(self) -> tuple[tuple[str, Node], ...]:
        """Keys and values of an object."""
        if not isinstance(self.value, dict):
            self.fail("must be an object")
        return tuple((key, self[key]) for key in self.value)

    def string(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            self.fail("must be a string")
        return self.value

    def strings(self) -> tuple[str, ...]:
        """An array of strings."""
        return tuple(item.string() for item in self.items())

    def boolean(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.fail("must be true or false")
        return self.value

    def integer(self) -> int:
        """A whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.fail("must be a whole number")
        return self.value

    def number(self) -> float:
        """A finite number."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            self.fail("must be a number")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.fail("must be a finite number")
        return number

    def one_of(self, kind: type[E]) -> E:
        """A member of `kind`."""
        text = self.string()
        if text not in tuple(kind):
            self.fail(f"must be one of {', '.join(kind)}")
        return kind(text)

    def optional(self, read: Callable[[Node], T]) -> T | None:
        """None for null, else what `read` makes of the value."""
        return None if self.value is None else read(self)

    def fail(self, complaint: str) -> NoReturn:
        """Raise a ReportError that says what is wrong here and what to do."""
        shown = "" if isinstance(self.value, dict | list) else f", not {self.value!r:.60}"
        place = printable(self.way[:_LONGEST_WAY]) or "the document"
        raise ReportError(f"{self.origin}: {place} {complaint}{shown}; {_REMEDY}")


def parse(text: str, origin: str, longest: int | None = None) -> Node:
    """The document in `text`; `origin` names it in complaints. No string in it has more than `longest` characters.

    Raises ReportError if `text` is not JSON.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        return Node(value if longest is None else _cut(value, longest), origin)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ReportError(f"{origin} is not JSON ({error.msg}, {where}); {_REMEDY}") from error
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits, NaN, nesting of thousands of levels: no report of ours has them.
        raise ReportError(f"{origin} is not a saved report ({error}); {_REMEDY}") from error


def _cut(value: object, longest: int) -> object:
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, list):
        return [_cut(one, longest) for one in value]
    if isinstance(value, dict):
        return {key[:longest]: _cut(one, longest) for key, one in value.items()}
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
