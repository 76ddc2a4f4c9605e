"""Parts of a data set, and labels made wrong on purpose: what an experiment on generalization needs of its data."""

from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from mlp_core.data import CLASS_NAMES, Dataset
from mlp_core.spec import TRAIN_SIZE_BOUNDS, Bounds

SHARE_BOUNDS = Bounds(0.0, 1.0)


def first(data: Dataset, train: int, test: int) -> Dataset:
    """The first so many training and test images, or as many as there are.

    Raises:
        SpecError: fewer than one of either.
    """
    TRAIN_SIZE_BOUNDS.check("train_size", train)
    TRAIN_SIZE_BOUNDS.check("test_size", test)
    return replace(
        data,
        train_images=data.train_images[:train],
        train_labels=data.train_labels[:train],
        test_images=data.test_images[:test],
        test_labels=data.test_labels[:test],
    )


@dataclass(frozen=True, eq=False)
class NoisyLabels:
    """A data set of which some training labels are wrong; `wrong` (n,) says which. The test labels are right."""

    data: Dataset
    wrong: Tensor


def with_wrong_labels(data: Dataset, share: float, seed: int) -> NoisyLabels:
    """Give `share` of the training images (to the nearest whole number) another class, any other with equal chance. Zhang et al. 2017.

    Raises:
        SpecError: the share is not one.
    """
    SHARE_BOUNDS.check("share", share)
    generator, n = Generator().manual_seed(seed), len(data.train_labels)
    wrong = torch.zeros(n, dtype=torch.bool)
    wrong[torch.randperm(n, generator=generator)[: round(share * n)]] = True
    classes = len(CLASS_NAMES)
    shifted = (data.train_labels.clone() + torch.randint(1, classes, (n,), generator=generator)) % classes
    labels = torch.where(wrong, shifted, data.train_labels.clone())
    return NoisyLabels(replace(data, train_labels=labels), wrong)
