"""Settings are understood, or refused with a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.config import Thresholds, load_config
from auditor.errors import ConfigError
from auditor.model import Service


def configure(root: Path, text: str) -> Path:
    (root / "pyproject.toml").write_text(text)
    return root


def test_without_a_table_the_defaults_hold(tmp_path: Path) -> None:
    config = load_config(configure(tmp_path, "[project]\nname = 'x'\n"))

    assert config.workloads == ()
    assert config.fail_on == "confirmed"
    assert config.thresholds == Thresholds()


def test_the_nearest_table_above_a_file_counts(tmp_path: Path) -> None:
    configure(tmp_path, '[tool.audit.workloads]\nbench = "python bench.py"\n')
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "m.py").write_text("")

    (workload,) = load_config(tmp_path / "src" / "m.py").workloads

    assert (workload.name, workload.command, workload.cwd) == ("bench", "python bench.py", str(tmp_path))


def test_a_workload_may_have_a_directory_and_a_timeout_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    text = '[tool.audit]\ntimeout = 60\n[tool.audit.workloads.a]\ncommand = "x"\ncwd = "sub"\ntimeout = 5\n'
    text += '[tool.audit.workloads.b]\ncommand = "y"\n'

    first, second = load_config(configure(tmp_path, text)).workloads

    assert (first.cwd, first.timeout_s) == (str(tmp_path / "sub"), 5)
    assert (second.cwd, second.timeout_s) == (str(tmp_path), 60)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[tool.audit]\nexlude = []\n", "unknown key 'exlude'; did you mean 'exclude'"),
        ("[tool.audit]\nfail-on = 'P9'\n", "fail-on is 'P9'"),
        ("[tool.audit]\ntimeout = -1\n", "above zero"),
        ("[tool.audit]\ntimeout = true\n", "above zero"),
        ("[tool.audit]\nexclude = 'x'\n", "list of strings"),
        ("[tool.audit.thresholds]\nsecond = 1\n", "did you mean 'seconds'"),
        ("[tool.audit.workloads.a]\n", 'needs command = "..."'),
        ("[tool.audit.workloads.a]\ncommand = 'x'\ncwd = 'no'\n", "not a directory"),
        ("[tool.audit.workloads.a]\ncomand = 'x'\n", "did you mean 'command'"),
        ("[tool.audit.workloads.a]\nserve = 'x'\n", "needs ready and load"),
        ("[tool.audit.workloads.a]\nserve = 'x'\ncommand = 'y'\n", "exclude one another"),
        ("[tool.audit.workloads.a]\nserve = 'x'\nload = 'y'\nready = 'localhost:80'\n", "tcp://host:port"),
        ("[tool.audit.workloads.a]\nserve = 'x'\nload = 'y'\nready = 'tcp://a:1'\nlod = 1\n", "did you mean 'load'"),
        ("[tool\n", "not valid TOML"),
    ],
)
def test_a_bad_setting_is_named_with_a_hint(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint.replace("[", r"\[").replace(".", r"\.")):
        load_config(configure(tmp_path, text))


def test_a_workload_may_be_a_server_with_a_load(tmp_path: Path) -> None:
    text = "[tool.audit.workloads.web]\nserve = 'a {n}'\nload = 'b'\nready-timeout = 5\n"
    text += "ready = 'http://127.0.0.1:{port}/'\n"

    (workload,) = load_config(configure(tmp_path, text)).workloads

    assert workload.service == Service("a {n}", "http://127.0.0.1:{port}/", "b", 5.0)
    assert workload.command == "a {n} (under b)"
    at_two = workload.at(2)
    assert at_two.service is not None
    assert at_two.service.serve == "a 2"
