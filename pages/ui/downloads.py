"""Files to download, each made by the click that asks for it, and the page's address as a link to copy."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

import streamlit as st

from pages.language import current, spoken
from pages.ui.visitor_language import in_link


def download(
    label: str, file_name: str, content: Callable[[], str | bytes], mime: str = "text/csv", *, enabled: bool = True, help: str | None = None
) -> None:
    """The button of a file; its name is told apart by the file's.

    Args:
        content: makes the file; asked by the server, which speaks no language, and so in that of the page.
    """
    language = current()

    def made() -> str | bytes:
        with spoken(language):
            return content()

    st.download_button(
        label, made, file_name, mime, key=f"download_{file_name}", on_click="ignore", icon=":material/download:",
        disabled=not enabled, help=help,
    )  # fmt: skip


def page_address(query: Mapping[str, str], page: str | None = None) -> str:
    """The address of a page, by default this one, with these parameters."""
    here = urlsplit(str(st.context.url or ""))
    if page is not None:
        here = here._replace(path=f"{here.path.rpartition('/')[0]}/{page}")
    return here._replace(query=urlencode({**query, **in_link()}), fragment="").geturl() or "?"
