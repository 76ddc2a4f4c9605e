"""The number that a person reads in a text, to compare what a page says with what is true."""

from __future__ import annotations

from decimal import Decimal

POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-", ",")


def read(text: str) -> Decimal:
    """−4.5 × 10⁻⁷ or 1,234 as the number that it is, all its digits."""
    mantissa, _, power = text.partition(" × 10")
    return Decimal(mantissa.translate(POWERS)) * Decimal(10) ** int(power.translate(POWERS) or 0)
