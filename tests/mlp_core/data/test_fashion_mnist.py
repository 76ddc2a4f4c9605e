"""Where Fashion-MNIST comes from: sources in order, why each was passed over, and read once for all."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mlp_core.data import CLASS_NAMES, DataError, Dataset, download, files, forget, load_fashion_mnist, load_sample
from mlp_core.data import fashion_mnist as data
from tests.support.idx_files import DEBIAN, NAMES, TEST_IMAGES, TRAIN_IMAGES, TRAIN_LABELS, Bytes, digests, read_idx, small_set, write_set
from tests.support.mirror import Mirror, mirror_of

PUBLISHED, OTHER = small_set(seed=1), small_set(seed=2)
REALLY_PUBLISHED = files.PUBLISHED


@pytest.fixture(autouse=True)
def _nothing_to_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No source but the bundled sample; the small set `PUBLISHED` counts as the published one."""
    monkeypatch.delenv("MLP_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(data, "DEBIAN_FOLDER", tmp_path / "debian")
    monkeypatch.setattr(files, "PUBLISHED", digests(PUBLISHED))
    monkeypatch.setattr(download, "MIRRORS", ("http://127.0.0.1:9/",))  # nobody listens there
    monkeypatch.setattr(download, "RETRIES", 0)
    forget()
    yield
    forget()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    with mirror_of(PUBLISHED) as running:
        monkeypatch.setattr(download, "MIRRORS", (running.url,))
        monkeypatch.setattr(download, "PUBLISHED_GZ", running.published)
        monkeypatch.setattr(download, "RETRIES", 0)
        yield running


def assert_holds(dataset: Dataset, values: dict[str, Bytes]) -> None:
    tensors = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for tensor, name in zip(tensors, NAMES, strict=True):
        np.testing.assert_array_equal(tensor.numpy(), values[name])
    assert [tensor.dtype for tensor in tensors] == [torch.uint8, torch.int64, torch.uint8, torch.int64]


def test_sources_are_asked_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> None:
    cache = download.cache_folder()
    assert load_fashion_mnist(allow_download=False).is_sample
    downloaded = load_fashion_mnist()
    assert downloaded.source == f"a download ({cache})"
    assert not downloaded.is_sample
    assert len(downloaded.notes) == 2

    forget()
    cached = load_fashion_mnist()
    assert cached.source == f"an earlier download ({cache})"
    assert cached.notes == (f"the Debian package: {tmp_path / 'debian'}: expected a folder, found none.",)

    forget()
    write_set(tmp_path / "debian", PUBLISHED)
    packaged = load_fashion_mnist()
    assert packaged.source == f"the Debian package ({tmp_path / 'debian'})"
    assert packaged.notes == ()

    monkeypatch.setenv("MLP_DATA_DIR", str(write_set(tmp_path / "given", PUBLISHED, compress=False)))
    given = load_fashion_mnist()
    assert given.source == f"MLP_DATA_DIR ({tmp_path / 'given'})"
    assert given.notes == ()

    assert mirror.asked == [f"/{name}.gz" for name in NAMES]
    for dataset in (downloaded, cached, packaged, given):
        assert_holds(dataset, PUBLISHED)


def test_a_given_folder_may_hold_other_data_and_a_note_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_set(tmp_path / "mine", OTHER)
    monkeypatch.setenv("MLP_DATA_DIR", "~/mine")
    dataset = load_fashion_mnist()
    assert_holds(dataset, OTHER)
    assert dataset.notes == (f"MLP_DATA_DIR: {tmp_path / 'mine'} holds other data than the published Fashion-MNIST; it is used as it is.",)


def test_other_sources_may_not_hold_other_data(tmp_path: Path) -> None:
    write_set(tmp_path / "debian", OTHER)
    write_set(download.cache_folder(), OTHER)
    dataset = load_fashion_mnist(allow_download=False)
    assert dataset.is_sample
    assert ["expected the published train-images" in note for note in dataset.notes] == [True, True]


def test_a_given_folder_with_the_sample_is_known_as_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_DATA_DIR", str(data.SAMPLE_FOLDER))
    dataset = load_fashion_mnist()
    assert dataset.is_sample
    assert dataset.notes == ()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def take_text(path: Path) -> None:
    path.write_text("A web page, perhaps")


def take_labels(path: Path) -> None:
    shutil.copy(path.with_name(f"{TRAIN_LABELS}.gz"), path)


def take_test_images(path: Path) -> None:
    shutil.copy(path.with_name(f"{TEST_IMAGES}.gz"), path)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (Path.unlink, "no such file"),
        (truncate, "one that breaks off"),
        (empty, "an empty file"),
        (take_text, "a file that begins with b'A web pa'"),
        (take_labels, "that of labels (2049)"),
        (take_test_images, f"the content of {TEST_IMAGES}"),
    ],
)
def test_a_bad_file_is_named_and_the_next_source_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None], found: str
) -> None:
    given = write_set(tmp_path / "given", PUBLISHED)
    spoil(given / f"{TRAIN_IMAGES}.gz")
    monkeypatch.setenv("MLP_DATA_DIR", str(given))
    write_set(tmp_path / "debian", PUBLISHED)
    dataset = load_fashion_mnist()
    assert dataset.source.startswith("the Debian package")
    (note,) = dataset.notes
    assert TRAIN_IMAGES in note
    assert note.startswith(f"MLP_DATA_DIR: {given}")
    assert note.endswith(f", found {found}.")


