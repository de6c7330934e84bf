"""audit: the code auditor whose every claim is measured."""

from __future__ import annotations

__version__ = "0.1.0"
