"""What leads to the other pages: a card with a small figure for each, and links that open one with an experiment set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import streamlit as st

from mlp_core.spec import query_of
from pages.figures.figure import Figure
from pages.ui.live_chart import live_chart
from pages.ui.memo import memo
from pages.ui.navigation import ROOT

COLUMNS = 3
FIGURE_HEIGHT = 200


class Card(NamedTuple):
    """A page's card: its file's stem, a title, a sentence, and a figure that its `alt` describes."""

    page: str
    title: str
    sentence: str
    figure: Callable[[], Figure]
    alt: str


def card_row(cards: Sequence[Card]) -> None:
    """Show the cards side by side."""
    for start in range(0, len(cards), COLUMNS):
        for column, card in zip(st.columns(COLUMNS), cards[start : start + COLUMNS], strict=False):
            with column.container(border=True, height="stretch"):
                live_chart(memo(f"card_{card.page}", 0, card.figure), key=f"card_{card.page}", height=FIGURE_HEIGHT, alt=card.alt)
                st.page_link(ROOT / "pages" / f"{card.page}.py", label=f"**{card.title}**", icon=":material/arrow_forward:")
                st.caption(card.sentence)


def experiment_links(experiments: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Links to the training page with an experiment set up: a label, and the fields of its `RunSpec` that differ from the default."""
    for column, (label, settings) in zip(cycle(st.columns(2)), experiments, strict=False):
        with column:
            st.page_link(ROOT / "pages" / "train.py", label=label, icon=":material/science:", query_params=query_of(settings))
