"""Shapes of code that several rules look at, so that no rule needs another. Each takes the context of its node."""

from auditor.shapes.adding import Accumulation, Concat, accumulation, added_at_each_call, added_behind, concat_target
from auditor.shapes.passing import Pass, only_continues, pass_of
from auditor.shapes.starting import CREW, is_starter, makes_a_crew
from auditor.shapes.values import cached_by_call, cannot_be_hashed, is_appended, makes_default, sought_in
from auditor.shapes.waiting import is_awaited_later, runner

__all__ = [
    "CREW",
    "Accumulation",
    "Concat",
    "Pass",
    "accumulation",
    "added_at_each_call",
    "added_behind",
    "cached_by_call",
    "cannot_be_hashed",
    "concat_target",
    "is_appended",
    "is_awaited_later",
    "is_starter",
    "makes_a_crew",
    "makes_default",
    "only_continues",
    "pass_of",
    "runner",
    "sought_in",
]
