"""A costly object of fixed make that is made anew at every call."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety, Where

_VALIDATORS = ("Draft3", "Draft4", "Draft6", "Draft7", "Draft201909", "Draft202012")
_TEMPLATES = (
    *("jinja2.Environment", "jinja2.Template", "jinja2.environment.Environment", "jinja2.sandbox.SandboxedEnvironment"),
    *("jinja2.nativetypes.NativeEnvironment", "mako.template.Template", "mako.lookup.TemplateLookup"),
    *("django.template.Template", "string.Template", "chevron.renderer.Renderer"),
)
_PARSERS = (
    *("lxml.etree.XMLParser", "lxml.etree.HTMLParser", "lxml.etree.XPath", "lxml.etree.XSLT", "lxml.etree.XMLSchema"),
    *("lxml.etree.RelaxNG", "lxml.cssselect.CSSSelector", "ruamel.yaml.YAML", "lark.Lark", "pyparsing.infixNotation"),
    *("markdown.Markdown", "markdown_it.MarkdownIt", "mistune.Markdown", "mistune.create_markdown", "re.Scanner"),
    *("parso.load_grammar", "tree_sitter.Parser", "sqlglot.Dialect", "docutils.parsers.rst.Parser"),
    *("argparse.ArgumentParser", "optparse.OptionParser"),
)
_SCHEMAS = (
    *(f"jsonschema.{name}Validator" for name in _VALIDATORS),
    *(f"jsonschema.validators.{name}Validator" for name in _VALIDATORS),
    *("pydantic.TypeAdapter", "pydantic.create_model", "marshmallow.Schema", "fastjsonschema.compile"),
    *("voluptuous.Schema", "cerberus.Validator", "jsonschema.validators.validator_for", "schema.Schema"),
    *("msgspec.json.Decoder", "msgspec.json.Encoder", "msgspec.msgpack.Decoder", "msgspec.msgpack.Encoder"),
)
_CODECS = (
    *("json.JSONEncoder", "json.JSONDecoder", "json.encoder.JSONEncoder", "json.decoder.JSONDecoder", "struct.Struct"),
    *("decimal.Context", "babel.Locale.parse", "pickle.Pickler", "tiktoken.get_encoding"),
)
_SERVICES = (
    *(
        "ssl.create_default_context",
        "ssl.SSLContext",
        "boto3.Session",
        "boto3.session.Session",
        "botocore.session.Session",
    ),
    *("geoip2.database.Reader", "passlib.context.CryptContext", "tldextract.TLDExtract", "faker.Faker"),
)
_MODELS = (
    *("spacy.load", "transformers.pipeline", "transformers.AutoTokenizer.from_pretrained", "joblib.load"),
    *("transformers.AutoModel.from_pretrained", "transformers.AutoModelForCausalLM.from_pretrained"),
    *("sentence_transformers.SentenceTransformer", "torch.hub.load", "whisper.load_model"),
    *("onnxruntime.InferenceSession", "nltk.stem.WordNetLemmatizer", "tensorflow.keras.models.load_model"),
)
_CHECKS_SCHEMA = ("jsonschema.validate", "jsonschema.validators.validate")
_MAKERS = (*_TEMPLATES, *_PARSERS, *_SCHEMAS, *_CODECS, *_SERVICES, *_MODELS)
_COMMAND_LINE = re.compile(r"arg|pars|option|command|cli|main|usage|help|configure|^run$|^execute$|^handle$")
_ARGUMENT_PARSERS = ("argparse.ArgumentParser", "optparse.OptionParser")
_FORMS = ("voluptuous.Schema", "schema.Schema")
"""Handed on they describe a form or are part of another schema."""
_STATEFUL = ("pickle.Pickler", "faker.Faker", "cerberus.Validator")
"""Made anew on purpose where they are handed on: each has a state of its own."""

_LAZY = (
    *("jinja2.Environment", "jinja2.environment.Environment", "jinja2.sandbox.SandboxedEnvironment"),
    *("jinja2.nativetypes.NativeEnvironment", "mako.lookup.TemplateLookup"),
    *("boto3.Session", "boto3.session.Session", "botocore.session.Session"),
)
"""They cost little to make: what is dear is made as they are asked for it, and kept."""
_KEEPS = (
    *("get_template", "select_template", "get_or_select_template", "compile_expression"),
    *("client", "resource", "create_client"),
)
_SETS_UP = re.compile(r"^(?:add|set|load|register|install|enable|disable|include|from_string$|compile$)")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.runs_once(node):
        return None
    name = ctx.qualified(node.func)
    if name in _CHECKS_SCHEMA:
        return _check_validate(node, ctx)
    if name not in _MAKERS and not ctx.derives_from(node.func, _MAKERS):
        return None
    if not _is_same_each_time(node, ctx) or _is_for_command_line(node, name, ctx) or name in _STATEFUL:
        return None
    if ctx.kept_once(node) or _is_handed_back(node, ctx) or (name in _FORMS and not _is_used_at_once(node, ctx)):
        return None
    callee = " ".join(ctx.code(node.func).split())
    return Match(f"`{callee}` makes the same object anew each time", _plants(node, ctx), node)


def _check_validate(call: cst.Call, ctx: Context) -> Match | None:
    """`jsonschema.validate` checks the schema itself and makes a validator each time."""
    schemas = [a.value for a in call.args if a.keyword is not None and a.keyword.value == "schema"]
    schemas += [a.value for a in call.args[1:2] if a.keyword is None]
    if not schemas or not ctx.is_fixed(schemas[0]) or isinstance(schemas[0], cst.Dict):
        return None
    message = f"`{ctx.code(call.func)}` checks the same schema and makes a validator of it each time"
    return Match(message, (Plant("timed", call),))


def _plants(node: cst.Call, ctx: Context) -> tuple[Plant, ...]:
    """The constructor, and the calls by which the new object is set up, or makes anew what an older one would have."""
    is_lazy = ctx.derives_from(node.func, _LAZY)
    parent = ctx.parent(node)
    if isinstance(parent, cst.Attribute):
        call = _call_of(parent, ctx)
        return (Plant("timed", call if call is not None and _makes_anew(call, is_lazy, ctx) else node),)
    named = _name_given(node, ctx)
    uses = [] if named is None else [use for use in ctx.uses(named.value, ctx.function(node)) if use is not named]
    around = [(use, ctx.parent(use)) for use in uses]
    calls = [_call_of(each, ctx) for use, each in around if isinstance(each, cst.Attribute) and each.value is use]
    made = [call for call in calls if call is not None and _makes_anew(call, is_lazy, ctx)]
    plants = tuple(Plant("timed", call) for call in (node, *made))
    is_handed_on = named is None or any(not isinstance(each, cst.Attribute) for _, each in around)
    return (*plants, Plant("handed-on", node)) if is_lazy and is_handed_on else plants


def _name_given(node: cst.Call, ctx: Context) -> cst.Name | None:
    """The only name of the new object, if it has one in the function."""
    match ctx.parent(node):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            return name
        case cst.AnnAssign(target=cst.Name() as name):
            return name
        case cst.WithItem(asname=cst.AsName(name=cst.Name() as name)):
            return name
    return None


def _call_of(method: cst.Attribute, ctx: Context) -> cst.Call | None:
    call = ctx.parent(method)
    return call if isinstance(call, cst.Call) and call.func is method else None


def _makes_anew(call: cst.Call, is_lazy: bool, ctx: Context) -> bool:
    """Whether an object made once would not do it again: what is always set up alike, or kept for the next time."""
    assert isinstance(call.func, cst.Attribute)
    name = call.func.attr.value
    if is_lazy and name in _KEEPS:
        return True
    return _SETS_UP.match(name) is not None and bool(call.args) and _is_same_each_time(call, ctx)


def _is_same_each_time(call: cst.Call, ctx: Context) -> bool:
    """Whether the arguments are the same at every call. A name that the class binds once is a setting."""
    return all(not argument.star and _is_same(argument.value, ctx) for argument in call.args)


def _is_same(value: cst.BaseExpression, ctx: Context) -> bool:
    if ctx.is_fixed(value):
        return True
    if isinstance(value, cst.Subscript):
        # `list[int]`
        indices = [element.slice for element in value.slice]
        return _is_same(value.value, ctx) and all(isinstance(i, cst.Index) and _is_same(i.value, ctx) for i in indices)
    if isinstance(value, cst.Call):
        # loaders, policies and the like, made of fixed parts themselves
        callee = ctx.qualified(value.func)
        made = callee is not None and callee.rsplit(".", 1)[-1][:1].isupper()
        return made and _is_same_each_time(value, ctx)
    return False


def _is_for_command_line(call: cst.Call, name: str | None, ctx: Context) -> bool:
    if name not in _ARGUMENT_PARSERS and not ctx.derives_from(call.func, _ARGUMENT_PARSERS):
        return False
    if ctx.loops(call):
        return False
    functions = [parent for parent in ctx.ancestors(call) if isinstance(parent, cst.FunctionDef)]
    return any(_COMMAND_LINE.search(function.name.value.lower()) for function in functions)


def _is_used_at_once(node: cst.Call, ctx: Context) -> bool:
    around = ctx.parent(node)
    return isinstance(around, cst.Attribute) or (isinstance(around, cst.Call) and around.func is node)


def _is_handed_back(node: cst.Call, ctx: Context) -> bool:
    """Whether the object itself is returned; `return Template(TEXT).render()` returns something else."""
    return ctx.returned(node) and not isinstance(ctx.parent(node), cst.Attribute)


_CHANGING = re.compile(r"^(?:add|set|load|register|update|feed|install|use|enable|disable|parse|include|overlay)")


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    name = ctx.qualified(node.func)
    if name in _CHECKS_SCHEMA or ctx.derives_from(node.func, _ARGUMENT_PARSERS) or _is_changed(node, ctx):
        return None
    word = (name or ctx.code(node.func)).rsplit(".", 1)[-1]
    hint = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", word.removeprefix("create_")).upper()
    code = edits.code(node.with_changes(lpar=(), rpar=())).strip()
    edits.replace(node, edits.constant(f"_{hint}", code))
    return Safety.UNSAFE


def _is_changed(node: cst.Call, ctx: Context) -> bool:
    """Whether the function sets up the object further after it was made."""
    match ctx.parent(node):
        case cst.Attribute(attr=cst.Name(value=method)):
            return _CHANGING.match(method) is not None
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as target)]):
            uses = [use for use in ctx.uses(target.value, ctx.function(node)) if use is not target]
        case cst.Arg() | cst.Return():
            return False
        case _:
            return True
    return any(_changes(use, ctx) for use in uses)


def _changes(use: cst.Name, ctx: Context) -> bool:
    attribute = ctx.parent(use)
    if not isinstance(attribute, cst.Attribute):
        return not isinstance(attribute, cst.Arg)
    around = ctx.parent(attribute)
    return not isinstance(around, cst.Call) or _CHANGING.match(attribute.attr.value) is not None


RULE = Rule(
    id="costly-constructor-per-call",
    title="Costly object made anew at every call",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "A template environment, parser, schema validator, SSL context, session, encoder, compiled format or loaded"
            " model (`jinja2.Environment()`, `Draft7Validator(SCHEMA)`, `TypeAdapter(list[int])`,"
            " `ssl.create_default_context()`, `json.JSONEncoder(...)`, `spacy.load('en')`...) made in a function that"
            " may run many times, from arguments that do not depend on the call; and `jsonschema.validate` with a"
            " schema of the module. Exempt are code that runs once, what is kept or returned, and command lines."
        ),
        why=(
            "These objects are dear to make and cheap to use: they compile templates, check schemas, read certificate"
            " stores, service descriptions or models, for microseconds to seconds. Made at every call the work is done"
            " again to the same end, and their own caches (compiled templates, sessions) start empty."
        ),
        harmless=(
            "When the function is called rarely, or when what the object does afterwards dwarfs its making. Objects"
            " with a state (a parser that was fed, a session with cookies) must not be shared between threads."
        ),
        measured=(
            "Executions of the constructor, and the seconds spent in it and in what the new object makes anew in the"
            " same function: templates it compiles, clients it describes, arguments and certificates it is set up with."
            " Confirmed when both the seconds and their share of the run are considerable; in doubt where an"
            " environment or session that makes such things as it is used is handed on, so that it cannot be seen."
        ),
        fix="Make it once at module level, or in a function with `functools.cache`, and use it from there.",
        references=(
            "matrix-synapse 1.163.2, synapse/events/validator.py:110: checks one schema for every such event",
            "homeassistant 2024.3.3, components/octoprint/__init__.py:51: harmless, once for every printer at start-up",
        ),
    ),
    triggers=(
        Calls((*_MAKERS, *_CHECKS_SCHEMA), Where(function=True)),
        Calls((*_MAKERS, *_CHECKS_SCHEMA), Where(loop=True)),
    ),
    expects=Cost(),
    check=check,
    valid=(
        "import jinja2\n\nENVIRONMENT = jinja2.Environment()\n\ndef page(name):\n"
        "    return ENVIRONMENT.get_template(name).render()\n",
        "import jinja2\n\ndef render(text, **values):\n    return jinja2.Template(text).render(**values)\n",
        "import ssl\n\nclass Client:\n    def __init__(self):\n        self.context = ssl.create_default_context()\n",
        "import argparse\n\ndef parse_args(argv):\n    parser = argparse.ArgumentParser()\n"
        "    return parser.parse_args(argv)\n",
        "import functools\nimport ssl\n\n@functools.cache\ndef context():\n    return ssl.create_default_context()\n",
        "import jsonschema\n\ndef check(value, schema):\n    jsonschema.validate(value, schema)\n",
        "import voluptuous as vol\n\ndef form(step):\n    return step.show(schema=vol.Schema({'name': str}))\n",
        "import spacy\n\n_model = None\n\ndef model():\n    global _model\n    if _model is None:\n"
        "        _model = spacy.load('en')\n    return _model\n",
        "import struct\n\ndef unpack(size, data):\n    return struct.Struct(f'<{size}s').unpack(data)\n",
    ),
    invalid=(
        "import jinja2\n\ndef page(name, values):\n    environment = jinja2.Environment(autoescape=True)\n"
        "    return environment.get_template(name).render(values)\n",
        "from jinja2 import Environment, FileSystemLoader\n\ndef page(name, values):\n"
        "    environment = Environment(loader=FileSystemLoader('templates'))\n"
        "    return environment.get_template(name).render(values)\n",
        "from jsonschema import Draft7Validator\n\nSCHEMA = {'type': 'object'}\n\ndef check(value):\n"
        "    Draft7Validator(SCHEMA).validate(value)\n",
        "import jsonschema\n\nSCHEMA = {'type': 'object'}\n\ndef check(value):\n"
        "    jsonschema.validate(value, SCHEMA)\n",
        "import ssl\nimport urllib.request\n\ndef fetch(url):\n    context = ssl.create_default_context()\n"
        "    return urllib.request.urlopen(url, context=context).read()\n",
        "from pydantic import TypeAdapter\n\ndef parse(data):\n    return TypeAdapter(list[int]).validate_json(data)\n",
        "from marshmallow import Schema\n\nclass User(Schema):\n    pass\n\ndef dump(user):\n"
        "    return User(many=False).dump(user)\n",
        "import json\n\ndef main(rows):\n    for row in rows:\n"
        "        print(json.JSONEncoder(sort_keys=True).encode(row))\n",
        "import struct\n\ndef header(data):\n    return struct.Struct('<IHH').unpack_from(data)\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The object is made as the module is imported, where its making may fail or read files before anyone"
            " asked for it; all calls, and all threads, share it with whatever state it has. There is no fix where"
            " the function changes the object after it is made, where attributes go into it, nor for command lines"
            " and `jsonschema.validate`."
        ),
        fixed=(
            "import jinja2\n\n_ENVIRONMENT = jinja2.Environment(autoescape=True)\n\ndef page(name, values):\n"
            "    environment = _ENVIRONMENT\n    return environment.get_template(name).render(values)\n",
            "from jinja2 import Environment, FileSystemLoader\n\n"
            "_ENVIRONMENT = Environment(loader=FileSystemLoader('templates'))\n\ndef page(name, values):\n"
            "    environment = _ENVIRONMENT\n    return environment.get_template(name).render(values)\n",
            "from jsonschema import Draft7Validator\n\nSCHEMA = {'type': 'object'}\n"
            "_DRAFT7_VALIDATOR = Draft7Validator(SCHEMA)\n\ndef check(value):\n"
            "    _DRAFT7_VALIDATOR.validate(value)\n",
            None,
            "import ssl\nimport urllib.request\n\n_DEFAULT_CONTEXT = ssl.create_default_context()\n\n"
            "def fetch(url):\n    context = _DEFAULT_CONTEXT\n"
            "    return urllib.request.urlopen(url, context=context).read()\n",
            "from pydantic import TypeAdapter\n\n_TYPE_ADAPTER = TypeAdapter(list[int])\n\ndef parse(data):\n"
            "    return _TYPE_ADAPTER.validate_json(data)\n",
            "from marshmallow import Schema\n\nclass User(Schema):\n    pass\n\n_USER = User(many=False)\n\n\n"
            "def dump(user):\n    return _USER.dump(user)\n",
            "import json\n\n_JSON_ENCODER = json.JSONEncoder(sort_keys=True)\n\ndef main(rows):\n"
            "    for row in rows:\n        print(_JSON_ENCODER.encode(row))\n",
            "import struct\n\n_STRUCT = struct.Struct('<IHH')\n\ndef header(data):\n"
            "    return _STRUCT.unpack_from(data)\n",
        ),
    ),
)
