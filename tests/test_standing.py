"""Whether a finding that is gone was fixed, or its code stands where its rule does not see it."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.change import FileChange, blocks
from auditor.model import Span, Suspect
from auditor.standing import Edited, Standing, code_of

from .report.factory import a_suspect


def numbered(text: str) -> dict[int, str]:
    return dict(enumerate(text.splitlines(), 1))


def edited(before: str, after: str, old: str | None = "m.py", new: str | None = "m.py") -> Edited:
    lines = [text.encode().splitlines(keepends=True) for text in (before, after)]
    return Edited(FileChange(old, new, blocks(*lines)), numbered(before), numbered(after))


def flagged(text: str, code: str, rule: str = "r") -> Suspect:
    """A suspect at the first place of `code`, which is one line."""
    line, column = next((n, one.index(code) + 1) for n, one in enumerate(text.splitlines(), 1) if code in one)
    return a_suspect(path="m.py", rule=rule, span=Span(line, column, line, column + len(code)))


def stands(
    before: str, after: str, code: str, *others: Edited, rule: str = "r", lasting: tuple[str, ...] = ()
) -> str | None:
    before, after = textwrap.dedent(before), textwrap.dedent(after)
    gone = flagged(before, code, rule=rule)
    assert code_of(gone, numbered(before)) == code
    return Standing([edited(before, after), *others], lasting).place(gone, code)


LOOP = """\
def load(paths):
    found = []
    for path in paths:
        with open(path) as file:
            found.append(file.read())
    return found
"""


def test_code_that_was_taken_away_stands_nowhere() -> None:
    assert stands(LOOP, "def load(paths):\n    return []\n", "open(path)") is None


@pytest.mark.parametrize(
    ("after", "line"),
    [
        ("def read(path):\n    with open(path) as file:\n        return file.read()\n\n\ndef load(paths):\n"
         "    return list(map(read, paths))\n", 2),
        ("def load(paths):\n    return [open(path).read() for path in paths]\n", 2),
        ("def read(name):\n    with open(name) as file:\n        return file.read()\n\n\ndef load(paths):\n"
         "    return [read(one) for one in paths]\n", 2),
        ("def load(paths):\n    turn = lambda path: open(path).read()\n    return map(turn, paths)\n", 2),
    ],
    ids=["a helper", "a comprehension", "a helper with other names", "a lambda"],
)  # fmt: skip
def test_code_that_went_where_the_rule_does_not_look_still_stands(after: str, line: int) -> None:
    assert stands(LOOP, after, "open(path)") == f"m.py:{line}"


def test_code_that_went_into_another_file_stands_there() -> None:
    other = edited("", "import x\n\n\ndef read(path):\n    return open(path).read()\n", old=None, new="n.py")

    assert stands(LOOP, "from n import read\n", "open(path)", other) == "n.py:5"


def test_in_another_file_only_the_very_code_counts() -> None:
    other = edited("", "def other(name):\n    return open(name).read()\n", old=None, new="n.py")

    assert stands(LOOP, "def load(paths):\n    return []\n", "open(path)", other) is None


def test_equal_code_that_nobody_touched_is_not_where_it_went() -> None:
    rest = "\n\ndef other(path):\n    return open(path)\n"

    assert stands(LOOP + rest, "def load(paths):\n    return []\n" + rest, "open(path)") is None


def test_a_comment_or_the_name_of_a_method_is_no_such_code() -> None:
    after = "def load(paths):\n    # open(path)\n    return paths\n\n\nclass Shelf:\n    def open(path): ...\n"

    assert stands(LOOP, after, "open(path)") is None


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("time.sleep(1)", "sleep(1)"),
        ("httpx.get(url)", "self._http.get(url)"),
        ("self._items.pop(0)", "self.items.pop(0)"),
        ("name in self._names", "name in self.names"),
        ("QUOTE.match(text)", "_TABLE.match(line)"),
    ],
)
def test_what_has_another_owner_may_be_a_wrapper_and_is_not_shown_to_be_fixed(was: str, now: str) -> None:
    before = f"def work(self):\n    if x:\n        return {was}\n"

    assert stands(before, before.replace(was, now), was) == "m.py:3"


def test_a_test_in_another_function_is_not_known_by_its_shape() -> None:
    before = "def work(self):\n    return name in self._names\n"

    assert stands(before, "def other(self):\n    return one in two\n", "name in self._names") is None


HOIST = """\
import re


