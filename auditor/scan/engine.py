"""Scanning one file: gate, slices, rules, suspects. A crash of one rule costs only that rule on that file."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import cst
from auditor.model import Site, Skip, Span, Suspect
from auditor.rule import Step
from auditor.scan import infer, sinks
from auditor.scan.complexity import Complexities
from auditor.scan.context import SliceContext
from auditor.scan.drawing import draw
from auditor.scan.facts import Function, ModuleFacts
from auditor.scan.files import package_of, path_below
from auditor.scan.gate import MAX_DEPTH, Candidate, End, Gate
from auditor.scan.links import Outlook, link
from auditor.scan.naming import Piece
from auditor.scan.often import called_often
from auditor.scan.outline import Outline, mark_of, position
from auditor.scan.per_item import runs_per_item
from auditor.scan.places import Places
from auditor.scan.record import FileScan, Reading
from auditor.scan.scopes import Scopes
from auditor.scan.shadow import NotShadowedError, Shadow
from auditor.scan.shadow.text import in_formatted_string, text_between
from auditor.scan.slices import Slice, SliceError, slice_lines
from auditor.scan.source import Source, UnreadableError, parse_source, read_bytes
from auditor.scan.suppressions import suppressions
from auditor.scan.syntax import Flat, children
from auditor.scan.uncollected import uncollected

if TYPE_CHECKING:
    from auditor.rule import Rule

MAX_SLICE_LINES = 5000
"""Longer functions are generated; LibCST needs seconds and hundreds of megabytes for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """A suspect, as yet without fingerprint, and LibCST's nodes it was found in. `node` is what is flagged."""

    rule: Rule
    suspect: Suspect
    node: cst.CSTNode
    context: SliceContext
    piece: Slice


