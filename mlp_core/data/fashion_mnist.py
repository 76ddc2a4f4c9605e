"""Fashion-MNIST for everybody in this process: the first source that holds it, verified, read once.

Sources in order: the folder named by MLP_DATA_DIR; the Debian package; an earlier download; a download; the bundled sample.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from mlp_core.data.download import Report, cache_folder, fetch
from mlp_core.data.files import DataError, read_folder
from mlp_core.words import Message, joined

CLASS_NAMES = (  # of labels 0..9
    *(Message("t-shirt"), Message("trouser"), Message("pullover"), Message("dress"), Message("coat")),
    *(Message("sandal"), Message("shirt"), Message("sneaker"), Message("bag"), Message("ankle boot")),
)

FOLDER_VARIABLE = "MLP_DATA_DIR"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
SAMPLE_FOLDER = Path(__file__).with_name("sample")
FULL_SET_HINT = Message(
    "To get all 70,000 images, install the Debian package dataset-fashion-mnist (apt install dataset-fashion-mnist), or set "
    "{variable} to a folder that holds the four .gz files, or let this computer reach the network; then start again.",
    variable=FOLDER_VARIABLE,
)
POLL_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, and where they came from.

    All who load share the tensors of a loaded set: nobody may write to them, nor to a view of them.

    Args:
        train_images: uint8, 0..255, shape (n, 28, 28).
        train_labels: int64, 0..9, shape (n,).
        test_images: as train_images.
        test_labels: as train_labels.
        source: where the files were found, in words.
        is_sample: whether this is the bundled sample and not the full set.
        notes: why earlier sources were passed over, a sentence each.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    source: str = ""
    is_sample: bool = False
    notes: tuple[str, ...] = ()


Notes = tuple[str, ...]
Found = tuple[Dataset | None, Notes]  # the set, if there is one; and why each source before it was passed over


def load_fashion_mnist(progress: Report | None = None, allow_download: bool = True, fallback: bool = True) -> Dataset:
    """Fashion-MNIST from the first source that has it; read once in this process, then shared.

    Args:
        progress: called on the caller's thread, about ten times a second while it waits, with the fraction done (0..1) and a text. It
            may raise to leave: the work goes on, and the next call finds it where it is by then.
        allow_download: whether the network may be asked, where no folder holds the set.
        fallback: whether the bundled sample will do, where nothing else does.

    Returns:
        The full set, or with `fallback` the sample; `notes` says why.

    Raises:
        DataError: no source works and `fallback` is False; or the bundled sample itself is damaged.
    """
    given, cache = os.environ.get(FOLDER_VARIABLE, "").strip(), cache_folder()
    dataset, notes = _once(_from_folders, given, DEBIAN_FOLDER, cache).result(progress)
    if dataset is not None:
        return dataset
    if allow_download:
        dataset, more = _once(_from_network, cache).result(progress)
        notes += more
        if dataset is not None:
            return replace(dataset, notes=notes)
    if not fallback:
        raise DataError("Fashion-MNIST", Message("a source that works"), joined(*notes))
    return replace(load_sample(), notes=notes)


def load_sample() -> Dataset:
    """The bundled sample: 6,000 training and 1,000 test images of Fashion-MNIST, each class equally often; read once, then shared.

    Raises:
        DataError: a file of this installation is missing or damaged.
    """
    return _once(_from_bundle).result(None)


def forget() -> None:
    """Let the next load look again: after a failed download, or when a folder has been filled. Sets already handed out stay valid."""
    with _lock:
        _tasks.clear()


def _from_folders(given: str, package: Path, cache: Path, report: Report) -> Found:
    sources: list[tuple[str, Path]] = [(Message("the Debian package"), package), (Message("an earlier download"), cache)]
    if given:
        sources.insert(0, (FOLDER_VARIABLE, Path(os.path.expanduser(given))))
    notes: Notes = ()
    for source, folder in sources:
        report(0.0, Message("Reading {folder}", folder=folder))
        try:
            return _read(folder, source, notes, published_only=source != FOLDER_VARIABLE), ()
        except DataError as error:
            notes += (_passed_over(source, error),)
    return None, notes


def _from_network(cache: Path, report: Report) -> Found:
    try:
        fetch(cache, report)
        return _read(cache, Message("a download")), ()
    except DataError as error:
        return None, (_passed_over(Message("a download"), error),)


def _passed_over(source: str, error: DataError) -> Message:
    return Message("{source}: {reason}.", source=source, reason=error.args[0])


def _from_bundle(_: Report) -> Dataset:
    return _read(SAMPLE_FOLDER, Message("the bundled sample"), published_only=False)


def _read(folder: Path, source: str, notes: Notes = (), *, published_only: bool = True) -> Dataset:
    files = read_folder(folder, published_only)
    if not (files.is_published or files.is_sample):
        other = Message(
            "{source}: {folder} holds other data than the published Fashion-MNIST; it is used as it is.", source=source, folder=folder
        )
        notes += (other,)
    return Dataset(
        torch.from_numpy(files.train_images),
        torch.from_numpy(files.train_labels).long(),
        torch.from_numpy(files.test_images),
        torch.from_numpy(files.test_labels).long(),
        source=Message("{source} ({folder})", source=source, folder=folder),
        is_sample=files.is_sample,
        notes=notes,
    )


T = TypeVar("T")


class _Task(Generic[T]):
    """Work on a thread of its own for all who wait for it: a visitor who clicks on during a download does not start it over."""

    def __init__(self, work: Callable[[Report], T]) -> None:
        self._latest: tuple[float, str] = (0.0, Message("Looking for Fashion-MNIST"))
        self._future: Future[T] = Future()
        threading.Thread(target=self._run, args=(work,), daemon=True, name="fashion-mnist").start()

    def _run(self, work: Callable[[Report], T]) -> None:
        try:
            self._future.set_result(work(self._report))
        except BaseException as error:
            self._future.set_exception(error)

    def _report(self, fraction: float, text: str) -> None:
        self._latest = (fraction, text)

    @property
    def failed(self) -> bool:
        return self._future.done() and self._future.exception() is not None

    def result(self, progress: Report | None) -> T:
        while progress is not None and not self._future.done():
            progress(*self._latest)
            wait([self._future], timeout=POLL_SECONDS)
        return self._future.result()


_lock = threading.Lock()
_tasks: dict[Callable[..., Any], tuple[tuple[object, ...], _Task[Any]]] = {}  # the latest task of each kind, and its arguments


def _once(work: Callable[..., T], *arguments: object) -> _Task[T]:
    """The one task that does `work` with these arguments: running, done, or started now."""
    with _lock:
        held_arguments, task = _tasks.get(work, (None, None))
        if task is None or task.failed or held_arguments != arguments:
            task = _Task(partial(work, *arguments))
            _tasks[work] = (arguments, task)
        return task
