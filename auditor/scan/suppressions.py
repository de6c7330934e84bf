"""Comments by which the author sets findings aside: `# audit: ignore[rule] -- reason`."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.model import Suppression
from auditor.scan.notebook import place

if TYPE_CHECKING:
    from auditor.scan.source import Source

_COMMENT = re.compile(r"#\s*audit:\s*ignore\b\s*(?:\[(?P<rules>[^\]]*)\])?\s*(?:--\s*(?P<reason>.*\S))?")
_BETWEEN = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT)


def suppressions(source: Source) -> tuple[Suppression, ...]:
    """All of the file, in order. On a line of its own, a comment is about the next statement, decorators included."""
    if "audit:" not in "".join(source.lines):
        return ()
    found = _Reading(source)
    try:
        found.read(tokenize.generate_tokens(iter(source.lines).__next__))
    except (tokenize.TokenError, IndentationError):
        # ast has read the file: what its tokenizer in Python stumbles over stands behind the last statement
        found.end()
    return tuple(sorted(found.done, key=lambda one: (one.line, one.column)))


@dataclass(slots=True)
class _Reading:
    """The comments met so far: those of the logical line under way, and those that wait for the next one."""

    source: Source
    done: list[Suppression] = field(default_factory=list)
    here: list[Suppression] = field(default_factory=list)
    ahead: list[Suppression] = field(default_factory=list)
    start: int | None = None
    decorated: int | None = None
    decorates: bool = False

    def read(self, tokens: Iterator[tokenize.TokenInfo]) -> None:
        """Take all of them."""
        for token in tokens:
            if token.type == tokenize.COMMENT:
                self._comment(token)
            elif token.type == tokenize.NEWLINE:
                self._line_ends(token.start[0])
            elif token.type == tokenize.ENDMARKER:
                self.end()
            elif token.type not in _BETWEEN and self.start is None:
                self.start = token.start[0]
                self.decorates = token.type == tokenize.OP and token.string == "@"

    def end(self) -> None:
        """What is left is about nothing."""
        self.done += self.here + self.ahead
        self.here, self.ahead = [], []

    def _comment(self, token: tokenize.TokenInfo) -> None:
        match = _COMMENT.search(token.string)
        if match is None:
            return
        listed = match["rules"]
        line, column = token.start
        cell = None
        if self.source.cells:
            cell, line = place(self.source.cells, line)
        one = Suppression(
            path=self.source.path,
            line=line,
            column=column + match.start() + 1,
            rules=() if listed is None else tuple(rule.strip() for rule in listed.split(",") if rule.strip()),
            reason=match["reason"] or "",
            cell=cell,
        )
        (self.ahead if self.start is None else self.here).append(one)

    def _line_ends(self, last: int) -> None:
        if self.start is None:
            return
        first = self.start
        self.done += [self._about(one, first, last) for one in self.here]
        if self.decorates:
            self.decorated = self.decorated or first
        else:
            self.done += [self._about(one, self.decorated or first, last) for one in self.ahead]
            self.ahead, self.decorated = [], None
        self.here, self.start = [], None

    def _about(self, one: Suppression, first: int, last: int) -> Suppression:
        if self.source.cells:
            (number, start), (_, end) = place(self.source.cells, first), place(self.source.cells, last)
            # a comment that ends a cell is about nothing in the next one
            first, last = (start, end) if number == one.cell else (0, 0)
        return Suppression(one.path, one.line, one.column, one.rules, one.reason, one.cell, first, last)
