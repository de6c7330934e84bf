"""Checks of plans, and the catalogue of what may be deployed."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from intent_operator.model import Plan


class Session:
    """The checks of one plan, which are done one after the other."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._checks: list[Future[bool]] = []

    def check(self, plan: Plan, limit: int) -> "Future[bool]":
        """Begin to check that a plan keeps within a limit."""
        check = self._executor.submit(self._within, plan, limit)
        self._checks.append(check)
        return check

    def passed(self) -> bool:
        """Say whether all checks so far came out well."""
        return all(check.result() for check in self._checks)

    @staticmethod
    def _within(plan: Plan, limit: int) -> bool:
        return len(set(plan.components)) == len(plan.components) <= limit


# The sessions of all plans, for whoever asks how they went.
_sessions: list[Session] = []


def validate(plan: Plan, limit: int) -> "Future[bool]":
    """Begin to check a plan, in a session of its own."""
    session = Session(ThreadPoolExecutor(max_workers=1, thread_name_prefix="validate"))
    _sessions.append(session)
    return session.check(plan, limit)


def count_valid() -> int:
    """Return how many plans passed all their checks."""
    return sum(session.passed() for session in _sessions)


def load_catalogue(folder: Path) -> list[str]:
    """Return the images that the catalogue files of a folder list, sorted."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        texts = list(pool.map(Path.read_text, folder.glob("catalogue*.txt")))
    return sorted({line for text in texts for line in text.split()})
