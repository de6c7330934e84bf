"""A text that is parsed again although it has not changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor import cst
from auditor.model import Repetition
from auditor.rule import Calls, Context, Kind, Loop, Match, Page, Plant, Rule, Where

_TINY = 8
"""Constant texts of at most so many characters ("{}") are parsed in no time."""
_HANDLE = re.compile(r"(?:^|[._])(?:f|fp|fh|fd|file|stream|handle|reader|stdin)$")
_TEXTS = (
    *(f"{module}.loads" for module in ("json", "orjson", "ujson", "simplejson", "tomllib", "tomli", "toml")),
    *("yaml.safe_load", "yaml.load", "yaml.full_load", "yaml.safe_load_all", "ruamel.yaml.safe_load"),
    *("xml.etree.ElementTree.fromstring", "xml.etree.ElementTree.XML", "xml.dom.minidom.parseString"),
    *("lxml.etree.fromstring", "lxml.etree.XML", "lxml.html.fromstring", "bs4.BeautifulSoup"),
    *("ast.parse", "ast.literal_eval", "builtins.compile", "shlex.split", "email.message_from_string"),
    *("datetime.datetime.strptime", "time.strptime", "dateutil.parser.parse", "dateutil.parser.isoparse"),
    *("urllib.parse.urlparse", "urllib.parse.urlsplit", "urllib.parse.parse_qs", "ipaddress.ip_network"),
    *("ipaddress.ip_address", "packaging.version.Version", "packaging.version.parse"),
    *("packaging.requirements.Requirement", "packaging.specifiers.SpecifierSet"),
)
_FILES = (
    *("xml.etree.ElementTree.parse", "xml.dom.minidom.parse", "lxml.etree.parse"),
    *("configparser.ConfigParser.read", "configparser.RawConfigParser.read", "configparser.SafeConfigParser.read"),
    *("toml.load", "dotenv.dotenv_values", "pandas.read_csv", "pandas.read_json", "pandas.read_excel"),
    *(
        "pandas.read_parquet",
        "pandas.read_pickle",
        "polars.read_csv",
        "polars.read_parquet",
        "numpy.load",
        "joblib.load",
    ),
)
_PARSERS = (*_TEXTS, *_FILES)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.qualified(node.func) not in _PARSERS or not node.args:
        return None
    given = [argument.value for argument in node.args]
    if any(argument.star for argument in node.args) or _is_tiny(node, ctx) or _is_handle(given[0], ctx):
        return None
    loops = ctx.repeating(node)
    callee, source = ctx.code(node.func), _shortened(given[0], ctx)
    if loops and all(_is_steady(argument, loops[0], ctx) for argument in given):
        return Match(f"`{callee}` parses `{source}` at every turn of a loop that does not change it", _plants(node))
    if ctx.function(node) is None or ctx.runs_once(node) or not _is_settled(given, ctx) or ctx.kept_once(node):
        return None
    return Match(f"`{callee}` parses `{source}` anew at every call of the function", _plants(node))


def _plants(call: cst.Call) -> tuple[Plant, ...]:
    return (Plant("repeated", call),)


def _is_tiny(call: cst.Call, ctx: Context) -> bool:
    length = ctx.length_of(call.args[0].value)
    # of the name of a file the length says nothing
    return length is not None and length <= _TINY and ctx.qualified(call.func) not in _FILES


def _is_handle(source: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is an open file, which is read on and does not yield the same again."""
    return (ctx.type_of(source) or "").startswith("io.") or _HANDLE.search(ctx.code(source).strip()) is not None


