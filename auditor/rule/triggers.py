"""What a rule wants to see, as data; the gate is compiled from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What sort of trouble a rule looks for. Growing kinds get worse with time or input."""

    GROWTH = "growth"
    LEAK = "leak"
    ALLOCATION = "allocation"
    ALGORITHMIC = "algorithmic"
    SERIALIZATION = "serialization"
    BLOCKING = "blocking"
    REUSE = "reuse"
    QUERIES = "N+1"
    IO = "I/O"
    OVERHEAD = "overhead"
    LOGGING = "logging"


@dataclass(frozen=True, slots=True)
class Where:
    """Which surroundings a trigger asks for. All that are set must hold.

    function: inside a function or lambda (module and class bodies run once).
    loop: inside a loop or comprehension of the same function, or anywhere in one that runs for every item: handed to
        `map` and the like, or calling itself for several.
    coroutine: the innermost function is an `async def`.
    handler: inside an `except` of the same function.
    kept: the receiver of the call, or what the statement stores into, is an attribute, a name of the module, a
        parameter that has a default or a name that an inner function binds anew, not another local name.
    often: inside a function that loops call, as `Context.runs_often` knows it by its name.
    elsewhere: with `often`, a function counts too that loops of other files call, so that those decide.
    held: inside a `with` on what is named as a lock is, in the same function; only `Reaches` asks for that.
    """

    function: bool = False
    loop: bool = False
    coroutine: bool = False
    handler: bool = False
    kept: bool = False
    often: bool = False
    elsewhere: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Calls:
    """Trigger: a call of one of these. "asyncio.Queue" is a qualified name, ".create_task" a method of anything.

    The gate looks at the last component only, aliases included; the rule's check decides. With `through`, one of these
    has to be among the attributes that lead to the method ("objects", as in `Model.objects.filter(...).get()`). With
    `owners`, the name of what the method is called on has to end in one of these, in lower case ("session").
    """

    names: tuple[str, ...]
    where: Where = Where()
    through: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nodes:
    """Trigger: a node of one of these classes of the standard library's `ast` ("AugAssign", "Compare", "Dict").

    What follows keeps the rest away from the check, if set. `least` asks for at least so many entries of a display,
    `targets` for a target of one of these classes ("Subscript"), `values` for a value assigned of one of these, `again`
    for a name in the target that the value has too (`s = s + x`; of a `Subscript`, in its value and its index),
    `operators` for one of these ("Add", "In"),
    `asks` for a loop whose body begins with an `if`, or a comprehension with a condition,
    `decorators` for one of these last components among the decorators of a definition ("lru_cache"), `attributes` for a
    value that is one of these attributes ("iloc", as in `x.iloc[i]`).
    """

    kinds: tuple[str, ...]
    where: Where = Where()
    least: int = 0
    targets: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    again: bool = False
    asks: bool = False
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaches:
    """Trigger: a call of a function of the project from which a few calls more lead to one of `names`, as in `Calls`.

    The check asks `Context.way` which way that is. A method of anything (".execute") counts if `waits_for` is what the
    call of it waits for. A call of one of `polling` that is told not to wait does not count. With `made`, the names are
    classes, and the functions on the way hand back the object. `through` is as in `Calls`. With `often`, no call is
    shown for it; of files with such ends, `Context.runs_often` then knows which functions loops of other files call.
    """

    names: tuple[str, ...]
    where: Where = Where()
    waits_for: str = ""
    polling: tuple[str, ...] = ()
    made: bool = False
    through: tuple[str, ...] = ()
    often: bool = False


Trigger = Calls | Nodes | Reaches
