"""The front door. What stands around every page, and the way between them, is `pages.ui.shell`; everything else is in `pages`."""

from pages.ui.shell import open_house

open_house()
