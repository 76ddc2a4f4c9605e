"""From a run to a plain PyTorch script that prints the run's own numbers, and needs nothing of this project. Runs nothing.

The script draws the same random numbers and does the same operations in the same order. In the style that the run was trained in, its
losses are the run's, bit for bit on the same machine; in the other style, up to rounding.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from mlp_core.activations import ACTIVATIONS
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.records import LrChange
from mlp_core.reports.export.script import data as script_data
from mlp_core.reports.export.script import learning as script_learning
from mlp_core.reports.export.script import network as script_network
from mlp_core.reports.export.script import optimizer as script_optimizer
from mlp_core.reports.export.script.sections import WIDTH, Origin, Recipe, Section, joined
from mlp_core.spec import IMPLEMENTATIONS, RunSpec

__all__ = ["STYLES", "Origin", "Recipe", "script"]

STYLES = IMPLEMENTATIONS  # "concise", "scratch"

_OPTIONS = """parser = argparse.ArgumentParser(description="Train a network and print its losses.")
parser.add_argument("--data", default=os.getenv("MLP_DATA_DIR"), help="image folder")
parser.add_argument("--seed", type=int, default={seed})
parser.add_argument("--steps", action="store_true", help="print the loss of every step")
options = parser.parse_args()
data_folder, seed, print_steps = options.data, options.seed, options.steps"""

_IMPORTS = (  # what stands in the code -> what it needs, in the order in which they are imported
    (r"\bargparse\.", "import argparse"),
    (r"\bgzip\.", "import gzip"),
    (r"\bmath\.", "import math"),
    (r"\bos\.", "import os"),
    (r"\bPath\(", "from pathlib import Path"),
    (r"", ""),
    (r"\btorch\.", "import torch"),
    (r"\bF\.", "import torch.nn.functional as F"),
    (r"\bnn\.", "from torch import nn"),
)


def script(spec: RunSpec, style: str, lr_changes: Sequence[LrChange] = (), *, origin: Origin = Origin()) -> str:  # noqa: B008 (frozen)
    """A Python script that repeats a run: `python script.py [--data FOLDER] [--seed N] [--steps]`.

    It prints a line an epoch with the means that the page shows, to 4 decimals, and with `--steps` every step's loss in full.

    Args:
        style: "scratch" or "concise".
        lr_changes: the learning rate's changes in mid-run, in order.
        origin: where the run took place.

    Raises:
        SpecError: another style.
        ExpressionError: the run's own activation is no expression.
    """
    recipe = Recipe(spec, style, tuple(lr_changes), origin)
    code = [_OPTIONS.format(seed=spec.seed), *(section.code for section in sections(recipe))]
    return "\n\n".join([_docstring(recipe), imports(code), joined(code)]) + "\n"


def sections(recipe: Recipe) -> list[Section]:
    """The program in its order; it expects `data_folder`, `seed` and `print_steps`."""
    parts = [
        script_learning.settings(recipe),
        script_data.images(recipe),
        script_network.initial_weights(recipe),
        script_network.network(recipe),
        script_learning.loss(recipe),
        script_optimizer.optimizer(recipe),
        script_learning.training(recipe),
        Section("Go", "", "train()"),
    ]
    return [part for part in parts if part is not None]


def imports(code: Sequence[str]) -> str:
    """The import statements that this code needs."""
    text = "\n".join(code)
    return "\n".join(statement for sign, statement in _IMPORTS if re.search(sign, text))


def file_name(style: str, ending: str = "py") -> str:
    """What to call the file of a program."""
    return f"mlp_{style}.{ending}"


def title(recipe: Recipe) -> str:
    """What the program is, in a line."""
    widths = "-".join(map(str, recipe.spec.sizes))
    return f"{widths} on Fashion-MNIST, {'from scratch' if recipe.scratch else 'with nn.Sequential'}"


def design(recipe: Recipe) -> list[str]:
    """The experiment in words, and what must be known to get its numbers."""
    spec, origin = recipe.spec, recipe.origin
    activation = "own activation" if spec.expression is not None else ACTIVATIONS[spec.activation].label
    parts = [
        *([activation] if spec.hidden else ["no hidden layer: softmax regression"]),
        f"initial weights: {_initial(spec)}",
        *([f"dropout {', '.join(map(str, spec.dropout))}"] if recipe.drops else []),
        f"{OPTIMIZERS[spec.optimizer].label}, lr {spec.lr}",
        f"batches of {spec.batch_size}, {spec.epochs} epochs, seed {spec.seed}",
    ]
    lines = ["; ".join(parts) + "."]
    if recipe.lr_changes:
        lines.append("The learning rate was changed in mid-run; a link cannot carry that, this program does.")
    if origin.seeds > 1:
        last = spec.seed + origin.seeds - 1
        which = f"of the seeds {spec.seed} to {last}. This is the first; set seed for the others."
        lines.append(f"The run trained {origin.seeds} networks at once, {which}")
    if origin.sample:
        lines.append(
            "The run saw the sample that comes with the playground (its folder mlp_core/data/sample), not the whole of Fashion-MNIST."
        )
    if origin.link:
        lines.append(f"Its page: {origin.safe_link}")
    return lines


def _initial(spec: RunSpec) -> str:
    details = {"normal": f", σ = {spec.init_std}", "constant": f" {spec.init_value}, give or take σ = {spec.init_noise}"}
    return INITIALIZERS[spec.init].label + details.get(spec.init, "")


def _docstring(recipe: Recipe) -> str:
    usage = f"    python {file_name(recipe.style)} [--data FOLDER] [--seed N] [--steps]"
    needs = "Needs PyTorch, and torchvision only where the images must be downloaded first."
    promise = "Prints the losses and accuracies that its page showed; on another processor the last digits may differ."
    words = [
        line for text in [*design(recipe), promise] for line in textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    ]
    return "\n".join([f'"""{title(recipe)}.', "", *words, "", usage, "", needs, '"""'])
