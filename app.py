"""The entry point: the app's frame and navigation are in `pages.ui.navigation`, everything else in `pages`."""

from pages.ui.navigation import run_app

run_app()
