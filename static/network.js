// Draws a network: its edges on a canvas, its units and words in SVG above it, in the theme's colors; and lets it live while it learns.
// pages/ui/network_drawing.py sends JSON as bytes: {about: {height, alt, words, folded, images, said}, drawing, state, answer}. `said` are
// the words of the dialog, `drawing` is a Drawing, `state` a network_state of pages/figures/network.py, `answer` that of
// pages/ui/run/network_state.py to the question sent back from here as "ask": {image, unit: [layer, index], at}. A newer state may come by
// itself: the event "network-state" on window, the state its detail.

const SVG = "http://www.w3.org/2000/svg";
const [GREY, SKY, ORANGE] = ["#8A8F98", "#56B4E9", "#E69F00"]; // of pages/figures/palette.py, as are
const [POSITIVE, NEGATIVE] = ["#D55E00", "#0072B2"]; // vermilion and blue
const RIMS = { input: GREY, hidden: SKY, output: ORANGE };
const PAPER = [0x15, 0x1b, 0x26]; // 0 and 255, as in pages/figures/pictures.py
const INK = [0xf4, 0xf6, 0xfa];
const SIDE = 28;
const LEVELS = 127; // of a byte on either side of 0
const NOT_FINITE = -128;
const STRENGTHS = 8; // of edges, each for both signs: as many strokes, however many edges
const LARGEST_UNIT = 14; // px
const SMALLEST_WEIGHTS = 15; // px, of a unit that shows its weights
const LARGEST_PICTURE = 130; // px, and of the room between the left edge and the inputs:
const PICTURE_SHARE = 0.86;
const STRIP = { width: 300, height: 52 };
const REFRESH_MS = 3000; // between two answers to one question while the network learns

const STYLE = `
  .network { font-family: var(--st-font); color: var(--st-text-color); }
  .network-view { position: relative; }
  .network-view canvas, .network-view svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block;
    object-fit: contain; } /* on paper it is as wide as there is room, drawn for the screen: both are scaled alike */
  .network text { fill: var(--st-text-color); text-anchor: middle; dominant-baseline: central; }
  .network .ground { fill: var(--st-background-color); }
  .network image { image-rendering: pixelated; }
  .network [role=button] { cursor: pointer; outline: none; }
  .network [role=button]:focus-visible, .network [aria-pressed=true] { stroke: var(--st-primary-color) !important; stroke-width: 3px; }
  .network button, .network input { font: inherit; color: inherit; background: var(--st-secondary-background-color);
    border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, var(--st-base-radius)); padding: 0.25rem 0.6rem; }
  .network button { cursor: pointer; }
  .network button:hover { border-color: var(--st-primary-color); }
  .network button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
  .network .strip { display: flex; align-items: center; gap: 0.75rem; width: 100%; height: 60px; padding: 3px 0.75rem 3px 3px;
    text-align: left; background: transparent; border-radius: var(--st-base-radius); }
  .network .strip .network-view { flex: 0 4 ${STRIP.width}px; max-width: 45%; min-width: 4rem; height: ${STRIP.height}px; }
  .network .strip .words { flex: 1 1 19rem; min-width: 0; overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical;
    -webkit-line-clamp: 3; font-size: min(0.85rem, 14.5px); line-height: 1.2; }
  @media (max-width: 640px) { .network .strip { gap: 0.4rem; } .network .strip .words { font-size: 12.5px; }
    .network .strip .network-view { min-width: 3.2rem; } .network .strip .open { font-size: 12.5px; } }
  .network .strip .open { flex: none; color: var(--st-link-color); }
  .network dialog { color: var(--st-text-color); background: var(--st-background-color); border: 1px solid var(--st-border-color);
    border-radius: var(--st-base-radius); width: min(78rem, 94vw); max-width: none; max-height: 92vh; padding: 0.75rem 1rem;
    box-sizing: border-box; overflow: auto; }
  .network dialog::backdrop { background: rgba(0, 0, 0, 0.35); }
  .network .row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem; margin-bottom: 0.5rem; }
  .network .row .words { flex: 1 1 12rem; }
  .network .row input { width: 5.5rem; margin-left: 0.4rem; }
  .network .body { display: flex; flex-wrap: wrap; gap: 1rem; }
  .network .body .network-view { flex: 1 1 34rem; min-width: min(100%, 20rem); }
  .network .side { flex: 0 1 22rem; min-width: min(100%, 18rem); font-size: 0.85em; }
  .network .side h4 { margin: 0 0 0.3rem; font-size: 1.05em; }
  .network .side p, .network .legend { margin: 0.3rem 0; }
  .network .legend { font-size: 0.85em; color: var(--st-gray-text-color, inherit); }
  .network table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  .network td, .network th { padding: 0.05rem 0.3rem; text-align: right; font-weight: 400; line-height: 1.35; }
  .network td:first-child, .network th:first-child { text-align: left; }
  .network .bar { width: 45%; }
  .network .bar div { height: 0.8em; min-width: 1px; background: ${ORANGE}; border-radius: 2px; }
  .network .true { font-weight: 700; }
  .network .unit { display: flex; gap: 0.75rem; margin-top: 0.75rem; }
  .network .unit img { width: 84px; height: 84px; image-rendering: pixelated; border: 1px solid var(--st-border-color); }`;

