"""Remarks on changed lines."""

from __future__ import annotations

from auditor.bot.remarks import MOST_REMARKS, changed_file, remarks
from auditor.change import Block, FileChange
from auditor.model import Edit, Fix, Span, VerdictKind
from auditor.standing import Edited
from tests.report.factory import HOSTILE, a_finding

SUSPECTED = VerdictKind.SUSPECTED
PATCH = "@@ -1,3 +1,4 @@\n import re\n-old = 1\n+new = 1\n+newer = 2\n last = 3"
DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n import re\n-new = 1\n+best = 1\n newer = 2\n"


def a_fix(diff: str = DIFF, *, safe: bool = True) -> Fix:
    return Fix(safe=safe, diff=diff, edits=(Edit(Span(2, 1, 2, 4), "best"),))


def changed(first: int, last: int, path: str = "a.py") -> list[Edited]:
    texts = {2: "new = 1", 3: "newer = 2"}
    added = {line: texts.get(line, "") for line in range(first, last + 1)}
    return [Edited(FileChange(path, path, (Block(first, first, first, last + 1),)), {}, added)]


def test_a_patch_becomes_the_stretches_that_differ() -> None:
    more = "\n@@ -10,2 +11,1 @@ def f():\n kept\n-gone"

    file = changed_file("a.py", "b.py", PATCH + more)

    assert file.change == FileChange("a.py", "b.py", (Block(2, 3, 2, 4), Block(11, 12, 12, 12)))
    assert file.added() == {2: "new = 1", 3: "newer = 2"}


def test_a_file_without_a_patch_or_with_one_that_cannot_be_read_has_no_stretches() -> None:
    assert changed_file("big.py", "big.py", None) == Edited(FileChange("big.py", "big.py"), {}, {})
    assert changed_file(None, "odd.py", "no patch") == Edited(FileChange(None, "odd.py"), {}, {})
    assert changed_file("odd.py", None, "@@ -1,9 +1,9 @@\n-cut") == Edited(FileChange("odd.py", None), {}, {})
    assert changed_file("tab\t.py", "new\nline.py", PATCH).added() == {2: "new = 1", 3: "newer = 2"}


def test_only_findings_on_changed_lines_get_a_remark() -> None:
    found = [a_finding(SUSPECTED, path="a.py", line=line) for line in (1, 2, 3, 4)]

    assert [one.line for one in remarks(found, "", changed(2, 3))] == [2, 3]


def test_paths_are_the_repository_s() -> None:
    (one,) = remarks([a_finding(SUSPECTED, path="a.py", line=2)], "src", changed(2, 2, "src/a.py"))

    assert one.path == "src/a.py"


def test_no_line_of_a_remark_is_a_command_to_the_forge() -> None:
    one = a_finding(VerdictKind.CONFIRMED, path="a.py", line=2, message="/merge", reason="  /approve", rule="/close")
    (said,) = remarks([one], "", changed(2, 3))

    assert [line for line in said.text.splitlines() if line.lstrip().startswith("/")] == []


def test_a_safe_fix_of_changed_lines_is_suggested() -> None:
    (one,) = remarks([a_finding(SUSPECTED, path="a.py", line=2, fix=a_fix())], "", changed(2, 3))

    assert "```suggestion\nbest = 1\n```" in one.text
    assert (one.line, one.end_line) == (2, 2)


def test_a_line_that_the_head_has_otherwise_gets_no_remark() -> None:
    """As where the merge with the base was audited, and the base has moved lines above."""
    (there,) = remarks([a_finding(SUSPECTED, path="a.py", line=2, excerpt=((2, "new = 1"),))], "", changed(2, 3))

    assert there.line == 2
    assert remarks([a_finding(SUSPECTED, path="a.py", line=3, excerpt=((3, "new = 1"),))], "", changed(2, 3)) == ()


def test_a_fix_of_another_text_is_not_suggested() -> None:
    other = a_fix(DIFF.replace("-new = 1", "-news = 1"))
    (one,) = remarks([a_finding(SUSPECTED, path="a.py", line=2, fix=other)], "", changed(2, 3))

    assert "suggestion" not in one.text


def test_the_old_name_of_a_renamed_file_is_known() -> None:
    (one,) = remarks([a_finding(SUSPECTED, path="b.py", line=2)], "", [changed_file("a.py", "b.py", PATCH)])

    assert (one.old_path, one.path) == ("a.py", "b.py")


def test_an_unsafe_fix_or_one_that_touches_other_lines_is_not_suggested() -> None:
    wider = DIFF.replace(" newer = 2\n", "-newer = 2\n+newest = 2\n")
    apart = "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n-import re\n+import regex\n new = 1\n-newer = 2\n+newest = 2\n"
    for fix in (a_fix(safe=False), a_fix(wider), a_fix(apart), a_fix("damaged")):
        (one,) = remarks([a_finding(SUSPECTED, path="a.py", line=2, fix=fix)], "", changed(2, 2))
        assert "suggestion" not in one.text


def test_one_suggestion_a_line() -> None:
    found = [a_finding(SUSPECTED, path="a.py", line=2, rule=rule, fix=a_fix()) for rule in ("one", "two")]

    assert sum("suggestion" in one.text for one in remarks(found, "", changed(2, 2))) == 1


def test_a_reader_gets_a_bounded_number() -> None:
    found = [a_finding(SUSPECTED, path="a.py", line=line) for line in range(1, 100)]

    assert len(remarks(found, "", changed(1, 100))) == MOST_REMARKS


def test_text_of_a_report_stays_text() -> None:
    fix = a_fix(DIFF.replace("best = 1", "best = '````'"))
    hostile = "--> <!-- " + HOSTILE
    finding = a_finding(SUSPECTED, path="a.py", line=2, message=hostile, rule=hostile, fingerprint=hostile, fix=fix)
    (one,) = remarks([finding], "", changed(2, 2))

    assert one.text.count("<!--") == one.text.count("-->") == 1
    assert one.text.startswith(one.key)
    assert "@octocat" not in one.text
    assert "<script" not in one.text
    assert "`````suggestion\nbest = '````'\n`````" in one.text
