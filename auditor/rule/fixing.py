"""How a rule changes what it flags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from auditor.rule.context import Context

if TYPE_CHECKING:
    from auditor import cst


class Safety(StrEnum):
    """Whether a change surely keeps the meaning of the program, for every value and type."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class CannotFix(Exception):  # noqa: N818 - an answer, not an error
    """This code cannot be transformed faithfully. Better no fix than a wrong one."""


@dataclass(frozen=True, slots=True)
class Addition:
    """A statement that adds to a name; `code` is what to call on the list instead, as `append(x)`."""

    statement: cst.CSTNode
    code: str


class Edits(Protocol):
    """What a fix does to the file. Every method raises `CannotFix` where the code does not allow it.

    Code is source text whose lines end in LF. What is not edited stays byte for byte.
    """

    def code(self, node: cst.CSTNode) -> str:
        """Source text of the node, its lines indented as they are in the file (which `Context.code` does not keep)."""
        ...

    def replace(self, node: cst.CSTNode, code: str | cst.CSTNode) -> None:
        """Put `code` where the node stands; parentheses around the node stay."""
        ...

    def drop(self, statement: cst.CSTNode) -> None:
        """Remove the lines of a statement that has them for itself."""
        ...

    def before(self, statement: cst.CSTNode, code: str) -> None:
        """Put lines above the statement and its comments, at its indentation."""
        ...

    def after(self, statement: cst.CSTNode, code: str) -> None:
        """Put lines below the statement, at its indentation."""
        ...

    def enclose(self, first: cst.CSTNode, last: cst.CSTNode, header: str) -> None:
        """Put the statements from `first` to `last`, lines of one block, below a header such as `with x:`."""
        ...

    def indent(self, first: cst.CSTNode, last: cst.CSTNode) -> None:
        """Push the statements from `first` to `last` one level to the right."""
        ...

    def hoist(self, node: cst.BaseExpression, loop: cst.CSTNode, hint: str, code: str) -> str:
        """A new local name like `hint`, bound to `code` ahead of the loop, to stand for what `node` yields in it.

        It declines where a condition of the loop looks at what `code` is made of.
        """
        ...

    def gather(self, name: str, loop: cst.CSTNode, additions: Sequence[Addition], start: str, end: str) -> None:
        """Collect in a list what a loop adds to the local `name`, and make the value of it where it is needed.

        start, end: code of the first list and of the value, with `{}` for the name or for the list ("''.join({})").
        """
        ...

    def builtin(self, name: str) -> str:
        """The name of a builtin that nothing in the file hides."""
        ...

    def imported(self, name: str) -> str:
        """How to write the qualified name ("heapq.nsmallest") here. Imports the module unless the file does."""
        ...

    def free(self, hint: str) -> str:
        """A name like `hint` that the file does not use."""
        ...

    def constant(self, hint: str, code: str) -> str:
        """The name of a new constant of the module, made of names that are bound by then and never again."""
        ...


@dataclass(frozen=True, slots=True)
class Fixer:
    """How a rule changes what it flags.

    make: gets the flagged node; returns whether the change is safe, or None (or raises `CannotFix`) to decline.
    changes: what a change that is not safe may alter, and when there is none. Plain Markdown.
    fixed: what becomes of each of the rule's `invalid` examples, None where the fix declines.
    """

    make: Callable[[cst.CSTNode, Context, Edits], Safety | None]
    changes: str
    fixed: tuple[str | None, ...]
