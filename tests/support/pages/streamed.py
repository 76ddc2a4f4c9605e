"""A browser that is sent a run piece by piece: it keeps what it is told, as static/live_run.js does."""

from __future__ import annotations

import json
import struct
from typing import Any


class Reader:
    """What has arrived: `parts` by name, and `figures` by name with their points as lists of numbers."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.parts: dict[str, Any] = {}
        self.figures: dict[str, dict[str, Any]] = {}

    def read(self, message: bytes) -> dict[str, Any]:
        """Take a message in; returns its JSON."""
        (length,) = struct.unpack_from("<I", message)
        text, self._rest = message[4 : 4 + length], message[4 + length :]
        content: dict[str, Any] = json.loads(text)
        assert content["since"] in (0, self.version)
        self.version = content["version"]
        self.parts |= content["parts"]
        for name, change in content["figures"].items():
            if "data" in change:
                self.figures[name] = {"data": change["data"], "layout": {}}
            figure = self.figures[name]
            figure["layout"] |= change.get("layout", {})
            for index, columns in change.get("traces", {}).items():
                trace = figure["data"][int(index)]
                for column, packed in columns.items():
                    if column != "keep":
                        trace[column] = [*trace[column][: columns["keep"]], *self._column(packed)]
        assert not self._rest
        return content

    def _column(self, packed: list[Any]) -> list[Any]:
        kind, length = packed[:2]
        if kind == "list":
            return list(length)
        if kind in ("f4", "f8"):
            return list(struct.unpack(f"<{length}{'f' if kind == 'f4' else 'd'}", self._take(length * int(kind[1]))))
        assert kind == "steps"
        first, per = packed[2:]
        steps = [first]
        for difference in self._take(length - 1):
            steps.append(steps[-1] + difference)
        return [step / per for step in steps]

    def _take(self, length: int) -> bytes:
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken
