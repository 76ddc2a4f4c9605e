"""The exported program as a notebook: the same code in cells, with words and formulas between them. Runs nothing, reads nothing.

Written as JSON by hand: the format is small, and nothing more of Jupyter is needed. Reference: nbformat 4.5.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mlp_core.records import LrChange
from mlp_core.reports.export.script.program import design, imports, sections, title
from mlp_core.reports.export.script.sections import Origin, Recipe, Section, joined
from mlp_core.spec import RunSpec

_OPTIONS = """data_folder = None  # or the folder that holds the four .gz files
seed = {seed}
print_steps = False  # True prints the loss of every step"""


def notebook(spec: RunSpec, style: str, lr_changes: Sequence[LrChange] = (), *, origin: Origin = Origin()) -> str:  # noqa: B008 (frozen)
    """A Jupyter notebook (.ipynb) that repeats a run; arguments as of `mlp_core.reports.export.script.program.script`.

    Raises:
        SpecError, ExpressionError: as of `script`.
    """
    recipe = Recipe(spec, style, tuple(lr_changes), origin)
    parts = sections(recipe)
    options = _OPTIONS.format(seed=spec.seed)
    first = imports([options, *(part.code for part in parts)])
    cells = [
        _cell("markdown", "\n\n".join([f"# {title(recipe)}", *_introduction(recipe)])),
        _cell("code", joined([first, options])),
    ]
    for part in parts:
        cells += _cells(part)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False) + "\n"


def _introduction(recipe: Recipe) -> list[str]:
    return [*design(recipe), "Run all cells: the last one prints the losses and accuracies that the page showed for this run."]


def _cells(section: Section) -> list[dict[str, Any]]:
    words = "\n\n".join(part for part in (f"## {section.title}", section.text) if part)
    return [_cell("markdown", words), _cell("code", section.code)]


def _cell(kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": "", "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell
