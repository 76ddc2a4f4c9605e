"""All lessons, read from their files once, and again where a file has changed. A broken one stands beside the others with its error."""

import re
import threading
from pathlib import Path

from mlp_core.labs.lessons.lesson import Lesson, LessonError, read_lesson
from mlp_core.words import Message
from pages.ui.lessons import experiments
from pages.ui.navigation import ROOT

FOLDER = ROOT / "lessons"

Read = Lesson | LessonError

_lock = threading.Lock()
_read: dict[Path, tuple[tuple[int, int], Read]] = {}  # file -> time and size of what was read, and what it came to


def lessons() -> dict[str, Read]:
    """Name -> lesson, or why it cannot be shown; in the order of the sections that they are about, and broken ones at the end."""
    with _lock:
        found = {path.stem: _lesson(path) for path in sorted(FOLDER.glob("*.toml"))}
    return dict(sorted(found.items(), key=lambda item: _place(item[1])))


def _lesson(path: Path) -> Read:
    try:
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size)
        if path not in _read or _read[path][0] != state:
            _read[path] = (state, _parsed(path.name, path.read_text("utf-8")))
    except OSError as error:
        return LessonError(path.name, None, Message("must be a file that can be read"), error.strerror)
    except UnicodeDecodeError as error:
        return LessonError(path.name, None, Message("must be a text in UTF-8"), error.object[error.start : error.end])
    return _read[path][1]


def _parsed(file: str, text: str) -> Read:
    try:
        return read_lesson(text, file, experiments.experiment_of)
    except LessonError as error:
        return error


def _place(read: Read) -> tuple[bool, list[int]]:
    """Of a lesson: the number of its first section; "5.4.1" comes after "5.4" and before "5.10"."""
    if isinstance(read, LessonError):
        return True, []
    return False, [int(part) for part in re.findall(r"\d+", read.sections[0].split()[0])]