/** One picture of a network. With `words` it has labels and the image; with `choose` its units can be clicked. */
class View {
  constructor(words, choose) {
    Object.assign(this, { words, choose });
    this.root = document.createElement("div");
    this.root.className = "network-view";
    this.root.innerHTML = '<canvas aria-hidden="true"></canvas><svg></svg>';
    [this.canvas, this.svg] = this.root.children;
    this.svg.role = choose ? "group" : "img";
    this.observer = new ResizeObserver(() => this.root.clientWidth !== this.width && this.draw());
    this.observer.observe(this.root);
  }

  /** Show a drawing, `height` px tall. */
  show(drawing, alt, height) {
    Object.assign(this, { drawing, height });
    this.root.style.height = `${height}px`;
    this.svg.ariaLabel = alt;
    this.draw();
  }

  /** Show what the network does: `live` is {edges, units, weights, pixels, chosen}, of which all may be missing. */
  become(live) {
    const picture = live.weights !== this.live?.weights || live.pixels !== this.live?.pixels;
    this.live = live;
    if (!this.drawing || !this.width) return;
    if (picture) return this.draw();
    this.edges();
    this.fill();
  }

  /** Draw all anew in the width that there is; while it is hidden there is none. */
  draw() {
    const { drawing, words } = this;
    this.width = this.root.clientWidth;
    if (!this.width || !drawing) return;
    const ys = drawing.layers.flatMap(({ units }) => units.map(([, y]) => y));
    const [top, bottom] = words ? [0, drawing.height] : [Math.min(...ys) - 6, Math.max(...ys) + 6];
    const [left, right] = words ? [drawing.left, drawing.right] : [-0.1, drawing.layers.at(-1).x + 0.1];
    const [from, times] = drawing.wide;
    this.letters = this.width >= from ? times : 1;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.tall = this.height / (bottom - top);
    this.left = left;
    this.x = (x) => ((x - left) / (right - left)) * this.width;
    this.y = (y) => (y - top) * this.tall;
    const focused = this.drawn?.findIndex(({ outline }) => outline === document.activeElement);
    this.drawn = drawing.layers.flatMap((layer) => layer.units.map((unit, place) => this.unit(layer, unit, place)));
    const gaps = drawing.layers.filter(({ gap }) => gap !== null).flatMap(({ x, gap }) => this.dots(x, gap));
    const labels = words ? [...this.picture(), ...drawing.labels.map((label) => this.label(label))] : [];
    this.svg.replaceChildren(...labels, ...this.drawn.map(({ shape }) => shape), ...gaps);
    this.drawn[focused]?.outline.focus({ preventScroll: true }); // or a key that is pressed after an answer would reach no unit
    this.edges();
    this.fill();
  }

  /** Places of the ends of every edge, in the order in which weights are sent; null for one that dropout cuts. */
  *ends() {
    const { layers } = this.drawing;
    for (const [i, right] of layers.entries()) {
      const left = layers[i - 1];
      if (!left || right.layer !== left.layer + 1) continue;
      for (const [, from, , unsent] of left.units) {
        for (const [, to, , dropped] of right.units) yield unsent || dropped ? null : [left.x, from, right.x, to];
      }
    }
  }

