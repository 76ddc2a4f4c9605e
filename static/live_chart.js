// Draws the live charts in the browser: one <div> a chart for as long as it is on the page, changed in place by Plotly.react.
// pages/ui/live_chart.py sends JSON, {figure, about: {script, height, alt, name, clickable, words}}, as bytes. static/live_run.js draws its
// curves with `Chart` too; there the style sheet gives the height. As it is on every page, it also passes keys on to the buttons.

const charts = new WeakMap(); // the element that Streamlit mounts -> its Chart
const onPage = new Set(); // every Chart that is on the page
const PAPER = { text: "#1b2430", grid: "#e3e7ec", line: "#8a8f98", background: "#ffffff", width: 660 }; // px: fits a card on A4 and letter
const CLICKS = 8; // that are sent with the last one: a request of the browser that overtakes another takes its place
let printing = false;
let plotly; // one promise a page: however many charts mount at once, the script is fetched once

export function loadPlotly(path) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(path, document.baseURI).href; // relative: a host may serve the app below a prefix
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error(`${path} holds no Plotly`)));
    script.onerror = () => reject(new Error(`${path} could not be fetched`));
    document.head.append(script);
  });
  return plotly;
}

/** A finger that moves over a chart means to scroll the page; only a mouse zooms by dragging. */
const touch = () => matchMedia("(pointer: coarse)").matches;

/** What a figure leaves open, from the theme that Streamlit exposes as CSS variables. */
function template(div) {
  const style = getComputedStyle(div);
  const theme = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const screen = { text: theme("text-color"), grid: theme("border-color-light"), line: theme("border-color") };
  const { text, grid, line } = printing ? PAPER : screen;
  const size = 0.85 * parseFloat(getComputedStyle(document.documentElement).fontSize); // larger in presenter mode
  const font = { family: theme("font"), color: text, size };
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
      dragmode: touch() ? false : "zoom",
    },
    data: { heatmap: [{ colorbar }], contour: [{ colorbar }] },
  };
}

/** The page's own color and not a transparent one: a saved picture stays readable wherever it is pasted. */
const background = (div) => (printing ? PAPER.background : getComputedStyle(div).getPropertyValue("--st-background-color"));

const presenting = () => !printing && document.querySelector('[class*="_presenting"]') !== null;

/** In presenter mode a chart takes most of the window's height; what is a strip stays one. */
const heightOf = ({ height }) => (presenting() && height >= 250 ? Math.max(height, Math.round(0.6 * window.innerHeight)) : height);

/** Paper is drawn in light colors and at its own width, before the browser looks; afterwards the screen as it was. */
function drawForPaper(now) {
  if (now === printing) return;
  printing = now;
  onPage.forEach((chart) => chart.draw());
}
window.addEventListener("beforeprint", () => drawForPaper(true));
window.addEventListener("afterprint", () => drawForPaper(false));
matchMedia("print").addEventListener("change", ({ matches }) => drawForPaper(matches));

/** A button's key counts while a slider, a toggle or a choice has the focus: nothing is typed there, but Streamlit takes all of them for text boxes. */
document.addEventListener("keydown", (event) => {
  const { key, code, keyCode, repeat, ctrlKey, altKey, metaKey } = event;
  if (repeat || ctrlKey || altKey || metaKey || !/^[a-z]$/i.test(key)) return;
  if (!event.composedPath()[0].matches?.("input:is([type=range], [type=checkbox], [type=radio])")) return;
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code, keyCode, bubbles: true }));
});

/** Whoever clicks beside all controls focuses the page as a whole; at the next key Streamlit would frame it, as for one who came by Tab. */
document.addEventListener("focusin", ({ target }) => {
  if (target.matches('[data-testid="stMain"]:not(:focus-visible)')) target.blur();
});

