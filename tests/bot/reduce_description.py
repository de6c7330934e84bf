"""Cuts GitHub's published OpenAPI description down to the operations that `audit comment` uses.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
    python tests/bot/reduce_description.py package/generated/api.github.com.json > tests/data/github/description.json

The description is published by GitHub and Octokit under the MIT licence. Examples and prose are left out, nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATIONS = {
    "/repos/{owner}/{repo}": ["get"],
    "/user": ["get"],
    "/repos/{owner}/{repo}/pulls": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/files": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/comments": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ["post"],
    "/repos/{owner}/{repo}/pulls/comments/{comment_id}": ["patch", "delete"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["get", "patch", "delete"],
    "/repos/{owner}/{repo}/check-runs": ["post"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["patch"],
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
}


def without_prose(value: Any, *, names: bool = False) -> Any:
    """`value` without examples, extensions and long descriptions; `names`: its keys are names of properties."""
    if isinstance(value, list):
        return [without_prose(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, one in value.items():
        if not names and (key in ("example", "examples", "externalDocs") or key.startswith("x-")):
            continue
        if not names and key == "description" and isinstance(one, str):
            kept[key] = ""
            continue
        kept[key] = without_prose(one, names=key == "properties")
    return kept


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref" and isinstance(one, str):
                yield one
            else:
                yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def reduce(full: dict[str, Any]) -> dict[str, Any]:
    paths = {
        path: {method: without_prose(full["paths"][path][method]) for method in methods}
        for path, methods in OPERATIONS.items()
    }
    reduced = {"openapi": full["openapi"], "info": full["info"], "servers": full["servers"], "paths": paths}
    open_ones, done = list(references(paths)), set()
    while open_ones:
        reference = open_ones.pop()
        if reference in done:
            continue
        done.add(reference)
        _, group, kind, name = reference.split("/")
        part = without_prose(full[group][kind][name])
        reduced.setdefault(group, {}).setdefault(kind, {})[name] = part
        open_ones.extend(references(part))
    return reduced


if __name__ == "__main__":
    description = reduce(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    json.dump(description, sys.stdout, sort_keys=True, indent=1)
    print()
