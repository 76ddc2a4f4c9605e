"""The panel that exports a run: what each button gives is what the run was, and a file that comes back sets the controls or is refused."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st
from safetensors.torch import load
from streamlit.testing.v1 import AppTest

from mlp_core.jobs import TrainingJob
from mlp_core.records import SettingChange
from mlp_core.reports.export import AMPLIFIED, STYLES, Experiment
from mlp_core.spec import RunSpec
from pages.ui.run import export
from tests.support.pages.visit import again, bare, opened, said, visit

APP = "tests/browser/apps/export.py"
Download = Callable[[], str | bytes]


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit(APP) as page:
        yield page


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Download, str, bool]]:
    """Label -> content, file name and whether it is to be had, of every download button as it was drawn last."""
    found: dict[str, tuple[Download, str, bool]] = {}
    draw = st.download_button

    def drawn(label: str, data: Download, file_name: str, *further: Any, **options: Any) -> bool:
        found[label] = data, file_name, not options.get("disabled")
        return draw(label, data, file_name, *further, **options)

    monkeypatch.setattr(st, "download_button", drawn)
    return found


def text(downloads: dict[str, tuple[Download, str, bool]], label: str) -> str:
    content = downloads[label][0]()
    assert isinstance(content, str)
    return content


def job_of(page: AppTest) -> TrainingJob:
    job = page.session_state["job"]
    assert isinstance(job, TrainingJob)
    return job


def upload(page: AppTest, content: str | bytes) -> AppTest:
    page.file_uploader[0].set_value(("experiment.json", content.encode() if isinstance(content, str) else content, "application/json"))
    return again(page)


def loaded(page: AppTest) -> RunSpec | None:
    """What the page's controls were set to."""
    if "loaded" not in page.session_state:
        return None
    found: RunSpec = page.session_state["loaded"]
    return found


def test_everything_can_be_taken(page: AppTest, downloads: dict[str, tuple[Download, str, bool]]) -> None:
    opened(page)
    assert {label: (name, enabled) for label, (_, name, enabled) in downloads.items()} == {
        "Script (.py)": ("mlp_concise.py", True),
        "Notebook (.ipynb)": ("mlp_concise.ipynb", True),
        "Steps (CSV)": ("steps.csv", True),
        "Epochs (CSV)": ("epochs.csv", True),
        "Weights (safetensors)": ("weights.safetensors", True),
        "Loss (HTML)": ("loss.html", True),
        "Accuracy (HTML)": ("accuracy.html", True),
        "Experiment (JSON)": ("experiment.json", True),
    }


