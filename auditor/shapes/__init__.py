"""Shapes of code that several rules look at, so that no rule needs another. Each takes the context of its node."""

from auditor.shapes.adding import Accumulation, Concat, accumulation, added_at_each_call, added_behind, concat_target
from auditor.shapes.lists import is_searched_as_list, taken_for_list, taken_out
from auditor.shapes.pairing import Side, any_pair, pairs
from auditor.shapes.passing import Pass, is_stretch, only_continues, pass_of
from auditor.shapes.searching import SAME, compares_key, conjuncts, looks_up
from auditor.shapes.starting import CREW, is_starter, makes_a_crew
from auditor.shapes.values import cached_by_call, cannot_be_hashed, is_appended, makes_default, sought_in
from auditor.shapes.waiting import is_awaited_later, runner

__all__ = [
    "CREW",
    "SAME",
    "Accumulation",
    "Concat",
    "Pass",
    "Side",
    "accumulation",
    "added_at_each_call",
    "added_behind",
    "any_pair",
    "cached_by_call",
    "cannot_be_hashed",
    "compares_key",
    "concat_target",
    "conjuncts",
    "is_appended",
    "is_awaited_later",
    "is_searched_as_list",
    "is_starter",
    "is_stretch",
    "looks_up",
    "makes_a_crew",
    "makes_default",
    "only_continues",
    "pairs",
    "pass_of",
    "runner",
    "sought_in",
    "taken_for_list",
    "taken_out",
]
