"""What a rule may ask about a node."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from auditor.rule.matching import Step

if TYPE_CHECKING:
    from auditor import cst

Node = TypeVar("Node", bound="cst.CSTNode")


Loop: TypeAlias = "cst.For | cst.While | cst.CompFor | cst.FunctionDef | cst.Lambda"
"""What repeats code: a loop, or a function that runs for every item."""


class Context(Protocol):
    """What a check may ask about the code around the node it was given.

    The check sees LibCST nodes of one slice of the file: the outermost function around the node, or the
    module-level or class-level statement. Facts from outside the slice (imports, module-level names, attributes
    of the class) are answered too.

    The nodes are made from the `ast` as they are asked for. They are instances of LibCST's classes, have the fields
    that hold code, and are the same object whenever met; white space, comments, commas and parentheses are not among
    their children. A check that reads a field of that kind (`lpar`, `leading_lines`) or visits nodes with LibCST's own
    visitors is run again on what LibCST parses, which is right and slow.
    """

    @property
    def path(self) -> str:
        """Path of the file, relative to the target."""
        ...

    @property
    def root(self) -> cst.CSTNode:
        """The slice's outermost node."""
        ...

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around `node`, None at the top of the slice."""
        ...

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around `node`, innermost first."""
        ...

    def descendants(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """`node` and every node inside it, in source order."""
        ...

    def inside(self, node: cst.CSTNode, *kinds: type[Node]) -> Sequence[Node]:
        """Those of `descendants` that are of one of these kinds; where these are few, much faster."""
        ...

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Lambda | None:
        """The innermost function around `node`; the function whose body runs it."""
        ...

    def loops(self, node: cst.CSTNode) -> Sequence[Loop]:
        """Loops that repeat `node` within its own function, innermost first.

        A function that runs for every item is the outermost, each of its runs a turn: a lambda or function of this
        file handed to `map`, `filter`, `sorted(key=...)`, `reduce`, `re.sub` and the like, or one that calls itself
        for each of several items or for the rest of them.

        The iterable of a `for` and the `else` branch of a loop are not repeated by it. A loop of attempts at the same
        (`for attempt in retrying: with attempt: ...`) ends with the first that succeeds, and is none.
        """
        ...

    def qualified(self, expression: cst.CSTNode) -> str | None:
        """Qualified name of what a name or attribute chain means, None if unknown or not a chain.

        Imports and aliases are resolved ("Q" -> "asyncio.Queue"), so are methods of values of known type
        ("session.get" -> "requests.Session.get") and builtins ("len" -> "builtins.len").
        """
        ...

    def type_of(self, expression: cst.BaseExpression) -> str | None:
        """Proven type: "str", "bytes", "list", "dict", "set", "tuple", "int"... or a qualified class; else None.

        From literals, constructor calls, annotations, defaults, `isinstance`, and attributes assigned in the class.
        """
        ...

    def type_of_entry(self, container: cst.BaseExpression) -> str | None:
        """The type that all entries of the container are proven to have, as `type_of` names it; else None.

        From displays, annotations (`list[str]`), defaults (`defaultdict(list)`) and what is stored in an empty one.
        """
        ...

    def lambdas(self, function: cst.BaseExpression) -> Sequence[cst.Lambda]:
        """A lambda itself, or one for each thing that a function of this module returns, if it is named."""
        ...

    def length_of(self, expression: cst.BaseExpression) -> int | None:
        """Number of entries of a display, or of the longest that a name is ever bound to, if nothing makes it grow."""
        ...

    def is_constant(self, expression: cst.BaseExpression) -> bool:
        """Whether it is built of literals only (numbers, strings, displays of these)."""
        ...

    def is_fixed(self, expression: cst.BaseExpression) -> bool:
        """Whether it yields the same at every execution: literals, names bound outside every function, what these make.

        So are displays, operators and f-strings over such parts, and lambdas that capture nothing else.
        """
        ...

    def is_settled(self, expression: cst.BaseExpression) -> bool:
        """Whether it is fixed, or stays as the constructor made it: such attributes, and paths built of these."""
        ...

    def turns_of(self, loop: Loop) -> int | None:
        """How often the loop turns at most, if that is plain to see: a display, or `range` over literals."""
        ...

    def appended(self, target: str, within: cst.CSTNode) -> Sequence[cst.BaseExpression]:
        """What is put into the list of that dotted name: `target.append(x)`, `.insert(0, x)`, `target += [x]`."""
        ...

    def additions(self, statement: cst.CSTNode) -> Sequence[cst.BaseExpression]:
        """The operands by which an assignment adds to its own target, as `s = s + x`, none if it does not."""
        ...

    def carrier(self, statement: cst.CSTNode, target: str) -> cst.For | cst.While | cst.FunctionDef | None:
        """The outermost loop that carries what the statement leaves in the dotted target from turn to turn.

        None if each turn starts the target afresh, if the loop ends right after the statement, or if it is short.
        """
        ...

    def repeating(self, node: cst.CSTNode) -> Sequence[Loop]:
        """Those of `loops(node)` that may run the node many times: neither short nor left right after it."""
        ...

    def renews(self, loop: Loop, expression: cst.BaseExpression) -> bool:
        """Whether the loop's turns bind or empty what the expression is made from. Adding to a list does not count."""
        ...

    def met_again(self, node: cst.CSTNode, value: cst.BaseExpression) -> bool:
        """Whether the node runs many times on the same value.

        In a loop that does not renew it; or at each call of a function, on an attribute of its object or an outer name.
        """
        ...

    def bound_to(self, expression: cst.BaseExpression) -> cst.BaseExpression | None:
        """What the name or attribute of `self` is bound to, if it is bound once, and to a value: a copy of its code."""
        ...

    def text_of(self, expression: cst.BaseExpression) -> str | bytes | None:
        """The text that the expression always is: a literal, a name bound once to one, a sum of such."""
        ...

    def item_loops(
        self, node: cst.CSTNode, beside: bool = False
    ) -> Sequence[cst.For | cst.CompFor | cst.FunctionDef | cst.Lambda]:
        """Those of `repeating(node)` that take one item of some data a turn: no `while`, and nothing by batches.

        Of functions that run for every item, those that wait for one another; `beside`, also those that a pool runs.
        """
        ...

    def handed(self, call: cst.Call) -> cst.BaseExpression | None:
        """The name of the function that the call runs for every item, as `map(f, items)` does, None if it runs none."""
        ...

    def steady(self, loop: Loop) -> Collection[str]:
        """Of a function that runs for every item, the parameters that have the same value in all runs."""
        ...

    def is_paced(self, loop: Loop) -> bool:
        """Whether the turns of the loop sleep, or wait for a limiter."""
        ...

    def is_unchanged(self, expression: cst.BaseExpression, loop: Loop, immutable: bool = False) -> bool:
        """Whether no turn of the loop binds, mutates or hands on what the expression is made from. It calls nothing.

        With `immutable`, the value is taken for one that cannot be mutated, such as a text.
        """
        ...

    def is_same_call(self, call: cst.Call, loop: Loop) -> bool:
        """Whether no turn of the loop binds what the call is made on or with, so that each turn repeats it."""
        ...

    def carries(self, node: cst.Call | cst.Await, loop: Loop) -> bool:
        """Whether a later turn depends on what the node yields: by what it is given there, or by running at all."""
        ...

    def binds(self, node: cst.CSTNode) -> Collection[str]:
        """The names and dotted names that the node itself binds, not those that nodes inside it do."""
        ...

    def argument(self, call: cst.Call, position: int, keyword: str) -> cst.BaseExpression | None:
        """The argument in that position or of that keyword, None if absent or hidden in a `*` or `**`."""
        ...

    def waits_for(self, call: cst.Call) -> str | None:
        """What the call waits for ("the database", "a file", "the clock"...), None if it is not known to wait."""
        ...

    def way(self, call: cst.Call) -> tuple[Step, ...]:
        """From the function that the call runs to a call that the rule's `Reaches` names, empty if there is no way."""
        ...

    def logs_at(self, call: cst.Call) -> str | None:
        """The level ("debug") if it is a call of a logger of `logging`, by type or by its usual name, else None."""
        ...

    def asks_level(self, node: cst.CSTNode) -> bool:
        """Whether a condition around the node asks for the level of a logger."""
        ...

    def opens_to_read(self, call: cst.Call) -> bool:
        """Whether the call opens a file, and only to read it."""
        ...

    def reads_of(self, call: cst.Call) -> Sequence[cst.Call]:
        """The calls that read or parse the file that `call` opens, directly or by way of one local name."""
        ...

    def uses(self, name: str, within: cst.CSTNode | None = None) -> Sequence[cst.Name]:
        """Every occurrence of the plain name in the slice (or in `within`), in source order."""
        ...

    def stores(self, target: str, within: cst.CSTNode | None = None) -> Sequence[cst.CSTNode]:
        """Nodes that bind the dotted `target` ("s", "self.text"): assignments, loops, `with`, walrus, parameters.

        Of an item ("x['key']"), the assignments to it in that spelling.
        """
        ...

    def code(self, node: cst.CSTNode) -> str:
        """Source text of the node."""
        ...

    def derives_from(self, expression: cst.BaseExpression, bases: Collection[str]) -> bool:
        """Whether the expression names one of these classes, or a class of this module derived from one."""
        ...

    def outlives(self, node: cst.CSTNode) -> bool:
        """Whether the value is awaited, returned, handed to a call, or kept by what outlives the function's frame.

        Local names and containers are followed; what is stored in them dies with the frame.
        """
        ...

    def kept_once(self, node: cst.CSTNode) -> bool:
        """Whether the value is made once and kept: `self.x = ...` in a start-up method, behind a guard, in a cache."""
        ...

    def returned(self, node: cst.CSTNode) -> bool:
        """Whether the value itself is what its function returns, as a factory does."""
        ...

    def home(self, expression: cst.BaseExpression) -> str | None:
        """Where what the expression names is kept: "module", "class", "instance"; None if local, imported, unknown."""
        ...

    def only_grows(self, expression: cst.BaseExpression) -> bool:
        """Whether the expression names a container with a `home` from which the program never takes an entry.

        Asked are this module and, for an attribute, those files of the project that import from it.
        Taking is removing, clearing, binding anew outside `__init__`, handing it to what is named for that
        (`prune(cache)`), and being a `deque` with a `maxlen`. Aliases and entries of it count for the container.
        """
        ...

    def read_from(self, expression: cst.BaseExpression) -> Collection[str]:
        """Names of the attributes and methods that this module reads from what has a `home`, also by way of aliases."""
        ...

    def parameters(self, node: cst.CSTNode) -> Collection[str]:
        """Names of the parameters of the innermost function around the node, without a method's receiver."""
        ...

    def class_bases(self, node: cst.CSTNode) -> Sequence[str] | None:
        """For a node that was flagged: code of the bases if it stands right in the body of a class, else None."""
        ...

    def abandoned(self, node: cst.CSTNode, endings: Collection[str], borrowers: Collection[str] = ()) -> bool:
        """Whether the value never leaves the function that makes it and none of the `endings` is called on it there.

        `borrowers` are qualified names of functions that use it and give it back ("json.load").
        """
        ...

    def memoizes(self, store: cst.CSTNode, container: cst.BaseExpression) -> bool:
        """Whether the function looks up the entry of the container, works it out if missing, stores and uses it."""
        ...

    def is_task(self, expression: cst.BaseExpression) -> bool:
        """Whether the expression makes an asyncio task, or is a local name bound to what does."""
        ...

    def caches_all(self, function: cst.FunctionDef) -> bool:
        """Whether a decorator of `functools` keeps every result: `cache`, `lru_cache(maxsize=None)`.

        The function is one that was flagged. A cache that the module clears (`function.cache_clear()`) does not count.
        """
        ...

    def keeps_all(self, decorator: cst.BaseExpression) -> bool:
        """Whether a function keeps every result if this is called with it: `cache`, `lru_cache(maxsize=None)`."""
        ...

    def decorates(self, node: cst.CSTNode) -> bool:
        """Whether the node's function returns a parameter of its own, as a decorator that registers does."""
        ...

    def starts_up(self, node: cst.CSTNode) -> bool:
        """Whether the node stands in a function whose name speaks of setting something up (`start`, `_open_pool`)."""
        ...

    def runs_once(self, node: cst.CSTNode) -> bool:
        """Whether the node stands at module or class level, in `main`, in a test, or in a start-up hook, in no loop.

        So it does in a function of a script (in a package: a private one) that only such code calls, in no loop either.
        """
        ...

    def runs_often(self, node: cst.CSTNode, within: int = 4) -> bool:
        """Whether a loop of this module may run the node many times, also over so many calls of its functions.

        Loops of other files that call its functions count, too, where a trigger asks (`Reaches(..., often=True)`).
        So may sorting and look-ups: the node stands in `__lt__`, `__hash__` and the like.
        """
        ...

    def asked_again(self, node: cst.CSTNode, value: cst.BaseExpression) -> bool:
        """Whether loops call the function around the node, each time with one and the same value for the expression.

        It is an attribute of the function's object, an outer name, or a parameter for which a loop of this module gives
        what it does not bind.
        """
        ...
