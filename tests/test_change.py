"""What a change introduced, fixed, or left as it was: over edits, renames and moves, with both sides given."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from auditor.change import Block, Comparison, FileChange, blocks, compare
from auditor.model import Span, Suspect

from .report.factory import a_suspect


def suspect(name: str, line: int, path: str = "m.py", text: str = "t", symbol: str = "f") -> Suspect:
    return a_suspect(
        path=path,
        line=line,
        rule="r",
        fingerprint=name,
        symbol=symbol,
        context=f"{symbol}{text}:1",
        span=Span(line, 5, line, 9),
    )


def file(*changed: Block, old: str | None = "m.py", new: str | None = "m.py") -> FileChange:
    return FileChange(old, new, changed)


def names(comparison: Comparison) -> tuple[set[str], set[str], set[str]]:
    return set(comparison.introduced), set(comparison.touched), {one.fingerprint for one in comparison.fixed}


def test_lines_inserted_above_change_nothing() -> None:
    insertion = Block(3, 3, 3, 8)

    assert names(compare([suspect("old", 10)], [suspect("new", 15)], [file(insertion)])) == (set(), set(), set())


def test_what_stands_on_new_lines_is_introduced() -> None:
    assert names(compare([], [suspect("new", 4)], [file(Block(4, 4, 4, 5))])) == ({"new"}, set(), set())


def test_what_is_flagged_now_because_another_line_changed_is_introduced() -> None:
    assert names(compare([], [suspect("new", 40)], [file(Block(4, 5, 4, 5))])) == ({"new"}, set(), set())


def test_what_is_gone_is_fixed() -> None:
    assert names(compare([suspect("old", 4)], [], [file(Block(4, 5, 4, 4))])) == (set(), set(), {"old"})
    assert names(compare([suspect("old", 4)], [], [file(old="m.py", new=None)])) == (set(), set(), {"old"})


def test_of_equal_suspects_the_one_that_was_added_is_introduced() -> None:
    old = [suspect("old", 10)]
    new = [suspect("added", 5), suspect("kept", 11)]

    assert names(compare(old, new, [file(Block(5, 5, 5, 6))])) == ({"added"}, set(), set())


def test_of_two_functions_alike_the_one_that_was_appended_is_introduced_whatever_lines_the_diff_took_for_new() -> None:
    before = b"a = 1\ndef f():\n    return t\n"
    after = b"a = 2\ndef f():\n    return t\n\n\ndef g():\n    return t\n"
    changed = FileChange("m.py", "m.py", blocks(before.splitlines(), after.splitlines()))
    old = [suspect("old", 3)]
    new = [suspect("kept", 3), suspect("added", 7, symbol="g")]

    assert names(compare(old, new, [changed])) == ({"added"}, {"kept"}, set())


def test_a_rewritten_line_that_is_still_flagged_was_there_before_and_is_touched() -> None:
    changed = file(Block(4, 6, 4, 7))

    assert names(compare([suspect("old", 4)], [suspect("new", 5, text="u")], [changed])) == (set(), {"new"}, set())


def test_a_rewritten_line_that_is_flagged_for_something_else_is_introduced_and_fixed() -> None:
    changed = [file(Block(4, 5, 4, 5))]
    other = replace(suspect("new", 4, text="u"), rule="s")

    assert names(compare([suspect("old", 4)], [other], changed)) == ({"new"}, set(), {"old"})


def test_a_renamed_file_brings_nothing_new() -> None:
    changed = [file(old="a.py", new="b.py")]

    assert names(compare([suspect("old", 4, "a.py")], [suspect("new", 4, "b.py")], changed)) == (set(), set(), set())


def test_a_function_moved_to_another_file_brings_nothing_new() -> None:
    changed = [FileChange("a.py", "a.py", (Block(3, 9, 3, 3),)), FileChange(None, "b.py", (Block(1, 1, 1, 9),))]
    introduced, _touched, fixed = names(compare([suspect("old", 5, "a.py")], [suspect("new", 2, "b.py")], changed))

    assert (introduced, fixed) == (set(), set())


def test_a_copy_is_introduced() -> None:
    changed = [FileChange(None, "b.py", (Block(1, 1, 1, 9),))]
    both = [suspect("kept", 5, "a.py"), suspect("copy", 2, "b.py")]

    assert names(compare([suspect("old", 5, "a.py")], both, changed)) == ({"copy"}, set(), set())


def test_where_the_old_side_could_not_be_read_only_changed_lines_count() -> None:
    new = [suspect("changed", 4), suspect("other", 40)]

    assert names(compare([], new, [file(Block(4, 5, 4, 5))], unknown={"m.py"})) == ({"changed"}, set(), set())


TEXT = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"]), max_size=30)


@given(TEXT, TEXT)
def test_between_blocks_the_lines_are_the_same(old: list[bytes], new: list[bytes]) -> None:
    change = FileChange("m.py", "m.py", blocks(old, new))
    told = {block_line for block in change.blocks for block_line in range(block.new_first, block.new_end)}

    for number, line in enumerate(old, 1):
        now = change.new_line(number)
        assert now is None or new[now - 1] == line
    kept = {change.new_line(number) for number in range(1, len(old) + 1)} - {None}
    assert kept | told == set(range(1, len(new) + 1))


@given(TEXT)
def test_equal_texts_have_no_blocks(text: list[bytes]) -> None:
    assert blocks(text, text) == ()


LINES = st.lists(st.integers(1, 12), unique=True, max_size=6)


@given(TEXT, TEXT, LINES, LINES)
def test_every_suspect_is_told_once(old: list[bytes], new: list[bytes], before: list[int], after: list[int]) -> None:
    first = [suspect(f"o{line}", line, text=str(line % 2)) for line in before]
    second = [suspect(f"n{line}", line, text=str(line % 2)) for line in after]
    said = compare(first, second, [FileChange("m.py", "m.py", blocks(old, new))])

    assert said.introduced | said.touched <= {one.fingerprint for one in second}
    assert not said.introduced & said.touched
    assert len(second) - len(said.introduced) == len(first) - len(said.fixed)
