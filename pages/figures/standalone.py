"""A figure as one HTML file that works anywhere, offline too.

The file holds plotly.js itself: 4.8 MB.
"""

import html

import pandas  # noqa: F401  plotly looks for it among the imported modules, and trips over one that another thread is importing
import plotly.io

from pages.figures.figure import Figure
from pages.language import current

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 1rem; font-family: sans-serif; color: #262730; background: #fff; }}
h1 {{ font-size: 1.1rem; font-weight: 600; }}
</style>
</head>
<body>
<h1>{title}</h1>
{figure}
</body>
</html>
"""
PAGE_HEIGHT = "80vh"
PAGE_FONT = {"family": "sans-serif", "color": "#262730"}


def figure_html(figure: Figure, title: str) -> str:
    """The figure as a page of its own, on white and as wide as its window; `title` is plain text in the language of who looks."""
    layout = {name: value for name, value in figure["layout"].items() if name not in ("width", "height")}
    layout |= {"font": PAGE_FONT, "paper_bgcolor": "#fff", "autosize": True}
    content = plotly.io.to_html(
        {"data": figure["data"], "layout": layout},
        validate=False,
        full_html=False,
        include_plotlyjs=True,
        default_height=PAGE_HEIGHT,
        div_id="figure",
        config={"responsive": True, "displaylogo": False},
    )
    return _PAGE.format(language=current().code, title=html.escape(title), figure=content)
