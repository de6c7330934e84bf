"""Reading a file as Python would, or saying why not."""

from __future__ import annotations

import ast
import hashlib
import io
import os
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path

from auditor.scan.record import Reading

MAX_BYTES = 4 * 1024 * 1024
"""Larger files are generated data: the biggest hand-written module of CPython's library has 0.3 MB."""


class UnreadableError(Exception):
    """The file cannot be audited; the message is the reason for its skip."""


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file. `lines` keep their line ends and are split as the parser splits them."""

    path: str
    lines: tuple[str, ...]
    tree: ast.Module

    def column(self, line: int, byte_offset: int) -> int:
        """Character column, from 1, of a 0-based UTF-8 byte offset on a 1-based line."""
        text = self.lines[line - 1]
        if text.isascii():
            return byte_offset + 1
        return len(text.encode("utf-8", "surrogatepass")[:byte_offset].decode("utf-8", "replace")) + 1


def read_bytes(file: Path) -> tuple[bytes, Reading]:
    """What the file holds, and the state in which it was found.

    Raises:
        UnreadableError: it cannot be read, or is larger than `MAX_BYTES`; the message says why.
    """
    try:
        with file.open("rb") as opened:
            found = os.fstat(opened.fileno())
            if found.st_size > MAX_BYTES:
                raise _too_large(found.st_size)
            # a file may grow while it is read
            data = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UnreadableError(f"cannot be read: {reason or error}") from error
    if len(data) > MAX_BYTES:
        raise _too_large(len(data))
    return data, Reading(found.st_mtime_ns, found.st_size, found.st_ino, hashlib.sha256(data).hexdigest())


def _too_large(size: int) -> UnreadableError:
    return UnreadableError(f"too large: {size / 2**20:.1f} MB, the limit is {MAX_BYTES // 2**20} MB")


def parse_source(data: bytes, path: str) -> Source:
    """The parsed text.

    Raises:
        UnreadableError: it cannot be decoded or parsed.
    """
    text = _decode(data)
    if "\0" in text:
        raise UnreadableError("contains null bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(_syntax_reason(error)) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError("nested too deeply for Python's own parser") from error
    except ValueError as error:
        raise UnreadableError(f"cannot be parsed: {error}") from error
    return Source(path=path, lines=tuple(io.StringIO(text, newline=None)), tree=tree)


def _decode(data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except SyntaxError as error:
        raise UnreadableError(f"wrong encoding: {error.msg}") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableError(f"wrong encoding: {error}") from error
    return text.removeprefix("\ufeff")


def _syntax_reason(error: SyntaxError) -> str:
    reason = f"syntax error at line {error.lineno}: {error.msg}"
    if "print" in (error.msg or ""):
        reason += " (Python 2?)"
    return reason
