"""Which test of pytest runs each flagged node.

Executions are read where a test begins and where it ends, so that an execution costs nothing more. A process that a
test starts counts for that test as a whole: it finds its name in PYTEST_CURRENT_TEST. Each test that ran something is
a line of a file, written at its end, so that a process that is killed loses only its last test.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Dict, List, Optional

VARIABLE = "PYTEST_CURRENT_TEST"


class Tests:
    """Executions by test. `recorders` are those of the process by site, `outer` is what the variable held for audit.

    `ended` is called where a test of this process is over.
    """

    def __init__(
        self, recorders: Dict[int, Any], scratch: str, outer: Optional[str], ended: Callable[[], None]
    ) -> None:
        self._recorders = recorders
        self._ended = ended
        self._scratch = scratch
        self._before = {}  # type: Dict[int, int]
        self._name = None  # type: Optional[str]
        self._session = 0
        inherited = os.environ.get(VARIABLE)
        self._is_inherited = bool(inherited) and inherited != outer
        if self._is_inherited:
            self._name = str(inherited).rpartition(" (")[0]

    def hook(self, runner: Any) -> None:
        """Hear of phases from the module `_pytest.runner`, which names them in the variable."""
        original = runner._update_current_test_var

        def update(item: Any, when: Optional[str]) -> None:
            try:
                self._phase(item, when)
            except Exception:
                pass  # then this test is not told apart; the session goes on
            original(item, when)

        runner._update_current_test_var = update

    def current(self) -> Optional[List[Any]]:
        """The test under way and its executions by site, None outside of tests."""
        if self._name is None:
            return None
        ran = {str(site): hits - self._before.get(site, 0) for site, hits in self._hits().items()}
        return [self._name, {site: hits for site, hits in ran.items() if hits > 0}]

    def forked(self) -> None:
        """This is a child of the process that was watched; its recorders begin from zero."""
        self._before = {}
        self._is_inherited = self._name is not None

    def _phase(self, item: Any, when: Optional[str]) -> None:
        """A test within a test, of a session that the test started, counts for the outer one."""
        if self._is_inherited:
            return
        session = id(item.config)
        if self._name is not None and session != self._session:
            return
        if self._name is not None and (when is None or item.nodeid != self._name):
            self._end()
        if when is not None and self._name is None:
            self._session = session
            self._name = item.nodeid
            self._before = self._hits()

    def _end(self) -> None:
        done = self.current()
        self._name = None
        self._ended()
        if done is not None and done[1]:
            with open(os.path.join(self._scratch, "tests-%d.jsonl" % os.getpid()), "a", encoding="utf-8") as stream:
                stream.write(json.dumps(done) + "\n")

    def _hits(self) -> Dict[int, int]:
        return {site: recorder.hits() for site, recorder in self._recorders.copy().items()}
