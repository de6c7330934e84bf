"""A log message that is put together whether or not anyone sees it."""

from __future__ import annotations

from collections.abc import Sequence

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety, Where

_QUIET = ("debug", "info")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not node.args or ctx.logs_at(node) not in _QUIET:
        return None
    if ctx.runs_once(node) or ctx.function(node) is None or ctx.asks_level(node):
        return None
    first = 1 if isinstance(node.func, cst.Attribute) and node.func.attr.value == "log" else 0
    how = _formatted(node.args[first].value, ctx) if len(node.args) > first else None
    if how is None:
        return None
    return Match(f"`{ctx.code(node.func)}` gets a message put together by {how}", (Plant("logged", node),))


def _formatted(message: cst.BaseExpression, ctx: Context) -> str | None:
    match message:
        case _ if ctx.text_of(message) is not None:
            return None
        case cst.FormattedString(parts=parts):
            return "an f-string" if any(isinstance(part, cst.FormattedStringExpression) for part in parts) else None
        case cst.ConcatenatedString(left=left, right=right):
            return _formatted(left, ctx) or _formatted(right, ctx)
        case cst.BinaryOperation(operator=cst.Modulo(), left=left):
            return "`%`" if ctx.type_of(left) == "str" else None
        case cst.BinaryOperation(operator=cst.Add()):
            return "`+`" if ctx.type_of(message) == "str" else None
        case cst.Call(func=cst.Attribute(value=text, attr=cst.Name(value="format"))):
            return "`format`" if ctx.type_of(text) == "str" else None
    return None


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    # `log` has its level first, so it never has one alone
    if sum(argument.keyword is None for argument in node.args) != 1 or any(argument.star for argument in node.args):
        return None
    message = node.args[0].value
    match message:
        case cst.FormattedString():
            made = _from_formatted(message, ctx)
        case cst.BinaryOperation(operator=cst.Modulo(), left=cst.SimpleString() as text, right=right):
            made = _from_modulo(text, right, ctx)
        case cst.BinaryOperation(operator=cst.Add()):
            made = _from_sum(message, ctx)
        case cst.Call(func=cst.Attribute(value=cst.SimpleString() as text), args=arguments):
            made = _from_format(text, arguments, ctx)
        case _:
            return None
    if made is None or not made[1]:
        return None
    edits.replace(message, ", ".join((made[0], *made[1])))
    return Safety.UNSAFE


def _from_formatted(message: cst.FormattedString, ctx: Context) -> tuple[str, list[str]] | None:
    text, parts = "", []
    for part in message.parts:
        if isinstance(part, cst.FormattedStringText):
            text += part.value.replace("{{", "{").replace("}}", "}").replace("%", "%%")
        elif isinstance(part, cst.FormattedStringExpression):
            if part.format_spec is not None or part.equal is not None:
                return None
            code = ctx.code(part.expression).strip()
            if isinstance(part.expression, cst.Yield | cst.NamedExpr | cst.GeneratorExp):
                return None
            text += f"%{part.conversion or 's'}"
            parts.append(f"({code})" if isinstance(part.expression, cst.Tuple) and not part.expression.lpar else code)
    return message.start.lower().replace("f", "") + text + message.end, parts


def _from_modulo(text: cst.SimpleString, right: cst.BaseExpression, ctx: Context) -> tuple[str, list[str]] | None:
    if "%(" in text.value or "*" in text.value:
        return None
    if isinstance(right, cst.Tuple):
        if any(not isinstance(element, cst.Element) for element in right.elements):
            return None
        return text.value, [ctx.code(element.value).strip() for element in right.elements]
    # a tuple would be taken apart, and a map is looked up
    known = ctx.type_of(right) in ("str", "int", "float", "bool")
    return (text.value, [ctx.code(right).strip()]) if known else None


def _from_sum(message: cst.BinaryOperation, ctx: Context) -> tuple[str, list[str]] | None:
    operands: list[cst.BaseExpression] = []
    value: cst.BaseExpression = message
    while isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add) and value.lpar == ():
        operands.insert(0, value.right)
        value = value.left
    operands.insert(0, value)
    quotes = {operand.quote for operand in operands if isinstance(operand, cst.SimpleString)}
    if len(quotes) != 1 or len(next(iter(quotes))) != 1:
        return None
    text, parts = "", []
    for operand in operands:
        if isinstance(operand, cst.SimpleString):
            if operand.prefix:
                return None
            text += operand.raw_value.replace("%", "%%")
        elif isinstance(operand, cst.FormattedString | cst.ConcatenatedString | cst.BinaryOperation):
            return None
        else:
            text += "%s"
            parts.append(ctx.code(operand).strip())
    quote = next(iter(quotes))
    return f"{quote}{text}{quote}", parts


