"""What a field may be: bounds of numbers, and the error that names field, rule and value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlp_core.words import Message, counted, exactly

MAX_NUMBER_LENGTH = 40  # characters


class SpecError(ValueError):
    """A field that breaks a rule. `str()` is a sentence for the person who set it."""

    def __init__(self, field: str, rule: str, value: object) -> None:
        self.field, self.rule, self.value = field, rule, value
        super().__init__(Message("{field}: {rule}, got {value}", field=field, rule=rule, value=shown(value)))

    def __reduce__(self) -> tuple[type[SpecError], tuple[str, str, object]]:
        return SpecError, (self.field, self.rule, self.value)


def shown(value: object, limit: int = 60) -> str:
    """A value as it was given, cut short: the end of an error's sentence."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, a list in a list in a list …
        return Message("a value too large to show ({kind})", kind=type(value).__name__)
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The closed interval of a number, and whether it must be whole."""

    low: float
    high: float
    whole: bool = False

    @property
    def rule(self) -> str:
        if self.whole:
            return Message("must be a whole number from {low} to {high}", low=int(self.low), high=int(self.high))
        return Message("must be a number from {low} to {high}", low=exactly(self.low), high=exactly(self.high))

    def check(self, field: str, value: object) -> float:
        """Return `value` as the field's type.

        Raises:
            SpecError: not a number, not finite, not whole where it must be, or outside the interval.
        """
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SpecError(field, self.rule, value)
        if not self.low <= value <= self.high or (self.whole and value != int(value)):  # NaN fails the first comparison
            raise SpecError(field, self.rule, value)
        return int(value) if self.whole else float(value)

    def read(self, field: str, text: str) -> float:
        """The number that a link's `text` names, checked.

        Raises:
            SpecError: as `check` does, or not a plain decimal number.
        """
        read: Callable[[str], float] = int if self.whole else float
        try:
            if not text.isascii() or "_" in text or len(text) > MAX_NUMBER_LENGTH:
                raise ValueError
            value = read(text)
        except ValueError as error:
            raise SpecError(field, self.rule, text) from error
        return self.check(field, value)


def check_numbers(field: str, values: object, bounds: Bounds, most: int) -> tuple[float, ...]:
    """Return `values` as a tuple of at most `most` numbers, each within `bounds`."""
    if not isinstance(values, (tuple, list)):
        raise SpecError(field, Message("must be a tuple of numbers"), values)
    if len(values) > most:
        raise SpecError(field, Message("must have at most {most} entries", most=most), counted(len(values), "{n} entry", "{n} entries"))
    return tuple(bounds.check(field, value) for value in values)


def check_choice(field: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise unless `value` is one of `choices`."""
    if value not in choices:
        raise SpecError(field, Message("must be one of {choices}", choices=", ".join(choices)), value)
