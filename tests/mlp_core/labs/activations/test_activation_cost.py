"""The clock of the activations: it measures both directions and leaves nothing behind. How long things take is not tested."""

from __future__ import annotations

import pytest
import torch

from mlp_core.activations import ACTIVATIONS
from mlp_core.labs.activations import facts as activation_cost
from mlp_core.labs.activations.facts import measure_cost


def test_nanoseconds_per_element_come_from_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that moves on by 65,536 ns at every look, each call takes one nanosecond an element."""
    ticks = iter(range(10**9))
    monkeypatch.setattr("mlp_core.labs.activations.facts.time.perf_counter_ns", lambda: next(ticks) * 65_536)
    monkeypatch.setattr(activation_cost, "SECONDS", 0.0)
    cost = measure_cost(ACTIVATIONS["tanh"])
    assert (cost.forward, cost.backward) == (1.0, 1.0)
    assert cost.threads == torch.get_num_threads()


@pytest.mark.parametrize(("name", "parameters"), [("prelu", {"alpha": 0.5}), ("step", {}), ("identity", {})])
def test_both_directions_of_any_activation_can_be_measured(
    name: str, parameters: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation_cost, "SECONDS", 0.0)
    before = torch.get_rng_state()
    cost = measure_cost(ACTIVATIONS[name], **parameters)
    assert cost.forward > 0
    assert cost.backward > 0
    assert torch.equal(torch.get_rng_state(), before)
