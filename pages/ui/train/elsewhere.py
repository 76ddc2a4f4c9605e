"""The run of the training page, shown on another page for the experiment of a link: the same job, and nothing beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlp_core.data import load_fashion_mnist
from mlp_core.expression import ExpressionError
from mlp_core.jobs import TrainingJob
from mlp_core.reports.export import Experiment
from mlp_core.spec import SpecError
from mlp_core.words import Message
from pages.ui import session
from pages.ui.data_source import load_data
from pages.ui.link import LinkState, read_link, write_link
from pages.ui.measures import Measure, State, Values
from pages.ui.run.job_groups import ShownRun
from pages.ui.run.live import live_panel
from pages.ui.run.measures import OF_CLASSES, OF_LAYERS, OTHER_SETTINGS, state_of, unmeasured
from pages.ui.run.pace import FIELD, keep_pace
from pages.ui.run.panels import PANEL_ALONE
from pages.ui.run.run_controls import train_anew
from pages.ui.train.controls import PARAMETERS, ExperimentLink, experiment_of, read_widgets

NAMES = (*PARAMETERS, FIELD.name, PANEL_ALONE.name)
MEASURES = OF_CLASSES | OF_LAYERS


@dataclass(frozen=True)
class TabRun:
    """The experiment as this tab's run, from one seed.

    Args:
        pace: how fast it is played, one of `pages.ui.run.pace.PACES`.
    """

    experiment: Experiment
    pace: str
    measures: Mapping[str, Measure] = field(default_factory=lambda: MEASURES)

    labels: tuple[str, ...] = ()
    trains = True

    @property
    def epochs(self) -> int:
        return self.experiment.spec.epochs

    def start(self) -> None:
        job = self._job
        if job is not None and self.state() == "moving":
            job.play()
            return
        load_fashion_mnist()
        train_anew(self.experiment)
        if (job := self._job) is not None:
            keep_pace(job, self.pace)

    def state(self) -> State:
        return "none" if self._job is None else state_of([self._job], 1)

    def unmeasured(self) -> str:
        job = session.current_job()
        if job is None:
            return ""
        if job.run.networks > 1:
            return Message("It trained several seeds at once.")
        return OTHER_SETTINGS if self.hidden() else unmeasured([job])

    def hidden(self) -> bool:
        return self._job is None and session.current_job() is not None

    def rest(self) -> None:
        pass

    def source(self, label: str | None) -> Any:
        job = self._job
        return None if job is None or self.state() == "none" else ShownRun("", job.snapshot(), job)

    @property
    def _job(self) -> TrainingJob | None:
        job = session.current_job()
        return job if job is not None and job.run.networks == 1 and self.experiment == Experiment(job.run.spec, job.run.planned) else None


def read(query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[SpecError, ...]]:
    """What a link to the training page sets, and what of it cannot be."""
    (widgets, refused), (beside, wrong) = read_widgets(query), read_link((FIELD, PANEL_ALONE), query)
    return widgets | beside, (*refused, *wrong)


def write(values: Values) -> dict[str, str]:
    """What a link says to set the page to this."""
    return subject(values).experiment.to_query() | write_link((FIELD, PANEL_ALONE), values)


def subject(values: Values) -> TabRun:
    """The experiment that the widgets describe.

    Raises:
        SpecError: it cannot be trained.
    """
    try:
        return TabRun(experiment_of(values), values[FIELD.name])
    except ExpressionError as error:
        rule = Message("must be one that can be computed (character {number}: {rule})", number=error.position + 1, rule=error.rule)
        raise SpecError("activation", rule, values["expression"]) from error


def show(name: str, follow: Callable[[LinkState], None]) -> None:
    """Its buttons, network, curves and verdict.

    Args:
        name: what its fields and widgets are called here.
        follow: sets the fields to what the link says, where that is due.
    """
    link = ExperimentLink(name, address=False)
    beside = LinkState(f"{name}_run", (FIELD, PANEL_ALONE), address=False)
    follow(link)
    follow(beside)
    load_data()
    live_panel(link, link.experiment(), beside, "", alone=True)
    link.write()
    beside.write()
