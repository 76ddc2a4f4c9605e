// Draws a run in the browser: progress, readings, both curves, the verdict. It asks for what is new, as often as the server says, and is
// answered with what was appended since (pages/ui/streaming.py): the server sends nothing to a page that is not there to draw it. It asks at
// an address of its own (pages/ui/updates.py), which costs neither side a run of the page.
//
// Where the page has to run it sends {have: {version, asked}}, a new one for every question; {fix: number} for a click on the fix that the
// verdict offers, {spike: number} for one on the button that shows a spike of the loss or clips it.

const HIDDEN_MS = 5_000; // between two questions of a tab that nobody sees; it catches up as soon as somebody does
const PATIENCE_MS = 15_000; // an answer that takes longer was lost with an interrupted run of the page: ask again
const RETRY_MS = 5_000; // until a server that was away may be there again
const runs = new WeakMap(); // the element that Streamlit mounts -> its LiveRun

const STYLE = `
.live-run { display: flex; flex-direction: column; gap: .5rem; font-variant-numeric: tabular-nums; }
.live-run p { margin: 0; }
.live-run .progress { display: grid; gap: .2rem; font-size: .85rem; line-height: 1.3rem; height: 1.9rem; }
.live-run .words { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.live-run .beside { white-space: normal; font-size: .85rem; } /* below all that moves: it may be as long as it is */
.live-run .bar { height: .35rem; border-radius: 1rem; background: var(--st-secondary-background-color); overflow: hidden; }
.live-run .bar div { height: 100%; background: var(--st-primary-color); }
.live-run .readings { display: grid; grid-template-columns: repeat(4, 1fr); gap: .5rem; margin: 0; }
.live-run .reading { border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); padding: .1rem .7rem; height: 3.1rem;
  overflow: hidden; }
.live-run dt { font-size: .75rem; line-height: 1.2rem; white-space: nowrap; opacity: .8; }
.live-run dd { margin: 0; font-size: 1.3rem; line-height: 1.6rem; white-space: nowrap; }
.live-run dd small { font-size: .75rem; opacity: .8; }
.live-run .curves { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.live-run .live-chart { height: clamp(235px, calc(100vh - 412px), 480px); }
.live-run .said { min-height: 4rem; max-height: 4rem; overflow: auto; display: flex; gap: .8rem; align-items: flex-start; font-size: .9rem;
  border-radius: var(--st-base-radius); padding: .4rem .8rem; border-left: .3rem solid transparent; line-height: 1.35; }
.live-run .said.success { background: var(--st-green-background-color); border-color: var(--st-green-color); }
.live-run .said.warning { background: var(--st-yellow-background-color); border-color: var(--st-yellow-color); }
.live-run .said.error { background: var(--st-red-background-color); border-color: var(--st-red-color); }
.live-run .said.info { background: var(--st-blue-background-color); border-color: var(--st-blue-color); }
.live-run .said div { flex: 1; }
.live-run button { flex: none; font: inherit; color: inherit; background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .3rem .7rem; }
.live-run button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.live-run .badge { font-weight: 600; }
.live-run .curves > * { position: relative; min-width: 0; }
.live-run .spike { position: absolute; bottom: .1rem; right: .1rem; z-index: 1; font-size: .75rem; }
@media (max-width: 640px) {
  .live-run .words { font-size: .75rem; }
  .live-run .readings { grid-template-columns: 1fr 1fr; order: 3; }
  .live-run .said { order: 4; max-height: none; }
  .live-run .beside { order: 5; }
  .live-run .curves { grid-template-columns: 92% 92%; overflow-x: auto; scroll-snap-type: x mandatory; gap: .5rem; }
  .live-run .curves > * { scroll-snap-align: start; }
  .live-run .live-chart { height: clamp(235px, calc(100vh - 520px), 400px); }
}`;

/** A figure whose columns grow by what arrives. */
class GrowingFigure {
  constructor({ data, layout }) {
    Object.assign(this, { traces: data, layout });
  }

