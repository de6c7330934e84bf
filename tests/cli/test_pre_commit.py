"""The hooks as people use them: the real pre-commit and prek, on a real repository, on real commits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .test_diff import COSTLY, FILLER, HEAD, git
from .test_static import audit as run

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
USE = "jobs = queue.Queue()\nfor job in range(5000):\n    jobs.put(job)\n    jobs.get()\n"
CHEAP = f"{HEAD}{USE}"


def hook(identity: str) -> dict[str, object]:
    """The hook of `.pre-commit-hooks.yaml`, run by this interpreter instead of in an environment of its own."""
    import yaml

    (found,) = [one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()) if one["id"] == identity]
    del found["minimum_pre_commit_version"]
    entry = found["entry"].replace("audit ", f"{sys.executable} -m auditor ", 1)
    return {**found, "entry": entry, "language": "system"}


def configure(repository: Path, identity: str) -> None:
    config = {"repos": [{"repo": "local", "hooks": [hook(identity)]}]}
    (repository / ".pre-commit-config.yaml").write_text(json.dumps(config))


@pytest.fixture(params=["pre-commit", "prek"])
def runner(request: pytest.FixtureRequest) -> str:
    return str(SCRIPTS / request.param)


@pytest.fixture
def repository(tmp_path: Path, runner: str) -> Path:
    repository = tmp_path / "project"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    (repository / "m.py").write_text(HEAD + COSTLY.format(name="one") + FILLER)
    configure(repository, "audit")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "start")
    subprocess.run([runner, "install"], cwd=repository, check=True, capture_output=True, timeout=60, env=environment())
    return repository


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT"))}
    return {**kept, "PYTHONPATH": str(ROOT), "PRE_COMMIT_HOME": os.environ["AUDIT_CACHE_DIR"], "COLUMNS": "120"}


def commit(repository: Path, *prefix: str) -> tuple[int, str]:
    """Commit what is staged, by way of the hook that is installed."""
    command = [*prefix, "git", "-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-q", "-m", "x"]
    done = subprocess.run(
        command, cwd=repository, capture_output=True, text=True, timeout=300, check=False, env=environment()
    )
    return done.returncode, done.stdout + done.stderr


def stage(repository: Path, **files: str) -> None:
    for name, text in files.items():
        (repository / f"{name}.py").write_text(text)
    git(repository, "add", "-A")


def test_a_new_finding_blocks_and_an_old_one_does_not(repository: Path) -> None:
    stage(repository, m=HEAD + COSTLY.format(name="one") + FILLER + "Y = 1\n")
    assert commit(repository)[0] == 0

    stage(repository, n=HEAD + COSTLY.format(name="two"))
    code, said = commit(repository)

    assert code == 1
    assert "n.py:5" in said
    assert "m.py" not in said
    assert "# audit: ignore[RULE] -- reason" in said


def test_the_very_first_commit_is_all_new(tmp_path: Path, runner: str) -> None:
    git(tmp_path, "init", "-q")
    configure(tmp_path, "audit")
    stage(tmp_path, m=HEAD + COSTLY.format(name="one"))
    subprocess.run([runner, "install"], cwd=tmp_path, check=True, capture_output=True, timeout=60, env=environment())

    code, said = commit(tmp_path)

    assert (code, "m.py:5" in said) == (1, True)


def test_a_merge_is_not_blocked_by_what_the_other_branch_brings(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "topic")
    stage(repository, m=HEAD + COSTLY.format(name="theirs") + FILLER, n=HEAD + COSTLY.format(name="other"))
    git(repository, "commit", "-q", "-n", "-m", "theirs")
    git(repository, "checkout", "-q", "main")
    stage(repository, m=HEAD + COSTLY.format(name="ours") + FILLER, k="x = 1\n")
    git(repository, "commit", "-q", "-n", "-m", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "-q", "topic")

    both = HEAD + COSTLY.format(name="ours") + COSTLY.format(name="theirs") + FILLER
    stage(repository, m=both + COSTLY.format(name="nobodys"))
    code, said = commit(repository)
    assert (code, "m.py:53" in said, "1 introduced" in said) == (1, True, True), said

    stage(repository, m=both)
    assert commit(repository)[0] == 0


def test_a_finding_that_was_measured_and_rejected_does_not_block(repository: Path) -> None:
    stage(repository, cheap=CHEAP)
    assert commit(repository)[0] == 1

    measured = run("cheap.py", "--run", f"{sys.executable} cheap.py", cwd=repository)
    assert "Rejected" in measured.stdout
    stage(repository)
    code, said = commit(repository)

    assert code == 0, said


def test_what_was_rejected_stays_rejected_in_a_renamed_file(repository: Path) -> None:
    indented = "".join(f"    {line}\n" for line in USE.splitlines())
    stage(repository, cheap=f"{HEAD}def work():\n{indented}\n\nwork()\n")
    assert commit(repository)[0] == 1
    measured = run("cheap.py", "--run", f"{sys.executable} cheap.py", cwd=repository)
    assert "Rejected" in measured.stdout

    git(repository, "mv", "cheap.py", "cheaper.py")
    code, said = commit(repository)

    assert code == 0, said
    assert "when it stood in cheap.py" in run("cheaper.py", "--static", cwd=repository).stdout


def test_a_suppressed_finding_does_not_block(repository: Path) -> None:
    stage(repository, n=HEAD + "jobs = queue.Queue()  # audit: ignore[unbounded-queue] -- a person fills it\n")

    assert commit(repository)[0] == 0


def test_what_the_baseline_knows_does_not_block(repository: Path) -> None:
    (repository / "pyproject.toml").write_text('[tool.audit]\nbaseline = "audit-baseline.jsonl"\n')
    (repository / "n.py").write_text(HEAD + COSTLY.format(name="two"))
    assert run("baseline", cwd=repository).returncode == 0
    stage(repository)
    assert commit(repository)[0] == 0

    stage(repository, n=HEAD + COSTLY.format(name="two") + COSTLY.format(name="three"))
    assert commit(repository)[0] == 1


def test_what_is_staged_counts_not_what_lies_beside_it(repository: Path) -> None:
    stage(repository, n=HEAD + COSTLY.format(name="two"))
    (repository / "n.py").write_text(HEAD)
    assert commit(repository)[0] == 1

    stage(repository, n=HEAD + "X = 1\n")
    (repository / "n.py").write_text(HEAD + COSTLY.format(name="two"))
    code, said = commit(repository)

    assert code == 0, said
    assert "queue.Queue()" in (repository / "n.py").read_text()


def test_a_renamed_a_deleted_and_an_emptied_file_do_not_block(repository: Path) -> None:
    git(repository, "mv", "m.py", "renamed.py")
    assert commit(repository)[0] == 0
    stage(repository, renamed="", other=HEAD)
    assert commit(repository)[0] == 0
    git(repository, "rm", "-q", "renamed.py")
    assert commit(repository)[0] == 0


def test_code_moved_to_another_file_does_not_block(repository: Path) -> None:
    git(repository, "rm", "-q", "m.py")
    stage(repository, n=HEAD + COSTLY.format(name="one"), unrelated=FILLER)

    assert commit(repository)[0] == 0


def test_a_syntax_error_blocks_as_nobody_would_see_otherwise_that_the_file_was_not_audited(repository: Path) -> None:
    stage(repository, n="def (:\n", k="x = 1\n")
    code, said = commit(repository)

    assert code == 1
    assert "n.py  syntax error at line 1" in said
    assert "Traceback" not in said


def test_a_stub_is_passed_over(repository: Path) -> None:
    (repository / "n.pyi").write_text("def f() -> int: ...\n")
    stage(repository)

    assert commit(repository)[0] == 0


def test_files_split_over_several_runs_are_judged_alike(repository: Path) -> None:
    long = "a_name_that_makes_the_command_line_long_" * 5
    for number in range(1500):
        (repository / f"{long}{number}.py").write_text("x = 1\n")
    stage(repository, m="", **{f"{long}1499": HEAD + COSTLY.format(name="one")})
    # moved out of m.py, which another run is given
    assert commit(repository)[0] == 0

    stage(repository, **{f"{long}{number}": f"x = 2\n{COSTLY.format(name='two')}" for number in range(1500)})
    stage(repository, **{f"{long}77": HEAD + COSTLY.format(name="two")})
    code, said = commit(repository)

    assert code == 1
    assert f"{long}77.py:5" in said


def test_a_pull_request_is_compared_with_where_it_left(repository: Path, runner: str) -> None:
    git(repository, "checkout", "-q", "-b", "topic")
    stage(repository, topic=HEAD + COSTLY.format(name="topic"))
    git(repository, "commit", "-q", "--no-verify", "-m", "topic")
    command = [runner, "run", "--from-ref", "main", "--to-ref", "HEAD"]
    done = subprocess.run(
        command, cwd=repository, capture_output=True, text=True, timeout=120, check=False, env=environment()
    )

    assert done.returncode == 1
    assert "topic.py:5" in done.stdout


def test_the_report_hook_tells_and_never_blocks(repository: Path) -> None:
    configure(repository, "audit-report")
    stage(repository, n=HEAD + COSTLY.format(name="two"))
    code, said = commit(repository)

    assert code == 0
    assert "n.py:5" in said


def test_the_report_hook_does_not_block_on_a_syntax_error_either(repository: Path) -> None:
    configure(repository, "audit-report")
    stage(repository, n="def (:\n")
    code, said = commit(repository)

    assert code == 0
    assert "n.py  syntax error at line 1" in said


def test_no_network_is_needed(repository: Path) -> None:
    alone = ("unshare", "--map-root-user", "--net")
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("a network of its own needs Linux and user namespaces")
    stage(repository, n=HEAD + COSTLY.format(name="two"))
    code, said = commit(repository, *alone)

    assert code == 1
    assert "n.py:5" in said
