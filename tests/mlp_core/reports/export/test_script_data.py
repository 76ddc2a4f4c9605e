"""A program finds its images where it is told, in Debian's folder or in torchvision's, and asks torchvision only where neither has them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mlp_core.data.files import read_folder
from mlp_core.reports.export import script, script_of
from tests.support.idx_files import TRAIN_IMAGES, Bytes, small_set, write_set
from tests.support.programs import SMALL, executed

ONE_STEP = replace(SMALL, train_size=10, epochs=1)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in that holds no images, on a machine without Debian's package."""
    monkeypatch.delenv("MLP_DATA_DIR", raising=False)
    monkeypatch.setattr(script, "DEBIAN_FOLDER", tmp_path / "debian")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source_of(folder: Path, *arguments: str) -> str:
    """Where a program says that its images come from."""
    program = folder / "program.py"
    program.write_text(script_of(ONE_STEP, "scratch"), encoding="utf-8")
    printed = executed(program, *arguments)
    assert len(printed.epochs) == 1
    return printed.others[0]


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A torchvision that has nothing but the call that downloads; what it was asked."""
    asked: list[Any] = []

    def fetch(root: str, *, download: bool) -> None:
        asked.append((root, download))
        write_set(Path(root) / "FashionMNIST" / "raw", small_set())

    module, datasets = ModuleType("torchvision"), ModuleType("torchvision.datasets")
    datasets.FashionMNIST = fetch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", module)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", datasets)
    return asked


def test_a_folder_that_is_given_comes_first(nowhere: Path, torchvision: list[Any]) -> None:
    write_set(nowhere / "debian", small_set(1))
    given = write_set(nowhere / "given", small_set())
    assert source_of(nowhere, "--data", str(given)) == f"10 + 20 images from {given}"
    assert torchvision == []


def test_so_does_one_of_the_environment(nowhere: Path, monkeypatch: pytest.MonkeyPatch, torchvision: list[Any]) -> None:
    given = write_set(nowhere / "given", small_set())
    monkeypatch.setenv("MLP_DATA_DIR", str(given))
    assert source_of(nowhere).endswith(str(given))


@pytest.mark.parametrize("below", ["", "raw", "FashionMNIST/raw"])
@pytest.mark.parametrize("packed", [True, False], ids=["compressed", "uncompressed"])
@pytest.mark.parametrize("home", [True, False])
def test_it_reads_what_the_app_reads_from_a_given_folder(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, torchvision: list[Any], below: str, packed: bool, home: bool
) -> None:
    write_set(nowhere / "given" / below, small_set(), packed)
    monkeypatch.setenv("HOME", str(nowhere))
    monkeypatch.setenv("MLP_DATA_DIR", given := "~/given" if home else str(nowhere / "given"))
    assert source_of(nowhere) == f"10 + 20 images from {nowhere / 'given' / below}"
    read = read_folder(Path(given).expanduser(), published_only=False)
    assert (len(read.train_images), len(read.test_images)) == (30, 20), "the app finds them there too"
    assert torchvision == []


def test_then_debians_then_what_was_fetched_before(nowhere: Path, torchvision: list[Any]) -> None:
    write_set(nowhere / "data/FashionMNIST/raw", small_set())
    assert source_of(nowhere).endswith("data/FashionMNIST/raw")
    write_set(nowhere / "debian", small_set())
    assert source_of(nowhere).endswith("debian")
    assert torchvision == []


def test_torchvision_is_asked_last(nowhere: Path, torchvision: list[Any]) -> None:
    assert source_of(nowhere).endswith("data/FashionMNIST/raw")
    assert torchvision == [("data", True)]


def test_a_folder_without_images_is_named(nowhere: Path, torchvision: list[Any]) -> None:
    with pytest.raises(FileNotFoundError, match="empty"):
        source_of(nowhere, "--data", str(nowhere / "empty"))
    assert torchvision == []


@pytest.mark.parametrize("size", [1, 7, 30, 31])
def test_as_many_images_as_the_run_saw(nowhere: Path, size: int) -> None:
    values: dict[str, Bytes] = small_set()
    given = write_set(nowhere / "given", values)
    program = nowhere / "program.py"
    program.write_text(script_of(replace(ONE_STEP, train_size=size), "concise"), encoding="utf-8")
    assert executed(program, "--data", str(given)).others[0].startswith(f"{min(size, len(np.asarray(values[TRAIN_IMAGES])))} + 20 images")
