"""`audit new-rule`: write the first version of a rule of the project's own."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

DIRECTORY = Path("tools/audit_rules")


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code.

    Raises:
        AuditError: the name is no id or is taken, or the file exists or cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="audit new-rule", description="Write a rule to start from. It works, and its examples hold."
    )
    parser.add_argument("name", metavar="NAME", help="id of the rule: lower-case words joined by hyphens")
    parser.add_argument(
        "--dir", type=Path, metavar="DIR",
        help=f"where to write it (default: the first of [tool.audit] rules, or {DIRECTORY})",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    from auditor.catalog import RULE_ID, all_rules, sources_of_rules
    from auditor.config import load_config
    from auditor.errors import ConfigError

    configured = load_config(Path.cwd()).rules
    if not RULE_ID.fullmatch(options.name):
        raise ConfigError(f"{options.name!r} is no id of a rule; use lower-case words joined by hyphens")
    if options.name in {rule.id for rule in all_rules(sources_of_rules(configured))}:
        raise ConfigError(f"there is a rule {options.name} already; choose another name")
    directory = options.dir or (Path(configured[0]) if configured else DIRECTORY)
    file = directory / f"{options.name.replace('-', '_')}.py"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(_text(options.name))
    except FileExistsError as error:
        raise ConfigError(f"{error.filename} exists already; choose another name or directory") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    print(f"Wrote {os.path.relpath(file)}. Its examples are its tests:")
    print(f"  audit test-rules {os.path.relpath(directory)}")
    if str(directory.resolve()) not in configured:
        print("For audit to use it, the project's pyproject.toml needs:")
        print(f'  [tool.audit]\n  rules = ["{Path(os.path.relpath(directory)).as_posix()}"]')
    return 0


def _text(name: str) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from auditor.bundled import bundled

    environment = Environment(
        loader=FileSystemLoader(bundled("templates")),
        autoescape=False,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("rule.py.j2").render(id=name, title=name.replace("-", " ").capitalize())
