"""The download: whole files or none, once for all who ask, and a plain reason for every way in which a mirror or a disk can fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlp_core.data import download, known_files
from mlp_core.data.download import cache_folder, fetch
from mlp_core.data.idx import DataError
from tests.support.idx_files import NAMES, TRAIN_IMAGES, TRAIN_LABELS, digests, small_set, write_set
from tests.support.mirror import Mirror, mirror_of

VALUES = small_set()
PATHS = [f"/{name}.gz" for name in NAMES]


def quiet(_fraction: float, _text: str) -> None:
    pass


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"download.lock"}


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror that holds the small set, which counts as the published one; torchvision names this mirror."""
    monkeypatch.setattr(known_files, "PUBLISHED", digests(VALUES))
    with mirror_of(VALUES) as running:
        torchvision = types.ModuleType("torchvision.datasets")
        torchvision.FashionMNIST = types.SimpleNamespace(mirrors=[running.url])  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "torchvision.datasets", torchvision)
        yield running


def test_torchvision_still_names_mirrors_and_our_four_files() -> None:
    fashion_mnist = pytest.importorskip("torchvision.datasets").FashionMNIST
    assert download._mirrors() == fashion_mnist.mirrors
    assert all(mirror.startswith("http") for mirror in fashion_mnist.mirrors)
    assert [name for name, _ in fashion_mnist.resources] == [f"{name}.gz" for name in known_files.FILES]


def test_fetches_the_four_files_and_says_how_far_it_is(tmp_path: Path, mirror: Mirror) -> None:
    told: list[tuple[float, str]] = []
    fetch(tmp_path / "new" / "folder", lambda fraction, text: told.append((fraction, text)))
    assert mirror.asked == PATHS
    assert files_in(tmp_path / "new" / "folder") == {path[1:] for path in PATHS}
    assert known_files.read_folder(tmp_path / "new" / "folder", published_only=True).is_published
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert 0.0 <= fractions[0] <= fractions[-1] <= 1.0
    assert {name for name in NAMES if any(name in text for _, text in told)} == set(NAMES)


def test_leaves_whole_files_alone_and_replaces_damaged_ones(tmp_path: Path, mirror: Mirror) -> None:
    write_set(tmp_path, VALUES)
    damaged = tmp_path / f"{TRAIN_LABELS}.gz"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    fetch(tmp_path, quiet)
    assert mirror.asked == [f"/{TRAIN_LABELS}.gz"]
    fetch(tmp_path, quiet)
    assert len(mirror.asked) == 1


@pytest.mark.parametrize(
    ("fault", "limit", "reason"),
    [
        ("missing", {}, r"expected an answer, found status 404 \(Not Found\)"),
        ("page", {}, r"expected the magic number of labels \(2049\), found a file that begins with b'<html>Pl'"),
        ("short", {}, "expected a complete gzip file, found one that breaks off"),
        ("other", {}, r"expected the magic number of labels \(2049\), found that of images"),
        ("silent", {"ANSWER_SECONDS": 1.0}, "expected an answer within 1 seconds, found silence after 0 bytes"),
        ("drip", {"DOWNLOAD_SECONDS": 1.5}, r"expected the files within 1\.5 seconds, found \d+ bytes of this one"),
        ("endless", {"MAX_GZ_BYTES": 100_000}, "expected at most 100,000 bytes, found more"),
    ],
)
def test_a_failing_mirror_gives_its_reason_and_leaves_no_trace(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, *, fault: str, limit: dict[str, float], reason: str
) -> None:
    mirror.fault, mirror.faulty = fault, f"{TRAIN_LABELS}.gz"
    with monkeypatch.context() as limits:
        for name, value in limit.items():
            limits.setattr(download, name, value)
        with pytest.raises(DataError, match=reason) as failure:
            fetch(tmp_path, quiet)
    assert failure.value.file == f"{mirror.url}{TRAIN_LABELS}.gz"
    assert files_in(tmp_path) == {f"{TRAIN_IMAGES}.gz"}  # what came before it is whole and stays
    mirror.fault = ""
    fetch(tmp_path, quiet)
    assert mirror.asked.count(f"/{TRAIN_IMAGES}.gz") == 1
    assert known_files.read_folder(tmp_path, published_only=True).is_published


