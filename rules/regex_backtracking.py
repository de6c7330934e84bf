"""A regular expression that tries one text in ever more ways before it gives up."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule

_FLAGS_AT = {"match": 2, "search": 2, "fullmatch": 2, "findall": 2, "split": 3, "sub": 4, "subn": 4}
_SEARCHING = ("search", "findall", "split", "sub", "subn")
_FLAG = re.compile(r"\b(IGNORECASE|I|VERBOSE|X|DOTALL|S|ASCII|A)\b")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    found = _pattern(node, ctx)
    trouble = None if found is None else _trouble(*found)
    if trouble is None:
        return None
    return Match(f"{trouble} before a match fails", (Plant("matched", node),))


def _pattern(call: cst.Call, ctx: Context) -> tuple[str | bytes, int, str] | None:
    """Pattern and flags that the call matches with, and by which method."""
    function, _, method = (ctx.qualified(call.func) or "").rpartition(".")
    if function == "re" and method in _FLAGS_AT:
        pattern, flags = ctx.argument(call, 0, "pattern"), ctx.argument(call, _FLAGS_AT[method], "flags")
    elif isinstance(call.func, cst.Attribute) and call.func.attr.value in _FLAGS_AT:
        method = call.func.attr.value
        made = _compiled(call.func.value, ctx)
        if made is None:
            return None
        pattern, flags = ctx.argument(made, 0, "pattern"), ctx.argument(made, 1, "flags")
    else:
        return None
    text = None if pattern is None else ctx.text_of(pattern)
    return None if text is None else (text, _flags(flags, ctx), method)


def _compiled(pattern: cst.BaseExpression, ctx: Context) -> cst.Call | None:
    """The call of `re.compile` whose result the expression is."""
    made = pattern if isinstance(pattern, cst.Call) else ctx.bound_to(pattern)
    return made if isinstance(made, cst.Call) and ctx.qualified(made.func) == "re.compile" else None


def _flags(expression: cst.BaseExpression | None, ctx: Context) -> int:
    """The flags named in the expression, as far as they say what a pattern matches."""
    named = set() if expression is None else set(_FLAG.findall(ctx.code(expression)))
    return int(sum({getattr(re, name).value for name in named}))


# ------------------------------------------------------------------------------------------------
# What is wrong with a pattern
#
# The pattern becomes an automaton whose states are its characters. Where two ways lead from a state back to itself over
# the same text, a run of n such texts can be told apart in 2 ** n ways, all of which are tried before the match fails.
# Three repetitions side by side that take the same characters share out a run of n in n * n ways.

_MAX_STATES = 400
_MAX_PAIRS = 20_000
_MANY = 16
"""A repetition that may turn more often is taken for one without an end."""
_parser: Any = importlib.import_module("re._parser")
_SAMPLE = "".join(map(chr, range(128))) + "\xa0éÉß中\u2028"
_ALL = (1 << len(_SAMPLE)) - 1
_BITS = {character: 1 << place for place, character in enumerate(_SAMPLE)}
_CATEGORIES = {
    "DIGIT": r"\d",
    "SPACE": r"\s",
    "WORD": r"\w",
    "NOT_DIGIT": r"\D",
    "NOT_SPACE": r"\S",
    "NOT_WORD": r"\W",
}


@cache
def _trouble(pattern: str | bytes, flags: int, method: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(pattern, flags)
        machine = _Machine(parsed.state.flags, whole=method == "fullmatch")
        machine.ends = set(machine.sequence(parsed).last)
    except (re.error, OverflowError, RecursionError, ValueError):
        return None
    if machine.doubles():
        return "the pattern can match one text in exponentially many ways, all of which are tried"
    if machine.shares():
        return "the pattern repeats the same characters side by side, and shares them out in every way"
    if method in _SEARCHING and _runs_to_the_end(list(parsed)):
        return "the pattern begins with a run that has to reach the end, and is tried from each place of such a run"
    return None


def _runs_to_the_end(items: Sequence[Any]) -> bool:
    """Whether what is searched for may begin with a repetition right before `$`, as ` +$`: n * n / 2 steps for n."""
    if not items:
        return False
    (operation, value), *rest = items
    match str(operation):
        case "SUBPATTERN":
            return _runs_to_the_end([*value[3], *rest])
        case "BRANCH":
            return any(_runs_to_the_end([*branch, *rest]) for branch in value[1])
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, repeated = value
            return (int(most) > _MANY and len(repeated) == 1 and _is_end(rest)) or (
                int(least) == 0 and _runs_to_the_end(rest)
            )
    return False


def _is_end(items: Sequence[Any]) -> bool:
    if not items:
        return False
    operation, value = items[0]
    return str(operation) == "AT" and str(value) in ("AT_END", "AT_END_STRING")


class _Part:
    """A part of a pattern: the states it may begin and end with, each in how many ways, and whether it may be empty."""

    __slots__ = ("empty", "first", "last")

    def __init__(
        self, first: dict[int, int] | None = None, last: dict[int, int] | None = None, empty: bool = True
    ) -> None:
        self.first = first or {}
        self.last = last or {}
        self.empty = empty


class _Machine:
    """The states of a pattern, the characters each takes, and in how many ways one follows another."""

    def __init__(self, flags: int, whole: bool) -> None:
        self.ends: set[int] = set()
        self._flags = flags
        self._whole = whole
        self._takes: list[int] = []
        self._next: list[dict[int, int]] = []
        self._looked = 0

    def sequence(self, items: Any) -> _Part:
        """The parts one after the other."""
        whole = _Part()
        for operation, value in items:
            whole = self._then(whole, self._item(str(operation), value))
        return whole

    def _item(self, operation: str, value: Any) -> _Part:
        match operation:
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeat(*value)
            case "SUBPATTERN":
                return self.sequence(value[3])
            case "BRANCH":
                return _either([self.sequence(branch) for branch in value[1]])
            case "AT" | "ASSERT" | "ASSERT_NOT" | "GROUPREF" | "GROUPREF_EXISTS":
                # what stands before may have to be matched otherwise
                self._looked = len(self._takes)
                return _Part()
            case "POSSESSIVE_REPEAT" | "ATOMIC_GROUP":
                # what it took is not given back
                return self._state(0)
        return self._state(_characters(operation, value, self._flags))

    def _state(self, takes: int) -> _Part:
        state = len(self._takes)
        if state >= _MAX_STATES:
            raise OverflowError
        self._takes.append(takes)
        self._next.append({})
        return _Part({state: 1}, {state: 1}, False)

    def _repeat(self, least: int, most: Any, items: Any) -> _Part:
        part = self.sequence(items)
        if int(most) > _MANY:
            self._link(part, part)
        return _Part(part.first, part.last, least == 0 or part.empty)

    def _then(self, left: _Part, right: _Part) -> _Part:
        self._link(left, right)
        first = _added(left.first, right.first) if left.empty else left.first
        last = _added(right.last, left.last) if right.empty else right.last
        return _Part(first, last, left.empty and right.empty)

    def _link(self, left: _Part, right: _Part) -> None:
        for state, ways in left.last.items():
            for after, more in right.first.items():
                self._next[state][after] = self._next[state].get(after, 0) + ways * more

    def doubles(self) -> bool:
        """Whether two ways lead from a state back to itself over the same text, and the match may fail after it."""
        reach = [self._reachable(state) for state in range(len(self._takes))]
        for state, around in enumerate(reach):
            circle = {other for other in around if state in reach[other]}
            if not circle or not self._may_fail(circle):
                continue
            if any(self._next[state].get(other, 0) > 1 for other in circle) or self._meets_again(state, circle):
                return True
        return False

    def shares(self) -> bool:
        """Whether three repetitions side by side take the same characters, and the match may fail after them."""
        return any(
            len({state, middle, last}) == 3 and self._may_fail({last})
            for state in range(len(self._takes))
            for middle in self._next[state]
            for last in self._next[middle]
            if self._takes[state] & self._takes[middle] & self._takes[last]
            and all(one in self._next[one] for one in (state, middle, last))
        )

    def _may_fail(self, states: set[int]) -> bool:
        """Whether something must follow these states for the match to succeed."""
        return self._whole or min(states) < self._looked or states.isdisjoint(self.ends)

    def _reachable(self, state: int) -> set[int]:
        found: set[int] = set()
        pending = [state]
        while pending:
            for after in self._next[pending.pop()]:
                if after not in found and self._takes[after]:
                    found.add(after)
                    pending.append(after)
        return found

    def _meets_again(self, state: int, circle: set[int]) -> bool:
        """Whether two ways that part at the state can meet there again after the same text."""
        seen: set[tuple[int, int]] = set()
        pending = [pair for pair in self._steps(state, state, circle) if pair[0] != pair[1]]
        while pending and len(seen) < _MAX_PAIRS:
            pair = pending.pop()
            if pair == (state, state):
                return True
            if pair not in seen:
                seen.add(pair)
                pending.extend(self._steps(*pair, circle))
        return False

    def _steps(self, one: int, other: int, circle: set[int]) -> Iterator[tuple[int, int]]:
        for left in self._next[one]:
            for right in self._next[other]:
                if left in circle and right in circle and self._takes[left] & self._takes[right]:
                    yield left, right


def _added(own: dict[int, int], further: dict[int, int]) -> dict[int, int]:
    return {state: own.get(state, 0) + further.get(state, 0) for state in {**own, **further}}


def _either(parts: Sequence[_Part]) -> _Part:
    whole = _Part(empty=False)
    for part in parts:
        whole = _Part(_added(whole.first, part.first), _added(whole.last, part.last), whole.empty or part.empty)
    return whole


def _characters(operation: str, value: Any, flags: int) -> int:
    """The characters of the sample that an item takes, as bits."""
    match operation:
        case "LITERAL":
            return _same(chr(value), flags)
        case "NOT_LITERAL":
            return _ALL & ~_same(chr(value), flags)
        case "ANY":
            return _ALL if flags & re.DOTALL else _bits(lambda character: character != "\n")
        case "RANGE":
            return _bits(lambda character: value[0] <= ord(character) <= value[1])
        case "CATEGORY":
            kind = re.compile(_CATEGORIES[str(value).removeprefix("CATEGORY_")], flags & re.ASCII)
            return _bits(lambda character: kind.match(character) is not None)
        case "IN":
            negated = any(str(part) == "NEGATE" for part, _ in value)
            taken = 0
            for part, detail in value:
                taken |= 0 if str(part) == "NEGATE" else _characters(str(part), detail, flags)
            return _ALL & ~taken if negated else taken
    return _ALL


def _same(literal: str, flags: int) -> int:
    if flags & re.IGNORECASE:
        return _bits(lambda character: character.lower() == literal.lower())
    return _BITS.get(literal, 0)


def _bits(takes: Callable[[str], bool]) -> int:
    return sum(1 << place for place, character in enumerate(_SAMPLE) if takes(character))


RULE = Rule(
    id="regex-backtracking",
    title="Regular expression that backtracks without bound",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "A constant pattern, handed to `re` or compiled under a name, that can match one text in ever more ways: a"
            " repetition inside a repetition that takes the same characters, as in `(a+)+` or `(\\w+\\s*)*`;"
            " alternatives under a repetition that overlap, as in `(a|ab|b)*`; three repetitions side by side that"
            " share characters, as in `\\s*.*\\s*`; and a repetition before the end that `search`, `sub` and the like"
            " try from each place, as `\\s+$`. What need not match anything after it is not flagged, nor are"
            " possessive or atomic parts. `finditer` is not looked at, as its time lies in the loop over it."
        ),
        why=(
            "Python's engine tries every way before it gives up. With nested repetitions a run of n characters can be"
            " split in 2 ** n ways: thirty of them take minutes. Three repetitions side by side share out a run of n"
            " in n * n ways, and a search for `\\s+$` takes n * n / 2 steps for n blanks inside a text. One text, sent"
            " on purpose, is enough to occupy a thread, which keeps the interpreter's lock all the while."
        ),
        harmless=(
            "When the text is short and comes from the program itself, or cannot contain the run of characters in"
            " question. As long as texts match, the first way tried is mostly the right one: only a text that almost"
            " matches is costly, and a workload rarely has one. Being rejected here is no proof of safety."
        ),
        measured=(
            "Seconds spent in matching, the length of the text, how the cost of a match grows with that length, and the"
            " seconds of those matches that took far longer than a pass over their text. Confirmed when the latter are"
            " considerable, however many others matched at once, or when the cost grows faster than the length. That"
            " much text takes long is not confirmed: a pass over it is needed anyway. Short texts that are matched"
            " quickly reject nothing."
        ),
        fix=(
            "Let each character be matched in one way only: `(\\w+\\s*)*` becomes `\\w+(?:\\s+\\w+)*`, `(a|ab|b)*`"
            " becomes `[ab]*`. From Python 3.11, possessive repetition (`\\s*+`) and atomic groups (`(?>...)`) give"
            " nothing back. `text.rstrip()` does what `re.sub(r'\\s+$', '', text)` does. Else limit the length of the"
            " text first, or use the methods of `str` (`strip`, `partition`, `split`)."
        ),
        references=(
            "True: SQLAlchemy 2.1.9, sqlalchemy/dialects/sqlite/base.py:2541, 12 s for 10 spaced options",
            "Harmless: sphinx 9.0.4, sphinx/ext/autosummary/generate.py:819, lines of one's own documents",
        ),
    ),
    triggers=(Calls(tuple(f"re.{name}" for name in _FLAGS_AT)),),
    expects=Scaling(steep=True),
    check=check,
    valid=(
        # tried from one place only, or from the begin of a run
        "import re\n\ndef f(text):\n    return re.match(r'\\s+$', text), re.search(r'^\\s*$', text)\n",
        "import re\n\ndef f(text):\n    return re.sub(r'(?<!\\s)\\s+$', '', text), re.search(r':\\s*$', text)\n",
        "import re\n\ndef f(text):\n    return re.findall(r'\\d+', text), re.sub(r'\\s{1,4}$', '', text)\n",
        "import re\n\ndef f(text):\n    return re.match(r'(?:\\w+,)*\\w+$', text)\n",
        # a quoted string: each character is matched in one way
        'import re\n\nQUOTED = re.compile(r\'"(?:[^"\\\\]|\\\\.)*"\')\n\ndef f(text):\n    return QUOTED.match(text)\n',
        # nothing need follow
        "import re\n\ndef f(text):\n    return re.match(r'(\\w+\\s*)*', text)\n",
        # nothing is given back
        "import re\n\ndef f(text):\n    return re.match(r'(?>(\\w+\\s*)*)$', text)\n",
        "import re\n\ndef f(text):\n    return re.match(r'(?:\\w++\\s*)*$', text)\n",
        # not constant, and no pattern
        "import re\n\ndef f(text, word):\n    return re.match(f'({word}+)+$', text)\n",
        "def f(text, pattern):\n    return pattern.match(text), text.split('(a+)+$')\n",
        "import re\n\ndef f(text):\n    return re.search(r'^\\s*(\\w+)\\s*=\\s*(.*)$', text)\n",
        # few turns
        "import re\n\ndef f(text):\n    return re.match(r'(?:a{1,3}){1,3}$', text)\n",
    ),
    invalid=(
        "import re\n\ndef f(text):\n    return re.match(r'(a+)+$', text)\n",
        "import re\n\nWORDS = re.compile(r'^(\\w+\\s?)*$')\n\ndef f(text):\n    return WORDS.match(text)\n",
        "import re\n\nclass Lexer:\n    NAME = re.compile('(?:[a-z]+|[a-z0-9]_?)*!', re.I)\n\n"
        "    def f(self, text):\n        return self.NAME.search(text)\n",
        "from re import fullmatch as whole\n\nSPACES = r'\\s*'\nLINE = SPACES + r'(.*)' + SPACES\n\n"
        "def f(text):\n    return whole(LINE, text)\n",
        "import re\n\ndef f(text):\n    return re.sub(r'(\\s*\\w+\\s*)+;', '', text)\n",
        "import re\n\ndef f(data):\n    return re.compile(rb'(?:a|ab|b)*c').findall(data)\n",
        "import re\n\ndef f(text):\n    return re.search(r'<.*.*.*>', text)\n",
        # from each place of a run
        "import re\n\ndef f(text):\n    return re.sub(r'\\s+$', '', text)\n",
        "import re\n\nTRIM = re.compile(r'^[ \\t]+|[ \\t]+\\Z')\n\ndef f(text):\n    return TRIM.sub('', text)\n",
        "import re\n\ndef f(name):\n    return re.search(r'(\\d+)$', name)\n",
    ),
)
