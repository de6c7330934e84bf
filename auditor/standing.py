"""Where code that is no longer flagged still stands: then nothing shows that it was fixed. Pure functions over lines.

A rule that flags something no longer may have lost sight of it: the code went into a helper, its list is imported now.
So code that stands where the change put it, or where it was all the time, counts as fixed only if the lines around it
show why: it left a loop or all functions, or the results of its function are kept, or a `with` closes what it opens, or
what it names became a set or another pattern, or is emptied or closed now.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from auditor.change import FileChange
from auditor.model import Suspect

_TOKEN = re.compile(
    r"""(?P<comment> \#.*)
    | (?P<text> [rbuftRBUFT]{0,2} (?: \"{3}.*?\"{3} | \'{3}.*?\'{3} | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'))
    | (?P<name> [^\W\d]\w*) | \d[\w.]* | [^\w\s]""",
    re.VERBOSE,
)
_TELLING = 3
"""Characters of a name that means the same in two files."""

_FEWEST = 3
"""Tokens. A name alone, or a call of one without arguments, stands anywhere."""

_MOST_SHAPED = 60
"""Tokens of code that is looked for by its shape, which takes longer."""

_LONGEST = 4_000
"""Characters. So much code does not move without being changed."""

_SHOWN_TYPES = (
    r"(?:\w+\.)*(?:compile|set|frozenset|dict|deque|OrderedDict|defaultdict|Counter|WeakSet|Weak\w+Dictionary)\b|\{"
)
_ENDINGS = "clear|pop|popleft|popitem|remove|discard|close|aclose|cancel|join|shutdown|dispose|task_done"
_FUNCTION = re.compile(r"(?:async\s+)?def\b")
_LOOP = re.compile(r"(?:async\s+for|for|while)\b")
_ENTERED = re.compile(r"\s*(?:async\s+)?with\b")
_KEEPING = re.compile(r"@.*cache")
_STORED = re.compile(r"[\w.]+\[[^]=]*\]\s*=(?!=)")
_TURNS = re.compile(r"^\s*while\b|\b(?:for|lambda)\b")


@dataclass(frozen=True, slots=True)
class Edited:
    """One file of a change, and those of its lines that are known, by number: all of them, or those of a diff."""

    change: FileChange
    before: Mapping[int, str]
    after: Mapping[int, str]

    def removed(self) -> Iterator[str]:
        """The lines that the change took away."""
        numbers = (number for block in self.change.blocks for number in range(block.old_first, block.old_end))
        return (self.before[number] for number in numbers if number in self.before)

    def added(self) -> dict[int, str]:
        """The lines that the change put there."""
        numbers = (number for block in self.change.blocks for number in range(block.new_first, block.new_end))
        return {number: self.after[number] for number in numbers if number in self.after}


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: int
    is_name: bool
    is_text: bool


@dataclass(slots=True)
class Standing:
    """Looks up where the code of suspects that are gone stands now.

    `lasting` are ids of rules about what stays, rather than what an execution costs: code that runs less often is no
    remedy there. `flagged` are (path, line, rule) of what is flagged now: there, the rule has not lost sight of it;
    and whether the change introduced it.
    """

    files: Sequence[Edited]
    lasting: Collection[str] = ()
    flagged: Mapping[tuple[str, int, str], bool] = field(default_factory=dict)
    _streams: dict[str, list[list[_Token]]] = field(default_factory=dict)

    def place(self, gone: Suspect, code: str) -> str | None:
        """`path:line` where such code stands now; None if it stands nowhere, or is shown to be mended.

        What the change introduced in the same file for the same rule may be what became of it.
        """
        if gone.rule in self.lasting and (stored := _STORED.search(code)):
            code = stored.group()  # what gains an entry matters, not the entry
        tokens = list(_tokens([(0, code[:_LONGEST])]))
        own = next((file for file in self.files if file.change.old == gone.path), None)
        if own is not None and (heir := self._heir(own.change.new, gone.rule)):
            return heir
        if len(tokens) < _FEWEST or len(code) > _LONGEST or gone.cell is not None or (own and not own.before):
            return None
        kept = _kept(gone, own)
        if kept is not None:
            return None if self._is_mended_elsewhere(gone, tokens, own) else kept
        for file in sorted(self.files, key=lambda one: one is not own):
            for line in self._found(file, tokens, gone, is_own=file is own):
                if (file.change.new or "", line, gone.rule) not in self.flagged:
                    return None if self._is_mended_there(gone, tokens, file, line, own) else f"{file.change.new}:{line}"
        return None

    def _heir(self, path: str | None, rule: str) -> str | None:
        new = [
            line for (where, line, by), introduced in self.flagged.items() if introduced and (where, by) == (path, rule)
        ]
        return f"{path}:{min(new)}" if new else None

    def _is_mended_elsewhere(self, gone: Suspect, tokens: Sequence[_Token], own: Edited | None) -> bool:
        if not gone.chain:
            return _is_mended(_names(tokens, 1 if own else _TELLING), self.files if own is None else [own])
        # what it leads to was changed, and did not only go elsewhere
        put = {line.strip() for file in self.files for line in file.added().values()}
        lost = [line for file in self.files for line in file.removed() if line.strip() not in put]
        names = [re.escape(step.partition(" (")[0].rpartition(".")[2]) for step in gone.chain]
        return any(re.search(rf"\b{name}\b", line) for name in names for line in lost)

    def _is_mended_there(
        self, gone: Suspect, tokens: Sequence[_Token], file: Edited, line: int, own: Edited | None
    ) -> bool:
        if gone.rule not in self.lasting:
            if _runs_less(file, line, gone, is_own=file is own):
                return True
        elif _ENTERED.match(file.after[line]):
            was = "" if own is None else own.before.get(gone.span.line, "")
            if was and not _ENTERED.match(was):
                return True
        return file is own and _is_in_place(file, line, gone) and _is_mended(_names(tokens, 1), [file], line)

    def _found(self, file: Edited, wanted: Sequence[_Token], gone: Suspect, *, is_own: bool) -> list[int]:
        """First lines of equal code that was added; in its own file, of what does the same to something else."""
        word = _telling(wanted)
        if file.change.new is None or not (is_own or any(word in line for line in file.added().values())):
            return []
        streams = self._read(file)
        found = _places(file, streams, _texts(wanted))
        if found or not is_own or len(wanted) > _MOST_SHAPED:
            return found
        shape = _shape(wanted)
        alike = _places(file, [_shape(stream) for stream in streams], _texts(shape))
        return alike if _is_known(shape) else [line for line in alike if _is_in_place(file, line, gone)]

    def _read(self, file: Edited) -> list[list[_Token]]:
        path = file.change.new or ""
        if path not in self._streams:
            self._streams[path] = [list(_tokens(stretch)) for stretch in _stretches(file.after)]
        return self._streams[path]


def _places(file: Edited, streams: Iterable[Sequence[_Token]], wanted: Sequence[str]) -> list[int]:
    """First lines of stretches with these texts that touch a line that was added."""
    added = file.added()
    return [
        window[0].line
        for stream in streams
        for start in _starts(stream, len(wanted))
        if stream[start].text == wanted[0]
        and _texts(window := stream[start : start + len(wanted)]) == wanted
        and (window[0].line in added or window[-1].line in added)
    ]


def code_of(suspect: Suspect, lines: Mapping[int, str]) -> str:
    """The flagged text; "" if not all of its lines are known."""
    span = suspect.span
    numbers = _numbers(suspect)
    if not all(number in lines for number in numbers):
        return ""
    found = [lines[number] for number in numbers]
    if numbers[-1] == span.end_line:
        found[-1] = found[-1][: span.end_column - 1]
    found[0] = found[0][span.column - 1 :]
    return "\n".join(found)


def telling_word(code: str) -> str:
    """The word by which the code is found fastest, "" if it has none."""
    return _telling(_tokens([(0, code)]))


def _telling(tokens: Iterable[_Token]) -> str:
    return max((token.text for token in tokens if token.is_name), key=len, default="")


def _numbers(suspect: Suspect) -> range:
    span = suspect.span
    last = span.end_line if span.end_column > 1 else span.end_line - 1
    return range(span.line, max(last, span.line) + 1)


def _kept(gone: Suspect, own: Edited | None) -> str | None:
    """Where it stands still, if the line in which it begins was not changed: of a loop, the head tells what it does."""
    if own is None:
        return f"{gone.path}:{gone.span.line}"
    now = own.change.new_line(gone.span.line)
    return None if own.change.new is None or now is None else f"{own.change.new}:{now}"


def _tokens(lines: Iterable[tuple[int, str]]) -> Iterator[_Token]:
    for number, line in lines:
        for match in _TOKEN.finditer(line):
            text = match.group() if match["text"] is None else _value(match.group())
            if match["comment"] is None:
                yield _Token(text, number, match["name"] is not None, match["text"] is not None)


def _value(literal: str) -> str:
    """The text that it stands for, whichever quotes it is in; as it is written where it stands for none by itself."""
    try:
        return repr(ast.literal_eval(literal))
    except (ValueError, SyntaxError):
        return literal


def _texts(tokens: Iterable[_Token]) -> list[str]:
    return [token.text for token in tokens]


def _stretches(lines: Mapping[int, str]) -> list[list[tuple[int, str]]]:
    """Lines that follow one another."""
    ordered = enumerate(sorted(lines.items()))
    return [[line for _, line in group] for _, group in groupby(ordered, key=lambda one: one[1][0] - one[0])]


def _starts(stretch: Sequence[_Token], length: int) -> Iterator[int]:
    """Where code of that length may begin: not within a dotted name, nor at the name of a definition."""
    for start in range(len(stretch) - length + 1):
        if start == 0 or stretch[start - 1].text not in (".", "def", "class"):
            yield start


def _shape(tokens: Sequence[_Token]) -> list[_Token]:
    """What is done, whatever it is done to: names are "$" but for those that are called, and owners are left out."""
    shape: list[_Token] = []
    for token, after in pairwise([*tokens, _Token("", 0, is_name=False, is_text=False)]):
        is_free = token.is_name and not keyword.iskeyword(token.text) and after.text != "("
        if "." not in (token.text, after.text):
            shape.append(replace(token, text="$") if is_free else token)
    return shape


def _is_known(shape: Iterable[_Token]) -> bool:
    """Whether that leaves anything by which the code is known anywhere."""
    return any(one.is_text or (one.is_name and one.text != "$" and not keyword.iskeyword(one.text)) for one in shape)


# ------------------------------------------------------------------------------------------------
# What shows that it was mended


def _names(tokens: Iterable[_Token], shortest: int) -> list[str]:
    names = {token.text for token in tokens if token.is_name and len(token.text) >= shortest}
    return sorted(names - {"self", "cls", *keyword.kwlist})


def _is_mended(names: Sequence[str], files: Iterable[Edited], but: int = 0) -> bool:
    """Whether an added line but `but` makes one of the names a set or another pattern, or empties or closes it."""
    name = rf"\b(?:{'|'.join(map(re.escape, names)) or '(?!)'})\b"
    sign = re.compile(
        rf"{name}\s*(?::[^=]*)?=\s*(?:{_SHOWN_TYPES})"
        rf"|\bdel\s+(?:\w+\.)*{name}|{name}(?:\[[^]]*\])?\.(?:{_ENDINGS})\("
    )
    for file in files:
        were = {_bound(line) for line in file.removed()}
        added = (line for number, line in file.added().items() if number != but)
        if any(sign.search(line) and _bound(line) not in were for line in added):
            return True
    return False


def _bound(line: str) -> str:
    """What the line binds a name to, else the line."""
    return (line.partition("=")[2] or line).strip()


def _is_in_place(file: Edited, line: int, gone: Suspect) -> bool:
    """Whether the line belongs to the function that the suspect was in."""
    was, now = _around(file.before, gone.span.line), _around(file.after, line)
    return was is not None and now is not None and was[0] == now[0]


def _runs_less(file: Edited, line: int, gone: Suspect, *, is_own: bool) -> bool:
    """Whether the code stands outside of all functions and loops now, in one whose results are kept, or in fewer loops.

    Loops are compared only within the function that it was in.
    """
    text = file.after[line]
    if _TURNS.search(text):
        return False
    was, now = _around(file.before, gone.span.line), _around(file.after, line)
    if not text[:1].isspace() or (now is not None and now[:2] == ("", 0)):
        return True
    if now is not None and now[2]:
        return now[1] == 0
    return is_own and was is not None and now is not None and was[0] == now[0] and now[1] < was[1]


def _around(lines: Mapping[int, str], line: int) -> tuple[str, int, bool] | None:
    """The start of the innermost function around a line, "" if there is none, and the number of loops between.

    And whether a decorator keeps its results. None where that is not known.
    """
    loops = 0
    for number, head in _headers(lines, line):
        loops += _LOOP.match(head) is not None
        if _FUNCTION.match(head):
            return head.partition("(")[0], loops, _KEEPING.match(lines.get(number - 1, "").strip()) is not None
    return ("", loops, False) if all(number in lines for number in range(1, line + 1)) else None


def _headers(lines: Mapping[int, str], line: int) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines that open the blocks around a line, inmost first, as far as they are known."""
    depth = _indentation(lines.get(line, ""))
    for number in range(line - 1, 0, -1):
        text = lines.get(number)
        if text is None:
            return
        if text.strip() and not text.lstrip().startswith(("#", ")", "]", "}")) and _indentation(text) < depth:
            depth = _indentation(text)
            yield number, text.strip()


def _indentation(line: str) -> int:
    wide = line.expandtabs(8)
    return len(wide) - len(wide.lstrip())
