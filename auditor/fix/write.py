"""Writing a fixed file: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path


class UnwritableError(Exception):
    """The file stays as it was; the message says why."""


def replace_file(file: Path, before: bytes, after: bytes) -> None:
    """Put `after` in place of `before`, with the mode the file has. A link stays a link, its target is written.

    Raises:
        UnwritableError: the file holds something else by now, or cannot be written.
    """
    target = file.resolve()
    scratch: str | None = None
    try:
        if not os.access(target, os.W_OK):
            raise UnwritableError("no permission to write")
        handle, scratch = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as opened:
            opened.write(after)
        shutil.copymode(target, scratch)
        if target.read_bytes() != before:
            raise UnwritableError("it changed meanwhile")
        os.replace(scratch, target)  # noqa: PTH105 - beside `mkstemp`, which gives a text
        scratch = None
    except OSError as error:
        raise UnwritableError(error.strerror or str(error)) from error
    finally:
        if scratch is not None:
            with contextlib.suppress(OSError):
                Path(scratch).unlink()
