"""What the documents say is what the repository does."""

from __future__ import annotations

import pkgutil
import re
import shlex
import tomllib
from pathlib import Path

from auditor.catalog import bundled_rules
from auditor.cli import commands as audit_commands
from auditor.cli.options import audit_parser
from docs.generate import RULES, pages

ROOT = Path(__file__).parent.parent


def test_the_rule_pages_are_up_to_date() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in RULES.glob("*.md")}

    assert written == pages(), "run: uv run python docs/generate.py"


def test_ci_runs_blocks_that_the_readme_has() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    parts = re.search(r"for part in ([a-z ]+);", ci)

    assert parts is not None
    for part in parts.group(1).split():
        assert re.search(rf"<!-- ci: {part} -->\n```sh\n.+\n```", readme), part


def test_every_link_in_the_documents_leads_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for document in documents:
        for link in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_the_readme_names_a_rule_that_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"audit explain ([a-z-]+)", readme)) <= {rule.id for rule in bundled_rules()}


def test_the_configuration_in_the_readme_is_understood() -> None:
    from auditor.config import parse_config

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.+?)```", readme, flags=re.DOTALL)

    config = parse_config(tomllib.loads(text)["tool"]["audit"], ROOT / "pyproject.toml")

    assert [workload.name for workload in config.workloads] == ["bench", "growth", "web"]
    assert [one.patterns for one in config.exclude] == [("vendor/",)]


def commands() -> list[str]:
    """The command lines of audit in the documents' blocks of shell."""
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    blocks = (re.findall(r"```sh\n(.+?)```", one.read_text(encoding="utf-8"), re.DOTALL) for one in documents)
    lines = (line for found in blocks for block in found for line in block.splitlines())
    return [match[1] for line in lines if (match := re.search(r"(?:^|run |\| )audit\b(?!\.)([^#]*)", line))]


def test_every_command_in_the_documents_is_one_that_audit_takes() -> None:
    known = {one.name.replace("_", "-") for one in pkgutil.iter_modules(audit_commands.__path__)}

    assert len(commands()) > 20
    for command in commands():
        words = shlex.split(command)
        if words[:1] and words[0] in known:
            continue
        assert audit_parser().parse_args(words)