  edges() {
    const { canvas, live } = this;
    const pixels = window.devicePixelRatio;
    [canvas.width, canvas.height] = [this.width * pixels, this.height * pixels];
    const context = canvas.getContext("2d");
    context.scale(pixels, pixels);
    const lines = new Map(); // strength with its sign -> a path; 0 for edges of unknown weight
    let i = 0;
    for (const ends of this.ends()) {
      const weight = live?.edges ? live.edges[i++] : null;
      if (!ends || weight === NOT_FINITE) continue;
      const [x1, y1, x2, y2] = ends;
      const strength = weight === null ? 0 : Math.sign(weight) * Math.ceil((STRENGTHS * Math.abs(weight)) / LEVELS);
      if (weight !== null && !strength) continue;
      if (!lines.has(strength)) lines.set(strength, new Path2D());
      lines.get(strength).moveTo(this.x(x1), this.y(y1));
      lines.get(strength).lineTo(this.x(x2), this.y(y2));
    }
    for (const [strength, path] of [...lines].sort(([a], [b]) => Math.abs(a) - Math.abs(b))) {
      const share = Math.abs(strength) / STRENGTHS;
      context.strokeStyle = strength > 0 ? POSITIVE : strength < 0 ? NEGATIVE : GREY;
      context.globalAlpha = strength ? 0.15 + 0.8 * share : 0.3;
      context.lineWidth = strength ? (this.words ? 0.4 + 2.4 * share : 0.3 + 1.2 * share) : 0.8;
      context.stroke(path);
    }
  }

  unit({ layer, x, kind }, [index, y, hint, dropped], place) {
    const [cx, cy] = [this.x(x), this.y(y)];
    const spacing = this.drawing.spacing * this.tall;
    const weights = layer === 1 && 0.85 * spacing >= SMALLEST_WEIGHTS && this.live?.weights?.[place];
    const r = weights ? 0.43 * spacing : Math.min(LARGEST_UNIT * Math.max(1, this.tall), 0.65 * spacing) / 2;
    const title = element("title", {}, hint);
    const box = { x: cx - r, y: cy - r, width: 2 * r, height: 2 * r };
    let outline;
    if (weights) outline = element("rect", box);
    else if (dropped) outline = element("path", { d: crossed(cx, cy, r) });
    else outline = kind === "input" ? element("rect", box) : element("circle", { cx, cy, r });
    outline.style.stroke = dropped ? GREY : RIMS[kind];
    outline.style.fill = dropped ? "transparent" : RIMS[kind];
    const shape = element("g", {}, title, ...(weights ? [element("rect", { ...box, class: "ground" }), element("image", { ...box, href: weights })] : []), outline);
    if (this.choose && layer > 0) {
      for (const [key, value] of Object.entries({ role: "button", tabindex: 0, "aria-label": hint })) outline.setAttribute(key, value);
      outline.addEventListener("click", () => this.choose([layer, index]));
      outline.addEventListener("keydown", ({ key }) => key === "Enter" && this.choose([layer, index]));
    }
    return { shape, outline, layer, index, kind, dropped, weights };
  }

  /** Each unit as strongly colored as it is active. */
  fill() {
    const { units, chosen } = this.live ?? {};
    for (const [i, { outline, kind, dropped, layer, index, weights }] of this.drawn.entries()) {
      outline.setAttribute("aria-pressed", String(chosen?.[0] === layer && chosen[1] === index));
      if (dropped || (!units && !weights)) continue;
      const value = units?.[i] ?? 0;
      const finite = value !== NOT_FINITE;
      const share = Math.round((100 * Math.abs(value)) / LEVELS);
      const sign = value > 0 ? POSITIVE : NEGATIVE;
      const color = kind === "input" ? `rgb(${gray((255 * value) / LEVELS)})` : `color-mix(in srgb, ${sign} ${share}%, var(--st-background-color))`;
      outline.style.fill = weights ? "transparent" : finite ? color : "transparent";
      outline.style.stroke = weights && finite ? color : RIMS[kind];
      outline.style.strokeWidth = weights ? 2.5 : 1;
    }
  }

  dots(x, y) {
    return [-4, 0, 4].map((offset) => element("circle", { cx: this.x(x), cy: this.y(y) + offset * Math.min(1, this.tall), r: 1.25, fill: GREY }));
  }

  label([x, y, lines, size, bold, hint]) {
    const letters = size * this.letters;
    const made = element("text", { "font-size": letters, "font-weight": bold ? 700 : 400 });
    lines.forEach((line, i) => {
      const at = this.y(y) + (i - (lines.length - 1) / 2) * 1.25 * letters;
      made.append(element("tspan", { x: this.x(x), y: at }, line));
    });
    if (hint) made.append(element("title", {}, hint));
    return made;
  }