def _shortened(source: cst.BaseExpression, ctx: Context) -> str:
    text = " ".join(ctx.code(source).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def _is_steady(argument: cst.BaseExpression, loop: Loop, ctx: Context) -> bool:
    return ctx.is_fixed(argument) or ctx.is_unchanged(argument, loop, immutable=True)


def _is_settled(given: Sequence[cst.BaseExpression], ctx: Context) -> bool:
    return all(ctx.is_settled(argument) or _is_entry(argument, ctx) for argument in given)


def _is_entry(argument: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is one of the entries of a map that is written out: `TEMPLATES[name]`, `TEMPLATES.get(name, "")`."""
    match argument:
        case cst.Subscript(value=table) | cst.Call(func=cst.Attribute(value=table, attr=cst.Name(value="get"))):
            return ctx.is_settled(table) and ctx.type_of(table) == "dict" and (ctx.length_of(table) or 0) > 0
    return False


RULE = Rule(
    id="repeated-parse",
    title="Unchanged text parsed again",
    kind=Kind.SERIALIZATION,
    page=Page(
        what=(
            "A parser of JSON, YAML, TOML, XML, INI, tables, Python, dates, addresses or versions, called in a loop on"
            " something that the loop does not change, or in a function on a text or path that stays the same: a"
            " literal, a name bound outside every function, an entry of a map that is written out there, an attribute"
            " that only the constructor sets. Code that runs once, that is"
            " behind a cache, or that fills an attribute only while it is empty, is not flagged; nor is a parser"
            " that reads a file already open, which is the rule file-reread-per-call."
        ),
        why=(
            "Parsing takes time in proportion to the text, with pure Python parsers (YAML, `strptime`) a hundred times"
            " that of reading it, and gives the same result each time."
        ),
        harmless=(
            "When the text is short and the function is called rarely, or when each caller wants a copy of its own to"
            " change. `urllib.parse` keeps its last results, so a repeated `urlparse` costs about a microsecond."
        ),
        measured=(
            "Executions whose input was seen before, and the seconds spent in these. Confirmed when the seconds are"
            " considerable, rejected when inputs differ or parsing takes no time."
        ),
        fix=(
            "Parse before the loop, once at import, or in a `functools.cache`d function. Where callers change what they"
            " get, hand out copies."
        ),
        references=(
            "prefect 3.9.1, prefect/client/schemas/objects.py:1771: the same JSON at every look at a property",
            "jupyter_server 2.21.1, jupyter_server/serverapp.py:2399: harmless, one URL when the server says where"
            " it is",
        ),
    ),
    triggers=(Calls(_PARSERS, Where(function=True)), Calls(_PARSERS, Where(loop=True))),
    expects=Repetition(),
    check=check,
    valid=(
        "import json\n\ndef read(lines):\n    return [json.loads(line) for line in lines]\n",
        'import json\n\nSCHEMA = json.loads(\'{"type": "object"}\')\n\ndef schema():\n    return SCHEMA\n',
        'import json\nfrom functools import cache\n\nTEXT = \'{"type": "object"}\'\n\n@cache\ndef schema():\n'
        "    schema = json.loads(TEXT)\n    return schema\n",
        # the file is at another place at each turn
        "import yaml\n\ndef documents(file):\n    while True:\n        yield yaml.safe_load(file)\n",
        "from datetime import datetime\n\ndef dates(rows, form):\n"
        "    return [datetime.strptime(row.date, form) for row in rows]\n",
        # parsed once, on the way out
        "import json\n\ndef first(rows, text):\n    for row in rows:\n        if row.wanted:\n"
        "            return json.loads(text)\n",
        "from urllib.parse import urlparse\n\nclass Client:\n    def __init__(self, url):\n"
        "        self.url = url\n        self.parts = urlparse(self.url)\n",
        "import json\n\ndef empty():\n    return json.loads('{}')\n",
        # the loop replaces the text
        "import json\n\ndef follow(text, post):\n    while text:\n        text = post(json.loads(text))\n",
        # filled elsewhere
        "import json\n\nLINES = {}\n\ndef parsed(name):\n    return json.loads(LINES[name])\n",
    ),
    invalid=(
        "import json\n\ndef join(rows, text):\n    for row in rows:\n        row.update(json.loads(text))\n",
        "import yaml\n\nTEXT = '''\na: 1\nb: 2\n'''\n\ndef defaults():\n    return yaml.safe_load(TEXT)\n",
        "from datetime import datetime as dt\n\ndef recent(rows, since):\n"
        "    return [row for row in rows if row.date > dt.strptime(since, '%Y-%m-%d')]\n",
        "from urllib.parse import urlparse\n\nclass Client:\n    def __init__(self, url):\n        self.url = url\n\n"
        "    def host(self):\n        return urlparse(self.url).hostname\n",
        "import xml.etree.ElementTree as ET\n\nPATH = 'table.xml'\n\ndef table():\n"
        "    return ET.parse(PATH).getroot()\n",
        "from ipaddress import ip_network\n\ndef is_local(address):\n    return address in ip_network('10.0.0.0/8')\n",
        # a function that runs for every item
        "import json\n\ndef merge(rows, text):\n    return list(map(lambda row: {**json.loads(text), **row}, rows))\n",
        # one of a few texts
        "import json\n\n"
        "TEMPLATES = {'new': '{\"a\": [1, 2], \"b\": {}}', 'old': '{\"a\": [], \"b\": null}'}\n\n"
        "def filled(name):\n    return json.loads(TEMPLATES[name])\n",
        "from configparser import ConfigParser\n\ndef setting(name):\n    (found := ConfigParser()).read('a.ini')\n"
        "    return found['main'][name]\n",
        "import pandas as pd\n\nTABLE = 'prices.csv'\n\ndef price(name):\n"
        "    return pd.read_csv(TABLE).set_index('name').at[name, 'price']\n",
    ),
)
