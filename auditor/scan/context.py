"""What rules may ask about the code around a candidate."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from auditor import cst
from auditor.model import Span
from auditor.rule import Loop, Step
from auditor.scan import entries, flow, infer, kept, local, looping, naming, repeat, sinks, turns, values
from auditor.scan.facts import Function
from auditor.scan.fixed import is_fixed, is_settled
from auditor.scan.naming import Piece
from auditor.scan.often import MAX_CALLS, called_often, given_again
from auditor.scan.once import functions_run_once
from auditor.scan.per_item import PerItem, runs_per_item
from auditor.scan.scopes import Scopes
from auditor.scan.slices import Node

_SAME_LENGTH = ("builtins.enumerate", "builtins.reversed", "builtins.sorted", "builtins.list", "builtins.tuple")
_FUNCTIONS = (cst.FunctionDef, cst.Lambda)


class SliceContext:
    """What a rule may ask (`auditor.rule.Context`), answered for one candidate."""

    def __init__(
        self, piece: Piece, scopes: Scopes, path: str, ways: Mapping[Span, tuple[Step, ...]] | None = None
    ) -> None:
        self._piece = piece
        self._scopes = scopes
        self._path = path
        self._ways = ways or {}
        self._asked_loops = False

    @property
    def path(self) -> str:
        """Path of the file, relative to the target."""
        return self._path

    @property
    def root(self) -> cst.CSTNode:
        """The slice's outermost node."""
        return self._piece.module

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around `node`."""
        return self._piece.parent(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around `node`, innermost first."""
        around = self._piece.parent
        parent = around(node)
        while parent is not None:
            yield parent
            parent = around(parent)

    def descendants(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """`node` and all inside it, in source order."""
        return self._piece.descendants(node)

    def inside(self, node: cst.CSTNode, *kinds: type[Node]) -> Sequence[Node]:
        """Those of `descendants` that are of one of these kinds."""
        return self._piece.of_kinds(node, kinds)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Lambda | None:
        """The innermost function whose body runs `node`."""
        child = node
        for parent in self.ancestors(node):
            if isinstance(parent, _FUNCTIONS) and child is parent.body:
                return parent
            child = parent
        return None

    def loops(self, node: cst.CSTNode) -> Sequence[Loop]:
        """Loops of the same function that repeat `node`, innermost first."""
        self._asked_loops = True
        return looping.loops(node, self.ancestors(node), self._run)

    def runs(self, node: cst.CSTNode) -> str:
        """Why the function around the node counts as a loop, if the rule has asked for loops and no other is nearer."""
        function = next(iter(self.loops(node)), None) if self._asked_loops else None
        run = None if function is None else self._run(function)
        if run is None:
            return ""
        name = f"`{function.name.value}`" if isinstance(function, cst.FunctionDef) else "the lambda"
        how = "as it calls itself" if run.by is None else f"handed to `{run.by}`"
        return f"{name} runs for every item, {how} at {self._piece.source.place(run.line)}"

    def qualified(self, expression: cst.CSTNode) -> str | None:
        """Qualified name of a name or attribute chain."""
        if not isinstance(expression, cst.Name | cst.Attribute) or naming.is_turned(expression, self._piece):
            return None
        parsed = self._as_ast(expression)
        return None if parsed is None else infer.qualified(parsed, self._scopes)

    def type_of(self, expression: cst.BaseExpression) -> str | None:
        """Proven type."""
        if isinstance(expression, cst.Name) and (narrowed := self._narrowed(expression)):
            return narrowed
        if naming.is_turned(expression, self._piece):
            return None
        parsed = self._as_ast(expression)
        return None if parsed is None else infer.type_of(parsed, self._scopes)

    def type_of_entry(self, container: cst.BaseExpression) -> str | None:
        """Proven type of all entries."""
        parsed = self._as_ast(container)
        if parsed is None or naming.is_turned(container, self._piece):
            return None
        return entries.type_of_entry(parsed, None, self._scopes, infer.MAX_STEPS)

    def lambdas(self, function: cst.BaseExpression) -> Sequence[cst.Lambda]:
        """A lambda itself, or one for each thing that the function named returns."""
        if isinstance(function, cst.Lambda):
            return (function,)
        parsed = self._as_ast(function)
        found = None if parsed is None else infer.defined(parsed, self._scopes)
        if found is None:
            return ()
        made = values.as_lambdas(found[1], isinstance(function, cst.Attribute))
        return [one for one in map(self._piece.elsewhere, made) if isinstance(one, cst.Lambda)]

    def length_of(self, expression: cst.BaseExpression) -> int | None:
        """Entries of a display, or of the one display that a name is bound to and that nothing grows."""
        parsed = self._as_ast(expression)
        return (
            None
            if parsed is None or naming.is_turned(expression, self._piece)
            else values.length_of(parsed, self._scopes)
        )

    def is_constant(self, expression: cst.BaseExpression) -> bool:
        """Whether it is built of literals only."""
        parsed = self._as_ast(expression)
        return parsed is not None and values.is_literal(parsed)

    def is_fixed(self, expression: cst.BaseExpression) -> bool:
        """Whether it yields the same at every execution."""
        parsed = self._as_ast(expression)
        return parsed is not None and not naming.is_turned(expression, self._piece) and is_fixed(parsed, self._scopes)

    def is_settled(self, expression: cst.BaseExpression) -> bool:
        """Whether it is fixed, or stays as the constructor made it."""
        parsed = self._as_ast(expression)
        return parsed is not None and not naming.is_turned(expression, self._piece) and is_settled(parsed, self._scopes)

    def turns_of(self, loop: Loop) -> int | None:
        """How often the loop turns at most, if that is plain to see."""
        if isinstance(loop, cst.While):
            return None
        if isinstance(loop, cst.FunctionDef | cst.Lambda):
            run = self._run(loop)
            items = None if run is None or isinstance(loop, cst.FunctionDef) else run.items
            return None if items is None else values.length_of(items, self._scopes)
        iterable = loop.iter
        if isinstance(iterable, cst.Call) and iterable.args:
            name = self.qualified(iterable.func)
            if name == "builtins.range":
                parsed = self._as_ast(iterable)
                return values.length_of_range(parsed) if isinstance(parsed, ast.Call) else None
            if name in _SAME_LENGTH:
                iterable = iterable.args[0].value
        # what is empty here is filled elsewhere
        return self.length_of(iterable) or None

    def appended(self, target: str, within: cst.CSTNode) -> Sequence[cst.BaseExpression]:
        """What is put into the list of that dotted name."""
        name = target.rpartition(".")[2]
        if name.isidentifier() and not self._scopes.facts.grows(name):
            return ()
        return local.appended(target, within, self)

    def additions(self, statement: cst.CSTNode) -> Sequence[cst.BaseExpression]:
        """The operands by which an assignment adds to its own target."""
        return repeat.additions(statement, self)

    def carrier(self, statement: cst.CSTNode, target: str) -> cst.For | cst.While | cst.FunctionDef | None:
        """The outermost loop that carries the target from turn to turn."""
        return repeat.carrier(statement, target, self)

    def repeating(self, node: cst.CSTNode) -> Sequence[Loop]:
        """The loops that may run the node many times."""
        return repeat.repeating(node, self)

    def renews(self, loop: Loop, expression: cst.BaseExpression) -> bool:
        """Whether the loop's turns bind or empty what the expression is made from."""
        return repeat.renews(loop, expression, self)

    def met_again(self, node: cst.CSTNode, value: cst.BaseExpression) -> bool:
        """Whether the node runs many times on the same value."""
        return repeat.met_again(node, value, self)

    def bound_to(self, expression: cst.BaseExpression) -> cst.BaseExpression | None:
        """What the name or attribute is bound to, if exactly once."""
        parsed = self._as_ast(expression)
        value = (
            None
            if parsed is None or naming.is_turned(expression, self._piece)
            else values.value_of(parsed, self._scopes)
        )
        return None if value is None else self._piece.elsewhere(value)

    def text_of(self, expression: cst.BaseExpression) -> str | bytes | None:
        """The text that the expression always is."""
        parsed = self._as_ast(expression)
        return (
            None
            if parsed is None or naming.is_turned(expression, self._piece)
            else values.text_of(parsed, self._scopes)
        )

    def item_loops(
        self, node: cst.CSTNode, beside: bool = False
    ) -> Sequence[cst.For | cst.CompFor | cst.FunctionDef | cst.Lambda]:
        """The loops that take one item of some data a turn."""
        loops = turns.item_loops(node, self)
        runs = ((loop, self._run(loop)) for loop in loops)
        return [loop for loop, run in runs if run is None or not (run.carried or (run.beside and not beside))]

    def handed(self, call: cst.Call) -> cst.BaseExpression | None:
        """The name of the function that the call runs for every item."""
        facts = self._scopes.facts
        runs = runs_per_item(facts)
        if not runs.handings:
            return None
        found = runs.handed_at(self._piece.span(call), facts.flat, self._piece.source)
        return self._piece.elsewhere(found) if isinstance(found, ast.Name | ast.Attribute) else None

    def steady(self, loop: Loop) -> Collection[str]:
        """The parameters that have the same value in all runs."""
        run = self._run(loop)
        return frozenset() if run is None else run.kept

    def _run(self, loop: cst.CSTNode) -> PerItem | None:
        """How the function runs for every item, if it is one and does."""
        runs = runs_per_item(self._scopes.facts)
        if not runs.functions or not isinstance(loop, _FUNCTIONS):
            return None
        return runs.at(self._piece.span(loop), self._piece.source)

    def is_paced(self, loop: Loop) -> bool:
        """Whether the turns of the loop sleep."""
        return turns.is_paced(loop, self)

    def is_unchanged(self, expression: cst.BaseExpression, loop: Loop, immutable: bool = False) -> bool:
        """Whether no turn of the loop changes what the expression is made from."""
        return turns.is_unchanged(expression, loop, self, immutable)

    def is_same_call(self, call: cst.Call, loop: Loop) -> bool:
        """Whether each turn of the loop repeats the call."""
        return turns.is_same_call(call, loop, self)

    def carries(self, node: cst.Call | cst.Await, loop: Loop) -> bool:
        """Whether a later turn depends on what the node yields."""
        return turns.carries(node, loop, self)

    def binds(self, node: cst.CSTNode) -> Collection[str]:
        """The names and dotted names that the node itself binds."""
        return naming.bound_by(node, self._piece)

    def argument(self, call: cst.Call, position: int, keyword: str) -> cst.BaseExpression | None:
        """The argument in that position or of that keyword."""
        for index, argument in enumerate(call.args):
            if argument.star:
                return None
            if index == position if argument.keyword is None else argument.keyword.value == keyword:
                return argument.value
        return None

    def waits_for(self, call: cst.Call) -> str | None:
        """What the call waits for."""
        parsed = self._as_ast(call)
        name = self.qualified(call.func)
        return sinks.waits_for(parsed, name, self._scopes) if isinstance(parsed, ast.Call) else None

    def way(self, call: cst.Call) -> tuple[Step, ...]:
        """From the function that the call runs to what makes it suspect."""
        return self._ways.get(self._piece.span(call), ())

    def logs_at(self, call: cst.Call) -> str | None:
        """The level if it is a call of a logger."""
        return sinks.logs_at(call, self)

    def asks_level(self, node: cst.CSTNode) -> bool:
        """Whether a condition around the node asks for the level of a logger."""
        return sinks.asks_level(node, self)

    def opens_to_read(self, call: cst.Call) -> bool:
        """Whether the call opens a file, and only to read it."""
        return sinks.opens_to_read(call, self)

    def reads_of(self, call: cst.Call) -> Sequence[cst.Call]:
        """The calls that read the file that `call` opens."""
        return sinks.reads_of(call, self)

    def uses(self, name: str, within: cst.CSTNode | None = None) -> Sequence[cst.Name]:
        """Every occurrence of the plain name."""
        return naming.uses(name, within or self.root, self._piece)

    def stores(self, target: str, within: cst.CSTNode | None = None) -> Sequence[cst.CSTNode]:
        """Nodes that bind the dotted target, or assign to that item."""
        if target.endswith("]"):
            return naming.item_stores(target, within or self.root, self._piece)
        return naming.stores(target, within or self.root, self._piece)

    def code(self, node: cst.CSTNode) -> str:
        """Source text of the node."""
        return self._piece.code(node)

    def derives_from(self, expression: cst.BaseExpression, bases: Collection[str]) -> bool:
        """Whether the expression names one of these classes or one derived from them."""
        parsed = self._as_ast(expression)
        return parsed is not None and infer.derives_from(parsed, bases, self._scopes)

    def outlives(self, node: cst.CSTNode) -> bool:
        """Whether the value reaches beyond the frame."""
        return flow.outlives(node, self)

    def kept_once(self, node: cst.CSTNode) -> bool:
        """Whether the value is made once and kept."""
        return flow.kept_once(node, self)

    def returned(self, node: cst.CSTNode) -> bool:
        """Whether the value is what its function returns."""
        return flow.returned(node, self)

    def home(self, expression: cst.BaseExpression) -> str | None:
        """Where what the expression names is kept."""
        found = self._home(expression)
        return None if found is None else found.kind

    def only_grows(self, expression: cst.BaseExpression) -> bool:
        """Whether the module never takes an entry from the container."""
        found = self._home(expression)
        if found is None or kept.is_bounded(found.bindings) or kept.is_emptied_elsewhere(found, self._scopes.facts):
            return False
        handling = kept.handling(self._scopes.facts)
        if any(handling.is_emptied(key) for key in found.keys):
            return False
        self._scopes.facts.relied.update(key.rpartition(".")[2] for key in found.keys if "." in key)
        return True

    def read_from(self, expression: cst.BaseExpression) -> Collection[str]:
        """Names of the attributes and methods that the module reads from what is kept there."""
        found = self._home(expression)
        if found is None:
            return frozenset()
        handling = kept.handling(self._scopes.facts)
        return frozenset().union(*(handling.attributes(key) for key in found.keys))

    def parameters(self, node: cst.CSTNode) -> Collection[str]:
        """Names of the parameters of the innermost function, without a method's receiver."""
        function = self.function(node)
        if function is None:
            return frozenset()
        owner = self._scopes.klass()
        listed = (part for part in self.descendants(function.params) if isinstance(part, cst.Param))
        return frozenset(part.name.value for part in listed) - ({owner[1]} if owner is not None else set())

    def class_bases(self, node: cst.CSTNode) -> Sequence[str] | None:
        """Code of the bases of the class in whose body the flagged node stands."""
        around = self._scopes.chain[-1]
        return [ast.unparse(base) for base in around.bases] if isinstance(around, ast.ClassDef) else None

    def abandoned(self, node: cst.CSTNode, endings: Collection[str], borrowers: Collection[str] = ()) -> bool:
        """Whether the value never leaves its function and is not ended there."""
        return local.Abandonment(self, endings, borrowers).covers(node)

    def memoizes(self, store: cst.CSTNode, container: cst.BaseExpression) -> bool:
        """Whether the store fills a cache."""
        return local.memoizes(store, container, self)

    def is_task(self, expression: cst.BaseExpression) -> bool:
        """Whether the expression makes an asyncio task."""
        return local.is_task(expression, self)

    def caches_all(self, function: cst.FunctionDef) -> bool:
        """Whether a decorator of `functools` keeps every result, and nothing clears it."""
        if not local.caches_all(function, self):
            return False
        around = self._scopes.chain[-1]
        name = function.name.value
        key = f"{around.name}.{name}" if isinstance(around, ast.ClassDef) else name
        return "cache_clear" not in kept.handling(self._scopes.facts).attributes(key)

    def keeps_all(self, decorator: cst.BaseExpression) -> bool:
        """Whether what it is called with keeps every result."""
        return local.keeps_all(decorator, self)

    def decorates(self, node: cst.CSTNode) -> bool:
        """Whether the node's function returns a parameter of its own."""
        return local.decorates(node, self)

    def starts_up(self, node: cst.CSTNode) -> bool:
        """Whether the function's name speaks of setting something up."""
        return flow.starts_up(node, self)

    def _home(self, expression: cst.BaseExpression) -> kept.Home | None:
        parsed = self._as_ast(expression)
        return None if parsed is None or naming.is_turned(expression, self._piece) else kept.home(parsed, self._scopes)

    def runs_once(self, node: cst.CSTNode) -> bool:
        """Whether nothing in sight repeats the node."""
        chain = self._scopes.chain
        own = len(chain) > 1 and isinstance(chain[1], Function)
        return flow.runs_once(node, self, functions_run_once(self._scopes.facts) if own else ())

    def runs_often(self, node: cst.CSTNode, within: int = MAX_CALLS) -> bool:
        """Whether a loop repeats the node, or so many calls lead from one to the function that it stands in."""
        if self.repeating(node):
            return True
        function = next((parent for parent in self.ancestors(node) if isinstance(parent, cst.FunctionDef)), None)
        if function is None:
            return False
        facts, name = self._scopes.facts, function.name.value
        often = called_often(facts)
        if name not in often.names:
            facts.awaited |= often.leading_to(name)
        return often.names.get(name, within + 1) <= within

    def asked_again(self, node: cst.CSTNode, value: cst.BaseExpression) -> bool:
        """Whether loops call the function around, each time with the same value for the expression."""
        return repeat.asked_again(node, value, self, lambda: given_again(self._scopes.facts))

    def _as_ast(self, expression: cst.CSTNode) -> ast.expr | None:
        return self._piece.expression(expression)

    def _narrowed(self, name: cst.Name) -> str | None:
        """The type that an `if isinstance(name, T):` around the name proves."""
        child: cst.CSTNode = name
        for parent in self.ancestors(name):
            if isinstance(parent, cst.If) and child is parent.body and isinstance(parent.test, cst.Call):
                arguments = parent.test.args
                if (
                    self.qualified(parent.test.func) == "builtins.isinstance"
                    and len(arguments) == 2
                    and isinstance(arguments[0].value, cst.Name)
                    and arguments[0].value.value == name.value
                ):
                    meant = self.qualified(arguments[1].value)
                    return None if meant is None else meant.removeprefix("builtins.")
            child = parent
        return None