def test_a_sweep_over_the_design_is_a_click_away(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    links = []
    monkeypatch.setattr(export, "link_to", lambda page, label, query, icon: links.append((page, label, query)))
    opened(page)
    query = {"hidden": "16", "activation": "=x*sigmoid(2*x)", "init": "he_normal", "batch_size": "32", "device": "cpu"}
    assert links == [("sweep", "Sweep over this design", query)]  # over the epochs and images that a sweep begins with


def test_before_the_first_step_there_are_no_numbers(page: AppTest, downloads: dict[str, tuple[Download, str, bool]]) -> None:
    opened(page, steps="0")
    possible = {label for label, (_, _, enabled) in downloads.items() if enabled}
    assert possible == {"Script (.py)", "Notebook (.ipynb)", "Weights (safetensors)", "Experiment (JSON)"}


def test_the_script_is_of_the_style_that_is_chosen(page: AppTest, downloads: dict[str, tuple[Download, str, bool]]) -> None:
    opened(page)
    assert page.button_group[0].value == "concise"
    for style in STYLES:
        page.button_group[0].set_value(style)
        again(page)
        code = text(downloads, "Script (.py)")
        assert downloads["Script (.py)"][1] == f"mlp_{style}.py"
        assert ("nn.Sequential(" in code) == (style == "concise")
        assert page.code[0].value == code.strip()
        ast.parse(code)
        cells = json.loads(text(downloads, "Notebook (.ipynb)"))["cells"]
        assert ("nn.Sequential(" in str(cells)) == (style == "concise")
        assert any(AMPLIFIED in caption.value for caption in page.caption) == (style != "concise")


def test_the_numbers_are_the_runs(page: AppTest, downloads: dict[str, tuple[Download, str, bool]]) -> None:
    history = job_of(opened(page)).run.history
    steps, epochs = (list(csv.DictReader(io.StringIO(text(downloads, label)))) for label in ("Steps (CSV)", "Epochs (CSV)"))
    assert [float(row["loss"]) for row in steps] == [step.loss for step in history.steps]
    assert [float(row["test_loss"]) for row in epochs] == [record.test_loss for record in history.epochs]
    weights = downloads["Weights (safetensors)"][0]()
    assert isinstance(weights, bytes)
    assert sorted(load(weights)) == ["0.bias", "0.weight", "2.bias", "2.weight"]


@pytest.mark.parametrize("quantity", ["Loss", "Accuracy"])
def test_a_figure_is_a_page_with_its_title(page: AppTest, downloads: dict[str, tuple[Download, str, bool]], quantity: str) -> None:
    opened(page)
    assert f"<title>{quantity} of 784 → 16 → 10 on Fashion-MNIST</title>" in text(downloads, f"{quantity} (HTML)")


def test_programs_have_their_comments_in_the_language_of_the_page(page: AppTest, downloads: dict[str, tuple[Download, str, bool]]) -> None:
    opened(page)
    page.session_state["_language"] = "zh"
    again(page)
    (script,) = [download() for download, file, _possible in downloads.values() if file == "mlp_concise.py"][-1:]
    assert isinstance(script, str)
    assert "# 与页面相同；多线程求和的舍入不同" in script
    assert page.code[0].value == script.strip()


def test_a_change_of_lr_goes_along_and_the_link_has_it_at_the_same_step(
    page: AppTest, downloads: dict[str, tuple[Download, str, bool]]
) -> None:
    opened(page, change="5")
    spec = job_of(page).run.spec
    assert Experiment.from_json(text(downloads, "Experiment (JSON)")) == Experiment(spec, (SettingChange(5, "lr", 0.01),))
    assert "lr_changes = {5: 0.01}" in text(downloads, "Script (.py)")
    assert "5: 0.01" in text(downloads, "Notebook (.ipynb)")
    query = dict(parse_qsl(urlsplit(page.code[1].value).query))
    assert query["changes"] == "lr@5:0.01"
    assert RunSpec.from_query(query) == (spec, ())
    assert any("has the same settings change at the same steps (lr 0.01 after step 5)" in caption.value for caption in page.caption)


def test_the_link_sets_the_spec(page: AppTest) -> None:
    opened(page)
    query = dict(parse_qsl(urlsplit(page.code[1].value).query))
    assert RunSpec.from_query(query) == (job_of(page).run.spec, ())


def test_a_file_comes_back_into_the_controls(page: AppTest, downloads: dict[str, tuple[Download, str, bool]]) -> None:
    opened(page, change="5")
    upload(page, text(downloads, "Experiment (JSON)"))
    assert loaded(page) == job_of(page).run.spec
    assert page.session_state["changes"] == (SettingChange(5, "lr", 0.01),)
    assert page.text[0].value == f"Loaded: {job_of(page).run.spec}", "the whole page ran again, not the fragment alone"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x04\x95cbuiltins\neval\n", "`file` must be a JSON object in UTF-8"),
        (r'{"version": 1, "spec": {}, "name": "half \ud800"}', "`file` must be a JSON object in UTF-8"),
        (r'{"version": 1, "spec": {}, "\udfff": 1}', "`file` must be a JSON object in UTF-8"),
        ('{"version": 7}', "`version` must be 1, 2 or 3, got `7`"),
        ('{"version": 1, "spec": {"lr": 1e9}}', "`lr` must be a number from 0.00001 to 100"),
        ('{"version": 1, "spec": {}, "[a](http://evil.example) <b>": 1}', "is not a field of an experiment's file"),
        ('{"version": 1, "spec": {"activation": "=`**x**"}}', "`activation` must be an expression in x"),
    ],
)
def test_a_file_that_is_none_is_refused_by_name(page: AppTest, content: str | bytes, words: str) -> None:
    upload(opened(page), content)
    (error,) = page.error
    assert words in error.value
    assert "<b>" not in bare(error.value)
    assert "evil" not in bare(error.value)
    assert loaded(page) is None
    upload(page, '{"version": 1, "spec": {"lr": 0.5}, "name": "mine <b>"}')
    assert not page.error
    assert loaded(page) == RunSpec(lr=0.5)
    assert "`mine <b>`" in page.success[0].value
    assert "<b>" not in bare(" ".join(said(page)))
