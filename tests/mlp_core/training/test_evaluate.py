"""A run asked to look at its test set between epochs: whole, in parts, and never in the way of a step."""

from __future__ import annotations

import pytest

from mlp_core.training import Run
from tests.support.engine import SPEC, clouds, network_of

pytestmark = pytest.mark.usefixtures("small_test_pieces")


class TestEvaluate:
    """The test set seen between epochs, whole and in parts."""

    def test_is_of_the_weights_as_they_are(self) -> None:
        run = Run(SPEC, clouds())
        run.advance(steps=3)
        assert not run.evaluated
        run.evaluate()
        assert run.evaluated
        assert run.evaluation is not None
        assert run.evaluation.step == 3
        logits = network_of(run).logits(clouds().test_images.flatten(1) / 255)
        assert run.evaluation.predicted.tolist() == logits.argmax(dim=1).tolist()
        run.advance(steps=1)
        assert run.evaluation.step == 4

    def test_goes_on_in_parts_and_finishes(self) -> None:
        run = Run(SPEC, clouds())
        run.advance(steps=1)
        calls = 0
        while not run.evaluated:
            assert run.evaluation is None
            run.evaluate(seconds=0.0)
            calls += 1
        assert calls == 5  # 30 images, 7 at a time
        assert run.evaluation is not None
        assert len(run.evaluation.labels) == 30

    def test_an_unfinished_one_is_dropped_when_training_goes_on(self) -> None:
        run = Run(SPEC, clouds())
        run.advance(steps=1)
        run.evaluate(seconds=0.0)
        run.advance(seconds=0.0)
        assert run.step == 2, "the step waits for a test of weights that it is about to change"
        run.evaluate()
        assert run.evaluation is not None
        assert run.evaluation.step == 2

    def test_finishes_an_epochs_test_under_way(self) -> None:
        run = Run(SPEC, clouds())
        run.advance(steps=3)
        run.advance(steps=1, seconds=0.0)
        assert run.testing
        assert run.epoch == 0
        run.evaluate()
        assert not run.testing
        assert run.epoch == 1
        assert run.evaluation is not None
        assert run.history.epochs[0].test_loss == run.evaluation.loss
