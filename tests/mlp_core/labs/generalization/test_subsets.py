"""Parts are the first images, and exactly the share of labels that was asked for is wrong."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlp_core.data import Dataset, load_sample
from mlp_core.labs.generalization.subsets import first, with_wrong_labels
from mlp_core.spec import SpecError


def ten(n: int) -> Dataset:
    images, labels = torch.zeros(n, 2, dtype=torch.uint8), torch.arange(n) % 10
    return Dataset(images, labels, images, labels)


def test_a_part_is_the_first_images_with_their_labels() -> None:
    data = load_sample()
    part = first(data, 30, 20)
    assert torch.equal(part.train_images, data.train_images[:30])
    assert torch.equal(part.train_labels, data.train_labels[:30])
    assert torch.equal(part.test_images, data.test_images[:20])
    assert torch.equal(part.test_labels, data.test_labels[:20])
    assert len(first(ten(5), 30, 20).train_labels) == 5


@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 1000))
def test_the_share_is_exact_and_a_wrong_label_is_another_class(n: int, share: float, seed: int) -> None:
    data = ten(n)
    noisy = with_wrong_labels(data, share, seed)
    differ = noisy.data.train_labels != data.train_labels
    assert torch.equal(differ, noisy.wrong)
    assert int(noisy.wrong.sum()) == round(share * n)
    assert set(noisy.data.train_labels.tolist()) <= set(range(10))
    assert torch.equal(noisy.data.test_labels, data.test_labels)


def test_every_other_class_comes_about_equally_often_and_the_seed_decides() -> None:
    data = Dataset(torch.zeros(9000, 1), torch.full((9000,), 3), torch.zeros(1, 1), torch.zeros(1))
    counts = with_wrong_labels(data, 1.0, 0).data.train_labels.bincount(minlength=10)
    assert counts[3] == 0
    assert (counts[counts > 0] - 1000).abs().max() < 150  # five standard deviations
    assert torch.equal(with_wrong_labels(data, 0.5, 1).wrong, with_wrong_labels(data, 0.5, 1).wrong)
    assert not torch.equal(with_wrong_labels(data, 0.5, 1).wrong, with_wrong_labels(data, 0.5, 2).wrong)


def test_the_set_that_all_share_is_not_written_to() -> None:
    data = load_sample()
    before = data.train_labels.clone()
    with_wrong_labels(data, 1.0, 0)
    assert torch.equal(data.train_labels, before)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SpecError, match="share"):
        with_wrong_labels(ten(10), 1.01, 0)
    with pytest.raises(SpecError, match="train_size"):
        first(ten(10), 0, 5)
    with pytest.raises(SpecError, match="test_size"):
        first(ten(10), 5, 0)
