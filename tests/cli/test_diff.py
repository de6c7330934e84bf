"""`--diff` on real repositories: only what the change brought fails, over renames, moves and odd names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAD = "import queue\n\n\n"
COSTLY = "def {name}():\n    return queue.Queue()\n\n\n"
FILLER = "".join(f"X{number} = {number}\n" for number in range(40))


def git(repository: Path, *arguments: str) -> bytes:
    names = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *names, "-C", str(repository), *arguments], capture_output=True, check=True, timeout=60
    )
    return done.stdout


def commit(repository: Path, **files: str) -> None:
    for name, text in files.items():
        (repository / f"{name}.py").write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a change")


def audit(repository: Path, *arguments: str, stdin: bytes | None = None) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *arguments, "--fail-on", "suspected", "--format", "json"],
        cwd=repository,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    report = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, report, done.stderr.decode()


def told(report: dict[str, Any]) -> dict[str, list[str]]:
    """Places by what the comparison says of them; what is set aside in brackets."""
    said: dict[str, list[str]] = {}
    for key, brackets in (("findings", "{}"), ("set_aside", "({})")):
        for one in report[key]:
            said.setdefault(one["change"], []).append(brackets.format(f"{one['path']}:{one['line']}"))
    if report["fixed"]:
        said["fixed"] = [f"{one['path']} {one['symbol']}" for one in report["fixed"]]
    return said


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, m=HEAD + COSTLY.format(name="one") + FILLER, other=HEAD + COSTLY.format(name="other"))
    return tmp_path


def test_an_unchanged_tree_has_nothing_to_tell(repository: Path) -> None:
    code, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert (code, report["findings"], report["set_aside"], report["summary"]["files"]) == (0, [], [], 0)
    assert report["notes"] == ["Of the files that were named, the change touches none that are audited."]


def test_only_what_is_new_is_told_and_fails(repository: Path) -> None:
    (repository / "m.py").write_text(HEAD + COSTLY.format(name="new") + COSTLY.format(name="one") + FILLER)

    code, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert code == 1
    assert told(report) == {"introduced": ["m.py:5"], "pre-existing": ["(m.py:9)"]}


def test_lines_moving_above_a_finding_bring_nothing(repository: Path) -> None:
    (repository / "m.py").write_text("'''Doc.'''\n" + FILLER + HEAD + COSTLY.format(name="one"))

    code, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert (code, told(report)["pre-existing"]) == (0, ["m.py:46"])


def test_what_is_gone_is_fixed_in_changed_and_in_deleted_files(repository: Path) -> None:
    (repository / "m.py").write_text(HEAD + FILLER)
    (repository / "other.py").unlink()

    code, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert (code, told(report)) == (0, {"fixed": ["m.py one", "other.py other"]})


def test_what_went_out_of_the_rule_s_sight_is_not_called_fixed(repository: Path) -> None:
    loop = (
        "def load(paths):\n    for path in paths:\n        with open(path) as file:\n            print(file.read())\n"
    )
    commit(repository, m=loop)
    (repository / "m.py").write_text("from n import show\n\n\ndef load(paths):\n    list(map(show, paths))\n")
    (repository / "n.py").write_text("def show(path):\n    with open(path) as file:\n        print(file.read())\n")

    _, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert report["fixed"] == []
    assert [(one["path"], one["symbol"], one["stands"]) for one in report["unflagged"]] == [("m.py", "load", "n.py:2")]


def test_a_renamed_and_edited_file_brings_only_what_was_added(repository: Path) -> None:
    (repository / "pack").mkdir()
    git(repository, "mv", "m.py", "pack/n.py")
    text = (repository / "pack/n.py").read_text()
    (repository / "pack/n.py").write_text(text + COSTLY.format(name="two"))

    code, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert code == 1
    assert told(report) == {"introduced": ["pack/n.py:49"], "pre-existing": ["(pack/n.py:5)"]}


def test_a_function_moved_between_files_is_not_new_even_if_only_its_new_file_is_named(repository: Path) -> None:
    (repository / "other.py").write_text("import queue\n")
    (repository / "m.py").write_text(HEAD + COSTLY.format(name="one") + FILLER + COSTLY.format(name="other"))

    for path in (".", "m.py"):
        code, report, _ = audit(repository, path, "--diff", "HEAD")
        assert (code, [one["change"] for one in report["findings"]]) == (0, ["pre-existing"])
        assert report["fixed"] == []


def test_code_that_went_into_another_function_of_its_file_is_not_new(repository: Path) -> None:
    helper = "\n\ndef made():\n    return queue.Queue()\n"
    (repository / "m.py").write_text(f"{HEAD}def one():\n    return made()\n\n\n{FILLER}{helper}")
    code, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert (code, told(report)) == (0, {"pre-existing": ["m.py:51"]})


def test_what_another_file_has_still_was_not_moved_from_there(repository: Path) -> None:
    """The file is changed, but not named: another part of a long list of files has it."""
    with (repository / "m.py").open("a") as file:
        file.write("Y = 1\n")
    (repository / "n.py").write_text(HEAD + COSTLY.format(name="one"))

    assert told(audit(repository, "n.py", "--diff", "HEAD")[1]) == {"introduced": ["n.py:5"]}


def test_what_was_moved_into_a_file_that_is_not_named_is_not_fixed(repository: Path) -> None:
    (repository / "m.py").write_text(HEAD + FILLER)
    (repository / "n.py").write_text(HEAD + COSTLY.format(name="one"))

    _, report, _ = audit(repository, "m.py", "--diff", "HEAD")

    assert report["fixed"] == []


def test_of_two_copies_of_moved_code_one_part_tells_the_new_one(repository: Path) -> None:
    (repository / "m.py").write_text(HEAD + FILLER)
    for name in ("n.py", "o.py"):
        (repository / name).write_text(HEAD + COSTLY.format(name="one"))

    told_by = [told(audit(repository, name, "--diff", "HEAD")[1]).get("introduced") for name in ("n.py", "o.py")]
    assert told_by == [None, ["o.py:5"]]


def test_a_new_file_counts_tracked_or_not(repository: Path) -> None:
    (repository / "loose.py").write_text(HEAD + COSTLY.format(name="f"))
    (repository / "staged.py").write_text(HEAD + COSTLY.format(name="g"))
    git(repository, "add", "staged.py")

    code, report, _ = audit(repository, ".", "--diff", "HEAD")

    assert (code, told(report)) == (1, {"introduced": ["loose.py:5", "staged.py:5"]})


def test_a_branch_is_compared_with_where_it_left(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "topic")
    commit(repository, topic=HEAD + COSTLY.format(name="topic"))
    git(repository, "checkout", "-q", "main")
    commit(repository, m=HEAD + FILLER)
    git(repository, "checkout", "-q", "topic")

    assert told(audit(repository, ".", "--diff", "main")[1]) == {"introduced": ["m.py:5", "topic.py:5"]}
    assert told(audit(repository, ".", "--diff", "main...")[1]) == {"introduced": ["topic.py:5"]}


def test_names_that_git_quotes_are_followed(repository: Path) -> None:
    names = ["a b.py", "\u00e4.py", 'q"uo\\te.py', "tab\there.py", os.fsdecode(b"\xff.py")]
    for name in names:
        (repository / name).write_text(HEAD + COSTLY.format(name="f"))
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "names")
    for name in names:
        (repository / name).write_text(HEAD + COSTLY.format(name="f") + COSTLY.format(name="g"))

    patch = git(repository, "diff", "HEAD")
    for arguments, stdin in ((["HEAD"], None), (["-"], patch)):
        code, report, error = audit(repository, ".", "--diff", *arguments, stdin=stdin)
        assert code == 1, error
        assert sorted(one["path"] for one in report["findings"]) == sorted(names)
        assert {one["line"] for one in report["findings"]} == {9}


@pytest.mark.parametrize("unified", ["0", "3"])
def test_a_diff_on_standard_input_says_the_same_as_its_revision(repository: Path, unified: str) -> None:
    commit(repository, gone=f"import asyncio\n{HEAD}{COSTLY.format(name='gone')}")
    (repository / "gone.py").unlink()
    git(repository, "mv", "m.py", "n.py")
    text = (repository / "n.py").read_text()
    (repository / "n.py").write_text(COSTLY.format(name="first") + text.replace("X7 = 7\n", "") + "no_end = 1")
    (repository / "other.py").unlink()
    (repository / "crlf.py").write_bytes((HEAD + COSTLY.format(name="c")).replace("\n", "\r\n").encode())
    git(repository, "add", "-A")

    patch = git(repository, "diff", "HEAD", "-M", f"--unified={unified}")
    by_revision = audit(repository, ".", "--diff", "HEAD")
    by_patch = audit(repository, ".", "--diff", "-", stdin=patch)

    assert by_patch[0] == by_revision[0] == 1
    assert told(by_patch[1]) == told(by_revision[1])
    assert by_revision[1]["fixed"] != []


@pytest.mark.parametrize(
    "options",
    [
        ["--no-prefix"],
        ["--src-prefix=before/", "--dst-prefix=after/"],
        ["-c", "diff.mnemonicPrefix=true"],
        ["-c", "core.quotePath=false"],
        ["--binary", "--full-index"],
        ["--stat", "--patch", "--unified=0"],
    ],
    ids=" ".join,
)
def test_a_diff_says_the_same_however_git_is_set_up(repository: Path, options: list[str]) -> None:
    names = ("a/a.py", "a/b.py", "with space.py", "b/\u00fcml.py", 'q"uote\t.py')
    for name in names:
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(HEAD + COSTLY.format(name="one") + FILLER)
    (repository / "mode.py").write_text(HEAD + COSTLY.format(name="mode"))
    (repository / "gone.py").write_text(HEAD + COSTLY.format(name="gone"))
    (repository / "data.bin").write_bytes(b"\0\1")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "more")
    for name in names:
        with (repository / name).open("a") as file:
            file.write(COSTLY.format(name="two"))
    (repository / "mode.py").chmod(0o755)
    git(repository, "mv", "with space.py", "another space.py")
    (repository / "gone.py").unlink()
    (repository / "empty.py").touch()
    (repository / "data.bin").write_bytes(b"\0\2")
    git(repository, "add", "-A")

    settings, others = (options, []) if options[0] == "-c" else ([], options)
    patch = git(repository, *settings, "diff", "HEAD", "-M", *others)
    by_revision = audit(repository, ".", "--diff", "HEAD")
    by_patch = audit(repository, ".", "--diff", "-", stdin=patch)

    assert by_patch[0] == by_revision[0] == 1, by_patch[2]
    assert told(by_patch[1]) == told(by_revision[1])
    assert by_revision[1]["fixed"] != []


def test_a_diff_that_came_with_the_line_ends_of_another_system_fits(repository: Path) -> None:
    with (repository / "m.py").open("a") as file:
        file.write(COSTLY.format(name="two"))
    patch = git(repository, "diff", "HEAD").replace(b"\n", b"\r\n")

    assert told(audit(repository, ".", "--diff", "-", stdin=patch)[1])["introduced"] == ["m.py:49"]


def test_a_subdirectory_is_audited_alone(repository: Path) -> None:
    (repository / "sub").mkdir()
    (repository / "sub" / "s.py").write_text(HEAD + COSTLY.format(name="s"))
    (repository / "m.py").write_text(HEAD)

    code, report, _ = audit(repository / "sub", ".", "--diff", "HEAD")

    assert (code, told(report)) == (1, {"introduced": ["sub/s.py:5"]})


def test_a_file_that_was_broken_before_or_is_now_makes_no_false_claim(repository: Path) -> None:
    good = HEAD + COSTLY.format(name="one") + FILLER
    (repository / "m.py").write_text(good + "def (:\n")
    code, report, _ = audit(repository, ".", "--diff", "HEAD")
    assert (code, told(report)) == (2, {})

    commit(repository, m=good + "def (:\n")
    (repository / "m.py").write_text(good + COSTLY.format(name="two"))
    code, report, _ = audit(repository, ".", "--diff", "HEAD")
    assert told(report) == {"introduced": ["m.py:49"], "pre-existing": ["(m.py:5)"]}


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["--diff", "nowhere"], None, "knows no such revision"),
        (["--diff", "--output=/x"], None, "expected one argument"),
        (["--diff", "--upload-pack=x..."], None, "expected one argument"),
        (["--diff", "-"], b"no diff at all\n", "is not a unified diff"),
        (["--diff", "-"], b"\x1b[1mdiff --git a/m.py b/m.py\x1b[m\n", "it names no file"),
        (["--diff", "-"], b"--- a/m.py\n+++ b/m.py\n@@ -1 +1,9 @@\n x\n", "is not what the hunk of line 3 states"),
        (["--diff", "-"], b"diff --cc m.py\n--- a/m.py\n+++ b/m.py\n@@@ -1 -1 +1 @@@\n", "compares a merge"),
        (["--diff", "-"], b"--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-x\n+y\n", "does not fit m.py, line 1"),
        (["--diff", "-"], b"--- a/../x.py\n+++ b/../x.py\n@@ -1 +1 @@\n-x\n+y\n", "lies outside"),
        (["--diff", "-"], b"--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-x\n+y\n", "gone.py cannot be read"),
        (["--diff", "-", "--run", "true"], b"", "cannot be both"),
    ],
)
def test_an_unusable_change_is_a_message(
    repository: Path, arguments: list[str], stdin: bytes | None, message: str
) -> None:
    code, _, error = audit(repository, ".", *arguments, stdin=stdin)

    assert code == 2
    assert message in error
    assert "Traceback" not in error


def test_without_a_repository_a_revision_is_refused_and_a_diff_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(HEAD + COSTLY.format(name="f"))
    added = "".join(f"+{line}\n" for line in (tmp_path / "m.py").read_text().splitlines())
    patch = f"--- /dev/null\n+++ b/m.py\n@@ -0,0 +1,{len(added.splitlines())} @@\n{added}"

    assert audit(tmp_path, ".", "--diff", "HEAD")[0] == 2
    code, report, error = audit(tmp_path, ".", "--diff", "-", stdin=patch.encode())
    assert code == 1, error
    assert told(report) == {"introduced": ["m.py:5"]}


def test_the_work_tree_and_the_index_stay_as_they_are(repository: Path) -> None:
    (repository / "m.py").write_text(HEAD)
    before = git(repository, "status", "--porcelain=v2"), sorted(path.name for path in repository.iterdir())

    audit(repository, ".", "--diff", "HEAD", "--no-store")

    assert (git(repository, "status", "--porcelain=v2"), sorted(path.name for path in repository.iterdir())) == before


# ------------------------------------------------------------------------------------------------
# What a change causes in files that it does not touch

CALLER = "from helper import fetch\n\n\nasync def handler(n):\n    return {returned}\n"
QUIET_HELPER = "import time\n\n\ndef fetch(n):\n    return prepare(n)\n\n\ndef prepare(n):\n    return n\n"
BLOCKING_HELPER = QUIET_HELPER.replace("    return n\n", "    time.sleep(1)\n    return n\n")
NAMED = [".", "caller.py"]


def test_a_helper_that_now_blocks_is_introduced_where_a_coroutine_calls_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, caller=CALLER.format(returned="fetch(n)"), helper=QUIET_HELPER, m=HEAD + COSTLY.format(name="one"))
    (tmp_path / "helper.py").write_text(BLOCKING_HELPER)

    code, report, _ = audit(tmp_path, ".", "--diff", "HEAD")

    assert (code, told(report)) == (1, {"introduced": ["caller.py:5"]})
    assert report["findings"][0]["rule"] == "blocking-call-in-async"
    assert report["summary"]["files"] == 1


def test_a_helper_that_blocks_no_more_is_fixed_where_a_coroutine_calls_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, caller=CALLER.format(returned="fetch(n)"), helper=BLOCKING_HELPER)
    (tmp_path / "helper.py").write_text(QUIET_HELPER)

    code, report, _ = audit(tmp_path, ".", "--diff", "HEAD")

    assert (code, told(report)) == (0, {"fixed": ["caller.py handler"]})


@pytest.mark.parametrize("named", NAMED)
def test_a_new_call_of_a_helper_that_blocks_is_introduced(tmp_path: Path, named: str) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, caller=CALLER.format(returned="n"), helper=BLOCKING_HELPER)
    (tmp_path / "caller.py").write_text(CALLER.format(returned="fetch(n)"))

    code, report, _ = audit(tmp_path, named, "--diff", "HEAD")

    assert (code, told(report)) == (1, {"introduced": ["caller.py:5"]})
    assert "helper.py" in " ".join(report["findings"][0]["chain"])


@pytest.mark.parametrize("named", NAMED)
def test_an_old_call_of_a_helper_that_blocks_stays_pre_existing(tmp_path: Path, named: str) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, caller=CALLER.format(returned="fetch(n)"), helper=BLOCKING_HELPER)
    (tmp_path / "caller.py").write_text("'''Doc.'''\n" + CALLER.format(returned="fetch(n)"))

    code, report, _ = audit(tmp_path, named, "--diff", "HEAD")

    assert (code, told(report)) == (0, {"pre-existing": ["(caller.py:6)"]})


def test_suppressions_hold_in_files_that_the_change_does_not_touch(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    caller = CALLER.format(returned="fetch(n)  # audit: ignore[blocking-call-in-async] -- once")
    commit(tmp_path, caller=caller + "\nX = 1  # audit: ignore[sorted-for-min-max]\n", helper=QUIET_HELPER)
    (tmp_path / "helper.py").write_text(BLOCKING_HELPER)

    code, report, _ = audit(tmp_path, ".", "--diff", "HEAD")

    assert (code, report["findings"], report["remarks"]) == (0, [], [])
    assert [one["suppressed"] for one in report["set_aside"]] == ["once"]


def test_what_leads_through_a_file_that_was_not_looked_up_is_not_called_fixed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    large = BLOCKING_HELPER + "#" * 120_000 + "\n"
    commit(tmp_path, caller=CALLER.format(returned="fetch(n)"), helper=large)
    (tmp_path / "helper.py").write_text(large + "X = 1\n")
    (tmp_path / "caller.py").write_text(CALLER.format(returned="fetch(n)") + "\n\n" + HEAD + COSTLY.format(name="new"))

    _, report, _ = audit(tmp_path, "caller.py", "--diff", "HEAD")

    assert told(report) == {"introduced": ["caller.py:12"]}
