"""The front door. What stands around every page, and the way between them, is `pages.ui.navigation`; everything else is in `pages`."""

from pages.ui.navigation import run_app

run_app()
