"""Scanning all files of a target: what the cache knows is taken from it, the rest is scanned and kept there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from auditor import model
from auditor.bundled import bundled
from auditor.model import Expectation
from auditor.scan.cache import Cache, cache_directory, version_of
from auditor.scan.files import Target, package_of, path_below
from auditor.scan.outline import SHAPE
from auditor.scan.parallel import RuleSet, Scanned, Scanner
from auditor.scan.record import FileScan, dump

MANY = 100
"""Of so many files, all is taken from the cache at once that it knows of their directory."""
_SKETCH = "sketch"
"""Stands for an outlook, where a scan is no more than what the file says to others."""


class Project:
    """One scan of `target` with `rules`. Close it to keep what is new.

    `files` are those of the target, and after `scan` also those that were looked up because the former import them.
    `scans` are those that are known, by path and outlook ("" for a file by itself); to those given, what is found
    is added.
    """

    def __init__(
        self,
        target: Target,
        rules: RuleSet,
        use_cache: bool = True,
        scans: Mapping[tuple[str, str], FileScan] | None = None,
    ) -> None:
        self.scans = dict(scans or {})
        self.files = target.files
        self._target = target
        self._rules = rules
        self._packages: dict[str, str] = {}
        version = None
        if use_cache:
            version = version_of(lambda: _deciding(rules.directories), rules.reference, json.dumps(rules.arguments))
        self._cache = None if version is None else Cache(cache_directory(), version)

    def scan(
        self,
        stop: threading.Event | None = None,
        step: Callable[[int, int], None] = lambda _done, _total: None,
        jobs: int | None = None,
    ) -> list[FileScan]:
        """The scan of every file, in their order; those made so far once `stop` is set. `step` gets (done, total).

        Raises:
            RuleError: the rules cannot be loaded.
        """
        stop = stop or threading.Event()
        scanner = Scanner(self._target.root, self._rules, stop, jobs)
        try:
            found = self._alone(scanner, step)
            asked = len(self.files)
            for file in self._target.beside:
                found[len(self.files)] = self._sketched(file)
                self.files += (file,)
            if self._target.follow and not stop.is_set():
                self._follow(found)
            if not stop.is_set():
                found |= self._joined(found, asked, scanner)
        finally:
            scanner.close()
        return [found[index] for index in sorted(found) if index < asked]

    def _alone(self, scanner: Scanner, step: Callable[[int, int], None]) -> dict[int, FileScan]:
        """The scan of every file by itself."""
        files = self.files
        found: dict[int, FileScan] = {}
        if self._cache is not None and len(files) >= MANY:
            self._cache.gather(self._target.root)
        for index, file in enumerate(files):
            if scanner.stop.is_set():
                break
            known = self._known(file)
            if known is not None:
                found[index] = known
        missing = [index for index in range(len(files)) if index not in found]

        def done(one: Scanned) -> None:
            index = missing[one.index]
            found[index] = one.scan
            self._keep(files[index], one)
            step(len(found), len(files))

        step(len(found), len(files))
        scanner.scan([files[index] for index in missing], done)
        return found

    def _follow(self, found: dict[int, FileScan]) -> None:
        """Add what the files import to them, so that it can be joined with them."""
        from auditor.scan.imported import follow
        from auditor.scan.outline import Outline

        scans = dict(zip(self.files, (found[index] for index in sorted(found)), strict=False))

        def outline(file: Path) -> Outline | None:
            scan = scans.get(file) or self._sketched(file)
            if file not in scans:
                found[len(self.files)] = scans[file] = scan
                self.files += (file,)
            # as with any damage to the cache, what cannot be read is done without
            with contextlib.suppress(ValueError):
                return Outline.load(scan.outline or self._outline(scan.mark) or "")
            return None

        follow(self.files, self._target.root, outline)

    def _sketched(self, file: Path) -> FileScan:
        """What a file says to others, without its suspects unless they are known."""
        known = self._known(file) or self._known(file, _SKETCH)
        if known is not None:
            return known
        sketch, reading = self._rules.engine().sketch(file, self._target.root)
        self._keep(file, Scanned(0, sketch, reading), _SKETCH)
        return sketch

    def _joined(self, found: dict[int, FileScan], asked: int, scanner: Scanner) -> dict[int, FileScan]:
        """The scans of those of the first `asked` files that draw something from others, with that in account."""
        files = self.files
        outlooks = {index: text for index, text in self._outlooks(found, scanner).items() if index < asked}
        joined: dict[int, FileScan] = {}
        for index, outlook in outlooks.items():
            known = self._known(files[index], outlook)
            if known is not None:
                joined[index] = known
        missing = [index for index in outlooks if index not in joined]

        def done(one: Scanned) -> None:
            index = missing[one.index]
            joined[index] = one.scan
            self._keep(files[index], one, outlooks[index])

        drawn = {position: outlooks[index] for position, index in enumerate(missing)}
        scanner.scan([files[index] for index in missing], done, drawn)
        return joined

    def _outlooks(self, found: dict[int, FileScan], scanner: Scanner) -> dict[int, str]:
        """What each file draws from others, as text, where it draws anything."""
        marks = [(scan.path, scan.mark) for _index, scan in sorted(found.items()) if scan.mark]
        name = f"outlooks of {self._target.root}"
        digest = _digest(marks)
        by_path = (self._noted(name) or {}).get(digest)
        if not isinstance(by_path, dict):
            by_path = self._placed(self._shaped(marks, found, scanner), found, scanner)
            if self._cache is not None and not scanner.stop.is_set():
                # under one name, as every change of a line makes others
                self._cache.keep_note(name, json.dumps({digest: by_path}))
        return {index: by_path[scan.path] for index, scan in sorted(found.items()) if scan.path in by_path}

    def _shaped(self, marks: list[tuple[str, str]], found: dict[int, FileScan], scanner: Scanner) -> dict[str, str]:
        """The outlooks without places, which change only if more than lines moved."""
        from auditor.scan.joining import Joining, Outlines

        shapes = {path: mark[:SHAPE] for path, mark in marks}
        scans = {scan.path: scan for scan in found.values()}

        def text_of(path: str) -> str | None:
            return scans[path].outline or self._outline(scans[path].mark)

        joining = Joining(self._cache, str(self._target.root), shapes, lambda: self._rules.engine().gate)
        by_path = joining.known()
        if by_path is None:
            by_path = joining.change(Outlines(shapes, text_of))
        if by_path is None:
            texts = self._outlines(found, scanner)
            by_path = joining.all(Outlines(texts, texts.get), keep=not scanner.stop.is_set())
        return by_path

    def _placed(self, shaped: Mapping[str, str], found: dict[int, FileScan], scanner: Scanner) -> dict[str, str]:
        """The outlooks with their places, for which only the outlines of the files that they lead to are asked."""
        from auditor.scan.links import Outlook
        from auditor.scan.outline import Places

        outlooks = {path: Outlook.load(text) for path, text in shaped.items()}
        asked = {path for path, outlook in outlooks.items() if outlook.ways or outlook.handed}
        asked.update(path for outlook in outlooks.values() for path in outlook.files())
        texts = self._outlines({index: scan for index, scan in found.items() if scan.path in asked}, scanner)
        places = {}
        for path, text in texts.items():
            with contextlib.suppress(ValueError):
                places[path] = Places.load(text)
        placed = {}
        for path, outlook in outlooks.items():
            if not (outlook.ways or outlook.handed):
                placed[path] = shaped[path]
                continue
            # as with any damage to the cache, what does not fit is done without
            with contextlib.suppress(KeyError, IndexError):
                placed[path] = outlook.placed(places[path], places).dump()
        return placed

    def _noted(self, name: str) -> dict[str, Any] | None:
        noted = None
        with contextlib.suppress(ValueError):
            noted = json.loads((self._cache.note(name) if self._cache is not None else None) or "null")
        return noted if isinstance(noted, dict) else None

    def _outlines(self, found: dict[int, FileScan], scanner: Scanner) -> dict[str, str]:
        """The outline of each file; one that the cache has lost is made again."""
        texts = {scan.path: scan.outline or self._outline(scan.mark) for scan in found.values()}
        lost = [index for index, scan in sorted(found.items()) if scan.mark and texts[scan.path] is None]

        def done(one: Scanned) -> None:
            texts[one.scan.path] = one.scan.outline
            self._keep(self.files[lost[one.index]], one)

        scanner.scan([self.files[index] for index in lost], done)
        return {path: text for path, text in texts.items() if text is not None}

    def _outline(self, mark: str) -> str | None:
        return self._cache.outline(mark) if self._cache is not None and mark else None

    def expectations(self) -> dict[str, Expectation]:
        """What each rule expects to be measured; the rules are loaded for it only if the cache does not know.

        Raises:
            RuleError: the rules cannot be loaded.
        """
        text = None if self._cache is None else self._cache.note("expectations")
        if text is not None:
            # whatever else stands there is as good as nothing
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                return {rule: _expectation(name, fields) for rule, (name, fields) in json.loads(text).items()}
        expected = {rule.id: rule.expects for rule in self._rules.engine().rules}
        if self._cache is not None:
            self._cache.keep_note("expectations", _written(expected))
        return expected

    def close(self) -> None:
        """Write down what is new."""
        if self._cache is not None:
            self._cache.close()

    def _known(self, file: Path, outlook: str = "") -> FileScan | None:
        path = self._path(file)
        known = self.scans.get((path, outlook))
        if known is None and self._cache is not None:
            known = self._cache.find(file, path, self._package(file), outlook)
            if known is not None:
                self.scans[path, outlook] = known
        return known

    def _keep(self, file: Path, one: Scanned, outlook: str = "") -> None:
        self.scans[one.scan.path, outlook] = one.scan
        # a file that killed its process or took too long may do better the next time
        if self._cache is not None and one.reading is not None:
            self._cache.keep(file, one.scan, dump(one.scan), self._package(file), one.reading, outlook)

    def _path(self, file: Path) -> str:
        return path_below(self._target.root, file)

    def _package(self, file: Path) -> str:
        return package_of(file, self._target.root, self._packages)


def _deciding(directories: Iterable[str]) -> Iterator[Path]:
    """The files of audit, and of a team's directories of rules, that decide what a scan finds."""
    package = Path(__file__).parent.parent
    yield from sorted(bundled("rules").glob("*.py"))
    yield from sorted(Path(__file__).parent.rglob("*.py"))
    yield from (package / name for name in ("catalog.py", "cst.py"))
    yield from sorted(file for name in ("model", "rule", "shapes") for file in package.joinpath(name).glob("*.py"))
    for directory in directories:
        yield from sorted(Path(directory).rglob("*.py"))


def _digest(marks: list[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(marks).encode()).hexdigest()


def _written(expected: dict[str, Expectation]) -> str:
    from dataclasses import asdict

    return json.dumps({rule: [type(one).__name__, asdict(one)] for rule, one in expected.items()})


def _expectation(name: str, fields: dict[str, object]) -> Expectation:
    listed = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    made: Expectation = getattr(model, name)(**listed)
    return made
