"""A kept step seen again: the network, its test and its statistics as they were then."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mlp_core.data import load_sample
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from tests.support.engine import RICH, all_implementations, clouds, finished, record_of, weights_of


class TestKeptStep:
    """A kept step seen again."""

    @all_implementations
    def test_is_the_run_as_it_stood_then(self, implementation: str) -> None:
        spec = replace(RICH, implementation=implementation, optimizer="adam", lr=0.01)
        parent = finished(spec)
        for step in (0, 5, 8, 20):
            then = Run(spec, clouds())
            then.prepare()
            then.advance(steps=step)
            then.evaluate()
            kept = parent.kept_step(step)
            assert [w.detach().numpy().tobytes() for w in kept.network.parameters()] == weights_of(then)
            assert then.evaluation is not None
            assert kept.evaluation.step == kept.inspection.step == step
            assert kept.evaluation.loss == then.evaluation.loss
            assert kept.evaluation.probabilities.tobytes() == then.evaluation.probabilities.tobytes()
            if step in (0, 8):
                (probe,) = (probe for probe in then.history.probes if probe.step == step)
                assert tuple(layer.stats for layer in kept.inspection.layers) == probe.layers

    def test_has_a_network_of_its_own(self) -> None:
        parent = Run(RICH, clouds())
        parent.advance(steps=7)
        kept = parent.kept_step(5)
        kept.network.weights()[0][0].fill_(7.0)
        kept.network.loss(torch.rand(4, 6), torch.tensor([0, 1, 2, 0]))  # draws a mask
        parent.advance()
        assert record_of(parent) == record_of(finished(RICH))
        again = parent.kept_step(5)
        assert not (again.network.weights()[0][0] == 7.0).any()

    def test_of_a_step_that_is_not_kept(self) -> None:
        with pytest.raises(ValueError, match="step: must be one that is kept"):
            finished(RICH).kept_step(19)

    def test_of_real_images(self) -> None:
        run = Run(RunSpec(train_size=512, epochs=2, device="cpu"), load_sample())
        run.advance()
        assert run.kept_step(run.total_steps).evaluation.accuracy == run.history.epochs[-1].test_accuracy
