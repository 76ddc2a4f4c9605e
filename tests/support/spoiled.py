"""JSON in which something else stands in some places, for the tests of what is read from outside."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

Place = tuple[Any, ...]  # keys and indices, from the outermost


def places(value: Any, path: Place = ()) -> list[Place]:
    """Where there is something in a text of JSON, however deep; of long lists the first few."""
    inside = list(value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else [])
    return [path, *(place for key, one in inside for place in places(one, (*path, key)))]


def spoiled(content: Any, junk: Sequence[tuple[Place, Any]]) -> Any:
    """`content`, changed, with all of the junk in its places, as far as these are still there."""
    for place, value in junk:
        inside = content
        try:
            for key in place[:-1]:
                inside = inside[key]
            inside[place[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):  # another one has put something else there
            continue
    return content
