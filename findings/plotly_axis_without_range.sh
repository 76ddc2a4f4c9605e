#!/usr/bin/env bash
# plotly 7.1.0 (plotly.js 4.1.1), playwright 1.65.2, Chromium (at $CHROMIUM, by default /usr/bin/chromium), Python 3.11.
#
# Plotly.react with a layout whose y axis has a `range`, and then with one whose y axis has none, does not bring autorange back where the
# axis has a `uirevision`, though nobody has touched the chart: the axis stays at autorange false and falls to the range of an axis without
# data, -1 to 4, whatever the data are. It stays there in all later calls with that uirevision, also with other data, until a range is
# given again. Without a uirevision, or with `autorange: true` in the layout wherever there is no range, it is as one expects.
#
# Output seen:
#   uirevision                  no range: 0 to 2.11   range 0 to 3: 0 to 3   no range: -1 to 4   other data: -1 to 4
#   no uirevision               no range: 0 to 2.11   range 0 to 3: 0 to 3   no range: 0 to 2.11   other data: 0 to 7.37
#   uirevision and autorange    no range: 0 to 2.11   range 0 to 3: 0 to 3   no range: 0 to 2.11   other data: 0 to 7.37
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check plotly==7.1.0 playwright==1.65.2
cd "$folder"
cat > finding.py <<'PYTHON'
import os
from importlib.resources import files

from playwright.sync_api import sync_playwright

DRAW = """async ([axis, autorange]) => {
  document.body.innerHTML = "<div id=chart></div>";
  const chart = document.getElementById("chart"), ends = [];
  for (const [top, range] of [[2, null], [2, [0, 3]], [2, null], [7, null]]) {
    const yaxis = { rangemode: "tozero", ...axis, ...(range ? { range } : autorange ? { autorange: true } : {}) };
    await Plotly.react(chart, [{ x: [0, 1, 2], y: [0, top, 1], mode: "lines" }], { width: 600, height: 300, yaxis });
    ends.push(chart._fullLayout.yaxis.range);
  }
  return ends;
}"""
STEPS = ("no range", "range 0 to 3", "no range", "other data")

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
    page = browser.new_page()
    page.add_script_tag(content=(files("plotly") / "package_data" / "plotly.min.js").read_text())
    seen = {}
    for name, axis, autorange in (
        ("uirevision", {"uirevision": "same"}, False),
        ("no uirevision", {}, False),
        ("uirevision and autorange", {"uirevision": "same"}, True),
    ):
        seen[name] = page.evaluate(DRAW, [axis, autorange])
        print(f"{name:28}" + "   ".join(f"{step}: {low:.3g} to {high:.3g}" for step, (low, high) in zip(STEPS, seen[name], strict=True)))
    browser.close()

assert seen["uirevision"][2:] == [[-1, 4], [-1, 4]], seen
for name in ("no uirevision", "uirevision and autorange"):
    first, ranged, again, other = seen[name]
    assert ranged == [0, 3] and again == first and 2 < first[1] < 2.5 and 7 < other[1] < 8, seen
PYTHON
"$folder/venv/bin/python" finding.py
