"""Planting probes: the source of a flagged file becomes code in which the flagged nodes call the runtime.

Standard library only, Python 3.8 to 3.14. Evaluation order, values, names and lines stay as they are; the runtime is
reached through names in `builtins`, so neither globals nor locals of the program change.
"""

from __future__ import annotations

import ast
import io
import tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType, ModuleType
    from typing import Any, Dict, List, Tuple

    Span = Tuple[int, int, int, int]
    Change = Callable[[ast.AST], Any]

MOST_TWICE = 200
"""Nodes of an expression that may be compiled twice, once to be passed over and once to be timed."""

# as it is before the program's own calls of it are watched
_compile = compile

NOT_FOUND = "the file changed since it was scanned, or the node cannot be told apart there"


def runtime_name(site_id: int, role: str) -> str:
    """Name in `builtins` of a site's runtime function; it ends in underscores so that class bodies do not mangle it."""
    return "__audit_%d_%s__" % (site_id, role)


def plant(
    data: bytes, path: str, sites: List[Dict[str, Any]], probes: Dict[str, ModuleType], prologue: str = ""
) -> Tuple[CodeType, Dict[int, str]]:
    """Code of a module with probes planted, and for each site that could not be planted the reason.

    `prologue` names a function in `builtins` to be called before the module's first own statement.

    Raises:
        SyntaxError: as compiling the module would.
    """

    def made(some: List[Dict[str, Any]]) -> Tuple[CodeType, Dict[int, str]]:
        tree, failures = _planted(data, path, some, probes)
        if prologue:
            start = ast.Expr(value=ast.Call(func=ast.Name(id=prologue, ctx=ast.Load()), args=[], keywords=[]))
            tree.body.insert(_first_own(tree), start)
        return _compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True), failures

    return _as_far_as_can_be(sites, made)


def planted_tree(
    data: bytes,
    path: str,
    sites: List[Dict[str, Any]],
    probes: Dict[str, ModuleType],
    given: Any = None,
    flags: int = 0,
) -> Tuple[ast.Module, Dict[int, str]]:
    """The module's tree with probes planted, and for each site that could not be planted the reason.

    `given` is what the program made of the file and is about to compile with `flags`; it stays as it is. A site is
    planted in it only where it says what the file says.
    """

    def made(some: List[Dict[str, Any]]) -> Tuple[ast.Module, Dict[int, str]]:
        tree, failures = _planted(data, path, some, probes, given)
        if some:
            # what was planted wrongly may show no sooner
            _compile(tree, path, "exec", flags, dont_inherit=True)
        return tree, failures

    return _as_far_as_can_be(sites, made)


def spans(data: bytes, sites: List[Dict[str, Any]]) -> Dict[Span, List[int]]:
    """Ids of sites by (first line, last line, first column, last column), as `co_positions` tells places."""
    lines, found = _lines(data), {}  # type: List[str], Dict[Span, List[int]]
    for site in sites:
        span = _byte_span(site, lines)
        if span:
            found.setdefault((span[0], span[2], span[1], span[3]), []).append(site["id"])
    return found


def _as_far_as_can_be(
    sites: List[Dict[str, Any]], made: Callable[[List[Dict[str, Any]]], Tuple[Any, Dict[int, str]]]
) -> Tuple[Any, Dict[int, str]]:
    """What is made with all sites that can be planted, and why the others cannot.

    Raises:
        Exception: nothing can be made even with none.
    """
    broken = {}  # type: Dict[int, str]
    while True:
        left = [site for site in sites if site["id"] not in broken]
        try:
            result, failures = made(left)
            return result, {**failures, **broken}
        except Exception as error:
            if not left:
                raise
            broken.update(_culprits(left, made, error))


def _culprits(sites: List[Dict[str, Any]], made: Callable[[List[Dict[str, Any]]], Any], error: Exception) -> Any:
    """Of sites with which making fails, those with which it fails alone, or else all, by id; and why."""
    found = {}  # type: Dict[int, str]
    middle = len(sites) // 2
    for half in (sites[:middle], sites[middle:]) if middle else ():
        try:
            made(half)
        except Exception as narrower:
            found.update(_culprits(half, made, narrower))
    reason = "planting probes failed: %s: %s" % (type(error).__name__, error)
    return found or {site["id"]: reason for site in sites}


def _planted(
    data: bytes, path: str, sites: List[Dict[str, Any]], probes: Dict[str, ModuleType], given: Any = None
) -> Tuple[ast.Module, Dict[int, str]]:
    own = ast.parse(data, path)
    tree = own if given is None else _copied(given)
    changes, failures = _changes(tree, own, _lines(data), sites, probes)
    return ast.fix_missing_locations(_Planter(changes).visit(tree)), failures


def _first_own(tree: ast.Module) -> int:
    """Index of the first statement that is neither the docstring nor a `__future__` import."""
    index = 0
    if tree.body and ast.get_docstring(tree, clean=False) is not None:
        index = 1
    while index < len(tree.body) and getattr(tree.body[index], "module", None) == "__future__":
        index += 1
    return index


