"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.rule.context import Context
from auditor.rule.fixing import Fixer
from auditor.rule.matching import Match
from auditor.rule.triggers import Kind, Trigger

if TYPE_CHECKING:
    from auditor import cst
    from auditor.model import Expectation


@dataclass(frozen=True, slots=True)
class Page:
    """What `audit explain` prints. Plain Markdown paragraphs.

    what: what the rule flags. why: why it may cost. harmless: when it does not. measured: what confirms or rejects
    it. fix: how to change the code. references: where the facts come from.
    """

    what: str
    why: str
    harmless: str
    measured: str
    fix: str
    references: tuple[str, ...] = ()


Check = Callable[["cst.CSTNode", Context], Match | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `valid` and `invalid` are whole source texts; each invalid one yields exactly one suspect."""

    id: str
    title: str
    kind: Kind
    page: Page
    triggers: tuple[Trigger, ...]
    expects: Expectation
    check: Check
    valid: tuple[str, ...]
    invalid: tuple[str, ...]
    fix: Fixer | None = None
