"""What a rule is: one value in one file that carries its id, page, examples, trigger, matcher and expectation.

A rule file imports from here, from `auditor.shapes` and LibCST only; audit's own rules have `auditor.cst` in its place.
`docs/team-rules.md` shows how to write one.
"""

from auditor.rule.context import (
    Context,
    Loop,
)
from auditor.rule.definition import (
    Check,
    Page,
    Rule,
)
from auditor.rule.fixing import (
    Addition,
    CannotFix,
    Edits,
    Fixer,
    Safety,
)
from auditor.rule.matching import (
    Match,
    Plant,
    Step,
)
from auditor.rule.triggers import (
    Calls,
    Kind,
    Nodes,
    Reaches,
    Trigger,
    Where,
)

__all__ = [
    "Addition",
    "Calls",
    "CannotFix",
    "Check",
    "Context",
    "Edits",
    "Fixer",
    "Kind",
    "Loop",
    "Match",
    "Nodes",
    "Page",
    "Plant",
    "Reaches",
    "Rule",
    "Safety",
    "Step",
    "Trigger",
    "Where",
]