def count(lines):
    found = 0
    for line in lines:
        found += len(re.compile("a+").findall(line))
    return found
"""


@pytest.mark.parametrize(
    "after",
    [
        'import re\n\nMANY = re.compile("a+")\n\n\ndef count(lines):\n    found = 0\n    for line in lines:\n'
        "        found += len(MANY.findall(line))\n    return found\n",
        'import re\n\n\ndef count(lines):\n    found = 0\n    many = re.compile("a+")\n    for line in lines:\n'
        "        found += len(many.findall(line))\n    return found\n",
        'import re\n\n\ndef count(lines):\n    many = re.compile("a+")\n'
        "    return sum(len(many.findall(line)) for line in lines)\n",
    ],
    ids=["out of the function", "out of the loop", "the loop rewritten"],
)  # fmt: skip
def test_code_that_runs_less_often_is_fixed(after: str) -> None:
    assert stands(HOIST, after, 're.compile("a+")') is None


def test_code_that_runs_less_often_is_no_remedy_for_what_stays() -> None:
    before = "def make(n):\n    for one in range(n):\n        keep(Queue(maxsize=0))\n"
    after = "SHARED = Queue(maxsize=0)\n\n\ndef make(n):\n    return SHARED\n"

    assert stands(before, after, "Queue(maxsize=0)") is None
    assert stands(before, after, "Queue(maxsize=0)", rule="kept", lasting=("kept",)) == "m.py:1"


@pytest.mark.parametrize("head", ["class Count:", "try:"])
def test_code_that_is_run_once_as_the_module_is_imported_is_fixed(head: str) -> None:
    after = f'import re\n\n{head}\n    MANY = re.compile("a+")\n' + HOIST[9:].replace('re.compile("a+")', "MANY")

    assert stands(HOIST, after, 're.compile("a+")') is None


def test_a_text_in_other_quotes_is_the_same_text() -> None:
    before = 'def split(text):\n    return re.split(r"""a\\s""", text)\n'
    after = "def cut(text):\n    return re.split('a\\\\s', text)\n"

    assert stands(before, after, 're.split(r"""a\\s""", text)') == "m.py:2"


def test_code_in_another_loop_does_not_run_less_often() -> None:
    before = "def count(lines):\n    for line in lines:\n        re.compile('x+')\n"
    after = "def count(lines):\n    for one in lines:\n        re.compile('x+')\n    for line in lines:\n        pass\n"

    assert stands(before, after, "re.compile('x+')") == "m.py:3"


def test_code_in_a_helper_without_a_loop_is_not_known_to_run_less_often() -> None:
    after = HOIST.replace('re.compile("a+")', "many()") + '\n\ndef many():\n    return re.compile("a+")\n'

    assert stands(HOIST, after, 're.compile("a+")') == "m.py:12"


SEARCH = """\
def solve(self, wanted):
    for one in wanted:
        for locked in self.packages:
            if locked.name == one:
                break
"""


def test_a_loop_of_which_only_the_inside_was_changed_still_stands() -> None:
    gone = replace(flagged(SEARCH, "for locked in self.packages:"), span=Span(3, 9, 5, 22))
    code = "\n".join(SEARCH.splitlines()[2:])[8:]
    after = SEARCH.replace("locked.name == one", "normal(locked.name) == one")

    assert code_of(gone, numbered(SEARCH)) == code
    assert Standing([edited(SEARCH, after)]).place(gone, code) == "m.py:3"
    assert (
        Standing([edited(SEARCH, SEARCH.replace("for locked in self.packages", "if True"))]).place(gone, code) is None
    )


def test_code_in_a_function_whose_results_are_kept_is_fixed() -> None:
    after = HOIST.replace('re.compile("a+")', "many()") + '\n\n{}def many():\n    return re.compile("a+")\n'

    assert stands(HOIST, after.format("@functools.cache\n"), 're.compile("a+")') is None
    assert stands(HOIST, after.format("@log\n"), 're.compile("a+")') == "m.py:13"


def test_what_a_with_statement_closes_now_is_fixed_where_the_rule_asks_what_stays() -> None:
    before = "def read(name):\n    file = open(name)\n    return file.read()\n"
    after = "def read(name):\n    with open(name) as file:\n        return file.read()\n"

    assert stands(before, after, "open(name)", lasting=("r",)) is None
    assert stands(before, after, "open(name)") == "m.py:2"
    assert stands(after, after.replace("read(name)", "load(name)"), "open(name)", lasting=("r",)) == "m.py:2"


SEEN = """\
def unique(rows):
    seen = []
    for row in rows:
        if row not in seen:
            seen.append(row)
