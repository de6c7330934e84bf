"""The command line: what the user typed becomes a request, the report becomes text and an exit code.

Everything heavy is imported where it is needed: `audit --version` must stay instant.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Sequence

from auditor.errors import AuditError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 nothing to act on, 1 findings, 2 the audit could not be done."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        # the collections of Python's exit would walk all there is, and the system takes it back anyway
        atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # source text and paths hold characters that a console of another encoding lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        sys.stdout.flush()  # a full disk is to be noticed while it can still be said
        return code
    except AuditError as error:
        print(f"audit: {_shown(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("audit: interrupted", file=sys.stderr)
        return AuditError.exit_code
    except BrokenPipeError:
        # the reader of our output went away (`audit | head`): Python would complain at exit otherwise
        _hush()
        return AuditError.exit_code
    except OSError as error:
        if error.errno is None:
            raise
        where = f": {error.filename}" if error.filename else ""
        print(f"audit: it cannot go on: {error.strerror}{where}; put that right and run it again", file=sys.stderr)
        _hush()
        return AuditError.exit_code


def _hush() -> None:
    """Let Python not try once more, at exit, to write what nobody takes."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shown(text: str) -> str:
    """The text, in which a path or a line of a program's may be quoted, without what a terminal would obey."""
    from auditor.report.printable import printable

    return "\n".join(map(printable, text.splitlines()))


def _run(arguments: Sequence[str]) -> int:
    """A first argument that names a module of `auditor/cli/commands/` is a command; anything else is a path."""
    name = arguments[0].replace("-", "_") if arguments else ""
    module = f"{__name__}.commands.{name}"
    if name.isidentifier() and importlib.util.find_spec(module) is not None:
        return int(importlib.import_module(module).run(arguments[1:]))
    if name.isidentifier() and not os.path.lexists(arguments[0]):
        _suggest(arguments[0])
    from auditor.cli.audit import run

    return run(arguments)


def _suggest(word: str) -> None:
    """Say which command may have been meant by what is no path.

    Raises:
        ConfigError: there is one.
    """
    import difflib
    import pkgutil

    from auditor.cli import commands
    from auditor.errors import ConfigError

    names = [one.name.replace("_", "-") for one in pkgutil.iter_modules(commands.__path__)]
    if near := difflib.get_close_matches(word, names, n=1):
        raise ConfigError(f"{word} is neither a path nor a command; did you mean `audit {near[0]}`?")
