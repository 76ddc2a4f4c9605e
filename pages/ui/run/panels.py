"""The panels below the curves, of which one is drawn, and the page's link says which."""

from mlp_core.words import Message
from pages.ui.link import choice

PREDICTIONS, INSIDE, OWN, RUNS, EXPORT = "predictions", "inside", "own", "runs", "export"
PANELS = {
    PREDICTIONS: Message("Predictions"),
    INSIDE: Message("Look inside"),
    OWN: Message("Your own picture"),
    RUNS: Message("Runs side by side"),
    EXPORT: Message("Take it home"),
}
PANEL = choice("panel", PREDICTIONS, tuple(PANELS))
PANEL_ALONE = choice("panel", PREDICTIONS, tuple(name for name in PANELS if name != RUNS))  # where no other run is shown beside it