"""


@pytest.mark.parametrize(
    "seen", ["seen = set()", "seen: set[int] = set(rows[:0])", "seen = dict.fromkeys(())", "seen = {0}"]
)
def test_a_test_of_what_is_a_set_now_is_fixed(seen: str) -> None:
    assert stands(SEEN, SEEN.replace("seen = []", seen), "row not in seen") is None
    changed = SEEN.replace("seen = []", seen).replace("in seen:", "in seen and row:")
    assert stands(SEEN, changed, "row not in seen") is None


def test_a_pattern_that_is_another_one_now_is_fixed() -> None:
    before = 'import re\n\nMANY = re.compile("(a+)+b")\n\n\ndef find(text):\n    return MANY.match(text)\n'

    assert stands(before, before.replace("(a+)+b", "a+b"), "MANY.match(text)") is None
    assert stands(before, before.replace("import re\n", "import re  # noqa\n"), "MANY.match(text)") == "m.py:7"


def test_a_test_of_what_was_a_set_all_the_time_is_not_fixed_by_its_annotation() -> None:
    before = SEEN.replace("seen = []", "seen: Bag = set()")

    assert stands(before, before.replace("Bag", "t.Bag"), "row not in seen") == "m.py:4"


def test_a_test_of_what_is_no_longer_known_is_not_fixed() -> None:
    assert stands(SEEN, SEEN.replace("seen = []", "seen = known()"), "row not in seen") == "m.py:4"
    assert stands(SEEN, SEEN.replace("seen = []", "from k import seen"), "row not in seen") == "m.py:4"


KEPT = """\
class Hub:
    def __init__(self):
        self.clients = {}

    def join(self, name, client):
        self.clients[name] = client
