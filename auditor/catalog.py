"""The rules audit knows: every file of the bundled `rules` directory, and of the directories a team names.

A team's directories come from `[tool.audit] rules`, and from installed packages that name one as an entry point of the
group `audit.rules`. Loading a rule runs its file.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

from auditor import cst
from auditor.bundled import bundled
from auditor.config import suggestion
from auditor.errors import RuleError
from auditor.installed import may_have_entry_points
from auditor.model import Expectation
from auditor.rule import Calls, Fixer, Kind, Nodes, Page, Reaches, Rule

ENTRY_POINTS = "audit.rules"
RULE_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""A rule's id: lower-case words joined by hyphens."""


@cache
def bundled_rules() -> tuple[Rule, ...]:
    """All rules that ship with audit, by id.

    Raises:
        RuleError: a rule file cannot be loaded.
    """
    return tuple(sorted((load_rule(file) for file in rule_files(bundled("rules"))), key=lambda rule: rule.id))


def rule_files(directory: Path) -> list[Path]:
    """The files of a directory that hold a rule each; what begins with an underscore is their helper."""
    return sorted(file for file in directory.glob("*.py") if not file.name.startswith("_"))


def sources_of_rules(configured: Iterable[str] = ()) -> tuple[str, ...]:
    """Directories of rules beside the bundled ones: the configured, then those of installed packages.

    Raises:
        RuleError: an entry point leads to no package.
    """
    return tuple(dict.fromkeys((*configured, *_installed())))


def team_rules(sources: Iterable[str]) -> tuple[tuple[Rule, Path], ...]:
    """The rules of these directories with the file of each, by id.

    Raises:
        RuleError: a rule file cannot be loaded, or holds no sound rule, or an id is taken.
    """
    files = [file for source in sources for file in rule_files(Path(source))]
    found = [(load_rule(file, _module_name(file)), file) for file in files]
    taken = {rule.id: "a rule of audit's own" for rule in bundled_rules()}
    for rule, file in found:
        if rule.id in taken:
            raise RuleError(f"{file}: the id {rule.id!r} is taken by {taken[rule.id]}; give it another")
        taken[rule.id] = str(file)
    return tuple(sorted(found, key=lambda pair: pair[0].id))