def test_takes_the_next_mirror(tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_mirrors", lambda: ["http://127.0.0.1:9/", mirror.url])  # port 9 discards: nobody listens there
    fetch(tmp_path, quiet)
    assert mirror.asked == PATHS


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:9/", "an answer, found Connection refused"),
        ("http://mirror.invalid/", "an answer, found .*(not known|failure|resolution)"),
        ("nonsense", "an answer, found unknown url type"),
    ],
)
def test_an_unreachable_mirror_gives_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, reason: str) -> None:
    monkeypatch.setattr(download, "_mirrors", lambda: [address])
    with pytest.raises(DataError, match=reason):
        fetch(tmp_path, quiet)
    assert files_in(tmp_path) == set()


@pytest.mark.parametrize("error", [ImportError("No module"), RuntimeError("operator torchvision::nms does not exist")])
def test_a_torchvision_that_does_not_import_gives_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Broken(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            raise error

    monkeypatch.setitem(sys.modules, "torchvision.datasets", Broken("torchvision.datasets"))
    with pytest.raises(DataError, match=f"torchvision: expected an installation that works, to download with, found {error}"):
        fetch(tmp_path, quiet)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_gives_its_reason_and_leaves_no_part(tmp_path: Path, mirror: Mirror) -> None:
    part = tmp_path / f"{TRAIN_IMAGES}.gz.part"
    part.symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"\.part: expected room and right to write, found No space left on device"):
        fetch(tmp_path, quiet)
    assert files_in(tmp_path) == set()


def test_a_folder_that_cannot_be_made_gives_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="a folder to write downloads to, found Not a directory"):
        fetch(tmp_path / "file" / "folder", quiet)


def test_threads_that_ask_at_once_download_once(tmp_path: Path, mirror: Mirror) -> None:
    mirror.delay_seconds = 0.05
    threads = [threading.Thread(target=fetch, args=(tmp_path, quiet)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mirror.asked == PATHS


FETCH_IN_A_PROCESS = """
import sys, types
from pathlib import Path
from mlp_core.files import known_files
from mlp_core.files.download import fetch
from tests.idx_files import digests, small_set
known_files.PUBLISHED = digests(small_set())
datasets = types.ModuleType("torchvision.datasets")
datasets.FashionMNIST = types.SimpleNamespace(mirrors=[sys.argv[2]])
sys.modules["torchvision"], sys.modules["torchvision.datasets"] = types.ModuleType("torchvision"), datasets
fetch(Path(sys.argv[1]), lambda fraction, text: print(text, flush=True))
assert "torch" not in sys.modules
"""


def process(folder: Path, mirror: Mirror) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", FETCH_IN_A_PROCESS, str(folder), mirror.url]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_ask_at_once_download_once(tmp_path: Path, mirror: Mirror) -> None:
    mirror.delay_seconds = 0.3
    processes = [process(tmp_path, mirror) for _ in range(2)]
    told = [running.communicate(timeout=60)[0] for running in processes]
    assert [running.returncode for running in processes] == [0, 0]
    assert mirror.asked == PATHS
    assert sum(f"Downloading {TRAIN_IMAGES}" in text for text in told) == 1


def test_a_process_killed_in_the_middle_poisons_nothing_and_blocks_nobody(tmp_path: Path, mirror: Mirror) -> None:
    mirror.fault, mirror.faulty = "drip", ".gz"
    with process(tmp_path, mirror) as running:
        assert running.stdout is not None
        while "Downloading" not in running.stdout.readline():  # until the first bytes are there
            pass
        os.kill(running.pid, signal.SIGKILL)
    assert files_in(tmp_path) == {f"{TRAIN_IMAGES}.gz.part"}
    mirror.fault = ""
    fetch(tmp_path, quiet)
    assert files_in(tmp_path) == {path[1:] for path in PATHS}


def test_a_process_that_holds_the_lock_for_ever_is_not_waited_for(tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DOWNLOAD_SECONDS", 0.4)
    mirror.fault, mirror.faulty = "drip", ".gz"
    told: list[str] = []
    with process(tmp_path, mirror) as running:
        assert running.stdout is not None
        while "Downloading" not in running.stdout.readline():
            pass
        with pytest.raises(DataError, match=r"expected another process to end its download within 0\.4 seconds, found it still running"):
            fetch(tmp_path, lambda _, text: told.append(text))
        running.kill()
    assert told[-1] == "Waiting for the download of another process"


def test_the_cache_lies_where_the_user_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "mlp-playground"
    for unusable in ("", "relative/path"):  # the XDG specification: ignore what is not absolute
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert cache_folder() == tmp_path / ".cache" / "mlp-playground"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "mlp-playground"
