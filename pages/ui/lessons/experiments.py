"""From a link of the app to the experiment that it describes: shown on any page, started, watched and measured.

    experiment = experiment_of("stability?act=training&layers=5")   # or SpecError, which names field, rule and value
    experiment.start()                                              # in a button's callback
    experiment.draw("lesson step 3")
    if experiment.state() == "done":
        experiment.measure("test_accuracy", run="Sigmoid, Xavier uniform", after=2)

Reading a link needs no session. What a page computes with is imported once a link asks for that page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import streamlit as st

from mlp_core.spec import SpecError
from mlp_core.words import Message
from pages.language import _
from pages.ui import session
from pages.ui.link import HIDE, LOCK, Field, LinkState, read_link, write_link
from pages.ui.measures import Measure, State, Subject, Values, check, measured
from pages.ui.sections import PARAMETER, Sections, section_field

DRAWN, SEEN, BEGUN = "_experiment_drawn", "_experiment_seen", "_experiment_begun"  # in the session
MOST_READ = 256  # links, of which the experiments are kept for all visitors: they hold no more than what the links say

Read = Callable[[Mapping[str, str]], tuple[dict[str, Any], tuple[SpecError, ...]]]
Follow = Callable[[LinkState], None]


class _Page(NamedTuple):
    """A page that experiments can be of.

    Args:
        names: the parameters of its links.
        read: what a link sets, and what of it cannot be.
        write: what a link says to set that.
        subject: what can be measured, given what the link sets.
        show: its panels, under a name of their own, with values that are set where that is due.
    """

    names: Sequence[str]
    read: Read
    write: Callable[[Values], dict[str, str]]
    subject: Callable[[Values], Subject]
    show: Callable[[str, Follow], None]


@dataclass(frozen=True)
class Experiment:
    """What a link describes.

    Args:
        page: the stem of the page's file.
        query: the parameters as its page would write them, so that a browser which is led there has one address for it and not two.
        subject: what is measured.
    """

    page: str
    query: Mapping[str, str]
    subject: Subject
    show: Callable[[str, Follow], None]

    @property
    def measures(self) -> dict[str, Measure]:
        """Name -> what can be measured, with the labels of the runs that it can be asked of."""
        subject = self.subject
        return {name: replace(one, runs=() if one.of_all else subject.labels) for name, one in subject.measures.items()}

    @property
    def trains(self) -> bool:
        """Whether it has to be started and takes time; another is computed as soon as it is drawn."""
        return self.subject.trains

    @property
    def epochs(self) -> int:
        """How long it trains; 0 where it trains nothing."""
        return self.subject.epochs

    def check(self, name: str, run: str = "", after: int | None = None) -> None:
        """Whether such a number can be asked for; needs no session.

        Raises:
            SpecError: there is no such measure, or not of this run, or not after so many epochs.
        """
        check(self.subject, name, run, after)

    def measure(self, name: str, run: str = "", after: int | None = None) -> float | None:
        """The number that was measured; None where there is none yet.

        Args:
            run: the label of one of several runs.
            after: of how many epochs; None for the end.

        Raises:
            SpecError: what `check` raises.
        """
        return measured(self.subject, name, run, after)

    def start(self) -> None:
        """Begin it, or go on with it, as the main button of its page does; to be called from a callback."""
        session.engine()
        self.subject.start()
        st.session_state[BEGUN] = True

    def state(self) -> State:
        """How far it is. The run of another experiment does not count, nor one of it that was changed on its way or stopped by hand."""
        return self.subject.state()

    def unmeasured(self) -> str:
        """Why what was run is not measured, as a sentence; empty where nothing was run, or all is well."""
        return self.subject.unmeasured() if self.state() == "none" else ""

    def draw(self, place: str) -> None:
        """The panels of its page, with the values that the link says until somebody moves them.

        While there is nothing but a run of another experiment, nothing of that is shown.

        Args:
            place: a name of its own; the widgets of every place have values of their own.
        """
        session.engine()
        here = (place, self.page, tuple(sorted(self.query.items())))
        arriving = st.session_state.get(DRAWN) != here
        if arriving and not (self.trains and self.state() == "moving"):
            self.subject.rest()
        seen = not arriving and bool(st.session_state.get(SEEN))
        shown = st.session_state[SEEN] = seen or not self.subject.hidden()
        if shown:
            self.show(f"{place}_{self.page}", partial(self._follow, anew=arriving or bool(st.session_state.get(BEGUN))))
        else:
            st.info(_("Not run yet."), icon=":material/hourglass_empty:")
        st.session_state[DRAWN], st.session_state[BEGUN] = here, False

    def _follow(self, link: LinkState, *, anew: bool) -> None:
        if anew:
            link.follow(self.query)


@lru_cache(maxsize=MOST_READ)
def experiment_of(link: str) -> Experiment:
    """The experiment that a link of the app describes: the stem of a page, and after a question mark its parameters.

    Raises:
        SpecError: there is no such page, section or parameter, or a value that breaks its rule.
    """
    stem, _mark, text = link.partition("?")
    if stem not in PAGES:
        raise SpecError("page", Message("must be one of {choices}", choices=", ".join(PAGES)), stem)
    page = PAGES[stem]()
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in query:
            raise SpecError(name, Message("must stand in a link once"), f"{query[name]}, {value}")
        restricts = name in (LOCK, HIDE)
        if name not in page.names and not (restricts and set(value.split(",")) <= set(page.names)):
            if restricts:
                raise SpecError(name, Message("must name parameters of the page {page}", page=stem), value)
            raise SpecError(name, Message("is no parameter of the page {page}", page=stem), value)
        query[name] = value
    values, errors = page.read(query)
    if errors:
        raise errors[0]
    restrictions = {name: value for name, value in query.items() if name in (LOCK, HIDE)}
    shortest = page.write(values) or query  # a bare address would leave the page as it was
    return Experiment(stem, shortest | restrictions, page.subject(values), page.show)


def _train() -> _Page:
    from pages.ui.train import elsewhere  # noqa: PLC0415 (as those below: whoever reads a link to another page need not load it)

    return _Page(elsewhere.NAMES, elsewhere.read, elsewhere.write, elsewhere.subject, elsewhere.show)


def _activations() -> _Page:
    from pages.ui.activations.controls import FIELDS, show, subject  # noqa: PLC0415

    return _Page([field.name for field in FIELDS], partial(read_link, FIELDS), partial(write_link, FIELDS), subject, show)


def _stability() -> _Page:
    from pages.ui.stability.sections import FIELDS, SECTIONS  # noqa: PLC0415

    return _of_sections(SECTIONS, FIELDS)


def _nonlinearity() -> _Page:
    from pages.ui.nonlinearity.sections import FIELDS, SECTIONS  # noqa: PLC0415

    return _of_sections(SECTIONS, FIELDS)


def _generalization() -> _Page:
    from pages.ui.generalization.sections import FIELDS, SECTIONS  # noqa: PLC0415

    return _of_sections(SECTIONS, FIELDS)


def _tensors() -> _Page:
    from pages.ui.tensors.sections import FIELDS, SECTIONS  # noqa: PLC0415

    return _of_sections(SECTIONS, FIELDS)


PAGES: dict[str, Callable[[], _Page]] = {
    "train": _train,
    "activations": _activations,
    "stability": _stability,
    "nonlinearity": _nonlinearity,
    "generalization": _generalization,
    "tensors": _tensors,
}


def _of_sections(sections: Sections, own: Sequence[Field]) -> _Page:
    """A page of sections, of which a link shows one."""
    fields = (section_field(PARAMETER, sections), *own)

    def show(name: str, follow: Follow) -> None:
        link = LinkState(name, fields, address=False)
        follow(link)
        link.show_errors()
        sections[link[PARAMETER]].show(link)
        link.write()

    return _Page(
        [field.name for field in fields],
        partial(read_link, fields),
        partial(write_link, fields),
        lambda values: sections[values[PARAMETER]].subject(values),
        show,
    )
