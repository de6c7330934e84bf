"""Rules that behave badly on demand, for the tests of worker processes. A file asks by the word it queues."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import replace

import libcst as cst

from auditor.catalog import find_rule
from auditor.rule import Context, Match, Rule


def hostile_rules() -> Iterable[Rule]:
    """The queue rule, with a check that dies, hangs or prints where the code says so."""
    rule = find_rule("unbounded-queue")

    def check(node: cst.CSTNode, ctx: Context) -> Match | None:
        around = ctx.code(ctx.root)
        if "die" in around:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "hang" in around:
            time.sleep(600)
        if "chatter" in around:
            print("noise", flush=True)
        return rule.check(node, ctx)

    return [replace(rule, check=check)]


def no_rules() -> Iterable[Rule]:
    """A set of rules that a worker cannot load, and the process itself can."""
    if "AUDIT_TEST_HERE" not in os.environ or os.environ["AUDIT_TEST_HERE"] != str(os.getpid()):
        raise SystemExit(3)
    return [find_rule("unbounded-queue")]