def all_rules(sources: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The bundled rules and those of these directories, by id.

    Raises:
        RuleError: as `team_rules`.
    """
    rules = (*bundled_rules(), *(rule for rule, _file in team_rules(sources)))
    return tuple(sorted(rules, key=lambda rule: rule.id))


def load_rule(file: Path, name: str | None = None) -> Rule:
    """The rule of one file, whose module gets that name.

    Raises:
        RuleError: it fails to import, or has no `RULE`, or an unsound one.
    """
    module = _imported(file, name or f"audit_rule_{file.stem}")
    rule = getattr(module, "RULE", None)
    if not isinstance(rule, Rule):
        raise RuleError(f"{file} has no RULE; a rule file ends with RULE = Rule(...), a helper's name begins with _")
    for complaint in _complaints(rule):
        raise RuleError(f"{file}: {complaint}")
    return rule


def find_rule(rule_id: str, rules: Sequence[Rule] = ()) -> Rule:
    """The rule of that id among `rules`, by default the bundled ones.

    Raises:
        RuleError: there is none; the message suggests the nearest.
    """
    rules = rules or bundled_rules()
    for rule in rules:
        if rule.id == rule_id:
            return rule
    known = suggestion(rule_id, tuple(rule.id for rule in rules), "`audit rules` lists them")
    raise RuleError(f"unknown rule {rule_id!r}; {known}")


def chosen_rules(
    select: Iterable[str] = (), ignore: Sequence[str] = (), sources: Iterable[str] = ()
) -> tuple[Rule, ...]:
    """The rules to run: those selected (all if none is), without the ignored ones.

    Raises:
        RuleError: an id is unknown, or as `team_rules`.
    """
    known = all_rules(sources)
    selected = tuple(find_rule(rule_id, known) for rule_id in select) or known
    ignored = {find_rule(rule_id, known).id for rule_id in ignore}
    return tuple(rule for rule in selected if rule.id not in ignored)


# ------------------------------------------------------------------------------------------------
# Loading


def _installed() -> Iterator[str]:
    """Directories of the packages that entry points name. Nothing of a package but those above it is run."""
    # `python -m auditor` puts the working directory, often the audited project, where only installed things belong
    path = [entry for entry in sys.path if entry and Path(entry) != Path.cwd()]
    if not may_have_entry_points(ENTRY_POINTS, path):
        return
    import importlib.metadata

    for distribution in importlib.metadata.distributions(path=path):
        for entry in distribution.entry_points.select(group=ENTRY_POINTS):
            where = f"entry point {entry.name} = {entry.value!r} of the package {distribution.name}"
            try:
                spec = importlib.util.find_spec(entry.value)
            except (ImportError, ValueError) as error:
                raise RuleError(f"{where} cannot be found: {error}; repair or uninstall that package") from error
            if spec is None or not spec.submodule_search_locations:
                raise RuleError(f"{where} names no package that holds rule files; repair or uninstall that package")
            yield from sorted(spec.submodule_search_locations)


def _module_name(file: Path) -> str:
    """Name for a rule's module inside a package that stands for its directory, so that it can import its helpers."""
    directory = str(file.parent)
    package = f"audit_rules_{hashlib.sha256(directory.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    if package not in sys.modules:
        spec = importlib.machinery.ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = [directory]
        sys.modules[package] = importlib.util.module_from_spec(spec)
    return f"{package}.{file.stem}"


def _imported(file: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RuleError(f"{file} is not a Python file; a rule file ends in .py")
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pickle look a class's module up by its name
    sys.modules[name] = module
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, sys.dont_write_bytecode or "." in name
    try:
        if "." in name:
            # a team's rules import LibCST itself
            cst.join()
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise RuleError(f"{error.filename}, line {error.lineno}: {error.msg}; correct it") from error
    except (Exception, SystemExit) as error:
        raise RuleError(f"{file} cannot be loaded: {type(error).__name__}: {error}; correct it") from error
    finally:
        sys.dont_write_bytecode = kept
    return module


def _complaints(rule: Rule) -> Iterator[str]:
    """What is wrong with the rule's fields: type checkers do not reach every team."""
    if not isinstance(rule.id, str) or not RULE_ID.fullmatch(rule.id):
        yield f"id is {rule.id!r}; use lower-case words joined by hyphens"
    for name, wanted in (("title", str), ("kind", Kind), ("page", Page), ("expects", get_args(Expectation))):
        if not isinstance(getattr(rule, name), wanted):
            names = " or ".join(one.__name__ for one in (wanted if isinstance(wanted, tuple) else (wanted,)))
            yield f"{name} is {getattr(rule, name)!r}; give a {names}"
    if not callable(rule.check):
        yield f"check is {rule.check!r}; give a function check(node, ctx)"
    if not isinstance(rule.triggers, tuple) or not rule.triggers:
        yield f"triggers is {rule.triggers!r}; give a tuple of Calls, Nodes and Reaches"
    for trigger in rule.triggers:
        if isinstance(trigger, Nodes):
            yield from (f"triggers: ast has no {kind!r}" for kind in trigger.kinds if not hasattr(ast, str(kind)))
        elif not isinstance(trigger, Calls | Reaches):
            yield f"triggers holds {trigger!r}; give Calls(...), Nodes(...) or Reaches(...)"
        elif not _are_texts(trigger.names):
            yield f"triggers: names is {trigger.names!r}; give a tuple of names, at least one"
    for name in ("valid", "invalid"):
        if not _are_texts(getattr(rule, name)):
            yield f"{name} is {getattr(rule, name)!r}; give a tuple of source texts, at least one"
    if rule.fix is not None and not isinstance(rule.fix, Fixer):
        yield f"fix is {rule.fix!r}; give a Fixer or None"
    elif rule.fix is not None and (len(rule.fix.fixed) != len(rule.invalid) or not any(rule.fix.fixed)):
        yield "fix: fixed needs an entry for each of the invalid examples, and a text for at least one"


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(text, str) for text in value)


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
    if rule.fix is not None:
        parts.append(_fix_markdown(rule, rule.fix))
    if page.references:
        parts.append("## References\n\n" + "\n".join(f"- {reference}" for reference in page.references))
    return "\n\n".join(parts) + "\n"


def _fix_markdown(rule: Rule, fixer: Fixer) -> str:
    """What `audit --fix` makes of the first example that it changes."""
    before, after = next((text, made) for text, made in zip(rule.invalid, fixer.fixed, strict=True) if made)
    return "\n\n".join(
        (
            "## What `--fix` does",
            fixer.changes,
            f"Before:\n\n```python\n{before.strip()}\n```",
            f"After:\n\n```python\n{after.strip()}\n```",
        )
    )
