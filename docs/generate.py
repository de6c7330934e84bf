"""Write `docs/rules/`: one page a rule, and their list. Run it after a change of a rule; a test fails on drift."""

from __future__ import annotations

from pathlib import Path

from auditor.catalog import bundled_rules, page_markdown

RULES = Path(__file__).parent / "rules"
LOOPS = """## What counts as a loop

`for`, `while` and comprehensions; and a function that runs for every item, which is

- a lambda or a function of the same file that is handed to `map`, `filter`, `sorted(key=...)`, `functools.reduce`,
  `itertools.groupby`, `re.sub`, `frame.apply`, `executor.map` and the like, also by way of `functools.partial`;
- a function that calls itself for each of several items (`for child in node.children: walk(child)`), for the rest of
  a list (`f(items[1:])`) or for the next of linked items (`f(node.left)`).

The suspect then says so, with the line of that call. What such a function is given anew for every item is told from
what it keeps: the receiver of a method, what `partial` gives, parameters that are handed on as they are.
"""


def pages() -> dict[str, str]:
    """File name to text of every generated page."""
    rules = bundled_rules()
    rows = [
        f"| [`{rule.id}`]({rule.id}.md) | {rule.kind} | {rule.title} | {'yes' if rule.fix else ''} |" for rule in rules
    ]
    table = "\n".join(["| rule | kind | looks for | fix |", "|---|---|---|---|", *rows])
    index = f"# Rules\n\nGenerated from `rules/` by `python docs/generate.py`.\n\n{table}\n\n{LOOPS}"
    return {"README.md": index, **{f"{rule.id}.md": page_markdown(rule) for rule in rules}}


def main() -> None:
    """Bring the directory in line with the rules."""
    RULES.mkdir(exist_ok=True)
    wanted = pages()
    for file in RULES.glob("*.md"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (RULES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
