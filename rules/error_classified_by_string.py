"""An exception that is told apart by its text."""

from __future__ import annotations

from collections.abc import Iterator

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_TEXT_TESTS = ("startswith", "endswith", "find", "index", "count")
_PATTERNS = ("re.search", "re.match", "re.fullmatch", "re.findall")
_FORMATS = ("traceback.format_exc", "traceback.format_exception", "traceback.format_tb")
_TEXTS = ("builtins.str", "builtins.repr", *_FORMATS)
_JOINS = (cst.BooleanOperation, cst.UnaryOperation)
_COMPARED = (cst.In, cst.NotIn, cst.Equal, cst.NotEqual)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if ctx.runs_once(node) or ctx.function(node) is None:
        return None
    handler = _handler(node, ctx)
    if handler is None:
        return None
    found = next(_asked(handler, ctx), None)
    if found is None or not any(part is node for part in ctx.descendants(found)):
        return None
    text = " ".join(ctx.code(found).split())
    text = text if len(text) <= 60 else f"{text[:57]}..."
    plants = tuple(Plant("timed", part) for part in (found, *_texts_in(found, handler, ctx)))
    return Match(f"the exception is turned into text to see what it is: `{text}`", plants, found)


def _texts_in(test: cst.BaseExpression, handler: cst.ExceptHandler, ctx: Context) -> Iterator[cst.BaseExpression]:
    """Where the texts are made that the test knows by name, as that may take longer than the test."""
    name = ctx.code(handler.name.name).strip() if handler.name is not None else ""
    texts: set[str] = set()
    for part in ctx.inside(handler.body, cst.Assign):
        if _is_text(part.value, name, texts, ctx):
            bound = ctx.binds(part)
            texts.update(bound)
            if any(ctx.uses(held, test) for held in bound):
                yield part.value


def _handler(node: cst.CSTNode, ctx: Context) -> cst.ExceptHandler | None:
    """The handler around the node, within its function."""
    function = ctx.function(node)
    for parent in ctx.ancestors(node):
        if parent is function:
            return None
        if isinstance(parent, cst.ExceptHandler):
            return parent
    return None


def _asked(handler: cst.ExceptHandler, ctx: Context) -> Iterator[cst.BaseExpression]:
    """Outermost expressions of the handler that test the text of its exception, in source order."""
    name = ctx.code(handler.name.name).strip() if handler.name is not None else ""
    texts = _names_of_text(handler, name, ctx)
    for part in ctx.inside(handler.body, cst.Comparison, cst.Call, cst.Match):
        if _handler(part, ctx) is not handler:
            continue
        if isinstance(part, cst.Match):
            if _is_text(part.subject, name, texts, ctx):
                yield part.subject
        elif isinstance(part, cst.BaseExpression) and _tests(part, name, texts, ctx):
            yield _outermost(part, ctx)


def _names_of_text(handler: cst.ExceptHandler, name: str, ctx: Context) -> set[str]:
    """Local names that hold the text of the exception: `message = str(e).lower()`."""
    found: set[str] = set()
    for part in ctx.inside(handler.body, cst.Assign):
        if _is_text(part.value, name, found, ctx):
            found.update(ctx.binds(part))
    return found


def _is_text(expression: cst.BaseExpression, name: str, texts: set[str], ctx: Context) -> bool:
    """Whether it is the text of the exception, or part of it."""
    match expression:
        case cst.Name(value=held):
            return held in texts
        case cst.Call(func=cst.Attribute(value=inner)) if ctx.qualified(expression.func) not in _TEXTS:
            return _is_text(inner, name, texts, ctx)
        case cst.Call(func=func, args=arguments):
            known = ctx.qualified(func)
            # `format_exc()` speaks of the exception at hand
            return known in _FORMATS or (
                known in _TEXTS and any(_speaks_of(argument.value, name, ctx) for argument in arguments[:1])
            )
        case cst.FormattedString():
            return len(expression.parts) == 1 and any(_speaks_of(part, name, ctx) for part in expression.children)
        case cst.Subscript(value=inner):
            return _is_text(inner, name, texts, ctx)
    return False


def _speaks_of(expression: cst.CSTNode, name: str, ctx: Context) -> bool:
    return bool(name) and bool(ctx.uses(name, expression)) and not isinstance(expression, cst.Call)


def _tests(part: cst.BaseExpression, name: str, texts: set[str], ctx: Context) -> bool:
    match part:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            return isinstance(operator, _COMPARED) and any(_is_text(side, name, texts, ctx) for side in (left, right))
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=method))) if method in _TEXT_TESTS:
            return _is_text(owner, name, texts, ctx)
        case cst.Call(func=func, args=arguments):
            known = ctx.qualified(func)
            is_searched = known in _PATTERNS or (
                isinstance(func, cst.Attribute) and func.attr.value in ("search", "match", "fullmatch")
            )
            return is_searched and any(_is_text(argument.value, name, texts, ctx) for argument in arguments)
    return False


