"""Ends of a process that no handler of the interpreter's end survives: what was counted is written down before.

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

_getpid = os.getpid

_ABRUPT = ("_exit", "execv", "execve")
_ASKING = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
"""Signals that ask a process to end."""


def hook(
    tools: ModuleType,
    when_imported: Callable[[str, Callable[[Any], None]], None],
    leaving: Callable[..., None],
    ending: Callable[[], None],
) -> None:
    """Have `leaving(name, *arguments)` called before the process is left on the spot, and `ending()` before it ends.

    A server that was asked to end by a signal closes what is open, and then sends itself that signal again, with the
    default handler in place, so that whoever asked sees that it did: that is a proper end.
    """
    for name in _ABRUPT:
        tools.replace(os, name, tools.before(partial(leaving, name)))

    def hook_signals(signal: Any) -> None:
        asking = {getattr(signal, name) for name in _ASKING if hasattr(signal, name)}

        mask, block = signal.pthread_sigmask, signal.SIG_BLOCK

        def raised(number: int) -> None:
            # a signal that is blocked waits, for `sigwait` say
            if number in asking and signal.getsignal(number) is signal.SIG_DFL and number not in mask(block, ()):
                ending()

        def sent(pid: int, number: int) -> None:
            if pid == _getpid():
                raised(number)

        tools.replace(signal, "raise_signal", tools.before(raised))
        tools.replace(os, "kill", tools.before(sent))

    when_imported("signal", hook_signals)
