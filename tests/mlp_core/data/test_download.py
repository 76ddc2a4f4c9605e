"""The download: whole files or none, once for all who ask, and a plain reason for every way in which a mirror or a disk can fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlp_core.data import download, files
from mlp_core.data.download import cache_folder, fetch
from mlp_core.data.files import DataError
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
    """A mirror that holds the small set, which counts as the published one; the only one there is."""
    monkeypatch.setattr(files, "PUBLISHED", digests(VALUES))
    with mirror_of(VALUES) as running:
        monkeypatch.setattr(download, "PUBLISHED_GZ", running.published)
        monkeypatch.setattr(download, "MIRRORS", (running.url,))
        monkeypatch.setattr(download, "RETRIES", 0)
        yield running


def test_torchvision_names_the_same_mirror_files_and_checksums() -> None:
    fashion_mnist = pytest.importorskip("torchvision.datasets").FashionMNIST
    assert set(fashion_mnist.mirrors) <= set(download.MIRRORS)
    assert fashion_mnist.resources == [(f"{name}.gz", download.PUBLISHED_GZ[name].md5) for name in files.FILES]


def test_fetches_the_four_files_and_says_how_far_it_is(tmp_path: Path, mirror: Mirror) -> None:
    told: list[tuple[float, str]] = []
    fetch(tmp_path / "new" / "folder", lambda fraction, text: told.append((fraction, text)))
    assert mirror.asked == PATHS
    assert files_in(tmp_path / "new" / "folder") == {path[1:] for path in PATHS}
    assert files.read_folder(tmp_path / "new" / "folder", published_only=True).is_published
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
        ("page", {}, r"expected the published file, found MD5 hash of downloaded file"),
        ("short", {}, "expected an answer, found IncompleteRead"),
        ("other", {}, r"expected the published file, found MD5 hash of downloaded file"),
        ("silent", {"ANSWER_SECONDS": 1.0}, "expected an answer within 1 seconds, found silence"),
        ("drip", {"DOWNLOAD_SECONDS": 1.5}, r"expected the files within 1\.5 seconds, found [\d,]+ bytes of this one"),
        ("endless", {"MEGABYTE": 100_000.0}, r"expected at most \d+ bytes, found more"),
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
    assert files.read_folder(tmp_path, published_only=True).is_published


def test_takes_the_next_mirror(tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MIRRORS", ("http://127.0.0.1:9/", mirror.url))  # port 9 discards: nobody listens there
    fetch(tmp_path, quiet)
    assert mirror.asked == PATHS


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:9/", "an answer, found Connection refused"),
        ("http://mirror.invalid/", "an answer, found .*(not known|failure|resolution)"),
        ("nonsense/", "an answer, found .*No scheme supplied"),
    ],
)
def test_an_unreachable_mirror_gives_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, reason: str) -> None:
    monkeypatch.setattr(download, "MIRRORS", (address,))
    monkeypatch.setattr(download, "RETRIES", 0)
    with pytest.raises(DataError, match=reason):
        fetch(tmp_path, quiet)
    assert files_in(tmp_path) == set()


def test_a_file_that_fails_once_is_asked_for_again(tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "RETRIES", 1)
    mirror.fault, mirror.faulty, mirror.faults_left = "short", f"{TRAIN_LABELS}.gz", 1
    fetch(tmp_path, quiet)
    assert Counter(mirror.asked) == Counter([*PATHS, f"/{TRAIN_LABELS}.gz"])


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_gives_its_reason_and_leaves_no_part(tmp_path: Path, mirror: Mirror) -> None:
    with process(tmp_path, mirror, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))") as running:
        told = running.communicate(timeout=60)[0]
    assert "expected a folder to write downloads to, found File too large" in told
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
import sys
from pathlib import Path
from mlp_core.data import DataError, download
from mlp_core.data import files
from tests.support.idx_files import digests, small_set
from tests.support.mirror import published
values = small_set()
files.PUBLISHED, download.PUBLISHED_GZ = digests(values), published(values)
download.MIRRORS, download.RETRIES = (sys.argv[2],), 0
exec(sys.argv[3])
try:
    download.fetch(Path(sys.argv[1]), lambda fraction, text: print(text, flush=True))
except DataError as error:
    print(error)
"""


def process(folder: Path, mirror: Mirror, first: str = "") -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", FETCH_IN_A_PROCESS, str(folder), mirror.url, first]
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
    (part,) = files_in(tmp_path)
    assert part not in {path[1:] for path in PATHS}
    mirror.fault = ""
    fetch(tmp_path, quiet)
    assert files_in(tmp_path) == {part} | {path[1:] for path in PATHS}


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


@pytest.mark.skipif(sys.platform != "linux", reason="the custom of other platforms is the library's business")
def test_the_cache_lies_where_the_user_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "mlp-playground"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == tmp_path / ".cache" / "mlp-playground"