"""


@pytest.mark.parametrize("line", ["self.clients.pop(name, None)", "del self.clients[name]", "self.clients.clear()"])
def test_what_is_emptied_now_is_fixed(line: str) -> None:
    after = f"{KEPT}\n    def leave(self, name):\n        {line}\n"

    assert stands(KEPT, after, "self.clients[name] = client", lasting=("r",)) is None


def test_what_is_stored_in_the_same_container_otherwise_is_not_fixed() -> None:
    after = KEPT.replace("self.clients[name] = client", "self.clients[name] = (client, now())")

    assert stands(KEPT, after, "self.clients[name] = client", lasting=("r",)) == "m.py:6"


def test_what_is_emptied_nowhere_is_not_fixed() -> None:
    after = f"{KEPT}\n    def size(self):\n        return len(self.clients)\n"

    assert stands(KEPT, after, "self.clients[name] = client", lasting=("r",)) == "m.py:6"


def test_what_its_own_text_empties_is_not_fixed_by_being_rewritten() -> None:
    before = "def drain(items):\n    while items:\n        work(items.pop(0))\n"
    after = "def drain(items):\n    while items:\n        one = items.pop(0)\n        work(one)\n"

    assert stands(before, after, "items.pop(0)") == "m.py:3"


CALLER = "from helper import fetch\n\n\nasync def handler(n):\n    return fetch(n)\n"
HELPER = "import time\n\n\ndef fetch(n):\n    time.sleep(n)\n"


@pytest.mark.parametrize(
    ("helper", "others", "expected"),
    [
        ("def fetch(n):\n    return n\n", (), None),
        ("from more import fetch\n", (("more.py", HELPER),), "m.py:5"),
        (HELPER + "\n\ndef more():\n    pass\n", (), "m.py:5"),
    ],
    ids=["it sleeps no more", "it sleeps elsewhere", "it sleeps as ever"],
)
def test_a_call_whose_way_leads_through_other_files_is_fixed_where_the_way_ends(
    helper: str, others: tuple[tuple[str, str], ...], expected: str | None
) -> None:
    gone = replace(flagged(CALLER, "fetch(n)"), chain=("helper.fetch (helper.py:4)", "time.sleep (helper.py:5)"))
    files = [edited(HELPER, helper, "helper.py", "helper.py"), *(edited("", text, None, name) for name, text in others)]

    assert Standing(files).place(gone, "fetch(n)") == expected


def test_where_it_is_flagged_again_its_rule_has_not_lost_sight_of_it() -> None:
    other = edited("", "def read(path):\n    return open(path)\n", old=None, new="n.py")
    gone = flagged(LOOP, "open(path)")
    files = [edited(LOOP, "def load(paths):\n    return []\n"), other]

    assert Standing(files).place(gone, "open(path)") == "n.py:2"
    assert Standing(files, flagged={("n.py", 2, "r"): False}).place(gone, "open(path)") is None


def test_what_the_change_introduced_in_its_file_may_be_what_became_of_it() -> None:
    gone = flagged(LOOP, "open(path)")
    files = [edited(LOOP, "def load(paths):\n    return [slurp(one) for one in paths]\n")]

    assert Standing(files, flagged={("m.py", 2, "r"): True}).place(gone, "open(path)") == "m.py:2"
    assert Standing(files, flagged={("m.py", 2, "other"): True}).place(gone, "open(path)") is None
    assert Standing(files, flagged={("n.py", 2, "r"): True}).place(gone, "open(path)") is None


def test_of_a_diff_only_what_is_known_is_looked_at() -> None:
    whole = edited(LOOP, "def read(path):\n    return open(path)\n\n\n" + LOOP.replace("open(path)", "read(path)"))
    part = replace(whole, before={4: whole.before[4]}, after={2: whole.after[2]})

    assert Standing([part]).place(flagged(LOOP, "open(path)"), "open(path)") == "m.py:2"


def test_a_flagged_text_that_begins_above_what_the_diff_shows_is_looked_for_all_the_same() -> None:
    before = "def f(name):\n    a = open(\n        name,\n        mode='r',\n        errors='x',\n    )\n"
    after = (
        before.replace("a = open", "one = open").replace("errors='x',", "errors='x')").replace("    )\n", "")
        + "    with open(name, mode='r', errors='x') as b: pass\n"
    )
    whole = edited(before, after)
    part = replace(whole, before={n: whole.before[n] for n in (5, 6)}, after={n: whole.after[n] for n in (5, 6)})
    gone = a_suspect(path="m.py", rule="r", span=Span(2, 9, 6, 6))

    assert Standing([part], ("r",)).place(gone, "open(name, mode='r', errors='x')") == "m.py:6"


LINES = st.lists(
    st.sampled_from(["def f(a):", "    for x in a:", "        g.h(x)", "    g.h(a)", "g.h(1)", ""]), max_size=12
)


@given(LINES, LINES)
def test_where_it_says_that_code_stands_it_stands(old: list[str], new: list[str]) -> None:
    before, after = "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new)
    if "g.h(x)" not in before:
        return
    place = Standing([edited(before, after)]).place(flagged(before, "g.h(x)"), "g.h(x)")

    assert place is None or "g.h(" in after.splitlines()[int(place.rpartition(":")[2]) - 1]


@given(LINES, LINES, st.sets(st.integers(1, 12)), st.integers(1, 12), st.integers(0, 3), st.booleans())
def test_whatever_a_diff_leaves_out_it_can_be_asked(
    old: list[str], new: list[str], known: set[int], line: int, height: int, lasting: bool
) -> None:
    whole = edited("".join(f"{one}\n" for one in old), "".join(f"{one}\n" for one in new))
    before, after = ({n: text for n, text in side.items() if n in known} for side in (whole.before, whole.after))
    part = replace(whole, before=before, after=after)
    gone = a_suspect(path="m.py", rule="r", span=Span(line, 1, line + height, 9))

    for files in ([part], [], [replace(part, change=FileChange("m.py", None, part.change.blocks), after={})]):
        place = Standing(files, ("r",) if lasting else ()).place(gone, "g.h(x)")
        assert place is None or place.startswith("m.py:")
