"""Sections of a page: one is shown at a time, and the link says which."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.language import _
from pages.ui.begun_by_link import drop_run
from pages.ui.class_link import class_link
from pages.ui.link import Field, LinkState, choice
from pages.ui.measures import Computed, Subject, Values

PARAMETER = "act"  # in the address: what sections were called when the first links were handed out, which must go on working


class Section(NamedTuple):
    """A section: its title, what shows it, and what can be measured of it, given the values of the link's fields."""

    title: str
    show: Callable[[LinkState], None]
    subject: Callable[[Values], Subject] = lambda values: Computed()


Sections = Mapping[str, Section]  # by their names in the link


def show_sections(page: str, sections: Sections, fields: Sequence[Field], header: DeltaGenerator) -> None:
    """All of a page: a choice between the sections, what was wrong with the link, and the section that is chosen.

    Args:
        page: a name of its own for the page.
        fields: what the link can set beside the section.
        header: the row of the page's name, which takes the choice.
    """
    link = LinkState(page, (section_field(PARAMETER, sections), *fields))
    link.show_errors()
    choose_section(link, PARAMETER, _("Section"), sections, header)
    link.write()
    drop_run()
    class_link(page, tuple(dict.fromkeys(link.shown)))  # below all: beside the name it would begin a row of its own on a projector


def beside(name: str, ratio: float = 2.6) -> tuple[DeltaGenerator, DeltaGenerator]:
    """A column of controls, and the wider one of what they change; the controls stay in the window while one scrolls through that.

    Args:
        name: of its own on the page.
        ratio: of the widths.
    """
    with st.container(key=f"beside_{name}"):
        controls, results = st.columns([1, ratio], gap="medium")
    return controls, results


def section_field(name: str, sections: Sections) -> Field:
    """The link's field that says which section is shown; the first, where it says nothing."""
    return choice(name, next(iter(sections)), tuple(sections))


def choose_section(link: LinkState, field: str, label: str, sections: Sections, place: DeltaGenerator) -> None:
    """Let the person choose a section at this place, and show it below."""
    place.segmented_control(
        label,
        format_func=lambda name: _(sections[name].title),
        required=True,
        label_visibility="collapsed",
        width="content",
        **link.default(field),
    )
    sections[link[field]].show(link)
