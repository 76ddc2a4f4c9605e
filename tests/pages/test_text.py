"""A stranger's text stays text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pages.ui.text import plain


@given(st.text(max_size=400), st.integers(10, 100))
def test_a_strangers_text_is_one_piece_of_code_of_bounded_length(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert re.fullmatch(r"`[^`\n]+`", shown)
    assert len(shown) <= limit + 2


def test_what_is_harmless_is_shown_as_it_is() -> None:
    assert plain("[a](http://b) $x$ <i>") == "`[a](http://b) $x$ <i>`"
    assert plain(0.25) == "`0.25`"
    assert plain("") == "` `"
    assert plain("x" * 11, 10) == "`xxxxxxxxx…`"
    assert plain("a`b\n\n# c") == "`a b # c`"


def test_half_of_a_surrogate_pair_is_left_out() -> None:
    assert plain("a\ud800b\udfff").encode() == b"`a b`"
