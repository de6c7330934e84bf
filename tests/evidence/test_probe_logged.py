"""How long the arguments of logging calls take while their level is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

HEAD = (
    "import json, logging, time\nlogging.basicConfig(level=logging.LEVEL, format='%(message)s')\nlog = logging.getLogger('app')\n"
    "adapter = logging.LoggerAdapter(log, {})\nclass Own(logging.LoggerAdapter):\n"
    "    def process(self, message, options):\n        return message, options\nown = Own(log, {})\n"
    "class Silent(logging.Logger):\n    def isEnabledFor(self, level):\n        print('asked')\n"
    "        return False\nsilent = Silent('s')\ndef costly(x):\n    time.sleep(0.01)\n    return x\n"
)
CALLS = {
    "argument": "log.debug('%s', costly(i))",
    "f-string": "log.debug(f'{costly(i)}')",
    "keyword": "log.debug('x', extra={'y': costly(i)})",
    "adapter": "adapter.debug('%s', costly(i))",
    "derived adapter": "own.debug('%s', costly(i))",
    "module": "logging.debug('%s', costly(i))",
    "level given": "log.log(logging.DEBUG, '%s', costly(i))",
    "spread": "log.debug('%s', *[costly(i)])",
}


@pytest.mark.parametrize("case", CALLS)
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_arguments_count_while_the_level_is_off(tmp_path: Path, case: str, level: str) -> None:
    program = HEAD.replace("LEVEL", level) + f"for i in range(5):\n    {CALLS[case]}\nprint('end')\n"
    probed = probe(tmp_path, program, ("logged", CALLS[case]))

    assert "end" in probed.outcome.last_lines
    assert probed.value("hits") == 5
    assert probed.value("off") == (5 if level == "INFO" else 0)
    if level == "INFO":
        assert 0.05 <= probed.value("seconds") < 0.2
    else:
        assert (probed.value("seconds"), probed.row("seconds").high) == (0, 0)


def test_another_kind_of_logger_is_not_asked(tmp_path: Path) -> None:
    program = (
        "class Log:\n    def isEnabledFor(self, level):\n        print('asked')\n        return False\n    def debug(self, *args):\n        pass\n"
        "log = Log()\nfor i in range(3):\n    log.debug('%s', str(i))\n"
    )
    probed = probe(tmp_path, program, ("logged", "log.debug('%s', str(i))"))

    assert probed.outcome.last_lines == ()
    assert probed.value("hits") == 3
    assert not probed.has("seconds")


def test_a_derived_logger_with_an_answer_of_its_own_is_not_asked(tmp_path: Path) -> None:
    program = HEAD.replace("LEVEL", "INFO") + "for i in range(3):\n    silent.debug('%s', str(i))\n"
    probed = probe(tmp_path, program, ("logged", "silent.debug('%s', str(i))"))

    # as its own `debug` asks
    assert probed.outcome.last_lines == ("asked",) * 3
    assert probed.value("hits") == 3
    assert not probed.has("seconds")


def test_cheap_arguments_cost_next_to_nothing(tmp_path: Path) -> None:
    program = HEAD.replace("LEVEL", "INFO") + "for i in range(3000):\n    log.debug('%s', i)\n"
    row = probe(tmp_path, program, ("logged", "log.debug('%s', i)")).row("seconds")

    assert row.low < 0.01


PROGRAMS = {
    "an argument that raises": (
        "log.debug('%s', int(x))",
        "for x in ['1', 'x', '2']:\n    try:\n        FLAGGED\n    except ValueError as e:\n        print(e.__traceback__.tb_lineno)\n",
        2,
    ),
    "an argument that logs": (
        "log.info('%s', f(n - 1))",
        "def f(n):\n    if n:\n        FLAGGED\n    return n\nprint(f(10))\n",
        10,
    ),
    "the caller's place": (
        "log.warning('%s', 1)",
        "import sys\nh = logging.StreamHandler(sys.stdout)\nh.setFormatter(logging.Formatter('%(funcName)s %(lineno)d %(filename)s'))\n"
        "log.addHandler(h)\ndef f():\n    FLAGGED\nf()\n",
        1,
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_output_stays_the_same(tmp_path: Path, case: str) -> None:
    flagged, template, hits = PROGRAMS[case]
    program = HEAD.replace("LEVEL", "INFO") + template.replace("FLAGGED", flagged)
    probed = probe(tmp_path, program, ("logged", flagged), command="python3 program.py")

    assert probed.outcome.run.exit_code == 0
    assert probed.outcome.run.warnings == ()
    assert [line for line in plainly(tmp_path)[1].splitlines() if line not in probed.outcome.last_lines] == []
    assert probed.value("hits") == hits


def test_a_logging_call_without_arguments_is_a_gap(tmp_path: Path) -> None:
    assert (
        "with arguments"
        in probe(tmp_path, HEAD.replace("LEVEL", "INFO") + "log.info()\n", ("logged", "log.info()")).gaps()[0]
    )


def test_arguments_that_wait_are_a_gap(tmp_path: Path) -> None:
    program = HEAD.replace("LEVEL", "INFO") + "async def f(x):\n    log.debug('%s', await x)\n"
    assert "suspend" in probe(tmp_path, program + "print(1)\n", ("logged", "log.debug('%s', await x)")).gaps()[0]
