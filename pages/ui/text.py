"""Words for a person: numbers in units, and a visitor's own text made harmless."""

import re


def plain(text: object, limit: int = 80) -> str:
    """Text from outside as markdown code, so that no link, picture or formula in it comes to life."""
    shown = re.sub(r"[`\s]+", " ", str(text)).strip()
    return f"`{shown[: limit - 1] + '…' if len(shown) > limit else shown or ' '}`"


def escaped(text: str) -> str:
    """Text as markdown that shows just that text."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$<>:^=&-])", r"\\\1", text)


def count(number: float) -> str:
    """1234567 -> "1,234,567"."""
    return f"{number:,.0f}"


def ordinal(number: int) -> str:
    """2 -> "2nd"."""
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def scaled(number: float, unit: str = "") -> str:
    """123456 -> "123 k"; three significant digits and the power of a thousand."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * size:  # what three digits would round up to it
            return f"{number / size:.3g} {prefix}{unit}"
    return f"{number:.3g} {unit}".rstrip()


def duration(seconds: float) -> str:
    """75 -> "1 min 15 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f} %"
