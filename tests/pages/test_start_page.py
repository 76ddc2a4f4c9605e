"""The home page without a browser: a door to every page, each behind a computed figure, and links that set up an experiment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.spec import PRESETS, RunSpec
from pages.ui import navigation as shell
from pages.ui.navigation import NAMES, PAGES, ROOT, UNLISTED
from tests.support.pages.training import charts, chosen
from tests.support.pages.visit import again, opened, said, sent, visit


@pytest.fixture
def app() -> Iterator[AppTest]:
    with visit("app.py") as app:
        yield again(app)


def links(app: AppTest) -> dict[str, tuple[str, dict[str, str]]]:
    """Label -> (page, parameters) of every link on the page."""
    found = [element.proto for element in app.get("page_link")]
    return {link.label: (link.page, dict(parse_qsl(link.query_string))) for link in found}


def test_every_page_but_this_one_has_a_door_with_a_figure_and_a_sentence(app: AppTest) -> None:
    doors = {page for page, query in links(app).values() if not query}
    assert doors == {stem for stem, _, _ in PAGES} - {"start"}
    assert {f"card_{stem}" for stem in doors - {"lessons", "sweep"}} == charts(app)
    for stem in doors - {"lessons", "sweep", "train"}:  # two cards have none, and the network is no figure of plotly's
        figure = sent(app, f"card_{stem}")
        assert figure is not None
        assert figure["data"]
    assert len(app.caption) == len(doors)


def test_every_page_of_the_house_is_there() -> None:
    stems = [stem for stem, _, _ in (*PAGES, *UNLISTED)]
    assert sorted(stems) == sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
    assert stems[0] == "start"


@pytest.mark.parametrize("stem", NAMES)
def test_a_page_bears_one_name(stem: str) -> None:
    """The address of the first page is the app's own."""
    with visit("app.py") as app:
        app.switch_page(f"pages/{stem}.py")
        again(app)
        assert [title.value for title in app.title] == [NAMES[stem]]
    assert stem in (NAMES[stem].lower(), "start")


def test_a_card_bears_the_name_of_its_page(app: AppTest) -> None:
    assert {label.strip("*"): page for label, (page, query) in links(app).items() if not query} == {
        name: stem for stem, name in NAMES.items() if stem != "start"
    }


def test_every_experiment_says_what_the_training_page_will_understand(app: AppTest) -> None:
    experiments = {label: query for label, (page, query) in links(app).items() if query}
    assert len(experiments) >= 6
    for query in experiments.values():
        spec, errors = RunSpec.from_query(query)
        assert not errors
        assert spec.to_query() in (query, {})
    specs = [RunSpec.from_query(query)[0] for query in experiments.values()]
    assert {PRESETS["mlp"].spec, PRESETS["bottleneck"].spec} <= set(specs)
    assert len(set(specs)) == len(specs)


def test_it_is_shown_without_torch_and_pandas() -> None:
    program = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=60).run()
assert not app.exception and app.get("page_link")
print({"torch", "pandas"} & set(sys.modules))
"""
    printed = subprocess.run([sys.executable, "-c", program, ROOT / "app.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"


def test_an_experiment_is_set_up_by_its_link(app: AppTest) -> None:
    page, query = links(app)["Everything through a single unit"]
    app.switch_page(f"pages/{page}.py")
    opened(app, **query)
    assert chosen(app) == PRESETS["bottleneck"].spec
    assert app.pills[0].value == "bottleneck"
    assert not app.warning


def test_before_any_page_multiplies_its_libraries_are_told_to_keep_little(monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[str]()
    for name in ("share_heaps", "keep_few_kernels"):
        monkeypatch.setattr(shell, name, lambda name=name: told.append(name))
    with visit("app.py") as app:
        again(app)
    assert set(told) == {"share_heaps", "keep_few_kernels"}


def test_the_figures_are_built_once_a_visit(app: AppTest) -> None:
    before = app.session_state["_memo_card_stability"][1]
    assert again(app).session_state["_memo_card_stability"][1] is before
    assert "Experiments to begin with" in " ".join(said(app))
