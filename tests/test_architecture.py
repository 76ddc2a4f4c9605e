"""Who may import whom, and what no module does. Every rule is first shown something that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.architecture import (
    broken_import_rules,
    import_cycle,
    missing_docstring,
    source_files,
    touches_session_state,
    unsafe_code,
)

APP = source_files("app.py", "pages", "mlp_core")
SHIPPED = APP | source_files("scripts")
ALL = SHIPPED | source_files("tests")

each_of_app = pytest.mark.parametrize(("module", "path"), APP.items(), ids=APP)
each_shipped = pytest.mark.parametrize(("module", "path"), SHIPPED.items(), ids=SHIPPED)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("app", "import mlp_core.spec"),
        ("app", "from pages import train"),
        ("pages.train", "from pages import activations"),
        ("pages.train", "import pages"),
        ("pages.train", "from pages.activations import page"),
        ("pages.train", "import torch"),
        ("pages.train", "import plotly.graph_objects as go"),
        ("pages.train", "from .ui import session"),
        ("pages.train", "from . import ui"),
        ("pages.ui.session", "from pages import train"),
        ("pages.ui.session", "import scipy"),
        ("pages.ui.session", "import torchvision"),
        ("pages.ui.session", "if True:\n    import pandas"),
        ("pages.ui.navigation", "from mlp_core.spec import RunSpec"),
        ("pages.ui.text", "import numpy"),
        ("mlp_core.training.run", "import streamlit"),
        ("mlp_core.training.run", "from pages.ui import session"),
        ("mlp_core.training.run", "def f():\n    import streamlit as st"),
        ("mlp_core.training.run", "from pages.figures.training import loss_curve"),
        ("mlp_core.training.run", "from pages import figures"),
        ("mlp_core.training.run", "import plotly"),
        ("mlp_core.training.run", "from mlp_core.jobs import TrainingJob"),
        ("mlp_core.network.concise", "from mlp_core.training import Run"),
        ("mlp_core.jobs.job", "from mlp_core.reports.diagnosis import fixes"),
        ("mlp_core.jobs.job", "from mlp_core.labs import previews"),
        ("mlp_core.labs.symmetry", "from mlp_core.reports.comparison import changes"),
        ("mlp_core.labs.symmetry", "from mlp_core.training import Run"),
        ("mlp_core.labs.lessons.lesson", "import torch"),
        ("mlp_core.stability.depth", "from mlp_core.training import Run"),
        ("mlp_core.reports.comparison.changes", "from mlp_core.labs import previews"),
        ("mlp_core.training.run", "import scipy"),
        ("mlp_core.training.run", "import pickle"),
        ("pages.figures.training", "import torch"),
        ("pages.figures.training", "from torch import Tensor"),
        ("pages.figures.training", "from mlp_core.training.run import Run"),
        ("mlp_core.spec", "import torch"),
        ("mlp_core.spec", "from mlp_core.records import History"),
        ("mlp_core.spec", "from mlp_core.activations import ACTIVATIONS"),
        ("mlp_core.spec", "def f():\n    from mlp_core.network import concise"),
        ("mlp_core.records", "import numpy as np"),
        ("mlp_core.runtime.memory", "import torch"),
        ("mlp_core.data.fashion_mnist", "def f():\n    import torchvision"),
        ("mlp_core.data.download", "import torchvision"),
        ("elsewhere.module", ""),
    ],
)
def test_an_import_that_goes_up_is_found(module: str, source: str) -> None:
    assert len(broken_import_rules(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("app", "import streamlit as st\nfrom pages.ui.navigation import run_app"),
        ("pages.train", "import math\nfrom pages.ui import session\nfrom mlp_core.spec import RunSpec"),
        ("pages.ui.session", "import torch\nfrom pages.ui.text import plain\nfrom pages.figures.training import loss_curve"),
        ("mlp_core.data.download", "def f():\n    import pooch"),
        ("pages.figures.training", "import numpy as np\nfrom mlp_core.records import History\nfrom pages.figures import palette"),
        ("pages.ui.navigation", "import streamlit as st\nfrom mlp_core.runtime.memory import share_heaps"),
        ("mlp_core.spec", "import json\nfrom collections.abc import Mapping"),
        ("mlp_core.spec", "class A:\n    def f():\n        from mlp_core.activations import ACTIVATIONS"),
    ],
)
def test_an_import_that_goes_down_is_left_alone(module: str, source: str) -> None:
    assert broken_import_rules(module, source) == []


@each_of_app
def test_imports_go_down_only(module: str, path: Path) -> None:
    assert broken_import_rules(module, path.read_text()) == []


def test_a_ring_of_imports_is_found() -> None:
    sources = {"a.x": "from a import y", "a.y": "def f():\n    from a.z import thing", "a.z": "import a.x", "a": ""}
    assert set(import_cycle(sources)) == {"a.x", "a.y", "a.z"}
    assert import_cycle(sources | {"a.z": "import json"}) == []
    assert import_cycle(sources | {"a.z": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a.x"}) == []


def test_the_core_shows_at_most_twenty_entries() -> None:
    top = {module.split(".")[1] for module in APP if module.startswith("mlp_core.")} | {"__init__"}
    assert len(top) <= 20, sorted(top)


def test_no_modules_import_each_other() -> None:
    assert import_cycle({module: path.read_text() for module, path in APP.items()}) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "x = [exec(a) for a in b]",
        "compile(a, b, 'exec')",
        "__import__('os')",
        "builtins.eval('1')",
        "import pickle",
        "def f():\n    from pickle import loads",
        "import shelve as s",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "pandas.read_pickle(path)",
        "st.markdown(text, unsafe_allow_html=True)",
    ],
)
def test_unsafe_code_is_found(source: str) -> None:
    assert unsafe_code(source)


@pytest.mark.parametrize("source", ["model.eval()", "re.compile('a')", "torch.load(p, weights_only=True)", "'eval(1)'", "import json"])
def test_safe_code_is_left_alone(source: str) -> None:
    assert unsafe_code(source) == []


@each_shipped
def test_nothing_runs_or_renders_what_a_visitor_typed(module: str, path: Path) -> None:
    assert unsafe_code(path.read_text()) == []


def test_session_state_is_found() -> None:
    assert touches_session_state("st.session_state['a'] = 1")
    assert touches_session_state("from streamlit import session_state")
    assert not touches_session_state("'session_state'  # session_state")


@each_shipped
def test_only_pages_ui_touches_session_state(module: str, path: Path) -> None:
    assert module.startswith("pages.ui.") or not touches_session_state(path.read_text())


def test_a_missing_docstring_is_found() -> None:
    assert missing_docstring("import os")
    assert missing_docstring('"""\nToo late."""')
    assert missing_docstring("")
    assert not missing_docstring('"""What this is for."""\nimport os')


@pytest.mark.parametrize(("module", "path"), ALL.items(), ids=ALL)
def test_every_module_says_what_it_is_for(module: str, path: Path) -> None:
    assert not missing_docstring(path.read_text())
