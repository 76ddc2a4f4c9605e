"""All that a person may read on a page without a browser: elements, their labels and help, tables, figures, the live panel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message  # type: ignore[import-untyped]
from streamlit.testing.v1 import AppTest

UNREAD = frozenset((  # fields of an element's message that no person reads
    "id", "key", "element_id", "form_id", "icon", "url", "page", "page_script_hash", "query_string", "color", "format", "placeholder",
    "group_id", "language", "deferred_file_id", "type", "validate", "data", "script_path", "columns",
))  # fmt: skip
TYPED = frozenset(("text_input", "text_area", "number_input"))  # whose values a visitor has typed
UNWORDED = frozenset(("code", "json", "html"))  # a program's
READ = frozenset((  # keys of figures and of components' messages below which everything is read
    "text", "title", "name", "hovertext", "ticktext", "customdata", "alt", "label", "labels", "hint", "parts", "about",
))  # fmt: skip
MACHINE = frozenset(
    (
        "bdata",
        "dtype",
        "color",
        "kind",
        "src",
        "image",
        "icon",
        "yref",
        "xref",
        "xanchor",
        "yanchor",
        "side",
        "edges",
        "units",
        "script",
        "module",
        "updates",
        "news",
        "source",
    )
)
TEMPLATE = re.compile(r"%\{[^{}]*\}")  # what plotly fills in


def texts(page: AppTest) -> Iterator[str]:
    """Every piece of text, from the top."""
    for root in (page.main, page.sidebar):
        for node in root:
            yield from _of(node)


def _of(node: Any) -> Iterator[str]:
    proto, kind = getattr(node, "proto", None), str(getattr(node, "type", ""))
    if not isinstance(proto, Message) or kind in UNWORDED:
        return
    if kind == "bidi_component":
        if not str(proto.id).endswith("-news"):  # which draws nothing
            yield from _of_component(proto)
    elif kind in ("dataframe", "arrow_data_frame", "table", "arrow_table"):
        if getattr(proto, "editing_mode", 0):  # what stands there a visitor has typed
            return
        yield from _headers(node)
        yield from (cell for column in node.value for cell in node.value[column] if isinstance(cell, str))
    else:
        yield from _strings(proto, typed=kind in TYPED)


def _headers(table: Any) -> Iterator[str]:
    """The names of a table's columns, with what was written over them, and the help of those that have any."""
    config = json.loads(getattr(table.proto, "columns", "") or "{}")
    for column in map(str, table.value.columns):
        over = config.get(column) or {}
        yield from (column if over.get("label") is None else over["label"], over.get("help") or "")


def _strings(message: Message, *, typed: bool) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name in UNREAD or (typed and field.name in ("default", "value")):
            continue
        if field.type == field.TYPE_STRING:
            yield from [value] if isinstance(value, str) else value
        elif field.type == field.TYPE_MESSAGE:
            parts = [value] if isinstance(value, Message) else value.values() if hasattr(value, "values") else value
            for part in parts:
                if isinstance(part, Message):
                    yield from _strings(part, typed=typed)


def _of_component(proto: Any) -> Iterator[str]:
    """A message that is streamed begins with the length of its JSON; any other is JSON."""
    content = proto.bytes or proto.json.encode() or proto.mixed.json.encode()
    length = int.from_bytes(content[:4], "little")  # of JSON without a length before it: far more than there is
    said = json.loads(content[4 : 4 + length] if length <= len(content) else content) if content else {}
    if "figure" in said:  # a live chart, whose name is its key
        said["about"].pop("name", None)
    yield from _read(said)


def _read(value: Any, *, everything: bool = False) -> Iterator[str]:
    if isinstance(value, str) and everything:
        yield TEMPLATE.sub("", value)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key not in MACHINE:
                yield from _read(part, everything=everything or key in READ)
    elif isinstance(value, list) and value[:1] != ["steps"]:  # numbers of steps, as they are streamed
        for part in value:
            yield from _read(part, everything=everything)
