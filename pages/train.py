"""Build an MLP from the sidebar and watch it learn Fashion-MNIST."""

import streamlit as st

from pages.ui.navigation import page_header  # first: it limits what all others compute with

# isort: split
from mlp_core.expression import ExpressionError
from mlp_core.spec import SpecError
from pages.language import _
from pages.ui import session
from pages.ui.begun_by_link import begin_if_due, drop_run
from pages.ui.data_source import load_data
from pages.ui.run.kept_in_browser import bring_back, memory_of_tab
from pages.ui.run.live import live_panel
from pages.ui.run.pace import run_link
from pages.ui.run.run_controls import begin
from pages.ui.text import plain, refused
from pages.ui.train.controls import ExperimentLink, preset_row
from pages.ui.train.sidebar import draw_sidebar

# Everything that moves is on one screen: see the browser tests of this page.
STYLE = """<style>
[data-testid=stMainBlockContainer] { padding: 3.9rem 1.5rem 2rem; }
.st-key-headline { gap: .4rem; flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; }
.st-key-headline > * { flex: none; }
.st-key-headline :is([data-testid=stElementContainer], [data-testid=stHeading]) { width: auto !important; }
.st-key-headline h1 { font-size: 1.3rem; padding: 0; white-space: nowrap; }
.st-key-headline button { padding: .1rem .45rem; min-height: 2rem; }
.st-key-headline button p { font-size: .78rem; }
@media (max-width: 1099px) {
  .st-key-headline { flex-wrap: wrap; }
  .st-key-headline > * { flex: 0 1 auto; max-width: 100%; }
}
@media (max-width: 640px) { [data-testid=stMainBlockContainer] { padding: 3.9rem 1rem 2rem; } }
</style>"""

headline = page_header(
    "train", _("Choose a network in the sidebar, press **Train**, and watch it learn to tell ten kinds of clothes apart.")
)
st.html(STYLE)
link, beside = ExperimentLink(), run_link()
draw_sidebar(link)
link.write()
experiment, refusal = None, ""
try:
    experiment = link.experiment()
except ExpressionError as error:
    refusal = _("Your own activation cannot be used: {why}", why=plain(_(error), 300))
except SpecError as error:
    refusal = _("{refusal}.", refusal=refused(error))
with headline:
    lesson = preset_row(link, experiment)
link.show_errors(beside)
if refusal:
    st.error(refusal, icon=":material/error:")

load_data()

begin_if_due(lambda: begin(experiment))
live_panel(link, experiment, beside, lesson)
beside.write()
drop_run()
session.identify_tab(memory_of_tab(), bring_back)  # last, since its answer brings a rerun that cuts short what is not drawn yet
