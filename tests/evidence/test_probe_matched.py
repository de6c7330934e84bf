"""Matches that no pass over their text explains are told from those that take long because the text is long."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

CALLS = [
    "re.match('(a|b|ab)*c', text)",
    "PATTERN.match(text)",
    "re.sub('(a|b|ab)*c', 'x', text)",
    "re.search('(a|b|ab)*c', text, flags=re.ASCII)",
    "PATTERN.match(string=text)",
    "re.sub('(a|b|ab)*c', 'x', string=text, flags=re.ASCII)",
    "re.search(string=text, pattern='(a|b|ab)*c')",
]


def matching(flagged: str, texts: str) -> str:
    return f"import re\nPATTERN = re.compile( '(a|b|ab)*c')\nfor text in {texts}:\n    print(bool({flagged}))\n"


@pytest.mark.parametrize("flagged", CALLS)
def test_one_match_that_backtracks_stands_out_among_many_long_texts(tmp_path: Path, flagged: str) -> None:
    texts = "[*(['ab' * 19] * 2), *(['x' * 20_000 + 'c'] * 400)]"
    # of an execution in which garbage is collected, nothing is told
    program = f"import gc\ngc.disable()\n{matching(flagged, texts)}"
    probed = probe(tmp_path, program, ("matched", flagged))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()[-len(probed.outcome.last_lines) :]
    assert probed.value("hits") == 402
    assert probed.value("size_max") == 20_001
    assert probed.row("beyond").n == 2
    assert 0.002 < probed.row("beyond").low <= probed.row("beyond").high <= probed.row("seconds").high


@pytest.mark.parametrize("flagged", CALLS)
def test_one_pass_over_much_text_is_explained_by_its_length(tmp_path: Path, flagged: str) -> None:
    probed = probe(tmp_path, matching(flagged, "['b' * 50_000 + 'c'] * 20"), ("matched", flagged))

    assert probed.value("seconds") > 0.001
    assert probed.row("beyond").high == 0


def test_of_a_text_without_a_known_length_it_may_be_anything(tmp_path: Path) -> None:
    flagged = "PATTERN.match(text)"
    program = matching(flagged, "[Own(b'ab' * 16)]").replace(" '(", " b'(")
    program = program.replace("for", "class Own(bytes):\n    pass\nfor", 1)
    probed = probe(tmp_path, program, ("matched", flagged))

    assert probed.row("beyond").low == 0
    assert probed.row("beyond").high > 0.0001


def test_that_garbage_was_collected_meanwhile_shows_nothing(tmp_path: Path) -> None:
    flagged = "PATTERN.match(text)"
    many = "import gc\nkept = [[n] for n in range(100_000)]\ngc.set_threshold(40)\nfor"
    program = matching(flagged, "['c'] * 20_000").replace("for", many, 1)
    program = program.replace(f"print(bool({flagged}))", f"kept.append({flagged})")
    probed = probe(tmp_path, program, ("matched", flagged))

    # where collecting was over in no time, there is nothing to be told from it
    assert probed.row("beyond").low < max(0.001, 0.5 * probed.row("beyond").high)
