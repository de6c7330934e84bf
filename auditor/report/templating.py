"""The Jinja environment that templates are rendered in. What a template prints is escaped unless it says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from auditor.bundled import bundled
from auditor.report import figures, wording
from auditor.report.overview import changes, flagged, location
from auditor.report.printable import source_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def environment(escape: Callable[[str], str], filters: Mapping[str, Callable[[str], str]]) -> Environment:
    """An environment that puts every printed value through `escape`; the results of `filters` are taken as they are."""

    def finalize(value: object) -> object:
        if hasattr(value, "__html__"):
            return value
        return Markup(escape("" if value is None else str(value)))

    env = Environment(
        loader=FileSystemLoader(bundled("templates")),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update({name: _trusted(function) for name, function in filters.items()})
    env.globals.update(
        figures=figures,
        wording=wording,
        changes=changes,
        flagged=flagged,
        location=location,
        source_line=source_line,
    )
    return env


def _trusted(function: Callable[[str], str]) -> Callable[[Any], Markup]:
    return lambda value: Markup(function(str(value)))
