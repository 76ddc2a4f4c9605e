// Draws the live charts in the browser: one <div> a chart for as long as it is on the page, updated in place by Plotly.react.
// Knows nothing of what a chart shows. pages/ui/live_chart.py sends {figure, script, height, alt, name, clickable}.

const SYNTHETIC = Symbol("a pointer move of our own making");
const charts = new WeakMap(); // the element that Streamlit mounts -> its Chart
let plotly; // one promise a page: however many charts mount at once, the script is fetched once

function loadPlotly(path) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(path, document.baseURI).href; // relative: a host may serve the app below a prefix
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error(`${path} holds no Plotly`)));
    script.onerror = () => reject(new Error(`${path} could not be fetched`));
    document.head.append(script);
  });
  return plotly;
}

/** What a figure leaves open, from the theme that Streamlit exposes as CSS variables. */
function template(div) {
  const style = getComputedStyle(div);
  const theme = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const [text, grid, line] = [theme("text-color"), theme("border-color-light"), theme("border-color")];
  const font = { family: theme("font"), color: text, size: 0.85 * parseFloat(theme("base-font-size")) };
  const axis = { gridcolor: grid, zerolinecolor: line, linecolor: line, tickcolor: line, automargin: true };
  const colorbar = { outlinewidth: 0, thickness: 14 };
  return {
    layout: {
      font,
      title: { font: { size: 1.1 * font.size } },
      xaxis: axis,
      yaxis: axis,
      coloraxis: { colorbar },
      hoverlabel: { bgcolor: theme("secondary-background-color"), bordercolor: line, font },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: theme("gray-text-color"), activecolor: theme("primary-color") },
      // The page's own color and not "transparent": a saved picture stays readable wherever it is pasted.
      paper_bgcolor: theme("background-color"),
    },
    data: { heatmap: [{ colorbar }], contour: [{ colorbar }] },
  };
}

class Chart {
  constructor(Plotly, parent) {
    this.Plotly = Plotly;
    this.div = document.createElement("div");
    this.div.className = "live-chart";
    parent.replaceChildren(this.div);
    this.listen();
  }

  listen() {
    const { div } = this;
    this.observer = new ResizeObserver(() => (this.stale || div.clientWidth !== this.width) && this.draw());
    this.observer.observe(div);
    div.addEventListener("mousemove", (event) => {
      if (!event[SYNTHETIC]) this.pointer = { clientX: event.clientX, clientY: event.clientY };
    });
    div.addEventListener("mouseleave", () => (this.pointer = null));
    div.addEventListener("pointerdown", () => (this.held = true));
    this.release = () => {
      if (!this.held) return;
      // mouseup, by which Plotly ends its drag, follows pointerup.
      setTimeout(() => {
        this.held = false;
        if (this.stale) this.draw();
      });
    };
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, this.release, true);
  }

  update(data, send) {
    this.send = send;
    const look = template(this.div);
    const unchanged = data === this.data && JSON.stringify(look) === JSON.stringify(this.look);
    if (unchanged) return; // Streamlit parses anew only what differs, so the same object is the same figure
    Object.assign(this, { data, look });
    this.div.style.height = `${data.height}px`;
    this.draw();
  }

  /** Draw the newest figure; while one is being drawn, or a drag is on, or the chart is hidden in a tab, remember that it is due. */
  async draw() {
    this.stale = true;
    if (this.drawing || !this.data) return;
    this.drawing = true;
    try {
      while (this.stale && !this.held && this.div.clientWidth > 0) {
        this.stale = false;
        await this.react();
      }
    } finally {
      this.drawing = false;
    }
  }

  async react() {
    const { div, data, look } = this;
    this.width = div.clientWidth;
    const { data: traces, layout } = structuredClone(data.figure); // Plotly writes into what it is given
    const size = { width: this.width, height: data.height };
    await this.Plotly.react(div, traces, { ...layout, ...size, template: look }, this.config());
    this.name();
    this.hoverAgain();
    if (this.wired) return;
    this.wired = true;
    div.on("plotly_click", (event) => this.click(event));
  }

  /** The drawing is the image, not the <div>: an image has no parts, and the buttons of the mode bar must stay within reach. */
  name() {
    const drawing = this.div.querySelector(".main-svg");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", this.data.alt);
  }

  config() {
    return {
      displaylogo: false,
      showSendToCloud: false, // nobody's chart leaves for another company's server at the touch of a button
      scrollZoom: false,
      modeBarButtonsToRemove: ["select2d", "lasso2d"],
      toImageButtonOptions: { filename: this.data.name, scale: 2 },
    };
  }

  /** Plotly.react takes the hover label away; a pointer that rests on the chart gets it back in the same frame. */
  hoverAgain() {
    if (!this.pointer) return;
    const { clientX, clientY } = this.pointer;
    const target = document.elementFromPoint(clientX, clientY);
    if (!target || !this.div.contains(target)) return;
    const move = new MouseEvent("mousemove", { clientX, clientY, bubbles: true, view: window });
    move[SYNTHETIC] = true;
    target.dispatchEvent(move);
  }

  click({ points, event }) {
    if (!this.data.clickable || !points.length) return;
    const point = nearest(points, event, this.div);
    this.send("clicked", {
      id: `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`,
      trace: point.curveNumber,
      point: point.pointNumber ?? point.binNumber ?? null,
      x: point.x ?? null,
      y: point.y ?? null,
      data: point.customdata ?? point.text ?? null,
    });
  }

  discard() {
    this.observer.disconnect();
    for (const end of ["pointerup", "pointercancel"]) window.removeEventListener(end, this.release, true);
    this.Plotly.purge(this.div);
  }
}

/** With "x unified" every trace reports a point; the one that was meant lies nearest to the pointer. */
function nearest(points, event, div) {
  const box = div.getBoundingClientRect();
  const distance = ({ bbox }) =>
    bbox ? Math.hypot((bbox.x0 + bbox.x1) / 2 - event.clientX + box.left, (bbox.y0 + bbox.y1) / 2 - event.clientY + box.top) : 0;
  return points.reduce((best, point) => (distance(point) < distance(best) ? point : best));
}

export default async function liveChart({ data, parentElement, setTriggerValue }) {
  const Plotly = await loadPlotly(data.script);
  let chart = charts.get(parentElement);
  if (!chart) charts.set(parentElement, (chart = new Chart(Plotly, parentElement)));
  chart.update(data, setTriggerValue);
  // Streamlit calls this also for a call that a newer one overtook, while the chart lives on: then the element is still on the page.
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected || !charts.delete(parentElement)) return;
      chart.discard();
    });
}