const config = ({ name, words = {} }) => ({
  displaylogo: false,
  showSendToCloud: false, // nobody's chart leaves for another company's server at the touch of a button
  scrollZoom: false,
  modeBarButtons: [touch() ? ["toImage"] : ["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  toImageButtonOptions: { filename: name, scale: 2 },
  locale: "page",
  locales: { page: { dictionary: words, format: {} } }, // Plotly's own words in the page's language; by default English
});

export class Chart {
  constructor(Plotly, parent) {
    this.Plotly = Plotly;
    this.div = document.createElement("div");
    this.div.className = "live-chart";
    this.clicks = [];
    parent.replaceChildren(this.div);
    onPage.add(this);
    this.observer = new ResizeObserver(() => (this.due || this.div.clientWidth !== this.width || this.div.clientHeight !== this.height) && this.draw());
    this.observer.observe(this.div);
  }

  /** Streamlit calls this at every run of the page, and when the theme has changed. */
  update(text, send) {
    const theme = this.theme();
    if (this.text === text && this.drawn === theme) return;
    const { about } = JSON.parse(text);
    Object.assign(this, { text, send, drawn: theme });
    this.div.style.height = `${heightOf(about)}px`;
    this.show(() => JSON.parse(text).figure, about);
  }

  /** Draw what `figure` makes anew for every drawing: Plotly writes into what it is given. */
  show(figure, about) {
    Object.assign(this, { figure, about });
    this.draw();
  }

  theme() {
    return JSON.stringify([template(this.div), background(this.div), presenting()]);
  }

  /** Draw the newest figure; while an older one is being drawn, or the chart is hidden in a tab, remember that it is due. */
  async draw() {
    this.due = true;
    if (this.drawing || !this.figure) return;
    this.drawing = true;
    try {
      while (this.due && this.div.clientWidth > 0) {
        this.due = false;
        await this.react();
      }
    } finally {
      this.drawing = false;
    }
  }

  /** Zoom and hidden traces stay by the figure's `uirevision`; a hover label and a drag under way Plotly itself takes up again. */
  async react() {
    const { div, about } = this;
    Object.assign(this, { width: div.clientWidth, height: div.clientHeight });
    const figure = this.figure();
    const width = printing ? PAPER.width : this.width; // on paper charts stand below each other, and may be drawn before they do
    const theme = template(div);
    const margin = { ...figure.layout.margin };
    margin.t = Math.max(margin.t, 0.75 * theme.layout.font.size); // or half of the uppermost number would be above the chart, and is left out
    const layout = { ...figure.layout, margin, width, height: this.height, template: theme };
    layout.paper_bgcolor = background(div);
    // With a uirevision, Plotly leaves an axis that had a range and has none without any, -1 to 4, unless it is told to look for one.
    for (const name of Object.keys(layout)) if (/^[xy]axis/.test(name) && !layout[name].range) layout[name] = { autorange: true, ...layout[name] };
    await this.Plotly.react(div, figure.data, layout, config(about));
    // The drawing is the image, not the <div>: an image has no parts, and the buttons of the mode bar must stay within reach.
    const drawing = div.querySelector(".main-svg");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", about.alt);
    if (this.wired) return;
    this.wired = true;
    div.on("plotly_click", (event) => this.click(event));
  }

  click({ points, event }) {
    if (!this.about.clickable || !points.length) return;
    const { x = null, y = null, customdata, text } = nearest(points, event, this.div);
    const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.clicks = [...this.clicks, { id, x, y, data: customdata ?? text ?? null }].slice(-CLICKS);
    this.send("clicks", this.clicks);
  }

  discard() {
    onPage.delete(this);
    this.observer.disconnect();
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

export default async function liveChart({ data, parentElement, setStateValue }) {
  const text = new TextDecoder().decode(data);
  const Plotly = await loadPlotly(JSON.parse(text).about.script);
  let chart = charts.get(parentElement);
  if (!chart) charts.set(parentElement, (chart = new Chart(Plotly, parentElement)));
  chart.update(text, setStateValue);
  // Streamlit also ends a call that a newer one overtook, while the chart lives on: then its place is still on the page.
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected || !charts.delete(parentElement)) return;
      chart.discard();
    });
}
