"""Workloads that are run at several sizes, or several times. Real runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.test_static import audit

CODE = """\
import random
import sys


def drain(n):
    todo = list(range(n))
    total = 0
    while todo:
        total += todo.pop(0)
    return total


def cheapest(n):
    rng = random.Random(1)
    prices = [rng.random() for _ in range(n)]
    return sorted(prices)[0]


def below(n):
    if n < 3000:
        text = ""
        for i in range(n):
            text = text + str(i)


globals()[sys.argv[1]](int(sys.argv[2]))
"""


def audited(project: Path, *arguments: str) -> dict[str, Any]:
    (project / "bench.py").write_text(CODE)
    result = audit("bench.py", *arguments, "--format", "json", cwd=project)
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def finding(document: dict[str, Any], symbol: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in document["findings"] if one["symbol"] == symbol)
    return found


def row(found: dict[str, Any], metric: str) -> dict[str, Any]:
    return next(dict(one) for one in found["evidence"] if one["metric"] == metric and one["collector"] == "probes")


def test_a_list_that_only_shrinks_is_confirmed_by_its_growth_over_sizes(tmp_path: Path) -> None:
    document = audited(tmp_path, "--run", "python bench.py drain {n}", "--sizes", "20000,40000,80000,160000")

    found = finding(document, "drain")
    assert found["verdict"] == "confirmed", found
    assert row(found, "size_exponent")["low"] > 1
    assert "over n its seconds grow as n^" in found["reason"]
    assert row(found, "hits")["value"] == 160_000
    assert [one["size"] for one in document["workloads"][0]["passes"] if one["name"] == "plain"] == [
        20_000,
        40_000,
        80_000,
        160_000,
    ]


def test_a_single_sort_is_confirmed_by_its_growth_over_sizes(tmp_path: Path) -> None:
    document = audited(tmp_path, "--run", "python bench.py cheapest {n}", "--sizes", "50000,200000,800000")

    found = finding(document, "cheapest")
    assert found["verdict"] == "confirmed", found
    assert row(found, "hits")["value"] == 1
    assert row(found, "hit_exponent")["low"] >= 0.5
    assert not [one for one in found["evidence"] if one["metric"] == "growth"]


def test_a_suspect_that_ran_at_a_lesser_size_only_was_exercised(tmp_path: Path) -> None:
    document = audited(tmp_path, "--run", "python bench.py below {n}", "--sizes", "1000,2000,4000")

    found = finding(document, "below")
    assert found["verdict"] not in ("not-exercised", "not-measurable"), found
    assert row(found, "hits")["value"] == 2_000


def test_a_failure_at_one_size_is_said_with_the_size(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("import sys\nraise SystemExit(int(sys.argv[1]) >= 2000)\n")
    document = audited(tmp_path, "--run", "python fails.py {n}", "--sizes", "1000,2000,4000")

    assert document["workloads"][0]["exit_code"] == 1
    assert [one["size"] for one in document["workloads"][0]["passes"]][-1] == 2_000
    assert "with n = 2,000" in finding(document, "drain")["reason"]


def test_every_pass_is_repeated_and_counts_stay_counts(tmp_path: Path) -> None:
    document = audited(tmp_path, "--run", "python bench.py drain 30000", "--repeat", "3")

    names = [one["name"] for one in document["workloads"][0]["passes"]]
    assert names == ["plain", "probes", "py-spy"] * 3
    hits = row(finding(document, "drain"), "hits")
    assert (hits["low"], hits["value"], hits["high"]) == (30_000, 30_000, 30_000)


def test_sizes_that_cannot_be_fitted_are_refused_with_a_hint(tmp_path: Path) -> None:
    def refused(*arguments: str) -> str:
        result = audit(".", *arguments, cwd=tmp_path)
        assert result.returncode == 2
        return result.stderr

    assert "give at least 3 sizes" in refused("--run", "python x.py {n}", "--sizes", "1000,2000")
    assert "at least 4 times the least" in refused("--run", "python x.py {n}", "--sizes", "1000,1001,1002")
    assert "write {n} in it" in refused("--run", "python x.py", "--sizes", "1000,2000,4000")
    assert "1000,2000,4000" in refused("--run", "python x.py {n}", "--sizes", "many")
    assert "--sizes goes with --run" in refused("--sizes", "1000,2000,4000")
    assert "1 or more" in refused("--run", "python x.py", "--repeat", "0")
