"""Processes that go on as another user, who may not write down what is counted.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import os
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

SUFFIX = ".other-user"
_SWITCHES = ("setuid", "seteuid", "setreuid", "setresuid")

_open, _close, _remove = os.open, os.close, os.remove


def hook(tools: ModuleType, file: Callable[[], str]) -> None:
    """Have a switch leave an empty file beside the records at `file()`, as long as the new user may not remove it."""
    for name in _SWITCHES:
        if hasattr(os, name):
            tools.replace(os, name, partial(_watched, tools, file))


def _watched(tools: ModuleType, file: Callable[[], str], original: Callable[..., None]) -> Callable[..., None]:
    def switch(*arguments: Any) -> None:
        marker = file() + SUFFIX
        try:
            # beforehand, as the new user may not
            _close(_open(marker, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError:
            pass
        try:
            original(*arguments)
        except BaseException as error:
            tools.hide_frame(error)
            raise
        finally:
            try:
                _remove(marker)
            except OSError:
                pass

    return switch
