"""Files joined anew where some changed: to the letter what joining all of them gives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from auditor.catalog import bundled_rules
from auditor.scan import Engine, joining
from auditor.scan.joining import Joining, Outlines
from auditor.scan.outline import SHAPE

NAMES = ("alpha", "beta", "gamma", "delta", "pkg/__init__", "pkg/one", "pkg/two")
FUNCTIONS = ("fetch", "pull", "make", "helper", "run")
CLASSES = ("Client", "Worker")
ENDS = (
    "time.sleep(1)",
    "requests.get(url)",
    "cursor.execute(url)",
    "session.query(url).all()",
    "return httpx.Client()",
    "return requests.Session()",
)


@pytest.fixture(autouse=True)
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "LARGE", 0)


class Notes:
    """A cache that holds notes alone."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def note(self, name: str) -> str | None:
        return self.kept.get(name)

    def keep_note(self, name: str, note: str) -> None:
        self.kept[name] = note


class Code:
    """A small project, and what joining it gives: from the last time on, and from nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes = Notes()
        self.engine = Engine(bundled_rules())
        self.outlines: dict[str, str] = {}
        self.shapes: dict[str, str] = {}

    def write(self, name: str, text: str) -> None:
        file = self.root / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        scan, _reading = self.engine.sketch(file, self.root)
        assert scan.mark, text
        self.outlines[scan.path], self.shapes[scan.path] = scan.outline, scan.mark[:SHAPE]

    def joining(self) -> Joining:
        return Joining(self.notes, "here", self.shapes, lambda: self.engine.gate)  # type: ignore[arg-type]

    def read(self) -> Outlines:
        return Outlines(self.outlines, self.outlines.get)

    def changed(self) -> dict[str, str] | None:
        """What follows from the last time."""
        known = self.joining().known()
        return self.joining().change(self.read()) if known is None else known

    def anew(self, keep: bool = False) -> dict[str, str]:
        return self.joining().all(self.read(), keep)


class Writer:
    """Writes a module that imports, defines and calls at random; what it calls it mostly knows."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.dotted = [name.removesuffix("/__init__").replace("/", ".") for name in NAMES]
        self.known: list[str] = []

    def module(self) -> str:
        chance = self.chance
        lines = ["import time, requests, httpx", *(self.an_import() for _ in range(chance.randrange(1, 4)))]
        for _ in range(chance.randrange(1, 4)):
            lines += self.function("")
        for _ in range(chance.randrange(2)):
            base = chance.choice(
                ("", "(Client)", "(Worker)", "(httpx.Client)", f"({chance.choice(self.dotted)}.Client)")
            )
            lines += [f"class {chance.choice(CLASSES)}{base}:", "    kind = 1"]
            if chance.random() < 0.5:
                lines += ["    def __init__(self):", f"        self.one = {self.called()}()", "        self.many = {}"]
            for _ in range(chance.randrange(3)):
                lines += self.function("    ")
        if chance.random() < 0.3:
            lines += ["if __name__ == '__main__':", f"    {self.called()}()"]
        return "\n".join(lines) + "\n"

    def an_import(self) -> str:
        chance, source = self.chance, self.chance.choice(self.dotted)
        kind, named = chance.randrange(5), chance.choice(FUNCTIONS + CLASSES)
        if kind == 0:
            self.known.append(f"{source}.{named}")
            return f"import {source}"
        if kind == 1:
            self.known += (*FUNCTIONS, *CLASSES)
            return f"from {source} import *"
        name = chance.choice((named, named, chance.choice(FUNCTIONS)))
        self.known.append(name)
        return f"from {source} import {named} as {name}"

    def called(self) -> str:
        return self.chance.choice(self.known or FUNCTIONS) if self.chance.random() < 0.8 else "run"

    def function(self, indent: str) -> list[str]:
        chance, name = self.chance, self.chance.choice(FUNCTIONS)
        lines = [f"{indent}{chance.choice(('', '', 'async '))}def {name}({'self, ' if indent else ''}url=None):"]
        for _ in range(chance.randrange(1, 4)):
            called = self.called()
            statements = (
                chance.choice(ENDS),
                f"{called}()",
                f"{called}()",
                f"return {called}()",
                f"self.{chance.choice(FUNCTIONS)}()",
                f"self.one.{chance.choice(FUNCTIONS)}()",
                f"x = {called}(); x.{chance.choice(FUNCTIONS)}()",
                f"for _ in url: {called}(_)",
                chance.choice(("self.many.pop(url)", "self.many[url] = 1", "url.many.pop(1)")),
            )
            lines.append(f"{indent}    {chance.choice(statements)}")
        if not indent:
            self.known.append(name)
        return lines


@pytest.mark.parametrize("seed", range(60))
def test_random_edits_give_what_joining_all_gives(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    code = Code(tmp_path)
    for name in NAMES:
        code.write(name, Writer(chance).module())
    code.anew(keep=True)
    for _ in range(12):
        for name in chance.sample(NAMES, chance.choice((1, 1, 1, 2))):
            code.write(name, Writer(chance).module())
        assert code.changed() == code.anew()


def test_a_change_is_followed_through_files_that_stay_as_they_are(tmp_path: Path) -> None:
    code = Code(tmp_path)
    code.write("alpha", "from beta import pull\n\nasync def run():\n    pull()\n")
    code.write("beta", "from gamma import fetch\n\ndef pull():\n    fetch()\n")
    code.write("gamma", "import time\n\ndef fetch():\n    pass\n")
    assert code.anew(keep=True) == {}

    code.write("gamma", "import time\n\ndef fetch():\n    time.sleep(1)\n")
    changed = code.changed()
    assert changed is not None
    assert "time.sleep" in changed["alpha.py"]

    code.write("beta", "def pull():\n    pass\n")
    assert code.changed() == {}


def test_only_what_a_change_touches_is_read(tmp_path: Path) -> None:
    code = Code(tmp_path)
    code.write("alpha", "from beta import pull\n\nasync def run():\n    pull()\n")
    code.write("beta", "import time\n\ndef pull():\n    pass\n")
    code.write("gamma", "from delta import other\n\ndef run():\n    other()\n")
    code.write("delta", "def other():\n    pass\n")
    code.anew(keep=True)
    code.write("beta", "import time\n\ndef pull():\n    time.sleep(1)\n")
    read: list[str] = []

    def text_of(path: str) -> str | None:
        read.append(path)
        return code.outlines.get(path)

    changed = code.joining().change(Outlines(code.outlines, text_of))
    assert changed == code.anew()
    assert sorted(read) == ["alpha.py", "beta.py"]


@pytest.mark.parametrize(
    "damage", ["", "[]", "{}", '{"shapes":{}}', "null", "[[],[],{},{}]", "{", '[["alpha.py"],[[7]],{},{}]']
)
@pytest.mark.parametrize("note", ["shapes", "network", "joint"])
def test_damage_to_what_is_known_is_noticed(note: str, damage: str, tmp_path: Path) -> None:
    code = Code(tmp_path)
    code.write("alpha", "from beta import pull\n\nasync def run():\n    pull()\n")
    code.write("beta", "import time\n\ndef pull():\n    pass\n")
    code.anew(keep=True)
    for name in code.notes.kept:
        if name.startswith(note):
            code.notes.kept[name] = damage
    code.write("beta", "import time\n\ndef pull():\n    time.sleep(1)\n")
    assert code.changed() is None
