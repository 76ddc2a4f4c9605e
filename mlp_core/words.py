"""What a person reads. Numbers in sentences, on tiles and in formulas: no e-07, no inf, no −0, no "1 layers". And sentences as data: a
`Message` is its English text, and remembers of what it was made, so that a page can say it in another language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

LEAST_PLAIN, MOST_PLAIN = -3, 5  # decades: from 0.001 on and below 100,000 a number stands as it is, beyond as a power of ten
EXACT_PLAIN = (-6, 9)  # the same for settings, which a person recognizes by their zeros
MINUS = "−"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_INFINITE = {math.inf: "∞", -math.inf: f"{MINUS}∞"}
_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class Message(str):
    """An English text that remembers its template and the values in it; as a text it is like any other.

    message = Message("It diverged at step {step}.", step="1,204")
    message == "It diverged at step 1,204.", message.template, message.values

    Args:
        template: with a {name} where a value stands; other braces, as a formula has them, stay as they are.
        plural: the template where `amount` is not 1.
        amount: what decides between the two.
        values: what stands in their places: texts, which may be messages, and numbers as `str` writes them.

    Raises:
        KeyError: a value that has no place.
    """

    template: str
    plural: str
    amount: float
    values: Mapping[str, object]

    def __new__(cls, template: str, /, *, plural: str = "", amount: float = 1, **values: object) -> Message:
        if unplaced := [name for name in values if f"{{{name}}}" not in template + plural]:
            raise KeyError(f"{', '.join(unplaced)} has no place in {template!r}")
        message = super().__new__(cls, filled(plural if plural and amount != 1 else template, values))
        message.template, message.plural, message.amount, message.values = template, plural, amount, values
        return message

    def __reduce__(self) -> tuple[object, ...]:
        return _message, (self.template, self.plural, self.amount, dict(self.values))


def _message(template: str, plural: str, amount: float, values: Mapping[str, object]) -> Message:
    return Message(template, plural=plural, amount=amount, **values)


def filled(template: str, values: Mapping[str, object]) -> str:
    """A template with its values; a name in braces that is none of theirs stays, as in a formula."""
    return _PLACE.sub(lambda place: str(values[place[1]]) if place[1] in values else place[0], template)


def listed(items: Sequence[str], last: str = "") -> str:
    """ "a, b, c"; with `last`, "and" or "or", "a, b and c"."""
    if len(items) < 2:
        return items[0] if items else ""
    head, end = (listed(items[:-1]), items[-1])
    if last == "and":
        return Message("{items} and {last_item}", items=head, last_item=end)
    if last == "or":
        return Message("{items} or {last_item}", items=head, last_item=end)
    return Message("{items}, {last_item}", items=head, last_item=end)


def joined(*sentences: str) -> str:
    """Sentences one after the other, without those that are empty."""
    said = [sentence for sentence in sentences if sentence]
    if len(said) < 2:
        return said[0] if said else ""
    return Message("{sentence} {next_sentence}", sentence=joined(*said[:-1]), next_sentence=said[-1])


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits: "0.0123", "1,235", "−4.5 × 10⁻⁷", "0", "∞", "NaN"."""
    if not math.isfinite(value):
        return _INFINITE.get(value, "NaN")
    mantissa, exponent = _rounded(value, digits)
    if LEAST_PLAIN <= exponent < MOST_PLAIN:
        text = rounded(value, max(0, digits - 1 - exponent))
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{mantissa.replace('-', MINUS)} × {power_of_ten(exponent)}"


def exactly(value: float, most: int = 17) -> str:
    """A setting with all the digits it needs, `most` of them: "0.00001", "0.1", "1,000", "1 × 10⁻⁷"."""
    if not math.isfinite(value):
        return significant(value)
    digits = next((digits for digits in range(1, most) if float(f"{value:.{digits - 1}e}") == value), most)
    mantissa, exponent = _rounded(value, digits)
    if EXACT_PLAIN[0] <= exponent < EXACT_PLAIN[1]:
        return rounded(value, max(0, digits - 1 - exponent))
    return f"{mantissa.replace('-', MINUS)} × {power_of_ten(exponent)}"


def squared(value: float) -> str:
    """The square of a setting, not worked out: "0.01²", "(1 × 10⁻⁷)²"."""
    base = exactly(value)
    return f"({base})²" if "×" in base else f"{base}²"


def rounded(value: float, decimals: int) -> str:
    """A number with so many decimals, its thousands parted; a rounded 0 has no sign."""
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", MINUS)


