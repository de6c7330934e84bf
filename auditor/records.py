"""Dataclasses that are cheap to define.

`dataclasses.dataclass` writes and compiles six methods for each class, which was a quarter of what a scan of one small
file took. Here `__init__` is compiled when it is first called, and the others need no compiling. To all who use them,
and to type checkers, they are dataclasses with slots; of the options, only those are there that audit uses.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace

__all__ = ["dataclass", "field", "replace"]

_set = object.__setattr__


class _Nothing:
    """Stands for a value that was not given."""

    def __repr__(self) -> str:
        return "<default>"


_NOTHING = _Nothing()


class _Field:
    """What is known of one field."""

    __slots__ = ("compare", "default", "factory", "init", "repr")

    def __init__(self, default: Any, factory: Any, init: bool, repr: bool, compare: bool) -> None:  # noqa: A002
        self.default = default
        self.factory = factory
        self.init = init
        self.repr = repr
        self.compare = compare


if not TYPE_CHECKING:

    def field(*, default=_NOTHING, default_factory=None, init=True, repr=True, compare=True):  # noqa: A002
        """As `dataclasses.field`."""
        return _Field(default, default_factory, init, repr, compare)

    def replace(record, /, **changes):
        """As `dataclasses.replace`."""
        for name in record.__match_args__:
            if name not in changes:
                changes[name] = getattr(record, name)
        return type(record)(**changes)

    def dataclass(*, slots, frozen=False, order=False, eq=True):
        """As `dataclasses.dataclass`; there are always slots."""
        assert slots
        return lambda cls: _defined(cls, frozen, order, eq)


def _defined(cls: type, frozen: bool, order: bool, eq: bool) -> type:
    own = dict(cls.__dict__)
    fields = {name: _field_of(own.pop(name, _NOTHING)) for name in own.get("__annotations__", ())}
    made: dict[str, Any] = {
        "__slots__": tuple(fields),
        "__match_args__": tuple(name for name, one in fields.items() if one.init),
        "__record__": fields,
        "__dataclass_fields__": _StandardFields(),
        "__init__": _Unwritten(),
        "__repr__": _repr,
        "__getstate__": _state,
        "__setstate__": _restore,
    }
    if eq:
        made |= _comparing([name for name, one in fields.items() if one.compare], order, frozen)
    if frozen:
        made |= {"__setattr__": _refuse, "__delattr__": _refuse}
    for name in ("__dict__", "__weakref__"):
        own.pop(name, None)
    return type(cls)(cls.__name__, cls.__bases__, made | own)


def _field_of(value: Any) -> _Field:
    return value if isinstance(value, _Field) else _Field(value, None, True, True, True)


# ------------------------------------------------------------------------------------------------
# Making one


class _Unwritten:
    """An `__init__` that is written when somebody asks for it."""

    def __get__(self, instance: object, owner: Any) -> Any:
        made = _written(owner)
        owner.__init__ = made
        return made.__get__(instance, owner)


def _written(cls: Any) -> Any:
    """The class's `__init__`."""
    known: dict[str, Any] = {"_set": _set, "_NOTHING": _NOTHING}
    parameters, lines = ["self"], []
    frozen = cls.__setattr__ is _refuse
    for name, one in cls.__record__.items():
        value = name
        if one.factory is not None:
            known[f"_make_{name}"] = one.factory
            made = f"_make_{name}()"
            value = f"{made} if {name} is _NOTHING else {name}" if one.init else made
        if one.init and (one.factory is not None or one.default is not _NOTHING):
            known[f"_default_{name}"] = one.default
            parameters.append(f"{name}=_default_{name}")
        elif one.init:
            parameters.append(name)
        elif one.factory is None:
            continue
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"])
    exec(text, known)
    made = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__module__ = cls.__module__
    return made


# ------------------------------------------------------------------------------------------------
# What they can do


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, one in self.__record__.items() if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: object, name: str, *_value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"{name!r} of {type(self).__qualname__} cannot be changed")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__record__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__record__, state, strict=True):
        _set(self, name, value)


def _comparing(names: list[str], order: bool, frozen: bool) -> dict[str, Any]:
    """The methods that compare by the fields of these names."""
    values: Any = attrgetter(*names) if names else lambda _self: ()

    def equal(self: object, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def less(self: object, other: object) -> Any:
        return values(self) < values(other) if other.__class__ is self.__class__ else NotImplemented

    def less_or_equal(self: object, other: object) -> Any:
        return values(self) <= values(other) if other.__class__ is self.__class__ else NotImplemented

    made: dict[str, Any] = {"__eq__": equal, "__hash__": (lambda self: hash(values(self))) if frozen else None}
    # the other two are these with the sides exchanged
    return made | ({"__lt__": less, "__le__": less_or_equal} if order else {})


class _StandardFields:
    """What makes `dataclasses.fields` and `asdict` know the class, made when one of them asks."""

    def __get__(self, _instance: object, owner: Any) -> dict[str, Any]:
        from dataclasses import field, make_dataclass

        made: Any = make_dataclass(
            owner.__name__,
            [(name, object, field(init=one.init, default=None)) for name, one in owner.__record__.items()],
        )
        found: dict[str, Any] = made.__dataclass_fields__
        owner.__dataclass_fields__ = found
        return found
