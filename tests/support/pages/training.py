"""The training page's buttons, curves and run, for the tests that press and read them. Knows where they are, not what they should say."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from mlp_core.data import load_fashion_mnist
from mlp_core.jobs import TrainingJob
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from pages.ui.train.controls import spec_of
from tests.support.pages.visit import again, live, numbers, traces, until

SMALL = {"hidden": "16", "init": "he_normal", "train_size": "512", "batch_size": "64", "epochs": "2"}  # 16 steps that learn something
SHORT = SMALL | {"pace": "full"}
LONG = {"hidden": "64", "epochs": "100", "pace": "full"}  # half a minute on a quick machine
BUTTONS = ("play", "step", "epoch", "stop", "reset")


def job_of(page: AppTest) -> TrainingJob:
    """The run that the page shows."""
    found = page.session_state["_job"]
    assert isinstance(found, TrainingJob)
    return found


def chosen(page: AppTest) -> RunSpec:
    """The experiment that the page's controls describe."""
    return spec_of(page.session_state["_values_train"].values)


def press(page: AppTest, name: str) -> AppTest:
    page.button(key=f"run_{name}").click()
    return again(page)


def open_groups(page: AppTest) -> AppTest:
    """Open all groups of the sidebar: what is folded is not drawn."""
    for name, (times_set, _) in page.session_state["_sidebar_groups"].items():
        page.session_state[f"group_{name}_{times_set}"] = True
    return again(page)


def main_button(page: AppTest) -> str:
    return str(page.button(key="run_play").label)


def enabled(page: AppTest) -> set[str]:
    return {name for name in BUTTONS if not page.button(key=f"run_{name}").disabled}


def progress(page: AppTest) -> str:
    return str(live(page)["parts"]["progress"]["text"])


def losses(page: AppTest) -> list[float]:
    """The curve of single minibatches: all of them, while they are few."""
    return numbers(traces(page, "loss").get("train step", {"y": []})["y"])


def at_rest(page: AppTest) -> bool:
    return not job_of(page).moving


def carried_out(query: dict[str, str], steps: int | None = None) -> Run:
    """The experiment of a link, without a page."""
    run = Run(RunSpec.from_query(query)[0], load_fashion_mnist())
    run.advance(steps=steps)
    return run


def charts(page: AppTest) -> set[str]:
    """The keys of all live charts."""
    return {*(element.proto.id.rsplit("-", 1)[-1] for element in page.get("bidi_component")), *live(page)["figures"]}


def finish(page: AppTest) -> AppTest:
    """Wait for the end of the run, and look at the page once more."""
    return again(until(page, lambda page: job_of(page).ended and at_rest(page)))
