"""A costly argument of a log message that may not be logged."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety, Where

_QUIET = ("debug", "info")
_WORKING = (cst.Call, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_COSTLY = frozenset(
    (
        *(f"{module}.{name}" for module in ("json", "yaml", "pickle", "simplejson") for name in ("dumps", "dump")),
        *("pprint.pformat", "pprint.saferepr", "copy.deepcopy", "dataclasses.asdict", "dataclasses.astuple"),
        *("builtins.repr", "builtins.str", "builtins.sorted", "builtins.list", "builtins.dict", "builtins.set"),
        *("builtins.sum", "builtins.max", "builtins.min", "builtins.ascii", "builtins.format", "traceback.format_exc"),
        *("traceback.format_stack", "textwrap.indent", "textwrap.shorten", "base64.b64encode", "inspect.getsource"),
        *("xml.etree.ElementTree.tostring", "ast.dump", "ast.unparse", "yaml.safe_dump", "binascii.hexlify"),
    )
)
_CONVERSIONS = frozenset(
    """to_dict model_dump model_dump_json as_dict asdict to_json as_json json to_string describe hex dict
    serialize""".split()  # noqa: SIM905
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not any(ctx.inside(one.value, *_WORKING) for one in node.args):
        return None
    if ctx.logs_at(node) not in _QUIET:
        return None
    if ctx.runs_once(node) or ctx.function(node) is None or ctx.asks_level(node):
        return None
    first = 1 if isinstance(node.func, cst.Attribute) and node.func.attr.value == "log" else 0
    if len(node.args) <= first:
        return None
    if isinstance(node.args[first].value, cst.FormattedString | cst.ConcatenatedString | cst.BinaryOperation):
        # what is formatted beforehand is the rule eager-log-format
        return None
    for argument in node.args:
        costly = _costly_part(argument.value, ctx)
        if costly is not None:
            text = " ".join(ctx.code(costly).split())
            text = text if len(text) <= 60 else f"{text[:57]}..."
            message = f"`{text}` is worked out even when `{ctx.code(node.func)}` logs nothing"
            return Match(message, (Plant("logged", node),))
    return None


def _costly_part(argument: cst.BaseExpression, ctx: Context) -> cst.BaseExpression | None:
    stack: list[cst.CSTNode] = [argument]
    while stack:
        part = stack.pop()
        if isinstance(part, cst.BaseComp) or (isinstance(part, cst.Call) and _is_costly(part, ctx)):
            return part if isinstance(part, cst.BaseExpression) else None
        if not isinstance(part, cst.Lambda):
            stack.extend(reversed(part.children))
    return None


def _is_costly(call: cst.Call, ctx: Context) -> bool:
    name = ctx.qualified(call.func)
    if _joins_what_is_made(call, ctx):
        return True
    if name in _COSTLY:
        return bool(call.args) and not ctx.is_constant(call.args[0].value) and not _is_scalar(call, ctx)
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in _CONVERSIONS and not call.args


def _joins_what_is_made(call: cst.Call, ctx: Context) -> bool:
    """`", ".join(map(str, rows))`."""
    match call:
        case cst.Call(func=cst.Attribute(value=text, attr=cst.Name(value="join")), args=[cst.Arg(value=cst.Call())]):
            return ctx.type_of(text) == "str"
    return False


def _is_scalar(call: cst.Call, ctx: Context) -> bool:
    """Whether it turns a short value into text, or compares a few."""
    given = [argument.value for argument in call.args if argument.keyword is None]
    if ctx.qualified(call.func) in ("builtins.max", "builtins.min") and len(given) > 1:
        return True
    return ctx.type_of(given[0]) in ("int", "float", "bool", "pathlib.Path") if given else False


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    statement = ctx.parent(node)
    line = None if statement is None else ctx.parent(statement)
    level = ctx.logs_at(node)
    if not isinstance(statement, cst.Expr) or not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    if level is None or not isinstance(node.func, cst.Attribute):
        return None
    if any(isinstance(part, cst.NamedExpr | cst.Await | cst.Yield) for part in ctx.descendants(node)):
        return None
    logger = ctx.code(node.func.value).strip()
    if ctx.qualified(node.func.value) == "logging":
        logger = f"{edits.imported('logging.getLogger')}()"
    elif not isinstance(node.func.value, cst.Name | cst.Attribute):
        return None
    edits.enclose(line, line, f"if {logger}.isEnabledFor({edits.imported(f'logging.{level.upper()}')}):")
    return Safety.UNSAFE


RULE = Rule(
    id="eager-log-argument",
    title="Costly argument of a message that may not be logged",
    kind=Kind.LOGGING,
    page=Page(
        what=(
            "`debug` or `info` of a `logging` logger, in a function that may run many times, with an argument that"
            " takes"
            " work: `json.dumps`, `pprint.pformat`, `repr` or `str` of an object, `sorted`, `copy.deepcopy`, a"
            " comprehension, `.to_dict()`, `.model_dump()` and the like. Not flagged: what stands below a test of the"
            " level, and messages that are formatted beforehand, which is the rule eager-log-format."
        ),
        why=(
            "Arguments are worked out before `logging` looks at the level, so handing them over separately saves"
            ' nothing: `debug("%s", json.dumps(x))` writes out the whole value for a message that is dropped. This is'
            " where logging that is off does cost."
        ),
        harmless="When the values are small, the function is called rarely, or the level is on anyway.",
        measured=(
            "Executions, and the seconds spent in arguments while the level was off. Confirmed when these are a"
            " sizeable"
            " part of the run."
        ),
        fix=(
            "Hand the object itself to `%s` or `%r`, which are applied only if the message is logged; where it needs"
            " `json.dumps`, ask `logger.isEnabledFor(logging.DEBUG)` first, or hand over an object whose `__str__`"
            " does the work."
        ),
        references=(
            "homeassistant 2024.3.3, components/snapcast/server.py:102: three lists of entities at every update",
            "scrapy 2.19.0, scrapy/middleware.py:106: harmless, once for every crawler that starts",
            "ruff RUF065",
        ),
    ),
    triggers=(Calls((".debug", ".info", ".log"), Where(function=True)),),
    expects=Cost(),
    check=check,
    valid=(
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
        "    logger.debug('%s rows', len(rows))\n",
        "import json, logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(data):\n"
        "    if logger.isEnabledFor(logging.DEBUG):\n        logger.debug('%s', json.dumps(data))\n",
        "import json, logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(data):\n"
        "    logger.error('%s', json.dumps(data))\n",
        "import logging\n\ndef f(data, size: int):\n    logging.debug('%s %s', data, str(size))\n",
        "import logging\n\ndef f(low, high):\n    logging.info('%s', max(low, high))\n",
        "import json\n\ndef f(view, data):\n    view.info(json.dumps(data))\n",
        # put together beforehand
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n    logger.debug(f'{sorted(rows)}')\n",
    ),
    invalid=(
        "import json, logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(data):\n"
        "    logger.log(logging.DEBUG, '%s', json.dumps(data))\n",
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
        "    logger.debug('%s', ', '.join(map(str, rows)))\n",
        "import json, logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(data):\n"
        "    logger.debug('%s', json.dumps(data))\n",
        "import logging\n\nlog = logging.getLogger(__name__)\n\ndef f(rows):\n"
        "    log.info('keys: %s', [row.key for row in rows])\n",
        "def f(self, user):\n    self.logger.debug('user %s', user.model_dump())\n",
        "import logging\nfrom pprint import pformat\n\ndef f(state):\n    logging.debug(pformat(state))\n",
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
        "    logger.debug('%d kinds', len(set(rows)), extra={'n': 1})\n",
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(thing):\n"
        "    logger.debug('got %s', repr(thing))\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "What the arguments do besides, or raise, is done only if the message is logged. The module function"
            " `logging.debug` also sets up the root logger at its first call, which then happens only if the level"
            " is on."
        ),
        fixed=(
            "import json, logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(data):\n"
            "    if logger.isEnabledFor(logging.DEBUG):\n"
            "        logger.log(logging.DEBUG, '%s', json.dumps(data))\n",
            "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
            "    if logger.isEnabledFor(logging.DEBUG):\n        logger.debug('%s', ', '.join(map(str, rows)))\n",
            "import json, logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(data):\n"
            "    if logger.isEnabledFor(logging.DEBUG):\n        logger.debug('%s', json.dumps(data))\n",
            "import logging\n\nlog = logging.getLogger(__name__)\n\ndef f(rows):\n"
            "    if log.isEnabledFor(logging.INFO):\n        log.info('keys: %s', [row.key for row in rows])\n",
            "import logging\n\n\ndef f(self, user):\n    if self.logger.isEnabledFor(logging.DEBUG):\n"
            "        self.logger.debug('user %s', user.model_dump())\n",
            "import logging\nfrom pprint import pformat\n\ndef f(state):\n"
            "    if logging.getLogger().isEnabledFor(logging.DEBUG):\n        logging.debug(pformat(state))\n",
            "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
            "    if logger.isEnabledFor(logging.DEBUG):\n"
            "        logger.debug('%d kinds', len(set(rows)), extra={'n': 1})\n",
            "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(thing):\n"
            "    if logger.isEnabledFor(logging.DEBUG):\n        logger.debug('got %s', repr(thing))\n",
        ),
    ),
)