def test_without_any_source_the_sample_is_used_and_the_notes_say_why(tmp_path: Path) -> None:
    dataset = load_fashion_mnist()
    assert dataset.is_sample
    assert dataset.train_images is load_sample().train_images
    assert len(dataset.train_images) == 6000
    package, earlier, network = dataset.notes
    assert package == f"the Debian package: {tmp_path / 'debian'}: expected a folder, found none."
    assert earlier == f"an earlier download: {tmp_path / 'cache' / 'mlp-playground'}: expected a folder, found none."
    assert network == f"a download: http://127.0.0.1:9/{TRAIN_IMAGES}.gz: expected an answer, found Connection refused."


def test_without_fallback_the_error_tells_of_every_source() -> None:
    with pytest.raises(DataError, match=r"the Debian package: .* an earlier download: .* a download: .*Connection refused"):
        load_fashion_mnist(fallback=False)


def test_a_failed_download_is_tried_again_only_after_forget(monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> None:
    mirror.fault = "missing"
    assert load_fashion_mnist().is_sample
    assert load_fashion_mnist().is_sample
    assert len(mirror.asked) == 1
    mirror.fault = ""
    forget()
    assert not load_fashion_mnist().is_sample


def test_sessions_that_start_at_once_share_one_download_and_one_copy(mirror: Mirror) -> None:
    mirror.delay_seconds = 0.05
    loaded: list[Dataset] = []
    start = threading.Barrier(30)

    def session() -> None:
        start.wait()
        loaded.append(load_fashion_mnist())

    threads = [threading.Thread(target=session) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mirror.asked == [f"/{name}.gz" for name in NAMES]
    assert len({dataset.train_images.data_ptr() for dataset in loaded}) == 1
    assert len(loaded) == 30


def test_progress_is_told_on_the_callers_thread(mirror: Mirror) -> None:
    mirror.delay_seconds = 0.25
    told: list[tuple[float, str, int]] = []
    load_fashion_mnist(progress=lambda fraction, text: told.append((fraction, text, threading.get_ident())))
    assert {thread for _, _, thread in told} == {threading.get_ident()}
    assert any(text.startswith("Downloading ") for _, text, _ in told)
    assert all(0.0 <= fraction <= 1.0 for fraction, _, _ in told)


def test_a_caller_who_leaves_does_not_interrupt_the_download(mirror: Mirror) -> None:
    class Rerun(BaseException):  # as Streamlit's, to get past `except Exception`
        pass

    def leave(_fraction: float, text: str) -> None:
        if "download" in text.lower():
            raise Rerun

    mirror.delay_seconds = 0.1
    with pytest.raises(Rerun):
        load_fashion_mnist(progress=leave)
    assert_holds(load_fashion_mnist(), PUBLISHED)
    assert mirror.asked == [f"/{name}.gz" for name in NAMES]


def test_what_is_loaded_outlives_its_files(tmp_path: Path) -> None:
    write_set(tmp_path / "debian", PUBLISHED)
    first = load_fashion_mnist()
    shutil.rmtree(tmp_path / "debian")
    assert load_fashion_mnist() is first
    assert_holds(first, PUBLISHED)


def test_a_loaded_set_keeps_its_tensors() -> None:
    sample = load_sample()
    with pytest.raises(AttributeError):
        sample.train_images = sample.test_images  # type: ignore[misc]


def test_a_batch_by_index_select_trains() -> None:
    sample = load_sample()
    chosen = torch.tensor([3, 1, 4])
    images = sample.train_images.index_select(0, chosen).float().mul_(1 / 255)
    labels = sample.train_labels.index_select(0, chosen)
    layer = nn.Linear(784, 10)
    logits = layer(images.flatten(1))
    nn.functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]

    probabilities = torch.softmax(logits.detach().double(), 1)
    errors = probabilities - nn.functional.one_hot(labels, 10)  # the gradient of cross-entropy with respect to the logits
    expected = errors.T @ (sample.train_images[chosen].flatten(1).double() / 255) / 3
    torch.testing.assert_close(layer.weight.grad, expected.float(), rtol=1e-4, atol=1e-6)


def test_a_damaged_installation_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "SAMPLE_FOLDER", tmp_path)
    for _ in range(2):
        with pytest.raises(DataError, match=f"{tmp_path}: expected {TRAIN_IMAGES}.gz"):
            load_sample()
    shutil.copytree(Path(data.__file__).with_name("sample"), tmp_path, dirs_exist_ok=True)
    assert load_sample().is_sample  # a failure is not held


def test_loading_imports_no_torchvision() -> None:
    code = "import sys; from mlp_core.data.fashion_mnist import load_sample; load_sample(); assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True, timeout=60)


@pytest.mark.full_data
@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_the_real_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "DEBIAN_FOLDER", DEBIAN)
    monkeypatch.setattr(files, "PUBLISHED", REALLY_PUBLISHED)
    dataset = load_fashion_mnist(fallback=False, allow_download=False)
    assert dataset.notes == ()
    assert not dataset.is_sample
    assert_holds(dataset, {name: read_idx(DEBIAN / f"{name}.gz") for name in NAMES})
    assert dataset.train_labels.bincount().tolist() == [6000] * 10
    assert dataset.test_labels.bincount().tolist() == [1000] * 10
    assert dataset.train_images.double().mean().item() / 255 == pytest.approx(0.2860, abs=5e-5)  # the mean everybody normalizes with
    assert len(CLASS_NAMES) == 10
    assert CLASS_NAMES[int(dataset.train_labels[0])] == "ankle boot"  # the boot that opens every tutorial