def _changes(
    tree: ast.Module, own: ast.Module, lines: List[str], sites: List[Dict[str, Any]], probes: Dict[str, ModuleType]
) -> Tuple[Dict[ast.AST, List[Change]], Dict[int, str]]:
    """What each node is to become, and why some sites cannot be planted."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    by_span = _by_span(parents)
    own_by_span = by_span if own is tree else _by_span(ast.walk(own))
    changes = {}  # type: Dict[ast.AST, List[Change]]
    failures = {}
    for site in sites:
        probe = probes[site["probe"]]
        wanted = _byte_span(site, lines)
        found = [node for node in by_span.get(wanted, ()) if isinstance(node, probe.NODES)] if wanted else []
        if not found or not (own is tree or _says(found[0], own_by_span.get(wanted, ()))):
            failures[site["id"]] = NOT_FOUND
            continue
        planted = probe.plant(found[0], parents, _Caller(site["id"], found[0], changes))
        if isinstance(planted, str):
            failures[site["id"]] = planted
            continue
        for node, change in planted.items():
            changes.setdefault(node, []).append(change)
    return changes, failures


def _by_span(nodes: Iterable[ast.AST]) -> Dict[Span, List[ast.AST]]:
    found = {}  # type: Dict[Span, List[ast.AST]]
    for node in nodes:
        if hasattr(node, "end_lineno"):
            found.setdefault(_span(node), []).append(node)
    return found


def _says(node: ast.AST, known: Iterable[ast.AST]) -> bool:
    said = ast.dump(node)
    return any(ast.dump(one) == said for one in known)


class _Planter(ast.NodeTransformer):
    """Applies the changes from the inside out.

    Each change gets the node as it stands in the program, whatever was put around it before: what it wraps within is
    there. What it puts around an expression goes around the rest; what it puts around a statement goes within the rest.
    """

    def __init__(self, changes: Dict[ast.AST, List[Change]]) -> None:
        self.changes = changes

    def visit(self, node: ast.AST) -> Any:
        wanted = self.changes.get(node, ())
        result = [self.generic_visit(node)]
        for change in wanted:
            changed = change(node)
            made = changed if isinstance(changed, list) else [changed]
            result = _with(result, node, made) if isinstance(node, ast.stmt) else _with(made, node, result)
        return result if len(result) > 1 else result[0]


def _with(trees: List[Any], old: ast.AST, new: List[Any]) -> List[Any]:
    """The trees with `new` for `old`."""
    found = []  # type: List[Any]
    for tree in trees:
        if tree is old:
            found += new
            continue
        found.append(tree)
        for name, value in ast.iter_fields(tree) if isinstance(tree, ast.AST) else ():
            if isinstance(value, list):
                value[:] = _with(value, old, new)
            elif isinstance(value, ast.AST):
                setattr(tree, name, _with([value], old, new)[0])
    return found


class _Caller:
    """Makes calls of one site's runtime functions."""

    def __init__(self, site_id: int, node: ast.AST, changes: Dict[ast.AST, List[Change]]) -> None:
        self._site_id = site_id
        self._node = node
        self._changes = changes

    def __call__(self, role: str, *arguments: ast.expr) -> ast.expr:
        name = ast.copy_location(ast.Name(id=runtime_name(self._site_id, role), ctx=ast.Load()), self._node)
        return ast.copy_location(ast.Call(func=name, args=list(arguments), keywords=[]), self._node)

    def wrap_last(self, made: Any, role: str) -> bool:
        """Put a function around what the call evaluates last: `X.f(A)` becomes `X.f(role(A))`, `X.f()` `role(X).f()`.

        Nothing is done, and False returned, where arguments are spread: these are not one operand.
        """
        if any(isinstance(one, ast.Starred) for one in made.args) or any(one.arg is None for one in made.keywords):
            return False
        if made.keywords:
            made.keywords[-1].value = self(role, made.keywords[-1].value)
        elif made.args:
            made.args[-1] = self(role, made.args[-1])
        elif isinstance(made.func, ast.Attribute):
            made.func.value = self(role, made.func.value)
        else:
            made.func = self(role, made.func)
        return True

    def unless_skipped(self, made: ast.expr, measured: Callable[[Any], ast.expr]) -> Any:
        """`MADE if skip() else MEASURED(MADE)`, None if what stands there is too large to stand there twice.

        Nor may it stand there twice where other sites change it as well.
        """
        if len(self._changes[self._node]) > 1 or sum(1 for _ in ast.walk(made)) > MOST_TWICE:
            return None
        either = ast.IfExp(test=self("skip"), body=made, orelse=measured(_copied(made)))
        return ast.copy_location(either, self._node)


def _copied(node: Any) -> Any:
    if isinstance(node, list):
        return [_copied(one) for one in node]
    if not isinstance(node, ast.AST):
        return node
    copy = type(node)(**{name: _copied(value) for name, value in ast.iter_fields(node)})
    return ast.copy_location(copy, node)


def _span(node: Any) -> Span:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _lines(data: bytes) -> List[str]:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    text = data.decode(encoding)
    return list(io.StringIO(text[1:] if text[:1] == "\ufeff" else text, newline=None))


def _byte_span(site: Dict[str, Any], lines: List[str]) -> Any:
    """The span in the units of `ast`: columns from 0 in UTF-8 bytes. None if the file is too short for it."""
    ends = []
    for line, column in ((site["line"], site["column"]), (site["end_line"], site["end_column"])):
        if line > len(lines):
            return None
        ends.append((line, len(lines[line - 1][: column - 1].encode("utf-8", "surrogatepass"))))
    return ends[0] + ends[1]
