"""What a sweep has come to, as it comes: which cell did best and whether that is more than luck, its pictures, table and files."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial

import streamlit as st

from mlp_core.spec import query_of
from mlp_core.sweep.answers import FEWEST_SEEDS, Ranking, ranking
from mlp_core.sweep.store import Store
from pages.figures import sweep as figures
from pages.language import _, written
from pages.ui.downloads import download, page_address
from pages.ui.link import link_to
from pages.ui.live_chart import Click, Payload, figure_payload, live_chart
from pages.ui.memo import memo
from pages.ui.sweep.controls import MOST_CELLS_SHOWN, SweepLink
from pages.ui.sweep.running import Sweep
from pages.ui.text import escaped

FIRST_SHOWN = 3  # cells whose curves are drawn until some are chosen
FILES: tuple[tuple[str, str, str, Callable[[Store], str | bytes]], ...] = (  # label, ending, type, and what makes it
    ("CSV", "csv", "text/csv", Store.to_csv),
    ("Parquet", "parquet", "application/vnd.apache.parquet", Store.to_parquet),
    ("JSON", "json", "application/json", Store.to_json),
    ("SQLite", "sqlite", "application/vnd.sqlite3", Store.to_sqlite),
)


def results_panel(link: SweepLink, sweep: Sweep) -> None:
    """All that is known so far; nothing while no run has finished."""
    outcomes = sweep.store.outcomes()
    if not outcomes:
        return
    now = sweep.store.path, len(outcomes)
    found = memo("sweep_ranking", now, partial(ranking, sweep.plan, outcomes))
    st.markdown(escaped(_(found.text)))
    _picture(link, sweep, found, now)
    chosen = _chosen(link, sweep)
    _curves(found, chosen, now)
    _table(found, sweep)
    _files(sweep)
    link.write()  # here too, since this part of the page runs by itself


def _chosen(link: SweepLink, sweep: Sweep) -> list[int]:
    """The cells that were clicked or chosen by name, and the way to the training page with each."""
    cells = sweep.plan.cells
    st.multiselect(
        _("Cells"),
        format_func=lambda index: _(cells[index].name),
        placeholder=_("Click cells in the picture, or choose them here"),
        max_selections=MOST_CELLS_SHOWN,
        **link.default("cells", tuple(range(len(cells)))),
    )
    chosen: list[int] = link["cells"]
    if chosen:
        with st.container(horizontal=True):
            for index in chosen:
                label = _("Train {cell}", cell=escaped(_(cells[index].name)))
                link_to("train", label, cells[index].spec.to_query(), ":material/play_circle:")
    return chosen


def _take_click(link: SweepLink, click: Click) -> None:
    """Choose the cell that was clicked, or choose it no more."""
    if isinstance(index := click.data, int | float) and not isinstance(index, bool):
        chosen = [cell for cell in link["cells"] if cell != int(index)]
        link["cells"] = chosen if len(chosen) < len(link["cells"]) else [*chosen, int(index)][-MOST_CELLS_SHOWN:]


def _table(found: Ranking, sweep: Sweep) -> None:
    """The cells, the best first."""
    with st.expander(_("All cells"), icon=":material/table_rows:"):
        order = {cell.index: place for place, cell in enumerate(found.ranked, 1)}
        rows = sorted(found.cells, key=lambda cell: (order.get(cell.index, len(found.cells) + 1), cell.index))
        band = {cell.index for cell in found.band}
        train = _("Train")
        st.dataframe(
            [
                {
                    _("Rank"): order.get(cell.index),
                    **query_of(cell.values),
                    _("Test accuracy"): _(cell.score),
                    _("Not told apart from the best"): cell.index in band,
                    _("Seeds"): len(cell.runs),
                    _("Epochs"): cell.epochs,
                    _("Ended"): _(cell.end),
                    train: page_address(sweep.plan.cells[cell.index].spec.to_query(), "train"),
                }
                for cell in rows
            ],
            hide_index=True,
            column_config={train: st.column_config.LinkColumn(display_text=_("Train"))},
        )
        st.caption(_(found.rule))
    for cell in found.broken:
        st.warning(_("{cell}: {reason}", cell=escaped(_(cell.name)), reason=cell.reason), icon=":material/error:")


def _files(sweep: Sweep) -> None:
    with st.container(horizontal=True):
        for label, ending, mime, made in FILES:
            download(label, f"{written('sweep')}.{ending}", partial(made, sweep.store), mime)


def _picture(link: SweepLink, sweep: Sweep, found: Ranking, now: Hashable) -> None:
    """Two settings as a map, any other number of them as lines; a click on a cell chooses it.

    Args:
        now: what the picture hangs on.
    """
    fields = [axis.field for axis in sweep.plan.axes]

    def drawn() -> tuple[Payload, str]:
        if len(fields) == 2:
            return figure_payload(figures.heat_map(found.cells, *fields)), figures.heat_map_alt(found.cells, *fields)
        return figure_payload(figures.parallel_coordinates(found.cells)), figures.parallel_coordinates_alt(found.cells)

    shown, alt = memo("sweep_picture", now, drawn)
    live_chart(shown, key="sweep_map" if len(fields) == 2 else "sweep_lines", alt=alt, on_click=partial(_take_click, link))
    notes = []
    if len(fields) == 2 and sweep.plan.seeds >= FEWEST_SEEDS:
        notes.append(_("Of each cell the mean over its seeds, ± their standard deviation."))
    if found.given_up:
        notes.append(_("Cells that halving left out are shown as they were after fewer epochs."))
    if notes:
        st.caption(" ".join(notes))


def _curves(found: Ranking, chosen: Sequence[int], now: Hashable) -> None:
    """The learning curves of the chosen cells over each other; until some are, of those that lead."""
    cells = [found.cells[index] for index in chosen] or list(found.ranked[:FIRST_SHOWN])
    if cells:
        st.markdown(f"##### {_('Learning curves of the chosen cells') if chosen else _('Learning curves of the first cells')}")
        figure = memo("sweep_curves", (now, tuple(chosen)), lambda: figure_payload(figures.sweep_curves(cells)))
        live_chart(figure, key="sweep_curves", alt=figures.sweep_curves_alt(cells))
        if cells[0].seeds >= FEWEST_SEEDS:
            st.caption(_("Lines are means over the seeds, bands reach from the lowest to the highest seed."))
