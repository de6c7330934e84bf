"""Clients and connections made at an expression: how many, open at once and at the end.

One that was collected is not open any more. Whether one is open, it says itself, in the words of its library.
"""

from __future__ import annotations

import ast
import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Optional

    from auditor.evidence.probes import _handles
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_handles", os.path.join(os.path.dirname(__file__), "_handles.py"))
    _handles = module_from_spec(_spec)
    _spec.loader.exec_module(_handles)

NAME = "client"
NODES = (ast.Call,)
plant = _handles.plant

COROUTINE = 0x80  # inspect.CO_COROUTINE


class Recorder(_handles.Recorder):
    """The census of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        super().__init__(runtime, _is_open)


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The census of all processes."""
    return _handles.handle_rows(records, "clients")


def _is_open(client: Any) -> Optional[bool]:
    """None if it has none of the ways to tell that are known here."""
    for name in ("closed", "is_closed"):
        # aiohttp, psycopg, multiprocessing; httpx; asyncpg has a method
        closed = getattr(client, name, None)
        if callable(closed):
            code = getattr(closed, "__code__", None)
            if code is not None and code.co_flags & COROUTINE:
                return None  # one that nobody awaits would be complained about
            closed = closed()
        if isinstance(closed, (bool, int)):
            return not closed
    if hasattr(type(client), "total_changes"):
        try:
            return bool(client.total_changes >= 0)
        except Exception:
            return False  # sqlite3, which does not tell once it is closed
    if callable(getattr(client, "fileno", None)):
        try:
            return bool(client.fileno() != -1)
        except Exception:
            pass  # smtplib and others have one only while they are connected
    for name, shut in (("_closed", True), ("sock", None), ("_sock", None)):
        # http.client, smtplib, ftplib, imaplib
        if hasattr(client, name):
            return getattr(client, name) is not shut
    adapters = getattr(client, "adapters", None)
    if isinstance(adapters, dict):
        # requests: closing empties the pools
        return any(len(adapter.poolmanager.pools) > 0 for adapter in adapters.values())
    return None
