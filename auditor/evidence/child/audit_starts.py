"""Python processes that a process of the workload starts beyond audit's reach, so that what they run is not counted.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, List, Optional

MOST = 5
FOREIGN = ("ensurepip", "pip", "venv", "virtualenv")
"""Modules that `python -m` runs for its own sake, often with the options in question."""

SWITCHING = ("sudo", "su", "runuser", "setpriv", "doas", "gosu", "su-exec", "chpst")
"""Programs that run another one as another user."""


class Starts:
    """The command lines of such processes, a few of them."""

    def __init__(self) -> None:
        self.beyond: List[str] = []
        self._config = os.environ.get("AUDIT_CHILD")

    def hook(self, subprocess: Any) -> None:
        """Look at what the module starts; asyncio starts its processes by it, too."""
        original = subprocess.Popen._execute_child
        code = getattr(original, "__code__", None)
        names = () if code is None else code.co_varnames[3 : code.co_argcount]
        at = names.index("uid") if "uid" in names else -1

        def execute_child(popen: Any, args: Any, executable: Any, *others: Any, **options: Any) -> Any:
            try:
                is_one = isinstance(args, (str, bytes, os.PathLike))
                # as the original does: an iterator gives its words once
                words = [args] if is_one else list(args)
                self._look_at(words, others, at)
                return original(popen, args if is_one else words, executable, *others, **options)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                raise

        subprocess.Popen._execute_child = execute_child

    def _look_at(self, words: List[Any], others: Any, at: int) -> None:
        try:
            # preexec_fn, close_fds, pass_fds, cwd, env
            self.look(words, others[4], at >= 0 and others[at] not in (None, -1, os.getuid()))
        except Exception:
            pass  # what is wrong with the arguments, the original tells

    def look(self, args: Any, env: Optional[Mapping[Any, Any]], as_another: bool = False) -> None:
        """A process is about to be started with this environment, None for this process' own, or as another user."""
        words = [word for arg in args for word in os.fsdecode(arg).split()]
        at = next((number for number, word in enumerate(words) if _is_python(word)), None)
        if at is None or len(self.beyond) >= MOST:
            return
        options = []
        for word in words[at + 1 :]:
            if not word.startswith("-") or word in ("-", "--"):
                break
            options.append(word)
            if word in ("-c", "-m"):
                break
        if options[-1:] == ["-m"] and words[at + 1 + len(options)] in FOREIGN:
            return
        ignores = any(letter in option for option in options if option[:2] != "--" for letter in "EIS")
        switches = as_another or any(os.path.basename(word) in SWITCHING for word in words[:at])
        if ignores or switches or not self._carries(os.environ if env is None else env):
            self.beyond.append(" ".join(words)[:120])

    def _carries(self, env: Mapping[Any, Any]) -> bool:
        found = env.get("AUDIT_CHILD")
        if found is None and env is not os.environ:
            found = env.get(b"AUDIT_CHILD")
        return found is not None and os.fsdecode(found) == self._config


def _is_python(word: str) -> bool:
    return word == sys.executable or os.path.basename(word).startswith(("python", "pypy"))