  change({ traces = {}, layout = {} }, bytes) {
    for (const [index, { keep, ...columns }] of Object.entries(traces)) {
      const trace = this.traces[index];
      for (const [name, column] of Object.entries(columns)) trace[name] = trace[name].slice(0, keep).concat(bytes.column(column));
    }
    Object.assign(this.layout, layout);
  }

  /** What Plotly may write into. */
  fresh() {
    return { data: this.traces.map((trace) => ({ ...trace })), layout: structuredClone(this.layout) };
  }
}

/** The bytes behind a message's JSON, column by column; pages/ui/streaming.py says how. */
class Bytes {
  constructor(data) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.at = 4 + this.view.getUint32(0, true);
    this.json = JSON.parse(new TextDecoder().decode(data.subarray(4, this.at)));
  }

  column([kind, content, first, per]) {
    if (kind === "list") return content;
    const length = content;
    const read = { f4: () => this.float(4, "getFloat32"), f8: () => this.float(8, "getFloat64") }[kind];
    if (read) return Array.from({ length }, read);
    let step = first;
    return Array.from({ length }, (_, index) => (step += index ? this.view.getUint8(this.at++) : 0) / per);
  }

  float(size, get) {
    this.at += size;
    return this.view[get](this.at - size, true);
  }
}

function element(kind, className, ...children) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

class LiveRun {
  constructor(parent, { Chart, Plotly }) {
    this.charts = {};
    this.version = 0;
    this.asked = 0;
    this.bar = element("div");
    this.words = element("p", "words");
    this.track = element("div", "bar", this.bar);
    this.track.setAttribute("role", "progressbar");
    this.readings = element("dl", "readings");
    this.said = element("div", "said");
    this.badge = element("p", "words beside");
    this.curves = element("div", "curves");
    this.progress = element("div", "progress", this.words, this.track);
    const style = element("style", "", STYLE);
    this.root = element("section", "live-run", style, this.progress, this.readings, this.curves, this.said, this.badge);
    parent.replaceChildren(this.root);
    this.chartOf = (name) => {
      const place = element("div", name);
      this.curves.append(place);
      return { chart: new Chart(Plotly, place) };
    };
    this.seen = () => document.hidden || (this.period && this.ask());
    document.addEventListener("visibilitychange", this.seen);
  }

  /** Take what arrived; `send` asks for more. */
  update(bytes, send) {
    this.send = send;
    const { version, since, parts, figures, about } = bytes.json;
    if (about) this.about = about;
    if (version !== this.version) {
      if (since && since !== this.version) return this.ask(); // a change of what never arrived here
      this.version = version;
      for (const [name, figure] of Object.entries(figures)) this.draw(name, figure, bytes);
      for (const [name, part] of Object.entries(parts)) this[`show_${name}`](part);
    }
    clearTimeout(this.timer);
    if (this.period) this.timer = setTimeout(() => this.ask(), document.hidden ? Math.max(HIDDEN_MS, this.period) : this.period);
  }

  /** Streamlit calls with what it sent last also when the theme has changed, and older than what was fetched since. */
  sent(bytes, send) {
    if (bytes.json.version !== this.sentVersion) this.update(bytes, send);
    this.sentVersion = bytes.json.version;
    const theme = this.charts.loss?.chart.theme();
    if (this.theme && theme !== this.theme) for (const { chart } of Object.values(this.charts)) chart.draw();
    this.theme = theme;
  }

