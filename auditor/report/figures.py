"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model import Evidence, Gain

_SHARES = ("share", "peak_share")
_TIMES = ("cost_ratio",)
_SECONDS = ((0.1, 1.0, "s"), (1e-4, 1e3, "ms"), (1e-7, 1e6, "µs"), (0.0, 1e9, "ns"))
_BYTES = ((1e9, 1e-9, "GB"), (1e6, 1e-6, "MB"), (1e3, 1e-3, "kB"), (0.0, 1.0, "B"))
_UNKNOWN = "not known"


def number(value: float) -> str:
    """Three figures from 1 upwards, two below; whole numbers in full: "12,345", "0.54", "1.02"."""
    size = abs(value)
    if not math.isfinite(value):
        return _UNKNOWN
    if size >= 1e15:
        return f"{value:.2e}"
    if value == int(value) or size >= 100:
        return f"{value:,.0f}"
    if size >= 1:
        return _trimmed(f"{value:.{1 if size >= 10 else 2}f}")
    if size >= 1e-4:
        return _trimmed(f"{value:.{1 - math.floor(math.log10(size))}f}")
    return f"{value:.1e}"


def quantity(metric: str, value: float, unit: str) -> str:
    """A value with its unit: "0.54 s", "0.2 ms", "12.3 MB", "97 %", "14x", "12,345 executions"."""
    factor, name = _scale(metric, value, unit)
    return _joined(number(value * factor), name) if math.isfinite(value) else _UNKNOWN


def interval(row: Evidence) -> str:
    """The 95 % interval: "0.52 to 0.56 s", "at least 0.52 s", or "exact" for a count."""
    factor, name = _scale(row.metric, max(abs(row.low), abs(row.high)), row.unit)
    low, high = math.isfinite(row.low), math.isfinite(row.high)
    if low and high:
        if row.low == row.high:
            return "exact"
        return _joined(" to ".join(_ends(row.low * factor, row.high * factor)), name)
    if low:
        return f"at least {quantity(row.metric, row.low, row.unit)}"
    return f"at most {quantity(row.metric, row.high, row.unit)}" if high else _UNKNOWN


def gain(bound: Gain) -> str:
    """How many times as fast all were if the flagged work cost nothing: "1.2x to 1.4x", "1.25x", "over 20x"."""
    low, high = _factor(bound.low), _factor(bound.high)
    if not math.isfinite(bound.high):
        return f"over {low}x"
    return f"{high}x" if low == high else f"{low}x to {high}x"


def ratio(value: float, base: float) -> str:
    """How many times `base` a value is: "1.31x"; "" where there is nothing to compare with."""
    return f"{number(value / base)}x" if base > 0 and value > 0 else ""


def counted(count: int, singular: str, plural: str = "") -> str:
    """A count with its noun: "1 file", "2,345 files", "no files"."""
    noun = singular if count == 1 else plural or f"{singular}s"
    return f"{count:,} {noun}" if count else f"no {noun}"


def _scale(metric: str, value: float, unit: str) -> tuple[float, str]:
    if unit == "ratio":
        return (100.0, "%") if metric in _SHARES else (1.0, "x" if metric in _TIMES else "")
    if unit == "exponent":
        return 1.0, ""
    steps = {"s": _SECONDS, "B": _BYTES}.get(unit)
    if steps is None:
        return 1.0, unit
    if value == 0:
        return 1.0, unit
    return next((factor, name) for least, factor, name in steps if abs(value) >= least or least == 0.0)


def _ends(low: float, high: float) -> tuple[str, str]:
    """Both ends with as many decimals as tell them apart by two figures, but no more than three figures in all.

    Where that is too few to tell them apart, they are rounded outwards.
    """
    width, size = high - low, max(abs(low), abs(high))
    decimals = min(max(1 - math.floor(math.log10(width)), 0), 9) if width > 0 and math.isfinite(width) else 0
    most = max(2 - math.floor(math.log10(size)), 0) if size > 0 else 0
    if decimals > most:
        decimals, step = most, 10.0**-most
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    texts = (f"{low:,.{decimals}f}", f"{high:,.{decimals}f}")
    return (_trimmed(texts[0]), _trimmed(texts[1])) if decimals else texts


def _joined(text: str, name: str) -> str:
    return f"{text}{name}" if name in ("", "x") else f"{text} {name}"


def _factor(value: float) -> str:
    return number(round(value, 2)) if math.isfinite(value) else _UNKNOWN


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".")
