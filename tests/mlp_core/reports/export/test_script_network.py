"""The network of a program starts from the weights of its run, in both styles, and has as many parameters as the spec says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from mlp_core.initializers import INITIALIZERS, initial_parameters
from mlp_core.network import generator_for
from mlp_core.reports.export import notebook_of
from mlp_core.spec import IMPLEMENTATIONS, RunSpec, weight_count
from tests.support.programs import SMALL, notebook_cells

HEAD = (
    "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\ninit_numbers = torch.Generator().manual_seed(3 * 5)"
)


def made(spec: RunSpec, style: str) -> list[Tensor]:
    """The parameters that the two sections of a program make, for the seed 5."""
    cells, names = notebook_cells(notebook_of(spec, style)), dict[str, object]()
    exec("\n".join([HEAD, cells["Initial weights"][1], cells["The network"][1]]), names)
    net = names.get("net")
    found = list(net.parameters()) if isinstance(net, nn.Module) else names["params"]
    assert isinstance(found, list)
    assert all(parameter.is_leaf and (parameter.requires_grad or style == "by_hand") for parameter in found)
    return [parameter.detach() for parameter in found]


@pytest.mark.parametrize("init", INITIALIZERS)
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_both_styles_start_from_the_weights_of_the_run(init: str, noise: float) -> None:
    spec = replace(SMALL, hidden=(12, 30), init=init, init_noise=noise, seed=5)
    drawn = initial_parameters(spec, spec.sizes, generator_for(spec, "init"))
    expected = [parameter for layer in drawn for parameter in layer]
    assert all(map(torch.equal, made(spec, "concise"), expected))
    assert all(
        torch.equal(mine.T if mine.dim() == 2 else mine, theirs) for mine, theirs in zip(made(spec, "scratch"), expected, strict=True)
    )
    draws = "init_numbers" in notebook_cells(notebook_of(spec))["Settings"][1]
    assert draws == (generator_for(spec, "init").get_state().tolist() != after(spec).tolist())


def after(spec: RunSpec) -> Tensor:
    """Where the generator stands once all weights are drawn."""
    generator = generator_for(spec, "init")
    initial_parameters(spec, spec.sizes, generator)
    return generator.get_state()


@pytest.mark.parametrize("style", IMPLEMENTATIONS)
@pytest.mark.parametrize("hidden", [(), (3,), (5, 1, 7)])
def test_it_has_the_parameters_of_the_spec(hidden: tuple[int, ...], style: str) -> None:
    spec = replace(SMALL, hidden=hidden, activation="prelu", activation_parameter=0.5)
    parameters = made(spec, style)
    assert sum(parameter.numel() for parameter in parameters) == weight_count(spec.sizes) + len(hidden)
    assert [parameter.item() for parameter in parameters if parameter.numel() == 1 and parameter.item() == 0.5] == [0.5] * len(hidden)


def test_by_hand_a_notebook_shows_the_derivative() -> None:
    words = notebook_cells(notebook_of(replace(SMALL, activation="tanh"), "by_hand"))["Backpropagation"][0]
    assert r"1 - \tanh^2(x)" in words
    assert r"\varphi" not in notebook_cells(notebook_of(replace(SMALL, hidden=()), "by_hand"))["Backpropagation"][0]


def test_the_words_for_a_notebook_show_the_formulas() -> None:
    def words(heading: str, spec: RunSpec) -> str:
        return notebook_cells(notebook_of(spec, "scratch"))[heading][0]

    assert r"\sqrt{\tfrac{6}{n_\mathrm{in}}}" in words("Initial weights", replace(SMALL, init="he_uniform"))
    assert r"\tanh" not in words("The network", SMALL)
    assert "Softmax regression" in words("The network", replace(SMALL, hidden=()))
    assert r"\varphi" not in words("The network", replace(SMALL, hidden=()))
