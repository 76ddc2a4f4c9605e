"""A notebook is well-formed by the rules of nbformat 4.5, and its cells, executed in order, print the losses of its run."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.data.fashion_mnist import SAMPLE_FOLDER
from mlp_core.records import SettingChange
from mlp_core.reports.export import STYLES, Origin, notebook_of, script_of
from mlp_core.spec import SpecError
from tests.support.programs import SMALL, carried_out, designs, epoch_line, executed, same_losses

DESIGNS = {name: design for name, design in designs().items() if not name.startswith(("optimizer", "activation", "parameter", "init"))}
in_every_style = pytest.mark.parametrize("style", STYLES)


def cells(text: str, kind: str) -> list[str]:
    """The sources of the cells of one kind, checked for what nbformat 4.5 asks of a notebook."""
    book: dict[str, Any] = json.loads(text)
    assert set(book) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert book["metadata"]["kernelspec"] == {"display_name": "Python 3", "language": "python", "name": "python3"}
    names = [cell["id"] for cell in book["cells"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
    for cell in book["cells"]:
        further = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | further
        assert cell["metadata"] == {}
        assert all(isinstance(line, str) and line.find("\n") in (-1, len(line) - 1) for line in cell["source"])
        if further:
            assert (cell["execution_count"], cell["outputs"]) == (None, [])
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


@in_every_style
@pytest.mark.parametrize("name", DESIGNS)
def test_its_code_cells_print_the_losses_of_the_run(tmp_path: Path, name: str, style: str) -> None:
    spec = replace(DESIGNS[name], implementation=style)
    changes = (SettingChange(3, "lr", 0.02),)
    run = carried_out(spec, changes)
    first, *others = cells(notebook_of(spec, style, changes), "code")
    first = first.replace("data_folder = None", f"data_folder = {str(SAMPLE_FOLDER)!r}").replace(
        "print_steps = False", "print_steps = True"
    )
    program = tmp_path / "cells.py"
    program.write_text("\n".join([first, *others]), encoding="utf-8")
    printed = executed(program)
    assert same_losses(printed.losses, run, tolerance=0.0)
    assert list(printed.epochs) == [epoch_line(record) for record in run.history.epochs]


@in_every_style
@pytest.mark.parametrize("name", DESIGNS)
def test_every_cell_stands_for_itself(name: str, style: str) -> None:
    code, words = (cells(notebook_of(DESIGNS[name], style), kind) for kind in ("code", "markdown"))
    assert len(code) == len(words)
    for source in code:
        assert ast.parse(source).body
    assert all(text.startswith("#") and text.count("$$") % 2 == 0 for text in words)
    assert all(text.strip() == text for text in (*code, *words))


@in_every_style
def test_its_code_is_the_scripts(style: str) -> None:
    """All but the first cell, which stands in the place of the command line."""
    spec = DESIGNS["three layers, dropout"]
    assert all(source in script_of(spec, style) for source in cells(notebook_of(spec, style), "code")[1:])
    assert "argparse" not in notebook_of(spec, style)


def test_words_say_what_the_run_was() -> None:
    origin = Origin(seeds=5, link="https://host/train?activation=%3Dx%2Ax&lr=0.5")
    words = "\n".join(cells(notebook_of(replace(SMALL, activation="=x*sigmoid(2*x)", seed=2), "concise", origin=origin), "markdown"))
    for part in ("784-9-10 on Fashion-MNIST", "seeds 2 to 6", origin.link, r"\sigma\left(2 \cdot x\right)", r"\tfrac{2}{n_\mathrm{in}}"):
        assert part in words


@given(st.text(max_size=60))
def test_no_link_becomes_more_than_an_address(link: str) -> None:
    """No markdown and no HTML of a link comes to life: what could begin either is encoded."""
    origin = Origin(link=f"https://host/{link}")
    (line,) = (line for line in cells(notebook_of(SMALL, "scratch", origin=origin), "markdown")[0].splitlines() if "https://host" in line)
    assert re.fullmatch(r"[A-Za-z0-9%/:=&?~#+,;@._ -]+", line)


def test_another_style_is_refused() -> None:
    with pytest.raises(SpecError, match="style"):
        notebook_of(SMALL, "jax")
