"""Joining the files of one target, with what the cache knows of the last time they were joined."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.scan.joint import Joint
from auditor.scan.network import Network
from auditor.scan.outline import Outline
from auditor.scan.resolve import Resolver

if TYPE_CHECKING:
    from auditor.scan.cache import Cache
    from auditor.scan.gate import Gate

LARGE = 200
"""So many files are worth keeping what is known of each; fewer are joined in no time."""

MAX_CHANGED = 1000
"""With more files to be resolved anew, all are."""


class Outlines(Mapping[str, Outline]):
    """The outlines without places, each read when it is asked for. One that is damaged or lost is a KeyError."""

    def __init__(self, paths: Mapping[str, str], text_of: Callable[[str], str | None]) -> None:
        self._paths = paths
        self._text_of = text_of
        self._read: dict[str, Outline] = {}

    def __getitem__(self, path: str) -> Outline:
        if path not in self._read:
            text = self._text_of(path)
            if text is None:
                raise KeyError(path)
            try:
                self._read[path] = Outline.shape(text)
            except ValueError as error:
                raise KeyError(path) from error
        return self._read[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


class Joining:
    """Joins the files below `root`; `shapes` are by path what stands for their outlines without places.

    What the cache holds may be damaged in any way: it is done without then.
    """

    def __init__(self, cache: Cache | None, root: str, shapes: Mapping[str, str], gate: Callable[[], Gate]) -> None:
        self._cache = cache
        self._root = root
        self._shapes = shapes
        self._gate = gate

    def known(self) -> dict[str, str] | None:
        """The outlooks as text, by path, if nothing changed since they were kept."""
        if self._before.get("shapes") != self._shapes:
            return None
        outlooks = self._before.get("outlooks")
        return outlooks if isinstance(outlooks, dict) else None

    def change(self, outlines: Outlines) -> dict[str, str] | None:
        """The same where some files changed; None if too many did, or too little is known."""
        if len(self._shapes) < LARGE:
            return None
        try:
            return self._changed(self._before, outlines)
        except (LookupError, ValueError, TypeError, AttributeError):
            return None

    def all(self, outlines: Outlines, keep: bool) -> dict[str, str]:
        """The same from all outlines; if `keep` says so, for the next time."""
        gate = self._gate()
        sound = {path: outline for path in sorted(outlines) if (outline := outlines.get(path)) is not None}
        packages = {path: outline.package for path, outline in sound.items()}
        resolver = Resolver(sound, packages, gate.words)
        wanted = gate.wanted
        joints = {path: resolver.joint(path, wanted) for path in sound}
        network = Network(wanted, self._joint)
        outlooks = {path: one.dump() for path, one in network.fill(joints).items()}
        if keep:
            text = json.dumps(packages)
            if self._cache is not None and len(self._shapes) >= LARGE:
                self._cache.keep_note(f"packages of {self._root}", text)
            self._keep(joints, _digest(text), network, outlooks)
        return outlooks

    def _changed(self, noted: Mapping[str, Any], outlines: Outlines) -> dict[str, str] | None:
        shapes, outlooks = noted["shapes"], noted["outlooks"]
        changed = [path for path, shape in self._shapes.items() if shapes.get(path) != shape]
        # of other files, or in other packages, any name may mean something else
        if shapes.keys() != self._shapes.keys() or len(changed) > MAX_CHANGED:
            return None
        text = self._note(f"packages of {self._root}")
        packages = json.loads(text)
        if _digest(text) != noted["packages"]:
            return None
        if any(outlines[path].package != packages[path] for path in changed):
            return None
        gate = self._gate()
        network = Network(gate.wanted, self._joint)
        network.restore(self._note(f"network of {self._root}"))
        touched = {*changed, *network.asking(changed)}
        if len(touched) > MAX_CHANGED:
            return None
        resolver = Resolver(outlines, packages, gate.words)
        joints = {path: resolver.joint(path, gate.wanted) for path in sorted(touched)}
        for path, outlook in network.change(joints).items():
            outlooks.pop(path, None)
            if outlook:
                outlooks[path] = outlook.dump()
        self._keep(joints, noted["packages"], network, outlooks)
        return dict(outlooks)

    # what is kept

    def _name(self) -> str:
        if len(self._shapes) >= LARGE:
            return f"shapes of {self._root}"
        # little enough to keep every state that was seen
        return f"shapes {_digest(json.dumps(sorted(self._shapes.items())))}"

    @functools.cached_property
    def _before(self) -> dict[str, Any]:
        """What was kept when the files were joined before, empty if nothing was."""
        try:
            noted = json.loads(self._note(self._name()))
        except (LookupError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def _note(self, name: str) -> str:
        text = None if self._cache is None else self._cache.note(name)
        if text is None:
            raise LookupError(name)
        return text

    def _joint(self, path: str) -> Joint:
        return Joint.load(self._note(f"joint of {self._root} {path}"))

    def _keep(self, joints: Mapping[str, Joint], packages: str, network: Network, outlooks: Mapping[str, str]) -> None:
        if self._cache is None:
            return
        if len(self._shapes) >= LARGE:
            self._cache.keep_note(f"network of {self._root}", network.dump())
            for path, joint in joints.items():
                self._cache.keep_note(f"joint of {self._root} {path}", joint.dump())
        noted = {"shapes": self._shapes, "packages": packages, "outlooks": outlooks}
        self._cache.keep_note(self._name(), json.dumps(noted, separators=(",", ":")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
