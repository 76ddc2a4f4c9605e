"""A figure's own page holds the figure, plotly.js and its title as text, and asks the network for nothing."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs

from pages.figures.axes import axis
from pages.figures.figure import figure, scatter
from pages.figures.standalone import figure_html

FIGURE = figure([scatter(x=[1, 2, 3], y=[0.5, 0.25, 0.125], name="loss")], xaxis=axis("epoch"), height=400)


class Outline(HTMLParser):
    """The text in a page's title and heading, and every address that it asks for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: dict[str, str] = {}
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in ("title", "h1"):
            self.words[self.tags[-1]] = self.words.get(self.tags[-1], "") + data

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


def test_it_holds_the_figure_and_the_library() -> None:
    page = figure_html(FIGURE, "Loss")
    assert get_plotlyjs() in page
    data = re.search(r'Plotly\.newPlot\(\s*"figure",\s*(\[.*?\]),\s*\{', page.replace(get_plotlyjs(), ""), re.DOTALL)
    assert data is not None
    (trace,) = json.loads(data[1])
    assert (trace["x"], trace["y"], trace["name"]) == ([1, 2, 3], [0.5, 0.25, 0.125], "loss")
    assert page.startswith("<!DOCTYPE html>")


def test_it_asks_the_network_for_nothing() -> None:
    assert Outline(figure_html(FIGURE, "Loss").replace(get_plotlyjs(), "")).addresses == []


def test_the_figure_itself_is_left_as_it_was() -> None:
    before = copy.deepcopy(FIGURE)
    figure_html(FIGURE, "Loss")
    assert before == FIGURE


@settings(max_examples=15)
@given(
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40) | st.just("</title><script>alert(1)</script>&lt;")
)
def test_a_title_is_text_whatever_it_says(title: str) -> None:
    outline = Outline(figure_html(FIGURE, title).replace(get_plotlyjs(), ""))
    assert outline.words == {"title": title, "h1": title}
    assert outline.tags.count("script") == Outline(figure_html(FIGURE, "Loss").replace(get_plotlyjs(), "")).tags.count("script")
