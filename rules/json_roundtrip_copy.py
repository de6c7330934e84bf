"""A value copied by turning it into text and back."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule

_JSON = ("json", "orjson", "ujson", "simplejson", "rapidjson")
_PICKLE = ("pickle", "cPickle", "_pickle", "cloudpickle", "dill")
_MODULES = (*_JSON, *_PICKLE)
_OWN_TEXTS = ("model_dump_json", "to_json", "to_json_string")
_RECODINGS = ("encode", "decode")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not node.args or ctx.runs_once(node):
        return None
    family = _family(node, "loads", ctx)
    if family is None:
        return None
    data = _encoded(node.args[0].value)
    made = _only_value(data, node, ctx) if isinstance(data, cst.Name) else data
    if isinstance(made, cst.Call) and (_family(made, "dumps", ctx) == family or _writes_itself(made, family)):
        return _match(node, ctx, made)
    return None


def _writes_itself(call: cst.Call, family: str) -> bool:
    """`model.model_dump_json()` of pydantic and `frame.to_json()` of pandas."""
    return family == "json" and isinstance(call.func, cst.Attribute) and call.func.attr.value in _OWN_TEXTS


def _match(loads: cst.Call, ctx: Context, dumps: cst.Call) -> Match:
    plants = tuple(Plant("called", call) for call in (dumps, loads))
    return Match(f"`{ctx.code(loads.func)}` reads back what was written just before, which copies the value", plants)


def _family(call: cst.Call, method: str, ctx: Context) -> str | None:
    """What kind of data the call reads or writes; of a codec that is not known, its source text."""
    name = ctx.qualified(call.func)
    if name is not None:
        module, _, last = name.rpartition(".")
        if last != method or module not in _MODULES:
            return None
        return "json" if module in _JSON else "pickle"
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == method:
        return f"`{ctx.code(call.func.value)}`"
    return None


def _encoded(value: cst.BaseExpression) -> cst.BaseExpression:
    """The value without `.encode()` and `.decode()` around it."""
    while (
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Attribute)
        and value.func.attr.value in _RECODINGS
        and isinstance(value.func.value, cst.Call | cst.Name)
    ):
        value = value.func.value
    return value


def _only_value(name: cst.Name, loads: cst.Call, ctx: Context) -> cst.Call | None:
    """The call whose result the local name holds, if it holds nothing else and nothing but `loads` uses it."""
    function = ctx.function(loads)
    if function is None or len(ctx.uses(name.value, function)) != 2:
        return None
    match ctx.stores(name.value, function):
        case [cst.Assign(targets=[_], value=cst.BaseExpression() as value)] if ctx.function(value) is function:
            made = _encoded(value)
            return made if isinstance(made, cst.Call) else None
    return None


RULE = Rule(
    id="json-roundtrip-copy",
    title="Value copied through text and back",
    kind=Kind.SERIALIZATION,
    page=Page(
        what=(
            "`json.loads(json.dumps(x))`, and the same with orjson, ujson, simplejson, rapidjson, pickle and their"
            " kin, whatever their names here, directly or through one local name that nothing else uses. Flagged with"
            " `default=` and `cls=` too, although these convert. Code that runs once, tests included, is not flagged."
        ),
        why=(
            "The whole value is written out as text and parsed again to obtain a copy: every number is formatted and"
            " read, every string escaped and unescaped, and the text is held in memory beside both values."
        ),
        harmless=(
            "When values are small or copies are rare. It can be faster than `copy.deepcopy`, which is written in"
            " Python, and is not the same: JSON turns tuples into lists and keys into strings, drops sharing, and"
            " refuses what it does not know. Where that conversion is the purpose, or a check that a value can be"
            " written at all, a copy is no replacement."
        ),
        measured=(
            "Executions of the round trip, and seconds spent in it. Confirmed when the seconds and their share of the"
            " run are considerable. Memory decides nothing: what a program keeps of these copies, it would of others."
        ),
        fix=(
            "Often no copy is needed, or a shallow one (`dict(x)`, `x | changes`) is enough. Else build what is wanted"
            " from the original, or use `copy.deepcopy` and measure whether it is any faster. To turn objects into"
            " plain data, convert them directly (`dataclasses.asdict`, pydantic's `model_dump`)."
        ),
        references=(
            "True: ansible-core 2.19.14, ansible/executor/powershell/module_manifest.py:581, each task's arguments",
            "Harmless: homeassistant 2024.3.3, components/bmw_connected_drive/diagnostics.py:44, asked for",
            "nanobot#4808, fastmcp#1196",
        ),
    ),
    triggers=(Calls((".loads", *(f"{module}.loads" for module in _MODULES))),),
    expects=Cost(),
    check=check,
    valid=(
        "import json\n\ndef read(text):\n    return json.loads(text)\n",
        "import json, pickle\n\ndef convert(data):\n    return pickle.loads(data), json.dumps(data)\n",
        # the text is wanted as well
        "import json\n\ndef f(x, send):\n    data = json.dumps(x)\n    send(data)\n    return json.loads(data)\n",
        # another text
        "import json\n\ndef f(x, path):\n    data = json.dumps(x)\n    data = path.read_text()\n"
        "    return json.loads(data)\n",
        # a conversion between formats
        "import json, pickle\n\ndef f(x):\n    return json.loads(pickle.loads(x))\n",
        "import copy\n\ndef f(x):\n    return copy.deepcopy(x)\n",
        # a test of the format
        "import json\n\ndef test_round_trip(x):\n    assert json.loads(json.dumps(x)) == x\n",
        # a test, in the older style of naming
        "import json, unittest\n\nclass Tests(unittest.TestCase):\n    def testCopies(self):\n"
        "        self.assertEqual(json.loads(json.dumps({'a': 1})), {'a': 1})\n",
    ),
    invalid=(
        "import json\n\ndef copy(x):\n    return json.loads(json.dumps(x))\n",
        "from json import loads, dumps as d\n\ndef copy(x):\n    return loads(d(x))\n",
        "import json\n\ndef copy(x):\n    data = json.dumps(x, default=str)\n    return json.loads(data)\n",
        "import orjson as json\n\ndef copy(x):\n    return json.loads(json.dumps(x).decode())\n",
        "import json\nimport orjson\n\ndef copy(x):\n    return json.loads(orjson.dumps(x))\n",
        "import pickle\n\nclass Store:\n    def get(self, x):\n        return pickle.loads(pickle.dumps(x, -1))\n",
        "class Store:\n    def __init__(self, codec):\n        self.codec = codec\n\n    def get(self, x):\n"
        "        return self.codec.loads(self.codec.dumps(x))\n",
        # an object that writes itself
        "import json\n\ndef fields(model):\n    return json.loads(model.model_dump_json())\n",
    ),
)