def fixed(value: float, decimals: int) -> str:
    """As `rounded`, for what is compared on tiles and in columns; what so many decimals cannot show, as `significant` writes it."""
    if not math.isfinite(value) or value == 0:
        return significant(value)
    if round(value, decimals) == 0 or abs(value) >= 10**MOST_PLAIN:
        return significant(value)
    return rounded(value, decimals)


def from_log10(log10: float) -> str:
    """A size given by its log10, which may lie beyond what a float holds: -2.35 -> "4.5 × 10⁻³"; "0", "∞" and "NaN" where it is that."""
    if not math.isfinite(log10):
        return "NaN" if math.isnan(log10) else "∞" if log10 > 0 else "0"
    exponent = math.floor(log10)
    if LEAST_PLAIN <= exponent < MOST_PLAIN:
        return significant(10**log10, 2)
    mantissa = f"{10 ** (log10 - exponent):.1f}"
    if mantissa == "10.0":
        mantissa, exponent = "1.0", exponent + 1
    return f"{mantissa} × {power_of_ten(exponent)}"


def power_of_ten(exponent: int) -> str:
    """10 to a whole exponent: "10⁻⁷"."""
    return f"10{str(exponent).translate(_SUPERSCRIPT)}"


def latex_number(value: float, digits: int = 3) -> str:
    """What `significant` says, for a formula: "4.5 \\cdot 10^{-7}"."""
    if not math.isfinite(value):
        return {math.inf: r"\infty", -math.inf: r"-\infty"}.get(value, r"\mathrm{NaN}")
    mantissa, exponent = _rounded(value, digits)
    if LEAST_PLAIN <= exponent < MOST_PLAIN:
        return significant(value, digits).replace(MINUS, "-").replace(",", "{,}")
    return rf"{mantissa} \cdot 10^{{{exponent}}}"


def plus_minus(mean: float, error: float, digits: int = 2) -> str:
    """A number and what it is uncertain by, both to the last of so many digits of the error: "1.360 ± 0.011"."""
    if not math.isfinite(mean) or not math.isfinite(error):
        return significant(mean)
    if error == 0:
        return f"{significant(mean)} ± 0"
    _, exponent = _rounded(error, digits)
    if not EXACT_PLAIN[0] <= exponent < MOST_PLAIN or abs(mean) >= 10**MOST_PLAIN:
        return f"{significant(mean)} ± {significant(error, digits)}"
    decimals = max(0, digits - 1 - exponent)
    return f"{rounded(mean, decimals)} ± {rounded(error, decimals)}"


def delta(difference: float, decimals: int, unit: str = "") -> str:
    """A difference with its sign, in ASCII as Streamlit reads it: "+0.0123", "-1.5 points", "+2 × 10⁵"; nothing where it rounds to 0."""
    if not math.isfinite(difference) or round(difference, decimals) == 0:
        return ""
    return f"{'-' if difference < 0 else '+'}{fixed(abs(difference), decimals)} {unit}".rstrip()


def percent(fraction: float, digits: int = 1) -> str:
    """0.84375 -> "84.4 %"; "–" where there is no share."""
    return "–" if math.isnan(fraction) else Message("{number} %", number=rounded(100 * fraction, digits))


def count(value: float) -> str:
    """1234567 -> "1,234,567"; as a power of ten where nobody would read the digits."""
    return significant(value) if not math.isfinite(value) or abs(value) >= 1e12 else rounded(value, 0)


def counted(amount: float, one: str, many: str, **values: object) -> Message:
    """(1, "{n} layer", "{n} layers") -> "1 layer"; 1234 -> "1,234 layers".

    Args:
        one: the template where the amount is 1.
        many: the template where it is not.
        values: what else stands in them.
    """
    return Message(one, plural=many, amount=amount, n=count(amount), **values)


def scaled(value: float, unit: str = "") -> str:
    """123456 -> "123 k"; three significant digits and the power of a thousand."""
    for thousands, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * thousands:  # what three digits would round up to it
            return f"{significant(value / thousands)} {prefix}{unit}"
    return f"{significant(value)} {unit}".rstrip()


def duration(seconds: float) -> str:
    """75 -> "1 min 15 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return Message("{seconds} s", seconds=rest)
    if minutes < 60:
        return Message("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return Message("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def _rounded(value: float, digits: int) -> tuple[str, int]:
    """Mantissa and exponent to so many digits, the mantissa without zeros at its end."""
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa, int(exponent)
