"""The panel of predictions alone, of a run in its first epoch that was not tested yet."""

from mlp_core.spec import RunSpec
from pages.ui.run.predictions import predictions_panel
from tests.support.kept import history, snapshot

predictions_panel(snapshot(RunSpec(), history(steps=3)))
