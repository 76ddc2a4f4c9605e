"""The language of who looks: `_` says a sentence in it.

    _("Runs side by side")                                    a sentence of the page; its English is its id in the catalogue
    _("Trained on {images}.", images=…)                       with what stands in it: texts and messages, which are said too
    _(counted(3, "{n} image", "{n} images"))                  a plural
    _(verdict.sentence), _(error)                             what the engine found, or refuses: a `Message`
    LABELS = {"loss": Message("Loss")}; _(LABELS["loss"])     a constant, which is made before anybody looks

Whose language that is: `spoken(language)` says it for what is done beside the pages; else it is the session's (`pages.ui.navigation`).
"""

from pages.language.catalogs import ENGLISH as ENGLISH
from pages.language.catalogs import Language as Language
from pages.language.catalogs import languages as languages
from pages.language.speech import _ as _
from pages.language.speech import current as current
from pages.language.speech import said as said
from pages.language.speech import session_language as session_language
from pages.language.speech import spoken as spoken
from pages.language.speech import written as written
