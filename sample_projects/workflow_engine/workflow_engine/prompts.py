"""Prompts for the models that review."""

from collections.abc import Iterable


def context_window(model: str) -> int:
    """Return how many thousand tokens a model reads, 8 for one that is not known."""
    windows = {
        "atlas-large": 200,
        "atlas-medium": 128,
        "atlas-small": 32,
        "cedar-1": 16,
        "cedar-2": 64,
        "cedar-2-long": 256,
        "delta-chat": 8,
        "delta-code": 32,
        "delta-code-long": 128,
        "ember-7b": 8,
        "ember-34b": 16,
        "ember-70b": 32,
        "fjord-base": 64,
        "fjord-pro": 128,
        "garnet-mini": 16,
        "garnet-max": 512,
        "harbor-1": 100,
        "harbor-2": 200,
    }
    return windows.get(model, 8)


def render_prompt(task: str, lines: Iterable[str]) -> str:
    """Return a prompt that states the task and shows the code with line numbers."""
    code = ""
    for number, line in enumerate(lines, start=1):
        code += f"{number:>6}  {line}\n"
    return f"{task}\n\n{code}"