  /** The image that is the input, or an empty grid of its pixels. */
  picture() {
    const { picture } = this.drawing;
    if (!picture) return [];
    const side = Math.min(LARGEST_PICTURE * this.tall, PICTURE_SHARE * this.x(2 * picture.x - this.left));
    const [x, y] = [this.x(picture.x) - side / 2, this.y(picture.y) - side / 2];
    const pixels = this.live?.pixels ?? picture.pixels;
    if (pixels) return [element("image", { x, y, width: side, height: side, href: grayImage(pixels) })];
    const lines = Array.from({ length: SIDE + 1 }, (_, i) => (i * side) / SIDE);
    const d = lines.map((at) => `M${x + at} ${y}v${side}M${x} ${y + at}h${side}`).join("");
    return [element("path", { d, fill: "none", stroke: GREY, "stroke-width": 0.4 })];
  }
}

function crossed(x, y, r) {
  const c = r * Math.SQRT1_2;
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0M${x - c} ${y - c}l${2 * c} ${2 * c}m0 ${-2 * c}l${-2 * c} ${2 * c}`;
}

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const gray = (value) => PAPER.map((paper, c) => Math.round(paper + ((INK[c] - paper) * value) / 255));
const bytes = (encoded) => Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
const signed = (encoded) => new Int8Array(bytes(encoded).buffer);

/** 28 × 28 values as the address of a picture; `color` makes four bytes of one. */
function image(values, color) {
  const canvas = html("canvas", { width: SIDE, height: SIDE });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(SIDE, SIDE);
  values.forEach((value, i) => picture.data.set(color(value), 4 * i));
  context.putImageData(picture, 0, 0);
  return canvas.toDataURL();
}

const grayImage = (encoded) => image(bytes(encoded), (value) => [...gray(value), 255]);
const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
const weightImage = (encoded) =>
  image(signed(encoded), (value) =>
    value === NOT_FINITE ? [0, 0, 0, 0] : [...rgb(value > 0 ? POSITIVE : NEGATIVE), Math.round((255 * Math.abs(value)) / LEVELS)],
  );

/** The picture as it stands on the page: whole, or folded to a strip that a click opens in a dialog above the page. */
class NetworkDrawing {
  constructor(parent) {
    this.root = html("div", { className: "network" });
    parent.replaceChildren(html("style", { textContent: STYLE }), this.root);
    this.question = { image: null, unit: null };
    this.views = [];
    this.hear = ({ detail }) => this.take(detail);
    window.addEventListener("network-state", this.hear);
  }

  discard() {
    window.removeEventListener("network-state", this.hear);
    for (const { observer } of this.views) observer.disconnect();
  }

  /** Streamlit calls this at every run of the page, and when the theme has changed: the style sheet takes that up by itself. */
  update(text, send) {
    this.send = send;
    if (this.text === text) return;
    this.text = text;
    const { about, drawing, state, answer } = JSON.parse(text);
    const built = this.about && JSON.stringify([this.about.folded, this.about.said]);
    if (!this.about) this.question.image = state?.image ?? null; // what was chosen before the visitor left the page
    const moved = JSON.stringify([about, drawing]);
    Object.assign(this, { about, drawing, answer });
    if (built !== JSON.stringify([about.folded, about.said])) this.build();
    if (moved !== this.shown) this.show();
    this.shown = moved;
    this.state = null;
    this.take(state);
  }

  build() {
    for (const { observer } of this.views) observer.disconnect();
    this.dialog = this.answered = null;
    if (!this.about.folded) {
      if (this.question.image !== null) this.ask({ image: null, unit: null });
      this.views = [new View(true)];
      return this.root.replaceChildren(this.views[0].root);
    }
    const { said } = this.about;
    this.views = [new View(false), new View(true, (unit) => this.ask({ unit, image: this.question.image ?? 0 }))];
    const words = () => html("span", { className: "words" });
    const strip = html("button", { type: "button", className: "strip", ariaHasPopup: "dialog", onclick: () => this.open() });
    strip.append(this.views[0].root, words(), html("span", { className: "open", textContent: said.open }));
    const button = (textContent, onclick) => html("button", { type: "button", textContent, onclick });
    this.number = html("input", { type: "number", min: 0, max: this.about.images - 1, step: 1, onchange: () => this.typed() });
    const any = () => Math.floor(Math.random() * this.about.images);
    const next = () => ((this.question.image ?? -1) + 1) % this.about.images;
    const controls = html(
      "div",
      { className: "row" },
      html("label", {}, said.test_image, this.number),
      button(said.next, () => this.ask({ image: next() })),
      button(said.random, () => this.ask({ image: any() })),
      button(said.no_image, () => this.ask({ image: null, unit: null })),
    );
    this.side = html("div", { className: "side" });
    this.legend = html("p", { className: "legend" });
    this.dialog = html("dialog", { ariaLabel: said.network, onclose: () => this.ask({ image: null, unit: null }) });
    this.dialog.addEventListener("click", ({ target }) => target === this.dialog && this.dialog.close());
    const head = html("div", { className: "row" }, words(), button(said.close, () => this.dialog.close()));
    const body = html("div", { className: "body" }, this.views[1].root, this.side);
    this.dialog.append(head, controls, body, this.legend);
    this.root.replaceChildren(strip, this.dialog);
  }

  show() {
    const { about, drawing } = this;
    for (const words of this.root.querySelectorAll(".words")) words.textContent = about.words;
    this.views[0].show(drawing, about.alt, about.folded ? STRIP.height : about.height);
    if (this.dialog?.open) this.views[1].show(drawing, about.alt, this.tall());
  }

  tall() {
    return Math.max(this.drawing.height, Math.min(520, 0.6 * window.innerHeight));
  }

  open() {
    this.dialog.showModal();
    this.views[1].show(this.drawing, this.about.alt, this.tall());
    this.ask({});
  }

  typed() {
    const image = this.number.valueAsNumber;
    if (Number.isInteger(image) && image >= 0 && image < this.about.images) this.ask({ image });
  }

  /** Ask Python about the chosen image and unit; the answer comes with the next `update`. */
  ask(changes) {
    this.asked = performance.now();
    Object.assign(this.question, changes);
    this.send("ask", { ...this.question, at: Date.now() });
  }

  /** What the network does now; null where there is none. A state of another network is not shown. */
  take(state) {
    if (state && state.of !== this.drawing.of) state = null;
    const { question, answer } = this;
    const answered = this.dialog?.open && answer;
    const current = state?.image === question.image; // one that was under way when another image was chosen is late
    const live = {
      edges: state && signed(state.edges),
      units: state && (current ? signed(state.units) : this.live?.units),
      chosen: question.unit,
    };
    if (answered !== this.answered) {
      this.answered = answered;
      this.weights = answered?.weights?.map(weightImage);
      if (this.dialog) this.tell(answered);
    }
    this.live = { ...live, weights: this.weights, pixels: answered?.image?.pixels };
    for (const view of this.views) view.become(this.live);
    const moved = state && this.state && state.step !== this.state.step;
    this.state = state;
    if (moved && this.dialog?.open && performance.now() - this.asked > REFRESH_MS) this.ask({});
  }

  /** Beside the drawing: what the network says of the image, and where the value of the chosen unit comes from. */
  tell(answer) {
    const { image, unit } = answer || {};
    const { said } = this.about;
    if (document.activeElement !== this.number) this.number.value = image ? image.number : "";
    const row = (cells, properties = {}) => html("tr", properties, ...cells.map((cell) => html("td", {}, cell)));
    const parts = [];
    if (!answer) parts.push(html("p", {}, said.untrained));
    else if (!image) parts.push(html("p", {}, said.choose));
    if (image) {
      const table = html("table", {});
      for (const { name, probability, share, label } of image.classes) {
        const bar = html("td", { className: "bar" }, html("div", { style: `width: ${100 * share}%` }));
        table.append(html("tr", { className: label ? "true" : "" }, html("td", {}, name), bar, html("td", {}, probability)));
      }
      parts.push(html("h4", {}, image.title), table);
    }
    if (unit) {
      const sums = html("table", {}, ...unit.sums.map((cells) => row(cells)));
      const picture = unit.picture ? [html("img", { src: weightImage(unit.picture), alt: said.weights })] : [];
      const inputs = html("table", {}, html("tr", {}, ...[said.inputs, "x", "w", "w x"].map((cell) => html("th", {}, cell))));
      inputs.append(...unit.inputs.map((cells) => row(cells)));
      parts.push(html("h4", { style: "margin-top: 0.75rem" }, unit.title), html("div", { className: "unit" }, ...picture, sums), inputs);
    }
    this.side.replaceChildren(...parts);
    this.legend.textContent = answer?.legend ?? "";
  }
}

const drawings = new WeakMap(); // the element that Streamlit mounts -> its NetworkDrawing

export default async function network({ data, parentElement, setStateValue }) {
  let drawing = drawings.get(parentElement);
  if (!drawing) drawings.set(parentElement, (drawing = new NetworkDrawing(parentElement)));
  drawing.update(new TextDecoder().decode(data), setStateValue);
  // Streamlit also ends a call that a newer one overtook, while the drawing lives on: then its place is still on the page.
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected || !drawings.delete(parentElement)) return;
      drawing.discard();
    });
}
