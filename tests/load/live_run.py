"""What static/live_run.js does, less the drawing: take what arrives, and say when to ask for more and with what.

pages/ui/streaming.py says what a message is; the curves' points, which follow its JSON, are only counted here. The panel below the curves
is out of sight, as it is in a window of 1440 × 900.
"""

from __future__ import annotations

import json
from typing import Any

PATIENCE_SECONDS = 15.0  # an answer that takes longer was lost with an interrupted run of the page


class LiveRun:
    """A run as one tab shows it.

    Attributes:
        parts: everything but the figures, by name, as it came last.
    """

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}
        self._version = self._asked = 0
        self._updates = ""

    def take(self, data: bytes) -> float | None:
        """Take a message; in how many seconds to ask for more, None for never."""
        end = 4 + int.from_bytes(data[:4], "little")
        message = json.loads(data[4:end])
        if message["version"] != self._version:
            if message["since"] not in (0, self._version):
                return 0.0  # a change of what never arrived here
            self._version = message["version"]
            self.parts |= message["parts"]
            self._updates = message.get("about", {}).get("updates", self._updates)
        milliseconds = self.parts["period"]
        return milliseconds / 1000 if milliseconds else None

    def address(self) -> str:
        """Where to ask for what is new, beside the page."""
        return f"/{self._updates}?have={self._version}" if self._updates else ""

    def question(self) -> str:
        """What the component's state becomes, as JSON."""
        self._asked += 1
        return json.dumps({"have": {"version": self._version, "asked": self._asked}})

    @property
    def progress(self) -> str:
        text: str = self.parts.get("progress", {"text": ""})["text"]  # no parts: an answer that overtook the page it was asked from
        return text

    @property
    def text(self) -> str:
        """The verdict and the badge."""
        if not self.parts:
            return ""
        verdict, badge = self.parts["verdict"], self.parts["badge"]
        return " ".join((verdict["sentence"], verdict["text"], badge["label"], badge["text"]))