  async ask() {
    const again = (milliseconds) => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), milliseconds);
    };
    again(PATIENCE_MS);
    const address = new URL(`${this.about.updates}?have=${this.version}`, document.baseURI);
    const answer = await fetch(address).catch(() => undefined);
    if (!answer) return again(RETRY_MS); // offline, as Streamlit says
    if (answer.status === 410) {
      again(RETRY_MS);
      return window.mlpRunPage?.(); // the server began anew, and knows nothing of this page, nor of the fragment that would run
    }
    if (answer.status === 200 && answer.headers.get("content-type") === "application/octet-stream") {
      this.update(new Bytes(new Uint8Array(await answer.arrayBuffer())), this.send);
    } else this.send("have", { version: this.version, asked: ++this.asked }); // the page has to run, or a host passes no such address on
  }

  draw(name, figure, bytes) {
    const shown = (this.charts[name] ??= this.chartOf(name));
    const before = figure.data && JSON.stringify(shown.figure);
    if (figure.data) shown.figure = new GrowingFigure(figure);
    shown.figure.change(figure, bytes);
    if (figure.data && JSON.stringify(shown.figure) === before) return; // the page ran, and this is as it was
    shown.chart.show(() => shown.figure.fresh(), { name, ...this.about.charts[name] });
  }

  show_period(milliseconds) {
    this.period = milliseconds;
  }

  show_progress({ text, fraction }) {
    this.words.textContent = this.words.title = text;
    this.bar.style.width = `${100 * fraction}%`;
    this.track.setAttribute("aria-valuenow", Math.round(100 * fraction));
  }

  show_labels(labels) {
    this.values = [];
    this.readings.replaceChildren(
      ...labels.map(({ label, help }) => {
        const value = element("dd", "");
        const reading = element("div", "reading", element("dt", "", label), value);
        reading.title = help;
        this.values.push(value);
        return reading;
      }),
    );
  }

  show_readings(readings) {
    readings.forEach(([value, beside], index) => this.values[index].replaceChildren(`${value} `, element("small", "", beside)));
  }

  show_verdict({ kind, sentence, text, fix, why }) {
    this.said.className = `said ${kind}`;
    this.said.replaceChildren(element("div", "", element("strong", "", sentence), sentence.endsWith("。") ? text : ` ${text}`));
    if (!fix) return;
    const button = element("button", "", fix);
    button.title = why;
    button.onclick = () => this.send("fix", ++this.asked);
    this.said.append(button);
  }

  show_spike(words) {
    this.spike ??= element("button", "spike");
    this.spike.hidden = !words;
    this.spike.textContent = words;
    this.spike.onclick = () => this.send("spike", ++this.asked);
    this.charts.loss.chart.div.after(this.spike);
  }

  show_badge({ text, label, color, help }) {
    const badge = element("span", "badge", label);
    badge.style.color = `var(--st-${color}-text-color)`;
    this.badge.replaceChildren(badge, ` ${text}`);
    this.badge.title = help;
  }

  /** What stands below the curves is of a new step: its panel listens (static/news.js). */
  show_news(news) {
    window.mlpNews = news;
    window.dispatchEvent(new Event("mlp-news"));
  }

  show_network(state) {
    if (state) window.dispatchEvent(new CustomEvent("network-state", { detail: state }));
  }

  discard() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.seen);
    for (const { chart } of Object.values(this.charts)) chart.discard();
  }
}

export default async function liveRun({ data, parentElement, setStateValue, setTriggerValue }) {
  const bytes = new Bytes(data);
  let run = runs.get(parentElement);
  if (!run) {
    const { script, module } = bytes.json.about ?? {};
    if (!script) return setStateValue("have", { version: 0, asked: Date.now() }); // a change for one that is gone
    const { Chart, loadPlotly } = await import(new URL(module, document.baseURI).href);
    const Plotly = await loadPlotly(script);
    run = runs.get(parentElement) ?? new LiveRun(parentElement, { Chart, Plotly });
    runs.set(parentElement, run);
  }
  const send = (name, value) => (name === "have" ? setStateValue : setTriggerValue)(name, value);
  run.sent(bytes, send);
  // Streamlit also ends a call that a newer one overtook, while the run lives on: then its place is still on the page.
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected || !runs.delete(parentElement)) return;
      run.discard();
    });
}