def _outermost(part: cst.BaseExpression, ctx: Context) -> cst.BaseExpression:
    """The whole condition that the test is part of."""
    found = part
    for parent in ctx.ancestors(part):
        if not isinstance(parent, _JOINS):
            break
        found = parent
    return found


RULE = Rule(
    id="error-classified-by-string",
    title="Exception told apart by its text",
    kind=Kind.OVERHEAD,
    page=Page(
        what=(
            "In an `except` block of a function that may run many times, a test of the exception's text:"
            ' `"timeout" in'
            " str(e)`, `str(e).startswith(...)`, `re.search(..., str(e))`, the same by way of a local name, or of"
            " `traceback.format_exc()`. Flagged once for each handler. A text that is only logged or raised again is"
            " not flagged."
        ),
        why=(
            "Every exception is formatted, a traceback even with the source lines of its files, and searched, although"
            " its type or code already says what it is. Where failures are frequent, as in a loop that tries many"
            " items, that adds up. The text may also change with the next version of the library."
        ),
        harmless="When exceptions are rare, as they mostly are: then it is a question of robustness, not of speed.",
        measured=(
            "Executions, and the seconds spent in the test and in making the text. Confirmed when they are a sizeable"
            " part of the run."
        ),
        fix=(
            "Catch the type (`except TimeoutError`), or look at its code: `e.errno`, `e.response.status_code`,"
            " `e.args[0]`."
        ),
        references=(
            "homeassistant 2024.3.3, components/pjlink/media_player.py:148: at every look at a projector that is off",
            "CPython 3.11.7, runpy.py:242: harmless, once, before the program ends",
        ),
    ),
    triggers=(
        Nodes(("Compare",), Where(function=True, handler=True), operators=("In", "NotIn", "Eq", "NotEq")),
        Calls(
            tuple(f".{name}" for name in (*_TEXT_TESTS, "search", "match", "fullmatch")),
            Where(function=True, handler=True),
        ),
        Calls((*_PATTERNS, *_TEXTS), Where(function=True, handler=True)),
    ),
    expects=Cost(),
    check=check,
    valid=(
        "def f(job):\n    try:\n        job()\n    except TimeoutError:\n        return None\n",
        "import logging\n\ndef f(job):\n    try:\n        job()\n    except OSError as error:\n"
        "        logging.error('failed: %s', str(error))\n",
        "import errno\n\ndef f(job):\n    try:\n        job()\n    except OSError as error:\n"
        "        if error.errno == errno.EAGAIN:\n            return None\n        raise\n",
        "def f(job):\n    try:\n        job()\n    except OSError as error:\n"
        "        raise ValueError(f'bad: {error}') from error\n",
        "def f(job):\n    try:\n        job()\n    except OSError as e:\n        if e.args[0] == 'closed':\n"
        "            return None\n",
        # not the exception's text
        "def f(job, name):\n    try:\n        job()\n    except OSError:\n        if 'x' in str(name):\n"
        "            raise\n",
        "def test_f(job):\n    try:\n        job()\n    except ValueError as error:\n"
        "        assert 'bad' in str(error)\n",
        "def f(job, wanted):\n    try:\n        job()\n    except OSError as error:\n"
        "        if error.response.status in wanted:\n            raise\n",
    ),
    invalid=(
        "def f(job):\n    try:\n        return job()\n    except Exception as e:\n        if 'timeout' in str(e):\n"
        "            return None\n        raise\n",
        "def f(jobs):\n    for job in jobs:\n        try:\n            job()\n        except OSError as error:\n"
        "            message = str(error).lower()\n            if 'refused' in message or 'reset' in message:\n"
        "                continue\n            raise\n",
        "import re\n\ndef f(job):\n    try:\n        job()\n    except RuntimeError as error:\n"
        "        if re.search(r'code (\\d+)', str(error)):\n            return 1\n",
        "import traceback\n\ndef f(job):\n    try:\n        job()\n    except Exception:\n"
        "        if 'MemoryError' in traceback.format_exc():\n            raise\n",
        "def f(job):\n    try:\n        job()\n    except ValueError as e:\n        if not str(e).startswith('bad'):\n"
        "            raise\n        if 'worse' in str(e):\n            return 1\n",
        "def f(job):\n    try:\n        job()\n    except OSError as e:\n        if f'{e}' == 'closed file':\n"
        "            return 1\n",
        "def send(row):\n    try:\n        row.send()\n    except OSError as error:\n        match str(error):\n"
        "            case 'busy':\n                return False\n        raise\n",
    ),
)
