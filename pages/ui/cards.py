"""What leads to the other pages: a card with a small figure for each, and links that open one with an experiment set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mlp_core.spec import query_of
from pages.figures.figure import Figure
from pages.ui.live_chart import live_chart
from pages.ui.memo import memo
from pages.ui.navigation import ROOT, has_page

COLUMNS = 3
FIGURE_HEIGHT = 200


@dataclass(frozen=True, slots=True)
class Card:
    """A page's card: its file's stem, a title, a sentence, and a figure that its `alt` describes."""

    page: str
    title: str
    sentence: str
    figure: Callable[[], Figure]
    alt: str


def card_row(cards: Sequence[Card]) -> None:
    """Show the cards of the pages that exist, side by side."""
    cards = [card for card in cards if has_page(card.page)]
    for start in range(0, len(cards), COLUMNS):
        for column, card in zip(st.columns(COLUMNS), cards[start : start + COLUMNS], strict=False):
            with column.container(border=True, height="stretch"):
                live_chart(memo(f"card_{card.page}", 0, card.figure), key=f"card_{card.page}", height=FIGURE_HEIGHT, alt=card.alt)
                st.page_link(ROOT / "pages" / f"{card.page}.py", label=f"**{card.title}**", icon=":material/arrow_forward:")
                st.caption(card.sentence)


def experiment_links(experiments: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Links to the training page with an experiment set up: a label, and the fields of its `RunSpec` that differ from the default."""
    columns = st.columns(2)
    for index, (label, settings) in enumerate(experiments):
        with columns[index % 2]:
            st.page_link(ROOT / "pages" / "train.py", label=label, icon=":material/science:", query_params=query_of(settings))