def _from_format(text: cst.SimpleString, arguments: Sequence[cst.Arg], ctx: Context) -> tuple[str, list[str]] | None:
    plain = text.value.replace("{{", "").replace("}}", "")
    if any(argument.star or argument.keyword for argument in arguments) or plain.count("{}") != len(arguments):
        return None
    if "{{" in text.value or "}}" in text.value or plain.replace("{}", "").strip("{}") != plain.replace("{}", ""):
        return None
    if "{" in plain.replace("{}", "") or "}" in plain.replace("{}", ""):
        return None
    code = text.value.replace("%", "%%").replace("{}", "%s")
    return code, [ctx.code(argument.value).strip() for argument in arguments]


RULE = Rule(
    id="eager-log-format",
    title="Log message formatted before the level is known",
    kind=Kind.LOGGING,
    page=Page(
        what=(
            "`debug` or `info` of a `logging` logger, in a function that may run many times, with a message put"
            " together"
            " by an f-string, `%`, `+` or `format`. Loggers are known by how they were made, or by the names `logger`,"
            " `log` and `logging`. Not flagged: warnings and above, code that runs once, and what stands below a test"
            " of the level."
        ),
        why=(
            "The message is formatted before `logging` looks at the level, so its cost stays when the level is off:"
            " a fraction of a microsecond for a number, without a limit for objects whose `repr` walks all they hold."
        ),
        harmless="Nearly always: only a message in a hot loop, or of a costly `repr`, adds up to anything.",
        measured=(
            "Executions, and the seconds spent in arguments while the level was off. Confirmed when these are a"
            " sizeable"
            " part of the run; calls that do log are not counted."
        ),
        fix='Hand the parts over as arguments: `logger.debug("read %s rows", count)`.',
        references=(
            "jupyter_server 2.21.1, jupyter_server/gateway/managers.py:586: a whole model, at every look at a kernel",
            "prefect 3.9.1, prefect/cli/task.py:114: harmless, once for every module of a command line",
            *("ruff G001", "ruff G002", "ruff G003", "ruff G004"),
        ),
    ),
    triggers=(Calls((".debug", ".info", ".log"), Where(function=True)),),
    expects=Cost(),
    check=check,
    valid=(
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
        "    logger.debug('%s rows', len(rows))\n",
        "import logging\n\ndef f(rows):\n    logging.info('started')\n",
        "import logging\n\nlog = logging.getLogger(__name__)\n\ndef f(rows):\n"
        "    if log.isEnabledFor(logging.DEBUG):\n        log.debug(f'{rows}')\n",
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n    logger.error(f'{rows} failed')\n",
        "class Console:\n    def f(self, rows):\n        self.screen.info(f'{rows}')\n",
        "import logging\n\ndef main():\n    logging.info(f'started at {clock()}')\n",
        "import logging\n\ndef f(rows):\n    logging.debug('a' + 'b')\n",
        "from loguru import logger\n\ndef f(rows):\n    logger.debug(f'{rows}')\n",
    ),
    invalid=(
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
        "    logger.log(logging.DEBUG, f'{rows} read')\n",
        "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n    logger.debug(f'{rows} read')\n",
        "import logging\n\ndef f(rows):\n    logging.info('%s rows' % len(rows))\n",
        "import logging\n\nclass Job:\n    def __init__(self):\n        self.journal = logging.getLogger('job')\n\n"
        "    def run(self, name: str):\n        self.journal.debug('running ' + name)\n",
        "def f(self, rows):\n    self.logger.info('{} rows'.format(rows))\n",
        "from logging import getLogger\n\nout = getLogger('x')\n\ndef f(rows):\n"
        "    out.debug('rows: '\n              f'{rows}')\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The message is put together only if it is logged, and when it is: by a handler that works later it"
            " shows the values as they are then. A class with a `__format__` of its own is shown by `__str__`;"
            " what fails to be formatted is reported by `logging` instead of raised; filters and tests that look"
            " at `record.msg` see the pattern. There is no fix for format specifications."
        ),
        fixed=(
            None,
            "import logging\n\nlogger = logging.getLogger(__name__)\n\ndef f(rows):\n"
            "    logger.debug('%s read', rows)\n",
            "import logging\n\ndef f(rows):\n    logging.info('%s rows', len(rows))\n",
            "import logging\n\nclass Job:\n    def __init__(self):\n"
            "        self.journal = logging.getLogger('job')\n\n    def run(self, name: str):\n"
            "        self.journal.debug('running %s', name)\n",
            "def f(self, rows):\n    self.logger.info('%s rows', rows)\n",
            None,
        ),
    ),
)
