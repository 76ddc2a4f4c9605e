"""Fetch the published Fashion-MNIST into a cache folder, once, whoever asks at the same time. Knows no tensor and no other source.

A file is written under a temporary name, verified, and only then moved into place: what bears a final name is whole. One process
downloads at a time, by a lock that the operating system takes back from a process that dies.
"""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mlp_core.data.idx import DataError
from mlp_core.data.known_files import FILES, read_known

Report = Callable[[float, str], None]  # fraction done 0..1, and what is going on

GZ_BYTES = dict(zip(FILES, (26_421_880, 29_515, 4_422_102, 5_148), strict=True))  # as served
MAX_GZ_BYTES = 2 * max(GZ_BYTES.values())
ANSWER_SECONDS = 15.0  # name resolution, connection and headers together; later, the longest silence
DOWNLOAD_SECONDS = 300.0  # the four files; 103 kB/s will do
CHUNK_BYTES = 1 << 16
MEGABYTE = 1e6


def cache_folder() -> Path:
    """Where this user's downloads are kept, by the platform's custom."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = Path(base if os.path.isabs(base) or base.startswith("~") else "~/.cache").expanduser()
    except RuntimeError:  # a user without a home
        folder = Path(tempfile.gettempdir())
    return folder / "mlp-playground"


def fetch(folder: Path, report: Report) -> None:
    """Complete `folder` with the published files, compressed; those that are there and whole are left alone.

    Raises:
        DataError: no torchvision to name the address; no answer, a late one, or something else than the published file; no room or no
            right to write; another process that does not come to an end.
    """
    report(0.0, "Preparing the download")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / "download.lock", report):
            deadline = time.monotonic() + DOWNLOAD_SECONDS
            missing = [name for name in FILES if not _is_whole(folder / f"{name}.gz", name)]
            done_bytes = sum(GZ_BYTES[name] for name in FILES if name not in missing)
            for name in missing:
                _fetch_file(name, folder / f"{name}.gz", deadline, _progress_of(name, done_bytes, report))
                done_bytes += GZ_BYTES[name]
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        raise DataError(folder, "a folder to write downloads to", _reason(error)) from error


@contextmanager
def _alone(path: Path, report: Report) -> Iterator[None]:
    """Hold the lock file `path`, so that of several processes one downloads and the others find its files."""
    lock = FileLock(path, poll_interval=0.2)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(0.0, "Waiting for the download of another process")
        try:
            lock.acquire(timeout=DOWNLOAD_SECONDS)
        except Timeout as error:
            raise DataError(path, f"another process to end its download within {DOWNLOAD_SECONDS:g} seconds", "it still running") from error
    try:
        yield
    finally:
        lock.release()


def _is_whole(path: Path, name: str) -> bool:
    try:
        read_known(path, name, published_only=True)
    except DataError:
        return False
    return True


def _progress_of(name: str, done_bytes: int, report: Report) -> Callable[[int], None]:
    total = sum(GZ_BYTES.values())

    def progress(got_bytes: int) -> None:
        so_far = min(done_bytes + got_bytes, total)
        report(so_far / total, f"Downloading {name}.gz ({so_far / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB)")

    return progress


def _fetch_file(name: str, target: Path, deadline: float, progress: Callable[[int], None]) -> None:
    """Download one file from the first mirror that delivers it; where none does, raise what was wrong at the last."""
    failure = DataError("torchvision", "the address of a mirror of Fashion-MNIST", "none")
    for mirror in _mirrors():
        try:
            return _deliver(f"{mirror}{name}.gz", name, target, deadline, progress)
        except DataError as error:
            failure = error
    raise failure


def _deliver(url: str, name: str, target: Path, deadline: float, progress: Callable[[int], None]) -> None:
    part = target.with_name(target.name + ".part")
    try:
        _write(part, _chunks(url, deadline), progress)
        try:
            read_known(part, name, published_only=True)
        except DataError as error:
            raise DataError(url, error.expected, error.found) from error  # a person can look at an address, not at a part
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _mirrors() -> list[str]:
    try:
        from torchvision.datasets import FashionMNIST  # noqa: PLC0415  # 3 s and 160 MB: only for those who download
    except (ImportError, RuntimeError, OSError) as error:  # RuntimeError: a build that does not match torch
        raise DataError("torchvision", "an installation that works, to download with", str(error)) from error
    return list(FashionMNIST.mirrors)


def _write(part: Path, chunks: Iterator[bytes], progress: Callable[[int], None]) -> None:
    got_bytes = 0
    try:
        with part.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                got_bytes += len(chunk)
                progress(got_bytes)
    except OSError as error:  # of the disk: the network's errors are DataErrors by now
        raise DataError(part, "room and right to write", _reason(error)) from error


def _chunks(url: str, deadline: float) -> Iterator[bytes]:
    """The bytes at `url` as they come.

    Raises:
        DataError: no answer, a refusal, a silence, more than any of the files has, or not done by `deadline`.
    """
    got_bytes = 0
    try:
        with _answer(url) as response:
            while chunk := response.read1(CHUNK_BYTES):  # read() would wait for a whole chunk, however slowly it drips
                got_bytes += len(chunk)
                if got_bytes > MAX_GZ_BYTES:
                    raise DataError(url, f"at most {MAX_GZ_BYTES:,} bytes", "more")
                if time.monotonic() > deadline:
                    raise DataError(url, f"the files within {DOWNLOAD_SECONDS:g} seconds", f"{got_bytes:,} bytes of this one")
                yield chunk
    except TimeoutError as error:
        raise DataError(url, f"an answer within {ANSWER_SECONDS:g} seconds", f"silence after {got_bytes:,} bytes") from error
    except DataError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(url, "an answer", _reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"status {error.code} ({error.reason})"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        error = error.reason
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _answer(url: str) -> Any:
    """Open `url`, or give up after `ANSWER_SECONDS`: the time-out of a socket bounds each address tried, but not a slow name server."""
    answer: Future[Any] = Future()

    def ask() -> None:
        try:
            answer.set_result(urllib.request.urlopen(url, timeout=ANSWER_SECONDS))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True, name="fashion-mnist-connect").start()
    return answer.result(ANSWER_SECONDS)
