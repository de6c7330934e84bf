"""The rules audit knows: every file of the bundled `rules` directory, found by path."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from auditor.bundled import bundled
from auditor.config import suggestion
from auditor.errors import RuleError
from auditor.rule import Rule


@cache
def bundled_rules() -> tuple[Rule, ...]:
    """All rules that ship with audit, by id.

    Raises:
        RuleError: a rule file cannot be loaded.
    """
    files = sorted(file for file in bundled("rules").glob("*.py") if not file.name.startswith("_"))
    return tuple(sorted((load_rule(file) for file in files), key=lambda rule: rule.id))


def load_rule(file: Path) -> Rule:
    """The rule of one file.

    Raises:
        RuleError: it fails to import, or has no `RULE`.
    """
    spec = importlib.util.spec_from_file_location(f"audit_rule_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise RuleError(f"{file} is not a Python file; a rule file ends in .py")
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pickle look a class's module up by its name
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RuleError(f"{file} cannot be loaded: {type(error).__name__}: {error}") from error
    rule = getattr(module, "RULE", None)
    if not isinstance(rule, Rule):
        raise RuleError(f"{file} has no RULE; a rule file ends with RULE = Rule(...)")
    return rule


def find_rule(rule_id: str) -> Rule:
    """The rule of that id.

    Raises:
        RuleError: there is none; the message suggests the nearest.
    """
    for rule in bundled_rules():
        if rule.id == rule_id:
            return rule
    raise RuleError(f"unknown rule {rule_id!r}; {suggestion(rule_id, tuple(rule.id for rule in bundled_rules()))}")


def chosen_rules(select: Iterable[str] = (), ignore: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules to run: those selected (all if none is), without the ignored ones.

    Raises:
        RuleError: an id is unknown.
    """
    selected = tuple(find_rule(rule_id) for rule_id in select) or bundled_rules()
    ignored = {find_rule(rule_id).id for rule_id in ignore}
    return tuple(rule for rule in selected if rule.id not in ignored)


def page_markdown(rule: Rule) -> str:
    """The page of a rule, as `audit explain` and `docs/rules/` show it."""
    page = rule.page
    parts = [
        f"# {rule.id}",
        f"{rule.title}. Kind: {rule.kind}.",
        f"## What it does\n\n{page.what}",
        f"## Why it may cost\n\n{page.why}",
        f"## When it is harmless\n\n{page.harmless}",
        f"## What is measured\n\n{page.measured}",
        f"## How to fix\n\n{page.fix}",
        f"## Example\n\n```python\n{rule.invalid[0].strip()}\n```",
        f"Not flagged:\n\n```python\n{rule.valid[0].strip()}\n```",
    ]
    if page.references:
        parts.append("## References\n\n" + "\n".join(f"- {reference}" for reference in page.references))
    return "\n\n".join(parts) + "\n"