class Engine:
    """Scans files with a fixed set of rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))
        self.gate = Gate.of(self.rules)
        self._packages: dict[str, str] = {}

    def scan_file(self, file: Path, root: Path) -> FileScan:
        """Suspects of `file`; whatever cannot be audited comes back as a skip with its reason."""
        return self.read_and_scan(file, root)[0]

    def read_and_scan(self, file: Path, root: Path, outlook: Outlook | None = None) -> tuple[FileScan, Reading | None]:
        """The same, and which content it was, None if it could not be read. `outlook` is what it draws from others."""
        with uncollected():
            return self._read_and_scan(file, root, outlook)

    def _read_and_scan(self, file: Path, root: Path, outlook: Outlook | None) -> tuple[FileScan, Reading | None]:
        path = path_below(root, file)
        reading = None
        try:
            data, reading = read_bytes(file)
            source = parse_source(data, path)
        except UnreadableError as error:
            return FileScan(path=path, skipped=(Skip(path, str(error)),)), reading
        return self.scan_source(source, package_of(file, root, self._packages), outlook=outlook), reading

    def sketch(self, file: Path, root: Path) -> tuple[FileScan, Reading | None]:
        """What `file` says to the rest of its project, and no more; nothing if it cannot be read.

        And which content it was, None if it could not be read.
        """
        path = path_below(root, file)
        reading = None
        with uncollected():
            try:
                data, reading = read_bytes(file)
                source = parse_source(data, path)
            except UnreadableError:
                return FileScan(path=path), reading
            facts = ModuleFacts(tree=source.tree, package=package_of(file, root))
            places = Places(facts.flat)
            text = _outline(facts, places, self.gate.candidates(facts.flat, places, None)[1]).dump()
        return FileScan(path=path, outline=text, mark=mark_of(text)), reading

    def scan_text(self, text: str, path: str = "example.py") -> FileScan:
        """Suspects of a source text that is a project of its own.

        Raises:
            UnreadableError: the text cannot be parsed.
        """
        source = parse_source(text.encode(), path)
        alone = self.scan_source(source)
        outlooks = link({path: Outline.load(alone.outline)}, self.gate.wanted, self.gate.words)
        return self.scan_source(source, outlook=outlooks[path]) if path in outlooks else alone

    def scan_source(
        self,
        source: Source,
        package: str = "",
        found: Callable[[Found], None] | None = None,
        outlook: Outlook | None = None,
    ) -> FileScan:
        """Suspects of a parsed file, in source order.

        `found` is told of each suspect, in any order; for its sake all candidates are looked at as LibCST parses them.
        `outlook` is what the file draws from others of its project, which know by then what it says to them.
        """
        facts = ModuleFacts(tree=source.tree, package=package, outlook=outlook)
        places = Places(facts.flat, runs_per_item(facts).functions, called_often(facts).names)
        candidates, ends = self.gate.candidates(facts.flat, places, outlook)
        for name in self.gate.awaiting(facts.flat, places):
            facts.awaited |= called_often(facts).leading_to(name)
        run = _FileRun(source, facts, found)
        for _first, group in sorted(_by_slice(candidates).items()):
            run.scan_slice(group)
        text = _outline(facts, places, ends).dump() if outlook is None else ""
        suspects = tuple(_fingerprinted(run.drafts))
        complexities = Complexities(facts.flat)
        return FileScan(
            path=source.path,
            lines=len(source.lines),
            suspects=tuple(map(source.located, suspects)),
            complexities=tuple(None if source.cells else complexities.around(suspect) for suspect in suspects),
            skipped=run.skips(),
            suppressions=suppressions(source),
            outline=text,
            mark=mark_of(text) if outlook is None else "",
        )


def _outline(facts: ModuleFacts, places: Places, ends: Iterable[End]) -> Outline:
    named = [(end.node, end.place, end.key, name) for end in ends if (name := _end_named(end, facts)) is not None]
    return draw(facts, places, named)


def _end_named(end: End, facts: ModuleFacts) -> str | None:
    """What is called, if it is what the trigger asks for."""
    try:
        return _end_meant(end, Scopes(facts, end.place.scopes))
    except RecursionError:
        # an expression this deep is no call that anybody wrote
        return None


def _end_meant(end: End, scopes: Scopes) -> str | None:
    name = infer.qualified(end.node.func, scopes)
    if name in end.trigger.polling and any(_is_nothing(argument) for argument in _arguments(end.node)):
        return None
    if name in end.trigger.names:
        return name.removeprefix("builtins.")
    if end.trigger.waits_for and sinks.waits_for(end.node, name, scopes) == end.trigger.waits_for:
        return " ".join(ast.unparse(end.node.func).split())
    return None


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _is_nothing(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Constant) and argument.value in (False, 0)


def _by_slice(candidates: Iterable[Candidate]) -> dict[tuple[int, int], list[Candidate]]:
    groups: dict[tuple[int, int], list[Candidate]] = {}
    for candidate in candidates:
        if candidate.place.slice is not None:
            groups.setdefault(slice_lines(candidate.place.slice), []).append(candidate)
    return groups


class _Pieces:
    """The two ways to see one statement: as a shadow of the `ast`, and as LibCST parses it, which takes far longer.

    `refused` says why LibCST does not take it, once it was asked.
    """

    def __init__(self, source: Source, statement: ast.stmt) -> None:
        self._source = source
        self._statement = statement
        self._parsed: Slice | None = None
        self.shadow = Shadow(source, statement)
        self.refused: str | None = None

    @property
    def parsed(self) -> Slice | None:
        """LibCST's own nodes, None if it refuses."""
        if self._parsed is None and self.refused is None:
            try:
                self._parsed = Slice(self._source, *slice_lines(self._statement))
            except SliceError as error:
                self.refused = str(error)
        return self._parsed


