"""Expectations: what a rule expects to be measured if its suspicion is true."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """The flagged node is costly as it stands: seconds spent in it, and their share of the run.

    `below` narrows the seconds to samples in which one of these functions ("file-suffix:function") stands
    below the flagged line, for nodes whose own work is wanted but whose overhead is not. With `memory`, what is held
    at the peak counts too; without `time`, it counts alone, as any other way of doing the same takes as long.
    """

    below: tuple[str, ...] = ()
    memory: bool = False
    time: bool = True


@dataclass(frozen=True, slots=True)
class Scaling:
    """The flagged operation grows dearer with the size of its input: seconds, share, and the growth exponent.

    `steep` says that a few items more may make it dearer by any factor, so that small sizes do not speak for it.
    `avoidable` says that one execution in all would do, so that what each costs counts, whether it grows or not.
    `copies` says that what grows is a copy or a move in memory, of which a few items cost next to nothing.
    """

    steep: bool = False
    avoidable: bool = False
    copies: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """The flagged container fills faster than it is emptied: greatest length and its slope."""


@dataclass(frozen=True, slots=True)
class Survivors:
    """Objects created at the flagged node stay alive: how many, against how many were created.

    `noun` is their plural ("tasks"). `churn` names functions ("file-suffix:function") whose seconds below the flagged
    function are the price of creating such objects anew, where that alone may be too much.
    """

    noun: str
    churn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reuse:
    """A connection is opened anew although an earlier one could serve: connections opened per execution.

    What is `pooled` is made once and should keep connections for all: connections opened against those open at once,
    and seconds in which callers wait for one. With `making`, making it counts where it connects to no peer.
    """

    pooled: bool = False
    making: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """The flagged call holds up an event loop: seconds for which the loop stood still."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """The flagged call does again what it did before with the same input: seconds in executions with an input seen."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The flagged operation waits, one after the other or for a lock: seconds spent waiting, and how often."""


Expectation = Cost | Scaling | Backlog | Survivors | Reuse | Stall | Repetition | Wait
