"""One scanning process: reads paths from its input, writes one line per file, ends when its input does.

Started by `auditor.scan.parallel`. A plain command instead of `multiprocessing`, so that neither the caller's main
module is imported again nor anything is pickled.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from auditor.scan.engine import Engine
from auditor.scan.links import Outlook
from auditor.scan.record import dump
from auditor.scan.uncollected import uncollected

if TYPE_CHECKING:
    from auditor.rule import Rule


def main() -> None:
    """Serve the parent until it hangs up."""
    # the terminal sends an interrupt to all; what becomes of it is for the parent to say
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _private_output()
    order = json.loads(sys.stdin.buffer.readline())
    root = Path(order["root"])
    engine = Engine(_rules(order["rules"], order["arguments"]))
    _say(answers, "ready")
    with uncollected():
        for line in sys.stdin.buffer:
            for name, text in json.loads(line):
                outlook = None if text is None else Outlook.load(text)
                scan, reading = engine.read_and_scan(Path(name), root, outlook)
                stamp = None if reading is None else [reading.mtime_ns, reading.size, reading.inode, reading.digest]
                _say(answers, [stamp, dump(scan), scan.outline])


def _private_output() -> IO[bytes]:
    """The pipe to the parent; what a rule may print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _rules(reference: str, arguments: Iterable[Any]) -> Iterable[Rule]:
    module, _, name = reference.partition(":")
    rules: Iterable[Rule] = getattr(importlib.import_module(module), name)(*arguments)
    return rules


def _say(answers: IO[bytes], what: Any) -> None:
    answers.write(json.dumps(what).encode() + b"\n")
    answers.flush()
