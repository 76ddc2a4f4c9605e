"""What a browser exports of a run: the script prints the run's losses, the figure opens offline, the file comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mlp_core.data import load_sample
from mlp_core.records import settings_after
from mlp_core.reports.export.experiment import Experiment
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from tests.browser.conftest import OpenPage
from tests.support.browser.driving import settle
from tests.support.programs import epoch_line, executed, same_losses, sample_arguments

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_page: OpenPage, small_apps_url: str) -> Page:
    """A run of 20 steps, at rest, whose lr was changed after the fifth."""
    return open_page(f"{small_apps_url}/export?change=5")


def taken(page: Page, label: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=label, exact=True).click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    return target


def experiment_of(page: Page, folder: Path) -> Experiment:
    return Experiment.from_json(taken(page, "Experiment (JSON)", folder).read_bytes())


@pytest.mark.parametrize(("style", "tolerance"), [("Concise", 1e-6), ("From scratch", 1e-4)])
def test_the_script_prints_the_losses_of_the_run(page: Page, tmp_path: Path, style: str, tolerance: float) -> None:
    """The server may multiply by another library than this process, which the script asks for: hence the tolerance."""
    experiment = experiment_of(page, tmp_path)
    page.get_by_role("radio", name=style).click()
    settle(page)
    run = Run(experiment.spec, load_sample())
    run.advance(steps=experiment.changes[0].step)
    run.change(**settings_after(experiment.changes[:1]))
    run.advance()
    printed = executed(taken(page, "Script (.py)", tmp_path), *sample_arguments())
    assert same_losses(printed.losses, run, tolerance)
    assert [line.partition(":")[0] for line in printed.epochs] == [epoch_line(record).partition(":")[0] for record in run.history.epochs]


def test_the_notebook_is_one(page: Page, tmp_path: Path) -> None:
    book = json.loads(taken(page, "Notebook (.ipynb)", tmp_path).read_text())
    assert (book["nbformat"], book["cells"][-1]["source"]) == (4, ["train()"])


def test_the_script_can_be_read(page: Page) -> None:
    page.get_by_text("Read the script").click()
    expect(page.get_by_text("optimizer = torch.optim.SGD(net.parameters(), lr=lr)")).to_be_visible()


@pytest.mark.parametrize("quantity", ["Loss", "Accuracy"])
def test_a_figure_opens_without_a_network(page: Page, open_page: OpenPage, tmp_path: Path, quantity: str) -> None:
    file = taken(page, f"{quantity} (HTML)", tmp_path)
    page.context.set_offline(True)
    page.goto(file.as_uri())
    expect(page.get_by_role("heading", name=f"{quantity} of 784")).to_be_visible()
    page.wait_for_selector("#figure .js-line")
    assert page.evaluate("document.querySelector('#figure').data.length") >= 3
    page.context.set_offline(False)


def test_a_file_comes_back(page: Page, tmp_path: Path) -> None:
    file = taken(page, "Experiment (JSON)", tmp_path)
    expect(page.get_by_text("Loaded: None")).to_be_visible()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(page.get_by_text("The controls were set to the file's experiment.")).to_be_visible()
    expect(page.get_by_text("Loaded: RunSpec(hidden=(16,)")).to_be_visible()


def test_what_is_no_experiment_is_refused(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text('{"version": 1, "spec": {"lr": -3}}')
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(page.get_by_text("other.json cannot be loaded: lr must be a number from 0.00001 to 100, got -3.")).to_be_visible()


def test_the_link_is_the_experiment(page: Page, tmp_path: Path) -> None:
    link = page.get_by_test_id("stCode").last.inner_text()
    query = experiment_of(page, tmp_path).spec.to_query()
    assert link.startswith("http://localhost:")
    assert all(name in link for name in query)
    assert RunSpec.from_query(query)[1] == ()


def test_a_phone_has_all_of_it_without_scrolling_sideways(open_page: OpenPage, small_apps_url: str) -> None:
    page = open_page(f"{small_apps_url}/export", width=390, height=844)
    expect(page.get_by_role("button", name="Weights (safetensors)")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
