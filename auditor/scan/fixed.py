"""Whether an expression yields the same at every execution: it depends on nothing that a function binds."""

from __future__ import annotations

import ast
import builtins

from auditor.scan.infer import MAX_STEPS, bound_value, qualified
from auditor.scan.scopes import Scopes
from auditor.scan.syntax import walk

_CONSTRUCTORS = ("__init__", "__new__", "__post_init__")


def is_fixed(expression: ast.expr, scopes: Scopes) -> bool:
    """Whether it is built of literals, of names bound outside every function, and of attributes of such names."""
    match expression:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return _is_fixed_name(name, scopes)
        case ast.Attribute(value=ast.Name(id=receiver), attr=attr) if _is_receiver(receiver, scopes):
            return _is_class_constant(attr, scopes)
        case ast.Attribute(value=ast.Name() as value) if _is_per_context(value, scopes):
            return False
        case ast.Attribute(value=value) | ast.UnaryOp(operand=value) | ast.FormattedValue(value=value):
            return is_fixed(value, scopes)
        case ast.BinOp(left=left, right=right):
            return is_fixed(left, scopes) and is_fixed(right, scopes)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.JoinedStr(values=parts):
            return all(is_fixed(part, scopes) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and is_fixed(key, scopes) for key in keys) and all(
                is_fixed(value, scopes) for value in values
            )
        case ast.Lambda(args=arguments, body=body):
            return _is_closed(arguments, body, scopes)
        case ast.Call():
            return _is_fixed_text(expression, scopes)
    return False


_PER_CONTEXT = frozenset(
    (
        *("flask.request", "flask.g", "flask.session", "quart.request", "quart.g", "quart.session", "quart.websocket"),
        *("bottle.request", "cherrypy.request", "cherrypy.session", "celery.current_task", "web.ctx"),
        *("threading.local", "gevent.local.local", "werkzeug.local.Local", "werkzeug.local.LocalProxy"),
    )
)
"""Objects of a module whose attributes are those of the request, task or thread at hand, and classes of such."""


def _is_per_context(name: ast.Name, scopes: Scopes) -> bool:
    value = bound_value(name.id, scopes)
    made = qualified(value.func, scopes) if isinstance(value, ast.Call) else None
    return made in _PER_CONTEXT or qualified(name, scopes) in _PER_CONTEXT


_LISTING = ("builtins.map", "builtins.sorted", "builtins.list", "builtins.tuple", "builtins.set")


def _is_fixed_text(call: ast.Call, scopes: Scopes) -> bool:
    """Whether a text is joined or escaped from what is fixed: `"|".join(map(re.escape, WORDS))`."""
    match call.func:
        case ast.Attribute(value=ast.Constant(value=str()), attr="join"):
            return all(_lists_fixed(part, scopes) for part in call.args)
        case ast.Attribute(value=ast.Constant(value=str()), attr="format"):
            return all(is_fixed(part, scopes) for part in (*call.args, *(keyword.value for keyword in call.keywords)))
    return qualified(call.func, scopes) == "re.escape" and all(is_fixed(part, scopes) for part in call.args)


def _lists_fixed(part: ast.expr, scopes: Scopes) -> bool:
    """Whether the items are always the same."""
    match part:
        case ast.GeneratorExp(elt=element, generators=[loop]) | ast.ListComp(elt=element, generators=[loop]):
            own = {node.id for node in walk(loop.target) if isinstance(node, ast.Name)}
            names = [node for made in (element, *loop.ifs) for node in walk(made) if isinstance(node, ast.Name)]
            return _lists_fixed(loop.iter, scopes) and all(n.id in own or _is_fixed_name(n.id, scopes) for n in names)
        case ast.Call(func=func) if qualified(func, scopes) in _LISTING:
            parts = [*part.args, *(keyword.value for keyword in part.keywords)]
            return all(_lists_fixed(one, scopes) for one in parts)
        case ast.Call(func=ast.Attribute(value=owner, attr="keys" | "values" | "items"), args=[]):
            return is_fixed(owner, scopes)
    return is_fixed(part, scopes)


def is_settled(expression: ast.expr, scopes: Scopes, steps: int = MAX_STEPS) -> bool:
    """Whether it is fixed, or built of what only a constructor binds; paths may be built by calls."""
    if steps <= 0:
        return False
    match expression:
        case ast.Name(id="__file__"):
            return True
        case ast.Name(id=name):
            return _is_fixed_name(name, scopes) or _is_settled_local(name, scopes, steps)
        case ast.Attribute(value=ast.Name(id=receiver), attr=attr) if _is_receiver(receiver, scopes):
            return _is_made_once(attr, scopes)
        case ast.Attribute(value=value) | ast.FormattedValue(value=value):
            return is_settled(value, scopes, steps - 1)
        case ast.BinOp(left=left, right=right):
            return is_settled(left, scopes, steps - 1) and is_settled(right, scopes, steps - 1)
        case ast.JoinedStr(values=parts):
            return all(is_settled(part, scopes, steps - 1) for part in parts)
        case ast.Call(func=callee, args=arguments, keywords=[]):
            parts = [callee.value] if isinstance(callee, ast.Attribute) else []
            return _builds_path(callee, scopes) and all(
                is_settled(part, scopes, steps - 1) for part in parts + arguments
            )
    return is_fixed(expression, scopes)


def _builds_path(callee: ast.expr, scopes: Scopes) -> bool:
    name = qualified(callee, scopes) or ""
    return name in ("builtins.str", "pathlib.Path", "os.fspath") or name.startswith(("os.path.", "pathlib.Path."))


def _is_settled_local(name: str, scopes: Scopes, steps: int) -> bool:
    value = bound_value(name, scopes)
    return value is not None and is_settled(value, scopes, steps - 1)


def _is_made_once(attr: str, scopes: Scopes) -> bool:
    """Whether the attribute is bound in the class body or by the constructor, and nowhere else."""
    owner = scopes.klass()
    bindings = [] if owner is None else scopes.facts.attributes(owner[0]).get(attr, [])
    return bool(bindings) and all(
        binding.definition is None and (binding.method is None or binding.method.name in _CONSTRUCTORS)
        for binding in bindings
    )


def _is_fixed_name(name: str, scopes: Scopes) -> bool:
    found = scopes.lookup(name)
    if found is None:
        return hasattr(builtins, name)
    where, bindings = found
    if len(where.chain) != 1:
        return False
    if all(binding.imported or binding.definition for binding in bindings):
        return True
    return not scopes.facts.globals(name)


def _is_receiver(name: str, scopes: Scopes) -> bool:
    owner = scopes.klass()
    return owner is not None and owner[1] == name


def _is_class_constant(attr: str, scopes: Scopes) -> bool:
    """Whether `self.NAME` is bound once, in the body of the class."""
    owner = scopes.klass()
    if owner is None:
        return False
    in_body = scopes.facts.names(owner[0]).bindings.get(attr, [])
    anywhere = scopes.facts.attributes(owner[0]).get(attr, [])
    return len(in_body) == len(anywhere) == 1 and in_body[0].definition is None


def _is_closed(arguments: ast.arguments, body: ast.expr, scopes: Scopes) -> bool:
    """Whether a lambda uses nothing but its parameters and fixed names."""
    defaults = [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]
    own = {argument.arg for argument in walk(arguments) if isinstance(argument, ast.arg)}
    return all(is_fixed(default, scopes) for default in defaults) and all(
        node.id in own or _is_fixed_name(node.id, scopes) for node in walk(body) if isinstance(node, ast.Name)
    )
