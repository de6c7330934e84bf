"""Ignore files: which paths a tenant does not want to have reviewed."""

import fnmatch
import re
from collections.abc import Iterable
from types import TracebackType


class IgnoreRules:
    """The globs of one tenant, compiled together.

    Use it as a context manager: on exit the tenant's expressions leave the process-wide cache of
    `re`, which would otherwise fill up with the globs of tenants long gone.
    """

    def __init__(self, globs: Iterable[str]) -> None:
        self._pattern = re.compile("|".join(fnmatch.translate(glob) for glob in globs))

    def __enter__(self) -> "IgnoreRules":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        re.purge()

    def ignores(self, path: str) -> bool:
        """Say whether some glob matches the whole path."""
        return self._pattern.match(path) is not None