class _FileRun:
    """The scan of one file while it is under way."""

    def __init__(self, source: Source, facts: ModuleFacts, found: Callable[[Found], None] | None = None) -> None:
        self.source = source
        self.facts = facts
        self._may_be_deep = _may_be_deep(facts.flat)
        self.found = found
        self.drafts: list[tuple[Suspect, str]] = []
        self.skipped = [Skip(source.path, reason) for reason in source.left_out]
        self.failures: dict[str, list[tuple[int, str]]] = {}
        self._ways: dict[str, dict[Span, tuple[Step, ...]]] = {}

    def skips(self) -> tuple[Skip, ...]:
        """What was left out: slices, then rules that failed, each once with the first of its failures."""
        failed = []
        for rule, places in sorted(self.failures.items()):
            line, error = min(places)
            more = f", and at {len(places) - 1} more of its candidates" if len(places) > 1 else ""
            failed.append(Skip(self.source.path, f"rule {rule} failed at {self.source.place(line)}: {error}{more}"))
        return (*self.skipped, *failed)

    def scan_slice(self, candidates: Sequence[Candidate]) -> None:
        statement = candidates[0].place.slice
        assert statement is not None
        first, last = slice_lines(statement)
        if last - first >= MAX_SLICE_LINES:
            self._skip(f"{self.source.place(first, last)} left out: one statement of more than {MAX_SLICE_LINES} lines")
            return
        if self._may_be_deep and (max(one.depth for one in candidates) > MAX_DEPTH or _depth(statement) > MAX_DEPTH):
            self._skip(f"{self.source.place(first, last)} left out: nested more than {MAX_DEPTH} deep")
            return
        pieces = _Pieces(self.source, statement)
        self._ways = self._ways_from(candidates)
        for candidate in sorted(candidates, key=lambda c: (c.node.lineno, c.node.col_offset, type(c.node).__name__)):
            self._decide(candidate, pieces)
        pieces.shadow.release()
        if pieces.refused is not None:
            self._skip(pieces.refused)

    def _decide(self, candidate: Candidate, pieces: _Pieces) -> None:
        scopes = Scopes(self.facts, candidate.place.scopes)
        unplaced = []
        for rule in candidate.rules:
            try:
                try:
                    if self.found is not None:
                        # a fix needs white space and comments too
                        raise NotShadowedError
                    around = self.facts.flat.upwards(candidate.index)
                    self._check(rule, candidate, pieces.shadow, pieces.shadow.find(candidate.node, around), scopes)
                except NotShadowedError:
                    piece = pieces.parsed
                    node = None if piece is None else piece.find(candidate.node)
                    if piece is not None and node is None:
                        unplaced.append(rule.id)
                    elif piece is not None and node is not None:
                        self._check(rule, candidate, piece, node, scopes)
            except (Exception, SystemExit) as error:
                self.failures.setdefault(rule.id, []).append(
                    (candidate.node.lineno, f"{type(error).__name__}: {error}")
                )
        if unplaced:
            self._skip(
                f"{self.source.place(candidate.node.lineno)} left out of {', '.join(unplaced)}:"
                " LibCST and Python's parser place it differently"
            )

    def _check(self, rule: Rule, candidate: Candidate, piece: Piece, node: cst.CSTNode, scopes: Scopes) -> None:
        context = SliceContext(piece, scopes, self.source.path, self._ways.get(rule.id))
        match = rule.check(node, context)
        if match is None:
            return
        if isinstance(piece, Shadow) and in_formatted_string(node):
            # places inside f-strings cannot be relied upon before Python 3.12
            raise NotShadowedError("place in an f-string")
        _insist(match)
        flagged = node if match.node is None else match.node
        runs = context.runs(flagged)
        functions = [scope for scope in candidate.place.scopes if isinstance(scope, Function)]
        suspect = Suspect(
            rule=rule.id,
            path=self.source.path,
            span=self.source.span(candidate.node) if match.node is None else piece.span(match.node),
            symbol=_symbol(candidate),
            message=f"{match.message}; {runs}" if runs else match.message,
            fingerprint="",
            sites=tuple(Site(plant.probe, piece.span(plant.node)) for plant in match.plants),
            function=self.source.span(functions[-1]) if functions else None,
            chain=tuple(str(step) for step in match.chain),
        )
        self.drafts.append((suspect, " ".join(self._text(piece, flagged).split())))
        if self.found is not None and isinstance(piece, Slice):
            self.found(Found(rule, suspect, flagged, context, piece))

    def _text(self, piece: Piece, flagged: cst.CSTNode) -> str:
        """What is flagged, as its author wrote it; to LibCST, comments around a compound statement are part of it."""
        if not isinstance(flagged, cst.BaseCompoundStatement):
            return piece.code(flagged)
        span = piece.span(flagged)
        begin, end = (span.line, span.column - 1), (span.end_line, span.end_column - 1)
        return text_between(self.source, begin, end)

    def _ways_from(self, candidates: Sequence[Candidate]) -> dict[str, dict[Span, tuple[Step, ...]]]:
        """By rule, the ways from these nodes to what it looks for, as far as the outlook knows one."""
        found: dict[str, dict[Span, tuple[Step, ...]]] = {}
        if self.facts.outlook is None or not self.facts.outlook.ways:
            return found
        for node in (candidate.node for candidate in candidates):
            for key, way in self.facts.outlook.ways.get(position(node), {}).items():
                known = found.setdefault(key.rpartition("/")[0], {})
                known.setdefault(self.source.span(node), tuple(Step(*step) for step in way))
        return found

    def _skip(self, reason: str) -> None:
        self.skipped.append(Skip(self.source.path, reason))


