"""Numbers as people say them: 0.2 ms, 41 s, 12 MB, 26 %."""

from __future__ import annotations

import math

HOUR_S = 3600.0


def seconds(value: float) -> str:
    """A duration given in seconds, with two significant digits and a fitting unit."""
    if value >= 0.01 or value == 0 or not math.isfinite(value):
        return f"{_digits(value)} s"
    if value >= 1e-4:
        return f"{_digits(value * 1e3)} ms"
    return f"{_digits(value * 1e6)} µs"


def percent(ratio: float) -> str:
    """A ratio as a percentage with two significant digits."""
    return f"{_digits(ratio * 100)} %"


def at_most(ratio: float) -> str:
    """An upper bound as a percentage: what is less than a ten thousandth is bounded by that."""
    return percent(max(ratio, 1e-4))


def size(value: float) -> str:
    """A number of bytes in decimal units."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= scale:
            return f"{_digits(value / scale)} {unit}"
    return f"{_digits(value)} bytes"


def count(value: float) -> str:
    """A whole number with thousands separated."""
    return f"{value:,.0f}"


def times(value: float, noun: str) -> str:
    """A count and its noun, which is given in the plural."""
    return f"{count(value)} {noun.removesuffix('s') if value == 1 else noun}"


def factor(value: float) -> str:
    """A plain number with two significant digits."""
    return _digits(value)


def power(low: float, high: float) -> str:
    """What an exponent between `low` and `high` is called: "constant", "linear", "between linear and quadratic"."""
    least, most = max(0, math.floor(low + 0.5)), max(0, math.ceil(high - 0.5))
    return _power(least) if least >= most else f"between {_power(least)} and {_power(most)}"


def _power(exponent: int) -> str:
    names = ("constant", "linear", "quadratic", "cubic")
    return names[exponent] if exponent < len(names) else f"n^{exponent}"


def at_least(value: float) -> float:
    """The value rounded up to two significant digits, so that what is asked for suffices; infinity stays."""
    if not math.isfinite(value) or value <= 0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step - 1e-9) * step if step > 0 else value


def _digits(value: float) -> str:
    if not math.isfinite(value) or abs(value) >= 10:
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    places = max(0, 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
