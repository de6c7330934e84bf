"""Planting probes in test modules, which pytest compiles itself and keeps in a cache of its own.

Three functions of `_pytest.assertion.rewrite` are stood in for, for flagged files only: the cache is neither read nor
written, and assertions are rewritten in the tree that has the probes. Anything unexpected falls back to pytest's own
way, after which the file counts as loaded without probes.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def hook(runtime: Any, rewrite: Any) -> None:
    """Replace the three functions in the module `_pytest.assertion.rewrite`."""
    rewrite_test, read_pyc, write_pyc = rewrite._rewrite_test, rewrite._read_pyc, rewrite._write_pyc

    def planted_rewrite_test(fn: Any, config: Any) -> Any:
        if not runtime.flagged(str(fn)):
            return rewrite_test(fn, config)
        try:
            tree = runtime.planted_tree(os.path.realpath(str(fn)), str(fn))
            rewrite.rewrite_asserts(tree, fn.read_bytes(), str(fn), config)
            return os.stat(str(fn)), runtime.compile(tree, str(fn), "exec", dont_inherit=True)
        except Exception:
            return rewrite_test(fn, config)

    def fresh_read_pyc(source: Any, *others: Any) -> Any:
        return None if runtime.flagged(str(source)) else read_pyc(source, *others)

    def clean_write_pyc(state: Any, code: Any, *others: Any) -> Any:
        return False if runtime.flagged(code.co_filename) else write_pyc(state, code, *others)

    rewrite._rewrite_test = planted_rewrite_test
    rewrite._read_pyc = fresh_read_pyc
    rewrite._write_pyc = clean_write_pyc
