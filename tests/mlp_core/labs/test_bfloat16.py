"""What bfloat16 gains and costs here: its error is that of a mantissa of eight bits."""

from mlp_core.labs.bfloat16 import bfloat16_here


def test_bfloat16_products_are_measured_once() -> None:
    here = bfloat16_here()
    assert here.time_ratio > 0
    assert 1e-3 < here.largest_error < 2 * 2**-8  # each of two factors is off by 2⁻⁹ of itself at the most, and the product again
    assert bfloat16_here() is here
