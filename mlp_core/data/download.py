"""Download the published Fashion-MNIST into a cache folder, once, whoever asks at the same time.

pooch writes each file under a temporary name, compares it with its published checksum and only then moves it into place: what bears a
final name is whole. One process downloads at a time, by a lock that the operating system takes back from a process that dies.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pooch
from filelock import FileLock, Timeout
from requests.exceptions import ConnectTimeout, HTTPError, ReadTimeout, RequestException

from mlp_core.data.files import FILES, DataError
from mlp_core.words import Message, count, rounded

Report = Callable[[float, str], None]  # fraction done 0..1, and what is going on


class Published(NamedTuple):
    """A compressed file as the mirrors serve it."""

    bytes: int
    md5: str


MIRRORS: Iterable[str] = (  # Zalando's own two
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
PUBLISHED_GZ = {  # the sums are in the README of zalandoresearch/fashion-mnist
    "train-images-idx3-ubyte": Published(26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "train-labels-idx1-ubyte": Published(29_515, "25c81989df183df01b3e8a0aad5dffbe"),
    "t10k-images-idx3-ubyte": Published(4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
    "t10k-labels-idx1-ubyte": Published(5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
}
RETRIES = 1  # of one file at one mirror, a second later
ANSWER_SECONDS = 15.0  # of silence, at the longest
DOWNLOAD_SECONDS = 300.0  # the four files; 103 kB/s will do
MEGABYTE = 1e6

pooch.get_logger().setLevel("WARNING")  # what it does is reported to the page, not to the server's log


def cache_folder() -> Path:
    """Where this user's downloads are kept, by the platform's custom."""
    return Path(pooch.os_cache("mlp-playground"))


def fetch(folder: Path, report: Report) -> None:
    """Complete `folder` with the published files, compressed; those that are there and whole are left alone.

    Raises:
        DataError: no answer, a late one, or something else than the published file; no room or no right to write; another process that
            does not come to an end.
    """
    report(0.0, Message("Preparing the download"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / "download.lock", report):
            progress = _Progress(report)
            for name in FILES:
                _fetch_file(name, folder, progress)
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        raise DataError(folder, Message("a folder to write downloads to"), _reason(error)) from error


@contextmanager
def _alone(path: Path, report: Report) -> Iterator[None]:
    """Hold the lock file `path`, so that of several processes one downloads and the others find its files."""
    lock = FileLock(path, poll_interval=0.2)
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        report(0.0, Message("Waiting for the download of another process"))
        try:
            held = lock.acquire(timeout=DOWNLOAD_SECONDS)
        except Timeout as error:
            expected = Message("another process to end its download within {seconds} seconds", seconds=f"{DOWNLOAD_SECONDS:g}")
            raise DataError(path, expected, Message("it still running")) from error
    with held:
        yield


class _OverdueError(Exception):
    """The download may not go on. Not a ValueError, after which pooch would try again."""


class _Progress:
    """What pooch takes for a progress bar: reports, and ends a download that takes too long or does not end."""

    def __init__(self, report: Report) -> None:
        self.total = 0  # set by pooch
        self._report = report
        self._deadline = time.monotonic() + DOWNLOAD_SECONDS

    def begin(self, name: str) -> None:
        """From here on one mirror is asked for the file `name`."""
        self._name, self._published, self._got_bytes = name, PUBLISHED_GZ[name].bytes, 0
        self._before_bytes = sum(PUBLISHED_GZ[earlier].bytes for earlier in FILES[: FILES.index(name)])

    def update(self, more_bytes: int) -> None:
        self._got_bytes += more_bytes
        if self._got_bytes > (1 + RETRIES) * (self._published + MEGABYTE):
            raise _OverdueError(Message("at most {most} bytes", most=count(self._published)), Message("more"))
        if time.monotonic() > self._deadline:
            expected = Message("the files within {seconds} seconds", seconds=f"{DOWNLOAD_SECONDS:g}")
            raise _OverdueError(expected, Message("{got} bytes of this one", got=count(self._got_bytes)))
        so_far, total = self._before_bytes + min(self._got_bytes, self._published), sum(file.bytes for file in PUBLISHED_GZ.values())
        text = Message(
            "Downloading {file} ({done} of {total} MB)",
            file=f"{self._name}.gz", done=rounded(so_far / MEGABYTE, 1), total=rounded(total / MEGABYTE, 1),
        )  # fmt: skip
        self._report(so_far / total, text)

    def reset(self) -> None:
        """Called at the end of a file, before its whole size is added once more."""
        self._got_bytes = 0

    def close(self) -> None:
        """Called at the end of a file."""


def _fetch_file(name: str, folder: Path, progress: _Progress) -> None:
    """Download one file from the first mirror that delivers it; where none does, raise what was wrong at the last."""
    file = f"{name}.gz"
    registry = {file: f"md5:{PUBLISHED_GZ[name].md5}"}
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=ANSWER_SECONDS)
    for mirror in MIRRORS:
        progress.begin(name)
        try:
            pooch.create(folder, mirror, registry=registry, retry_if_failed=RETRIES).fetch(file, downloader=downloader)
            return
        except (RequestException, _OverdueError, ValueError) as error:
            failure, cause = _failure(f"{mirror}{file}", error), error
    raise failure from cause


def _failure(url: str, error: Exception) -> DataError:
    """What was wrong at `url`, for a person."""
    if isinstance(error, _OverdueError):
        return DataError(url, *error.args)
    if isinstance(error, ConnectTimeout | ReadTimeout):
        return DataError(url, Message("an answer within {seconds} seconds", seconds=f"{ANSWER_SECONDS:g}"), Message("silence"))
    if isinstance(error, HTTPError) and error.response is not None:
        status = Message("status {code} ({reason})", code=error.response.status_code, reason=error.response.reason)
        return DataError(url, Message("an answer"), status)
    if isinstance(error, RequestException):
        return DataError(url, Message("an answer"), _reason(error))
    return DataError(url, Message("the published file"), str(error))  # of pooch, which names both checksums


def _reason(error: BaseException) -> str:
    """The innermost cause, as the system says it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
