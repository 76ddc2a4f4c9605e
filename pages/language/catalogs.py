"""The languages that there are: English, which the code is written in, and one for every catalogue in `locale/`."""

from __future__ import annotations

import gettext
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mlp_core.words import Message, filled
from pages.language.typography import TYPOGRAPHY

FOLDER = Path(__file__).parents[2] / "locale"
DOMAIN = "messages"
MOST_FOLDERS = 4  # of catalogues: the app's, and those of tests


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language and its catalogue.

    Args:
        code: as the browser and HTML write it, "zh-CN".
        name: what it calls itself.
        catalogue: English -> this language; None for English.
    """

    code: str
    name: str
    catalogue: gettext.NullTranslations | None = None

    @property
    def short(self) -> str:
        """How the address writes it: "zh"."""
        return self.code.partition("-")[0].lower()

    def say(self, message: Message, *, for_a_page: bool = True) -> str:
        """A message in this language.

        Args:
            for_a_page: whether numbers are to stay with their units where a line ends.
        """
        values = {name: self.say(one, for_a_page=False) if isinstance(one, Message) else one for name, one in message.values.items()}
        text = filled(self._template(message), values)
        return TYPOGRAPHY.get(self.short, str)(text) if for_a_page else text

    def _template(self, message: Message) -> str:
        if self.catalogue is None or not message.template:
            return message.plural if message.plural and message.amount != 1 else message.template
        if message.plural:
            whole = 0 <= message.amount < math.inf and message.amount == int(message.amount)
            return self.catalogue.ngettext(message.template, message.plural, int(message.amount) if whole else 2)
        return self.catalogue.gettext(message.template)


ENGLISH = Language("en", Message("English"))


def languages() -> Mapping[str, Language]:
    """How the address writes it -> language; English first."""
    return _found(FOLDER)


@lru_cache(MOST_FOLDERS)
def _found(folder: Path) -> Mapping[str, Language]:
    found = {ENGLISH.short: ENGLISH}
    for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        language = Language(path.parts[-3].replace("_", "-"), catalogue.gettext(ENGLISH.name), catalogue)
        found[language.short] = language
    return found