def _insist(match: object) -> None:
    """A team's rule is checked by nobody before it runs: what it returns must be what can be written down."""
    from auditor.rule import Match, Plant

    if not isinstance(match, Match):
        raise TypeError(f"its check returned {match!r}; it has to return a Match or None")
    sound = all(isinstance(plant, Plant) and isinstance(plant.probe, str) for plant in match.plants)
    if not (sound and isinstance(match.message, str)):
        raise TypeError(f"its check returned {match!r}, which is no text with a tuple of Plant")


def _symbol(candidate: Candidate) -> str:
    names = [scope.name for scope in candidate.place.scopes if isinstance(scope, Function | ast.ClassDef)]
    return ".".join(names) or "<module>"


def _depth(statement: ast.stmt) -> int:
    deepest = 0
    stack: list[tuple[ast.AST, int]] = [(statement, 0)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        # a chain of `and` is one flat node here, and as deep as it is long to LibCST
        step = len(node.values) if isinstance(node, ast.BoolOp) else 1
        stack.extend((child, depth + step) for child in children(node))
    return deepest


def _may_be_deep(flat: Flat) -> bool:
    """Whether any statement may be nested too deeply, counted as `_depth` does."""
    longest = 0
    for index in flat.of(ast.BoolOp):
        chains = (node for node in flat.upwards(index) if isinstance(node, ast.BoolOp))
        longest = max(longest, sum(len(chain.values) for chain in chains))
    return flat.depth + longest > MAX_DEPTH


def _fingerprinted(drafts: Sequence[tuple[Suspect, str]]) -> Iterator[Suspect]:
    """Suspects in source order, each with a fingerprint that survives lines moving above it.

    Key: rule, path, symbol, the flagged text with white space folded, and which of its equals it is.
    """
    seen: dict[tuple[str, ...], int] = {}
    known: set[tuple[str, Span]] = set()
    for suspect, text in sorted(drafts, key=lambda draft: (draft[0].span, draft[0].rule)):
        if (suspect.rule, suspect.span) in known:
            continue
        known.add((suspect.rule, suspect.span))
        key = (suspect.rule, suspect.symbol, text)
        seen[key] = seen.get(key, 0) + 1
        yield replace(
            suspect,
            fingerprint=_digest(suspect.rule, suspect.path, suspect.symbol, text, str(seen[key])),
            context=f"{_digest(*key)}:{seen[key]}",
        )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
